"""What a config asks of a training and its task has not: refused before anything starts, and by Trainer once a tuner has chosen."""

from components import keys
from components.tasks.base import Task
from components.trainer import by_name
from components.transform.augment import steps as augment
from configs import policies
from configs.errors import UsageError
from configs.schema.slices.trainer import TrainerSlice


def check(cfg: TrainerSlice, task: Task) -> None:
    """Raise UsageError for what the task cannot do, or cannot do without."""
    done = augment.kinds(policies.expand(cfg.augment, cfg.transform.channels))
    if cfg.export.crops and not task.crops:
        raise UsageError("export.crops averages the probabilities of classes, and this task has none.", "Take it out.")
    if cfg.train.label_smoothing and task.smooth is None:
        raise UsageError("train.label_smoothing spreads labels over classes, and this task has none.", "Take it out.")
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
