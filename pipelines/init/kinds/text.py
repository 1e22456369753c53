"""Texts: a classifier of the smallest network that hubel has for them, or of the example of docs/texts.md where it has none."""

from collections.abc import Mapping
from typing import Any

import keras_models
from keras_models.record import LOGITS
from pipelines.init.kinds import Plan
from pipelines.init.writing import batch_of, bound, comment, epochs_of, flow
from pipelines.workspace.layout import Workspace

LEARNS_ALONE = False
CUT = 0.05  # share of the texts that may be longer than the proposed length
RARE = 2000  # texts, from which on what stands once tells nothing
OWN = "my_texts:mean_of_words"  # of docs/texts.md
MISSING = (
    f"hubel ships no network that reads texts yet: the config names {OWN}, of docs/texts.md. Put its file my_texts.py, with that "
    "network or with one of your own, into the folder where `hubel run` starts."
)


def at_hand(survey: Mapping[str, Any], place: Workspace) -> dict[str, Any]:
    """The smallest network that tells texts apart."""
    records = (record for record in keras_models.catalog().values() if (record.reads, record.output) == ("text", LOGITS))
    smallest = min(records, key=lambda record: record.params or 0, default=None)
    return {"network": smallest and smallest.name}


def sampled(survey: Mapping[str, Any]) -> list[str]:
    """A line on how long they are."""
    if not survey["tokens"]:
        return []
    least, median, most = (f"{number:,}" for number in survey["tokens"])
    size = f"{least} tokens" if least == most else f"{least} to {most} tokens, the median {median}"
    unit = "each character is one" if survey["unit"] == "character" else "words and the signs between them"
    return [
        f"of {survey['sampled']:,} that were read: {size} ({unit}); {survey['known'] + survey['once']:,} different ones, of which "
        f"{survey['once']:,} stand once"
    ]


def body(survey: Mapping[str, Any], plan: Plan, network: str | None = None) -> tuple[list[str], list[str]]:
    """See pipelines.init.kinds."""
    length, cut = _length(survey)
    told = f"{length} tokens: of the texts that were read {100 * cut:.1f} % are longer; what is beyond is not seen"
    text = {"length": length} | ({"unit": survey["unit"]} if survey["unit"] != "word" else {})
    why = []
    if survey["images"] >= RARE:
        text |= {"min_count": 2}
        why = ["min_count: a token that stands once tells nothing of others"]
    train = {
        "epochs": epochs_of(survey),
        "batch_size": batch_of(survey),
        "optimizer": {"learning_rate": 0.01},
        "early_stopping": {"patience": 5},
    }
    lines = [
        *comment([told, *why]),
        f"transform: {flow({'text': text})}",
        *comment([] if network else ["the vectors of a text's words in the mean, and one dense layer: docs/texts.md has the file"]),
        f"model: {flow({'name': network or OWN})}",
        f"train: {flow(train)}",
        *bound(survey, plan.counted),
    ]
    notes = [f"{100 * cut:.1f} % of the texts are longer than {length} tokens and would be cut."] if cut > CUT else []
    return lines, notes + ([] if network else [MISSING])


def _length(survey: Mapping[str, Any]) -> tuple[int, float]:
    """The least length that cuts few texts, or else the largest; and the share that it cuts."""
    shares = sorted((int(length), share) for length, share in survey["cut"].items())
    return next((pair for pair in shares if pair[1] <= CUT), shares[-1])
