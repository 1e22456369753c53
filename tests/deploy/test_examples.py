"""The files of deploy/digits_lenet5 are what `hubel deploy` writes now. Written anew by

python -m tests.deploy.test_examples
"""

import tempfile
from pathlib import Path

import pytest

from serving.deployment import model, names, render
from serving.deployment.options import HOST, Options, Storage
from tests import sources
from tests.serving.deployment.models import push

PLACE = sources.ROOT / "deploy/digits_lenet5"
STORAGE = {"compose": Storage(HOST, "/srv/models")}  # by itself it is the folder of the models here
AGAIN = "run .venv/bin/python -m tests.deploy.test_examples"


def rendered(folder: Path, target: str) -> dict[str, str]:
    """Name -> text of what is written of a digits_lenet5 that was pushed once."""
    push(folder / "models", "digits_lenet5", 1)
    known = model.read("digits_lenet5", folder / "models")
    options = Options(names.of_objects(known.name), STORAGE.get(target), models=folder / "models")
    render.deploy(known, target, options, folder / "out")
    return tree(folder / "out")


def tree(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("target", render.names())
def test_the_files_that_ship_are_those_that_are_rendered_now(target, tmp_path):
    assert tree(PLACE / target) == rendered(tmp_path, target), AGAIN


def test_each_target_has_its_files():
    assert sorted(path.name for path in PLACE.iterdir()) == render.names()


if __name__ == "__main__":
    for each in render.names():
        with tempfile.TemporaryDirectory() as place:
            for name, text in rendered(Path(place), each).items():
                (PLACE / each / name).parent.mkdir(parents=True, exist_ok=True)
                (PLACE / each / name).write_text(text)
