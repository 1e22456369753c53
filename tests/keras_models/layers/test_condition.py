"""What a decoder is told of a label."""

import keras
import numpy as np
import pytest

from keras_models.layers.condition import ClassCondition, NoCondition


def test_a_missing_label_is_no_condition():
    condition = np.asarray(ClassCondition(3, 0.5)(np.array([2, -1, 0])))
    np.testing.assert_array_equal(condition, [[0, 0, 1], [0, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(NoCondition(3)(np.ones((2, 5), "float32")), np.zeros((2, 3)))


def test_a_share_of_labels_is_dropped_in_training_alone():
    keras.utils.set_random_seed(0)
    layer, labels = ClassCondition(3, 0.25), np.arange(3000) % 3
    told = np.asarray(layer(labels, training=True))
    np.testing.assert_array_equal(told[told.any(1)], np.eye(3)[labels[told.any(1)]])
    assert told.sum() == pytest.approx(0.75 * 3000, rel=0.05)
    assert np.asarray(layer(labels)).sum() == 3000
    assert np.asarray(ClassCondition(3)(labels, training=True)).sum() == 3000


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ClassCondition(0), "num_classes must be a whole number of at least 1; got 0"),
        (lambda: NoCondition(0), "num_classes must be a whole number of at least 1; got 0"),
        (lambda: ClassCondition(2, 1.0), "dropped must be a number from 0 to below 1; got 1.0"),
    ],
)
def test_refusals(make, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        make()
