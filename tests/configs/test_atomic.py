"""What is written appears whole or not at all."""

import ast

import pytest

from configs import atomic
from configs.packages import PACKAGES
from tests import sources


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_at_the_end(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("old")
    with atomic.replacing(path) as stage:
        stage.write_text("new")
        assert path.read_text() == "old"
        assert stage.suffix == ".yaml"
        assert stage.parent == tmp_path
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.yaml"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("begins", [True, False])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path, error, begins):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(error), atomic.replacing(path) as stage:  # noqa: PT012
        if begins:
            stage.write_text("ne")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_folder_appears_whole_and_none_that_holds_anything_is_replaced(tmp_path):
    with atomic.replacing(tmp_path / "7", tmp_path / ".staged-1") as stage:
        stage.mkdir()
        (stage / "file").write_text("whole")
    assert (tmp_path / "7/file").read_text() == "whole"
    with pytest.raises(OSError, match="not empty"), atomic.replacing(tmp_path / "7") as stage:  # noqa: PT012
        stage.mkdir()
        (stage / "other").write_text("")
    assert names(tmp_path) == ["7"]
    assert names(tmp_path / "7") == ["file"]


@pytest.mark.parametrize("folder", ["nowhere", "file"])
def test_what_the_system_says_names_the_file_that_was_asked_for(tmp_path, folder):
    (tmp_path / "file").touch()
    path = tmp_path / folder / "model.config"
    with pytest.raises(OSError, match=r"No such file|Not a directory") as refused:
        atomic.write_text(path, "text")
    assert refused.value.filename == str(path)


def test_texts_are_utf_8(tmp_path):
    atomic.write_text(tmp_path / "a", "é")
    atomic.write_bytes(tmp_path / "b", "é".encode())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"\xc3\xa9"


MARKS = {
    "components/evaluator/component.py",  # TFX's empty file of a verdict
    "components/pusher/remote.py",  # at a URL, by TensorFlow's file systems
    "serving/deployment/writing.py",  # several files, once all are written, into a folder that holds others
}


def renames(node) -> bool:
    """`replace` of one argument is a path's, that of a text or a dataclass has two or a keyword."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    is_replace = node.func.attr == "replace" and len(node.args) == 1 and not node.keywords
    return is_replace or node.func.attr == "rename" or ast.unparse(node.func) in ("os.replace", "shutil.move")


def test_no_other_file_renames():
    assert sources.files_that(renames, *PACKAGES, "benchmarks") - MARKS == {"configs/atomic.py"}
