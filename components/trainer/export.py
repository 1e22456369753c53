"""One ExportArchive with every signature: both ends of the way from bytes to answers are inside the graph."""

from pathlib import Path

import keras

from components import inputs, keys, saved_model
from components.tasks.base import Signature, Task
from components.trainer import endpoints, warmup
from components.trainer.card import Card
from components.trainer.data import Data
from keras_models import compat
from serving import answers


def write(folder: Path, model: keras.Model, task: Task, card: Card, data: Data) -> None:
    """Write a model and what belongs to it.

    Writes: `folder` (SavedModel with warm-up requests and the card in assets.extra), and beside it what `keep` writes.
    """
    archive = keras.export.ExportArchive()
    archive.track(model)
    signatures = task.signatures(model, card)
    ends = inputs.input_of(card.reads).ends(card)
    for resource in {id(held): held for asks in (*signatures.values(), *ends.values()) for held in asks.resources}.values():
        archive.track(resource)
    made = endpoints.of(signatures, card, ends)
    for name, endpoint in made.items():
        archive.add_endpoint(name, endpoint.function, endpoint.specs)
    with compat.exported_by_endpoints_alone():
        archive.write_out(str(folder), verbose=False)
    card = card.model_copy(update={"gives": _gives(signatures, saved_model.texts_of(folder)), "predicts": task.predicts})
    extra = folder / "assets.extra"
    extra.mkdir(exist_ok=True)
    (folder / keys.CARD_IN_EXPORT).write_text(_json(card))
    warmup.write(extra / warmup.FILE, made, card, data)
    keep(folder.parent, model, task, card)


def keep(folder: Path, model: keras.Model, task: Task, card: Card) -> None:
    """Write what later stages read and nobody is served: model.keras, card.json, and NAME.keras of each model of `Task.beside`."""
    for name, network in {keys.KERAS_NAME: model, **task.beside(model)}.items():
        plain = keras.Model(network.inputs, network.outputs, name=network.name)  # without loss and optimizer, which may be ours
        plain.save(folder / f"{name}{keys.KERAS_ENDING}")
    (folder / keys.CARD_FILE).write_text(_json(card))


def _gives(signatures: dict[str, Signature], written: dict[str, dict[str, bool]]) -> dict[str, dict[str, str]]:
    """Signature -> output -> its kind, as `Signature.gives` declares it or as its dtype says.

    Args:
        written: signature -> output -> whether it is of strings.

    Raises:
        ValueError: for an output that is declared, or to be compared, and is not there.
    """
    first = next(iter(signatures))
    kinds = {}
    for name, signature in {**signatures, keys.SERVING_DEFAULT: signatures[first]}.items():
        if absent := sorted({*signature.gives, *(signature.compared or ())} - written[name].keys()):
            raise ValueError(f"signature {name} has no output {', '.join(absent)}; it gives {', '.join(sorted(written[name]))}")
        by_dtype = {output: answers.by_values(is_text) for output, is_text in written[name].items()}
        kinds[name] = {
            **signature.gives,
            **{output: its for output, its in sorted(by_dtype.items()) if output not in signature.gives},
        }
    return kinds


def _json(card: Card) -> str:
    return card.model_dump_json(indent=1)
