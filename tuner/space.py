"""The search space: dotted paths of a config, each with a distribution, as keras-tuner's hyperparameters."""

from collections.abc import Mapping

import keras_tuner

from configs.schema.tune import Distribution


def hyperparameters(space: Mapping[str, Distribution]) -> keras_tuner.HyperParameters:
    """All of them declared."""
    declared = keras_tuner.HyperParameters()
    for path, drawn in space.items():
        if drawn.choices is not None and isinstance(drawn.choices[0], bool):  # as choices they would come back as 1 and 0
            declared.Boolean(path) if len(set(drawn.choices)) > 1 else declared.Fixed(path, drawn.choices[0])
        elif drawn.choices is not None:
            declared.Choice(path, drawn.choices, ordered=all(isinstance(c, int | float) for c in drawn.choices))
        elif isinstance(drawn.min, int) and isinstance(drawn.max, int):
            declared.Int(path, drawn.min, drawn.max, step=drawn.step, sampling=drawn.sampling)
        else:
            declared.Float(path, float(drawn.min), float(drawn.max), step=drawn.step, sampling=drawn.sampling)
    return declared
