"""Finding a served model by name, version or path."""

import ast

import pytest

from configs.errors import UsageError
from configs.packages import PACKAGES
from serving import layout
from tests import sources


@pytest.fixture
def models(tmp_path):
    for version in ("1", "2", "10"):
        (tmp_path / "digits" / version).mkdir(parents=True)
        (tmp_path / "digits" / version / "saved_model.pb").write_text("")
    (tmp_path / "digits" / "11").mkdir()  # incomplete
    for name in (".staged-5", "12.bak", "1²"):
        (tmp_path / "digits" / name).mkdir()
        (tmp_path / "digits" / name / "saved_model.pb").write_text("")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_versions_are_complete_folders_by_number(models):
    assert list(layout.versions(models / "digits")) == [1, 2, 10]
    assert layout.versions(models / "nowhere") == {}


def test_a_number_is_taken_by_whatever_lies_there(models):
    assert list(layout.numbered(models / "digits")) == [1, 2, 10, 11]


def test_a_version_is_where_it_lies_however_its_number_is_written(models):
    (models / "digits" / "0012").mkdir()
    (models / "digits" / "0012" / "saved_model.pb").write_text("")
    assert layout.find("digits", models) == models / "digits" / "0012"


def test_a_name_is_its_highest_version(models):
    assert layout.find("digits", models) == models / "digits" / "10"


def test_a_version_or_a_path_is_itself(models, monkeypatch, tmp_path):
    assert layout.find("digits/2", models) == models / "digits" / "2"
    assert layout.find(str(models / "digits" / "1"), models / "other") == models / "digits" / "1"
    assert layout.find(str(models / "digits"), models / "other") == models / "digits" / "10"
    monkeypatch.chdir(models)
    assert layout.find("digits/1", models / "other").resolve() == models / "digits" / "1"


@pytest.mark.parametrize("name", ["dogs", "digits/3", "digits/11", "empty", "digits/x", "../digits/nowhere"])
def test_what_is_not_there_is_refused_with_what_is(models, name):
    with pytest.raises(UsageError) as caught:
        layout.find(name, models)
    assert repr(name) in caught.value.message
    versions_of = "There are: digits/1, digits/2, digits/10."
    assert caught.value.hint == (versions_of if name in ("digits/3", "digits/11") else "There: digits.")


def test_an_empty_workspace_says_how_to_fill_it(tmp_path):
    with pytest.raises(UsageError, match="no served model") as caught:
        layout.find("digits", tmp_path / "nowhere")
    assert "hubel run" in caught.value.hint


def test_a_model_in_a_path_that_tensorflow_takes_for_a_pattern_is_refused(models):
    odd = models / "a [1]"
    (models / "digits").rename(odd)
    with pytest.raises(UsageError, match=r"The served model .*/a \[1\]/10 has \[ in its path"):
        layout.find(str(odd), models)


@pytest.mark.parametrize(
    ("name", "number"),
    [("1", 1), ("007", 7), ("", None), ("-1", None), ("+1", None), ("1.tmp", None), ("²", None), ("9" * 19, None)],
)
def test_what_a_version_is_called(name, number):
    assert layout.number(name) == number
    assert layout.number(str(2**63 - 1)) == 2**63 - 1


EXECUTIONS = {"pipelines/workspace/collect.py", "pipelines/workspace/training_logs.py"}  # folders of TFX's, numbered too


def tells_numbers(node) -> bool:
    """Whether a name of a file is asked for digits."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    asks = node.func.attr in ("isdecimal", "isdigit", "isnumeric") and ast.unparse(node.func.value).endswith((".name", ".stem"))
    return asks or (node.func.attr == "glob" and ast.unparse(node.args[0]).strip("'").rpartition("/")[2].startswith("[0-9]"))


def test_no_other_file_tells_versions_by_their_names():
    assert sources.files_that(tells_numbers, *PACKAGES, "benchmarks") - EXECUTIONS == {"serving/layout.py"}
