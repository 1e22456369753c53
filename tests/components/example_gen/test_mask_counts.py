"""Masks through ExampleGen: pixels by class counted, what was done to them said, shares in statistics and in drift."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from PIL import Image
from tfx.types import standard_artifacts

from components import keys
from components.example_gen import component, maps, sources
from components.example_validator import drift
from components.inputs import storage_of
from components.schema_gen.names import forget_values
from components.targets import of as kind_of
from configs.schema.data import DataConfig

GREY = {0: "background", 128: "cytoplasm", 255: "nucleus"}


def written(root, masks, **asked):
    """A folder of images, and of the masks (uint8, each of its image's size; None: there is none), and how it is read."""
    dice = np.random.default_rng(0)
    for number, mask in enumerate(masks):
        for folder in ("images", "masks"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        sides = (8, 8) if mask is None else mask.shape
        Image.fromarray(dice.integers(0, 256, sides, np.uint8)).save(root / f"images/{number}.png")
        if mask is not None:
            Image.fromarray(mask).save(root / f"masks/{number}.png")
    return DataConfig(source=f"folder:{root}", features={"mask": "masks/{name}.png"}, **{"mask_classes": GREY, **asked})


def generated(data, tmp_path):
    """The artifact, and the event that tells of it."""
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    made = component.ImageExampleGen(data, sources.locate(data, tmp_path), targets=[keys.MASK])
    properties = {name: value for name, value in made.exec_properties.items() if value is not None}
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(component.progress, "emit", lambda event, **value: told.append((event, value)))
        component.Executor().Do({}, {"examples": [examples]}, properties)
    return examples, dict(told)["images"]


def grey(number, nucleus=4, stray=None):
    mask = np.zeros((20, 10), np.uint8)
    mask[5:15], mask[8 : 8 + nucleus, :5] = 128, 255
    if stray is not None:
        mask[0, 0] = stray
    return mask


def records(examples, split=keys.TRAIN):
    paths = tf.io.gfile.glob(f"{examples.uri}/Split-{split}/*.gz")
    for record in tf.data.TFRecordDataset(paths, "GZIP").as_numpy_iterator():
        yield tf.train.Example.FromString(record).features.feature


def test_shares_of_pixels_are_counted_by_class_and_strays_said(tmp_path):
    masks = [grey(number, stray=40 if number % 10 == 0 else None) for number in range(40)]
    examples, told = generated(written(tmp_path / "d", masks, mask_snap=50), tmp_path)
    pixels = json.loads(examples.get_string_custom_property(keys.MAPS))[keys.MASK]
    images = json.loads(examples.get_string_custom_property(keys.COUNTS))
    assert pixels == {split: {"background": 100 * n, "cytoplasm": 80 * n, "nucleus": 20 * n} for split, n in images.items()}
    assert told["pixels"][keys.MASK][keys.TEST] == pytest.approx({"background": 0.5, "cytoplasm": 0.4, "nucleus": 0.1})
    [snapped] = told["warnings"]
    assert (
        snapped
        == "4 masks have values without a name that were taken for the nearest that has one (data.mask_snap), 4 pixels in all"
    )
    for feature in records(examples):
        assert feature["mask/share/nucleus"].float_list.value[:] == pytest.approx([0.1])


def test_a_value_that_no_class_has_sets_its_image_aside_and_is_named(tmp_path):
    masks = [grey(number, stray=7 if number == 3 else None) for number in range(40)]
    data = written(tmp_path / "d", masks, max_quarantined=0.1)
    _, told = generated(data, tmp_path)
    assert told["quarantined"] == {"mask has the value 7, which data.mask_classes does not name": 1}
    [aside] = told["warnings"]
    assert "images/3.png (mask has the value 7, which data.mask_classes does not name)" in aside


def test_masks_of_one_class_rare_classes_and_pixels_of_none_are_said(tmp_path):
    bare = [np.zeros((20, 10), np.uint8) for _ in range(40)]
    _, told = generated(written(tmp_path / "bare", bare), tmp_path / "bare")
    assert "every mask is of one class throughout, background: there is nothing to tell apart" in told["warnings"]
    assert "no training pixel is of cytoplasm, nucleus: nothing can be learned of them" in told["warnings"]
    masks = [grey(number, nucleus=0) for number in range(40)]
    for mask in masks[:10]:
        mask[:] = 128
    for mask in masks:
        mask[0, :2] = 9
        mask[1, :1] = 255
    _, told = generated(written(tmp_path / "rare", masks, mask_ignore=9), tmp_path / "rare")
    [rare] = told["warnings"]
    assert rare.startswith("fewer than 1% of the training pixels are of nucleus (0.51%): a loss")
    assert told["pixels"][keys.MASK][keys.TEST][maps.NO_CLASS] == pytest.approx(0.01)


def test_an_image_that_is_turned_takes_its_mask_along_and_that_is_said(tmp_path):
    data = written(tmp_path / "d", [grey(number) for number in range(40)])
    exif = Image.Exif()
    exif[0x0112] = 6
    for number in range(5):
        path = tmp_path / f"d/images/{number}.png"
        Image.open(path).save(path, exif=exif)
    examples, told = generated(data, tmp_path)
    assert "5 masks were turned as the EXIF tags of the image say" in told["warnings"]
    turned = [
        feature for split in keys.SPLITS for feature in records(examples, split) if feature["image/width"].int64_list.value[0] == 20
    ]
    assert len(turned) == 5
    for feature in turned:
        mask = tf.io.decode_png(feature[keys.MASK].bytes_list.value[0]).numpy()[..., 0]
        np.testing.assert_array_equal(mask, np.rot90(grey(0), -1) // 127)


def resident(what):
    """kB of this process: VmRSS now, VmHWM at most since clear_refs."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))


def test_an_image_of_twenty_megapixels_and_its_mask_take_a_few_bytes_a_pixel(tmp_path):
    """Of the process, with what TensorFlow and Pillow hold."""
    sides = 4000, 5000
    image = np.repeat(np.arange(sides[1], dtype=np.uint8)[None, :, None], sides[0], 0).repeat(3, 2)
    mask = np.where(image[..., 0] > 100, 255, 0).astype(np.uint8)
    encoded, truth = (tf.io.encode_png(values).numpy() for values in (image, mask[..., None]))
    data = DataConfig(features={"mask": "m"}, mask_classes={0: "background", 255: "cell"})
    storage_of("image").store(tf.io.encode_png(image[:8, :8]).numpy(), data)  # whatever is made once
    del image, mask
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    kept = storage_of("image").store(encoded, data)
    held = kind_of(keys.MASK).checked(truth, *kept.size, ["background", "cell"], data)
    assert sum(held.pixels) == sides[0] * sides[1]
    assert 1024 * (resident("VmHWM") - before) < 12 * sides[0] * sides[1]


def test_shares_of_pixels_drift_and_their_absence_is_no_anomaly(tmp_path):
    """What nuclei grew by; all else of the data is as it was."""
    data = [written(tmp_path / name, [grey(number, size) for number in range(40)]) for name, size in (("old", 2), ("new", 6))]
    examples = [generated(each, tmp_path / f"made{place}")[0] for place, each in enumerate(data)]
    before, after = (tfdv.generate_statistics_from_tfrecord(f"{each.uri}/Split-train/*.gz") for each in examples)
    schema = tfdv.infer_schema(before, infer_feature_shape=True)
    forget_values(schema)
    kind_of(keys.MASK).describe(schema, list(GREY.values()))
    moved, _ = drift.measured(after, schema, earlier=before)
    assert moved["mask/share/nucleus"] > 0.5
    assert moved["mask/share/background"] == 0.0
    bare = tfdv.generate_statistics_from_dataframe(pandas.DataFrame({"mask/share/nucleus": [0.1, None]}))
    anomalies = tfdv.validate_statistics(bare, schema).anomaly_info
    assert "mask/share/nucleus" not in anomalies
