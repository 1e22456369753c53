"""A training that blows up: when it is stopped, and what a person is told. Of steps along a gradient: a closed form does not."""

import math
from collections.abc import Callable, Mapping, Sequence

import keras

from components.trainer.resume import Resume
from configs.schema.train import TrainConfig
from keras_models.auxiliary import Learner

VALIDATION = "val_loss"
EXPLODED = 1e4  # times the first epoch's loss: what learns badly, or overfits, gets worse by tens, not by tens of thousands
LEAST = 0.1  # the first epoch's loss, or that before it, counts as this at least: one near 0 may well be left again


def has_happened(history: Sequence[Mapping[str, float]], start: float | None = None, judged_by: str = VALIDATION) -> bool:
    """Whether the last epoch's losses are not finite numbers, or its validation loss has exploded.

    Args:
        judged_by: what stands for the validation loss.
        history: figures by epoch.
        start: the loss before training. One that explodes in the first epoch is known by it alone. Training and validation loss
            must both be far above: the one holds a bad step that was made good, the other is far off while running means are young.
    """
    return bool(history) and (
        not _is_finite(history[-1], judged_by) or _exploded(history, judged_by) or _exploded_at_once(history, start)
    )


class Guard(keras.callbacks.TerminateOnNaN):
    """Stops a training that diverges, in the middle of an epoch where the loss is no finite number. Stands behind `resume`.

    Args:
        batch: inputs and targets, as fit takes them, that the loss before training is taken of.
    """

    def __init__(self, resume: Resume, batch: Callable[[], tuple]):
        super().__init__()
        self._resume, self._batch = resume, batch

    def on_train_begin(self, logs=None):
        if not self._resume.history and self.model.compiled and self._resume.judged_by == VALIDATION:
            self._resume.start = _loss(self.model, *self._batch())

    def on_epoch_end(self, epoch, logs=None):
        if has_happened(self._resume.history, self._resume.start, self._resume.judged_by):
            self.model.stop_training = True


def _loss(model: keras.Model, x, y, weights=None) -> float:
    """Of one batch, as in validation: no layer draws or learns anything."""
    return float(model.compute_loss(x, y, model(x, training=False), weights, training=False))


def words(
    history: Sequence[Mapping[str, float]],
    model: keras.Model,
    train: TrainConfig,
    rate: str,
    start: float | None = None,
    judged_by: str = VALIDATION,
) -> tuple[str, str]:
    """What happened, and what to try.

    Args:
        history: figures by epoch, the last of which diverged.
        start: the loss before training.
        model: what was fitted: where heads or terms are minimised beside the loss, it knows which part blew up.
        rate: the config's key of the learning rate.
    """
    last = history[-1]
    than = "that of the first epoch" if _exploded(history, judged_by) else f"the {start or 0:.3g} before training"
    figure = "validation loss" if judged_by == VALIDATION else judged_by
    what = (
        f"its {figure} of {last[judged_by]:.3g} is over {EXPLODED:,.0f} times {than}"
        if _is_finite(last, judged_by)
        else "its loss was not a finite number"
    )
    part = _culprit(model) if isinstance(model, Learner) else None
    if part is not None:
        what += f"; {part} blew up first"
    remedies = [f"lower {rate} of {train.optimizer.learning_rate:g}"]
    weights = {term.name: term.weight for term in model.terms.held} if part else {}
    if part in weights:
        remedies.insert(0, f"lower the weight of {part}, which is {weights[part]:g}")
    clipped = train.optimizer.clip_norm or train.optimizer.global_clip_norm or train.optimizer.clip_value
    remedies += [] if clipped else ["clip gradients by train.optimizer.global_clip_norm"]
    hint = ", or ".join(remedies)
    return f"Training diverged in epoch {len(history)} of {train.epochs}: {what}.", f"{hint[0].upper()}{hint[1:]}."


def best(history: Sequence[Mapping[str, float]], judged_by: str = VALIDATION) -> int | None:
    """Place of the epoch with the lowest validation loss, or what stands for it; None where none is finite."""
    finite = [place for place, figures in enumerate(history) if math.isfinite(figures.get(judged_by, math.nan))]
    return min(finite, key=lambda place: history[place][judged_by], default=None)


def _culprit(learner: Learner) -> str | None:
    """The part that was not finite while others were, or else the one that the loss consisted of when it last was; None where it
    has no parts."""
    before, after = learner.parts()
    lost = [name for name, value in after.items() if not math.isfinite(value)]
    if lost and len(lost) < len(after):
        return lost[0]
    return max(before, key=lambda name: abs(before[name]), default=None)


def _is_finite(figures: Mapping[str, float], judged_by: str) -> bool:
    return all(math.isfinite(figures[name]) for name in ("loss", judged_by) if name in figures)


def _exploded(history, judged_by: str) -> bool:
    return history[-1][judged_by] > EXPLODED * max(abs(history[0][judged_by]), LEAST)


def _exploded_at_once(history, start) -> bool:
    losses = [history[-1][name] for name in ("loss", VALIDATION) if name in history[-1]]
    return start is not None and min(losses) > EXPLODED * max(abs(start), LEAST)
