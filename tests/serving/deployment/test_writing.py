"""Files appear all or not at all, and over none that is there."""

import errno
import json
from pathlib import Path

import pytest
import yaml

from configs.errors import HubelError, UsageError
from serving.deployment import writing

TEXTS = {"a.yaml": "a: 1\n", "of/b.yaml": "b: 2\n"}


def tree(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("is_there", [False, True])
def test_a_new_or_empty_folder_is_filled(tmp_path, is_there):
    folder = tmp_path / "of/some" / "out"
    if is_there:
        folder.mkdir(parents=True)
    assert writing.write(TEXTS, folder) == [folder / "a.yaml", folder / "of/b.yaml"]
    assert tree(tmp_path / "of/some") == {f"out/{name}": text for name, text in TEXTS.items()}


def test_a_folder_that_holds_something_is_left_unless_it_is_asked_for(tmp_path):
    (tmp_path / "out/of").mkdir(parents=True)
    (tmp_path / "out/a.yaml").write_text("mine")
    (tmp_path / "out/other").write_text("other")
    with pytest.raises(UsageError, match=r"is not empty: it holds a\.yaml, of, other\.") as refused:
        writing.write(TEXTS, tmp_path / "out")
    assert "--force" in refused.value.hint
    assert tree(tmp_path) == {"out/a.yaml": "mine", "out/other": "other"}
    writing.write(TEXTS, tmp_path / "out", force=True)
    assert tree(tmp_path) == {"out/a.yaml": "a: 1\n", "out/of/b.yaml": "b: 2\n", "out/other": "other"}


def test_a_file_in_the_way_is_refused_and_left(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="is no folder"):
        writing.write(TEXTS, tmp_path / "out", force=True)
    (tmp_path / "there").mkdir()
    (tmp_path / "there/of").write_text("mine")
    with pytest.raises(UsageError, match="something else has that name"):
        writing.write(TEXTS, tmp_path / "there", force=True)
    (tmp_path / "below/a.yaml").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"below/a\.yaml cannot be written"):
        writing.write(TEXTS, tmp_path / "below", force=True)
    assert tree(tmp_path) == {"out": "mine", "there/of": "mine"}


def test_a_folder_that_cannot_be_made_is_one_sentence():
    with pytest.raises(HubelError, match="/dev/null/out cannot be written") as refused:
        writing.write(TEXTS, Path("/dev/null/out"))
    assert refused.value.exit_code == 1


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_what_fails_on_the_way_leaves_what_was_there(tmp_path, monkeypatch, force, code):
    folder, written = tmp_path / "out", Path.write_text
    if force:
        folder.mkdir()
        (folder / "a.yaml").write_text("mine")
    before = tree(tmp_path)

    def full(path, *rest, **more):
        if path.name == "b.yaml":
            raise OSError(code, "no")
        return written(path, *rest, **more)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError if code == errno.ENOSPC else HubelError):
        writing.write(TEXTS, folder, force)
    monkeypatch.undo()
    assert tree(tmp_path) == before


def test_texts_of_several_lines_are_as_they_are_and_nothing_is_an_anchor():
    same = ["x"]
    texts = writing.rendered(
        {
            "a.yaml": {"z": "1\n2\n", "a": same, "b": same},
            "b.yaml": [{"a": 1}, {"b": "é"}],
            "c.json": {"é": [1]},
            "d.config": "x {}\n",
        },
        "m",
    )
    assert "z: |\n  1\n  2\na:" in texts["a.yaml"]
    assert "&" not in texts["a.yaml"]
    assert yaml.safe_load(texts["a.yaml"]) == {"z": "1\n2\n", "a": ["x"], "b": ["x"]}
    assert list(yaml.safe_load_all(texts["b.yaml"])) == [{"a": 1}, {"b": "é"}]
    assert json.loads(texts["c.json"]) == {"é": [1]}
    assert texts["d.config"] == "x {}\n"


def test_a_model_s_name_cannot_leave_the_comment():
    text = writing.rendered({"a.yaml": {"a": 1}}, "m\nkind: Evil")["a.yaml"]
    assert yaml.safe_load(text) == {"a": 1}
