"""What is learned: Keras models by name. Importing this imports no Keras; `get` and `build` do, for the one family asked for."""

from keras_models.registry import ENTRIES, Facts, ModelEntry, build, catalog, check, get, register, twin

__all__ = ["ENTRIES", "Facts", "ModelEntry", "build", "catalog", "check", "get", "register", "twin"]
