"""Any data, with the labels of a model that is there already."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components import examples, keys
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig
from pipelines.verbs import judging
from tests.components import digits


def lay(folder, of_class, first=0):
    """A PNG of a digit for each number of images of a class."""
    for name, images in of_class.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(images):
            Image.fromarray(digits.images()[0][first + number, ..., 0]).save(folder / name / f"{number}.png")
    return folder


def read(tmp_path, source, card=None, split=None, **data):
    """What became of a source, and the labels and anomalies of what was written."""
    (tmp_path / "datasets").mkdir(exist_ok=True)
    config, into = DataConfig(source=source, **data), tmp_path / "examples"
    told = judging.read(config, card or digits.card(), into, tmp_path / "datasets", split)
    written = list(examples.parsed(examples.records_of(map(str, sorted(into.rglob("*.gz")))).as_numpy_iterator()))
    assert len(written) == told.images
    return told, [[*examples.values(example, keys.LABEL), *examples.values(example, keys.ANOMALY)] for example in written]


def test_labels_are_the_model_s_by_name_whatever_the_source_counts(tmp_path):
    folder = lay(tmp_path / "scans", {"seven": 2, "three": 1, "zero": 1})
    told, labels = read(tmp_path, f"folder:{folder}")
    assert sorted(label for [label] in labels) == [0, 3, 7, 7]
    assert told.classes == {"seven": 2, "three": 1, "zero": 1}
    assert (told.left_out, told.notes) == ("", [])


def test_what_a_classifier_cannot_be_judged_by_is_left_out_and_counted(tmp_path):
    folder = lay(tmp_path / "scans", {"seven": 2, "eleven": 3})
    (folder / "seven/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "notes.txt").write_text("x")
    told, labels = read(tmp_path, f"folder:{folder}")
    assert labels == [[7], [7]]
    assert told.unknown == {"eleven": 3}
    assert sum(told.damaged.values()) == 1
    assert [row["id"] for row in told.named] == ["seven/broken.png"]
    assert "3 of the class 'eleven', which the model does not know" in told.left_out
    assert told.passed_over == {".txt": 1}


def test_a_reason_that_is_no_more_than_the_word_is_not_repeated():
    assert judging.Read(damaged={"damaged": 1, "empty": 2}).left_out == "1 damaged; 2 damaged (empty)"


def test_images_without_a_label_are_counted_by_why(tmp_path):
    folder = lay(tmp_path / "scans", {"seven": 3})
    rows = ["image,label", "seven/0.png,seven", "seven/1.png,nan", "seven/2.png,"]
    (folder / "t.csv").write_text("\n".join(rows))
    told, labels = read(tmp_path, f"csv:{folder}/t.csv")
    assert labels == [[7]]
    assert told.unlabelled == {"nan": 1, "empty": 1}
    assert "2 without a label" in told.left_out


def test_numbers_are_taken_for_labels_where_no_class_is_called_so_and_that_is_said(tmp_path):
    folder = lay(tmp_path / "scans", {"7": 1, "2": 1})
    told, labels = read(tmp_path, f"folder:{folder}")
    assert sorted(labels) == [[2], [7]]
    assert "taken for the model's classes" in told.notes[0]
    told, labels = (
        read(tmp_path / "x", f"folder:{folder}", digits.card(class_names=["7", "2"])) if (tmp_path / "x").mkdir() is None else 0
    )
    assert (sorted(labels), told.notes) == ([[0], [1]], [])


def test_a_class_that_a_detector_does_not_know_is_an_anomaly_and_keeps_its_name(tmp_path):
    folder = lay(tmp_path / "scans", {"good": 2, "scratch": 1, "burnt": 2})
    card = digits.card(task="anomaly:reconstruction", class_names=["good", "scratch"], architecture="conv_autoencoder")
    told, labels = read(tmp_path, f"folder:{folder}", card, inliers=["good"])
    assert sorted(labels) == [[0, 0], [0, 0], [1, 1], [2, 1], [2, 1]]
    assert told.class_names == ["good", "scratch", "burnt"]
    assert (told.unknown, told.classes) == ({}, {"burnt": 2, "good": 2, "scratch": 1})


def test_a_model_without_labels_takes_images_without_any(tmp_path):
    folder = lay(tmp_path / "scans", {".": 3})
    told, labels = read(tmp_path, f"folder:{folder}", digits.card(task="reconstruction"))
    assert (labels, told.left_out, told.images) == ([[]] * 3, "", 3)


def test_one_of_several_labels_has_to_have_the_model_s_classes_in_their_order(tmp_path):
    folder = lay(tmp_path / "scans", {"seven": 2})
    (folder / "t.csv").write_text("image,red,round\nseven/0.png,1,0\nseven/1.png,1,1\n")
    card = digits.card(task="multilabel", class_names=[], targets={"labels": ["red", "round"]})
    told, _ = read(tmp_path, f"csv:{folder}/t.csv", card, features={"labels": ["red", "round"]})
    assert told.classes == {"red": 2, "round": 1}
    with pytest.raises(UsageError, match="names the classes of labels round, red; a learned red, round") as caught:
        read(tmp_path, f"csv:{folder}/t.csv", card, features={"labels": ["round", "red"]})
    assert "data.features.labels=[red, round]" in caught.value.hint
    with pytest.raises(UsageError, match=r"judged by labels, and .* gives none"):
        read(tmp_path, f"folder:{folder}", card)


def test_texts_are_read_as_texts(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\nfine work,good\nnever again,bad\nso so,middling\n")
    card = digits.card(reads="text", class_names=["bad", "good"], input_shape=(4,))
    told, labels = read(tmp_path, f"csv:{tmp_path}/t.csv", card)
    assert (sorted(labels), told.noun, told.unknown) == ([[0], [1]], "text", {"middling": 1})


def test_a_split_is_read_alone(tmp_path):
    for split, images in (("train", 3), ("test", 2)):
        lay(tmp_path / "scans" / split, {"seven": images, "one": 1})
    source = f"folder:{tmp_path}/scans"
    assert read(tmp_path, source)[0].images == 7
    assert read(tmp_path / "test", source, split="test")[0].images == 3 if (tmp_path / "test").mkdir() is None else False
    with pytest.raises(UsageError, match="has no split 'val'") as caught:
        read(tmp_path, source, split="val")
    assert "test" in caught.value.hint


@pytest.mark.parametrize(
    ("classes", "error", "words"),
    [
        ({".": 2}, UsageError, "is judged by labels, and .* has none"),
        ({"dogs": 2, "cats": 1}, HubelError, "has no image to judge a by .*2 of the class 'dogs'"),
    ],
)
def test_data_of_which_nothing_can_be_judged_is_one_sentence(tmp_path, classes, error, words):
    folder = lay(tmp_path / "scans", classes)
    with pytest.raises(error, match=words):
        read(tmp_path, f"folder:{folder}")


def test_what_is_written_is_what_example_gen_writes(tmp_path):
    folder = lay(tmp_path / "scans", {"zero": 1, "one": 1})
    read(tmp_path, f"folder:{folder}")
    [file] = (tmp_path / "examples").rglob("*.gz")
    assert file.parent.name == "Split-test"
    first = next(iter(examples.parsed(examples.records_of([str(file)]).as_numpy_iterator())))
    [encoded], [image_id] = examples.values(first, keys.IMAGE_ENCODED), examples.values(first, keys.EXAMPLE_ID)
    np.testing.assert_array_equal(tf.io.decode_png(encoded), digits.images()[0][0])
    assert image_id in (b"zero/0.png", b"one/0.png")
