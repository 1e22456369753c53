"""What a search chose, from keras-tuner's hyperparameters: dotted path of the config -> value."""

from typing import Any

import keras_tuner
from keras_tuner.engine import hyperparameters as kinds

from configs import choices
from configs.entries import path_of

OWN = "tuner/"  # what keras-tuner's own bookkeeping begins with


def values(hyperparameters: keras_tuner.HyperParameters) -> dict[str, Any]:
    """Of the entries that are drawn, choices as they were written; without keras-tuner's own bookkeeping.

    Args:
        hyperparameters: with values; an entry whose condition does not hold has none.
    """
    paths = {path_of(entry.name) for entry in hyperparameters.space}
    drawn = {path_of(entry.name): entry for entry in hyperparameters.space if hyperparameters.is_active(entry)}
    told = {key: value for key, value in hyperparameters.values.items() if not key.startswith(OWN)}
    chosen = {}
    for key, value in told.items():
        path = path_of(key)
        entry = drawn.get(path)
        is_of_another = entry is not None and key != entry.name and entry.name in told
        if path not in paths or (entry is not None and not is_of_another):
            chosen[path] = _value(entry, value)
    return chosen


def _value(declared: kinds.HyperParameter | None, value: Any) -> Any:
    if isinstance(declared, kinds.Int):
        return int(value)  # grid search has 16.0 where the steps of a whole range multiply
    return choices.decode(value)
