"""Against scikit-learn's classifier."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from keras_models.layers.neighbours import NearestNeighbours

X, Y = load_digits(return_X_y=True)
X = X.astype("float32")


def layer_of(features, labels, classes=10, **options):
    layer = NearestNeighbours(len(features), classes, **options)
    layer.build((None, features.shape[1]))
    layer.hold(features, labels)
    return layer


def shares(layer, rows):
    return keras.ops.convert_to_numpy(keras.ops.softmax(layer(rows)))


@pytest.mark.parametrize("neighbours", [1, 5, 300])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_shares_are_those_of_scikit_learn(distance, neighbours):
    # features of digits are whole numbers and often equally far away; these are not
    features = X + np.random.default_rng(0).normal(0, 0.3, X.shape).astype("float32") + (1000 if distance == "euclidean" else 0)
    layer = layer_of(features[:900], Y[:900], neighbours=neighbours, distance=distance)
    reference = KNeighborsClassifier(neighbours, metric=distance, algorithm="brute").fit(features[:900], Y[:900])
    np.testing.assert_allclose(shares(layer, features[900:]), reference.predict_proba(features[900:]), atol=2e-6)
    assert (np.argmax(layer(features[900:]), 1) == reference.predict(features[900:])).all()  # the first of equal classes


def test_a_row_of_zeros_is_as_far_from_all():
    layer = layer_of(np.float32([[0, 0], [1, 0], [-1, 0]]), [0, 1, 2], 3)
    np.testing.assert_allclose(shares(layer, np.float32([[2, 0.1], [0, 0]])), [[0, 1, 0], [1, 0, 0]], atol=1e-6)


def test_it_is_saved_with_its_references_and_never_trained(tmp_path):
    row = keras.Input((64,))
    model = keras.Model(row, NearestNeighbours(50, 10, neighbours=3, distance="euclidean", name="head")(row))
    model.get_layer("head").hold(X[:50], Y[:50])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(X[50:90]), model(X[50:90]))
    assert np.isfinite(model(X[50:90])).all()
    assert (again.trainable_variables, again.get_layer("head").neighbours) == ([], 3)
    assert [tuple(weight.shape) for weight in again.weights] == [(50, 64), (50,)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"references": 2, "neighbours": 3}, "3 nearest neighbours need as many training images; there are 2"),
        ({"references": 2, "distance": "taxi"}, "distance must be cosine or euclidean; got 'taxi'"),
    ],
)
def test_what_it_cannot_be_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        NearestNeighbours(num_classes=2, **options)
