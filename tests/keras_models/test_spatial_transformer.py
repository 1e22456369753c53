"""A spatial transformer before a classifier: at first nothing changes, and then it learns where to look."""

import keras
import numpy as np
import pytest

from keras_models import auxiliary, build
from keras_models.arithmetic import total_params
from keras_models.classifiers.googlenet import googlenet
from keras_models.classifiers.lenet import lenet5
from keras_models.spatial_transformer import TRANSFORMS, dense, with_spatial_transformer

IMAGES = np.random.default_rng(0).random((8, 16, 16, 1), dtype="float32")


def until(model, name):
    return keras.Model(model.input, model.get_layer(name).output)


def test_it_moves_what_it_sees_to_where_the_loss_wants_it():
    """Two blobs, left and right of the middle, each to be moved there: no one theta would do."""
    keras.utils.set_random_seed(0)
    y, x = np.meshgrid(*[np.arange(11) - 5.0] * 2, indexing="ij")
    blobs = np.exp(-((x - np.reshape([-2, 0, 2], (3, 1, 1))) ** 2 + y**2) / 8)[..., None].astype("float32")
    image = keras.Input((11, 11, 1))
    model = with_spatial_transformer(keras.Model(image, keras.layers.Identity()(image)), localise=lambda x: dense(x, (8,), "tanh"))
    model.compile(keras.optimizers.Adam(0.02), "mse")
    moved, wanted = blobs[[0, 2]], blobs[[1, 1]]
    before = np.square(moved - wanted).mean()
    steps = 120
    model.fit(np.tile(moved, (steps, 1, 1, 1)), np.tile(wanted, (steps, 1, 1, 1)), batch_size=2, shuffle=False, verbose=0)
    assert np.square(model(moved) - wanted).mean() < before / 20
    theta = until(model, "theta")(moved)
    np.testing.assert_allclose(theta[:, 2], [-0.4, 0.4], atol=0.08)  # 2 px of 10


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_before_another_classifier(transform, tmp_path):
    net = lenet5((16, 16, 1), 3)
    model = with_spatial_transformer(net, transform, localise=lambda image: dense(image, (4,)))
    x = IMAGES
    np.testing.assert_allclose(model(x), net(x), atol=1e-5)
    weights = model.get_layer("theta").get_weights()
    model.get_layer("theta").set_weights([weights[0], 0.9 * weights[1]])
    assert np.abs(model(x) - net(x)).max() > 1e-3
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras").predict(x), model.predict(x))
    assert {id(weight) for weight in net.weights} < {id(weight) for weight in model.weights}


def test_before_a_net_with_heads():
    net = googlenet((16, 16, 1), 3, "small", (1, 1, 1), 0.02)
    model = with_spatial_transformer(net)
    learner = auxiliary.learner(model)
    assert [output.shape for output in learner.outputs] == [(None, 3)] * 2
    assert total_params(learner) - total_params(model) == total_params(auxiliary.learner(net)) - total_params(net)


def test_a_net_that_sees_a_part_of_a_larger_image():
    net = lenet5((16, 16, 1), 3)
    model = with_spatial_transformer(net, input_shape=(31, 31, 1))
    assert model.input_shape == (None, 31, 31, 1)
    x = np.repeat(np.repeat(IMAGES, 2, 1), 2, 2)[:, :31, :31]
    np.testing.assert_allclose(until(model, "transformed")(x), IMAGES, atol=1e-5)
    with pytest.raises(ValueError, match=r"^the net wants 1 channels; input_shape has 3$"):
        with_spatial_transformer(net, input_shape=(31, 31, 3))


def of_one_s_own(input_shape, num_classes, transform="affine"):
    return with_spatial_transformer(lenet5(input_shape, num_classes), transform)


def test_in_a_builder_of_one_s_own():
    model = build(f"{__name__}:of_one_s_own", {"input_shape": (20, 20, 1), "num_classes": 3}, {"transform": "tps"})
    assert model.output_shape == (None, 3)


def test_the_smallest_input_of_the_localisation_network():
    def flat(*shape):
        return keras.Sequential([keras.Input(shape), keras.layers.Flatten()])

    assert with_spatial_transformer(flat(16, 16, 1)).output_shape == (None, 256)
    with pytest.raises(ValueError, match=r"16 x 15 px is too small: localisation_pool2 leaves .* works is 16 x 16 px$"):
        with_spatial_transformer(flat(16, 15, 1))
