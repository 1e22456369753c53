"""What several families share: blocks of layers, tensor to tensor."""

from collections.abc import Sequence

from keras import initializers, layers

from keras_models.convolutions import activated
from keras_models.room import Window

POOLINGS = {"max": 2, "average": 2, "overlapping": 3, "strided": 3}  # sides of the regions, px, all 2 px apart
STEMS = ("imagenet", "small")  # the first layers as published, for 224 px or so, or changed for 28 px or so
SMALLER = "stem small takes smaller ones"  # hint of need_room


def scaled(maps: int, width: float, multiple: int = 1) -> int:
    """`width` times as many maps or units, rounded to a multiple, at least one."""
    return multiple * max(1, round(maps * width / multiple))


def normal(deviation: float) -> dict:
    """Initial weights from a normal distribution around 0, in the form of a config: each layer makes its own initializer of it,
    whereas one shared object would give equal weights to layers of equal shape."""
    return initializers.serialize(initializers.RandomNormal(0, deviation))


def pool_window(name: str, pooling: str, padding: str = "valid") -> Window:
    """The window of `downsample`: 2 x 2 px side by side ("max", "average"), or 3 x 3 px that overlap by 1 px ("overlapping", the
    maximum: Krizhevsky et al. 2012, section 3.4; "strided", a convolution: Springenberg et al. 2015, All-CNN-C)."""
    return Window(name, POOLINGS[pooling], 2, padding)


def downsample(x, window: Window, pooling: str, **convolution):
    """Half the sides and as many maps, by the pooling that `window` was made for.

    Args:
        convolution: further arguments of the convolution that "strided" is.
    """
    name, size, stride, padding = window
    if pooling == "strided":
        return layers.Conv2D(x.shape[-1], size, stride, padding, **convolution, name=name)(x)
    pool = layers.AveragePooling2D if pooling == "average" else layers.MaxPooling2D
    return pool(size, stride, padding, name=name)(x)


def dropped(x, share: float, name: str):
    """Dropout, layer `name`; x itself where nothing is dropped."""
    return layers.Dropout(share, name=name)(x) if share else x


def hidden_layers(x, units: Sequence[int], activation: str, batch_norm: bool, dropout: float):
    """Dense layers of so many units: hidden1, hidden2, ..., each then with dropout, layer `drop` and its number."""
    for number, many in enumerate(units, 1):
        x = activated(x, layers.Dense, many, activation=activation, batch_norm=batch_norm, name=f"hidden{number}")
        x = dropped(x, dropout, f"drop{number}")
    return x


def dense_head(x, units: int, num_classes: int, activation: str, dropout: float, kernel_initializer, bias_initializer="zeros"):
    """Maps -> float32 (batch, num_classes), logits: fc6 and fc7 of so many units, each with dropout, then the classes, whose biases
    start at 0."""
    start = {"kernel_initializer": kernel_initializer}
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(units, activation=activation, **start, bias_initializer=bias_initializer, name=f"fc{number}")(x)
        x = layers.Dropout(dropout, name=f"drop{number}")(x)
    return layers.Dense(num_classes, **start, dtype="float32", name="logits")(x)
