"""Further targets of a table: several classes an image, masks, boxes."""

import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from pydantic import ValidationError
from tfx.types import standard_artifacts

from components import keys, targets
from components.example_gen import alike, component, csv, sources, summary
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig

LABELS = ["red", "round", "loud"]


def written(folder, header, rows, images=True):
    """A table, and a grey image of 6x8 px for each row."""
    if images:
        for number in range(len(rows)):
            Image.fromarray(np.full((6, 8), number % 251, np.uint8)).save(folder / f"{number}.png")
    lines = [header, *(f"{number}.png,{row}" for number, row in enumerate(rows))]
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return DataConfig(source=f"csv:{folder / 'table.csv'}")


def raws(data, tmp_path):
    located = sources.locate(data, tmp_path)
    contents = csv.contents(located.address)
    return (
        located,
        contents,
        {
            raw.example_id.decode(): raw
            for shards in contents.shards.values()
            for shard in shards
            for raw in csv.images(located.address, shard)
        },
    )


def test_columns_of_zeros_and_ones_are_the_classes_of_an_image(tmp_path):
    data = written(tmp_path, "file,red,round,loud,label", ["1,0,1,x", "0,0,0,y", "1.0,True,false,z", "0,nan,1,x"])
    data = data.model_copy(update={"features": {"labels": LABELS}})
    located, contents, by_id = raws(data, tmp_path)
    assert dict(contents.targets) == {keys.LABELS: LABELS}
    assert list(contents.class_names) == [], "label is another target"
    values = {name: raw.targets[keys.LABELS]() for name, raw in by_id.items() if keys.LABELS in raw.targets}
    assert values == {"0.png": [1, 0, 1], "1.png": [0, 0, 0], "2.png": [1, 1, 0]}
    assert by_id["3.png"].why == "nan"
    assert located.unlabelled == {"nan": 1}
    assert csv.columns(located.address)["labels"] == LABELS
    assert csv.columns(located.address)["unused"] == ["label"]


def test_an_empty_cell_is_no_answer_unless_people_only_ticked(tmp_path):
    data = written(tmp_path, "file,red,round,loud", ["1,0,1", ",1,1", "1,,", ",0,"])
    located, _, by_id = raws(data.model_copy(update={"features": {"labels": LABELS}}), tmp_path)
    values = {name: raw.targets[keys.LABELS]() for name, raw in by_id.items() if keys.LABELS in raw.targets}
    assert values == {"0.png": [1, 0, 1], "1.png": [0, 1, 1], "3.png": [0, 0, 0]}
    assert located.unlabelled == {"empty": 1}


def test_a_class_with_missing_values_is_proposed_too(tmp_path):
    data = written(tmp_path, "file,red,round,loud", ["1,0,1", "0,nan,1", "1,1,NA"])
    assert csv.several(data.source.partition(":")[2], {}) == LABELS


@pytest.mark.parametrize(("cell", "words"), [("-1", "-1"), ("maybe", "maybe"), ("2", "2")])
def test_another_number_is_refused_with_its_line(tmp_path, cell, words):
    data = written(tmp_path, "file,red,round", ["1,0", f"{cell},1"]).model_copy(update={"features": {"labels": ["red", "round"]}})
    with pytest.raises(UsageError, match=rf"line 3: red is '{words}'"):
        sources.locate(data, tmp_path)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ({"labels": "red"}, "list of columns"),
        ({"labels": ["red"]}, "two names"),
        ({"labels": ["red", "red"]}, "each once"),
        ({"labels": ["a", "b"], "label": "c"}, "give one of them"),
        ({"objects": ["a", "b"]}, "takes one name"),
        ({"mask": ["a", "a"]}, "each once"),
        ({"text": None}, "text takes a name"),
    ],
)
def test_what_names_no_such_target_is_refused(features, words):
    with pytest.raises(ValidationError, match=words):
        DataConfig(features=features)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"downsample": 2}, "downsample: 2 deals with images by their one class"),
        ({"stratify": True}, "stratify: true deals with images by their one class"),
        ({"stratify": True, "downsample": 1.5}, "downsample: 1.5 and stratify: true deal with images by their one class"),
    ],
)
def test_what_deals_with_images_by_their_class_is_refused_where_they_have_several(asked, words):
    with pytest.raises(ValidationError, match=words):
        DataConfig(features={"labels": LABELS}, **asked)
    DataConfig(features={"labels": LABELS}, stratify="auto")
    DataConfig(features={"label": "red"}, **asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"mask_classes": {0: "sky"}}, "mask_classes say what values of masks mean; name the masks"),
        ({"mask_ignore": 0}, "name the masks"),
        ({"features": {"mask": "truth"}, "mask_classes": {}}, "at least 1"),
        ({"features": {"mask": "truth"}, "mask_classes": {-1: "sky"}}, "greater than or equal to 0"),
        ({"features": {"mask": "truth"}, "mask_classes": {0: ""}}, "at least 1 character"),
        ({"features": {"mask": "truth"}, "mask_classes": {0: "sky", 9: "sea"}, "mask_ignore": 9}, "mask_classes names 9 'sea'"),
    ],
)
def test_values_of_masks_mean_one_thing(asked, words):
    with pytest.raises(ValidationError, match=words):
        DataConfig(**asked)


def test_boxes_are_read_from_a_cell_of_json(tmp_path):
    boxes = [[{"bbox": [1, 2, 3, 4], "category": "dog"}, {"bbox": [0, 0, 8, 6], "category": 7}], []]
    cells = ['"' + json.dumps(row).replace('"', '""') + '"' for row in boxes]
    data = written(tmp_path, "file,things", cells).model_copy(update={"features": {"objects": "things"}})
    _, contents, by_id = raws(data, tmp_path)
    assert contents.targets == {keys.OBJECTS: ["7", "dog"]}
    assert by_id["0.png"].targets[keys.OBJECTS]() == [[2, 1, 6, 4, 1], [0, 0, 6, 8, 0]]
    assert by_id["1.png"].targets[keys.OBJECTS]() == []


def test_what_is_said_of_an_image_stands_in_columns_or_in_lines_of_their_own(tmp_path):
    data = written(tmp_path, "file,one,two,label", ["a cat, ,x", '" a dog ","he said ""woof""",y', ",,x", "a cow,,y"])
    with (tmp_path / "table.csv").open("a") as table:
        table.write("3.png,a grey cow,seen from afar,y\n")
    _, contents, by_id = raws(data.model_copy(update={"features": {"text": ["one", "two"]}}), tmp_path)
    assert contents.targets == {keys.CAPTIONS: []}
    assert list(contents.class_names) == ["x", "y"]
    said = {name: raw.targets[keys.CAPTIONS]() for name, raw in by_id.items() if keys.CAPTIONS in raw.targets}
    assert said == {
        "0.png": ["a cat"],
        "1.png": ["a dog", 'he said "woof"'],
        "3.png": ["a cow", "a grey cow", "seen from afar"],
    }
    assert len(by_id) == 4
    with (tmp_path / "table.csv").open("a") as table:
        table.write("3.png,a cow,,x\n")
    with pytest.raises(UsageError, match=r"line 7: '3\.png' stands in line 5 already"):
        raws(data.model_copy(update={"features": {"text": ["one", "two"]}}), tmp_path)


@pytest.mark.parametrize(("said", "words"), [([b"\xff"], "no text of UTF"), ([" ", ""], "say nothing"), ([7], "no text of UTF")])
def test_captions_that_are_none_set_their_image_aside(said, words):
    with pytest.raises(ValueError, match=words):
        targets.of(keys.CAPTIONS).checked(said, 8, 8, [])
    assert targets.of(keys.CAPTIONS).checked(["a cät", b" "], 8, 8, []) == ["a cät".encode()]


@pytest.mark.parametrize(
    "cell", ["[1]", "{", '[{""bbox"": [1, 2, 3], ""category"": ""a""}]', '[{""bbox"": [1, 2, 3, NaN], ""category"": 1}]']
)
def test_what_is_no_list_of_boxes_is_refused(tmp_path, cell):
    data = written(tmp_path, "file,things", [f'"{cell}"']).model_copy(update={"features": {"objects": "things"}})
    with pytest.raises(UsageError, match="line 2: the objects are"):
        sources.locate(data, tmp_path)


def generated(data, tmp_path, **asked):
    """The executor's folder and artifact."""
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    made = component.ImageExampleGen(data, sources.locate(data, tmp_path), **asked)
    properties = {name: value for name, value in made.exec_properties.items() if value is not None}
    component.Executor().Do({}, {"examples": [examples]}, properties)
    return tmp_path / "examples", examples


def read(folder):
    paths = tf.io.gfile.glob(f"{folder}/Split-*/*.gz")
    for record in tf.data.TFRecordDataset(paths, "GZIP").as_numpy_iterator():
        yield tf.train.Example.FromString(record).features.feature


def test_several_classes_are_counted_by_split_and_written_as_places_too(tmp_path):
    rows = [f"{n % 2},{int(n % 3 == 0)},{'nan' if n == 7 else 1}" for n in range(60)]
    data = written(tmp_path, "file,red,round,loud", rows).model_copy(update={"features": {"labels": LABELS}})
    folder, artifact = generated(data, tmp_path, learns_labels=True)
    assert json.loads(artifact.get_string_custom_property(keys.TARGETS)) == {keys.LABELS: LABELS}
    assert json.loads(artifact.get_string_custom_property(keys.UNLABELLED)) == {"nan": 1}
    classes = json.loads(artifact.get_string_custom_property(keys.CLASSES))
    assert [sum(of_split[name] for of_split in classes.values()) for name in LABELS] == [29, 20, 59]
    for feature in read(folder):
        row = list(feature[keys.LABELS].int64_list.value)
        number = int(feature[keys.EXAMPLE_ID].bytes_list.value[0].decode().removesuffix(".png"))
        assert row == [number % 2, int(number % 3 == 0), 1]
        assert list(feature["labels/classes"].int64_list.value) == [place for place, value in enumerate(row) if value]
        assert keys.LABEL not in feature


def test_classes_that_few_images_of_a_split_have_are_said(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(component.progress, "emit", lambda event, **of: told.append(of["warnings"]))
    rows = [f"{n % 2},{int(n % 3 == 0)},{int(n % 20 == 1)}" for n in range(120)]
    data = written(tmp_path, "file,red,round,loud", rows).model_copy(update={"features": {"labels": LABELS}})
    _, artifact = generated(data, tmp_path, learns_labels=True)
    classes = json.loads(artifact.get_string_custom_property(keys.CLASSES))
    [[sentence]] = told
    assert sentence.startswith("fewer than 10 images have some classes in train (loud: ")
    for split in ("train", "validation", "test"):
        few = {name: count for name, count in classes[split].items() if count < summary.FEW}
        assert few
        for name, count in few.items():
            assert f"{name}: {count}" in sentence.split(f"{split} (")[1].split(")")[0]
    assert "data.validation, data.test" in sentence
    assert summary.rare({"train": {"a": 10}, "test": {"a": 12}}, "image") == []
    assert "a: 0, b: 1, c: 1, d: 1, e: 1 and 1 more" in summary.rare({"test": dict.fromkeys("bcdef", 1) | {"a": 0}}, "image")[0]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"downsample": 2}, r"data\.downsample: 2 deals with images by their label, and csv:.* has none"),
        ({"stratify": True, "downsample": 2.5}, r"data\.downsample: 2\.5 and data\.stratify: true deal with images"),
    ],
)
def test_what_deals_with_images_by_their_label_is_refused_where_they_have_none(tmp_path, asked, words):
    data = written(tmp_path, "file", [""] * 4).model_copy(update={"features": {"label": None}, **asked})
    (tmp_path / "table.csv").write_text("file\n0.png\n1.png\n")
    with pytest.raises(UsageError, match=words):
        sources.locate(data, tmp_path)
    located = sources.locate(data.model_copy(update={"stratify": "auto", "downsample": None}), tmp_path)
    with pytest.raises(UsageError, match=words):  # where only reading the images tells
        sources.opened(data, located.address)


def test_a_class_that_no_training_image_has_stops_the_run(tmp_path):
    rows = [f"{n % 2},0" for n in range(40)]
    data = written(tmp_path, "file,red,round", rows).model_copy(update={"features": {"labels": ["red", "round"]}})
    with pytest.raises(HubelError, match="No training image has the class 'round'"):
        generated(data, tmp_path, learns_labels=True)


def masked(tmp_path, made, **features):
    """A table of images and of what `made` makes of each number as its mask."""
    rows = []
    for number in range(40):
        image = made(number)
        if image is not None:
            image.save(tmp_path / f"m{number}.png")
        rows.append("" if image is None else f"m{number}.png")
    data = written(tmp_path, "file,truth", rows)
    return data.model_copy(update={"features": {"mask": "truth", **features}, "max_quarantined": 0.5})


def test_masks_are_checked_and_stored_as_grey_whatever_their_palette(tmp_path):
    def made(number):
        mask = Image.fromarray((np.arange(48) % 3).astype(np.uint8).reshape(6, 8))
        if number == 0:
            return Image.fromarray(np.zeros((6, 7), np.uint8))
        if number == 1:
            return Image.fromarray(np.zeros((6, 8, 3), np.uint8))
        if number % 2:
            mask.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0])
        return mask

    data = masked(tmp_path, made)
    folder, artifact = generated(data, tmp_path, targets=[keys.MASK])
    assert json.loads(artifact.get_string_custom_property(keys.QUARANTINED)) == {
        "mask is in colour (RGB)": 1,
        "mask is not of its image's size": 1,
    }
    for feature in read(folder):
        mask = tf.io.decode_png(feature[keys.MASK].bytes_list.value[0]).numpy()
        np.testing.assert_array_equal(mask.ravel(), np.arange(48) % 3)
        assert list(feature["mask/classes"].int64_list.value) == [0, 1, 2]


@pytest.mark.parametrize(
    ("asked", "pixels", "held"),
    [
        ({"mask_classes": {0: "background", 255: "cell"}}, [0, 255], [0, 1]),  # 255 is a class once it has a name
        ({"mask_classes": {9: "cell", 4: "ground", 8: "cell"}}, [4, 8, 9, 255], [0, 1, 1, 255]),
        ({"mask_classes": {9: "cell", 4: "ground"}, "mask_ignore": 0}, [4, 9, 0], [0, 1, 255]),
        ({"mask_ignore": 0}, [0, 1, 255], [255, 1, 255]),
        ({"mask_classes": {300: "far", 2: "near"}}, [2, 300], [0, 1]),
        ({}, [0, 1, 255], [0, 1, 255]),
    ],
)
def test_values_of_a_mask_become_places_of_its_classes(asked, pixels, held):
    data, kind = DataConfig(features={"mask": "truth"}, **asked), targets.of(keys.MASK)
    names, image = kind.named(data, []), io.BytesIO()
    Image.fromarray(np.array([pixels, pixels[::-1]], np.uint16 if max(pixels) > 255 else np.uint8)).save(image, "PNG")
    encoded, classes = kind.checked(image.getvalue(), 2, len(pixels), names, data)
    np.testing.assert_array_equal(tf.io.decode_png(encoded).numpy()[..., 0], [held, held[::-1]])
    assert classes == tuple(sorted(set(held) - {targets.VOID}))


def drawn(folder, **values):
    """A grey mask of 8x6 px for each name, its first rows of a value; the others 0."""
    for name, (value, rows) in values.items():
        mask = np.zeros((6, 8), np.uint8)
        mask[:rows] = value
        Image.fromarray(mask).save(folder / f"{name}.png")


def mask_of(data, tmp_path, image):
    """(places, names, what was counted) of an image's mask."""
    located = sources.locate(data, tmp_path)
    contents = csv.contents(located.address)
    [shard] = contents.shards["all"]
    [raw] = [raw for raw in csv.images(located.address, shard) if raw.example_id == image]
    names = contents.targets[keys.MASK]
    made = targets.of(keys.MASK).checked(raw.targets[keys.MASK](), 6, 8, names, data)
    return tf.io.decode_png(made[0]).numpy()[:, 0, 0].tolist(), names, made.counted, located.digest


def test_columns_of_masks_are_a_class_each_and_the_later_one_lies_on_top(tmp_path):
    data = written(tmp_path, "file,nucleus,cell", ["n0.png,c0.png", ",c1.png", ",", "n0.png,"])
    data = data.model_copy(update={"features": {"mask": ["cell", "nucleus"], "label": None}})
    drawn(tmp_path, n0=(255, 2), c0=(1, 4), c1=(9, 3))
    places, names, counted, digest = mask_of(data, tmp_path, b"0.png")
    assert (places, names, counted) == ([2, 2, 1, 1, 0, 0], ["background", "cell", "nucleus"], {"overlapping": 16})
    assert mask_of(data, tmp_path, b"1.png")[0] == [1, 1, 1, 0, 0, 0]
    assert mask_of(data, tmp_path, b"3.png")[0] == [2, 2, 0, 0, 0, 0]
    [shard] = csv.contents(sources.locate(data, tmp_path).address).shards["all"]
    assert {raw.example_id for raw in csv.images({**sources.locate(data, tmp_path).address}, shard) if not raw.known} == {b"2.png"}
    drawn(tmp_path, c1=(9, 4))
    assert mask_of(data, tmp_path, b"1.png")[3] != digest


def test_lines_of_one_image_with_other_masks_are_an_instance_each(tmp_path):
    data = written(tmp_path, "file,truth", ["a.png", "b.png"])
    (tmp_path / "table.csv").write_text("file,truth\n0.png,a.png\n1.png,b.png\n0.png,c.png\n")
    data = data.model_copy(update={"features": {"mask": "truth", "label": None}})
    drawn(tmp_path, a=(1, 2), b=(1, 1), c=(2, 3))
    places, names, counted, _ = mask_of(data, tmp_path, b"0.png")
    assert (places, names, counted) == ([2, 2, 2, 0, 0, 0], [], {"overlapping": 16})
    (tmp_path / "table.csv").write_text("file,truth\n0.png,a.png\n0.png,a.png\n")
    with pytest.raises(UsageError, match="stands in line 2 already"):
        sources.locate(data, tmp_path)


def test_an_image_without_a_mask_is_left_out_and_counted_where_masks_are_learned(tmp_path):
    def made(number):
        return None if number in (3, 4, 20) else Image.fromarray(np.zeros((6, 8), np.uint8))

    data = masked(tmp_path, made)
    folder, artifact = generated(data, tmp_path, targets=[keys.MASK])
    assert json.loads(artifact.get_string_custom_property(keys.UNLABELLED)) == {"no mask": 3}
    ids = {feature[keys.EXAMPLE_ID].bytes_list.value[0] for feature in read(folder)}
    assert ids == {b"%d.png" % number for number in range(40) if number not in (3, 4, 20)}


def test_a_mask_that_changed_is_other_data(tmp_path):
    data = masked(tmp_path, lambda number: Image.fromarray(np.zeros((6, 8), np.uint8)))
    before = sources.locate(data, tmp_path).digest
    Image.fromarray(np.ones((6, 8), np.uint8)).save(tmp_path / "m3.png")
    assert sources.locate(data, tmp_path).digest != before


def test_summaries_of_workers_add_up_the_classes_of_images():
    made = summary.Summary()
    examples = [summary.Written("train", None, b"", {}, b"", (), -1, labels) for labels in ((0, 2), (2,), ())]
    parts = [made.add_input(made.create_accumulator(), example) for example in examples]
    assert made.extract_output(made.merge_accumulators(parts))["labels"] == {"train": {"0": 1, "2": 2}}


def test_equal_images_with_other_labels_are_counted_whatever_their_splits(tmp_path):
    same = [("train", "a", (1,)), ("train", "b", (0,)), ("test", "c", None)]
    [line] = summary.contradiction((b"", [summary.Place(*place) for place in same]))
    assert [image["id"] for image in line["images"]] == ["a", "b"]
    assert summary.contradiction((b"", [summary.Place("train", "a", (1,)), summary.Place("test", "b", (1,))])) == []
    rows = [f"{n % 2},{int(n % 3 == 0)},1" for n in range(60)]
    data = written(tmp_path, "file,red,round,loud", rows).model_copy(update={"features": {"labels": LABELS}})
    for number in (20, 21):  # of which one is red
        Image.fromarray(np.full((6, 8), 7, np.uint8)).save(tmp_path / f"{number}.png")
    Image.fromarray(np.full((6, 8), 8, np.uint8)).save(tmp_path / "14.png")  # labelled as the one that has these pixels
    folder, _ = generated(data, tmp_path, learns_labels=True)
    apart = summary.contradictions(folder)
    assert (apart["images"], apart["folder"]) == (3, str(folder / alike.CONTRADICTIONS))  # 7.png has them too
    assert apart["first"][0]["labels"] != apart["first"][1]["labels"]
    sentence = next(text for text in summary.warnings(folder) if "different labels" in text)
    assert sentence.startswith("3 images occur with different labels")
