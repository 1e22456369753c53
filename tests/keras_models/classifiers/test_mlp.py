"""The dense baseline."""

import pytest

from keras_models.arithmetic import layer_table, total_params
from keras_models.classifiers.mlp import mlp


def test_784_100_10():
    model = mlp()
    assert total_params(model) == 79_510
    assert model.get_layer("hidden1").kernel.shape == (784, 100)
    assert model.get_layer("logits").kernel.shape == (100, 10)  # 79,400 weights without biases


def test_hidden_layers_are_free():
    assert [row["name"] for row in layer_table(mlp((1, 1, 1), 2, []))] == ["image", "flatten", "logits"]
    model = mlp((2, 2, 3), 5, [4, 3], "sigmoid")
    assert [row["output"] for row in layer_table(model)] == [[2, 2, 3], [12], [4], [3], [5]]
    assert model.get_layer("hidden2").activation.__name__ == "sigmoid"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"num_classes": 1}, "num_classes must be a whole number of at least 2; got 1"),
        ({"hidden": [0]}, r"hidden must be a list of whole numbers from 1; got \[0\]"),
        ({"hidden": 100}, "hidden must be a list of whole numbers from 1; got 100"),
        ({"activation": "rleu"}, "activation must be the name of a Keras activation, such as relu, tanh or elu; got 'rleu'"),
        ({"input_shape": (28, 28)}, r"input_shape must be \(height, width, channels\), whole numbers from 1; got \(28, 28\)"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        mlp(**options)
