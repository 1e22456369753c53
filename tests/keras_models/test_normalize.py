"""The first layer of every model: what it computes, and that it is saved with the model."""

import json
import zipfile

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from components.transform.whitening import zca
from keras_models import build
from keras_models.normalize import KINDS, inner, with_normalization
from tests.cheaper import Forked

MEAN, VARIANCE = (10.0, 100.0, 0.1), (4.0, 0.0, 1e-3)
EPSILON = 0.01
PIXELS = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3)).astype("float32")


def echo(shape=(5, 6, 3)):
    """A net that returns what it is given."""
    image = keras.Input(shape, name="image")
    return keras.Model(image, keras.layers.Identity(name="echo")(image), name="echo_net")


def normalised(kind, pixels=PIXELS, mean=MEAN, variance=VARIANCE, whitening=None):
    return with_normalization(echo(pixels.shape[1:]), kind, mean, variance, whitening).predict(pixels, verbose=0)


def learned(pixels, epsilon=EPSILON):
    """Mean and whitening matrix of these images."""
    rows = pixels.reshape(len(pixels), -1).astype("float64")
    return zca(rows.mean(0), np.cov(rows, rowvar=False, bias=True), epsilon)


def some_whitening(shape):
    return learned(np.random.default_rng(2).integers(0, 256, (20, *shape)).astype("float32"))


@pytest.fixture(scope="module")
def digits():
    return np.round(load_digits().images * (255 / 16)).astype("float32")[..., None]


def test_none():
    np.testing.assert_array_equal(normalised("none"), PIXELS)


def test_unit():
    np.testing.assert_allclose(normalised("unit"), PIXELS / 255, rtol=1e-6)


def test_per_image():
    axes = (1, 2, 3)
    x = PIXELS.astype("float64")
    expected = (x - x.mean(axes, keepdims=True)) / x.std(axes, keepdims=True)
    np.testing.assert_allclose(normalised("per_image"), expected, atol=1e-5)


@pytest.mark.parametrize("value", [0, 7.3, 200, 255])
def test_per_image_of_a_constant_image_is_zero(value):
    np.testing.assert_allclose(normalised("per_image", np.full((2, 17, 13, 1), value, "float32")), 0, atol=2e-3)


def test_per_channel():
    expected = (PIXELS - MEAN) / np.sqrt([4.0, 255.0**2, 1e-3])
    np.testing.assert_allclose(normalised("per_channel"), expected, rtol=1e-5)


def test_zca_leaves_a_covariance_of_the_identity_where_there_is_variance(digits):
    white = normalised("zca", digits, whitening=learned(digits, 1e-9)).reshape(-1, 64).astype("float64")
    covariance = np.cov(white, rowvar=False, bias=True)
    varies = np.linalg.eigvalsh(np.cov(digits.reshape(-1, 64), rowvar=False, bias=True) / 255**2) > 1e-6
    expected = np.sort(np.where(varies, 1.0, 0.0))
    np.testing.assert_allclose(np.linalg.eigvalsh(covariance), expected, atol=2e-3)
    np.testing.assert_allclose(white.mean(0), 0, atol=1e-3)


def test_zca_shrinks_each_direction_by_its_variance_and_epsilon(digits):
    rows = digits.reshape(-1, 64).astype("float64") / 255
    variances, directions = np.linalg.eigh(np.cov(rows, rowvar=False, bias=True))
    white = normalised("zca", digits, whitening=learned(digits)).reshape(-1, 64)
    expected = directions @ np.diag(variances / (variances + EPSILON)) @ directions.T
    np.testing.assert_allclose(np.cov(white, rowvar=False, bias=True), expected, atol=1e-4)


def test_zca_is_scikit_learn_s_whitening_turned_back(digits):
    varied = digits[:, 2:6, 2:6]
    rows = varied.reshape(len(varied), -1).astype("float64") / 255
    pca = PCA(whiten=True).fit(rows)
    expected = pca.transform(rows) @ pca.components_ * np.sqrt(len(rows) / (len(rows) - 1))  # scikit-learn divides by n - 1
    whitened = normalised("zca", varied, whitening=learned(varied, 1e-12)).reshape(len(rows), -1)
    np.testing.assert_allclose(whitened, expected, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_contract(kind):
    net = build("conv_autoencoder", {"input_shape": (9, 7, 3)}, {"filters": (2,), "code_size": 3})
    model = with_normalization(net, kind, MEAN, VARIANCE, some_whitening((9, 7, 3)))
    assert [layer.name for layer in model.layers] == ["pixels", "normalize", "net"]
    assert (model.input_shape, model.output_shape, model.name) == (net.input_shape, net.output_shape, "conv_autoencoder")
    assert model.input.dtype == "float32"
    assert [id(w) for w in model.trainable_variables] == [id(w) for w in net.trainable_variables]
    assert net.name == "conv_autoencoder"
    assert inner(model).get_layer("encoder") is net.get_layer("encoder")


def test_stays_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        for kind in KINDS:
            model = with_normalization(echo(), kind, MEAN, VARIANCE, some_whitening((5, 6, 3)))
            assert (model.input.dtype, model.get_layer("normalize").output.dtype) == ("float32", "float32")
    finally:
        keras.config.set_dtype_policy("float32")


LOAD = """
import json, sys
from pathlib import Path
import keras, numpy as np


def main(kinds, wait):
    folder = Path(json.loads(wait()))
    for kind in kinds.split():
        ours = kind in ("lenet5_1998", "zca")
        if ours:
            import keras_models.layers
        model = keras.saving.load_model(folder / f"{kind}.keras")
        assert ("keras_models" in sys.modules) == ours
        np.save(folder / f"{kind}.again.npy", model(np.load(folder / f"{kind}.pixels.npy"), training=False))
"""


def test_reloads_bit_equal_in_a_fresh_process(tmp_path):
    """Stock layers need no code of ours; layers of ours need keras_models.layers alone."""
    autoencoder = build("conv_autoencoder", {"input_shape": (9, 7, 3)}, {"filters": (2,), "code_size": 3})
    whitening = some_whitening((9, 7, 3))
    kinds = sorted(KINDS, key="zca".__eq__)  # last, and so are layers of ours
    models = {kind: with_normalization(autoencoder, kind, MEAN, VARIANCE, whitening) for kind in kinds}
    lenet = build("lenet5_1998", {"input_shape": (16, 16, 3), "num_classes": 2}, {})
    models["lenet5_1998"] = with_normalization(lenet, "per_channel", MEAN, VARIANCE)
    out = {}
    for name, model in models.items():
        pixels = np.random.default_rng(1).uniform(0, 255, (2, *model.input_shape[1:])).astype("float32")
        np.save(tmp_path / f"{name}.pixels.npy", pixels)
        model.save(tmp_path / f"{name}.keras")
        out[name] = model(pixels, training=False)
    (tmp_path / "load.py").write_text(LOAD)
    with Forked(str(tmp_path / "load.py")) as fresh:
        fresh.stdin.write(json.dumps(" ".join(models)))
        fresh.communicate(json.dumps(str(tmp_path)), 600)
        assert fresh.returncode == 0
    for name in models:
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.again.npy"), out[name])


def test_a_whitening_matrix_is_no_text(tmp_path):
    with_normalization(echo((20, 20, 3)), "zca", whitening=(np.zeros(1200), np.eye(1200))).save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist()}
    assert sizes["config.json"] < 10_000
    assert sizes["model.weights.h5"] >= 4 * 1200**2


@pytest.mark.parametrize("whitening", [None, (np.zeros(90), np.eye(89)), (np.zeros(3), np.eye(90))])
def test_a_whitening_of_another_size(whitening):
    with pytest.raises(ValueError, match=r"^zca needs a mean of 90 values and a matrix of 90 x 90; got sizes"):
        normalised("zca", whitening=whitening)


def test_an_unknown_kind():
    with pytest.raises(ValueError, match=r"^kind must be none or unit or per_image or per_channel or zca; got 'z'$"):
        normalised("z")


@pytest.mark.parametrize(
    ("mean", "variance", "sentence"),
    [
        (None, VARIANCE, r"per_channel needs a finite mean for each of 3 channels; got None"),
        (MEAN, None, r"per_channel needs a finite variance for each of 3 channels; got None"),
        ((1.0,), VARIANCE, r"per_channel needs a finite mean for each of 3 channels; got \(1\.0,\)"),
        (MEAN, (1, 1, float("nan")), r"per_channel needs a finite variance for each of 3 channels; got \(1, 1, nan\)"),
        (MEAN, (1, 1, -1), r"per_channel needs variances of at least 0; got \(1, 1, -1\)"),
    ],
)
def test_statistics_that_do_not_fit(mean, variance, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        normalised("per_channel", mean=mean, variance=variance)
