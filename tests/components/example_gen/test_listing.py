"""Which files are images, whatever they are called, and what is passed over."""

import io
import os
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from components import image_files
from components.example_gen import listing
from configs.errors import UsageError


def encoded(form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (9, 50, 200)).save(buffer, form)
    return buffer.getvalue()


def put(root: Path, **named: bytes) -> Path:
    for name, content in named.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def listed(root: Path, **asked) -> tuple[set[str], dict[str, int]]:
    passed_over = Counter()
    return set(listing.images(str(root), "", passed_over, **asked)), dict(passed_over)


@pytest.mark.parametrize("form", image_files.FORMATS)
@pytest.mark.parametrize("name", ["picture", "picture.bin", "picture.0001", "picture.jpg_large"])
def test_every_format_that_is_read_is_known_by_its_first_bytes(tmp_path, form, name):
    (tmp_path / name).write_bytes(encoded(form))
    assert listed(tmp_path) == ({name}, {})


@pytest.mark.parametrize("ending", sorted(image_files.ENDINGS))
def test_a_usual_ending_makes_an_image_of_whatever_a_file_holds(tmp_path, ending):
    put(tmp_path, **{f"A{ending.upper()}": b"", f"b{ending}": b"no image"})
    assert listed(tmp_path) == ({f"A{ending.upper()}", f"b{ending}"}, {})


def test_what_is_no_image_is_counted_by_its_ending(tmp_path):
    named = {"a.HEIC": b"ftypheic", "b.heic": b"", "c.txt": encoded(), "d": b"text", "e.001": b"text", "f.tar.gz": b"\x1f\x8b"}
    put(
        tmp_path,
        **named,
        **{"BMW.dat": b"BMW, and other cars", "IMG.NEF": encoded("TIFF"), "g.webp2": b"RIFF    WAVE", "P1.dat": b"P1 is first"},
    )
    os.mkfifo(tmp_path / "pipe.png")
    assert listed(tmp_path) == (
        set(),
        {".heic": 2, ".txt": 1, "no ending": 2, ".gz": 1, ".dat": 2, ".nef": 1, ".webp2": 1, "no file": 1},
    )


def test_what_is_hidden_is_counted_as_such(tmp_path):
    put(tmp_path, **{"a.png": encoded(), "._a.png": b"\0\5\x16\7", ".DS_Store": b"", ".cache__x.png": encoded(), "b__.c.jpg": b""})
    assert listed(tmp_path) == ({"a.png"}, {"hidden": 4})


def test_links_that_lead_nowhere_count_by_their_ending(tmp_path):
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "itself.jpg").symlink_to("itself.jpg")
    (tmp_path / "gone.heic").symlink_to("nowhere")
    assert listed(tmp_path) == ({"gone.png", "itself.jpg"}, {".heic": 1})


@pytest.mark.parametrize("inside", [("lock", "pipelines/x"), ("metadata.db", "pipelines/x")])
def test_a_workspace_is_none_of_it(tmp_path, inside):
    put(tmp_path, **{"cat__1.png": encoded(), "workspace__previews__x__preview.png": encoded()})
    assert listed(tmp_path)[0] == {"cat/1.png", "workspace/previews/x/preview.png"}, "so far it may be anybody's"
    put(tmp_path / "workspace", **{name.replace("/", "__"): b"" for name in inside})
    assert listed(tmp_path) == ({"cat/1.png"}, {"hubel's own": 1})


def test_what_hubel_has_written_is_none_of_it_unless_it_is_asked_for(tmp_path):
    put(tmp_path, **{"1.png": encoded(), "made__1.png": encoded(), "made__mine.png": encoded()})
    listing.record(tmp_path / "made" / "1.png")
    listing.record(tmp_path / "made" / "two\nlines.png")
    assert listed(tmp_path) == ({"1.png", "made/mine.png"}, {"hubel's own": 1})
    assert listed(tmp_path, is_named=True) == ({"1.png", "made/mine.png"}, {"hubel's own": 1})
    assert listed(tmp_path / "made") == ({"mine.png"}, {"hubel's own": 1})
    assert listed(tmp_path / "made", is_named=True) == ({"1.png", "mine.png"}, {})
    assert listed(tmp_path, out=tmp_path / "made") == ({"1.png"}, {"hubel's own": 1})


def test_somebody_elses_file_of_that_name_means_nothing(tmp_path):
    put(tmp_path, **{"1.png": encoded(), ".hubel": b"\xff\n[1]"})
    assert listed(tmp_path) == ({"1.png"}, {})


def test_a_folder_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        listed(tmp_path)


def test_the_most_frequent_are_named_first():
    assert listing.words({".xml": 3, "hidden": 12, ".txt": 3}) == "12 hidden, 3 .txt, 3 .xml"
    assert listing.words({f".{number}a": 1 for number in range(13)}).endswith("1 .6a and 3 more kinds")
