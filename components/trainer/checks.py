"""What a config asks of a training and its task has not: refused before anything starts, and by Trainer once a tuner has chosen."""

import itertools
from collections.abc import Mapping, Sequence

from components import keys
from components.tasks.base import Task
from components.tasks.by_name import task_of
from components.trainer import by_name
from components.trainer.card import Card
from components.transform.augment import steps as augment
from configs import policies
from configs.errors import UsageError
from configs.schema.slices.trainer import TrainerSlice

SHOWN = 12  # classes that a message lists


def check(cfg: TrainerSlice, task: Task) -> None:
    """Raise UsageError for what the task cannot do, or cannot do without."""
    done = augment.kinds(policies.expand(cfg.augment, cfg.transform.channels))
    if cfg.export.crops and not task.crops:
        raise UsageError("export.crops averages the probabilities of classes, and this task has none.", "Take it out.")
    if cfg.export.temperature is not None and not task.temperature:
        raise UsageError("export.temperature is of the softmax of a classifier, and this task has none.", "Take it out.")
    if cfg.train.label_smoothing and task.smooth is None:
        raise UsageError("train.label_smoothing spreads labels over classes, and this task has none.", "Take it out.")
    if cfg.train.loss is not None and not task.losses:
        raise UsageError("train.loss says what is minimised of masks, and this task learns from none.", "Take it out.")
    if cfg.train.random_labels and keys.LABEL not in task.targets:
        raise UsageError("train.random_labels draws classes anew, and this task has none.", "Take it out.")
    if augment.MIXING in done and task.mix is None:
        raise UsageError(
            "mixup and cutmix mix what images are labelled with, and this task has no labels.", "Take them out of augment."
        )
    if cfg.transfer is not None:
        by_name.part(by_name.TRANSFER).check(cfg.transfer, task)
    task.check_config(cfg.transform.normalize, done)
    if cfg.train.class_weight is None:
        return
    if task.class_weight is None:
        raise UsageError("train.class_weight weighs classes, and this task has none.", "Take it out.")
    if augment.MIXING in done:
        raise UsageError(
            "train.class_weight weighs an image by its one class, and mixup and cutmix give it two.", "Take one of them out."
        )


def check_initial(earlier: str, reads: str) -> None:
    """Raise UsageError where the model of model.initial reads another kind of input."""
    if earlier != reads:
        raise UsageError(f"model.initial reads {earlier}, and this model reads {reads}.", "Start from one that reads the same.")


def check_initial_classes(card: Card, task: Task, names: Mapping[str, Sequence[str]]) -> None:
    """Raise UsageError where the model of model.initial tells other classes of a target apart, or has them in another order, and
    its head is taken over: what it has learned of a class would go on under another one's name.

    Args:
        card: the earlier model's.
        names: target -> names of its classes, in the order of their numbers; what has none is not looked at.
    """
    if not task.keeps_head:
        return
    of_earlier = _named(card)
    for target in task.targets:
        before, now = of_earlier.get(target, []), list(names.get(target, []))
        if before and now and before != now:
            number, pair = next((n, pair) for n, pair in enumerate(itertools.zip_longest(before, now)) if pair[0] != pair[1])
            there, here = ("none" if name is None else name for name in pair)
            raise UsageError(
                f"model.initial has learned the classes {_listed(before)} of {target}, and here they are {_listed(now)}: "
                f"class {number} is {there} there and {here} here.",
                "Start from a model of the same classes in the same order, or take model.initial out; transfer learns a new head.",
            )


def _named(card: Card) -> dict[str, list[str]]:
    """Target that a model has learned -> names of its classes. `Card.class_names` are the label's where no further target has
    them; a model that learned from no target has them too, and tells nothing apart."""
    is_of_label = card.class_names not in card.targets.values()
    named = {**card.targets, **({keys.LABEL: card.class_names} if is_of_label else {})}
    return {target: named[target] for target in task_of(card.task).targets if target in named}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= SHOWN else f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
