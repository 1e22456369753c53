"""TFDV: two modules that the pinned stack imports and that may not be there, provided only where nobody else has them, and a
histogram that it makes slowly.

tfx_bsl.arrow.sql_util: TFDV 1.16.1 imports it, tfx-bsl 1.21 dropped it; it is needed for SQL slices alone.
farmhash: exists as C++ source only, so a machine without a compiler has none; TFDV uses fingerprints for sketches.
"""

import importlib.abc
import importlib.machinery
import itertools
import sys
import types
from typing import Any

_PROVIDED = ("tfx_bsl.arrow.sql_util", "farmhash")


class _Fallback(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last on sys.meta_path, so it is asked only for what no other finder has."""

    def find_spec(self, fullname, path=None, target=None):
        return importlib.machinery.ModuleSpec(fullname, self) if fullname in _PROVIDED else None

    def create_module(self, spec):
        return types.ModuleType(spec.name, "Stands in for a module that this installation lacks.")

    def exec_module(self, module):
        if module.__name__ == "farmhash":
            module.fingerprint64 = fingerprint64
            module.fingerprint32 = fingerprint32
        else:
            module.__getattr__ = _unavailable


def fingerprint64(data: str | bytes) -> int:
    """FarmHash's Fingerprint64."""
    import tensorflow as tf

    return int.from_bytes(tf.fingerprint([data], method="farmhash64").numpy()[0].tobytes(), "little")


def fingerprint32(data: str | bytes) -> int:
    """FarmHash's Fingerprint32 (farmhashmk::Hash32), which TensorFlow does not offer; names as in farmhash.cc."""
    s = data.encode() if isinstance(data, str) else data
    length = len(s)

    def fetch(at: int) -> int:
        return int.from_bytes(s[at : at + 4], "little")

    if length <= 4:
        b, c = 0, 9
        for byte in s:
            b = (b * _C1 + byte - (256 if byte > 127 else 0)) & _MASK
            c ^= b
        return _mixed(_mur(b, _mur(length, c)))
    if length <= 12:
        a, b, c = length + fetch(0), length * 5 + fetch(length - 4), 9 + fetch((length >> 1) & 4)
        return _mixed(_mur(c, _mur(b, _mur(a, length * 5))))
    if length <= 24:
        a, b, c = fetch((length >> 1) - 4), fetch(4), fetch(length - 8)
        d, e, f = fetch(length >> 1), fetch(0), fetch(length - 4)
        a = _rotated(a, 12) + f
        h = _mur(c, d * _C1 + length) + a
        a = _rotated(a, 3) + c
        h = _mur(e, h) + a
        a = _rotated(a + f, 12) + d
        return _mixed(_mur(b, h) + a)
    a0, a1, a2, a3, a4 = (_rotated(fetch(length - at) * _C1, 17) * _C2 & _MASK for at in (4, 8, 16, 12, 20))
    h, g, f = length, _C1 * length & _MASK, _C1 * length & _MASK
    for a in (a0, a2):
        h = _rotated(h ^ a, 19) * 5 + _C3 & _MASK
    for a in (a1, a3):
        g = _rotated(g ^ a, 19) * 5 + _C3 & _MASK
    f = _rotated(f + a4, 19) + 113
    for at in range(0, (length - 1) // 20 * 20, 20):
        a, b, c, d, e = (fetch(at + offset) for offset in range(0, 20, 4))
        h, g, f = h + a, g + b, f + c
        h = _mur(d, h) + e
        g = _mur(c, g) + a
        f = _mur(b + e * _C1, f) + d + g
        g += f
    g = _rotated(_rotated(g, 11) * _C1, 17) * _C1
    f = _rotated(_rotated(f, 11) * _C1, 17) * _C1
    for other in (g, f):
        h = _rotated(_rotated(h + other, 19) * 5 + _C3, 17) * _C1
    return h & _MASK


_MASK, _C1, _C2, _C3 = 0xFFFFFFFF, 0xCC9E2D51, 0x1B873593, 0xE6546B64


def _rotated(value: int, right: int) -> int:
    value &= _MASK
    return (value >> right | value << 32 - right) & _MASK


def _mur(a: int, h: int) -> int:
    return _rotated(h ^ _rotated(a * _C1, 17) * _C2, 19) * 5 + _C3 & _MASK


def _mixed(h: int) -> int:
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h &= _MASK
        h = (h ^ h >> shift) * factor
    return h & _MASK


def _unavailable(name: str):
    if name.startswith("__"):
        raise AttributeError(name)
    return


def install() -> None:
    """Append the finder once."""
    if not any(isinstance(finder, _Fallback) for finder in sys.meta_path):
        sys.meta_path.append(_Fallback())


def quicken() -> None:
    """Have TFDV make its histograms of equal widths of arrays. It looks at a message for each of a thousand quantiles of a feature,
    which is a quarter of the time that StatisticsGen takes of few examples."""
    from tensorflow_data_validation.utils import quantiles_util

    if quantiles_util.generate_equi_width_histogram is not equal_widths:
        global _theirs
        _theirs = quantiles_util.generate_equi_width_histogram
        quantiles_util.generate_equi_width_histogram = equal_widths


_theirs: Any = None


def equal_widths(
    quantiles: Any, cumulative_counts: Any, finite_min: float, finite_max: float, num_buckets: int, num_pos_inf: float
) -> Any:
    """TFDV's generate_equi_width_histogram, to the bit; where something is infinite, that itself.

    Args:
        quantiles: ascending [N]. cumulative_counts: [N], how many values, or what weight, each ends.

    Returns:
        statistics_pb2.Histogram.
    """
    import numpy as np
    from tensorflow_metadata.proto.v0 import statistics_pb2

    with np.errstate(invalid="ignore", over="ignore"):
        edges = np.linspace(finite_min, finite_max, num_buckets + 1 if finite_min != finite_max else 2)
    if num_pos_inf or not (np.isfinite(quantiles).all() and np.isfinite(edges).all()):
        return _theirs(quantiles, cumulative_counts, finite_min, finite_max, num_buckets, num_pos_inf)
    low, high, weights = _bins(np.asarray(quantiles, np.float64), np.asarray(cumulative_counts, np.float64))
    result = statistics_pb2.Histogram(type=statistics_pb2.Histogram.STANDARD)
    for place, (start, end) in enumerate(itertools.pairwise(edges)):
        many = np.searchsorted(low, end, "right")  # the others follow
        first, last, weight = low[:many], high[:many], weights[:many]
        with np.errstate(divide="ignore", invalid="ignore"):  # of bins that are points: these are inside, or before
            part = (np.minimum(last, end) - np.maximum(first, start)) / (last - first)
        share = np.where((start <= first) & (last <= end), 1.0, part)
        share[last < start] = 0.0
        share[(first == last) & (last == start)] = float(place == 0)  # a point between two buckets is of the first
        result.buckets.add(low_value=start, high_value=end, sample_count=sum((share * weight).tolist()))
    return result


def _bins(quantiles: Any, cumulative_counts: Any) -> tuple[Any, Any, Any]:
    """Ends and weights of the bins between quantiles: those with the same end share what falls into them, and the first, with those
    that are like it, have what the first quantile ends."""
    import numpy as np

    low, high, weights = quantiles[:-1], quantiles[1:], np.diff(cumulative_counts)
    starts = [*np.flatnonzero(np.r_[True, high[1:] != high[:-1]]).tolist(), len(high)] if len(high) else [0]
    for start, end in itertools.pairwise(starts):
        if end > start + 1:
            weights[start:end] = weights[start:end].sum() / (end - start)
    first = int(np.r_[(low == low[:1]) & (high == high[:1]), False].argmin())
    if first:
        weights[:first] += cumulative_counts[0] / first
    return low, high, weights
