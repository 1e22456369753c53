"""From the config's words to a Keras optimizer and its learning rate."""

from collections.abc import Sequence

import keras
from keras import ops
from keras.optimizers import schedules

from configs.schema.train import TrainConfig
from keras_models import compat


def optimizer(train: TrainConfig, steps: int, variables: Sequence[keras.Variable] = ()) -> keras.optimizers.Optimizer:
    """A new optimizer; what the config leaves open is Keras's default.

    Args:
        steps: batches an epoch, which schedules count in.
        variables: what it will train; read where only kernels decay, which are those of two or more axes (He et al. 2019, "Bag of
            tricks", section 3.1).
    """
    chosen = train.optimizer
    asked = {
        "learning_rate": _rate(train, steps),
        "momentum": chosen.momentum or None,
        "nesterov": chosen.nesterov or None,
        "weight_decay": chosen.weight_decay,
        "clipnorm": chosen.clip_norm,
        "global_clipnorm": chosen.global_clip_norm,
        "clipvalue": chosen.clip_value,
    }
    given = {key: value for key, value in asked.items() if value is not None}
    made = SGD(**given) if chosen.name == "sgd" else keras.optimizers.get({"class_name": chosen.name, "config": given})
    if chosen.decays == "kernels":
        made.exclude_from_weight_decay(var_list=[variable for variable in variables if len(variable.shape) < 2])
    return made


class SGD(keras.optimizers.SGD):
    """Keras's, but weight decay is part of the gradient, as in Krizhevsky et al. 2012, section 5:

    v = momentum v - rate (g + weight_decay w); w = w + v

    with g the clipped gradient of the loss. Keras's own shrinks w by rate * weight_decay beside v (Loshchilov & Hutter 2019).
    """

    def __init__(self, **given):
        super().__init__(**given)
        compat.without_own_decay(self)  # see update_step

    def update_step(self, gradient, variable, learning_rate):
        if self.weight_decay and compat.decays(self, variable):
            gradient = gradient + self.weight_decay * variable
        super().update_step(gradient, variable, learning_rate)


class WarmUp(schedules.LearningRateSchedule):
    """A rate, or a schedule of rates, times step / steps during the first steps: Goyal et al. 2017, section 2.2, from 0."""

    def __init__(self, after: float | schedules.LearningRateSchedule, steps: int):
        self._after, self._steps = after, steps

    def __call__(self, step):
        rate = self._after(step) if callable(self._after) else self._after
        return rate * ops.minimum(ops.cast(step, "float32") / self._steps, 1.0)


def _rate(train: TrainConfig, steps: int) -> float | schedules.LearningRateSchedule:
    """Learning rate by step, from 0. That of a plateau is components.trainer.plateau's to change."""
    rate, schedule = train.optimizer.learning_rate, train.schedule
    if schedule is None or schedule.name == "plateau":
        return rate
    warmup = round(schedule.warmup_epochs * steps)
    if schedule.name == "cosine":
        return schedules.CosineDecay(
            initial_learning_rate=0.0 if warmup else rate,
            decay_steps=max(train.epochs * steps - warmup, 1),
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    if schedule.name == "step":
        last = [round(milestone * steps) - 1 for milestone in schedule.milestones]  # Keras's bounds are the last steps before
        rate = schedules.PiecewiseConstantDecay(last, [rate * schedule.factor**fallen for fallen in range(len(last) + 1)])
    elif schedule.name == "exponential":
        rate = schedules.ExponentialDecay(rate, max(round(schedule.every * steps), 1), schedule.factor, staircase=True)
    return WarmUp(rate, warmup) if warmup else rate
