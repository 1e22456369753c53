"""What libraries import and hubel never uses. Asked before they are there, so what is imported here is light."""

import sys
from collections.abc import Mapping

# what -> who asks for it and goes on without it: a module, or with a dot at its end all below that name
WITHOUT = {
    "sklearn": "keras.src.wrappers.",
    "pandas": "keras.src.trainers.data_adapters.",
    "IPython": "keras.src.saving.",
    "google.cloud.bigquery": "apache_beam.io.gcp.",
    "google.cloud.bigquery_storage_v1": "apache_beam.io.gcp.",
    "google.cloud.pubsub": "apache_beam.io.gcp.",
    "bson": "apache_beam.io.mongodbio",
}
NO_KERAS = {"keras": "tensorflow", "tf_keras": "tensorflow"}
_IMPORT = ("importlib.", "_frozen_importlib")  # which name it has depends on who imported importlib


class _Without:
    """Finds nothing, and some packages not at all for some modules that ask for them."""

    def __init__(self, packages: Mapping[str, str]):
        self.packages = packages

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if (who := self.packages.get(name)) is None:
            return
        importer = _importer()
        if importer.startswith(who) if who.endswith(".") else importer == who:
            raise ModuleNotFoundError(f"{importer} uses no {name} here.", name=name)


def keras_alone() -> None:
    """Import Keras in this process, and so TensorFlow, without scikit-learn, pandas and IPython, of which it would wrap the one,
    take the other's tables, and ask the third for a notebook: with SciPy's statistics they are a quarter of what that import takes
    (1.1 of 4.6 seconds of CPU). And Beam without BigQuery, Pub/Sub and MongoDB, a fourteenth of a run's imports. Whoever else
    imports them gets them."""
    _hide(WITHOUT)


def no_keras() -> None:
    """Import TensorFlow in this process without Keras: it imports one, 3, or 2 where an environment variable says so, as
    tensorflow_transform sets it, for optimizers that a SavedModel may hold. What hubel exports holds none."""
    _hide(NO_KERAS)


def _hide(packages: Mapping[str, str]) -> None:
    if not any(isinstance(finder, _Without) and finder.packages is packages for finder in sys.meta_path):
        sys.meta_path.insert(0, _Without(packages))


def _importer() -> str:
    """The module that an import under way stands in."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_IMPORT):
        frame = frame.f_back
    return "" if frame is None else frame.f_globals.get("__name__", "")
