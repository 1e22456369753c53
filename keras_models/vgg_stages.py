"""The convolutions of VGG (Simonyan & Zisserman 2015, ICLR, table 1), which other networks begin with: under the same names, so
that one may start from another's."""

from keras import layers

from keras_models import blocks
from keras_models.convolutions import activated

MAPS = (64, 128, 256, 512, 512)  # of each stage's convolutions; a pooling ends each stage
SIXTEEN = (2, 2, 3, 3, 3)  # how many there are in each stage of D, VGG-16, all 3 x 3 px
UNITS = 4096  # of fc6 and fc7
INITIALIZERS = {"he": "he_normal", "published": "glorot_uniform"}


def convolution(x, stage, number, side, width, activation, batch_norm, initializer, padding="same"):
    """The convolution conv`stage`_`number`, from 1 on; `side` of its kernel, px, `width` times as many maps as published."""
    return activated(
        *(x, layers.Conv2D, blocks.scaled(MAPS[stage - 1], width), side),
        padding=padding,
        activation=activation,
        batch_norm=batch_norm,
        kernel_initializer=initializer,
        name=f"conv{stage}_{number}",
    )
