"""Local response normalization against NumPy, the paper's equation map by map."""

import keras
import numpy as np
import pytest

from keras_models.layers.local_response import LocalResponseNormalization


def equation(a, k, n, alpha, beta):
    maps = a.shape[-1]
    b = np.empty_like(a)
    for i in range(maps):
        around = [a[..., j] ** 2 for j in range(max(0, i - n // 2), min(maps - 1, i + n // 2) + 1)]
        b[..., i] = a[..., i] / (k + alpha * sum(around)) ** beta
    return b


@pytest.mark.parametrize(("maps", "n"), [(7, 5), (2, 5), (4, 1), (6, 3)])
def test_against_numpy(maps, n):
    x = np.random.default_rng(0).normal(0, 50, (2, 3, 4, maps))  # large enough for the sum to count
    out = LocalResponseNormalization(n=n)(x.astype("float32"))
    np.testing.assert_allclose(out, equation(x, 2, n, 1e-4, 0.75), rtol=1e-5)


def test_constants_are_the_paper_s_and_free():
    x = np.random.default_rng(0).normal(0, 3, (2, 5))
    layer = LocalResponseNormalization(name="norm1")
    assert layer.get_config().items() >= {"k": 2, "n": 5, "alpha": 1e-4, "beta": 0.75}.items()
    out = LocalResponseNormalization(k=1, n=3, alpha=0.5, beta=0.6)(x.astype("float32"))
    np.testing.assert_allclose(out, equation(x, 1, 3, 0.5, 0.6), rtol=1e-5)


def test_half_precision_survives_large_values():
    layer = LocalResponseNormalization(dtype="mixed_float16")
    out = layer(np.full((1, 2, 2, 5), 1000, "float16"))
    assert out.dtype == "float16"
    np.testing.assert_allclose(out[0, 0, 0, 2], 1000 / 502**0.75, rtol=1e-3)


def test_an_even_neighbourhood():
    with pytest.raises(ValueError, match=r"^n must be odd, a map and as many on either side; got 4$"):
        LocalResponseNormalization(n=4)


def test_config_is_complete():
    layer = LocalResponseNormalization(1.0, 3, 0.1, 0.5, name="norm1")
    assert LocalResponseNormalization.from_config(layer.get_config()).get_config() == layer.get_config()
    assert keras.layers.deserialize(keras.layers.serialize(layer)).get_config() == layer.get_config()
    assert layer.compute_output_shape((None, 4, 5, 6)) == (None, 4, 5, 6)
