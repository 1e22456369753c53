"""Contents count; modification times do not."""

import json
import os

import pytest

from components.example_gen import digest


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "data" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "data" / name).write_text(name * 10)
    return tmp_path / "data"


def of(folder, memory=None) -> str:
    return digest.of_files(folder.iterdir(), folder, memory or folder.parent / "memory.json")


def test_a_touch_keeps_it(folder):
    before = of(folder)
    os.utime(folder / "a", (1, 1))
    assert of(folder) == before


def test_other_contents_change_it_and_the_old_ones_bring_it_back(folder):
    before = of(folder)
    (folder / "a").write_text("c" * 10)
    os.utime(folder / "a", (2, 2))
    assert of(folder) != before
    (folder / "a").write_text("a" * 10)
    os.utime(folder / "a", (3, 3))
    assert of(folder) == before


def test_a_rename_a_file_more_and_a_file_less_change_it(folder):
    seen = {of(folder)}
    (folder / "b").rename(folder / "c")
    seen.add(of(folder))
    (folder / "d").write_text("")
    seen.add(of(folder))
    (folder / "a").unlink()
    seen.add(of(folder))
    assert len(seen) == 4


def test_it_does_not_depend_on_where_the_folder_is(folder, tmp_path):
    before = of(folder)
    moved = tmp_path / "moved"
    folder.rename(moved)
    assert of(moved) == before


def test_unchanged_files_are_not_read_again(folder):
    before, memory = of(folder), folder.parent / "memory.json"
    known = json.loads(memory.read_text())
    *stamp, _ = known[str(folder / "a")]
    known[str(folder / "a")] = [*stamp, "what a reader would not find"]
    memory.write_text(json.dumps(known))
    assert of(folder) != before
    os.utime(folder / "a", (1, 1))
    assert of(folder) == before


def replaced_by_rsync(path):
    other = path.with_name("staged")
    other.write_text("x" * 10)
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def replaced_by_cp(path):
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # its clock ticks every few milliseconds
        path.write_text("x" * 10)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("replace", [replaced_by_rsync, replaced_by_cp])
def test_another_file_of_the_same_size_and_modification_time_is_read(folder, replace):
    before, old = of(folder), (folder / "a").stat()
    replace(folder / "a")
    new = (folder / "a").stat()
    assert (new.st_size, new.st_mtime_ns) == (old.st_size, old.st_mtime_ns)
    assert of(folder) != before
    assert of(folder) == of(folder, folder.parent / "other memory.json")


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", "\x00", '{"PATH": 5}', '{"PATH": []}', '{"PATH": [STAMP]}', '{"PATH": [STAMP, 1]}']
)
def test_a_damaged_memory_is_forgotten(folder, text):
    before = of(folder, folder.parent / "sound.json")
    memory = folder.parent / "memory.json"
    stat = os.stat(folder / "a")
    stamp = f"{stat.st_size}, {stat.st_ino}, {stat.st_mtime_ns}, {stat.st_ctime_ns}"
    memory.write_text(text.replace("PATH", str(folder / "a")).replace("STAMP", stamp))
    assert of(folder, memory) == before
    assert set(json.loads(memory.read_text())) >= {str(folder / "a"), str(folder / "b")}


def test_one_memory_serves_several_folders(folder, tmp_path):
    memory = tmp_path / "memory.json"
    of(folder, memory)
    other = tmp_path / "other"
    other.mkdir()
    (other / "z").write_text("z")
    of(other, memory)
    assert {os.path.basename(path) for path in json.loads(memory.read_text())} == {"a", "b", "z"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "memory.json", "other"]


def test_whoever_only_looks_remembers_nothing(folder):
    before = of(folder)
    (folder / "a").write_text("c" * 10)
    remembered = (folder.parent / "memory.json").read_text()
    with digest.unremembered():
        assert of(folder) != before
    assert (folder.parent / "memory.json").read_text() == remembered
