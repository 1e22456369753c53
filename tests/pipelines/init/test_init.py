"""`hubel init`: what it finds in images, and that the config it writes fits them and is valid."""

import csv
import json
import re
import shlex
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import yaml
from PIL import Image
from scipy.stats import binomtest

import keras_models
from components import keys
from components.example_gen import records, sources
from configs import load
from configs.errors import UsageError
from keras_models import contract
from pipelines.data_sets import survey
from pipelines.init import few_images, proposal, remarks
from pipelines.orchestration import execute
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from tests.components import digits
from tests.pipelines.conftest import hubel, in_process
from tests.pipelines.test_bad_input import refused

FOUND = {
    "splits": {"all": 1000},
    "classes": {"cat": 600, "dog": 400},
    "unlabelled": 0,
    "images": 1000,
    "sampled": 1000,
    "damaged": {},
    "height": [60, 64, 80],
    "width": [50, 60, 70],
    "channels": {"3": 1000},
    "grey": False,
}
SMALL = {"height": [28] * 3, "width": [28] * 3}


def proposed(tmp_path, name="name", source="folder:/photos", imagenet=None, pushed=None, **changed):
    """The config for FOUND with changes, as load sees it, and the proposal."""
    made = proposal.propose(name, source, {**FOUND, **changed}, "file.yaml", imagenet=imagenet, pushed=pushed)
    (tmp_path / "file.yaml").write_text(made.text, encoding="utf-8")
    return load.load(str(tmp_path / "file.yaml")), made


@pytest.mark.parametrize(
    ("ground", "grey", "value"),
    [([255, 255, 255], True, 255), ([0, 0, 0], True, 0), ([250, 240, 200], False, [250, 240, 200]), (None, True, None)],
)
def test_moves_go_on_with_a_ground_of_one_colour(tmp_path, ground, grey, value):
    for classes in ({"3": 600, "8": 400}, {"cat": 600, "dog": 400}, {"left": 600, "right": 400}):
        cfg, made = proposed(tmp_path, ground=ground, grey=grey, plain=0.9, classes=classes, **SMALL)
        moves = [parameters for _, parameters in (step.operation for step in cfg.augment) if hasattr(parameters, "border")]
        assert len(moves) >= 2
        expected = ("mirror", 0) if ground is None else ("constant", value)
        assert all((move.border, move.value) == expected for move in moves)
        assert ("ground of one colour" in made.text) == (ground is not None)


@pytest.mark.parametrize(
    ("grounds", "expected"),
    [([(255, 250)] * 9 + [(0, 0)], [252] * 3), ([(0, 255)] * 10, None), ([(0, 0)] * 5 + [(255, 255)] * 4, [0] * 3)],
)
def test_the_ground_is_what_stands_at_the_edge_of_most_images(tmp_path, grounds, expected):
    """Two values an image: of its left and of its right edge."""
    for number, (left, right) in enumerate(grounds):
        pixels = np.full((20, 20), left, np.uint8)
        pixels[:, 10:] = right
        pixels[5:15, 5:15] = 99
        (tmp_path / "images" / str(number % 2)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "images" / str(number % 2) / f"{number}.png")
    seen = survey.look(f"folder:{tmp_path / 'images'}", str(tmp_path / "datasets"))["ground"]
    assert seen == expected or np.allclose(seen, expected, atol=3)


def operations(cfg) -> list[str]:
    return [step.operation[0] for step in cfg.augment]


def picture(path, colour, size=(20, 16), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), colour, np.uint8)
    pixels[::2] //= 2
    Image.fromarray(pixels).convert(mode).save(path)


@pytest.fixture
def letters(tmp_path):
    """letters/{a,b,c}, grey, c has few images and a damaged one."""
    for name, count in (("a", 12), ("b", 12), ("c", 3)):
        for number in range(count):
            picture(tmp_path / f"letters/{name}/{number}.png", 10 * number)
    (tmp_path / "letters/c/broken.png").write_bytes(b"no image")
    (tmp_path / "letters/c/empty.png").write_bytes(b"")
    return tmp_path / "letters"


def test_a_folder_becomes_a_config_that_a_run_takes(letters, tmp_path):
    out = tmp_path / "config.yaml"
    outcome = hubel("init", letters, "--out", out, "--json", "--workspace", tmp_path / "workspace")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    assert outcome.out.count("\n") == 1
    survey_of = outcome.json["found"]
    assert survey_of["classes"] == {"a": 12, "b": 12, "c": 5}
    assert survey_of["damaged"] == {"empty": 1, "not an image": 1}
    assert (survey_of["height"], survey_of["width"], survey_of["grey"]) == ([16] * 3, [20] * 3, True)
    cfg = load.load(str(out))
    assert (cfg.name, cfg.data.source, cfg.model.name) == ("letters", f"folder:{letters}", "lenet5")
    assert (cfg.transform.height, cfg.transform.channels) == (28, 1)
    assert operations(cfg) == ["translate", "rotate"]
    assert cfg.data.max_quarantined > 2 / 29
    assert f"hubel run {out}" in out.read_text()
    dry = in_process("run", out, "--dry-run", "--json", "--workspace", tmp_path / "workspace")
    assert dry.code == 0, dry.err
    assert not any(component["cached"] for component in dry.json["components"] if component["name"] == "Trainer")


def test_what_is_looked_at_is_a_sample_and_what_is_counted_is_all(letters, tmp_path, monkeypatch):
    monkeypatch.setattr(survey, "SAMPLE", 10)
    seen = survey.look(f"folder:{letters}", str(tmp_path))
    assert seen["images"] == 29
    assert 0 < seen["sampled"] < 25
    assert seen == survey.look(f"folder:{letters}", str(tmp_path))


def test_labels_that_are_missing_are_counted_with_what_a_run_does(tmp_path):
    for number in range(30):
        picture(tmp_path / f"{number}.png", 8 * number)
    rows = [f"{number}.png,{('odd', 'even', 'nan', 'NA', '')[number % 5]}" for number in range(30)]
    (tmp_path / "table.csv").write_text("\n".join(["file,label", *rows]))
    source = proposal.source_of(str(tmp_path / "table.csv"))
    seen = survey.look(source, str(tmp_path / "datasets"))
    assert seen["without_label"] == {"nan": 6, "NA": 6, "empty": 6}
    [note] = [note for note in proposal.propose("name", source, seen, "file.yaml").notes if "no label" in note]
    assert note.startswith(
        "18 images have no label (6 NA, 6 empty, 6 nan): a run counts and leaves out what has none; if NA is a class"
    )
    (tmp_path / "table.csv").write_text("file,breed\n0.png,pug\n1.png,lab\n2.png,pug\n")
    outcome = in_process("init", tmp_path / "table.csv", "--out", tmp_path / "x.yaml", "--workspace", tmp_path / "workspace")
    refused(outcome, 2, "breed (2 values)", "data.features: {label: breed}")
    assert not (tmp_path / "x.yaml").exists()


def test_a_table_is_read_as_such(tmp_path):
    with (tmp_path / "table.csv").open("w") as file:
        table = csv.writer(file)
        table.writerow(["file", "label"])
        for number in range(8):
            picture(tmp_path / f"{number}.jpg", (9 * number, 5, 200), mode="RGB")
            table.writerow([f"{number}.jpg", "odd" if number % 2 else "even"])
    source = proposal.source_of(str(tmp_path / "table.csv"))
    seen = survey.look(source, str(tmp_path / "datasets"))
    assert seen["classes"] == {"even": 4, "odd": 4}
    assert not seen["grey"]
    assert proposal.name_of(source) == tmp_path.name.strip("_.-")


def write_records(folder, names):
    """Two classes of ten grey images, in files of these names."""
    folder.mkdir()
    picture(folder / "one.png", 90)
    for name in names:
        with tf.io.TFRecordWriter(str(folder / name)) as file:
            for number in range(20 // len(names)):
                file.write(records.example((folder / "one.png").read_bytes(), f"{name}-{number}".encode(), number % 2))
    (folder / "one.png").unlink()


@pytest.mark.parametrize(
    ("kind", "classes", "model", "channels"),
    [
        ("one file of records", {"0": 10, "1": 10}, "lenet5", 1),
        ("a folder of records", {"0": 10, "1": 10}, "lenet5", 1),
        ("a flat folder", {}, "conv_autoencoder", 1),
        ("JPEGs", {"cat": 10, "dog": 10}, "resnet20", 3),
    ],
)
def test_whatever_is_found_becomes_a_config_that_a_run_plans(kind, classes, model, channels, tmp_path):
    path = tmp_path / "images"
    match kind:
        case "one file of records":
            write_records(path, ["all.tfrecord"])
            path /= "all.tfrecord"
        case "a folder of records":
            write_records(path, ["a.tfrecord-0", "a.tfrecord-1"])
        case "a flat folder":
            for number in range(20):
                picture(path / f"{number}.png", 9 * number)
        case "JPEGs":
            for number in range(20):
                picture(path / f"{('cat', 'dog')[number % 2]}/{number}.jpg", (9 * number, 5, 200), mode="RGB")
    source = proposal.source_of(str(path))
    assert source.partition(":")[0] == ("tfrecord" if "records" in kind else "folder")
    seen = survey.look(source, str(tmp_path / "datasets"))
    assert (seen["images"], seen["damaged"], seen["classes"]) == (20, {}, classes)
    made = proposal.propose(proposal.name_of(source), source, seen, "images.yaml")
    (tmp_path / "images.yaml").write_text(made.text)
    cfg = load.load(str(tmp_path / "images.yaml"))
    assert (cfg.name, cfg.data.source, cfg.model.name, cfg.transform.channels) == ("images", source, model, channels)
    planned = execute.plan(str(tmp_path / "images.yaml"), [], str(tmp_path / "workspace"))
    assert {"ExampleGen", "Trainer", "Pusher"} <= {stage["name"] for stage in planned["components"] if not stage["cached"]}


def test_grey_images_that_are_stored_in_colours_are_grey(tmp_path):
    for number in range(3):
        picture(tmp_path / f"x/{number}.jpg", 60 * number, mode="RGB")
    seen = survey.look(f"folder:{tmp_path}", str(tmp_path / "datasets"))
    assert (seen["channels"], seen["grey"]) == ({"3": 3}, True)


@pytest.mark.parametrize("labels", [list("0123456789"), ["zero", "one", "two"], list("abcXYZ"), ["10", "11", "12"]])
def test_digits_and_letters_are_never_flipped(labels, tmp_path):
    cfg, _ = proposed(tmp_path, classes=dict.fromkeys(labels, 100))
    assert "flip" not in operations(cfg)
    assert {"translate", "rotate"} <= set(operations(cfg))


def test_photographs_are_flipped_unless_a_side_is_what_they_show(tmp_path):
    assert "flip" in operations(proposed(tmp_path)[0])
    assert "flip" not in operations(proposed(tmp_path, classes={"turn_left": 9, "turn_right": 9})[0])
    assert "flip" not in operations(proposed(tmp_path, grey=True)[0])


@pytest.mark.parametrize(
    ("median", "images", "side"),
    [(8, 1000, 28), (28, 70_000, 28), (30, 1000, 32), (64, 1000, 64), (100, 1000, 96), (500, 1000, 128), (500, 100_000, 32)],
)
def test_the_size_is_near_the_median_and_bearable(median, images, side, tmp_path):
    cfg, made = proposed(tmp_path, height=[1, median, 9000], width=[1, median // 2, 9000], images=images)
    assert (cfg.transform.height, cfg.transform.width) == (side, side)
    assert ("without a GPU" in made.text) == (median == 500)


@pytest.mark.parametrize(
    ("changed", "name", "width", "why"),
    [
        ({**SMALL, "grey": True}, "lenet5", None, "LeNet-5 was made for grey images of this size"),
        (SMALL, "resnet20", 0.5, "colours ask for more than LeNet-5"),
        ({**SMALL, "grey": True, "classes": dict.fromkeys(map(str, range(100)), 20)}, "resnet20", 0.5, "100 classes ask"),
        ({"grey": True}, "resnet18", 0.25, "64 px ask for more"),
        ({"height": [500] * 3, "width": [700] * 3}, "resnet18", 0.25, "colours ask"),
    ],
)
def test_the_network_fits_the_images_and_the_config_says_why(changed, name, width, why, tmp_path):
    cfg, made = proposed(tmp_path, **changed)
    assert (cfg.model.name, cfg.model.options.get("width")) == (name, width)
    assert why in made.text
    shape = (cfg.transform.height, cfg.transform.width, cfg.transform.channels)
    contract.prove(keras_models.get(name), {"input_shape": shape}, cfg.model.options)


def test_the_rate_of_a_residual_network_goes_with_its_batches(tmp_path):
    rates = [proposed(tmp_path, images=images)[0].train for images in (100, 1000, 10_000)]
    assert [(train.batch_size, train.optimizer.learning_rate) for train in rates] == [(16, 0.025), (32, 0.05), (64, 0.1)]
    assert [train.early_stopping.patience for train in rates] == [20, 20, 10]


def test_without_labels_it_is_an_autoencoder_and_the_bounds_are_its_own(tmp_path):
    cfg, _ = proposed(tmp_path, classes={}, unlabelled=1000, images=1000)
    assert cfg.model.name == "conv_autoencoder"
    assert cfg.evaluate.thresholds == {}
    assert [step.operation[0] for step in cfg.augment] == ["flip"]
    of_one_class, made = proposed(tmp_path, classes={"only": 1000})
    assert of_one_class.model.name == "conv_autoencoder"
    assert "one class" in made.notes[0]


def test_the_bound_lies_above_what_the_most_frequent_class_gives(tmp_path):
    assert proposed(tmp_path)[0].evaluate.thresholds["accuracy"].min == 0.68
    assert proposed(tmp_path, classes={"a": 9999, "b": 1})[0].evaluate.thresholds["accuracy"].min == 0.99


def test_imbalance_and_small_classes_are_pointed_out(tmp_path):
    cfg, made = proposed(tmp_path, classes={"many": 300, "few": 5})
    assert "60.0 times" in made.notes[0]
    assert "data.downsample: 3" in made.text
    assert "only 5 images" in made.notes[1]
    assert cfg.data.validation == 0.2
    assert cfg.data.downsample is None
    rare = [note for note in proposed(tmp_path, classes={"a": 30, "b": 4, "c": 9, "d": 10})[1].notes if "mean little" in note]
    assert [note.partition(":")[0] for note in rare] == ["2 of 4 classes have fewer than 10 images, such as b with 4"]
    notes = proposed(tmp_path, classes={"a": 299, "b": 100})[1].notes
    assert [note.partition(":")[0] for note in notes] == ["200 test images (20 %)"]


@pytest.mark.parametrize(("images", "half"), [(49, "0.13"), (200, "0.07"), (1, "0.45"), (10_000, "0.01")])
def test_what_so_many_test_images_can_tell_is_wilson_s_interval(images, half, tmp_path):
    """SciPy's, at the share where it is widest."""
    even = images + images % 2  # of which a half can be right
    low, high = binomtest(even // 2, even).proportion_ci(method="wilson")
    assert remarks.half_width(even) == pytest.approx((high - low) / 2, abs=1e-6)
    splits = {"train": 100, "validation": 10, "test": images}
    _, made = proposed(tmp_path, splits=splits, used={name: name for name in splits}, images=110 + images)
    assert f"{images:,} test image{'s' * (images > 1)}: an accuracy measured on so many is known to +- {half} (95 %)." in made.notes
    assert made.notes[-1] in made.text


@pytest.mark.parametrize(
    ("splits", "words"),
    [
        (
            {"train": 80, "validation": 20},
            "The data has no test split: a run sets 16 (20 %) of the 80 training images aside for it, the same ones each time.",
        ),
        (
            {"train": 80, "test": 20},
            "no validation split: a run sets 8 (10 %) of the 80 training images aside for it, the same ones each time.",
        ),
        (
            {"train": 100},
            "no validation and no test split: a run sets 10 (10 %) and 20 (20 %) of the 100 training images aside for them",
        ),
        (
            {"validation": 60, "test": 40},
            "The data has a validation split and a test split and no train split: a run puts all images together and divides them",
        ),
        ({"all": 100}, None),
        ({"train": 80, "validation": 10, "test": 10}, None),
    ],
)
def test_what_is_carved_from_what_is_said(splits, words, tmp_path):
    used = {name: name for name in splits} if "train" in splits else dict.fromkeys(splits, "train")
    _, made = proposed(tmp_path, splits=splits, used=used, images=100)
    said = [note for note in made.notes if note.startswith("The data has")]
    assert len(said) == (words is not None)
    assert all(words in note for note in said)


def test_photos_are_cropped_and_what_has_a_ground_is_padded(tmp_path):
    cfg, made = proposed(tmp_path, oblong=0.25)
    assert cfg.transform.resize == "crop"
    assert "25 % of it are cut in the mean" in made.text
    assert proposed(tmp_path, plain=0.9)[0].transform.resize == "fit"
    assert proposed(tmp_path, grey=True)[0].transform.resize == "fit"


def test_a_photo_has_colours_up_to_its_edge_and_a_drawing_has_not(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(4):
        photo = Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8))
        drawing = Image.new("RGB", (60, 40), (250, 250, 240))
        drawing.paste(photo.crop((0, 0, 20, 20)), (10, 10))
        for kind, image in (("photos", photo), ("drawings", drawing)):
            (tmp_path / kind).mkdir(exist_ok=True)
            image.save(tmp_path / kind / f"{number}.png")
    seen = {kind: survey.look(f"folder:{tmp_path / kind}", str(tmp_path / "datasets")) for kind in ("photos", "drawings")}
    assert {kind: of_kind["plain"] for kind, of_kind in seen.items()} == {"photos": 0, "drawings": 1}
    assert seen["photos"]["oblong"] == pytest.approx(1 / 3)


def test_each_class_is_judged_by_itself_too(tmp_path):
    assert set(proposed(tmp_path)[0].evaluate.slices) == {"label"}
    assert proposed(tmp_path, classes={}, unlabelled=1000)[0].evaluate.slices == {}


def test_few_photos_are_offered_another_network_s_features(tmp_path, monkeypatch):
    photos = {"images": 300, "height": [400] * 3, "width": [500] * 3}
    cfg, made = proposed(tmp_path, **photos)
    assert cfg.transfer is None, "what cannot be had at once is a comment"
    assert '#   transfer: {source: "keras.applications:MobileNetV2"}' in made.text
    assert proposed(tmp_path, **photos, pushed=few_images.Source("cats", 64, 48))[1].text.count("source: cats") == 1
    assert "transfer" not in proposed(tmp_path, **{**photos, "images": 10_000})[1].text
    assert "transfer" not in proposed(tmp_path, images=300, **SMALL)[1].text

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert few_images.imagenet() is None
    (tmp_path / "keras/models").mkdir(parents=True)
    (tmp_path / "keras/models" / few_images.FILE.format(160)).touch()
    cfg, made = proposed(tmp_path, **photos, imagenet=few_images.imagenet())
    assert cfg.transfer.source == "keras.applications:MobileNetV2"
    assert (cfg.transform.height, cfg.transform.width, cfg.transform.channels, cfg.transform.resize) == (160, 160, 3, "crop")
    assert set(yaml.safe_load(made.text)) == {"name", "data", "transform", "augment", "transfer", "train", "evaluate"}


def test_the_newest_pushed_classifier_is_the_one_that_is_offered(tmp_path):
    place = Workspace.at(tmp_path / "workspace")
    assert few_images.pushed(place, 3) is None
    for number, (task, channels, version) in enumerate(
        [("classification", 3, 1), ("reconstruction", 3, 1), ("classification", 1, 1), ("classification", 3, None)]
    ):
        folder = tmp_path / f"model{number}"
        (folder / keys.CARD_IN_EXPORT).parent.mkdir(parents=True)
        card = digits.card(task=task, input_shape=(20, 30, channels))
        (folder / keys.CARD_IN_EXPORT).write_text(card.model_dump_json())
        record = runs.RunRecord(f"r{number}", f"m{number}", f"2026-01-0{number + 1}", version=version, model_dir=str(folder))
        record.save(place.run(f"m{number}", f"r{number}"))
    assert few_images.pushed(place, 3) == few_images.Source("m0", 20, 30)
    assert few_images.pushed(place, 1) == few_images.Source("m2", 20, 30)
    for number, (gives, members) in enumerate(
        [({"a": "names"}, {}), ({"a": "names"}, {"x": digits.card()}), ({"a": "mask"}, {})], 4
    ):
        folder = tmp_path / f"model{number}"  # of tasks that nobody knows: the card says what they give
        (folder / keys.CARD_IN_EXPORT).parent.mkdir(parents=True)
        card = digits.card(task="later", gives={"serving_default": gives}, members=members, input_shape=(9, 9, 3))
        (folder / keys.CARD_IN_EXPORT).write_text(card.model_dump_json())
        record = runs.RunRecord(f"r{number}", f"m{number}", f"2026-01-0{number + 1}", version=1, model_dir=str(folder))
        record.save(place.run(f"m{number}", f"r{number}"))
    assert few_images.pushed(place, 3) == few_images.Source("m4", 9, 9)


def table_of(folder, header, rows):
    """A table of images, named in its first column, and these."""
    for number, row in enumerate(rows):
        picture(folder / row[0], (9 * number, 5, 200), mode="RGB")
    with (folder / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return folder / "table.csv"


def test_columns_that_are_not_used_are_listed_and_can_be_named(tmp_path):
    rows = [[f"pictures/{number}.png", ("pug", "hound")[number % 2], "x", number] for number in range(8)]
    table = table_of(tmp_path / "dogs", ["file", "breed", "photographer", "weight"], rows)
    source = proposal.source_of(str(table))
    read = proposal.read_by(source, ["breed"], "file", None)
    seen = survey.look(source, str(tmp_path / "datasets"), **read)
    assert seen["classes"] == {"hound": 4, "pug": 4}
    assert seen["columns"] == {"image": "file", "label": "breed", "split": None, "id": None, "unused": ["photographer", "weight"]}
    made = proposal.propose("dogs", source, seen, "dogs.yaml", read)
    assert "The image is file, the label breed. Not used: photographer, weight." in made.notes[0]
    (tmp_path / "dogs.yaml").write_text(made.text)
    assert load.load(str(tmp_path / "dogs.yaml")).data.features == {"image": "file", "label": "breed"}
    with pytest.raises(
        UsageError, match=r"nothing uses: breed \(2 values\), photographer \(1 value\), weight \(8 values\)"
    ) as caught:
        survey.look(source, str(tmp_path / "datasets"))
    assert "{label: breed}; {label: null} says that there are no labels." in caught.value.hint
    assert f"With `hubel init {table} --label breed` (null: none); --image COLUMN" in caught.value.hint
    read = proposal.read_by(source, ["null"], None, None)
    seen = survey.look(source, str(tmp_path / "datasets"), **read)
    assert seen["classes"] == {}
    (tmp_path / "dogs.yaml").write_text(proposal.propose("dogs", source, seen, "dogs.yaml", read).text)
    assert load.load(str(tmp_path / "dogs.yaml")).data.features == {"label": None}


def test_a_column_of_masks_is_proposed_as_masks_and_not_as_the_label(tmp_path):
    rows = [[f"{number}.png", f"{number}m.png" if number else ""] for number in range(6)]
    table = table_of(tmp_path / "parts", ["file", "mask"], rows)
    source = proposal.source_of(str(table))
    with pytest.raises(UsageError) as caught:
        survey.look(source, str(tmp_path / "datasets"))
    hint = caught.value.hint
    learns = "which networks of the task segmentation learn from, such as unet"
    assert f"mask holds paths of images: data.features: {{mask: mask}} is for masks, {learns}" in hint
    assert "label: mask" not in hint
    typed = re.search(r"`hubel (init [^`]+)`", hint)[1]
    made = in_process(*shlex.split(typed), "--out", tmp_path / "parts.yaml", "--workspace", tmp_path / "workspace")
    assert made.code == 0, made.err
    table = table_of(tmp_path / "both", ["file", "mask", "kind"], [[*row, "ab"[at % 2]] for at, row in enumerate(rows)])
    with pytest.raises(UsageError, match=r"mask \(6 values\), kind \(2 values\)") as caught:
        survey.look(proposal.source_of(str(table)), str(tmp_path / "datasets"))
    assert "{label: kind}; {label: null}" in caught.value.hint
    assert "{mask: mask}" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "asked", "words"),
    [
        ("folder:/x", (["a"], None, None), "a folder has no columns"),
        ("tfds:mnist", ([], None, "/tmp"), "--images is of a CSV file"),
        ("csv:/x/a.csv", ([], None, "/no/such"), "there is no such folder"),
    ],
)
def test_a_column_of_what_has_none_is_refused(source, asked, words):
    with pytest.raises(UsageError, match=words):
        proposal.read_by(source, *asked)


def product(root, train=40, test=6):
    """MVTec AD's layout: train/good, test/good and two kinds of defects, ground_truth/KIND/*_mask.png; broad grey images."""
    rng = np.random.default_rng(0)

    def good():
        pixels = np.tile(np.linspace(60, 180, 24), (16, 1)) + rng.normal(0, 4, (16, 24))
        return pixels.clip(0, 255).astype(np.uint8)

    def save(pixels, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)

    for number in range(train):
        save(good(), root / f"train/good/{number:03}.png")
    for number in range(test):
        save(good(), root / f"test/good/{number:03}.png")
        for kind, place in (("scratch", (slice(5, 7), slice(3, 18))), ("hole", (slice(8, 13), slice(10, 15)))):
            pixels, mask = good(), np.zeros((16, 24), np.uint8)
            pixels[place], mask[place] = 0, 255
            save(pixels, root / f"test/{kind}/{number:03}.png")
            save(mask, root / f"ground_truth/{kind}/{number:03}_mask.png")
    return root


def test_what_trains_on_good_alone_is_a_detector(tmp_path):
    root, file = product(tmp_path / "cable"), tmp_path / "cable.yaml"
    outcome = in_process("init", root, "--out", file, "--json", "--workspace", tmp_path / "workspace")
    assert outcome.code == 0, outcome.err
    seen, cfg = outcome.json["found"], load.load(str(file))
    assert seen["by_split"] == {"train": {"good": 40, "hole": 0, "scratch": 0}, "test": {"good": 6, "hole": 6, "scratch": 6}}
    assert (cfg.data.inliers, cfg.data.validation, cfg.data.classes) == (["good"], 0.2, None)
    assert (cfg.anomaly.score, cfg.anomaly.pooling, cfg.anomaly.window) == ("reconstruction_error", "smoothed_max", 3)
    assert (cfg.transform.resize, cfg.transform.normalize, cfg.model.name) == ("fit", "unit", "conv_autoencoder")
    assert (cfg.evaluate.thresholds["auroc"].min, set(cfg.evaluate.slices)) == (0.6, {"label"})
    assert "train has good alone, and test has hole, scratch besides" in outcome.json["notes"][0]
    assert "the black bars beside the image are left out of the score" in file.read_text()
    assert (seen["images"], seen["passed_over"], seen["masks"]) == (58, {"masks": 12}, None)
    dry = in_process("run", file, "--dry-run", "--json", "--workspace", tmp_path / "workspace")
    assert dry.code == 0, dry.err


def test_a_class_without_an_image_is_left_out_of_a_classifier(tmp_path):
    """Such as a one-hot column that no row has: a run would refuse it."""
    cfg, made = proposed(tmp_path, classes={"cat": 500, "dog": 500, "UNK": 0})
    assert cfg.data.classes == ["cat", "dog"]
    assert "No image has the class UNK: data.classes leaves it out." in made.notes


def test_a_class_that_only_the_test_split_has_is_left_out_of_a_classifier(tmp_path):
    by_split = {"train": {"cat": 500, "dog": 300, "fox": 0}, "test": {"cat": 100, "dog": 50, "fox": 50}}
    changes = {"classes": {"cat": 600, "dog": 350, "fox": 50}, "by_split": by_split, "splits": {"train": 800, "test": 200}}
    cfg, made = proposed(tmp_path, used={"train": "train", "test": "test"}, **changes)
    assert cfg.data.classes == ["cat", "dog"]
    assert any("No training image has the class fox" in note for note in made.notes)
    assert cfg.anomaly is None


def splits_of(**by_split):
    """What survey.look says of splits with these classes, {class: images} or images without a label, each."""
    names = sorted({name for counts in by_split.values() for name in counts} - {None})
    classes = {name: sum(counts.get(name, 0) for counts in by_split.values()) for name in names}
    return {
        "classes": classes,
        "unlabelled": sum(counts.get(None, 0) for counts in by_split.values()),
        "by_split": {split: {name: counts.get(name, 0) for name in names} for split, counts in by_split.items()},
        "splits": {split: sum(counts.values()) for split, counts in by_split.items()},
        "used": {split: split for split in by_split},
    }


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ({"a": 15, "b": 15, "c": 15}, "30 test images: an accuracy"),
        ({"a": 11, "b": 11, None: 8}, "22 test images: an accuracy"),
    ],
)
def test_what_a_run_leaves_out_is_not_counted_as_tested(test, words, tmp_path):
    cfg, made = proposed(tmp_path, **splits_of(train={"a": 30, "b": 30}, test=test))
    assert cfg.data.classes == (["a", "b"] if "c" in test else None)
    assert made.notes[-1].startswith(words)
    assert "the most frequent class would reach 0.50" in made.text


@pytest.mark.parametrize(
    ("test", "words", "advice"),
    [
        ({"cat": 15, "dog": 15}, "none of the 30 test images can be used", "'Cat' and 'cat', 'Dog' and 'dog' differ by capitals"),
        ({"fox": 5}, "none of the 5 test images can be used: no training image has the class fox", "the same in every split"),
        ({None: 20}, "the 20 test images have no label", "carves a test split where there is none"),
    ],
)
def test_a_split_of_which_nothing_can_be_used_is_refused(test, words, advice, tmp_path):
    split = splits_of(train={"Cat": 30, "Dog": 30}, test=test)
    carved = [{"validation": 0.1, "test": 0.2, "images": {"train": 54, "validation": 6, "test": 0 if None in test else 30}}]
    with pytest.raises(UsageError, match=words) as caught:
        proposed(tmp_path, carved=carved, **split)
    assert advice in caught.value.hint


@pytest.mark.parametrize(
    "others", [{"test": {"bad": 9}}, {"validation": {"good": 4, "bad": 9}}, {"validation": {"bad": 9}, "test": {"good": 4}}]
)
def test_a_detector_that_cannot_be_measured_is_refused(others, tmp_path):
    [where] = (split for split, classes in others.items() if "bad" in classes)
    with pytest.raises(UsageError, match=f"has good alone to train on, and bad in {where} only: no classifier") as caught:
        proposed(tmp_path, **splits_of(train={"good": 40}, **others))
    assert "put images of good beside the others into test" in caught.value.hint


def test_classes_whose_names_differ_by_capitals_are_pointed_out(tmp_path):
    notes = proposed(tmp_path, classes={"Cat": 500, "cat ": 500, "dog": 500})[1].notes
    assert notes[0] == "'Cat' and 'cat ' differ by capitals or blanks alone: if they are one class, give it one name."
    assert not any("capitals" in note for note in proposed(tmp_path)[1].notes)


def test_masks_beside_images_are_left_out_and_counted(tmp_path):
    for number in range(6):
        picture(tmp_path / f"beside/{number}.png", (9 * number, 5, 200), mode="RGB")
        picture(tmp_path / f"beside/{number}_mask.png", 0)
    seen = survey.look(f"folder:{tmp_path / 'beside'}", str(tmp_path / "datasets"))
    assert (seen["images"], seen["masks"], seen["passed_over"]) == (6, None, {"masks": 6})
    made = proposal.propose("x", "folder:/x", seen, "x.yaml")
    assert "6 masks of other images are left out." in made.notes
    assert proposal.pictures_of("folder:/x", seen) is None


def test_what_is_called_a_mask_and_looks_like_a_photo_is_read_and_said_to_be_called_so(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), np.uint8)
    for number in range(6):
        for name in (f"{number}.png", f"{number}_mask.png"):
            (tmp_path / "faces").mkdir(exist_ok=True)
            Image.fromarray(photo[number]).save(tmp_path / "faces" / name)
    seen = survey.look(f"folder:{tmp_path / 'faces'}", str(tmp_path / "datasets"))
    assert (seen["images"], seen["masks"]["images"], seen["passed_over"]) == (12, 6, {})
    made = proposal.propose("x", "folder:/x", seen, "x.yaml")
    assert "6 images look like masks of others, such as 0_mask.png." in made.notes[0]


def test_a_folder_of_masks_beside_one_of_images_is_no_class(tmp_path):
    for number in range(12):
        picture(tmp_path / f"cells/images/{number}.png", (9 * number, 5, 200), mode="RGB")
        picture(tmp_path / f"cells/masks/{number}.png", 0)
    out = tmp_path / "cells.yaml"
    outcome = in_process("init", tmp_path / "cells", "--out", out, "--json", "--workspace", tmp_path / "workspace")
    assert outcome.code == 0, outcome.err
    assert outcome.json["source"] == f"folder:{tmp_path / 'cells/images'}"
    assert (outcome.json["found"]["images"], outcome.json["found"]["left_out"]["images"]) == (12, 12)
    assert load.load(str(out)).model.name == "conv_autoencoder"
    assert "beside them 12 masks in masks" in out.read_text()


def test_folders_below_the_classes_are_said(tmp_path):
    for alphabet, characters in (("Greek", 2), ("Latin", 4)):  # folders that all classes share would be taken for the classes
        for character in range(1, characters + 1):
            picture(tmp_path / f"omniglot/{alphabet}/character{character}/0.png", 40 * character)
    seen = survey.look(f"folder:{tmp_path / 'omniglot'}", str(tmp_path / "datasets"))
    made = proposal.propose("x", "folder:/x", seen, "x.yaml")
    assert any("The classes have 6 folders below them, such as Greek/character1." in note for note in made.notes)


def test_names_that_yaml_or_a_comment_would_read_otherwise_are_kept(tmp_path):
    hostile = 'a"b: {c} #\n- d'
    cfg, made = proposed(
        tmp_path, name="no", source=f"folder:/{hostile.splitlines()[0]} 'x' ü \N{GRINNING FACE}", classes={hostile: 9, "e\r": 9}
    )
    assert cfg.name == "no"
    assert cfg.data.source.endswith("ü \N{GRINNING FACE}")
    assert all(line.startswith("#") or ":" in line for line in made.text.splitlines())


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("folder:/data/Blüten & Blätter", "Bluten_Blatter"),
        ("folder:/data/2024", "images_2024"),
        ("folder:/data/кошки", "images"),
        ("folder:/data/.hidden-", "hidden"),
        ("csv:/data/cats/train.csv", "cats"),
        ("csv:/data/cats/Labels.tsv", "cats"),
        ("csv:/data/cats/long hair.csv", "long_hair"),
        ("csv:/long_hair.v2.csv", "long_hair.v2"),
        ("csv:/table.csv", "table"),
        ("tfrecord:/data/cats/some-00000.tfrecord", "cats"),
        ("tfds:mnist:3.0.1", "mnist"),
        ("tfds:coco/2017", "coco_2017"),
        ("folder:/" + "x" * 300, "x" * 60),
    ],
)
def test_a_name_is_made_valid(source, name, tmp_path):
    assert proposal.name_of(source) == name
    assert proposed(tmp_path, name=name)[0].name == name


@pytest.mark.parametrize(
    ("rest", "says", "name"),
    [("/data/cats/a.tar", {}, "a"), ("/data/cats/train.tar", {}, "cats"), ("bucket/7", {"called": lambda rest: "mine"}, "mine")],
)
def test_a_source_of_its_own_is_called_as_it_says_or_after_its_file(rest, says, name, monkeypatch):
    monkeypatch.setattr(sources, "module_of", lambda source: SimpleNamespace(**says))
    assert proposal.name_of(f"tar:{rest}") == name


def test_only_damaged_images_are_nothing_to_train_on():
    with pytest.raises(UsageError, match="no sound image"):
        proposal.propose("name", "folder:/x", {**FOUND, "sampled": 2, "damaged": {"empty": 2}}, "file.yaml")


def test_what_is_there_is_not_overwritten_without_force(letters, tmp_path):
    (tmp_path / "letters.yaml").write_text("mine")
    refused(hubel("init", letters, "--out", tmp_path / "letters.yaml"), 2, "there already", "--force")
    assert (tmp_path / "letters.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing",), ("no missing", "folder")),
        (("empty",), ("no image",)),
        (("file.txt",), ("neither", "folder:PATH")),
        (("tfds:mnist",), ("not prepared", "hubel datasets prepare mnist")),
        (("letters", "--out", "missing/x.yaml"), ("no folder",)),
        (("letters", "--out", "x.txt"), ("YAML", "x.txt.yaml")),
        (("letters", "--out", "taken.yaml"), ("there already",)),
    ],
)
def test_what_was_typed_wrong_exits_2_before_a_worker_starts(arguments, words, letters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken.yaml").mkdir()
    (tmp_path / "file.txt").write_text("text")
    outcome = hubel("init", *arguments, "--json", HUBEL_WORKSPACE=str(tmp_path / "workspace"), TFDS_DATA_DIR=str(tmp_path))
    assert (outcome.code, outcome.err) == (2, "")
    said = json.dumps(outcome.json["error"], ensure_ascii=False)
    assert all(word in said for word in words), said
    assert not (tmp_path / "workspace").exists()


def test_a_written_config_is_plain_yaml(tmp_path):
    _, made = proposed(tmp_path)
    tree = yaml.safe_load(made.text)
    assert list(tree) == ["name", "data", "transform", "augment", "model", "train", "evaluate"]
