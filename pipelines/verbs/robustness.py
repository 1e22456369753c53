"""What corrupted images cost a model that is there, beside another one where that is asked for. Used in the worker process."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components import inputs
from components.reporter import robustness
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from configs.errors import UsageError
from pipelines.verbs import alike
from pipelines.verbs.served import Served


def check(asked: Mapping[str, Any], card: Card) -> None:
    """Raise UsageError where a model reads no images, or the baseline answers another question. Arguments as of `told`."""
    if card.reads != inputs.DEFAULT:
        noun = inputs.storage_of(card.reads).noun
        raise UsageError(f"--corruptions are of images, and {card.name} reads {noun}s.", "Leave --corruptions out.")
    if asked["baseline"]:
        alike.check(card, Served.card_of(asked["baseline"]))


def told(model: str, files: Sequence[str], asked: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """Figures of a SavedModel on corrupted images.

    Args:
        model: its folder. files: of Examples.
        asked: {names: of components.corruptions, images: at most, baseline: folder of another SavedModel or None, called: what that
            was asked for by}.

    Returns:
        {corruptions: as of components.reporter.robustness.listed, robustness: {names, images, of, digest, constants, fine, figures:
        as of robustness.means, baseline: name or None, baseline_corruptions: as corruptions or None}}, and the pictures of the
        sheet, as of robustness.Asked, with the image's id as `name`.
    """
    served = [Served.load(folder) for folder in (model, asked["baseline"]) if folder]
    card = served[0].card
    judge = judge_of(card.task)
    remade = judge.remade if all(judge.remade in each.signatures for each in served) else None
    asking = [_asking(each) for each in served]
    held = robustness.asked(files, card, judge, asking, asked["names"], asked["images"], remade)
    ours, *others = [robustness.listed(judge, rows) for rows in held.rows]
    theirs = others[0] if others else []
    value = {
        "names": list(asked["names"]),
        "images": held.images,
        "of": held.of,
        "digest": held.digest,
        "constants": dict(held.constants),
        "fine": held.fine,
        "figures": robustness.means(judge, held.rows[0], ours, theirs),
        "baseline": asked["called"] if theirs else None,
        "baseline_corruptions": theirs or None,
    }
    return {"corruptions": ours, "robustness": value}, {"sheet": held.sheet, "name": held.name}


def _asking(served: Served) -> robustness.Ask:
    def ask(name: str, records: Sequence[bytes]) -> Mapping[str, np.ndarray]:
        return {output: value.numpy() for output, value in served.signatures[name](examples=tf.constant(records)).items()}

    return ask
