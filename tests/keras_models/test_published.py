"""keras.applications without a network: names, preprocessing, and what is said when weights cannot be fetched."""

import importlib

import keras
import numpy as np
import pytest
from keras.src.backend import config

from configs.errors import UsageError
from keras_models import published


def test_every_network_of_keras_is_known_by_name():
    assert {"MobileNetV2", "MobileNetV3Small", "EfficientNetV2B0", "VGG16", "ResNet50", "InceptionResNetV2"} <= set(
        published.modules()
    )
    for name, module in published.modules().items():
        assert callable(getattr(keras.applications, name))
        assert callable(importlib.import_module(module).preprocess_input)
    made = {name for name in dir(keras.applications) if name[0].isupper()}
    assert made == set(published.modules())


def test_a_typo_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"no network 'VGG15'; did you mean VGG1\d or VGG1\d") as caught:
        published.check("keras.applications:VGG15")
    assert "Xception" in caught.value.hint


@pytest.mark.parametrize("module", ["vgg16", "resnet_v2", "densenet", "efficientnet"])  # one of each way
def test_preprocessing_is_saved_with_the_model(module, tmp_path):
    prepare = importlib.import_module(f"keras.applications.{module}").preprocess_input
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, keras.layers.Identity()(prepare(image)))
    model.save(tmp_path / "model.keras")
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 4, 4, 3)).astype("float32")
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "model.keras")(pixels), prepare(pixels.copy()), rtol=1e-6)


def test_a_network_takes_pixels_and_gives_its_pooled_features():
    keras.utils.set_random_seed(0)
    model = published.model("keras.applications:MobileNet", 32, 32, weights=None)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    net = model.get_layer("net")
    np.testing.assert_allclose(model(pixels), net(pixels / 127.5 - 1), rtol=1e-4, atol=1e-5)
    assert model.output_shape == (None, 1024)
    assert model.input.name == "pixels"


def test_a_size_that_is_too_small_is_refused():
    with pytest.raises(UsageError, match=r"keras.applications:VGG16: Input size must be at least 32x32"):
        published.model("keras.applications:VGG16", 16, 16, weights=None)


def test_a_machine_without_a_network_is_told_where_to_put_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))  # read from KERAS_HOME when Keras is imported
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens
    with pytest.raises(UsageError, match=r"The weights of keras.applications:MobileNet cannot be fetched: .+\.$") as caught:
        published.model("keras.applications:MobileNet", 32, 32)
    assert caught.value.hint.startswith(f"Put mobilenet_1_0_224_tf_no_top.h5 into {tmp_path}/models; it is at https://")
