"""Layers that Keras lacks, a file each. Import this package before loading a saved model: Keras finds only what is registered.

Whatever a file registers can be imported from here too. hubel's own modules import it from its file: this one names none, so that a
model's source digest is of the layers that it has and of no others.
"""

import importlib
import pkgutil

import keras

for _file in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_file.name}")
    for _name, _value in vars(_module).items():
        is_own = getattr(_value, "__module__", None) == _module.__name__
        if is_own and keras.saving.get_registered_name(_value).startswith("hubel>"):
            globals()[_name] = _value
