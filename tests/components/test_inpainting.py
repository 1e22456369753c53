"""Missing pixels come from the manifold that the autoencoder learned; known ones are not touched."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from components import inpainting, keys
from components.trainer import export
from tests.components import digits
from tests.components.trainer.graphs import operations, random_ops

IMAGES = digits.images()[0][list(digits.rows(keys.TEST))].astype(np.float32)


def hole(rows: slice, columns: slice) -> np.ndarray:
    """Missing pixels, bool [8, 8, 1]."""
    missing = np.zeros((8, 8, 1), bool)
    missing[rows, columns] = True
    return missing


SQUARE = hole(slice(2, 5), slice(2, 6))
SPECKS = np.random.default_rng(0).random((8, 8, 1)) < 0.3


@pytest.fixture(scope="module")
def model():
    return digits.principal_autoencoder()[0]


def filled(model, images, missing, steps=inpainting.STEPS) -> np.ndarray:
    return inpainting.project(model, tf.constant(images), tf.constant(np.broadcast_to(missing, images.shape)), steps).numpy()


def error(model, missing, steps) -> float:
    """Mean squared error of pixels in [0, 1] where they are missing."""
    return float(np.square((filled(model, IMAGES, missing, steps) - IMAGES)[:, missing] / 255).mean())


@pytest.mark.parametrize("missing", [SQUARE, SPECKS], ids=["square", "specks"])
def test_missing_pixels_are_better_than_their_mean_and_than_after_one_step(model, missing):
    mean, once, iterated = (error(model, missing, steps) for steps in (0, 1, inpainting.STEPS))
    assert iterated < 0.9 * once < once < 0.9 * mean


def test_a_model_that_learned_nothing_fills_in_nothing_useful(model):
    crippled, _ = digits.principal_autoencoder()
    weights = crippled.get_weights()
    crippled.set_weights([np.random.default_rng(0).permutation(weight.ravel()).reshape(weight.shape) for weight in weights])
    assert error(crippled, SQUARE, inpainting.STEPS) > 1.5 * error(model, SQUARE, inpainting.STEPS)


def test_known_pixels_come_back_as_they_were_and_missing_ones_do_not_matter(model):
    noise = np.random.default_rng(1).uniform(0, 255, IMAGES.shape).astype(np.float32)
    inpainted = filled(model, IMAGES, SQUARE)
    np.testing.assert_array_equal(inpainted[:, ~SQUARE], IMAGES[:, ~SQUARE])
    np.testing.assert_array_equal(filled(model, np.where(SQUARE, noise, IMAGES), SQUARE), inpainted)
    np.testing.assert_array_equal(filled(model, IMAGES, np.zeros_like(SQUARE)), IMAGES)


def test_without_any_known_pixel_there_is_an_answer_still(model):
    inpainted = filled(model, IMAGES[:2], np.ones_like(SQUARE))
    assert np.isfinite(inpainted).all()
    np.testing.assert_array_equal(inpainted[0], inpainted[1])


def png(mask: np.ndarray) -> bytes:
    return tf.io.encode_png(mask.astype(np.uint8)).numpy()


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    """The signatures `inpaint*` alone, exported: folder and what it loads to."""
    task = SimpleNamespace(
        signatures=lambda model, card: {"inpaint": inpainting.signature(model, card)},
        beside=lambda model: {},
        predicts="serving_default",
    )
    folder = tmp_path_factory.mktemp("inpaint") / "artifact" / "saved"
    export.write(folder, model, task, digits.principal_autoencoder()[1], SimpleNamespace(validation=[]))
    return folder, tf.saved_model.load(str(folder)).signatures


def test_it_is_served_with_masks_of_any_size_resized_as_their_images(served, model):
    folder, signatures = served
    large = np.repeat(np.repeat(np.where(SQUARE, 128, 127), 3, 0), 3, 1)
    masks = tf.constant([png(large), png(np.where(SPECKS, 255, 0))])
    answer = signatures["inpaint_pixels"](pixels=tf.constant(IMAGES[:2]), mask=masks)["images"].numpy()
    for image, missing, given in zip(IMAGES, (SQUARE, SPECKS), answer, strict=False):
        np.testing.assert_allclose(given, filled(model, image[None], missing)[0], rtol=1e-5, atol=1e-4)
    encoded = tf.constant([png(image) for image in IMAGES[:2]])
    np.testing.assert_allclose(signatures["inpaint_image_bytes"](image_bytes=encoded, mask=masks)["images"], answer, atol=1e-4)
    assert "MatMul" in operations(folder)
    assert random_ops(folder) == set()


@pytest.mark.parametrize("masks", [[png(SQUARE)], [png(SQUARE)] * 3, [b"no image"] * 2], ids=["one", "three", "damaged"])
def test_a_mask_that_is_damaged_or_one_for_several_images_is_refused(served, masks):
    with pytest.raises(tf.errors.InvalidArgumentError):
        served[1]["inpaint_pixels"](pixels=tf.constant(IMAGES[:2]), mask=tf.constant(masks))


def test_the_gate_sends_a_mask_that_leaves_something_to_do(served, model):
    card = digits.principal_autoencoder()[1]
    masks = inpainting.signature(model, card).extra["mask"].example(3)
    missing = inpainting.missing(masks, card).numpy()
    assert missing.shape == (3, 8, 8, 1)
    assert 0 < missing.mean() < 1
    assert inpainting._square(1, 1).numpy().any()
