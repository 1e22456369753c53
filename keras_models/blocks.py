"""What several families share: the checks that builders start with, and blocks of layers, tensor to tensor."""

import math
import numbers
from collections.abc import Sequence

import keras
from keras import initializers, layers

from keras_models.convolutions import activated
from keras_models.room import Window

POOLINGS = {"max": 2, "average": 2, "overlapping": 3, "strided": 3}  # sides of the regions, px, all 2 px apart
STEMS = ("imagenet", "small")  # the first layers as published, for 224 px or so, or changed for 28 px or so
SMALLER = "stem small takes smaller ones"  # hint of need_room


def need_image(input_shape: Sequence[int], least: int = 1) -> tuple[int, int, int]:
    """The shape as a tuple (height px, width px, channels). Raises ValueError for anything else or a side under `least` px."""
    if not _is_list(input_shape) or len(input_shape) != 3 or not all(_is_whole(n) and n >= 1 for n in input_shape):
        raise ValueError(f"input_shape must be (height, width, channels), whole numbers from 1; got {input_shape!r}")
    if min(input_shape[:2]) < least:
        raise ValueError(f"height and width must be at least {least} px; got {input_shape[0]} x {input_shape[1]}")
    return tuple(int(n) for n in input_shape)


def need_count(what: str, value: int, least: int = 1) -> int:
    """The value as an int. Raises ValueError unless it is a whole number of at least `least`."""
    if not _is_whole(value) or value < least:
        raise ValueError(f"{what} must be a whole number of at least {least}; got {value!r}")
    return int(value)


def need_counts(what: str, values: Sequence[int], least_many: int = 0) -> tuple[int, ...]:
    """The values as a tuple of ints. Raises ValueError unless it lists at least `least_many` whole numbers from 1."""
    if not _is_list(values) or len(values) < least_many or not all(_is_whole(n) and n >= 1 for n in values):
        many = f" with at least {least_many} of them" if least_many else ""
        raise ValueError(f"{what} must be a list of whole numbers from 1{many}; got {values!r}")
    return tuple(int(n) for n in values)


def need_choice(what: str, value: str, choices: Sequence[str]) -> str:
    """The value. Raises ValueError unless it is one of the choices."""
    if value not in tuple(choices):  # a mapping or a list, which no set can be asked for, is no choice either
        raise ValueError(f"{what} must be {' or '.join(choices)}; got {value!r}")
    return value


def need_activation(value: str, what: str = "activation") -> str:
    """The value. Raises ValueError unless Keras knows an activation by that name."""
    known = isinstance(value, str)
    try:
        keras.activations.get(value)
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"{what} must be the name of a Keras activation, such as relu, tanh or elu; got {value!r}")
    return value


def need_flag(what: str, value: bool) -> bool:
    """The value. Raises ValueError unless it is true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{what} must be true or false; got {value!r}")
    return value


def need_share(what: str, value: float) -> float:
    """The value. Raises ValueError unless it is a number from 0 to below 1."""
    if not _is_number(value) or not 0 <= value < 1:
        raise ValueError(f"{what} must be a number from 0 to below 1; got {value!r}")
    return value


def need_positive(what: str, value: float) -> float:
    """The value. Raises ValueError unless it is a finite number above 0."""
    if not _is_number(value) or not 0 < value < math.inf:
        raise ValueError(f"{what} must be a number above 0; got {value!r}")
    return value


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


def _is_list(values) -> bool:
    return isinstance(values, Sequence) and not isinstance(values, str)


def _is_whole(value) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
