"""The dense baseline."""

import pytest

from keras_models.arithmetic import layer_table
from keras_models.classifiers.mlp import mlp
from keras_models.parameters import total_params


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


def test_batch_norm_and_dropout_of_every_hidden_layer():
    model = mlp((2, 2, 3), 5, [4, 3], "tanh", batch_norm=True, dropout=0.25)
    hidden = [name for number in "12" for name in (*(f"hidden{number}{part}" for part in ("", "_norm", "_tanh")), f"drop{number}")]
    assert [layer.name for layer in model.layers] == ["image", "flatten", *hidden, "logits"]
    assert total_params(model) == total_params(mlp((2, 2, 3), 5, [4, 3])) + 4 + 3  # a scale and a shift for each bias
    assert {model.get_layer(f"drop{number}").rate for number in "12"} == {0.25}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"num_classes": 1}, "num_classes must be a whole number of at least 2; got 1"),
        ({"hidden": [0]}, r"hidden must be a list of whole numbers from 1; got \[0\]"),
        ({"hidden": 100}, "hidden must be a list of whole numbers from 1; got 100"),
        ({"activation": "rleu"}, "activation must be the name of a Keras activation, such as relu, tanh or elu; got 'rleu'"),
        ({"batch_norm": 1}, "batch_norm must be true or false; got 1"),
        ({"dropout": 1}, "dropout must be a number from 0 to below 1; got 1"),
        ({"input_shape": (28, 28)}, r"input_shape must be \(height, width, channels\), whole numbers from 1; got \(28, 28\)"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        mlp(**options)
