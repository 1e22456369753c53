"""An ensemble answers with the mean of its members' probabilities; its contract is that of tests/keras_models/test_contract.py."""

import keras
import numpy as np
import pytest

from keras_models import build
from keras_models.classifiers.ensemble import ensemble
from keras_models.parameters import total_params

SHAPE = (16, 16, 1)


def member(name="mlp", num_classes=3, shape=SHAPE, **options):
    return build(name, {"input_shape": shape, "num_classes": num_classes}, options)


def test_it_averages_members_of_any_architecture_and_shares_their_weights(tmp_path):
    members = [member(hidden=[4]), member("lenet5"), member(hidden=[4])]
    made = ensemble(SHAPE, 3, members)
    images = np.random.default_rng(0).normal(size=(5, *SHAPE)).astype("float32")
    expected = np.mean([keras.ops.softmax(network(images)) for network in members], 0)
    np.testing.assert_allclose(keras.ops.softmax(made(images)), expected, rtol=1e-5)
    assert [layer.name for layer in made.layers if layer.weights] == ["member1", "member2", "member3"]
    assert {id(w) for w in made.weights} == {id(w) for network in members for w in network.weights}
    assert total_params(made) == sum(map(total_params, members))
    made.save(tmp_path / "ensemble.keras")
    again = keras.saving.load_model(tmp_path / "ensemble.keras")
    np.testing.assert_array_equal(again.predict(images, verbose=0), made.predict(images, verbose=0))


def test_an_ensemble_can_be_a_member():
    inner = ensemble(SHAPE, 3, [member(), member()])
    images = np.zeros((1, *SHAPE), "float32")
    np.testing.assert_allclose(ensemble(SHAPE, 3, [inner, inner])(images), inner(images), atol=1e-6)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (lambda: [member()], "members must be a whole number of at least 2; got 1"),
        (lambda: [member(), member(num_classes=4)], r"every member must map .*-> \(None, 3\); mlp maps .* -> \(None, 4\)"),
        (
            lambda: [member(), member(shape=(17, 16, 1))],
            r"must map \(None, 16, 16, 1\) .*; mlp maps \(None, 17, 16, 1\)",
        ),
    ],
)
def test_members_that_cannot_be_averaged_are_refused(members, said):
    with pytest.raises(ValueError, match=said):
        ensemble(SHAPE, 3, members())
