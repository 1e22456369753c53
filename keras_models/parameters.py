"""How many parameters a model has, and models whose parameters have no values."""

import contextlib
import math
from collections.abc import Iterable, Iterator

import keras

from keras_models import compat


@contextlib.contextmanager
def without_weights() -> Iterator[None]:
    """Models that are built in here know the shapes of their weights and have no values: they cost no memory and cannot run.

    A builder that reads or sets values fails in here.
    """
    with compat.uninitialized_as_before(), keras.StatelessScope(initialize_variables=False):
        yield  # or the next such scope of Keras's own would draw the values after all


def total_params(model: keras.Model) -> int:
    """Trainable parameters, each shared one once."""
    return count(model.trainable_variables)


def frozen_params(model: keras.Model) -> int:
    """Parameters that could be trained and are not, because their layer is frozen; moving statistics are not among them."""
    frozen = (layer for layer in compat.layers_of(model) if not layer.trainable)
    return count({id(variable): variable for layer in frozen for variable in compat.own_trainable_variables(layer)}.values())


def count(variables: Iterable[keras.Variable]) -> int:
    """Of all their numbers."""
    return sum(math.prod(v.shape) for v in variables)
