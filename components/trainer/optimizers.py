"""From the config's words to a Keras optimizer."""

import keras

from configs.schema import TrainConfig


def optimizer(train: TrainConfig, steps: int) -> keras.optimizers.Optimizer:
    """A new optimizer.

    Args:
        steps: batches an epoch, which schedules count in.
    """
    rate = train.optimizer.learning_rate
    if train.schedule is not None:
        warmup = round(train.schedule.warmup_epochs * steps)
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if warmup else rate,
            decay_steps=max(train.epochs * steps - warmup, 1),
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    return keras.optimizers.get({"class_name": train.optimizer.name, "config": {"learning_rate": rate}})
