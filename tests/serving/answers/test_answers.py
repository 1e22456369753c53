"""Each kind of output becomes JSON, a line and a file; what reads them back is not hubel's."""

import base64
import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from configs.errors import HubelError
from serving import answers
from serving.answers import About, image

ABOUT = About(("cat", "dog", "cow"))
RNG = np.random.default_rng(0)
VALUES = {
    "anomaly_score": np.float32(2.5),
    "boxes": np.array([[1.0, 2.0, 30.5, 40.0], [0.0, 0.0, 5.0, 6.0]], np.float32),
    "bytes": b"\x00\xff\x80",
    "code": RNG.random(5, np.float32),
    "decisions": np.array([True, False, True]),
    "flags": np.array([True, True, False]),
    "frame": np.array([8, 12, 0.5, 0.5, 0, 2], np.float32),
    "heat": RNG.random((4, 6, 1), np.float32),
    "image": np.array([[[0.0], [254.6], [300.0]], [[-3.0], [0.4], [17.0]]], np.float32),
    "is_anomaly": np.True_,
    "mask": np.array([[[0], [1]], [[1], [1]]], np.int64),
    "names": np.array([b"dog", b"cat", b"caf\xe9"], object),
    "number": np.float32(0.25),
    "probabilities": np.array([0.125, 0.75, 0.125], np.float32),
    "scores": np.array([0.75, 0.125, 0.125], np.float32),
    "text": b"a dog",
    "threshold": np.float32(0.5),
}
LINES = {
    "anomaly_score": "2.5000",
    "boxes": "2: 1 2 30 40; 0 0 5 6",
    "bytes": "3 bytes",
    "code": "5 numbers",
    "decisions": "cat, cow",
    "flags": "yes yes no",
    "frame": "8.0000 12.0000 0.5000 0.5000 0.0000 2.0000",
    "heat": "map of 4x6 px",
    "image": "image of 2x3 px",
    "is_anomaly": "True",
    "mask": "dog 75%, cat 25%",
    "names": "dog cat caf\ufffd",
    "number": "0.2500",
    "probabilities": "dog 0.7500, cat 0.1250, cow 0.1250",
    "scores": "0.7500 0.1250 0.1250",
    "text": "a dog",
    "threshold": "0.5000",
}


def told(kind: str, about=ABOUT):
    """What JSON holds of the value, once it was written and read."""
    return json.loads(json.dumps(answers.kind(kind).json(VALUES[kind], about)))


def file(kind: str) -> bytes:
    return answers.kind(kind).file(VALUES[kind], ABOUT)


def test_every_kind_is_tried_here():
    assert set(answers.kinds()) == set(VALUES) == set(LINES)


@pytest.mark.parametrize("kind", LINES)
def test_a_line_is_made_of_the_json(kind):
    assert answers.kind(kind).line(told(kind), ABOUT) == LINES[kind]


@pytest.mark.parametrize("kind", ["code", "boxes", "heat", "number", "probabilities", "scores"])
def test_numbers_are_themselves_in_json(kind):
    np.testing.assert_array_equal(np.array(told(kind), np.float32), VALUES[kind])


def test_flags_are_cut_off_as_the_names_beside_them_and_decisions_are_said_by_them():
    assert told("flags", About(("cat", "dog", "cow"), 2)) == [True, True]
    gives = {"classes": "names", "scores": "scores", "on": "flags"}
    outputs = {"classes": VALUES["names"], "scores": VALUES["scores"], "on": np.array([False, True, False])}
    row = answers.as_json(outputs, gives, About(("cat", "dog", "cow"), 1))
    assert row["classes"] == ["dog", "cat"], "a class that the image has is shown, whatever is asked for"
    assert row["on"] == [False, True]
    assert list(answers.as_json(dict(reversed(outputs.items())), gives, About((), 1))) == list(gives), "whatever order they come in"
    assert len(answers.as_json({**outputs, "on": np.zeros(3, bool)}, gives, About((), 1))["classes"]) == 1
    assert answers.shown({"on": 0, "decisions": 0}, {"on": "flags", "decisions": "decisions"}) == ["on"]
    assert answers.kind("decisions").line([False] * 3, ABOUT) == "none"
    assert list(csv.reader(io.StringIO(file("decisions").decode())))[1:] == [["cat", "1"], ["dog", "0"], ["cow", "1"]]


def test_bytes_of_any_content_come_back():
    assert base64.b64decode(told("bytes")["b64"]) == file("bytes") == VALUES["bytes"]


def test_an_image_is_a_png_of_rounded_pixels():
    wanted = np.array([[0, 255, 255], [0, 0, 17]], np.uint8)
    for encoded in (file("image"), base64.b64decode(told("image")["b64"])):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encoded))), wanted)
        assert image.size(encoded) == (2, 3)
    colour = RNG.integers(0, 256, (3, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(answers.kind("image").file(colour, ABOUT)))), colour)


def test_a_mask_is_a_png_whose_values_are_classes():
    assert told("mask")["shares"] == {"cat": 0.25, "dog": 0.75}
    for encoded in (file("mask"), base64.b64decode(told("mask")["b64"])):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encoded))), VALUES["mask"][..., 0])
    flat = answers.kind("mask").file(VALUES["mask"][..., 0], ABOUT)
    assert flat == file("mask")
    assert answers.kind("mask").json(np.array([[7]]), ABOUT)["shares"] == {"7": 1.0}, "a class without a name"


@pytest.mark.parametrize("classes", [[[-1]], [[65536]]])
def test_a_class_that_a_grey_png_cannot_hold_is_refused(classes):
    with pytest.raises(HubelError, match=r"0\.\.65,535, and the model answered") as caught:
        answers.kind("mask").file(np.array(classes), ABOUT)
    assert caught.value.hint


def test_a_mask_of_more_classes_than_8_bits_hold_is_a_png_of_16():
    names = tuple(f"class{number}" for number in range(300))
    mask = np.array([[0, 255], [256, 299]], np.int32)
    row = answers.kind("mask").json(mask, About(names))
    assert row["shares"] == {"class0": 0.25, "class255": 0.25, "class256": 0.25, "class299": 0.25}
    drawn = Image.open(io.BytesIO(base64.b64decode(row["b64"])))
    assert drawn.mode.startswith("I")
    np.testing.assert_array_equal(np.asarray(drawn), mask)


@pytest.mark.parametrize(("classes", "outside"), [(3, 255), (255, 255), (256, 65535), (300, 65535)])
def test_what_was_not_seen_is_no_class(classes, outside):
    beside = About([f"class{number}" for number in range(classes)], frame=[2, 4, 1, 1, 0, -1])  # the first and last column are cut
    mask = np.full((2, 2), classes - 1, np.uint8 if classes <= 256 else np.int64)
    row = answers.kind("mask").json(mask, beside)
    assert row["shares"] == {f"class{classes - 1}": 0.5, "not seen": 0.5}
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(row["b64"]))))
    assert drawn.tolist() == [[outside, classes - 1, classes - 1, outside]] * 2


def test_errors_are_drawn_from_black_to_white():
    drawn = answers.kind("heat").file(np.array([[0.0, 1.0], [2.0, 1 / 9]]), ABOUT)
    pixels = np.asarray(Image.open(io.BytesIO(drawn)))
    assert pixels[0].tolist() == [[0, 0, 0], [255, 255, 255]]
    assert pixels[1].tolist() == [[255, 255, 255], [255, 0, 0]]


@pytest.mark.parametrize("kind", ["code", "number"])
def test_numbers_are_written_as_numpy_reads_them(kind):
    np.testing.assert_array_equal(np.load(io.BytesIO(file(kind))), VALUES[kind])


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("boxes", [["top", "left", "bottom", "right"], ["1.0", "2.0", "30.5", "40.0"], ["0.0", "0.0", "5.0", "6.0"]]),
        ("names", [["class"], ["dog"], ["cat"], ["caf\ufffd"]]),
        ("scores", [["score"], ["0.75"], ["0.125"], ["0.125"]]),
        ("probabilities", [["class", "probability"], ["cat", "0.125"], ["dog", "0.75"], ["cow", "0.125"]]),
    ],
)
def test_tables_are_csv(kind, rows):
    assert list(csv.reader(io.StringIO(file(kind).decode()))) == rows


def test_a_text_of_several_lines_is_a_file_of_them():
    assert file("text") == b"a dog\n"
    assert answers.kind("text").file(np.array([[b"a", b"b"], [b"c", b"d"]], object), ABOUT) == b"a\nb\nc\nd\n"


def test_a_person_sees_the_best_alone():
    about = About(ABOUT.class_names, top=1)
    outputs = {"classes": VALUES["names"], "scores": VALUES["scores"], "p": VALUES["probabilities"]}
    gives = {"classes": "names", "scores": "scores", "p": "probabilities"}
    assert answers.as_json(outputs, gives, about) == {"classes": ["dog"], "scores": [0.75]}, "what names say is not said twice"
    assert answers.as_json({"p": outputs["p"]}, gives, about) == {"p": [0.125, 0.75, 0.125]}
    assert answers.kind("probabilities").line(told("probabilities"), about) == "dog 0.7500"
    assert answers.kind("probabilities").line([0.5, 0.5], About()) == "0.5000 0.5000", "no names of these classes are known"


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="no kind of output 'picture'; there are: anomaly_score, boxes, bytes"):
        answers.kind("picture")
    assert [answers.by_values(is_text) for is_text in (False, True)] == ["number", "text"]
