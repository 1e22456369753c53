"""Targets that are images: a mask goes where its image goes, and its classes never mix."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components import keys
from components.example_gen import records
from components.inputs import input_of
from components.targets import VOID
from components.trainer.epochs import augmentation
from components.trainer.info import DataInfo
from components.transform import pixels
from components.transform.follow import Resize
from configs.schema.augment import AugmentStep
from configs.schema.transform import TransformConfig


def png(values) -> bytes:
    held = io.BytesIO()
    Image.fromarray(np.asarray(values, np.uint8)).save(held, "PNG")
    return held.getvalue()


def test_a_resized_mask_holds_only_values_that_it_had():
    mask = np.zeros((8, 8), np.uint8)
    mask[2:6, 2:6] = 7
    config = TransformConfig(height=20, width=20, resize="stretch")
    resized = pixels.masks_from_bytes(tf.constant([png(mask)]), config).numpy()
    assert resized.shape == (1, 20, 20, 1)
    assert set(np.unique(resized)) == {0, 7}


def test_a_mask_is_padded_and_cropped_as_its_image_is():
    values = np.full((4, 8), 9, np.uint8)
    for resize in ("fit", "crop", "stretch"):
        config = TransformConfig(height=6, width=6, resize=resize)
        image = pixels.from_bytes(tf.constant([png(values)]), config).numpy()
        mask = pixels.masks_from_bytes(tf.constant([png(values)]), config).numpy()
        np.testing.assert_array_equal(image == 9, mask == 9)


@pytest.mark.parametrize("sides", [(4, 8), (9, 3), (6, 6)])
def test_the_bars_of_fit_are_of_no_class(sides):
    """They are none of the image: as class 0 they would be learned and counted as the easiest pixels of all."""
    white = np.full(sides, 255, np.uint8)
    for resize in ("fit", "crop", "stretch"):
        config = TransformConfig(height=6, width=6, channels=1, resize=resize)
        inside = pixels.from_bytes(tf.constant([png(white)]), config).numpy() == 255
        for value in (0, 7):
            mask = Resize(config, {}, tf.constant(1)).nearest(tf.constant([png(np.full(sides, value))])).numpy()
            np.testing.assert_array_equal(mask, np.where(inside, value, VOID))
        assert inside.all() == (resize != "fit" or sides == (6, 6))


def test_a_batch_pairs_a_flipped_image_with_its_flipped_mask():
    steps = [AugmentStep(flip={"horizontal": True})]
    images = tf.constant(np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1))
    rows = {keys.PIXELS: images, keys.MASK: images}
    info = DataInfo((4, 4, 1), [], 1)
    inputs, targets = augmentation(steps, input_of("image"), [keys.MASK], None, info)(rows, tf.constant([[-0.5, 0.5]]))
    np.testing.assert_array_equal(inputs.numpy()[0, :, :, 0], np.arange(16).reshape(4, 4)[:, ::-1])
    np.testing.assert_array_equal(targets[keys.MASK].numpy(), inputs.numpy().astype(np.int64))
    assert targets[keys.MASK].dtype == tf.int64


def test_a_record_holds_a_mask_and_whether_it_is_an_anomaly_only_where_they_are_known():
    bare = tf.train.Example.FromString(records.example(b"x", b"id", 3)).features.feature
    assert set(bare) == {keys.IMAGE_ENCODED, keys.EXAMPLE_ID, keys.LABEL}
    full = tf.train.Example.FromString(
        records.example(b"x", b"id", 3, {keys.MASK: (b"m", (0,)), keys.ANOMALY: True})
    ).features.feature
    assert full[keys.MASK].bytes_list.value[0] == b"m"
    assert full[keys.ANOMALY].int64_list.value[0] == 1
