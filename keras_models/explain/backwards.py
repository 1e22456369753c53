"""Rules by which a network is computed forwards as it is, and backwards in another way.

A ReLU stops what comes back where it was off. Guided backpropagation stops besides what is negative; the deconvnet stops that
alone.
"""

import contextlib
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf

from keras_models.explain.network import Network, Rule
from keras_models.layers.local_response import LocalResponseNormalization

Back = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # what an activation gave, what came back to it -> what it passes back
RECTIFIERS = ("relu", "relu6")  # activations that are rectifiers, by Keras's names
SMOOTH = ("softmax", "log_softmax", "linear")  # those that no rule is for: what passes back is their gradient


def rule(rectified: Back, otherwise: Back | None = None) -> Rule:
    """How operations are computed.

    Args:
        rectified: of ReLUs, in layers, as a layer of its own or an operation of keras.ops.
        otherwise: of every other activation, and of local response normalization; None: their gradient.
    """

    def compute(operation, args, kwargs):
        kind = activation_of(operation)
        back = rectified if kind in RECTIFIERS else otherwise if kind and kind not in SMOOTH else None
        if back is None:
            if otherwise and isinstance(operation, LocalResponseNormalization):
                return _with(lambda x: operation(x), otherwise)(args[0])
            return operation(*args, **kwargs)
        if not callable(getattr(operation, "activation", None)):  # the operation is the activation
            return _with(lambda x: operation(x, *args[1:], **kwargs), back)(args[0])
        with _in_place_of(operation, _with(operation.activation, back)):
            return operation(*args, **kwargs)

    return compute


def activation_of(operation) -> str | None:
    """Keras's name of the activation that a layer ends in, or that an operation is; None where there is none."""
    own = getattr(operation, "activation", None)
    if callable(own):
        kind = own.__name__ if hasattr(own, "__name__") else type(own).__name__
        return kind.lower()
    if isinstance(operation, keras.layers.Layer):
        is_activation = type(operation).__module__.startswith("keras.src.layers.activations")
        return type(operation).__name__.lower() if is_activation else None
    name = type(operation).__name__.lower()
    return name if name in (*RECTIFIERS, "leakyrelu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh") else None


def activations(network: Network) -> dict[str, str]:
    """Path of each layer that ends in an activation that is not linear -> its name."""
    kinds = {path: activation_of(part.operation) for path, part in network.parts.items()}
    return {path: kind for path, kind in kinds.items() if kind and kind not in SMOOTH}


def _with(forwards: Callable, back: Back) -> Callable:
    @tf.custom_gradient
    def tied(x, made):
        return tf.identity(made), lambda coming: (back(made, coming), None)

    return lambda x: tied(x, tf.stop_gradient(forwards(x)))  # outside of it: an activation may have weights of its own


@contextlib.contextmanager
def _in_place_of(layer, activation) -> Iterator[None]:
    """A layer computes with another activation within."""
    own, layer.activation = layer.activation, activation
    try:
        yield
    finally:
        layer.activation = own
