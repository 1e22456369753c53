"""Figures that say whether an attribution is to be believed."""

import numpy as np
import pytest

from keras_models.explain import grad_cam, saliency, sanity
from keras_models.explain.network import Network, Target, background
from tests.keras_models.explain.nets import images, linear, rectified

LOGITS = "net/logits"


def test_nothing_is_unforeseen_of_a_linear_model_by_its_weights_at_any_scale():
    model, weights = linear()
    network, image, target = Network(model), images((6, 6, 1))[0], Target(LOGITS, np.array([1]))
    shares = weights[1] * (image - background(image[None])[0])
    for attribution, are_shares in ((weights[1], False), (17 * weights[1], False), (shares, True)):
        assert sanity.infidelity(network, image, attribution, target, are_shares) < 1e-6


def test_all_is_unforeseen_by_zeros_or_the_opposite():
    model, weights = linear()
    network, image, target = Network(model), images((6, 6, 1))[0], Target(LOGITS, np.array([1]))
    assert sanity.infidelity(network, image, 0 * weights[1], target, False) == 1
    assert sanity.infidelity(network, image, -weights[1], target, False) == 1
    other = sanity.infidelity(network, image, weights[0], target, False)
    assert 0.05 < other <= 1


def test_nothing_is_said_where_nothing_changes():
    model, weights = linear()
    flat = np.full((6, 6, 1), 40, "float32")  # it is its own background
    assert sanity.infidelity(Network(model), flat, weights[0], Target(LOGITS, np.array([0])), False) is None
    zeros = np.zeros((6, 6, 1), "float32")
    assert sanity.sensitivity(lambda some, of: some, flat, zeros, Target(LOGITS, np.array([0]))) is None


def test_sensitivity_is_the_largest_move_over_the_length():
    image = images((6, 6, 1))[0]
    target = Target(LOGITS, np.array([0]))
    steady = sanity.sensitivity(lambda some, of: np.ones_like(some), image, np.ones_like(image), target)
    assert steady == 0
    moves = np.random.default_rng(0).uniform(-sanity.RADIUS, sanity.RADIUS, (sanity.CHANGES, 6, 6, 1)).astype("float32")
    changed = np.clip(image + moves, 0, 255)
    expected = max(np.linalg.norm(each - image) for each in changed) / np.linalg.norm(image)
    assert sanity.sensitivity(lambda some, of: some, image, image, target) == pytest.approx(expected, rel=1e-5)


def test_shuffling_weights_changes_a_gradient_and_is_undone():
    model, x = rectified(), images()
    network, target = Network(model), Target(LOGITS, np.array([0, 1]))
    before = [weights.copy() for weights in model.get_weights()]
    made = saliency.attribute(network, x, target)
    steps = list(sanity.cascade(network, lambda some, of: saliency.attribute(network, some, of), x, made, target))
    assert [path for path, _ in steps] == ["net/logits", "net/conv2", "net/conv1"]
    assert steps[-1][1] < 0.9
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_what_only_looks_at_the_image_is_found_out():
    network, x = Network(rectified()), images()
    steps = list(sanity.cascade(network, lambda some, of: some, x, x, Target(LOGITS, np.array([0, 1]))))
    assert [alike for _, alike in steps] == pytest.approx([1, 1, 1])


def test_only_layers_below_the_unit_are_shuffled():
    network, x = Network(rectified()), images()
    target = Target("net/conv2", np.array([0, 1]))
    made = grad_cam.attribute(network, x, target)
    steps = list(sanity.cascade(network, lambda some, of: grad_cam.attribute(network, some, of), x, made, target))
    assert [path for path, _ in steps] == ["net/conv2", "net/conv1"]


def test_weights_come_back_where_an_attribution_fails():
    model, x = rectified(), images()
    before = [weights.copy() for weights in model.get_weights()]

    def fails(some, of):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        list(sanity.cascade(Network(model), fails, x, x, Target(LOGITS, np.array([0, 1]))))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
