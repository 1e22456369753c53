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
            module.fingerprint64 = _fingerprint64
            module.fingerprint32 = lambda data: _fingerprint64(data) & 0xFFFFFFFF
        else:
            module.__getattr__ = _unavailable


def _fingerprint64(data: str | bytes) -> int:
    import tensorflow as tf

    return int.from_bytes(tf.fingerprint([data], method="farmhash64").numpy()[0].tobytes(), "little")


def _unavailable(name: str):
    if name.startswith("__"):
        raise AttributeError(name)
    return


def install() -> None:
    """Append the finder once."""
    if not any(isinstance(finder, _Fallback) for finder in sys.meta_path):
        sys.meta_path.append(_Fallback())
