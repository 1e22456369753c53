"""U-Net: Ronneberger, Fischer & Brox 2015, "U-Net: convolutional networks for biomedical image segmentation", MICCAI, section 2 and
figure 1; up-convolutions end in a ReLU and dropout is of the two lowest levels, as in the network that the authors released.

Differs on purpose: logits for softmax outputs; pixels are normalised by the layer before; He et al. 2015's normal is cut at two
deviations (Keras). `padding: same`, for any size, and batch normalisation (Ioffe & Szegedy 2015) are not the paper's.
"""

import itertools
import math

import keras
from keras import layers

from keras_models import checks
from keras_models.convolutions import INITIAL, activated
from keras_models.record import register
from keras_models.surroundings import NOTHING, added, cut_off, lacking, middle

KERNEL, POOL = 3, 2  # px


@register(
    "unet",
    task="segmentation",
    params=31_030_658,
    tiny={
        "input_shape": (16, 16, 1),
        "num_classes": 2,
        "filters": (4, 8),
        "padding": "same",
        "dropout": 0.1,
        "activation": "elu",
    },
    paper="Ronneberger et al. 2015",
    year=2015,
    space={"dropout": {"choices": [0.0, 0.25, 0.5]}, "batch_norm": {"choices": [False, True]}},
)
def unet(
    input_shape=(572, 572, 1),
    num_classes=2,
    filters=(64, 128, 256, 512, 1024),
    padding="valid",
    activation="relu",
    dropout=0.5,
    batch_norm=False,
):
    """A contracting path, levels of two 3x3 convolutions and a 2x2 pooling, and an expanding one that is given what each level saw.

    Args:
        filters: maps of each level, first to lowest; an up-convolution gives those of the level that it leads to.
        padding: "valid" as published: the output lies in the middle of the image, 184 px less a side with five levels, and only
            sides work that are even before each pooling; "same": zeros around, so that the output has the image's size, any size:
            what a multiple of all poolings lacks is added as zeros on both sides, and cut off again.
        activation: of every layer but the last, a Keras name.
        dropout: share of what the two lowest levels give that is dropped in training, from 0 to below 1.
        batch_norm: batch normalization of every 3x3 convolution.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, num_classes), logits; smaller sides with "valid".
    Raises: ValueError for a side that does not work, names the next that do; fewer than 2 classes or levels, or an option out of
        its range.
    """
    input_shape = checks.need_image(input_shape)
    checks.need_count("num_classes", num_classes, 2)
    filters = checks.need_counts("filters", filters, 2)
    checks.need_choice("padding", padding, ("valid", "same"))
    checks.need_activation(activation)
    checks.need_share("dropout", dropout)
    checks.need_flag("batch_norm", batch_norm)
    if padding == "valid":
        _need_even_sides(input_shape, len(filters))

    def level(x, maps, name):
        for number in (1, 2):
            x = activated(
                *(x, layers.Conv2D, maps, KERNEL, 1, padding),
                activation=activation,
                batch_norm=batch_norm,
                kernel_initializer=INITIAL,
                name=f"{name}_conv{number}",
            )
        return x

    image = keras.Input(input_shape, name="image")
    around = lacking(input_shape, POOL ** (len(filters) - 1)) if padding == "same" else NOTHING
    x = added(image, around)
    seen = []
    for number, maps in enumerate(filters, 1):
        x = level(x, maps, f"down{number}")
        if dropout and number >= len(filters) - 1:
            x = layers.Dropout(dropout, name=f"drop{number}")(x)
        if number < len(filters):
            seen.append(x)
            x = layers.MaxPooling2D(POOL, name=f"pool{number}")(x)
    for number in range(len(filters) - 1, 0, -1):
        maps, start = filters[number - 1], math.sqrt(2 / x.shape[-1])  # of the one place that each value of an up-convolution sees
        drawn = keras.initializers.RandomNormal(0.0, start)
        x = layers.Conv2DTranspose(maps, POOL, POOL, activation=activation, kernel_initializer=drawn, name=f"up{number}")(x)
        x = layers.Concatenate(name=f"skip{number}")([middle(seen[number - 1], x, f"crop{number}"), x])
        x = level(x, maps, f"up{number}")
    x = cut_off(x, around)
    logits = layers.Conv2D(num_classes, 1, kernel_initializer=INITIAL, dtype="float32", name="logits")(x)
    return keras.Model(image, logits, name="unet")


def _walk(side, levels, rounds=False):
    """What is left of a side without padding, px: (side, None); or what the layer that cannot go on is given, and its name.

    Args:
        rounds: whether a pooling may leave an odd row out.
    """
    for number in range(1, levels + 1):
        for layer in (f"down{number}_conv1", f"down{number}_conv2"):
            if side < KERNEL:
                return side, layer
            side -= KERNEL - 1
        if number < levels:
            if side % POOL and not rounds:
                return side, f"pool{number}"
            side //= POOL
    for number in range(levels - 1, 0, -1):
        side *= POOL
        for layer in (f"up{number}_conv1", f"up{number}_conv2"):
            if side < KERNEL:
                return side, layer
            side -= KERNEL - 1
    return side, None


def _need_even_sides(input_shape, levels):
    """Raise ValueError for sides that do not work without padding."""
    height, width = sides = input_shape[:2]
    smallest = next(side for side in itertools.count(1) if _walk(side, levels)[1] is None)
    otherwise = "padding: same takes any"
    if min(sides) < smallest:
        _, layer = _walk(min(sides), levels, rounds=True)
        raise ValueError(
            f"an image of {height} x {width} px is too small: {layer} leaves nothing of it; "
            f"the smallest that works is {smallest} x {smallest} px, and {otherwise}"
        )
    for side in sides:
        given, layer = _walk(side, levels)
        if layer:
            step = POOL ** (levels - 1)  # between two sides that work
            below = smallest + (side - smallest) // step * step
            raise ValueError(
                f"without padding each pooling wants an even side, and {layer} is given {given} px where the image has {side}; "
                f"the next that work are {below} or {below + step} px, the smallest {smallest} px, and {otherwise}"
            )
