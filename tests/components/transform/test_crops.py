"""Which crops are cut, and that what is served is their average (Krizhevsky et al. 2012, section 4.1)."""

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from components import keys
from components.infra_validator import parity
from components.tasks.by_name import task_of
from components.trainer import artifact, component, training
from components.trainer.card import Card
from components.transform import crops, pixels
from configs.errors import UsageError
from configs.schema.export import Crops
from configs.schema.transform import TransformConfig
from tests.components import digits

TREE = {**digits.MLP, "export": {**digits.MLP.get("export", {}), "crops": {"scale": 1.5}}}


@pytest.fixture(scope="module")
def averaging(artifacts, tmp_path_factory):
    """Folder of a Model artifact whose classifier answers with the mean of ten crops."""
    run = tmp_path_factory.mktemp("averaging")
    cfg = digits.trainer_slice(TREE)
    component.run_fn(digits.fn_args(run, artifacts.examples, artifacts.transform, artifacts.schema, cfg))
    return run / "model"


def test_four_corners_the_centre_and_their_mirror_images():
    image = np.arange(6 * 5).reshape(1, 6, 5, 1).astype(np.float32)
    config = TransformConfig(height=4, width=4)
    cut = crops.cut(tf.constant(image), Crops(), config).numpy()[:, 0, ..., 0]
    square = image[0, ..., 0]
    expected = [square[:4, :4], square[:4, 1:], square[2:, :4], square[2:, 1:], square[1:5, :4]]
    assert np.array_equal(cut, expected + [crop[:, ::-1] for crop in expected])
    assert np.array_equal(crops.cut(tf.constant(image), Crops(reflect=False), config)[:, 0, ..., 0], expected)


def test_the_paper_s_sizes():
    config = TransformConfig(height=224, width=224, channels=3)
    assert crops.enlarged(config, Crops()) == config.model_copy(update={"height": 256, "width": 256})
    assert crops.enlarged(config, None) is config
    images = tf.zeros([2, 8, 8, 1])
    assert crops.cut(images, None, config).shape == (1, 2, 8, 8, 1)


GOOGLENET = Crops(scale=[1.143, 1.286, 1.429, 1.571], squares=True)


@pytest.mark.parametrize("shape", [(30, 40), (40, 30)])
def test_the_squares_of_an_image_are_its_begin_middle_and_end(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 1)).astype(np.float32)
    config = crops.enlarged(TransformConfig(height=21, width=21), Crops(scale=[1.2, 30 / 21], squares=True))
    assert (config.height, config.width) == (30, 90)
    resized = pixels.resize(tf.constant(image), config).numpy()
    along = [image[:, at : at + 30] if shape[1] == 40 else image[at : at + 30] for at in (0, 5, 10)]
    assert np.array_equal(resized, np.concatenate(along, 1))


def test_googlenet_s_144_crops():
    config = TransformConfig(height=224, width=224, channels=3)
    assert [crops._sides(config, scale)[0] for scale in GOOGLENET.scales] == [256, 288, 320, 352]
    small = TransformConfig(height=21, width=28)
    large = crops.enlarged(small, GOOGLENET)
    assert (large.height, large.width) == (33, 3 * 44)
    images = tf.constant(np.random.default_rng(0).integers(0, 256, (2, large.height, large.width, 1)).astype(np.float32))
    cut = crops.cut(images, GOOGLENET, small).numpy()
    assert cut.shape == (144, 2, 21, 28, 1)
    assert np.array_equal(cut[72:], cut[:72, :, :, ::-1])
    assert np.array_equal(cut[15], images[:, :21, :28]), "the first square's first corner at the largest scale"
    assert np.array_equal(cut[24 + 18], images[:, -21:, 88 - 28 : 88]), "the second square's last corner at the largest scale"


def test_squares_are_no_way_to_resize_that_a_config_may_name():
    with pytest.raises(ValidationError):
        TransformConfig(resize="squares")


@pytest.mark.parametrize("tree", [{"scale": 1}, {"scale": 5}, {"count": 10}, {"scale": []}, {"scale": [2, 1]}])
def test_what_no_crop_can_be_is_refused(tree):
    with pytest.raises(ValidationError):
        Crops.model_validate(tree)


def test_what_is_served_is_the_mean_of_the_model_s_answers_for_each_crop(averaging):
    model, card = artifact.load(str(averaging)), Card.read(str(averaging))
    encoded = [tf.io.encode_png(digits.images()[0][i]).numpy() for i in list(digits.rows(keys.TEST))[:6]]
    large = pixels.from_bytes(tf.constant(encoded), TransformConfig(height=12, width=12)).numpy().astype(np.float32)
    expected = np.zeros((6, 10))
    for top, left in ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2)):
        for step in (1, -1):
            logits = model.predict(large[:, top : top + 8, left : left + 8][:, :, ::step], verbose=0).astype(np.float64)
            odds = np.exp(logits - logits.max(1, keepdims=True))
            expected += odds / odds.sum(1, keepdims=True) / 10
    loaded = tf.saved_model.load(str(averaging / "Format-Serving"))
    answer = loaded.signatures[keys.IMAGE_BYTES](image_bytes=tf.constant(encoded))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    every = loaded.signatures[keys.CLASSIFY](inputs=tf.constant(digits.examples(keys.TEST)[:6]))
    np.testing.assert_allclose(every["scores"], expected, atol=1e-6)
    uncropped = tf.nn.softmax(model(tf.cast(pixels.from_bytes(tf.constant(encoded), card.transform), tf.float32)))
    assert np.abs(uncropped - expected).max() > 1e-3, "the crops make a difference"


@pytest.mark.whole  # as above of what is served, and infra_validator/ of the gate
def test_served_equals_trained_with_crops_too(averaging):
    assert parity.refusal(str(averaging), averaging / "Format-Serving", digits.examples(keys.TEST)[:3]) is None


def test_a_task_without_classes_refuses_them(artifacts, tmp_path):
    cfg = digits.trainer_slice({**digits.AUTOENCODER, "export": {"crops": {}}})
    args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, artifacts.schema, cfg)
    with pytest.raises(UsageError, match=r"export.crops averages the probabilities of classes"):
        training.data_of(args, cfg, task_of("reconstruction"), "image")
