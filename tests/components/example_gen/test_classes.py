"""The one order of classes, and classes named in a config."""

import json

import pytest
from PIL import Image

from components import keys
from components.example_gen import classes, csv, folder, sources, tfrecord
from configs.errors import UsageError
from configs.schema.data import DataConfig
from tests.components.example_gen.test_component import generated, labels

MONTHS = [str(number) for number in range(1, 13)]


@pytest.mark.parametrize(
    "ordered",
    [
        MONTHS,
        ["-10", "-2", "0", "3", "+4", "20"],
        ["01", "1", "2"],
        ["class1", "class2", "class10"],
        ["a2b", "a2c", "a10b"],
        ["1", "2", "10", "cat"],
        ["Zebra", "apple", "bee"],
        ["1.5", "1.25", "2"],
        ["caf\u00e9", "caf\u00e9 2", "caf\u00e9 10"],
        ["9" * 17, "1" + "0" * 17],
        ["9" * 5000, "1" + "0" * 5000],
    ],
)
def test_numbers_stand_by_value_and_other_names_in_natural_order(ordered):
    assert classes.in_order(reversed(ordered)) == ordered
    assert classes.in_order([*ordered, *ordered]) == ordered


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """Folders 1 to 12 of five images whose brightness is 20 times the folder's number, and the same files as a table."""
    root = tmp_path_factory.mktemp("months")
    lines = ["path,label"]
    for number in range(1, 13):
        (root / "months" / str(number)).mkdir(parents=True)
        for copy in range(5):
            Image.new("L", (4, 4 + copy), 20 * number).save(root / "months" / str(number) / f"{copy}.png")
            lines.append(f"months/{number}/{copy}.png,{number}")
    (root / "months.csv").write_text("\n".join(lines))
    return root


def test_a_folder_and_a_table_of_the_same_files_have_the_same_classes(months):
    of_folder = folder.contents({"path": str(months / "months")}).class_names
    of_table = csv.contents({"path": str(months / "months.csv"), "features": {}}).class_names
    assert of_folder == of_table == MONTHS
    assert tfrecord._in_order(set(MONTHS)) == MONTHS


@pytest.mark.parametrize(("asked", "kept"), [([1, 2], ["2", "3"]), (["1", "2"], ["1", "2"]), (["12", 0], ["12", "1"])])
@pytest.mark.parametrize("kind", ["folder:{}/months", "csv:{}/months.csv"])
def test_a_name_is_a_class_and_a_number_its_label(months, tmp_path, kind, asked, kept):
    data = {"source": kind.format(months), "classes": asked, "validation": 0.2, "test": 0.2}
    by_split, artifact = generated(sources.locate(DataConfig(**data), tmp_path), tmp_path, **data)
    assert json.loads(artifact.get_string_custom_property(keys.CLASS_NAMES)) == kept
    for rows in by_split.values():
        assert rows
        for row, label in zip(rows, labels(rows), strict=True):
            assert row[keys.IMAGE_BRIGHTNESS].float_list.value[0] == 20 * int(kept[label])


def test_inliers_may_be_named_among_the_classes_that_are_kept(months, tmp_path):
    data = {"source": f"folder:{months / 'months'}", "classes": ["3", "5", "7"], "inliers": ["5", 2]}
    data |= {"validation": 0.2, "test": 0.2}
    by_split, _ = generated(sources.locate(DataConfig(**data), tmp_path), tmp_path, **data)
    assert set(labels(by_split["train"])) == {1, 2}
    anomalies = [row[keys.ANOMALY].int64_list.value[0] for row in by_split["test"]]
    assert set(zip(labels(by_split["test"]), anomalies, strict=True)) == {(0, 1), (1, 0), (2, 0)}


@pytest.mark.parametrize(
    ("names", "asked", "said", "hint"),
    [
        (["cat", "dog"], {"classes": ["dog", "cta"]}, "data.classes names class 'cta' of", "Did you mean 'cat'?"),
        (["cat", "dog"], {"inliers": ["cow"]}, "it has 2, counted from 0: 0: 'cat', 1: 'dog'.", "by their numbers from 0"),
        (["cat", "dog"], {"inliers": [2]}, "data.inliers names class 2 of", "by their numbers"),
        (MONTHS, {"inliers": [12]}, "it has 12, counted from 0", '["12"]'),
        ([*MONTHS, "13"], {"classes": [0, "x"]}, "11: '12' and 1 more", ""),
        (MONTHS, {"classes": [0, "1"]}, "names class 0 of tfds:digits, '1', twice", "once"),
        (MONTHS, {"classes": [0, 1], "inliers": ["3"]}, "it has 2, counted from 0: 0: '1', 1: '2'", ""),
        ([], {"inliers": ["good"]}, "and tfds:digits has no labels", "Take data.inliers out"),
    ],
)
def test_a_class_that_is_not_there_is_refused_with_those_that_are(names, asked, said, hint):
    with pytest.raises(UsageError) as caught:
        classes.resolved(DataConfig(**asked), names)
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_names_are_alike_whichever_system_wrote_them():
    assert classes.resolved(DataConfig(classes=["cafe\u0301", "b"]), ["b", "caf\u00e9"]).classes == [1, 0]


def test_numbers_are_what_they_were():
    data = DataConfig(classes=[7, 3], inliers=[0, 0])
    assert classes.resolved(data, MONTHS) == data


def test_a_class_of_a_table_may_be_named_as_the_table_writes_it():
    data = DataConfig(source="csv:x", classes=["true", "1.0", "Ba\u0308r"])
    assert classes.resolved(data, ["1", "B\u00e4r", "False", "True"]).classes == [3, 0, 1]
    data = DataConfig(source="folder:x", classes=["true", "1.0"])
    assert classes.resolved(data, ["1", "1.0", "True", "true"]).classes == [3, 1], "folders are as they are called"


@pytest.mark.parametrize(("names", "has"), [(["a"], "texts of one class, 'a',"), ([], "texts without labels")])
def test_too_few_classes_are_said_of_what_is_read(names, has):
    with pytest.raises(UsageError, match=f"csv:x gives {has} to train on") as caught:
        classes.check_told_apart("csv:x", names, DataConfig(), 2, "a model", noun="text")
    assert caught.value.hint.startswith("Give texts of each class")
    assert "image" not in caught.value.hint
