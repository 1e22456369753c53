"""What is learned: Keras models by name. Importing this imports no Keras; `get` and `build` do, for the one family asked for."""

from keras_models.building import build, get, twin
from keras_models.catalogue import catalog, check
from keras_models.record import ENTRIES, ModelEntry, Record, register

__all__ = ["ENTRIES", "ModelEntry", "Record", "build", "catalog", "check", "get", "register", "twin"]
