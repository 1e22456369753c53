"""The checks that builders and layers start with: each returns a good value plain, and raises ValueError for a bad one."""

import math
import numbers
from collections.abc import Sequence

import keras


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


def _is_list(values) -> bool:
    return isinstance(values, Sequence) and not isinstance(values, str)


def _is_whole(value) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
