"""Basis images are what the decoder itself adds, of every autoencoder that has them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy.special import logit

from keras_models import catalog, get
from keras_models.basis import basis

AUTOENCODERS = [name for name in catalog() if catalog()[name].task.startswith("reconstruction")]
ONE_LAYER = {"sparse_autoencoder": {"form": "dense"}, "denoising_autoencoder": {"form": "dense"}}


def decoder_of(name, **options):
    keras.utils.set_random_seed(1)
    return get(name).build(**{**get(name).tiny, **options}).get_layer("decoder")


def added(decoder):
    """What each number adds, found by asking the decoder: the difference that one unit of it makes, before a sigmoid."""
    size = decoder.input_shape[-1]
    codes = np.concatenate([np.zeros((1, size)), 0.5 * np.eye(size)]).astype(np.float32)
    images = np.asarray(decoder(tf.constant(codes)), np.float64)
    images = logit(images) if any("sigmoid" in str(layer.get_config()) for layer in decoder.layers) else images
    return 2 * (images[1:] - images[0])


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_a_basis_is_what_the_decoder_adds(name):
    decoder = decoder_of(name, **ONE_LAYER.get(name, {}))
    made = basis(decoder)
    if made is None:
        assert sum(bool(layer.weights) for layer in decoder.layers) > 1
    else:
        np.testing.assert_allclose(made, added(decoder), rtol=2e-4, atol=2e-5)
        assert np.abs(made).max() > 0


def test_a_tied_decoder_has_the_encoder_s_weights_turned():
    decoder = decoder_of("contractive_autoencoder", tied=True)
    np.testing.assert_allclose(basis(decoder), added(decoder), rtol=2e-4, atol=2e-5)


def test_a_square_kernel_is_not_turned():
    decoder = decoder_of("linear_autoencoder", code_size=20)
    np.testing.assert_allclose(basis(decoder), added(decoder), rtol=2e-4, atol=2e-5)


def test_what_is_no_matrix_has_no_basis():
    code = keras.Input((4,))
    image = layers.Conv2DTranspose(1, 2)(layers.Reshape((2, 2, 1))(code))
    assert basis(keras.Model(code, image)) is None
    assert basis(decoder_of("deep_autoencoder")) is None
    assert basis(decoder_of("vae")) is None
