"""Folders of images: what is a class, what a split, what is skipped, what is refused."""

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from components import keys
from components.example_gen import files, folder, sources
from configs.errors import UsageError
from configs.schema.data import DataConfig
from tests.components.digits import images
from tests.components.example_gen.at_once import assert_checked_at_once
from tests.components.example_gen.test_component import generated, ids, labels
from tests.slower import times_slower


def put(root: Path, *paths: str, first: int = 0) -> Path:
    """Digits as the files named, by their extensions."""
    for number, path in enumerate(paths, first):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images()[0][number][..., 0]).save(root / path)
    return root


def located(root: Path, datasets: Path | None = None) -> sources.Located:
    source = f"folder:{root}"
    sources.check(source, datasets or root.parent / "datasets")
    return sources.locate(DataConfig(source=source), datasets or root.parent / "datasets")


def read(root: Path) -> tuple[list[str], dict[str, dict[str, int | None]]]:
    """(class names, split -> id -> label) of all images."""
    address = json.loads(json.dumps(dict(located(root).address)))
    held = folder.contents(address)
    by_split = {}
    for split, shards in held.shards.items():
        raws = [raw for shard in shards for raw in folder.images(address, shard)]
        by_split[split] = {os.fsdecode(raw.example_id): raw.label for raw in raws}
        assert len(by_split[split]) == len(raws) == held.counts[split]
    return list(held.class_names), by_split


def refusal(root: Path) -> str:
    """What `check` says, and `locate` too."""
    said = []
    for find in (sources.check, lambda source, datasets: sources.locate(DataConfig(source=source), datasets)):
        with pytest.raises(UsageError) as caught:
            find(f"folder:{root}", root.parent / "datasets")
        assert caught.value.hint
        said.append(caught.value.message)
    assert said[0] == said[1]
    return said[0]


def test_a_sub_folder_is_a_class_whatever_lies_below_it(tmp_path):
    root = put(tmp_path / "p", "dog/b.PNG", "cat/old/2020/a.jpg", "cat/c.jpeg", "cat/d.bmp", "dog/e.gif", "dog/f.webp")
    names, by_split = read(root)
    assert names == ["cat", "dog"]
    assert by_split == {
        "all": {"cat/old/2020/a.jpg": 0, "cat/c.jpeg": 0, "cat/d.bmp": 0, "dog/b.PNG": 1, "dog/e.gif": 1, "dog/f.webp": 1}
    }


def test_splits_are_known_by_their_usual_names_and_classes_are_those_of_all(tmp_path):
    root = put(tmp_path / "p", "Train/b/1.png", "Train/a/2.png", "val/b/3.png", "valid/c/4.png", "test/a/5.png")
    names, by_split = read(root)
    assert names == ["a", "b", "c"]
    assert by_split["train"] == {"Train/b/1.png": 1, "Train/a/2.png": 0}
    assert by_split["validation"] == {"val/b/3.png": 1, "valid/c/4.png": 2}
    assert by_split["test"] == {"test/a/5.png": 0}


@pytest.mark.parametrize(
    ("paths", "splits"),
    [
        (["1.png", "2.png"], {"all": 2}),
        (["train/1.png", "train/2.png", "validation/3.png", "test/4.png"], None),
        (["test/1.png"], {"test": 1}),
    ],
)
def test_images_without_folders_of_classes_have_no_label(tmp_path, paths, splits):
    names, by_split = read(put(tmp_path / "p", *paths))
    assert names == []
    assert {split: len(rows) for split, rows in by_split.items()} == (splits or {"train": 2, "validation": 1, "test": 1})
    assert {label for rows in by_split.values() for label in rows.values()} == {None}


def test_a_class_may_be_called_like_a_split(tmp_path):
    names, _ = read(put(tmp_path / "p", "train/1.png", "plane/2.png", "car/3.png"))
    assert names == ["car", "plane", "train"]


def test_what_is_hidden_or_no_image_is_skipped(tmp_path):
    root = put(tmp_path / "p", "a/1.png", "b/2.png", ".cache/x/3.png", "a/.hidden/4.png", "b/.5.png")
    spelt = put(tmp_path / "spelt", "a/1.jfif", "a/2.jpe", "b/3.TIF", "b/4.tiff", "b/5.png")
    (spelt / "b" / "5.png").rename(spelt / "b" / "no ending")
    assert len(read(spelt)[1]["all"]) == 5
    for name in ("a/notes.txt", "README.md", "b/Thumbs.db", "a/png"):
        (root / name).write_text("no image")
    (root / "a" / "empty" / "deeper").mkdir(parents=True)  # beside a and b it would be a class without an image
    os.mkfifo(root / "a" / "pipe.png")
    names, by_split = read(root)
    assert (names, set(by_split["all"])) == (["a", "b"], {"a/1.png", "b/2.png"})


def test_names_of_all_kinds_work(tmp_path):
    odd = [os.fsdecode(b"caf\xe9"), "two\nlines", "naïve 猫", "sp ace", "a%20b", "#1", "[v1]", "*", "what?", "{a,b}", "back\\slash"]
    root = put(tmp_path / "my [photos] * of {1,2}?", *(f"{name}/{copy}{name}.png" for name in odd for copy in range(5)))
    names, by_split = read(root)
    assert len(names) == len(odd)
    assert set(by_split["all"]) == {f"{name}/{copy}{name}.png" for name in odd for copy in range(5)}
    assert all(name.encode() for name in names), "class names are text"
    held, _ = generated(located(root), tmp_path, source=f"folder:{root}", validation=0.2, test=0.2)
    assert {os.fsdecode(image_id) for rows in held.values() for image_id in ids(rows)} == set(by_split["all"])


def test_class_names_are_the_same_from_every_system(tmp_path):
    names, by_split = read(put(tmp_path / "p", "train/caf\u00e9/1.png", "train/b/2.png", "test/cafe\u0301/3.png"))
    assert names == ["b", "caf\u00e9"]
    assert list(by_split["test"].values()) == [1]


def test_links_are_followed_but_never_in_circles(tmp_path):
    outside = put(tmp_path / "outside", "deep/3.png", first=3)
    root = put(tmp_path / "p", "a/1.png", "b/2.png")
    (root / "a" / "more").symlink_to(outside)
    (outside / "again").symlink_to(outside)
    (root / "a" / "up").symlink_to(root)
    (root / "b" / "top").symlink_to(tmp_path)
    (root / "b" / "itself").symlink_to("itself")
    (root / "b" / "file.png").symlink_to(root / "a" / "1.png")
    (root / "c").symlink_to(outside)
    names, by_split = read(root)
    assert names == ["a", "b", "c"]
    assert set(by_split["all"]) == {"a/1.png", "a/more/deep/3.png", "b/2.png", "b/file.png", "c/deep/3.png"}


def test_an_image_that_cannot_be_read_is_set_aside_and_not_lost(tmp_path):
    root = put(tmp_path / "p", *(f"{'ab'[i % 2]}/{i}.png" for i in range(20)))
    (root / "a" / "gone.png").symlink_to("nowhere.png")
    (root / "a" / "itself.png").symlink_to("itself.png")
    by_split, artifact = generated(located(root), tmp_path, source=f"folder:{root}", validation=0.2, test=0.2, max_quarantined=0.1)
    assert json.loads(artifact.get_string_custom_property(keys.QUARANTINED)) == {"unreadable": 2}
    assert sum(map(len, by_split.values())) == 20


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "a.png", "wb") as file:
        file.truncate(files.MAX_BYTES + 1)
    with pytest.raises(files.pictures.Damaged, match="too large"):
        files.read(str(tmp_path / "a.png"))


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["a/1.png", "b/2.png", "3.png"], ["the image 3.png", "the folder of images a"]),
        (["train/a/1.png", "train/2.png"], ["the image train/2.png", "the folder of images train/a"]),
        (["train/a/1.png", "test/a/2.png", "3.png"], ["has 3.png beside the folder of a split, test"]),
        (["train/a/1.png", "test/a/2.png", "more/3.png"], ["has more beside the folder of a split, test"]),
        (["train/a/1.png", "more/3.png"], ["has more beside the folder of a split, train"]),
        (["train/a/1.png", "test/2.png"], ["the split train has folders of classes and test has images without a class"]),
    ],
)
def test_a_mixture_is_refused_and_named(tmp_path, paths, said):
    message = refusal(put(tmp_path / "p", *paths))
    for part in (str(tmp_path / "p"), *said):
        assert part in message


def test_what_is_not_there_is_refused(tmp_path):
    assert refusal(tmp_path / "none") == f"There is no folder {tmp_path / 'none'}."
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file") == f"{tmp_path / 'file'} is no folder."
    (tmp_path / "empty" / "a").mkdir(parents=True)
    assert refusal(tmp_path / "empty") == f"There is no image in {tmp_path / 'empty'}."
    root = put(tmp_path / "p", "train/a/1.png")
    (root / "test").mkdir()
    assert refusal(root) == f"There is no image in {root / 'test'}."


def test_a_folder_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    root = put(tmp_path / "p", "a/1.png", "b/2.png")
    scan = os.scandir

    def denied(path):
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", denied)
    assert refusal(root) == f"{root / 'b'} cannot be read: Permission denied."


def test_features_mean_nothing_here(tmp_path):
    root = put(tmp_path / "p", "a/1.png", "b/2.png")
    with pytest.raises(UsageError, match=r"names label, but a folder has no features"):
        sources.locate(DataConfig(source=f"folder:{root}", features={"label": "x"}), tmp_path)


def test_a_path_starts_from_the_current_directory_or_from_home(tmp_path, monkeypatch):
    root = put(tmp_path / "p", "a/1.png", "b/2.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for typed in ("p", "./p/", "~/p", "a/../p"):
        assert located(Path(typed), tmp_path / "datasets") == located(root)
        assert sources.locate(DataConfig(source=f"folder:{typed}"), tmp_path / "datasets").address == {"path": str(root)}


def test_the_digest_is_of_what_the_images_hold(tmp_path):
    root = put(tmp_path / "p", "a/1.png", "b/2.png")
    before = located(root).digest
    os.utime(root / "a" / "1.png", (1, 1))
    (root / "notes.txt").write_text("no image")
    assert located(root).digest == before
    seen = {before}
    put(root, "a/1.png", first=5)
    seen.add(located(root).digest)
    (root / "b" / "2.png").rename(root / "b" / "3.png")
    seen.add(located(root).digest)
    (root / "b" / "3.png").rename(root / "a" / "3.png")
    put(root, "b/4.png")
    seen.add(located(root).digest)
    (root / "b" / "gone.png").symlink_to("nowhere")
    seen.add(located(root).digest)
    (root / "b" / "gone.png").unlink()
    assert len(seen) == 5


def test_shards_are_bounded_mixed_and_always_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 8)
    root = put(tmp_path / "p", *(f"{'ab'[i // 16]}/{i}.png" for i in range(32)))
    address = located(root).address
    held = folder.contents(address)
    assert held == folder.contents(address)
    shards = [[raw.label for raw in folder.images(address, shard)] for shard in held.shards["all"]]
    assert [len(shard) for shard in shards] == [8, 8, 8, 8]
    assert sum(len(set(shard)) == 2 for shard in shards) >= 3


def test_it_goes_through_example_gen(tmp_path):
    known = images()[1]
    root = put(tmp_path / "p", *(f"{split}/{known[i]}/{i}.png" for i, split in enumerate(["train"] * 300 + ["test"] * 60)))
    by_split, artifact = generated(located(root), tmp_path, source=f"folder:{root}")
    assert len(by_split["test"]) == 60
    assert 20 <= len(by_split["validation"]) <= 40
    assert sum(map(len, by_split.values())) == 360
    assert json.loads(artifact.get_string_custom_property(keys.CLASS_NAMES)) == [str(i) for i in range(10)]
    for rows in by_split.values():
        for image_id, label in zip(ids(rows), labels(rows), strict=True):
            assert int(image_id.decode().split("/")[1]) == label == known[int(Path(image_id.decode()).stem)]
    assert Counter(labels(by_split["test"])) == Counter(known[300:360].tolist())


def test_a_thousand_folders_are_checked_in_a_second_without_tensorflow(tmp_path):
    root = put(tmp_path / "p", "0/0.png")
    for number in range(1000):
        (root / str(number)).mkdir(exist_ok=True)
        for copy in range(5):
            os.link(root / "0/0.png", root / str(number) / f"copy{copy}.png")
    assert_checked_at_once(f"folder:{root}", tmp_path)
    start = time.process_time()
    assert folder.contents(located(root).address).counts == {"all": 5001}
    assert time.process_time() - start < 10 * times_slower()
