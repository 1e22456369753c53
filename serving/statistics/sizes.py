"""What arrays take that wait to be looked at, so that there are not too many."""

import numpy as np

LOOKED_AT = 64  # strings of an array whose lengths are looked at


def size_of(array: np.ndarray) -> int:
    """Bytes, about."""
    if array.dtype != object:
        return array.nbytes
    few = array.ravel()[:LOOKED_AT]
    return sum(len(value) for value in few if isinstance(value, (bytes, str))) * max(array.size // max(len(few), 1), 1)
