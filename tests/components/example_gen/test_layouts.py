"""What is a split and what a class, however people call and nest their folders."""

import io
from pathlib import Path

import pytest
from PIL import Image

from components.example_gen import files, folder, layouts, listing, sources
from configs.errors import UsageError
from configs.schema.data import DataConfig


def put(root: Path, *paths: str) -> Path:
    buffer = io.BytesIO()
    Image.new("L", (4, 4), 90).save(buffer, "PNG")
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(buffer.getvalue() if path.endswith(".png") else b"something else")
    return root


def read(root: Path) -> tuple[list[str], dict[str, set[str]], dict[str, int]]:
    """Class names, split -> paths, what was passed over."""
    sources.check(f"folder:{root}", root)
    located = sources.locate(DataConfig(source=f"folder:{root}"), root.parent / "datasets")
    held = folder.contents(located.address)
    ids = {
        split: {raw.example_id.decode() for shard in shards for raw in folder.images(located.address, shard)}
        for split, shards in held.shards.items()
    }
    assert held.class_names == located.class_names
    return list(held.class_names), ids, dict(located.passed_over)


def refused(root: Path) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        layouts.read(layouts.Tree(str(root)))
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("train", "other", "split"),
    [
        ("train", "dev", "validation"),
        ("Training", "Testing", "test"),
        ("training_set", "test_set", "test"),
        ("trainset", "valset", "validation"),
        ("Train-Set", "Test-Set", "test"),
        ("seg_train", "seg_test", "test"),
        ("seg_train/seg_train", "seg_test/seg_test", "test"),
        ("flowers-training", "flowers-eval", "validation"),
        ("train_images", "test_images", "test"),
        ("train", "test_images", "test"),
        ("train/train", "valid/valid", "validation"),
    ],
)
def test_splits_go_by_many_names(tmp_path, train, other, split):
    paths = {"train": {f"{train}/circle/1.png", f"{train}/cross/2.png"}, split: {f"{other}/circle/3.png"}}
    root = put(tmp_path / "p", *paths["train"], *paths[split])
    assert read(root) == (["circle", "cross"], paths, {})


@pytest.mark.parametrize(
    "names",
    [
        ["test_tube", "test_paper"],
        ["trainer", "tester"],
        ["dev_board", "eval_board"],
        ["cat_train", "dog"],
        ["straining", "latest"],
        ["valid", "invalid"],
        ["contest", "train"],
    ],
)
def test_classes_that_only_sound_like_splits_stay_classes(tmp_path, names):
    root = put(tmp_path / "p", *(f"{name}/{name}.png" for name in names))
    assert set(read(root)[0]) == set(names)


def test_splits_of_several_sets_are_refused():
    assert files.splits_of(["cats_train", "cats_test", "dogs_train", "dogs_test", "more"]) == {
        "cats_": {"cats_train": "train", "cats_test": "test"},
        "dogs_": {"dogs_train": "train", "dogs_test": "test"},
    }


def test_images_of_several_sets_side_by_side_are_refused(tmp_path):
    message, hint = refused(put(tmp_path / "p", *(f"{what}_{split}/1.png" for what in ("a", "b") for split in ("train", "test"))))
    assert "the splits of several sets side by side: a_test, a_train, b_test, b_train" in message
    assert "train/cats" in hint


@pytest.mark.parametrize(
    ("paths", "inner"), [(["flowers/rose/1.png", "flowers/tulip/2.png"], "flowers"), (["a/b/c/1.png", "a/b/d/2.png"], "a/b")]
)
def test_a_folder_around_the_classes_is_named_with_the_line_to_use(tmp_path, paths, inner):
    root = put(tmp_path / "p", *paths, "read me.txt", "docs/guide.html")
    message, hint = refused(root)
    assert f"{root} has one folder of images, {inner}, and that holds only folders: " in message
    assert hint == f"If these are the classes: data.source=folder:{root / inner}"
    assert len(read(root / inner)[0]) == 2


def test_so_it_is_in_splits(tmp_path):
    message, hint = refused(put(tmp_path / "p", "train/all/cat/1.png", "train/all/dog/2.png", "test/all/cat/3.png"))
    assert "has one folder of images in each split" in message
    assert "move them up, out of all" in hint


def test_a_class_with_folders_below_it_beside_another_is_none(tmp_path):
    root = put(tmp_path / "p", "cat/2019/1.png", "cat/2020/2.png", "dog/2019/3.png")
    assert read(root)[0] == ["cat", "dog"]
    assert read(put(tmp_path / "q", "cat/all/1.png", "dog/all/2.png"))[0] == ["cat", "dog"]
    assert read(put(tmp_path / "r", "train/good/1.png", "test/good/2.png"))[0] == ["good"]


def test_folders_that_all_hold_the_same_folders_are_no_classes(tmp_path):
    root = put(tmp_path / "p", *(f"{part}/{name}/{part}{name}.png" for part in ("one", "two") for name in ("cat", "dog")))
    message, hint = refused(root)
    assert message == f"{root} has the folders one, two, and each of them holds the same ones: cat, dog."
    assert "If cat, dog are the classes, call the folders above train, validation and test" in hint
    assert f"data.source=folder:{root / 'one'}" in hint


def test_splits_below_classes_are_to_be_turned_round(tmp_path):
    root = put(tmp_path / "p", *(f"{name}/{split}/{name}{split}.png" for name in ("cat", "dog") for split in ("train", "test")))
    message, hint = refused(root)
    assert "each of them holds the same ones: test, train" in message
    assert "as in test/cat: turn them round" in hint


def test_masks_beside_splits_are_passed_over_and_counted(tmp_path):
    images = ["train/good/1.png", "test/good/2.png", "test/scratch/3.png", "test/scratch/4.png"]
    masks = ["ground_truth/scratch/3_mask.png", "ground_truth/scratch/4_mask.png", "ground_truth/scratch/notes.txt"]
    root = put(tmp_path / "bottle", *images, *masks, "license.txt")
    names, ids, passed_over = read(root)
    assert names == ["good", "scratch"], "a class that only test has stays one"
    assert ids == {"train": {images[0]}, "test": set(images[1:])}
    assert passed_over == {"masks": 2, ".txt": 2}
    assert read(put(tmp_path / "p", "mask/1.png", "no_mask/2.png"))[0] == ["mask", "no_mask"], "classes, without splits"


def test_files_outside_of_the_classes_are_counted_once(tmp_path):
    paths = ["cat/1.png", "cat/1.xml", "cat/old/2.xml", "dog/3.png", "notes.txt", ".git/4.png", "dog/.5.png"]
    root = put(tmp_path / "p", *paths, "workspace/lock", "workspace/pipelines/x", "workspace/previews/6.png")
    assert read(root)[2] == {".xml": 2, ".txt": 1, "hidden": 2, "hubel's own": 1}
    assert read(put(tmp_path / "q", "1.png", "1.xml", "more/2.xml", ".3.png"))[2] == {".xml": 2, "hidden": 1}
    beside = ["train/list.csv", "notes/x.txt", "all.csv"]
    split = put(tmp_path / "r", "train/a/1.png", "train/b/2.png", "test/a/3.png", *beside)
    assert read(split)[2] == {".csv": 2, ".txt": 1}, "beside splits lies no class"


@pytest.mark.parametrize(
    ("paths", "said", "advice"),
    [
        (["tri/readme.txt"], "the folder tri holds no image, but 1 .txt.", "if it is no class, move it out of"),
        (["tri/a/b/readme.txt"], "the folder tri holds no image, but 1 .txt.", "if it is no class, move it out of"),
        ([], "the folder tri holds no image.", "Put its images into it, or remove it."),
        (["tri/.DS_Store"], "the folder tri holds no image, but 1 hidden.", "Put its images into it, or remove it."),
        (["tri/x.xml", "tri/y.json", "tri/y.xml"], "the folder tri holds no image, but 2 .xml, 1 .json.", "if it is no class"),
    ],
)
def test_a_folder_beside_those_of_classes_that_holds_no_image_is_refused(tmp_path, paths, said, advice):
    """Its class would be missing from the model, and nobody would know."""
    root = put(tmp_path / "p", "circle/1.png", "cross/2.png", *paths)
    (root / "tri").mkdir(exist_ok=True)
    message, hint = refused(root)
    assert message == f"In {root} {said}"
    assert advice in hint
    in_split = put(tmp_path / "q", "train/circle/1.png", "train/cross/2.png", *(f"train/{path}" for path in paths))
    (in_split / "train/tri").mkdir(exist_ok=True)
    assert refused(in_split)[0] == f"In {in_split} {said.replace('tri', 'train/tri')}"


def test_all_of_them_are_named(tmp_path):
    root = put(tmp_path / "p", "a/1.png", "b/2.png")
    for number in range(8):
        (root / f"e{number}").mkdir()
    message, _ = refused(root)
    assert message.endswith("e0 holds no image. So it is with 7 further folders: e1, e2, e3, e4, e5 and 2 more.")
    odd = put(tmp_path / "q", "a/1.png", "b/2.png")
    (odd / "c\n\x1b").mkdir()
    assert refused(odd)[0] == f"In {odd} the folder c?? holds no image."


def test_without_classes_a_folder_without_an_image_is_none(tmp_path):
    loose = put(tmp_path / "r", "1.png", "notes/x.txt")
    (loose / "tri").mkdir()
    assert read(loose)[2] == {".txt": 1}


@pytest.mark.parametrize("digests", ["workspace/datasets/.digests.json", "datasets/.digests.json"])
def test_a_workspace_that_only_init_has_used_is_no_class(tmp_path, digests):
    root = put(tmp_path / "p", "a/1.png", "b/2.png", digests)
    assert read(root)[2] == {"hubel's own": 1}


def test_what_hubel_wrote_beside_classes_is_no_class(tmp_path):
    root = put(tmp_path / "p", "a/1.png", "b/2.png", "out/3.png", "out/4.png")
    for name in ("3.png", "4.png"):
        listing.record(root / "out" / name)
    assert read(root)[2] == {"hubel's own": 2}


def test_the_empty_folder_of_a_class_that_another_split_has_is_refused(tmp_path):
    root = put(tmp_path / "p", "train/a/1.png", "train/b/2.png", "test/a/3.png")
    (root / "test" / "b").mkdir()
    assert refused(root) == (
        f"In {root} the folder test/b holds no image, and b is a class of train.",
        "Put its images into it, or remove it.",
    )


def test_a_class_of_which_nothing_can_be_read_is_refused(tmp_path):
    root = put(tmp_path / "p", "cat/1.png", "dog/2.png", "owl/1.heic", "owl/2.heic", "owl/notes.txt")
    message, hint = refused(root)
    assert message == f"In {root} the folder owl holds no image, but 2 .heic, 1 .txt."
    assert f"move it out of {root}" in hint
    message, _ = refused(put(tmp_path / "q", "train/cat/1.png", "train/dog/2.png", "test/cat/1.svg", "test/dog/3.png"))
    assert "the folder test/cat holds no image, but 1 .svg" in message
    message, _ = refused(put(tmp_path / "r", "cat/1.heic", "dog/2.heic"))
    assert message == f"There is no image in {tmp_path / 'r'} (2 .heic)."


def test_no_circle_of_links_is_followed(tmp_path):
    root = put(tmp_path / "p", "a/b/1.png", "a/c/2.png")
    (root / "a" / "a").symlink_to(root / "a")
    (root / "a" / "up").symlink_to(root)
    assert "holds only folders: b, c" in refused(root)[0]
