"""Files of a verb: named without collisions, never on top of others unasked, whole or not there."""

from pathlib import Path

import pytest

from configs.errors import HubelError, UsageError
from pipelines.verbs import outputs
from serving import formats


def test_names_are_the_inputs_and_never_the_same():
    paths = map(Path, ["a/1.png", "b/1.jpg", "1-2.png", "c/1.bmp", "x/SHEET.png", "y/Ä b.png"])
    assert outputs.names(paths, ".png", ["sheet.png"]) == ["1.png", "1-2.png", "1-2-2.png", "1-3.png", "SHEET-2.png", "Ä b.png"]


def test_what_is_there_is_not_overwritten_unasked(tmp_path):
    place = outputs.folder(str(tmp_path / "new/deep"), ["a.png"], force=False)
    assert list(tmp_path.iterdir()) == []  # what is refused later leaves no empty folder
    assert Path(outputs.write(place / "a.png", b"x")).read_bytes() == b"x"
    (tmp_path / "a.png").write_text("mine")
    (tmp_path / "b.png").write_text("mine")
    outputs.folder(str(tmp_path), ["c.png"], force=False)
    with pytest.raises(UsageError, match=r"a.png, and 1 more: there already") as caught:
        outputs.folder(str(tmp_path), ["a.png", "b.png", "c.png"], force=False)
    assert "--force" in caught.value.hint
    outputs.folder(str(tmp_path), ["a.png"], force=True)


def test_what_is_asked_about_is_not_overwritten_at_all(tmp_path):
    (tmp_path / "a.png").write_text("mine")
    with pytest.raises(UsageError, match="would be overwritten"):
        outputs.folder(str(tmp_path), ["a.png"], force=True, inputs=[tmp_path / "x/../a.png"])


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        outputs.folder(str(tmp_path / "file"), [], force=True)
    with pytest.raises(HubelError, match="cannot be written"):
        outputs.folder(str(tmp_path / "file/below"), [], force=True)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    (tmp_path / "a.png").write_text("old")
    assert outputs.write(tmp_path / "a.png", b"new") == str(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"new"
    (tmp_path / "full").mkdir()
    with pytest.raises(HubelError, match="cannot be written"):
        outputs.write(tmp_path / "full", b"x")  # a folder has the name: the rename fails
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hubel", "a.png", "full"]


def test_a_table_holds_names_of_any_bytes():
    name = b"\xff,\n.png".decode(errors="surrogateescape")
    assert formats.table(["file", "x"], [[name, None]]) == b'file,x\n"\xff,\n.png",\n'
