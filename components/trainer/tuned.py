"""What a search chose, from keras-tuner's hyperparameters: dotted path of the config -> value."""

from typing import Any

import keras_tuner
from keras_tuner.engine import hyperparameters as kinds

from configs import choices

OWN = "tuner/"  # what keras-tuner's own bookkeeping begins with


def values(hyperparameters: keras_tuner.HyperParameters) -> dict[str, Any]:
    """Of the entries that are drawn, choices as they were written; without keras-tuner's own bookkeeping.

    Args:
        hyperparameters: with values; an entry whose condition does not hold has none.
    """
    declared = {entry.name: entry for entry in hyperparameters.space}
    return {
        path: _value(declared.get(path), value)
        for path, value in hyperparameters.values.items()
        if not path.startswith(OWN) and (path not in declared or hyperparameters.is_active(path))
    }


def _value(declared: kinds.HyperParameter | None, value: Any) -> Any:
    if isinstance(declared, kinds.Int):
        return int(value)  # grid search has 16.0 where the steps of a whole range multiply
    return choices.decode(value)
