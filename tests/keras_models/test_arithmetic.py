"""The layer table: rows, order, and sums."""

import json

import keras
import pytest

from keras_models import build, catalog
from keras_models.arithmetic import layer_table, total_params
from keras_models.normalize import with_normalization


def test_rows_of_lenet5():
    rows = layer_table(build("lenet5", {}, {}))
    assert [(row["name"], row["type"], row["output"], row["params"]) for row in rows] == [
        ("image", "InputLayer", [32, 32, 1], 0),
        ("c1", "Conv2D", [28, 28, 6], 156),
        ("s2", "AveragePooling2D", [14, 14, 6], 0),
        ("c3", "Conv2D", [10, 10, 16], 2_416),
        ("s4", "AveragePooling2D", [5, 5, 16], 0),
        ("flatten", "Flatten", [400], 0),
        ("c5", "Dense", [120], 48_120),
        ("f6", "Dense", [84], 10_164),
        ("logits", "Dense", [10], 850),
    ]


def test_sub_models_are_walked_in_place():
    model = with_normalization(build("conv_autoencoder", {"input_shape": (9, 7, 1)}, {"filters": (2,), "code_size": 3}), "unit")
    assert [row["name"] for row in layer_table(model)] == [
        "pixels",
        "normalize",
        *(f"net/encoder/{name}" for name in ("down1", "flatten", "code")),
        *(f"net/decoder/{name}" for name in ("grow", "unflatten", "up1", "crop1", "reconstruction")),
    ]


@pytest.mark.parametrize("name", list(catalog()))
def test_rows_sum_to_the_total_and_are_json(name):
    model = build(name, {}, {})
    rows = layer_table(model)
    assert sum(row["params"] for row in rows) == total_params(model)
    assert json.loads(json.dumps(rows)) == rows


def test_moving_statistics_are_not_parameters_and_a_shared_layer_counts_once():
    image = keras.Input((4, 4, 2))
    shared = keras.layers.Conv2D(2, 1, name="shared")
    model = keras.Model(image, keras.layers.BatchNormalization(name="norm")(shared(shared(image))))
    assert [(row["name"], row["params"]) for row in layer_table(model)][1:] == [("shared", 6), ("norm", 4)]
    assert total_params(model) == 10


def test_a_layer_with_several_outputs_lists_their_shapes():
    image = keras.Input((4, 3))
    model = keras.Model(image, keras.layers.LSTM(2, return_state=True, name="many")(image))
    assert layer_table(model)[1]["output"] == [[2], [2], [2]]
