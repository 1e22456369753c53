"""The example of docs/variational.md draws its code in training, learns, and is served without drawing."""

import keras
import numpy as np
import pytest

import keras_models
from keras_models import auxiliary
from tests.docs.pages import Place


@pytest.fixture
def place(tmp_path, monkeypatch):
    made = Place(tmp_path / "examples", monkeypatch)
    yield made
    made.leave()


def test_a_code_of_one_s_own_is_drawn(place):
    place.put("drawn_code.py", page="docs/variational.md")
    keras.utils.set_random_seed(0)
    net = keras_models.build("drawn_code:build", {"input_shape": (4, 3, 1)}, {"code_size": 2})
    images = np.random.default_rng(0).random((16, 4, 3, 1), dtype="float32")
    learner = auxiliary.learner(net)
    assert (np.asarray(learner(images, training=True)[0]) != np.asarray(learner(images, training=True)[0])).any()
    np.testing.assert_array_equal(net(images), net.get_layer("decoder")(net.get_layer("encoder")(images)))
    learner.compile(keras.optimizers.Adam(0.02), net.get_layer("pixel_loss").of, run_eagerly=True)
    history = learner.fit(images, images, batch_size=16, epochs=12, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert history["loss"][0] == pytest.approx(history["data_loss"][0] + 0.01 * history["kl"][0], rel=1e-5)
