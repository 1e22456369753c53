"""Models pushed before cards said what signatures give: it follows from what hubel's tasks gave then. The only such place."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from components import keys
from serving import answers

if TYPE_CHECKING:  # importing it imports TensorFlow
    from components.trainer.card import Card

KINDS = {  # output -> its kind, in whichever signature it stood
    "probabilities": "probabilities",
    "classes": "names",
    "scores": "scores",
    "images": "image",
    "codes": "code",
    "anomaly_map": "heat",
}
JUDGING = ("anomaly_score", "is_anomaly", "threshold")  # outputs that were numbers before there were kinds of these names
NAMED = frozenset({"classes", "scores"})
NAMING = ("classification", "ensemble")  # the tasks that gave them
SCORED = "anomaly_score"  # the signature of autoencoders that `hubel predict` asked


def gives(signatures: Mapping[str, Mapping[str, bool]]) -> dict[str, dict[str, str]]:
    """Signature -> output -> its kind.

    Args:
        signatures: signature -> output -> whether it is of strings.
    """
    return {
        name: {output: _judging(output, _kind(output, outputs), outputs) for output in outputs}
        for name, outputs in signatures.items()
    }


def names_classes(card: Mapping[str, Any]) -> bool:
    """Whether a card, as its JSON, is of a model that tells classes apart."""
    kinds = card.get("gives", {}).get(keys.SERVING_DEFAULT)
    return card.get("task") in NAMING if kinds is None else "names" in kinds.values()


def completed(card: "Card", signatures: Mapping[str, Mapping[str, bool]]) -> "Card":
    """A card that says nothing of it, with what its signatures, the ends of each included, give."""
    by_files = {name.removesuffix(keys.IMAGE_BYTES).rstrip("_"): outputs for name, outputs in signatures.items()}
    known = {keys.SERVING_DEFAULT: by_files.pop("", {}), **by_files, **signatures}
    return card.model_copy(update={"gives": gives(known), "predicts": predicts(known)})


def judging(card: "Card") -> "Card":
    """A card that says of outputs about anomalies no more than that they are numbers, with their kinds."""
    if any("anomaly_score" in outputs.values() for outputs in card.gives.values()):
        return card
    gives = {
        name: {output: _judging(output, its, outputs) for output, its in outputs.items()} for name, outputs in card.gives.items()
    }
    return card.model_copy(update={"gives": gives})


def _judging(output: str, its: str, outputs: Collection[str]) -> str:
    return output if its == answers.NUMBER and output in JUDGING and "anomaly_score" in outputs else its


def predicts(signatures: Mapping) -> str:
    """The signature that `hubel predict` asks."""
    return SCORED if SCORED in signatures else keys.SERVING_DEFAULT


def _kind(output: str, outputs: Mapping[str, bool]) -> str:
    """Of a task of one's own, whose outputs may have these names by chance, nothing is known but the values."""
    is_named = outputs.keys() >= NAMED and outputs["classes"] and not outputs["scores"]
    ours = KINDS.keys() if is_named else KINDS.keys() - NAMED - {"probabilities"}
    return KINDS[output] if output in ours and outputs[output] == (output == "classes") else answers.by_values(outputs[output])
