"""Keras: what it imports and hubel never uses. Asked before Keras is there, so what is imported here is light."""

import sys

WITHOUT = {"sklearn": "keras.src.wrappers.", "pandas": "keras.src.trainers.data_adapters."}  # what -> the modules that ask for it
_IMPORT = ("importlib.", "_frozen_importlib")  # which name it has depends on who imported importlib


class _Without:
    """Finds nothing, and these packages not at all for the modules of Keras that ask for them."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in WITHOUT and _importer().startswith(WITHOUT[name]):
            raise ModuleNotFoundError(f"Keras uses no {name} here.", name=name)


def keras_alone() -> None:
    """Import Keras in this process, and so TensorFlow, without scikit-learn and pandas, of which it would wrap the one and take the
    other's tables: with SciPy's statistics they are a quarter of what that import takes (1.1 of 4.6 seconds of CPU). Whoever else
    imports them gets them."""
    if not any(isinstance(finder, _Without) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Without())


def _importer() -> str:
    """The module that an import under way stands in."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_IMPORT):
        frame = frame.f_back
    return "" if frame is None else frame.f_globals.get("__name__", "")
