"""What Keras, Beam and TensorFlow are kept from importing."""

import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from configs import compat
from tests import sources

ASKED = """
from configs import compat
compat.keras_alone()
compat.keras_alone()
compat.no_keras()
import sys
assert sum(type(finder).__module__ == compat.__name__ for finder in sys.meta_path) == 2
for name, who in [*compat.WITHOUT.items(), *compat.NO_KERAS.items()]:
    try:
        exec(f"import {name} as asked", {"__name__": who + "any" if who.endswith(".") else who})
    except ImportError as error:
        assert error.name == name
    else:
        print(name, "was imported")
    exec(f"import {name} as asked; print(asked.HERE)", {"__name__": who + "_s_neighbour"} if not who.endswith(".") else {})
"""


def test_only_who_goes_on_without_them_does_not_get_them(tmp_path):
    names = [*compat.WITHOUT, *compat.NO_KERAS]
    for name in names:
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"HERE = '{name}, for others'\n")
    path = f"{tmp_path}:{sources.ROOT}"
    run = subprocess.run([sys.executable, "-S", "-c", ASKED], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [f"{name}, for others" for name in names]


@pytest.mark.parametrize(
    ("package", "module"),
    [
        ("sklearn", "wrappers.fixes"),
        ("sklearn", "wrappers.sklearn_wrapper"),
        ("pandas", "trainers.data_adapters.array_slicing"),
        ("IPython", "saving.file_editor"),
    ],
)
def test_keras_asks_there_and_takes_no_for_an_answer(package, module):
    module = importlib.import_module(f"keras.src.{module}")
    assert module.__name__.startswith(compat.WITHOUT[package])
    assert re.search(rf"try:\n    import {package}(?: as ipython)?\n(.*\n)*?except ImportError:\n", inspect.getsource(module))


@pytest.mark.parametrize(
    ("package", "module", "asks", "takes"),
    [
        ("google.cloud.bigquery", "io.gcp.bigquery_tools", "from google.cloud import bigquery as gcp_bigquery", "Exception"),
        (
            "google.cloud.bigquery_storage_v1",
            "io.gcp.bigquery",
            "import google.cloud.bigquery_storage_v1 as bq_storage",
            "ImportError",
        ),
        ("google.cloud.pubsub", "io.gcp.pubsub", "from google.cloud import pubsub", "ImportError"),
        ("bson", "io.mongodbio", "from pymongo.driver_info import DriverInfo", "ImportError"),
    ],
)
def test_beam_asks_there_and_takes_no_for_an_answer(package, module, asks, takes):
    who = compat.WITHOUT[package]
    asker = f"apache_beam.{module}"
    assert asker.startswith(who) if who.endswith(".") else asker == who
    beam = Path(importlib.util.find_spec("apache_beam").origin).parent  # which is not imported
    assert f"  {asks}\nexcept {takes}:\n" in beam.joinpath(*module.split(".")).with_suffix(".py").read_text()


def test_tensorflow_asks_there_and_takes_no_for_an_answer():
    source = Path(importlib.util.find_spec("tensorflow").origin).read_text()
    for name in compat.NO_KERAS:
        assert f'    importlib.import_module("{name}.src.optimizers")\n' in source
    assert "except (ImportError, AttributeError):\n  pass\n" in source[source.index("Do an eager load for Keras") :]
