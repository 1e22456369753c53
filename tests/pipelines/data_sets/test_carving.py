"""`hubel init` writes no config whose splits would have no image."""

import pytest
import yaml
from PIL import Image

from components.example_gen import records, sources, splits
from configs.errors import UsageError
from configs.schema.data import DataConfig
from pipelines.data_sets import survey
from pipelines.data_sets.carving import Carving
from pipelines.init import proposal


def looked(root, classes: int, each: int):
    """(source, what init finds) of so many classes, or of images in one place for none."""
    for label in range(classes or 1):
        folder = root / f"class {label:03}" if classes else root
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(each):
            Image.new("L", (4, 4), (7 * label + 50 * number) % 256).save(folder / f"image {number}.png")
    source = f"folder:{root}"
    return source, survey.look(source, str(root.parent / "datasets"))


def carved(data: DataConfig, seen) -> dict[str, int]:
    return next(
        shares["images"] for shares in seen["carved"] if (shares["validation"], shares["test"]) == (data.validation, data.test)
    )


@pytest.mark.parametrize(
    ("classes", "each", "shares", "images"),
    [
        (30, 2, (0.2, 0.2), [36, 12, 12]),
        (25, 4, (0.2, 0.2), [60, 20, 20]),
        (2, 20, (0.1, 0.2), [28, 4, 8]),
        (3, 2, (0.2, 0.2), [4, 1, 1]),
    ],
)
def test_many_small_classes_have_images_in_every_split(classes, each, shares, images, tmp_path):
    source, seen = looked(tmp_path / "images", classes, each)
    made = proposal.propose("name", source, seen, "file.yaml")
    data = DataConfig(**yaml.safe_load(made.text)["data"])
    assert (data.validation, data.test) == shares
    assert list(carved(data, seen).values()) == images


def test_few_images_without_labels_get_shares_that_leave_none_empty(tmp_path):
    source, seen = looked(tmp_path / "images", 0, 11)
    assert not all(seen["carved"][0]["images"].values())  # of the usual shares
    data = DataConfig(**yaml.safe_load(proposal.propose("name", source, seen, "file.yaml").text)["data"])
    assert all(carved(data, seen).values())
    assert (data.validation, data.test) == (0.3, 0.3)
    ids = [f"image {number}.png".encode() for number in range(11)]
    plan = splits.Plan({"all": "train"})
    assert {plan.carved(records.share(image_id), None, data) for image_id in ids} == {"train", "validation", "test"}


@pytest.mark.parametrize(("classes", "each"), [(0, 2), (12, 1), (2, 1)])
def test_what_cannot_be_split_is_refused(classes, each, tmp_path):
    source, seen = looked(tmp_path / "images", classes, each)
    with pytest.raises(UsageError, match=r"has too few images to carve a split of (validation|test) from"):
        proposal.propose("name", source, seen, "file.yaml")


def test_a_column_of_numbers_is_named_where_each_is_a_class_of_one_image():
    seen = {
        **{"images": 60, "splits": {"all": 60}, "classes": {f"{number}": 1 for number in range(60)}, "sampled": 60, "damaged": {}},
        **{"height": [9] * 3, "width": [9] * 3, "grey": True, "unlabelled": 0},
        "columns": {"image": "file", "label": "price", "unused": []},
        "carved": [{"validation": 0.2, "test": 0.2, "images": {"train": 60, "validation": 0, "test": 0}}],
    }
    with pytest.raises(UsageError, match=r"from \(60\): the column price has 60 classes, most of few images") as caught:
        proposal.propose("name", "csv:/x.csv", seen, "file.yaml")
    assert "--label null learns without labels. data.stratify: false" in caught.value.hint


def test_images_without_a_label_are_carved_where_there_is_one_class():
    """An autoencoder learns of all of them."""
    for labels, used in (((0, None), 40), ((0, 1, None), 40), ((None,), 20)):
        carving = Carving(["all"], True)
        for number in range(20 * len(labels)):
            carving.add("all", sources.Raw(bytes, f"{number}".encode(), labels[number % len(labels)]))
        assert {sum(shares["images"].values()) for shares in carving.tried()} == {used}


def test_many_images_are_not_kept_to_ask(tmp_path, monkeypatch):
    monkeypatch.setattr(splits, "SMALL", 10)
    assert looked(tmp_path / "images", 3, 5)[1]["carved"] == []
