"""What each kind of layer connects: its multiply-adds, and which values of the layer before each of its values sees.

A layer that Keras lacks says it itself, with two methods that this file asks first (shapes without the batch):

    multiply_adds(input_shape, output_shape) -> int
    sees(input_shape, output_shape) -> a `receptive.Sees`, or a tuple of `receptive.Reach`, one for each axis but the channels

Of a layer that is neither here nor has these methods nothing is claimed: the answer is None. The same holds for a class that
overrides `call` of one that is here.

Multiply-adds are counted as He et al. 2016 (CVPR, table 1) do: those of convolutions and dense layers, padding included. Biases,
activations, normalisation, pooling and sums count nothing. What a normalisation takes from the whole image does not count as seen.
"""

import math
from collections.abc import Callable, Sequence

import keras
from keras import layers

from keras_models.receptive import Reach, Sees, bilinear, nearest, transposed, window

Shape = tuple[int | None, ...]

POINTWISE = (
    *(layers.InputLayer, layers.Identity, layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU),
    *(layers.Rescaling, layers.Normalization, layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization),
    *(layers.UnitNormalization, layers.Dropout, layers.AlphaDropout, layers.GaussianDropout, layers.GaussianNoise),
    *(layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D, layers.ActivityRegularization, layers.Embedding),
    *(layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum),
)
CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
POOLING = (
    *(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
    *(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
)
GLOBAL_POOLING = (
    *(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
    *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D),
)
UPSAMPLING = (layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D)
PADDING = (layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
CROPPING = (layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
REARRANGING = (layers.Flatten, layers.Reshape, layers.RepeatVector, layers.Permute)

# operations of keras.ops in a graph, such as `x + y`, that work place by place
POINTWISE_OPERATIONS = {
    *("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum", "Negative", "Absolute", "Abs", "Clip", "Power"),
    *("Square", "Sqrt", "Exp", "Log", "Tanh", "Cast", "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Gelu", "Silu", "Softplus"),
    *("Sigmoid", "HardSigmoid", "HardSilu"),
}


def multiply_adds(layer, given: Sequence[Shape], made: Sequence[Shape]) -> int | None:
    """Of one call with one image; shapes without the batch. None where the layer is not known or a side is not fixed."""
    if _unfixed(*given, *made):
        return None
    if hasattr(layer, "multiply_adds"):
        return layer.multiply_adds(given[0], made[0])
    known = _known(layer)
    return known[0](layer, given[0] if given else (), made[0]) if known else None


def sees(layer, given: Sequence[Shape], made: Sequence[Shape]) -> Sees | tuple[Reach, ...] | None:
    """What each value sees of the inputs; shapes without the batch. None where the layer is not known."""
    if len(made) != 1 or not given:
        return None
    if hasattr(layer, "sees"):
        return layer.sees(given[0], made[0])
    known = _known(layer)
    return known[1](layer, given[0], made[0]) if known else None


def weighs(layer) -> bool:
    """Whether what a layer multiplies by are weights, of which it would have more without sharing. A layer of one's own whose
    factors are computed from its inputs has `weighs = False`."""
    return getattr(layer, "weighs", True)


def grid(layer, shape: Shape) -> Shape:
    """The sides in a shape without the batch: all but the channels."""
    if len(shape) < 2:
        return shape
    return shape[1:] if _channels_first(layer) else shape[:-1]


def _known(layer):
    for kind in type(layer).__mro__:
        if kind in _KNOWN:
            return _KNOWN[kind] if type(layer).call is kind.call else None
    of_keras = type(layer).__module__.startswith("keras.") and not isinstance(layer, layers.Layer)
    return _PLACE if of_keras and type(layer).__name__ in POINTWISE_OPERATIONS else None


def _unfixed(*shapes):
    return any(side is None for shape in shapes for side in shape)


def _channels_first(layer):
    return (getattr(layer, "data_format", None) or keras.config.image_data_format()) == "channels_first"


def _channels(layer, shape):
    return shape[0] if _channels_first(layer) else shape[-1]


# multiply-adds: (layer, input shape, output shape) -> int


def _none(layer, given, made):
    return 0


def _dense_adds(layer, given, made):
    return given[-1] * math.prod(made)


def _conv_adds(layer, given, made):
    return math.prod(made) * math.prod(layer.kernel_size) * _channels(layer, given) // layer.groups


def _depthwise_adds(layer, given, made):
    return math.prod(made) * math.prod(layer.kernel_size)


def _separable_adds(layer, given, made):
    maps = _channels(layer, given) * layer.depth_multiplier
    return math.prod(grid(layer, made)) * maps * (math.prod(layer.kernel_size) + layer.filters)


def _transposed_adds(layer, given, made):
    return math.prod(given) * math.prod(layer.kernel_size) * layer.filters


# what is seen: (layer, input shape, output shape) -> Sees, a Reach for each axis, or None


def _place(layer, given, made):
    return Sees.PLACE


def _all(layer, given, made):
    return Sees.ALL


def _row(layer, given, made):
    return Sees.ROW


def _dense_sees(layer, given, made):
    return Sees.ALL if len(given) == 1 else Sees.PLACE


def _along_channels(layer, given, made):
    """Of softmax and concatenation, which may also go along another axis."""
    channels = 1 if _channels_first(layer) else len(given)
    return Sees.PLACE if layer.axis in (channels, channels - len(given) - 1) else None


def _window_sees(layer, given, made):
    size = getattr(layer, "kernel_size", None) or layer.pool_size
    dilation = getattr(layer, "dilation_rate", None) or (1,) * len(size)
    befores = _befores(layer, grid(layer, given), grid(layer, made), size, dilation)
    return befores and tuple(map(window, size, layer.strides, befores, dilation))


def _transposed_sees(layer, given, made):
    befores = _befores(layer, grid(layer, made), grid(layer, given), layer.kernel_size, layer.dilation_rate)
    return befores and tuple(map(transposed, layer.kernel_size, layer.strides, befores, layer.dilation_rate))


def _befores(layer, large, small, size, dilation):
    """Padding before the first position along each axis of the larger side; None where it is not fixed."""
    reaches = [apart * (wide - 1) for wide, apart in zip(size, dilation, strict=True)]
    if layer.padding == "valid":
        return [0] * len(reaches)
    if layer.padding == "causal":
        return reaches
    if _unfixed(large, small):
        return None
    covered = [(few - 1) * stride + reach + 1 for few, stride, reach in zip(small, layer.strides, reaches, strict=True)]
    return [max(wanted - side, 0) // 2 for wanted, side in zip(covered, large, strict=True)]


def _upsampling_sees(layer, given, made):
    how = {"nearest": nearest, "bilinear": bilinear}.get(getattr(layer, "interpolation", "nearest"))
    factors = layer.size if isinstance(layer.size, tuple) else (layer.size,)
    return how and tuple(map(how, factors))


def _padding_sees(layer, given, made):
    return tuple(window(1, before=before) for before, _ in _pairs(layer.padding))


def _cropping_sees(layer, given, made):
    return tuple(window(1, before=-before) for before, _ in _pairs(layer.cropping))


def _pairs(amounts):
    return amounts if isinstance(amounts[0], tuple) else (amounts,)


_PLACE = (_none, _place)
_KNOWN: dict[type, tuple[Callable, Callable]] = {
    layers.Dense: (_dense_adds, _dense_sees),
    layers.Softmax: (_none, _along_channels),
    layers.Concatenate: (_none, _along_channels),
    **dict.fromkeys(POINTWISE, _PLACE),
    **dict.fromkeys(CONVOLUTIONS, (_conv_adds, _window_sees)),
    **dict.fromkeys(DEPTHWISE, (_depthwise_adds, _window_sees)),
    **dict.fromkeys(SEPARABLE, (_separable_adds, _window_sees)),
    **dict.fromkeys(TRANSPOSED, (_transposed_adds, _transposed_sees)),
    **dict.fromkeys(POOLING, (_none, _window_sees)),
    **dict.fromkeys(GLOBAL_POOLING, (_none, _all)),
    **dict.fromkeys(UPSAMPLING, (_none, _upsampling_sees)),
    **dict.fromkeys(PADDING, (_none, _padding_sees)),
    **dict.fromkeys(CROPPING, (_none, _cropping_sees)),
    **dict.fromkeys(REARRANGING, (_none, _row)),
}
