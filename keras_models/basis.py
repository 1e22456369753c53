"""What an image is a sum of: the basis images of a decoder that has one layer of weights."""

import keras
import numpy as np
from keras import layers

from keras_models import compat
from keras_models.layers.sparse_inference import Dictionary
from keras_models.layers.transposed_dense import TransposedDense


def basis(decoder: keras.Model) -> np.ndarray | None:
    """For each number of the code what one unit of it adds to the image, before an activation that stands last, such as a sigmoid.

    Args:
        decoder: code (batch, k) -> image (batch, height px, width px, channels).

    Returns:
        float32 [k, height, width, channels]; None for a decoder with more layers of weights, which has no such images, or with one
        that is not a matrix.
    """
    weighted = [layer for layer in compat.layers_of(decoder) if layer.weights and not isinstance(layer, keras.Model)]
    shared = [layer.of for layer in weighted if isinstance(layer, TransposedDense)]
    weighted = [layer for layer in weighted if all(layer is not other for other in shared)]
    if len(weighted) != 1:
        return None
    [layer] = weighted
    if isinstance(layer, Dictionary):
        rows = layer.basis
    elif isinstance(layer, TransposedDense):
        rows = keras.ops.transpose(layer.of.kernel)
    elif isinstance(layer, layers.Dense):
        rows = layer.kernel
    else:
        return None
    if tuple(rows.shape) != (decoder.input_shape[-1], int(np.prod(decoder.output_shape[1:]))):
        return None
    return np.asarray(keras.ops.convert_to_numpy(rows), np.float32).reshape(-1, *decoder.output_shape[1:])
