"""What setup.py asks for and what requirements.lock holds are the same world."""

import ast
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINS = re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
LOCK = {canonicalize_name(name): version for name, version in PINS}


def literals() -> dict:
    """Top-level names of setup.py and the literals that they are given."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    given = (node for node in tree.body if isinstance(node, ast.Assign))
    return {node.targets[0].id: ast.literal_eval(node.value) for node in given}


@pytest.mark.parametrize(
    "text", [*literals()["REQUIRES"], *(each for extra in ("dev", "onnx") for each in literals()["EXTRAS"][extra])]
)
def test_the_locked_version_is_in_the_range(text):
    asked = Requirement(text)
    assert asked.specifier.contains(LOCK[canonicalize_name(asked.name)])
