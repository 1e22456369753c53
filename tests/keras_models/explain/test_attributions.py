"""What each method that says which pixels mattered must be, by its own paper's properties, and in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.explain import grad_cam, integrated_gradients, occlusion, saliency, smoothgrad
from keras_models.explain.attribution import target_of
from keras_models.explain.base import Asked, Unsuited
from keras_models.explain.network import Network, Target, background, scores
from tests.keras_models.explain.nets import correlated, images, linear, pooled, rectified

LOGITS = "net/logits"


def test_saliency_and_smoothgrad_of_a_linear_model_are_its_weights():
    model, weights = linear()
    network, x, target = Network(model), images((6, 6, 1)), Target(LOGITS, np.array([0, 1]))
    np.testing.assert_allclose(saliency.attribute(network, x, target), weights[:2], 1e-6)
    np.testing.assert_allclose(smoothgrad.attribute(network, x, target, copies=3), weights[:2], 1e-5)


def test_smoothgrad_is_the_mean_gradient_of_noisy_copies():
    network, x, target = Network(rectified()), images(many=1), Target(LOGITS, np.array([1]))
    draw = np.random.default_rng(smoothgrad.SEED).normal(0, 1, (4, *x.shape[1:])).astype("float32")
    noisy = x + 0.2 * np.ptp(x) * draw
    expected = saliency.attribute(network, noisy, target.repeated(4)).mean(0)
    np.testing.assert_allclose(smoothgrad.attribute(network, x, target, 4, 0.2)[0], expected, 1e-4, 1e-6)


def test_integrated_gradients_sum_to_the_difference():
    network, x, target = Network(rectified()), images(), Target(LOGITS, np.array([0, 2]))
    made = integrated_gradients.attribute(network, x, target, steps=300)
    whole = scores(network, x, target) - scores(network, np.broadcast_to(background(x), x.shape), target)
    np.testing.assert_allclose(made.sum((1, 2, 3)), whole, 5e-3, 0.05)
    assert np.abs(whole).min() > 0.5


def test_integrated_gradients_of_a_linear_model_are_weights_times_distance():
    model, weights = linear()
    x = images((6, 6, 1))
    made = integrated_gradients.attribute(Network(model), x, Target(LOGITS, np.array([0, 1])), 2, np.float32(10))
    np.testing.assert_allclose(made, weights[:2] * (x - 10), 1e-4, 1e-4)


def test_occlusion_of_a_linear_model_is_weights_times_distance():
    model, weights = linear()
    x = images((6, 6, 1))
    made = occlusion.attribute(Network(model), x, Target(LOGITS, np.array([0, 1])), 1, 1, np.float32(10))
    np.testing.assert_allclose(made, weights[:2] * (x - 10), 1e-3, 1e-3)


def test_occlusion_shares_what_a_patch_costs_among_its_pixels():
    model, weights = linear()
    x = images((6, 6, 1), many=1)
    made = occlusion.attribute(Network(model), x, Target(LOGITS, np.array([0])), 3, 3, np.float32(0))
    part = (weights[0] * x[0])[:3, 3:].sum() / 9
    np.testing.assert_allclose(made[0, :3, 3:, 0], part, 1e-3)
    np.testing.assert_allclose(made.sum(), (weights[0] * x[0]).sum(), 1e-3)


def test_occlusion_covers_the_last_rows_too():
    """With patches of 4 px and a step of 3 a side of 6 px is no whole number of steps."""
    made = occlusion.attribute(Network(linear()[0]), images((6, 6, 1), 1), Target(LOGITS, np.array([0])), 4, 3)
    assert np.isfinite(made).all()
    assert (made != 0).all()


def test_grad_cam_by_hand():
    """Equations 1 and 2 in NumPy: of a dense layer on maps the gradient is its weights where the ReLU was on."""
    model, x = rectified(), images(many=1)
    net, network = model.get_layer("net"), Network(model)
    maps = correlated(x[0], *map(np.asarray, net.get_layer("conv1").get_weights()))
    maps, _ = pooled(np.maximum(maps, 0))
    maps = np.maximum(correlated(maps, *map(np.asarray, net.get_layer("conv2").get_weights())), 0)
    weights = net.get_layer("logits").get_weights()[0][:, 1].reshape(maps.shape).mean((0, 1))
    expected = np.maximum((maps * weights).sum(-1), 0)
    assert expected.max() > 0
    made = grad_cam.heat(network, x, Target(LOGITS, np.array([1])))
    np.testing.assert_allclose(made[0], expected, 1e-4, 1e-4)
    enlarged = tf.image.resize(expected[..., None], (8, 8)).numpy()[..., 0]
    np.testing.assert_allclose(
        grad_cam.attribute(network, x, Target(LOGITS, np.array([1])))[0, ..., 0], enlarged * expected.size / 64, 1e-4, 1e-4
    )


def test_without_a_unit_each_image_is_asked_for_its_own_class():
    network, x = Network(rectified()), images(many=5)
    target = target_of(network, Asked(images=x), x)
    assert target.units.tolist() == np.asarray(network.model(x)).argmax(1).tolist()


def test_what_decides_nothing_is_asked_for_a_unit():
    x = keras.Input((4, 4, 1))
    network = Network(keras.Model(x, keras.layers.Conv2D(1, 3, padding="same", name="image")(x), name="copier"))
    with pytest.raises(Unsuited, match="copier decides nothing"):
        target_of(network, Asked(), images((4, 4, 1)))


@pytest.mark.parametrize("method", [saliency, integrated_gradients, occlusion, grad_cam])
def test_an_answer_has_its_sanity_figures(method):
    x = images()
    answer = method.show(Network(rectified()), Asked(images=x, called=["a", "b"], classes=["p", "q", "r"]))
    assert [strip.caption for strip in answer.strips] == ["a", "b"]
    for row, strip in zip(answer.figures, answer.strips, strict=True):
        assert row["explained"] in "pqr"
        assert 0 <= row["infidelity"] <= 1
        if strip.tiles[1].values.any():
            assert row["sensitivity"] > 0
        else:  # Grad-CAM of a class that nothing speaks for
            assert row["sensitivity"] is None
        assert -1 <= row["randomised"] <= 1
    assert any("shuffled" in note for note in answer.notes)
