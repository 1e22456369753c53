"""The model's first layer: pixels 0..255 to what a net likes, so that a saved model holds its own normalisation."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from keras_models.blocks import need_choice

KINDS = ("none", "unit", "per_image", "per_channel")
EPSILON = 1e-3  # added to an image's variance, which is in squared pixel steps: 1/65,000 of the smallest that a person sees


def with_normalization(net: keras.Model, kind: str, mean: Sequence[float] | None = None, variance: Sequence[float] | None = None):
    """Put a normalising layer before a net; stock Keras layers alone, so that it loads without code of ours.

    Args:
        net: functional, one input (batch, height px, width px, channels). Its layers and weights are shared, not copied.
        kind: "none": as they are; "unit": divided by 255; "per_image": each image to mean 0 and variance 1 over all its pixels and
            channels, a constant image to 0; "per_channel": with mean and variance of each channel.
        mean, variance: of each channel over pixels 0..255; for "per_channel" alone. A channel whose variance is 0 is centred
            and divided by 255.

    Returns:
        Uncompiled functional model: input "pixels", float32 (batch, height px, width px, channels), 0..255 -> the net's output. Its
        layers are "pixels", "normalize" and "net"; see `inner`.

    Raises:
        ValueError: for another kind, or "per_channel" without one finite mean and one variance of at least 0 for each channel.
    """
    need_choice("kind", kind, KINDS)
    shape = net.inputs[0].shape[1:]
    pixels = keras.Input(shape, name="pixels", dtype="float32")
    normal = _layer(kind, shape[-1], mean, variance)(pixels)
    named = keras.Model(net.inputs, net.outputs, name="net")  # the same layers under the name, the given model stays as it is
    return keras.Model(pixels, named(normal), name=net.name)


def inner(model: keras.Model) -> keras.Model:
    """The net that `with_normalization` was given, also after saving and loading; its named sub-models are its layers."""
    return model.get_layer("net")


def _layer(kind, channels, mean, variance):
    own = {"dtype": "float32", "name": "normalize"}  # 0..255 has no room in float16's precision
    if kind == "none":
        return layers.Identity(**own)
    if kind == "unit":
        return layers.Rescaling(1 / 255, **own)
    if kind == "per_image":
        return layers.LayerNormalization((1, 2, 3), EPSILON, center=False, scale=False, **own)
    for what, values in (("mean", mean), ("variance", variance)):
        if values is None or np.shape(values) != (channels,) or not np.all(np.isfinite(values)):
            raise ValueError(f"per_channel needs a finite {what} for each of {channels} channels; got {values!r}")
    if min(variance) < 0:
        raise ValueError(f"per_channel needs variances of at least 0; got {variance!r}")
    return layers.Normalization(mean=[float(m) for m in mean], variance=[float(v) or 255.0**2 for v in variance], **own)
