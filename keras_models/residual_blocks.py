"""Residual blocks, tensor to tensor: He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition", CVPR, sections 3.2
and 3.3, figure 5; pre-activation: He et al. 2016, "Identity mappings in deep residual networks", ECCV, figure 4 (e).

Both blocks take and give float (batch, height, width, maps); the output's sides are ceil(side / strides). Their options:

- name: before the names of the layers, `name`_conv1, `name`_bn1, `name`_act1, ..., `name`_add;
- shortcut, section 3.3: "A" is the identity, with zeros for the maps that the block adds (layers.PaddedShortcut); "B" is a 1x1
  convolution, batch-normalised, where sides or maps change, otherwise the identity; "C" is that convolution everywhere; "none"
  leaves the shortcut out: the plain block of the same layers;
- preactivation: normalisation and activation before each convolution instead of after it, and nothing after the sum. A convolution
  in the shortcut then sees the activated input and is not normalised; an identity passes the input as it came;
- activated: the input is normalised and activated already, as it is for the first block of a pre-activation network;
- activation: a Keras name; batch_norm: without it, convolutions have biases.
"""

from keras import layers

from keras_models.checks import need_choice
from keras_models.convolutions import conv, norm, norm_act
from keras_models.layers.padded_shortcut import PaddedShortcut

SHORTCUTS = ("A", "B", "C", "none")
EXPANSION = 4  # maps that a bottleneck gives for each one inside
STRIDED = ("1x1", "3x3")
LONGEST_BLOCK = 10  # layers in a row, of the bottleneck


def basic_block(x, filters, strides=1, **options):
    """Two 3x3 convolutions with `filters` maps; the first has the strides. Options: see above.

    Raises: ValueError for an unknown shortcut, pre-activation without a shortcut, or shortcut A to fewer maps.
    """
    return _residual(x, ((filters, 3, strides), (filters, 3, 1)), **options)


def bottleneck_block(x, filters, strides=1, strided="1x1", **options):
    """1x1 and 3x3 convolutions with `filters` maps, then 1x1 with four times as many. Options: see above.

    Args:
        strided: the convolution that has the strides: "1x1", the first, as published, or "3x3", as many libraries have it.

    Raises: ValueError as for basic_block, or for another `strided`.
    """
    first, second = (strides, 1) if need_choice("strided", strided, STRIDED) == "1x1" else (1, strides)
    return _residual(x, ((filters, 1, first), (filters, 3, second), (EXPANSION * filters, 1, 1)), **options)


def need_shortcut(shortcut, preactivation):
    """Raises ValueError for an unknown shortcut, or pre-activation without one."""
    need_choice("shortcut", shortcut, SHORTCUTS)
    if preactivation and shortcut == "none":
        raise ValueError("preactivation keeps the shortcut free of activations, so shortcut must be A, B or C; got 'none'")


def _residual(x, convs, *, name, shortcut="B", preactivation=False, activated=False, activation="relu", batch_norm=True):
    need_shortcut(shortcut, preactivation)
    form, bias = {"activation": activation, "batch_norm": batch_norm}, not batch_norm
    strides, filters = max(stride for _, _, stride in convs), convs[-1][0]
    same = strides == 1 and filters == x.shape[-1]
    projected = shortcut == "C" or (shortcut == "B" and not same)

    active = norm_act(x, f"{name}_", 1, **form) if preactivation and not activated else x
    residual = active
    for number, (maps, kernel, stride) in enumerate(convs, 1):
        if preactivation and number > 1:
            residual = norm_act(residual, f"{name}_", number, **form)
        residual = conv(residual, maps, kernel, stride, name=f"{name}_conv{number}", bias=bias)
        if not preactivation and number < len(convs):
            residual = norm_act(residual, f"{name}_", number, **form)
    if not preactivation:
        residual = norm(residual, name=f"{name}_bn{len(convs)}", batch_norm=batch_norm)

    if projected:
        x = conv(active, filters, 1, strides, name=f"{name}_shortcut", bias=bias)
        if not preactivation:
            x = norm(x, name=f"{name}_shortcut_bn", batch_norm=batch_norm)
    elif shortcut == "A" and not same:
        x = PaddedShortcut(filters, strides, name=f"{name}_shortcut")(x)
    if shortcut != "none":
        residual = layers.Add(name=f"{name}_add")([x, residual])
    return residual if preactivation else layers.Activation(activation, name=f"{name}_act{len(convs)}")(residual)
