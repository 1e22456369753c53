"""Detectors that are held against masks: what is counted of pixels is of the map that is served, in the size of the masks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from components import keys
from components.evaluator.localization import COLUMNS, OfPixels
from components.example_gen import records
from components.tasks.by_name import name_of, task_of
from components.tasks.judges.by_name import judge_of
from components.tasks.reports.by_name import report_of
from components.trainer import endpoints
from configs.schema.anomaly import AnomalyConfig
from tests.components import digits
from tests.components.tasks import test_anomaly as plain

NAME = "anomaly_localization:reconstruction"
TASK, JUDGE = task_of(NAME), judge_of(NAME)
SIZE = (20, 13)  # height and width of the images, px
IMAGES = 24


@pytest.fixture(scope="module")
def located():
    """What the signature says of digits that were made larger, half of which have a block of noise, and the masks of that."""
    keras.utils.set_random_seed(0)
    model = plain.autoencoder()
    card = plain.card_of(model, task=TASK).model_copy(update={"task": NAME})
    generator = np.random.default_rng(0)
    examples, masks, images = [], [], []
    for number, image in enumerate(digits.images()[0][:IMAGES]):
        large = tf.image.resize(image.astype(np.float32), SIZE).numpy().round()
        mask = np.zeros((*SIZE, 1), np.uint8)
        if number % 2:
            mask[4:9, 2:7] = mask[15, 11] = 1
            large[mask > 0] = generator.integers(0, 256, (mask > 0).sum())
        encoded = (tf.io.encode_png(part.astype(np.uint8)).numpy() for part in (large, mask))
        image, mask_png = encoded
        size = {keys.IMAGE_HEIGHT: SIZE[0], keys.IMAGE_WIDTH: SIZE[1]}
        targets = {keys.MASK: (mask_png, tuple(np.unique(mask).tolist()))}
        examples.append(records.example(image, f"{number}".encode(), number % 2, targets, measures=size))
        masks.append(mask[..., 0])
        images.append(image)
    made = endpoints.of(TASK.signatures(model, card), card)
    assert "located_pixels" not in made, "masks stand in examples alone"
    told = plain.numpy_of(made["located"].function(tf.constant(examples)))
    maps = made["anomalies_image_bytes"].function(tf.constant(images))["anomaly_map"]
    return card, told, np.array(masks) > 0, tf.image.resize(maps, SIZE).numpy()[..., 0]


def test_pixels_are_counted_by_the_score_of_the_served_map_in_the_mask_s_own_size(located):
    card, told, masks, maps = located
    at = np.array(card.calibrated["anomaly"]["edges"], np.float32)
    assert told["normal_pixels"].shape == told["defect_pixels"].shape == (IMAGES, len(at) + 1)
    np.testing.assert_array_equal(told["normal_pixels"].sum(1) + told["defect_pixels"].sum(1), np.prod(SIZE))
    np.testing.assert_array_equal(told["regions"], [ndimage.label(mask, np.ones((3, 3)))[1] for mask in masks])
    for name, chosen in (("normal_pixels", ~masks), ("defect_pixels", masks)):
        bins = [np.searchsorted(at, map_[part], "right") for map_, part in zip(maps, chosen, strict=True)]
        expected = np.stack([np.bincount(of_image, minlength=len(at) + 1) for of_image in bins])
        assert np.abs(told[name] - expected).sum() <= 0.01 * expected.sum(), "but for what lies on an edge"
    rows = {name: told[name] for name in COLUMNS}
    bound = OfPixels("pixel_bound").value(rows)
    assert 0 < bound < 0.1
    assert abs(OfPixels("pixel_auroc").value(rows) - roc_auc_score(masks.ravel(), maps.ravel())) <= bound + 1e-3


def test_the_judge_keeps_the_pixels_of_an_image_beside_its_score(located):
    _, told, _, _ = located
    row = JUDGE.each({name: value[1] for name, value in told.items()}, 1)
    assert {"anomaly_score", "is_anomaly", "mse", "regions"} <= set(row)
    for name in COLUMNS[:-1]:
        np.testing.assert_array_equal(row[name], told[name][1])
    names = list(JUDGE.metrics)
    assert names[:5] == ["auroc", "average_precision", "pixel_auroc", "pixel_average_precision", "aupro"]
    assert set(judge_of("anomaly:reconstruction").metrics) < set(names)
    assert all(set(JUDGE.metrics[name].statistic.columns) <= row.keys() | {keys.LABEL} for name in names[:5])


def test_what_is_served_and_found_is_as_without_masks(located):
    card, _, _, _ = located
    model = plain.autoencoder()
    ours, theirs = TASK.signatures(model, card), plain.TASK.signatures(model, card)
    assert set(ours) == {*theirs, "located"}
    assert list(ours)[:2] == list(theirs)[:2]
    assert TASK.targets == (*plain.TASK.targets, keys.MASK)
    pixels = plain.pixels_of(slice(0, 4))
    paired, without = TASK.pair(pixels, {keys.MASK: tf.zeros([4, 8, 8, 1], tf.int64)}), plain.TASK.pair(pixels, {})
    np.testing.assert_array_equal(paired[1], without[1])


def test_data_that_names_masks_makes_a_detector_one_of_places():
    assert name_of("reconstruction", AnomalyConfig(), {"mask": "ground_truth"}) == NAME
    assert name_of("reconstruction", AnomalyConfig(), {"label": "kind"}) == "anomaly:reconstruction"
    assert name_of("reconstruction", None, {"mask": "ground_truth"}) == "reconstruction"
    assert report_of(NAME) is not None
