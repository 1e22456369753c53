"""Predictive sparse decomposition: its objective falls at each alternation, and the decoder learns from optimal codes."""

import keras
import numpy as np
import pytest

from keras_models import auxiliary
from keras_models.autoencoders.predictive_sparse import psd
from tests.components import digits

IMAGES = (digits.images()[0][:200] / 255).astype("float32")
PENALTY, PULL = 0.3, 0.7


@pytest.fixture
def net():
    keras.utils.set_random_seed(0)
    return psd((8, 8, 1), 24, PENALTY, PULL)


def test_the_objective_falls_at_each_alternation(net):
    """Kavukcuoglu et al. 2008, section 3: z with the parameters held fixed, then the parameters with z held fixed."""
    optimal, encoder = net.get_layer("code"), net.get_layer("encoder")
    learner = auxiliary.learner(net)
    learner.compile(keras.optimizers.SGD(2e-3), net.get_layer("pixel_loss").of, run_eagerly=True)

    def objective(codes):
        apart = np.square(codes - np.asarray(encoder(IMAGES))).sum(1)
        return float(np.mean(np.asarray(optimal.objective(IMAGES, codes)) + PULL * apart))

    codes, objectives = np.asarray(encoder(IMAGES)), []
    objectives.append(objective(codes))
    for _ in range(6):
        codes = np.asarray(optimal([IMAGES, encoder(IMAGES)], training=True))
        objectives.append(objective(codes))
        said = learner.train_on_batch(IMAGES, IMAGES, return_dict=True)
        assert said["loss"] == pytest.approx(objectives[-1], rel=1e-4)  # z was the same, and the decoder was given it
        objectives.append(objective(codes))
    assert (np.diff(objectives) < 0).all()
    assert objectives[-1] < 0.8 * objectives[0]


def test_what_is_served_is_the_prediction(net):
    encoder, decoder = net.get_layer("encoder"), net.get_layer("decoder")
    np.testing.assert_allclose(net(IMAGES, training=False), decoder(encoder(IMAGES)), atol=1e-6)
    assert np.abs(np.asarray(net(IMAGES, training=True)) - np.asarray(net(IMAGES))).max() > 1e-2
    filters, gain = encoder.get_layer("filters"), encoder.get_layer("gain")
    gain.gain.assign(np.linspace(0.5, 2, 24))
    expected = gain.gain.numpy() * np.tanh(IMAGES.reshape(-1, 64) @ filters.kernel.numpy() + filters.bias.numpy())
    np.testing.assert_allclose(encoder(IMAGES), expected, atol=1e-5)


@pytest.mark.parametrize("options", [{"atoms": 0}, {"penalty": -1.0}, {"pull": 0}])
def test_what_it_refuses(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        psd((8, 8, 1), **options)
