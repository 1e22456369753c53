"""The layer table: rows, order, sums, and what each kind of layer costs."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_models import build, twin
from keras_models.arithmetic import layer_table, totals
from keras_models.normalize import with_normalization
from keras_models.parameters import total_params, without_weights


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


# what layers cost


def row_of(layer, *shape):
    image = keras.Input(shape)
    return layer_table(keras.Model(image, layer(image)))[-1]


@pytest.mark.parametrize(
    ("layer", "shape", "multiply_adds"),
    [
        (layers.Conv2D(6, 3, padding="same"), (5, 7, 4), 5 * 7 * 6 * 9 * 4),
        (layers.Conv2D(6, 3, strides=2), (7, 7, 4), 3 * 3 * 6 * 9 * 4),
        (layers.Conv2D(6, (1, 5), groups=2), (5, 7, 4), 5 * 3 * 6 * 5 * 2),
        (layers.Conv2D(6, 3, dilation_rate=2), (7, 7, 4), 3 * 3 * 6 * 9 * 4),
        (layers.Conv1D(6, 3), (7, 4), 5 * 6 * 3 * 4),
        (layers.Conv3D(2, 3), (4, 4, 4, 1), 2**3 * 2 * 27),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (5, 7, 4), 3 * 5 * 8 * 9),
        (layers.SeparableConv2D(6, 3, depth_multiplier=2), (5, 7, 4), 3 * 5 * (8 * 9 + 8 * 6)),
        (layers.Conv2DTranspose(6, 3, strides=2, padding="same"), (5, 7, 4), 5 * 7 * 4 * 6 * 9),
        (layers.Dense(6), (20,), 20 * 6),
        (layers.Dense(6), (5, 7, 4), 5 * 7 * 4 * 6),
        (layers.MaxPooling2D(2), (4, 4, 3), 0),
        (layers.BatchNormalization(), (4, 4, 3), 0),
        (layers.GlobalAveragePooling2D(), (4, 4, 3), 0),
        (layers.LSTM(3), (4, 3), None),
    ],
)
def test_multiply_adds(layer, shape, multiply_adds):
    row = row_of(layer, *shape)
    assert row["multiply_adds"] == row["unshared_weights"] == multiply_adds
    made = np.prod(row["output"])
    assert row["dense_weights"] == (multiply_adds and np.prod(shape) * made)
    assert row["activation_bytes"] == 4 * made


def test_what_multiplies_by_no_weight_would_have_none_unshared_either():
    rows = {row["name"]: row for row in layer_table(twin("st_cnn"))}
    for name in ("grid", "transformed"):
        assert rows[name]["multiply_adds"] > 0
        assert rows[name]["unshared_weights"] == rows[name]["dense_weights"] == 0


@pytest.mark.parametrize(("groups", "size"), [(1, 3), (2, 3), (1, (1, 5))])
def test_without_sharing_each_multiply_add_has_its_weight(groups, size):
    """A convolution written as a matrix has as many places for a weight, none of them used twice for one output."""
    layer = layers.Conv2D(4, size, groups=groups, use_bias=False, kernel_initializer="ones")
    pixels = np.eye(6 * 5 * 2, dtype="float32").reshape(-1, 6, 5, 2)
    assert np.count_nonzero(layer(pixels)) == row_of(layer, 6, 5, 2)["unshared_weights"]


def test_sums_are_of_what_is_known_and_name_the_rest():
    steps = keras.Input((4, 3))
    rows = layer_table(keras.Model(steps, layers.Dense(2, name="end")(layers.LSTM(5, name="memory")(steps))))
    assert totals(rows) == {
        "multiply_adds": 10,
        "unshared_weights": 10,
        "dense_weights": 10,
        "activation_bytes": 4 * (12 + 5 + 2),
        "uncounted": ["memory"],
    }


def test_a_shared_layer_and_a_shared_sub_model_cost_each_time():
    image = keras.Input((4, 4, 2))
    part = keras.Sequential([keras.Input((4, 4, 2)), layers.Conv2D(2, 1, name="inner")], name="part")
    both = layers.Add(name="sum")([part(image), part(layers.ReLU(name="relu")(image))])
    rows = {row["name"]: row for row in layer_table(keras.Model(image, both))}
    assert rows["part/inner"]["multiply_adds"] == 2 * 4 * 4 * 2 * 2
    assert rows["part/inner"]["params"] == 6
    assert rows["part/inner"]["activation_bytes"] == 2 * 4 * 4 * 4 * 2


def test_operations_of_the_graph_are_rows_with_names_that_do_not_count_on():
    for _ in range(2):
        image = keras.Input((4, 4, 2), name="image")
        squared = keras.ops.einsum("bhwc,bhwd->bcd", image + image + 1.0, image)
        rows = layer_table(keras.Model(image, squared))
        assert [row["name"] for row in rows] == ["image", "ops.add", "ops.add_2", "ops.einsum"]
        assert [row["multiply_adds"] for row in rows] == [0, 0, 0, None]
        assert [row["receptive_field"] for row in rows] == [[1, 1]] * 3 + [None]


def test_a_side_that_is_not_fixed_is_not_counted():
    image = keras.Input((None, None, 3))
    row = layer_table(keras.Model(image, layers.Conv2D(2, 3)(image)))[-1]
    assert row["multiply_adds"] is row["dense_weights"] is row["activation_bytes"] is None
    assert (row["params"], row["receptive_field"]) == (56, [3, 3])


def test_only_functional_models_have_a_table():
    with pytest.raises(ValueError, match=r"^the model must be functional"):
        layer_table(keras.Sequential([layers.Dense(1)]))


def test_ten_billion_weights_are_counted_without_memory_for_them():
    with without_weights():
        model = build("mlp", {}, {"hidden": (100_000, 100_000)})
    assert total_params(model) == 784 * 10**5 + 10**10 + 10 * 10**5 + 2 * 10**5 + 10
    assert totals(layer_table(model))["multiply_adds"] == 784 * 10**5 + 10**10 + 10**6
    after = layers.Dense(1)
    after(np.zeros((1, 1)))  # Keras draws what is left over whenever it leaves such a scope
    assert all(variable._value is None for variable in model.variables)
    assert after.kernel._value is not None


def test_without_weights_the_table_is_the_same():
    with without_weights():
        empty = build("lenet5_1998", {}, {})
    assert layer_table(empty) == layer_table(build("lenet5_1998", {}, {}))
