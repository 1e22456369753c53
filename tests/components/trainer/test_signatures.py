"""What a signature may say, each through a real export: labels besides, the image's own frame, lookup tables, bytes."""

import io
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import components.tasks
from components import keys
from components.evaluator import per_image
from components.example_gen import records
from components.infra_validator import parity
from components.tasks.base import Signature
from components.tasks.by_name import task_of
from components.trainer import export
from components.transform import placement
from tests.components import digits
from tests.components.evaluator.test_component import judged, said

SIDES = (16, 12)  # px of the model's input


def png(values) -> bytes:
    held = io.BytesIO()
    Image.fromarray(np.asarray(values, np.uint8)).save(held, "PNG")
    return held.getvalue()


def served(folder, signatures, resize="stretch", classes=()):
    """The signatures of a SavedModel of a net that answers an image with itself; `signatures(net, card)` says which it has."""
    image = keras.Input((*SIDES, 1))
    net = keras.Model(image, keras.layers.Rescaling(1.0)(image))
    card = digits.card(
        input_shape=(*SIDES, 1), class_names=list(classes), export={"warmup": 0},
        transform={"height": SIDES[0], "width": SIDES[1], "channels": 1, "resize": resize, "normalize": "none"},
    )  # fmt: skip
    task = SimpleNamespace(signatures=signatures, beside=lambda model: {}, predicts="serving_default")
    export.write(folder / "model" / "saved", net, task, card, SimpleNamespace(validation=[]))
    return tf.saved_model.load(str(folder / "model" / "saved")).signatures


def itself(net):
    return Signature(lambda pixels: {"images": net(pixels)}, gives={"images": "image"})


def bright_box(pixels):
    """Of the pixels above 127: float32 [N, 1, 4], top, left, bottom, right, edges."""
    bright, ends = pixels[..., 0] > 127, []
    for axis, length in ((2, pixels.shape[1]), (1, pixels.shape[2])):
        line = tf.reduce_any(bright, axis)
        places = tf.range(length)[None]
        first = tf.reduce_min(tf.where(line, places, length), 1)
        ends.append((first, tf.reduce_max(tf.where(line, places + 1, 0), 1)))
    (top, bottom), (left, right) = ends
    return tf.cast(tf.stack([top, left, bottom, right], 1)[:, None], tf.float32)


@pytest.mark.parametrize("resize", ["fit", "crop", "stretch"])
def test_answers_in_the_image_s_own_frame(tmp_path, resize):
    def boxes(pixels, frames):
        return {"boxes": placement.own_boxes(bright_box(pixels), frames), "frames": frames}

    signature = Signature(boxes, gives={"boxes": "boxes"}, frame=True)
    answer = served(tmp_path, lambda net, card: {"boxes": signature}, resize)
    for height, width in [(160, 120), (96, 300), (300, 96), (32, 24)]:
        wanted = np.array([height // 4, width // 4, height - height // 4, width - width // 4])
        image = np.zeros((height, width), np.uint8)
        image[wanted[0] : wanted[2], wanted[1] : wanted[3]] = 255
        if resize == "crop":  # what of it lies within the patch that is seen
            side = min(height / SIDES[0], width / SIDES[1])
            cut = [max(0, (size - side * seen) / 2) for size, seen in zip((height, width), SIDES, strict=True)]
            wanted = np.clip(wanted, [*cut, *cut], [height - cut[0], width - cut[1]] * 2)
        pixel = max(height / SIDES[0], width / SIDES[1])  # of the model, in px of the image
        by_bytes = answer["image_bytes"](image_bytes=tf.constant([png(image)]))
        by_pixels = answer["pixels"](pixels=tf.constant(image[None, ..., None], tf.float32))
        np.testing.assert_allclose(by_bytes["boxes"][0, 0], wanted, atol=pixel)
        np.testing.assert_array_equal(by_bytes["boxes"], by_pixels["boxes"])
        assert by_bytes["frames"][0, :2].numpy().tolist() == [height, width]


def test_a_frame_follows_after_the_placement(tmp_path):
    def both(pixels, placed, frames):
        return {"placed": placed, "shift": frames[:, 4:]}

    signature = Signature(both, placement=True, frame=True)
    answer = served(tmp_path, lambda net, card: {"both": signature}, "fit")["image_bytes"](image_bytes=[png(np.zeros((8, 12)))])
    assert answer["placed"].numpy().tolist() == [[4, 0, 8, 12]]
    assert answer["shift"].numpy().tolist() == [[4.0, 0.0]]


def test_a_lookup_table_is_part_of_what_is_served(tmp_path):
    def signatures(net, card, tracked):
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant([0, 1], tf.int64), tf.constant(["dark", "bright"])), "unknown"
        )

        def word(pixels):
            return {"word": table.lookup(tf.cast(tf.reduce_mean(pixels, [1, 2, 3]) > 127, tf.int64))}

        return {"word": Signature(word, gives={"word": "text"}, resources=[table] if tracked else [])}

    images = [png(np.full(SIDES, value)) for value in (0, 255)]
    answer = served(tmp_path / "whole", lambda net, card: signatures(net, card, True))["image_bytes"](image_bytes=images)
    assert answer["word"].numpy().tolist() == [b"dark", b"bright"]
    with pytest.raises(Exception, match="untracked"):
        served(tmp_path / "without", lambda net, card: signatures(net, card, False))


BYTES = tf.constant([bytes([value]) for value in range(256)])


def test_bytes_of_any_content_are_taken(tmp_path):
    def compress(pixels):
        values = tf.reshape(tf.cast(pixels, tf.int32), [tf.shape(pixels)[0], SIDES[0] * SIDES[1]])
        return {"packed": tf.strings.reduce_join(tf.gather(BYTES, values), 1)}

    def decompress(packed):
        values = tf.io.decode_raw(packed, tf.uint8, fixed_length=SIDES[0] * SIDES[1])
        return {"images": tf.cast(tf.reshape(values, [-1, *SIDES, 1]), tf.float32)}

    answer = served(
        tmp_path,
        lambda net, card: {
            "compress": Signature(compress, gives={"packed": "bytes"}),
            "decompress": Signature(decompress, gives={"images": "image"}, takes="bytes", made_by="compress"),
        },
    )
    image = np.arange(SIDES[0] * SIDES[1], dtype=np.uint8).reshape(SIDES)
    packed = answer["image_bytes"](image_bytes=[png(image)])["packed"]
    assert packed.numpy()[0] == image.tobytes()
    np.testing.assert_array_equal(answer["decompress"](bytes=packed)["images"][0, ..., 0], image)
    with pytest.raises(tf.errors.InvalidArgumentError):
        answer["decompress"](bytes=tf.constant([[b"a"]]))


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (Signature(dict, takes="bytes", made_by="x"), "it takes bytes"),
        (Signature(dict, given=["label"]), "it takes image and label"),
    ],
)
def test_the_first_signature_answers_any_image(tmp_path, signature, words):
    with pytest.raises(ValueError, match=words):
        served(tmp_path, lambda net, card: {"first": signature})


def test_a_signature_compares_something():
    with pytest.raises(ValueError, match="nothing is compared"):
        Signature(dict, compared=[])


TASK = '''
import tensorflow as tf
from components import keys
from components.evaluator.statistic import MeanRatio
from components.tasks import base
from components.tasks.base import Signature
from components.tasks.judges import base as judges
from components.tasks.judges.base import Metric

RATIO = {"part": "shared", "whole": "either"}


class Judge(judges.Judge):
    """By the overlap with the mask, summed over all images."""

    signature = "overlaps"
    label_key = keys.LABEL
    metrics = {
        "mean_iou": Metric("MeanRatio", "more", "components.evaluator.metrics", RATIO, statistic=MeanRatio(**RATIO, classes=2))
    }

    def each(self, outputs, label):
        return {f"{name}/{number}": float(value) for name in outputs for number, value in enumerate(outputs[name].ravel())}


class Task(base.Task):
    """Bright is class 1 and dark is class 0."""

    targets = (keys.MASK,)

    def pair(self, pixels, targets):
        return pixels, targets[keys.MASK]

    def compile(self, model, chosen):
        model.compile(chosen, loss="mse")

    def signatures(self, model, card):
        def classes(pixels):
            return tf.cast(model(pixels) > 127, tf.int64)

        def overlaps(pixels, masks):
            shared, either = [], []
            for number in (0, 1):
                wanted, there = masks == number, classes(pixels) == number
                for sums, both in ((shared, wanted & there), (either, wanted | there)):
                    sums.append(tf.reduce_sum(tf.cast(both, tf.float32), [1, 2, 3]))
            return {"shared": tf.stack(shared, 1), "either": tf.stack(either, 1)}

        return {
            "mask": Signature(lambda pixels: {"mask": classes(pixels)}, gives={"mask": "mask"}),
            "overlaps": Signature(overlaps, given=[keys.MASK], gives={"shared": "number", "either": "number"}),
        }
'''


@pytest.fixture
def overlapping(tmp_path, monkeypatch):
    """Test images with masks of other sizes and two labels, and -> the Model artifact of a net that adds `shift` to an image."""
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "overlapping.py").write_text(TASK)
    monkeypatch.setattr(components.tasks, "__path__", [*components.tasks.__path__, str(folder)])
    per_image._judge.cache_clear()
    generator, drawn = np.random.default_rng(0), []
    (tmp_path / "examples" / "Split-test").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(tmp_path / "examples/Split-test/data.gz"), "GZIP") as writer:
        for number in range(24):
            height, width = SIDES if number % 2 else (2 * SIDES[0], 2 * SIDES[1])
            pixels = np.kron(generator.integers(0, 256, SIDES), np.ones((height // SIDES[0], width // SIDES[1]))).astype(np.uint8)
            mask = ((pixels > 127) ^ (generator.random(pixels.shape) < 0.02 * number)).astype(np.uint8)
            drawn.append((pixels, mask, number % 3 == 0))
            writer.write(records.example(png(pixels), b"%d" % number, number % 3 == 0, {keys.MASK: (png(mask), ())}))

    def exported(shift=0.0, masked=True):
        image = keras.Input((*SIDES, 1))
        net = keras.Model(image, keras.layers.Rescaling(1.0, shift)(image))
        card = digits.card(
            task="overlapping", input_shape=(*SIDES, 1), class_names=["dark", "bright"], export={"warmup": 0},
            transform={"height": SIDES[0], "width": SIDES[1], "channels": 1, "resize": "stretch", "normalize": "none",
                       "interpolation": "area"},
        )  # fmt: skip
        at = tmp_path / f"model{shift}"
        export.write(at / "Format-Serving", net, task_of("overlapping"), card, SimpleNamespace(validation=[]))
        return at

    yield SimpleNamespace(examples=tmp_path / "examples", exported=exported, drawn=drawn)
    sys.modules.pop("components.tasks.overlapping")


def mean_iou(drawn, shift=0.0):
    """By NumPy, of the images at the model's size."""
    shared, either = np.zeros(2), np.zeros(2)
    for pixels, mask, _ in drawn:
        step = len(pixels) // SIDES[0]
        seen, wanted = pixels[::step, ::step] + shift > 127, mask[step // 2 :: step, step // 2 :: step]
        for number in (0, 1):
            shared[number] += np.sum((seen == number) & (wanted == number))
            either[number] += np.sum((seen == number) | (wanted == number))
    return np.mean(shared / either)


def test_a_figure_of_labels_and_answers_is_an_ordinary_metric(overlapping, tmp_path):
    """With slices, an interval, a bound and a change since an earlier model."""
    earlier, model = overlapping.exported(80.0), overlapping.exported()
    tree = {
        "thresholds": {"mean_iou": {"min": 0.99}},
        "change": {"mean_iou": {"max_drop": 0.0}},
        "slices": {"label": {"min_count": 2}},
    }
    (tmp_path / "evaluation").mkdir()
    evaluation, blessing = judged(model, overlapping.examples, tree, tmp_path / "evaluation", earlier)
    figures, intervals, slices, differences = said(evaluation, keys.METRICS, keys.INTERVALS, keys.SLICES, keys.DIFFERENCES)
    assert figures["mean_iou"] == pytest.approx(mean_iou(overlapping.drawn), rel=1e-6)
    low, high = intervals["mean_iou"]
    assert low < figures["mean_iou"] < high
    of_label = {int(label): mean_iou([row for row in overlapping.drawn if row[2] == label]) for label in (False, True)}
    assert {part["slice"]["label"]: part["metrics"]["mean_iou"] for part in slices} == pytest.approx(of_label, rel=1e-6)
    [difference] = differences
    assert difference["difference"] == pytest.approx(mean_iou(overlapping.drawn) - mean_iou(overlapping.drawn, 80.0), rel=1e-5)
    reason = blessing.get_string_custom_property(keys.REASON)
    assert reason == f"mean_iou {figures['mean_iou']:.4f} is below the minimum 0.99"


def test_labels_are_sent_to_the_parity_gate_too(overlapping):
    files = [str(path) for path in (overlapping.examples / "Split-test").iterdir()]
    rows = list(tf.data.TFRecordDataset(files, "GZIP").take(3).as_numpy_iterator())
    model = overlapping.exported()
    ends = tf.saved_model.load(str(model / "Format-Serving")).signatures
    assert set(ends) == {"serving_default", "image_bytes", "pixels", "mask", "mask_image_bytes", "mask_pixels", "overlaps"}
    assert parity.refusal(str(model), model / "Format-Serving", rows) is None
    other = overlapping.exported(90.0)
    assert "signature serving_default, image 0, output mask" in parity.refusal(str(model), other / "Format-Serving", rows)
    with pytest.raises(tf.errors.InvalidArgumentError, match="mask"):
        ends["overlaps"](examples=tf.constant([records.example(png(np.zeros(SIDES)), b"0")]))
