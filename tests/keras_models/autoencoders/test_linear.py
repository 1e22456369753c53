"""The linear autoencoder is principal component analysis, tied or not, and principal components are no weights to be learned."""

import keras
import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from keras_models.autoencoders.linear import linear_autoencoder, pca
from keras_models.parameters import frozen_params, total_params

X = np.random.default_rng(0).random((4, 5, 4, 1), dtype="float32")


@pytest.mark.parametrize("shape", [(28, 28, 1), (1, 1, 1), (5, 17, 3)], ids=str)
@pytest.mark.parametrize("tied", [False, True])
def test_reconstructs_the_exact_size(shape, tied):
    model = linear_autoencoder(shape, 3, tied)
    values = int(np.prod(shape))
    assert model.output_shape == (None, *shape)
    assert model.get_layer("encoder").output_shape == (None, 3)
    assert total_params(model) == (1 if tied else 2) * 3 * values + 3 + values


def test_tied_weights_are_one_matrix_and_go_on_being_one_after_a_file(tmp_path):
    model = linear_autoencoder((5, 4, 1), 3, tied=True)
    model.set_weights([np.random.default_rng(1).normal(size=weight.shape) for weight in model.get_weights()])
    kernel, code, pixels = model.get_weights()
    expected = (X.reshape(4, 20) @ kernel + code) @ kernel.T + pixels
    np.testing.assert_allclose(np.reshape(model(X), (4, 20)), expected, rtol=1e-4, atol=1e-4)
    model.save(tmp_path / "tied.keras")
    for _ in range(2):  # a second time nothing is left of the first
        again = keras.saving.load_model(tmp_path / "tied.keras")
        np.testing.assert_array_equal(again(X), model(X))
        assert total_params(again) == total_params(model) == 3 * 20 + 3 + 20
        assert again.get_layer("decoder").get_layer("pixels").of is again.get_layer("encoder").get_layer("code")
    again.get_layer("encoder").get_layer("code").kernel.assign(2 * kernel)
    np.testing.assert_allclose(
        again.get_layer("decoder")(np.float32([[1, 0, 0]]))[0, :, :, 0].numpy().ravel(), 2 * kernel[:, 0] + pixels
    )


def test_half_of_tied_weights_cannot_be_loaded_alone(tmp_path):
    linear_autoencoder((5, 4, 1), 3, tied=True).get_layer("decoder").save(tmp_path / "half.keras")
    with pytest.raises(ValueError, match="layer pixels shares its kernel with code, which is not in the same file"):
        keras.saving.load_model(tmp_path / "half.keras")


def test_nothing_in_pca_is_trained():
    model = pca((5, 4, 1), 20)
    assert (total_params(model), frozen_params(model)) == (0, 2 * 20 * 20 + 20 + 20)
    names = [layer.name for part in ("encoder", "decoder") for layer in model.get_layer(part).layers]
    assert names == [layer.name for part in ("encoder", "decoder") for layer in linear_autoencoder().get_layer(part).layers]


@pytest.mark.parametrize(
    ("build", "options", "sentence"),
    [
        (linear_autoencoder, {"code_size": 0}, "code_size must be a whole number of at least 1; got 0"),
        (linear_autoencoder, {"tied": 1}, "tied must be true or false; got 1"),
        (linear_autoencoder, {"input_shape": (5, 4)}, r"input_shape must be \(height, width, channels\), .* got \(5, 4\)"),
        (pca, {"input_shape": (5, 4, 1), "code_size": 21}, "code_size must be at most the 20 values of an image; got 21"),
    ],
)
def test_refusals(build, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        build(**options)


@pytest.mark.parametrize("tied", [False, pytest.param(True, marks=pytest.mark.whole)])
def test_gradient_descent_finds_the_principal_components(tied):
    x = (load_digits().images[..., None] / 16).astype("float32")
    exact = PCA(4).fit(x.reshape(len(x), -1))
    flat = x.reshape(len(x), -1)
    error = np.mean((flat - exact.inverse_transform(exact.transform(flat))) ** 2)
    keras.utils.set_random_seed(0)
    model = linear_autoencoder((8, 8, 1), 4, tied)
    steps = 29 * 50
    rate = keras.optimizers.schedules.CosineDecay(0.05, steps)
    model.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=29, jit_compile=False)
    model.fit(x, x, batch_size=62, epochs=50, verbose=0)
    assert np.mean((model.predict(x, 1797, verbose=0) - x) ** 2) < 1.01 * error
    kernel = model.get_layer("encoder").get_layer("code").kernel if tied else model.get_layer("decoder").get_layer("pixels").kernel
    spanned = np.asarray(kernel) if tied else np.asarray(kernel).T
    assert np.degrees(subspace_angles(spanned, exact.components_.T).max()) < 1
