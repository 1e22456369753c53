"""The convolutional autoencoder: every size, and better than PCA."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_models.autoencoders.convolutional import conv_autoencoder

SIZES = [(28, 28, 1), (8, 8, 1), (9, 7, 1), (1, 1, 1), (2, 3, 3), (5, 17, 1), (33, 31, 3), (1, 40, 2)]


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("pooling", ["strided", "max"])
@pytest.mark.parametrize("filters", [(2,), (2, 3), (2, 3, 2, 3)], ids=str)
def test_reconstructs_the_exact_size(shape, upsampling, pooling, filters):
    model = conv_autoencoder(shape, 3, filters, upsampling=upsampling, pooling=pooling)
    assert model.output_shape == (None, *shape)
    out = np.asarray(model(np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")))
    assert out.shape == (2, *shape)
    assert out.min() >= 0
    assert out.max() <= 1


def test_parts():
    model = conv_autoencoder((9, 7, 1), 5, [2, 4])
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    x = np.random.default_rng(0).normal(size=(3, 9, 7, 1)).astype("float32")
    code = encoder(x)
    assert (code.shape, code.dtype) == ((3, 5), "float32")
    assert (np.asarray(code) < 0).any()  # linear
    np.testing.assert_array_equal(decoder(code), model(x))


def test_resize_has_no_transposed_convolution():
    kinds = {type(layer).__name__ for layer in conv_autoencoder(upsampling="resize").get_layer("decoder").layers}
    assert "UpSampling2D" in kinds
    assert "Conv2DTranspose" not in kinds


def test_pooling_keeps_the_largest_of_each_square_and_costs_no_parameter():
    strided, pooled = (conv_autoencoder((8, 8, 1), 5, (2, 4), pooling=pooling) for pooling in ("strided", "max"))
    assert [weight.shape for weight in pooled.weights] == [weight.shape for weight in strided.weights]
    down, pool = (pooled.get_layer("encoder").get_layer(name) for name in ("down1", "pool1"))
    x = np.random.default_rng(0).random((1, 8, 8, 1), dtype="float32")
    maps = np.asarray(down(x))
    np.testing.assert_array_equal(pool(maps), maps.reshape(1, 4, 2, 4, 2, 2).max((2, 4)))
    assert "pool1" not in [layer.name for layer in strided.get_layer("encoder").layers]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"code_size": 0}, "code_size must be a whole number of at least 1; got 0"),
        ({"filters": []}, r"filters must be a list of whole numbers from 1 with at least 1 of them; got \[\]"),
        ({"filters": [16, 0]}, r"filters must be a list of whole numbers from 1 with at least 1 of them; got \[16, 0\]"),
        ({"activation": "rleu"}, "activation must be the name of a Keras activation, such as relu, tanh or elu; got 'rleu'"),
        ({"upsampling": "cubic"}, "upsampling must be transposed or resize; got 'cubic'"),
        ({"pooling": "average"}, "pooling must be strided or max; got 'average'"),
        ({"input_shape": (28, 28, 0)}, r"input_shape must be \(height, width, channels\), whole numbers from 1; got \(28, 28, 0\)"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        conv_autoencoder(**options)


@pytest.mark.whole
def test_beats_pca_of_the_same_code_size():
    x = (load_digits().images[..., None] / 16).astype("float32")
    train, test = x[:1400], x[1400:]
    flat = train.reshape(len(train), -1)
    components = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:8]
    centred = test.reshape(len(test), -1) - flat.mean(0)
    pca = np.mean((centred - centred @ components.T @ components) ** 2)

    keras.utils.set_random_seed(0)
    model = conv_autoencoder((8, 8, 1), 8)
    model.compile(keras.optimizers.Adam(3e-3), "mse")
    normal = (x - flat.mean()) / flat.std()
    model.fit(normal[:1400], train, batch_size=32, epochs=6, verbose=0)
    assert model.evaluate(normal[1400:], test, verbose=0) < 0.9 * pca
