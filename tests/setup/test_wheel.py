"""The wheel holds what hubel needs and nothing else, and works where there is no checkout."""

import email
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from configs.packages import PACKAGES

ROOT = Path(__file__).parents[2]
SUFFIXES = {".py", ".yaml", ".j2", ".html", ".css", ".js", ".svg"}


def run(*command, cwd, **env):
    """Runs a command away from the checkout. Returns its stdout; fails with its stderr."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))} | env
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, because setuptools leaves its build folder behind."""
    folder = tmp_path_factory.mktemp("wheel")
    skipped = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")

    def left_out(path, names):
        return {*skipped(path, names), *({"workspace"} if Path(path) == ROOT else ())}

    shutil.copytree(ROOT, folder / "copy", ignore=left_out)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", "wheel", *options, folder / "copy", cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The programs of a fresh environment that has the wheel and sees this one's dependencies."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=venv.parent)
    options = ("--quiet", "--no-deps", "--no-index", "--no-compile")
    run(sys.executable, "-m", "pip", "--python", venv / "bin/python", "install", *options, wheel, cwd=venv.parent)
    (site_packages,) = venv.glob("lib/python*/site-packages")
    # Only a site folder's own .pth files are read, so the checkout that is installed over there stays out.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin"


def test_it_holds_the_packages_whole_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix in SUFFIXES}
    assert held == {str(path.relative_to(ROOT)) for path in ours}


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert not {folder for folder in folders if not (folder / "__init__.py").exists() and folder.name != "startup"}


def test_it_says_where_it_runs_and_what_it_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        said = email.message_from_bytes(archive.read(metadata))
    assert said["Name"] == "hubel"
    assert SpecifierSet(said["Requires-Python"]) == SpecifierSet(">=3.11,<3.12")
    assert Requirement("tfx>=1.21,<1.22") in map(Requirement, said.get_all("Requires-Dist"))
    assert {"dev", "kubeflow", "onnx"} == set(said.get_all("Provides-Extra"))


def test_its_configs_load_away_from_the_checkout(installed, tmp_path):
    script = "import configs.load as load; print(load.__file__); [load.load(name) for name in load.names()]; print(*load.names())"
    place, names = run(installed / "python", "-c", script, cwd=tmp_path).splitlines()
    assert place.startswith(str(installed.parent))
    assert names.split() == sorted(path.stem for path in (ROOT / "configs").glob("*.yaml") if not path.stem.endswith(".tiny"))


def test_its_command_answers_away_from_the_checkout(installed, wheel, tmp_path):
    assert wheel.name.split("-")[1] in run(installed / "hubel", "--version", cwd=tmp_path)
    models = json.loads(run(installed / "hubel", "list", "models", "--json", cwd=tmp_path))
    assert {"lenet5", "conv_autoencoder"} <= {model["name"] for model in models}
    assert json.loads(run(installed / "hubel", "show", "lenet5", "--json", cwd=tmp_path))["params"] == 61706  # by its worker
