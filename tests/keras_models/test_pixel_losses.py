"""Losses of pixels against NumPy and scikit-learn, each written down a second time."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss

from components import targets
from keras_models.pixel_losses import VOID, CrossEntropy, Overlap

CLASSES = 4  # the last one is in no mask
WEIGHTS = (0.5, 2.0, 3.0, 1.0)
LOSSES = {
    "cross_entropy": CrossEntropy(),
    "weighted": CrossEntropy(WEIGHTS),
    "focal": CrossEntropy(gamma=2.0),
    "focal_weighted": CrossEntropy(WEIGHTS, 0.5),
    "dice": Overlap("dice"),
    "jaccard": Overlap("jaccard"),
}


@pytest.fixture(scope="module")
def batch():
    """Logits [2, 4, 3, K], masks [2, 8, 5, 1] of which the middle counts, and of its pixels that are of a class the classes [M] and
    the probabilities [M, K]."""
    draw = np.random.default_rng(1)
    logits, masks = draw.normal(size=(2, 4, 3, CLASSES)).astype("float32"), draw.integers(0, CLASSES - 1, (2, 8, 5, 1))
    masks[0, 3, 2], masks[1, 2:4] = VOID, VOID
    inside = masks[:, 2:6, 1:4, 0]
    known = inside != VOID
    assert 0 < known.sum() < known.size
    softmax = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(-1, keepdims=True)
    return logits, masks, inside[known], softmax[known]


def by_hand(name, classes, probabilities):
    mine = probabilities[np.arange(len(classes)), classes]
    if name in ("dice", "jaccard"):
        of_classes = []
        for number in np.unique(classes):
            p, g = probabilities[:, number], (classes == number).astype(float)
            union = (p**2).sum() + (g**2).sum() if name == "dice" else (p + g - p * g).sum()
            of_classes.append(1 - (2 if name == "dice" else 1) * (p * g).sum() / union)
        return np.mean(of_classes)
    gamma = {"focal": 2.0, "focal_weighted": 0.5}.get(name, 0.0)
    weights = np.array(WEIGHTS)[classes] if name.endswith("weighted") else 1.0
    return np.mean(-weights * (1 - mine) ** gamma * np.log(mine))


@pytest.mark.parametrize("name", LOSSES)
def test_it_is_its_formula_over_pixels_that_are_of_a_class_and_of_the_middle(name, batch):
    logits, masks, classes, probabilities = batch
    assert float(LOSSES[name](masks, logits)) == pytest.approx(by_hand(name, classes, probabilities), rel=1e-5)
    assert targets.VOID == VOID


def test_cross_entropy_is_scikit_learn_s(batch):
    logits, masks, classes, probabilities = batch
    assert float(LOSSES["cross_entropy"](masks, logits)) == pytest.approx(
        log_loss(classes, probabilities, labels=range(CLASSES)), rel=1e-5
    )


def test_a_pixel_s_own_weight_is_added_to_its_class_s(batch):
    logits, masks, classes, probabilities = batch
    border = np.random.default_rng(0).random(masks.shape)
    given = np.concatenate([masks, border], -1).astype("float32")
    counted = border[:, 2:6, 1:4, 0][masks[:, 2:6, 1:4, 0] != VOID]
    terms = -np.log(probabilities[np.arange(len(classes)), classes])
    assert float(LOSSES["weighted"](given, logits)) == pytest.approx(
        np.mean((np.array(WEIGHTS)[classes] + counted) * terms), rel=1e-5
    )


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("case", ["one class everywhere", "no class anywhere", "sure and right", "sure and wrong"])
def test_value_and_gradient_are_finite(name, case):
    masks = np.full((1, 4, 4, 1), {"no class anywhere": VOID}.get(case, 1))
    scores = np.zeros((1, 4, 4, CLASSES), "float32")
    scores[..., {"sure and right": 1, "sure and wrong": 2}.get(case, 0)] = 200 if case.startswith("sure") else 0
    logits = tf.Variable(scores)
    with tf.GradientTape() as tape:
        loss = LOSSES[name](masks, logits)
    gradient = tape.gradient(loss, logits)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()
    if case == "no class anywhere":
        assert float(loss) == 0
        assert not np.any(gradient)
    if case == "sure and right":
        assert float(loss) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_it_comes_back_from_its_config(name, batch):
    logits, masks, *_ = batch
    again = keras.losses.deserialize(keras.losses.serialize(LOSSES[name]))
    assert float(again(masks, logits)) == float(LOSSES[name](masks, logits))
