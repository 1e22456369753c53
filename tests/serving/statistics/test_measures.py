"""What is measured of requests is what ExampleGen measures of images and texts; answers are measured by their kinds."""

import io

import numpy as np
import pytest
from PIL import Image

from components.example_gen import pictures
from components.inputs.storing.text import Storage
from configs.schema.reading import Reading
from serving.statistics import measures
from serving.statistics.measures import About, Measured

ABOUT = About({}, turns=True)


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def form(content: bytes) -> str:
    with Image.open(io.BytesIO(content)) as opened:
        return opened.format or ""


def smooth(height: int, width: int, *channels: int) -> np.ndarray:
    """uint8, bright at one end, with some noise."""
    ramp = np.linspace(20, 220, width)[None, :, *[None] * len(channels)] * np.ones((height, width, *channels))
    return np.clip(ramp + np.random.default_rng(0).normal(0, 8, ramp.shape), 0, 255).astype(np.uint8)


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


GREY, RGB, RGBA = Image.fromarray(smooth(12, 20)), Image.fromarray(smooth(12, 20, 3)), Image.fromarray(smooth(12, 20, 4), "RGBA")
GREY_ALPHA = Image.merge("LA", [GREY, Image.fromarray(smooth(12, 20)[:, ::-1].copy())])
DEEP = Image.fromarray(smooth(12, 20).astype(np.uint16) * 16)
CLEAR = RGB.quantize(8)
CLEAR.info["transparency"] = 0
FILES = {
    "grey": encoded(GREY),
    "colour": encoded(RGB),
    "one bit": encoded(GREY.convert("1")),
    "palette": encoded(RGB.quantize(16)),
    "transparent palette": encoded(CLEAR, transparency=0),
    "alpha": encoded(RGBA),
    "grey with alpha": encoded(GREY_ALPHA),
    "16 bits": encoded(DEEP),
    "JPEG": encoded(RGB, "JPEG", quality=95),
    "grey JPEG": encoded(GREY, "JPEG", quality=95),
    "JPEG on its side": encoded(RGB, "JPEG", quality=95, exif=turned(6)),
    "PNG on its side": encoded(RGB, exif=turned(8)),
    "large JPEG": encoded(Image.fromarray(smooth(1100, 1300, 3)), "JPEG", quality=90),
    "WebP": encoded(RGB, "WEBP", lossless=True),
    "BMP": encoded(RGB, "BMP"),
}


@pytest.mark.parametrize("name", FILES)
def test_an_image_is_measured_as_it_is_when_it_is_learned_from(name):
    read = pictures.read(FILES[name])
    told = measures.of_image(FILES[name], ABOUT)
    assert {key: told[key] for key in told if key != measures.BRIGHTNESS} == {
        key: value for key, value in read.measures.items() if key != measures.BRIGHTNESS
    }
    near = 1.0 if form(FILES[name]) == "JPEG" else 0.5 if name == "16 bits" else 1e-3
    assert told[measures.BRIGHTNESS] == pytest.approx(read.brightness, abs=near)
    assert told.keys() == read.measures.keys()


@pytest.mark.parametrize("name", ["alpha", "grey with alpha", "transparent palette", "16 bits"])
def test_by_the_ground_and_the_white_of_the_card(name):
    reading = {"ground": [200, 10, 60], "white": 4095}
    about = About.of({"reading": reading, "turns": True})
    read, told = pictures.read(FILES[name], Reading(**reading)), measures.of_image(FILES[name], about)
    assert told[measures.CHANNELS] == read.channels
    assert told[measures.BRIGHTNESS] == pytest.approx(read.brightness, abs=0.5)  # 16 bits and blending are rounded


def test_a_text_is_measured_as_it_is_when_it_is_learned_from():
    text = "Zwei  Wörter\tund\u00a0mehr\n".encode()
    assert measures.of_text(text) == Storage().store(text, None).numbers


@pytest.mark.parametrize(
    "content", [b"", b"no image", FILES["colour"][:60], FILES["JPEG"][:200], b"\x89PNG\r\n\x1a\n" + 30 * b"\xff"]
)
def test_what_cannot_be_read_is_counted_and_raises_nothing(content):
    with pytest.raises(measures.Unreadable):
        measures.of_image(content, ABOUT)
    measured = Measured()
    measured.add(ABOUT, "image_bytes", {"image_bytes": np.array([content, FILES["grey"]], object)}, {})
    assert (measured.examples, measured.unreadable) == (2, 1)
    assert measured.features[measures.WIDTH].count == 1


def test_more_pixels_than_the_graph_takes_are_not_decoded(monkeypatch):
    monkeypatch.setattr(measures, "MAX_PIXELS", 100)
    with pytest.raises(measures.Unreadable):
        measures.of_image(FILES["grey"], ABOUT)


def test_every_end_is_measured_alike():
    import tensorflow as tf

    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[FILES["colour"]]))
    example = tf.train.Example(features=tf.train.Features(feature={"image/encoded": feature})).SerializeToString()
    ends = {
        "image_bytes": np.array([FILES["colour"]], object),
        "examples": np.array([example], object),
        "inputs": np.array([example], object),
        "pixels": np.asarray(RGB, np.float32)[None],
    }
    told = [measures.of_inputs(ABOUT, {alias: array}, 0) for alias, array in ends.items()]
    assert told[0].keys() == {measures.HEIGHT, measures.WIDTH, measures.CHANNELS, measures.BRIGHTNESS}
    for other in told[1:]:
        assert other == pytest.approx(told[0], abs=1e-3)


CLASSIFIER = About({"serving_default": {"probabilities": "probabilities", "classes": "names", "scores": "scores"},
                    "classify": {"classes": "names", "scores": "scores"}}, ["a", "b"])  # fmt: skip


@pytest.mark.parametrize("signature", ["serving_default", "image_bytes", "pixels"])
def test_the_best_class_and_its_score(signature):
    answers = {
        "probabilities": np.array([[0.2, 0.8], [0.9, 0.1]]),
        "classes": np.array([[b"b", b"a"], [b"a", b"b"]], object),
        "scores": np.array([[0.8, 0.2], [0.9, 0.1]]),
    }
    told = measures.of_answers(CLASSIFIER, signature, answers, range(2))
    assert told == {measures.CLASS: [{"b": 1.0}, {"a": 1.0}], measures.SCORE: [0.8, 0.9]}
    assert measures.of_answers(CLASSIFIER, signature, {"probabilities": answers["probabilities"]}, range(2)) == told


def test_classify_lists_classes_in_label_order():
    answers = {"classes": np.array([[b"a", b"b"]], object), "scores": np.array([[0.25, 0.75]])}
    assert measures.of_answers(CLASSIFIER, "classify", answers, [0]) == {measures.CLASS: [{"b": 1.0}], measures.SCORE: [0.75]}


def test_of_several_classes_each_that_holds():
    about = About({"serving_default": {"held": "decisions", "classes": "names", "flags": "flags"}}, ["a", "b", "c"])
    names, flags = np.array([[b"c", b"a", b"b"]], object), np.array([[True, True, False]])
    held = {"held": np.array([[True, False, True]]), "classes": names, "flags": flags}
    assert measures.of_answers(about, "image_bytes", held, [0]) == {measures.CLASS: [{"a": 1.0, "c": 1.0}]}
    assert measures.of_answers(about, "image_bytes", {"classes": names, "flags": flags}, [0]) == {
        measures.CLASS: [{"a": 1.0, "c": 1.0}]
    }


def test_masks_by_the_share_of_each_class_and_anomalies_by_score_and_decision():
    about = About(
        {
            "serving_default": {"masks": "mask"},
            "anomalies": {"s": "anomaly_score", "is_anomaly": "is_anomaly", "threshold": "threshold"},
        },
        ["ground", "cell"],
    )
    mask = np.array([[[0, 0], [0, 1]]])
    assert measures.of_answers(about, "image_bytes", {"masks": mask}, [0]) == {measures.CLASS: [{"ground": 0.75, "cell": 0.25}]}
    answers = {"s": np.array([0.5, 2.0]), "is_anomaly": np.array([False, True]), "threshold": np.array([1.0, 1.0])}
    assert measures.of_answers(about, "anomalies_image_bytes", answers, range(2)) == {
        "answers/s": [0.5, 2.0],
        "answers/is_anomaly": [{"no": 1.0}, {"yes": 1.0}],
    }


def test_of_many_examples_some_evenly_apart():
    measured = Measured()
    measured.add(CLASSIFIER, "pixels", {"pixels": np.zeros((1000, 2, 2, 1), np.float32)}, {})
    assert measured.examples == measured.features[measures.WIDTH].count == measures.MAX_ROWS
    assert measured.requests == 1
