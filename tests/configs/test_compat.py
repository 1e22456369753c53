"""What Keras is kept from importing."""

import importlib
import inspect
import re
import subprocess
import sys

import pytest

from configs import compat
from tests import sources

ASKED = """
from configs import compat
compat.keras_alone()
compat.keras_alone()
import sys
assert sum(type(finder).__module__ == compat.__name__ for finder in sys.meta_path) == 1
for name, asks in compat.WITHOUT.items():
    try:
        exec(f"import {name}", {"__name__": asks + "any"})
    except ImportError as error:
        assert error.name == name
    else:
        print(name, "was imported")
    exec(f"import {name}; print({name}.HERE)")
"""


def test_keras_alone_does_not_get_them(tmp_path):
    for name in compat.WITHOUT:
        (tmp_path / f"{name}.py").write_text(f"HERE = '{name}, for others'\n")
    path = f"{tmp_path}:{sources.ROOT}"
    run = subprocess.run([sys.executable, "-S", "-c", ASKED], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["sklearn, for others", "pandas, for others"]


@pytest.mark.parametrize(
    ("package", "module"),
    [("sklearn", "wrappers.fixes"), ("sklearn", "wrappers.sklearn_wrapper"), ("pandas", "trainers.data_adapters.array_slicing")],
)
def test_keras_asks_there_and_takes_no_for_an_answer(package, module):
    module = importlib.import_module(f"keras.src.{module}")
    assert module.__name__.startswith(compat.WITHOUT[package])
    assert re.search(rf"try:\n    import {package}\n(.*\n)*?except ImportError:\n", inspect.getsource(module))
