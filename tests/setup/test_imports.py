"""Imports go one way, as pyproject.toml declares, and setup.py asks for everything that is imported."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

from configs.packages import PACKAGES
from tests import sources

ROOT = Path(__file__).parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hubel"]
ALLOWED, WINGS = DECLARED["imports"], DECLARED["wings"]
HEAVY = {"tensorflow", "keras", "keras_tuner", "tensorflow_datasets", "sklearn", "scipy", "pandas"}
PIPELINE = {"tfx", "tfx_bsl", "apache_beam", "tensorflow_transform", "tensorflow_model_analysis", "tensorflow_data_validation"}
SKIPPED_FOLDERS = {".git", ".venv", ".pytest_cache", ".ruff_cache", ".hypothesis", "__pycache__", "build", "dist"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path, parts: int = 1) -> set[str]:
    """Names that a file imports, their first `parts`, at module level or inside functions, by statement or by import_module."""
    names = set()
    for node in ast.walk(sources.tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            names |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return {".".join(name.split(".")[:parts]) for name in names}


def test_every_package_is_declared():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages == set(PACKAGES), "name it in configs/packages.py"
    assert set(PACKAGES) == set(ALLOWED), "declare it in pyproject.toml, [tool.hubel.imports]"
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert set(tools["coverage"]["run"]["source"]) == set(PACKAGES)
    assert set(tools["ruff"]["lint"]["isort"]["known-first-party"]) == {*PACKAGES, "tests", "benchmarks"}


def test_packages_are_listed_once():
    wrong = set()
    for path in (*(path for package in PACKAGES for path in modules(package)), *ROOT.glob("*.py")):
        for node in ast.walk(sources.tree(path)):
            leaves = getattr(node, "elts", ())
            if len({leaf.value for leaf in leaves if isinstance(leaf, ast.Constant)} & set(PACKAGES)) > 3:
                wrong.add(path.relative_to(ROOT).as_posix())
    assert wrong == {"configs/packages.py"}


def test_the_declaration_has_no_circle():
    settled = set()
    while step := {name for name, below in ALLOWED.items() if name not in settled and settled.issuperset(below)}:
        settled |= step
    assert settled == set(ALLOWED)


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_go_one_way(package):
    forbidden = set(ALLOWED) - {package, *ALLOWED[package]} | {"tests", "benchmarks"}
    wrong = {str(path.relative_to(ROOT)): names for path in modules(package) if (names := imported(path) & forbidden)}
    assert not wrong, f"{package} may import {ALLOWED[package]}, see pyproject.toml"


def test_every_wing_is_declared():
    assert {f"pipelines.{path.parent.name}" for path in ROOT.glob("pipelines/*/__init__.py")} == set(WINGS)
    assert [path.name for path in ROOT.glob("pipelines/*.py")] == ["__init__.py"]


@pytest.mark.parametrize("wing", WINGS)
def test_wings_keep_apart(wing):
    may = {wing, *WINGS[wing]["imports"]}
    wrong = {}
    for path in modules(wing.replace(".", "/")):
        if names := {name for name in imported(path, 2) if name.split(".")[0] == "pipelines"} - may:
            wrong[str(path.relative_to(ROOT))] = names
    assert not wrong, f"{wing} may import {sorted(may)}, see pyproject.toml"


@pytest.mark.parametrize("wing", [wing for wing in WINGS if not WINGS[wing].get("heavy")])
def test_the_light_side_needs_nothing_heavy(wing):
    assert not [above for above in WINGS[wing]["imports"] if WINGS[above].get("heavy")]
    wrong = {
        str(path.relative_to(ROOT)): names
        for path in modules(wing.replace(".", "/"))
        if (names := imported(path) & (HEAVY | PIPELINE))
    }
    assert not wrong, "what is heavy is done in the worker"


@pytest.mark.parametrize("package", ["configs", "keras_models", "serving", "reports"])
def test_nothing_of_the_pipeline_below_components(package):
    wrong = {str(path.relative_to(ROOT)): names for path in modules(package) if (names := imported(path) & PIPELINE)}
    assert not wrong, "only components, tuner and pipelines know of TFX and Beam"


def test_setup_py_asks_for_what_is_imported():
    settings = ast.parse((ROOT / "setup.py").read_text())
    lists = {target.id: node.value for node in settings.body if isinstance(node, ast.Assign) for target in node.targets}
    asked = {canonical(re.match(r"[\w.-]+", text)[0]) for text in ast.literal_eval(lists["REQUIRES"])}
    extras = ast.literal_eval(lists["EXTRAS"])
    asked |= {canonical(re.match(r"[\w.-]+", text)[0]) for extra in ("kubeflow", "onnx") for text in extras[extra]}
    owners = importlib.metadata.packages_distributions()
    missing = {}
    for path in (path for package in ALLOWED for path in modules(package)):
        for name in imported(path) - set(ALLOWED) - set(sys.stdlib_module_names) - {"farmhash"}:
            if name in owners and not asked & {canonical(owner) for owner in owners[name]}:
                missing.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert not missing, "add it to setup.py's REQUIRES, and to requirements.in where nothing there brings it"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_only_ci_reaches_outside_the_repository():
    outside = "../" + "shared"
    wrong = []
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if (
            SKIPPED_FOLDERS.isdisjoint(parts)
            and parts[0] != "workspace"
            and parts != (".ci", "run")
            and path.is_file()
            and outside.encode() in path.read_bytes()
        ):
            wrong.append("/".join(parts))
    assert not wrong
