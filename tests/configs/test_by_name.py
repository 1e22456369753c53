"""Files that are found by their names, and that nothing else looks for them."""

import ast

import pytest

from configs import by_name
from tests import sources


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package `kindred` with a base, a file of a kind, another one, and a folder."""
    place = tmp_path / "kindred"
    (place / "deep").mkdir(parents=True)
    for path, text in {
        "__init__.py": "",
        "base.py": "class Kind():\n    pass\n\n\ndef ends(x):\n    pass\n",
        "b.py": "class Kind():\n    pass\n\n\ndef ends(x):\n    pass\n",
        "a.py": "raise ImportError\n\n\nclass Kind(base.Kind):\n    def ends(self):\n        pass\n",
        "deep/__init__.py": "",
    }.items():
        (place / path).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    return place


def test_names_are_of_the_files_that_have_what_is_asked_for_and_none_is_imported(folder):
    assert by_name.names([str(folder)]) == ["a", "b"]
    assert by_name.names([str(folder)], ["Kind"]) == ["a", "b"]
    assert by_name.names([str(folder)], ["Kind", "ends"]) == ["b"], "a method is no function of the file"
    assert by_name.names([str(folder), str(folder / "deep")], ["None"]) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", "kindred.a"),
        ("deep", "kindred.deep"),
        ("base", None),
        ("__init__", None),
        ("c", None),
        ("", None),
        ("a.b", None),
        ("../a", None),
    ],
)
def test_a_name_has_a_file_or_none(folder, name, path):
    assert by_name.module("kindred", name) == path
    assert by_name.module("kindred", name, otherwise="kindred.base") == (path or "kindred.base")


def test_a_package_that_is_not_there_has_none():
    assert by_name.module("kindred.nowhere", "a") is None
    assert by_name.spec("configs.by_name").origin == by_name.__file__


def test_nothing_else_looks_for_files_by_the_name_of_a_kind():
    """Who asks for a module's place asks what a person, a builder of their own or an import named."""

    def looks(node):
        return isinstance(node, ast.Call) and (
            ast.unparse(node.func).split(".")[-1] == "find_spec"
            or (ast.unparse(node.func).endswith(".glob") and ast.unparse(node.args[0]) == "'*.py'")
        )

    assert sources.files_that(looks) == {
        "configs/by_name.py",
        "components/converter/forms.py",
        "components/fingerprint.py",
        "keras_models/catalogue.py",
        "keras_models/compat.py",
        "pipelines/command_line/doctor.py",
        "pipelines/process/startup/sitecustomize.py",
        "serving/protos.py",
    }
