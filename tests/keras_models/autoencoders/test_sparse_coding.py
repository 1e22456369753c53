"""Sparse coding: what the encoder finds, what the dictionary learns from, and its codes as features."""

import keras
import numpy as np
import pytest

from keras_models import auxiliary, normalize, transfer
from keras_models.autoencoders.sparse_coding import sparse_coding
from keras_models.layers.sparse_inference import infer
from tests.components import digits

IMAGES = (digits.images()[0][:32] / 255).astype("float32")


@pytest.fixture(scope="module")
def net():
    keras.utils.set_random_seed(0)
    return sparse_coding((8, 8, 1), 12, 0.3)


def test_a_code_is_the_minimum_under_the_decoders_dictionary(net):
    dictionary = net.get_layer("decoder").get_layer("dictionary")
    codes = np.asarray(net.get_layer("encoder")(IMAGES))
    np.testing.assert_allclose(codes, infer(IMAGES.reshape(32, 64), dictionary.basis.numpy(), 0.3), atol=1e-5)
    assert {-1, 0, 1} == set(np.sign(codes).ravel())
    np.testing.assert_allclose(np.asarray(net(IMAGES)).reshape(32, 64), codes @ dictionary.basis.numpy(), atol=1e-5)


def test_a_step_goes_down_the_gradient_of_the_dictionary_with_codes_held_fixed():
    net = sparse_coding((8, 8, 1), 12, 0.3)
    dictionary, codes = net.get_layer("decoder").get_layer("dictionary"), np.asarray(net.get_layer("encoder")(IMAGES))
    before, rate = dictionary.basis.numpy(), 1e-4
    gradient = -2 * codes.T @ (IMAGES.reshape(32, 64) - codes @ before) / 32
    learner = auxiliary.learner(net)
    learner.compile(keras.optimizers.SGD(rate), net.get_layer("pixel_loss").of, run_eagerly=True)
    dictionary.basis._constraint = None  # which would move rows that begin above norm 1
    logs = learner.train_on_batch(IMAGES, IMAGES, return_dict=True)
    np.testing.assert_allclose((before - dictionary.basis.numpy()) / rate, gradient, atol=5e-3)
    assert logs["sparsity"] == pytest.approx(np.abs(codes).sum(1).mean(), rel=1e-4)
    assert logs["loss"] == pytest.approx(logs["data_loss"] + 0.3 * logs["sparsity"], rel=1e-5)


def test_under_the_logarithm_codes_are_small_and_not_zero():
    codes = np.asarray(sparse_coding((8, 8, 1), 12, 0.3, "log", 0.2).get_layer("encoder")(IMAGES))
    assert (codes != 0).all()
    assert 0.3 < (np.abs(codes) < 0.05).mean() < 1


def test_its_codes_are_a_transfers_features_signs_included(net, tmp_path):
    """Raina et al. 2007 classify by them."""
    pixels = IMAGES * 255
    features = transfer.extractor(normalize.with_normalization(net, "unit"))
    codes = np.asarray(features(pixels))
    np.testing.assert_allclose(codes, net.get_layer("encoder")(IMAGES), atol=1e-5)
    model = transfer.with_head(features, (8, 8, 1), keras.layers.Dense(3, name="logits"))
    assert [tuple(weight.shape) for weight in model.trainable_weights] == [(12, 3), (3,)]
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_allclose(again(pixels), model(pixels), atol=1e-5)


@pytest.mark.parametrize("options", [{"atoms": 0}, {"penalty": 0}, {"sparsity": "l0"}, {"scale": 0.0}])
def test_what_it_refuses(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        sparse_coding((8, 8, 1), **options)
