"""The denoising autoencoder: a code larger than the image, and a loss of the paper's. Its parts: see test_coders.py."""

import numpy as np
import pytest

from keras_models import auxiliary
from keras_models.autoencoders.denoising import denoising_autoencoder


@pytest.mark.parametrize("form", ["dense", "convolutional"])
def test_a_code_may_be_larger_than_the_image(form):
    net = denoising_autoencoder((4, 3, 1), 40, form)
    assert net.get_layer("encoder").output_shape == (None, 40)
    assert net.output_shape == (None, 4, 3, 1)
    assert auxiliary.terms(net) == ()


def test_its_loss_is_the_cross_entropy_summed_over_pixels():
    net = denoising_autoencoder((4, 3, 1), 5)
    x = np.random.default_rng(0).random((2, 4, 3, 1), dtype="float32")
    given = net(x).numpy()
    expected = -(x * np.log(given) + (1 - x) * np.log(1 - given)).sum((1, 2, 3))
    np.testing.assert_allclose(net.get_layer("pixel_loss").of(x, given), expected, rtol=1e-5)
