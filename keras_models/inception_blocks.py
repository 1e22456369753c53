"""The inception module: Szegedy et al. 2015, CVPR, "Going deeper with convolutions", section 4 and figure 2b."""

from typing import NamedTuple

from keras import layers

from keras_models.convolutions import activated


class Inception(NamedTuple):
    """Maps of a module's convolutions: a row of table 1."""

    conv1: int  # 1x1
    reduce3: int  # 1x1 before the 3x3
    conv3: int
    reduce5: int  # 1x1 before the 5x5
    conv5: int
    project: int  # 1x1 after the 3x3 pooling


def inception(x, maps, name, activation="relu", batch_norm=False):
    """An inception module with dimension reductions, figure 2b: convolutions of three sizes and a pooling side by side.

    Args:
        x: float (batch, height, width, channels).
        maps: six counts, an Inception.

    Returns:
        float (batch, height, width, conv1 + conv3 + conv5 + project).
    """
    maps = Inception(*maps)

    def named(x, filters, size, part):
        return conv(x, filters, size, f"{name}_{part}", activation, batch_norm)

    pooled = layers.MaxPooling2D(3, 1, "same", name=f"{name}_pool")(x)
    branches = [
        named(x, maps.conv1, 1, "conv1"),
        named(named(x, maps.reduce3, 1, "reduce3"), maps.conv3, 3, "conv3"),
        named(named(x, maps.reduce5, 1, "reduce5"), maps.conv5, 5, "conv5"),
        named(pooled, maps.project, 1, "project"),
    ]
    return layers.Concatenate(name=name)(branches)


def conv(x, filters, size, name, activation="relu", batch_norm=False, stride=1):
    """Padded convolution of size x size px and activation; with `batch_norm` batch normalisation between them instead of biases."""
    return activated(x, layers.Conv2D, filters, size, stride, "same", activation=activation, batch_norm=batch_norm, name=name)
