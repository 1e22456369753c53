"""The model's first layer: pixels 0..255 to what a net likes, so that a saved model holds its own normalisation."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from keras_models import pretraining
from keras_models.checks import need_choice
from keras_models.layers.whitening import Whitening
from keras_models.spatial_transformer import samplers

KINDS = ("none", "unit", "per_image", "per_channel", "zca")
EPSILON = 1e-3  # added to an image's variance, which is in squared pixel steps: 1/65,000 of the smallest that a person sees


def with_normalization(
    net: keras.Model,
    kind: str,
    mean: Sequence[float] | None = None,
    variance: Sequence[float] | None = None,
    whitening: tuple[np.ndarray, np.ndarray] | None = None,
    name: str = "pixels",
    dtype: str = "float32",
):
    """Put a normalising layer before a net; but for "zca" a stock Keras layer, which loads without code of ours.

    Args:
        net: functional, one input (batch, height px, width px, channels). Its layers and weights are shared, not copied; auxiliary
            heads, terms and stages come along. Where a spatial transformer in it reads beyond the image, it finds what becomes of
            black: after "per_channel" that is not 0. "per_image" and "zca" have no such value; there it finds the mean, 0.
        kind: "none": as they are; "unit": divided by 255; "per_image": each image to mean 0 and variance 1 over all its pixels and
            channels, a constant image to 0; "per_channel": with mean and variance of each channel; "zca": whitened.
        mean, variance: of each channel over pixels 0..255; for "per_channel" alone. A channel whose variance is 0 is centred
            and divided by 255.
        whitening: mean [k] and matrix [k, k], k = height * width * channels, to take from an image's values and to multiply them
            by; for "zca" alone. They become weights of the layer that are not trained.
        name, dtype: of the model's input, where it takes something else than pixels; with "none" alone.

    Returns:
        Uncompiled functional model: input "pixels", float32 (batch, height px, width px, channels), 0..255 -> the net's output. Its
        layers are "pixels", "normalize" and "net"; see `inner`.

    Raises:
        ValueError: for another kind, or "per_channel" without one finite mean and one variance of at least 0 for each channel, or
            "zca" without a mean and matrix of these sizes.
    """
    need_choice("kind", kind, KINDS)
    shape = net.inputs[0].shape[1:]
    pixels = keras.Input(shape, name=name, dtype=dtype)
    layer = _whitening(shape, whitening) if kind == "zca" else _layer(kind, shape[-1], mean, variance)
    model = pretraining.behind(pixels, layer(pixels), net)
    if kind == "per_channel":
        for sampler in samplers(net):
            sampler.ground = tuple(np.asarray(layer(np.zeros((1, *shape), np.float32)))[0, 0, 0].tolist())
    return model


def inner(model: keras.Model) -> keras.Model:
    """The net that `with_normalization` was given, also after saving and loading; its named sub-models are its layers."""
    return model.get_layer("net")


OWN = {"dtype": "float32", "name": "normalize"}  # 0..255 has no room in float16's precision


def _whitening(shape, weights):
    values = int(np.prod(shape))
    sizes = weights and [np.shape(weight) for weight in weights]
    if sizes != [(values,), (values, values)]:
        raise ValueError(f"zca needs a mean of {values} values and a matrix of {values} x {values}; got sizes {sizes}")
    layer = Whitening(**OWN)
    layer.build((None, *shape))
    layer.set_weights(weights)
    return layer


def _layer(kind, channels, mean, variance):
    if kind == "none":
        return layers.Identity(**OWN)
    if kind == "unit":
        return layers.Rescaling(1 / 255, **OWN)
    if kind == "per_image":
        return layers.LayerNormalization((1, 2, 3), EPSILON, center=False, scale=False, **OWN)
    for what, values in (("mean", mean), ("variance", variance)):
        if values is None or np.shape(values) != (channels,) or not np.all(np.isfinite(values)):
            raise ValueError(f"per_channel needs a finite {what} for each of {channels} channels; got {values!r}")
    if min(variance) < 0:
        raise ValueError(f"per_channel needs variances of at least 0; got {variance!r}")
    return layers.Normalization(mean=[float(m) for m in mean], variance=[float(v) or 255.0**2 for v in variance], **OWN)
