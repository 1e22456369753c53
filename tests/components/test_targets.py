"""Each kind of target on its way from a record through Transform and augmentation to a batch, against images that moved with it."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_metadata.proto.v0 import schema_pb2

from components import keys, targets
from components.example_gen import records
from components.transform.augment import steps as augment
from components.transform.follow import Resize
from configs.errors import UsageError
from configs.schema.augment import AugmentStep
from configs.schema.transform import TransformConfig

SIDES = (40, 60)  # height and width of an image, px
BOXES = [(4, 6, 16, 30), (20, 40, 38, 58), (0, 0, 10, 10)]


def drawn_box(box, sides=SIDES) -> np.ndarray:
    """White where the box is, uint8."""
    image = np.zeros(sides, np.uint8)
    image[box[0] : box[2], box[1] : box[3]] = 255
    return image


def around(image: np.ndarray) -> tuple:
    """The smallest box around what is at least half white."""
    rows, columns = (np.flatnonzero((image > 127).any(axis)) for axis in (1, 0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


def png(values) -> bytes:
    held = io.BytesIO()
    Image.fromarray(values).save(held, "PNG")
    return held.getvalue()


def parsed(kind: targets.Kind, values: list, sizes=SIDES) -> dict:
    """The raw features of records that hold these values."""
    measures = {keys.IMAGE_HEIGHT: sizes[0], keys.IMAGE_WIDTH: sizes[1]}
    held = [records.example(b"", b"%d" % n, None, {kind.name: value}, measures) for n, value in enumerate(values)]
    return tf.io.parse_example(held, kind.spec())


def resized(kind, values, config, sizes=SIDES):
    inputs = parsed(kind, values, sizes)
    return kind.resized(inputs, Resize(config, inputs, tf.constant(len(values))))


@pytest.mark.parametrize("resize", ["fit", "stretch", "crop"])
@pytest.mark.parametrize("size", [(20, 20), (33, 80), (64, 48)])
@pytest.mark.parametrize("sides", [SIDES, (60, 40), (41, 37)])
def test_a_box_is_resized_as_the_rectangle_that_it_is_around(resize, size, sides):
    config = TransformConfig(height=size[0], width=size[1], resize=resize, interpolation="nearest")
    box = (sides[0] // 4, sides[1] // 3, sides[0] * 3 // 4, sides[1] * 2 // 3)
    [[row]] = resized(targets.of(keys.OBJECTS), [[(*box, 3)]], config, sides).numpy()
    encoded = png(np.minimum(drawn_box(box, sides), 254))
    moved = Resize(config, {}, tf.constant(1)).nearest(tf.constant([encoded])).numpy()[0, ..., 0]
    moved[moved == targets.VOID] = 0  # bars
    np.testing.assert_allclose(row[:4], around(moved), atol=1.0)
    assert row[4] == 3


def test_a_box_that_is_cropped_away_is_none_and_one_that_is_cut_keeps_its_class():
    config = TransformConfig(height=40, width=40, resize="crop")  # the middle 40 of 60 columns
    table = [(0, 0, 40, 9, 1), (0, 5, 40, 20, 2), (0, 52, 40, 60, 3)]
    boxes = resized(targets.of(keys.OBJECTS), [table, [], table[:1]], config).numpy()
    np.testing.assert_array_equal(boxes, [[[0, 0, 40, 10, 2]], [[-1] * 5], [[-1] * 5]])


STEPS = {
    "flip": [{"flip": {"horizontal": True, "vertical": True}}],
    "translate": [{"translate": {"height": 0.2, "width": 0.3, "border": "constant"}}],
    "zoom": [{"zoom": {"factor": 0.4, "border": "constant"}}],
    "crop": [{"crop": {"share": 0.3, "pad": 4, "border": "constant"}}],
    "rotate": [{"rotate": {"degrees": 40, "border": "constant"}}],
    "shear": [{"shear": {"degrees": 30, "border": "constant"}}],
    "two borders": [{"rotate": {"degrees": 10, "border": "edge"}}, {"zoom": {"factor": 0.2, "border": "constant"}}, {"flip": {}}],
    "a turn that is a flip too": [{"rotate": {"degrees": 30, "border": "constant"}}, {"flip": {}}, {"shear": {"degrees": 10}}],
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_box_goes_where_the_pixels_of_its_rectangle_go(name, seed):
    """The image moves by resampling, from each of its pixels back; the box by the inverse, on its corners alone."""
    steps = [AugmentStep.model_validate(step) for step in STEPS[name]]
    box = (14, 24, 24, 36)
    image = tf.constant(drawn_box(box), tf.float32)[None, ..., None]
    drawn = tf.random.stateless_uniform([1, augment.draws(steps, (*SIDES, 1))], [seed, 0], -1.0, 1.0)
    table = tf.constant([[[*box, 7], [-1.0] * 5]], tf.float32)
    changed = augment.change(steps, image, drawn, targets={keys.OBJECTS: table})
    row, empty = changed.targets[keys.OBJECTS].numpy()[0]
    moved = changed.images.numpy()[0, ..., 0]
    slack = 1.6 if name in ("two borders",) else 1.0  # the box around a turned box is turned again
    top, left, bottom, right = around(moved)
    assert (row[:2] <= np.array([top, left]) + 1.0).all()
    assert (row[2:4] >= np.array([bottom, right]) - 1.0).all()
    if name != "two borders":
        np.testing.assert_allclose(row[:4], around(moved), atol=1 + slack)
    assert row[4] == 7
    assert (empty == -1).all()


def test_a_box_that_moves_out_is_none():
    steps = [AugmentStep.model_validate({"translate": {"height": 1.0, "border": "constant"}})]
    table = tf.constant([[[0, 0, 10, 10, 7], [30, 0, 40, 10, 8]]], tf.float32)
    blank = tf.zeros([1, *SIDES, 1])
    changed = augment.change(steps, blank, tf.constant([[0.0, 0.5]]), targets={keys.OBJECTS: table})
    [gone, kept] = changed.targets[keys.OBJECTS].numpy()[0]
    assert (gone == -1).all()
    np.testing.assert_allclose(kept, [10, 0, 20, 10, 8], atol=1e-4)


@pytest.mark.parametrize("name", ["two borders", "rotate"])
def test_a_map_goes_where_its_image_goes_by_the_nearest_value(name):
    steps = [AugmentStep.model_validate(step) for step in STEPS[name]]
    mask = np.zeros(SIDES, np.int64)
    for value, (top, left, bottom, right) in enumerate(BOXES, 1):
        mask[top:bottom, left:right] = value
    drawn = tf.random.stateless_uniform([1, augment.draws(steps, (*SIDES, 1))], [1, 0], -1.0, 1.0)
    changed = augment.change(steps, tf.zeros([1, *SIDES, 1]), drawn, targets={keys.MASK: tf.constant(mask)[None, ..., None]})
    moved = changed.targets[keys.MASK].numpy()
    assert moved.dtype == np.int64
    assert set(np.unique(moved)) <= {0, 1, 2, 3}
    for value in (1, 2, 3):  # each class by itself, in grey
        grey = augment.apply(steps, tf.constant((mask == value) * 255.0, tf.float32)[None, ..., None], drawn).numpy()
        sure = np.abs(grey - 127.5) > 100
        np.testing.assert_array_equal((moved == value)[sure], (grey > 127)[sure])


def test_elastic_is_refused_for_boxes_and_for_nothing_else():
    steps = [AugmentStep.model_validate({"flip": {}}), AugmentStep.model_validate({"elastic": {"alpha": 0.1}})]
    with pytest.raises(UsageError, match=r"elastic .* boxes") as refused:
        augment.check(steps, [keys.LABEL, keys.OBJECTS])
    assert "augment" in refused.value.hint
    augment.check(steps, [keys.LABEL, keys.MASK, keys.LABELS, keys.CAPTIONS])
    augment.check(steps[:1], [keys.OBJECTS])


def test_mirrored_objects_without_boxes_are_said():
    mirrored, constant = (AugmentStep.model_validate({"rotate": {"degrees": 5, "border": mode}}) for mode in ("mirror", "constant"))
    assert "rotate" in augment.doubts([mirrored], [keys.OBJECTS])[0]
    assert augment.doubts([constant], [keys.OBJECTS]) == []
    assert augment.doubts([mirrored], [keys.MASK]) == []
    assert augment.doubts([AugmentStep.model_validate({"flip": {}})], [keys.OBJECTS]) == []


VALUES = {
    keys.LABEL: [3, 0],
    keys.LABELS: [[1, 0, 1], [0, 0, 0]],
    keys.OBJECTS: [[(*box, n) for n, box in enumerate(BOXES)], []],
    keys.CAPTIONS: [["a cat", "a grey cat"], ["nothing"]],
    keys.MASK: [(png(drawn_box(box)), (0,)) for box in BOXES[:2]],
}
GIVEN = {
    keys.LABEL: [3, 0],
    keys.LABELS: [[1, 0, 1], [0, 0, 0]],
    keys.OBJECTS: [[(*box, n) for n, box in enumerate(BOXES)], [[-1] * 5] * 3],
    keys.CAPTIONS: [[b"a cat", b"a grey cat"], [b"nothing", b""]],
    keys.MASK: [drawn_box(box)[..., None] for box in BOXES[:2]],
}


@pytest.mark.parametrize("name", VALUES)
def test_what_a_record_holds_is_what_a_task_gets_by_each_way(name):
    """Through what is stored and read row by row, as training has it, at one go, as copies do, and not stored at all."""
    kind, config = targets.of(name), TransformConfig(height=SIDES[0], width=SIDES[1])
    values = resized(kind, VALUES[name], config)
    stored = kind.stored(values)
    assert stored.shape[0] == 2
    rows = tf.stack([kind.row(value, config) for value in stored])
    for batch in (kind.given(rows), kind.loaded(stored, config), kind.given(values)):
        np.testing.assert_array_equal(batch.numpy(), np.array(GIVEN[name]))
    again = kind.stored(kind.given(rows))
    np.testing.assert_array_equal(kind.loaded(again, config).numpy(), np.array(GIVEN[name]))


@pytest.mark.parametrize("error", [SyntaxError, ValueError, IndexError, Image.DecompressionBombError])
def test_a_mask_that_leads_pillow_into_any_error_is_no_image(monkeypatch, error):
    def decoded(opened, *_):
        raise error("broken PNG file")

    kind, encoded = targets.of(keys.MASK), png(np.zeros(SIDES, np.uint8))
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", decoded)
    with pytest.raises(ValueError, match=r"^mask is no image$"):
        kind.checked(encoded, *SIDES, ())


def test_a_mask_whose_second_chunk_is_damaged_is_no_image():
    sides = (400, 600)
    encoded = bytearray(png(np.random.default_rng(0).integers(0, 9, sides, np.uint8)))
    place = encoded.rindex(b"IDAT")
    assert place > encoded.index(b"IDAT")
    encoded[place : place + 4] = b"\0\0\0\0"  # Pillow: SyntaxError
    with pytest.raises(ValueError, match=r"^mask is no image$"):
        targets.of(keys.MASK).checked(bytes(encoded), *sides, ())


def test_a_mask_of_another_size_is_not_decoded(monkeypatch):
    encoded = png(np.zeros((SIDES[0], SIDES[1] + 1), np.uint8))
    decoded = []
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", lambda *_: decoded.append(1))
    with pytest.raises(ValueError, match="not of its image's size"):
        targets.of(keys.MASK).checked(encoded, *SIDES, ())
    assert not decoded


def test_what_is_of_no_class_is_in_the_mask_and_no_class_of_it(tmp_path):
    import tensorflow_data_validation as tfdv

    kind, names = targets.of(keys.MASK), ["sky", "sea"]
    mask = np.zeros(SIDES, np.uint8)
    mask[:9], mask[9] = 1, targets.VOID
    held, classes = kind.checked(png(mask), *SIDES, names)
    np.testing.assert_array_equal(tf.io.decode_png(held).numpy()[..., 0], mask)
    assert classes == (0, 1)
    with tf.io.TFRecordWriter(f"{tmp_path}/train.gz", "GZIP") as writer:
        for number in range(3):
            writer.write(records.example(b"", b"%d" % number, None, {keys.MASK: (held, classes)}))
    statistics = tfdv.generate_statistics_from_tfrecord(f"{tmp_path}/train.gz")
    schema = tfdv.infer_schema(statistics, infer_feature_shape=True)
    kind.describe(schema, names)
    assert not tfdv.validate_statistics(statistics, schema).anomaly_info


@pytest.mark.parametrize(("value", "dtype"), [(-2, np.int32), (-1, np.int32), (256, np.int32), (300, np.uint16)])
@pytest.mark.parametrize("names", [(), ("sky", "sea")])
def test_a_mask_s_values_do_not_wrap_around(value, dtype, names):
    held, mask = io.BytesIO(), np.zeros(SIDES, dtype)
    mask[3, 4] = value
    Image.fromarray(mask).save(held, "TIFF")
    with pytest.raises(ValueError, match="a class that there is none of"):
        targets.of(keys.MASK).checked(held.getvalue(), *SIDES, names)


def test_every_kind_is_known_by_its_name_and_other_integers_are_numbers():
    assert {name: kind.name for name, kind in targets.KINDS.items()} == {name: name for name in targets.KINDS}
    other = targets.of(keys.IMAGE_HEIGHT)
    assert other.resized({}, Resize(TransformConfig(), {}, tf.constant(2))).numpy().tolist() == [-1, -1]


def test_an_image_without_objects_is_no_anomaly():
    import tensorflow_data_validation as tfdv

    def statistics(values, folder):
        path = f"{folder}.gz"
        with tf.io.TFRecordWriter(path, "GZIP") as writer:
            for number, value in enumerate(values):
                writer.write(records.example(b"", b"%d" % number, None, {keys.OBJECTS: value}, {keys.IMAGE_HEIGHT: 9}))
        return tfdv.generate_statistics_from_tfrecord(path)

    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        train = statistics([[(0, 0, 5, 5, 1)], [(1, 1, 3, 3, 0)]] * 5, f"{folder}/train")
        test = statistics([[], [(1, 1, 3, 3, 0)] * 4, []], f"{folder}/test")
    schema = tfdv.infer_schema(train, infer_feature_shape=True)
    plain = schema_pb2.Schema.FromString(schema.SerializeToString())
    targets.of(keys.OBJECTS).describe(schema, ["cat", "dog"])
    assert tfdv.validate_statistics(test, plain).anomaly_info, "what TFDV infers refuses it"
    assert not tfdv.validate_statistics(test, schema).anomaly_info
    strange = schema_pb2.Schema.FromString(schema.SerializeToString())
    next(f for f in strange.feature if f.name == "objects/classes").int_domain.max = 0
    assert tfdv.validate_statistics(train, strange).anomaly_info, "a class that there is none of is one still"


def test_a_table_that_training_has_no_row_of_is_in_the_schema():
    schema = schema_pb2.Schema()
    targets.of(keys.OBJECTS).describe(schema, ["cat"])
    assert {feature.name: feature.type for feature in schema.feature} == {
        "objects/boxes": schema_pb2.FLOAT,
        "objects/classes": schema_pb2.INT,
    }


def test_the_classes_of_a_model_are_those_of_what_it_learns():
    names = {keys.LABEL: ["a"], keys.MASK: ["sky", "sea"], keys.OBJECTS: []}
    assert targets.classes_of([keys.MASK, keys.LABEL], names) == ["sky", "sea"]
    assert targets.classes_of([keys.OBJECTS, keys.IMAGE_HEIGHT], names) == ["a"]
    assert targets.classes_of([], {}) == []
