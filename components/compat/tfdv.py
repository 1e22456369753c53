"""Two modules that the pinned stack imports and that may not be there, provided only where nobody else has them.

tfx_bsl.arrow.sql_util: TFDV 1.16.1 imports it, tfx-bsl 1.21 dropped it; it is needed for SQL slices alone.
farmhash: exists as C++ source only, so a machine without a compiler has none; TFDV uses fingerprints for sketches.
"""

import importlib.abc
import importlib.machinery
import sys
import types

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
