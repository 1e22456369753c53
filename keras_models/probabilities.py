"""Logarithms of probabilities that keep their gradient: a sigmoid that was rounded to 0 or 1 passes none on, its logits do."""

import numpy as np
import tensorflow as tf
from keras import ops

from keras_models import compat

EPSILON = 1e-6  # of a probability whose logits are not there: `log` is a line below it
PASSED = ("Reshape", "Identity", "Cast")  # operations between a sigmoid and its use that leave the values as they are


def logits(probabilities):
    """What a sigmoid made the probabilities of, in their shape and float32; None where they are not the output of one.

    In a graph the operations say so, up to a change of shape or precision; eagerly Keras, which notes it for its own losses on what
    an activation returns, though on that of a softmax too.
    """
    if not isinstance(probabilities, tf.Tensor):
        return None
    if tf.is_symbolic_tensor(probabilities):
        return _of_graph(probabilities)
    noted = compat.logits_of(probabilities)
    if noted is None or not np.array_equal(ops.sigmoid(noted), probabilities):
        return None
    return ops.cast(noted, "float32")


def _of_graph(probabilities):
    operation = probabilities.op
    while operation.type in PASSED:
        operation = operation.inputs[0].op
    if operation.type != "Sigmoid":
        return None
    return ops.reshape(ops.cast(operation.inputs[0], "float32"), ops.shape(probabilities))


def log(probabilities):
    """log p of values from 0 to 1; below EPSILON the tangent there, so that it is finite and has a gradient."""
    return ops.log(ops.maximum(probabilities, EPSILON)) + ops.minimum(probabilities / EPSILON - 1, 0)
