"""Receptive fields against what the outputs of real layers depend on, and against published ones."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_models.arithmetic import layer_table
from keras_models.parameters import without_weights

SIDE = 48


def depends_on(model) -> np.ndarray:
    """bool [outputs, inputs]: which positions of a row each value of a model from (SIDE, 1) to (n, channels) depends on."""
    for variable in model.weights:
        variable.assign(np.ones(variable.shape))  # or terms might cancel
    calm, pushed = np.ones((1, SIDE, 1), "float32"), 1 + np.eye(SIDE, dtype="float32")[:, :, None]
    return (np.asarray(model(pushed)) != np.asarray(model(calm))).any(axis=-1).T


def chain(*steps):
    def build(x):
        for step in steps:
            x = step(x)
        return x

    return build


def residual(x):
    """Two 3-wide layers, the first with stride 2, and a 1-wide one around them: their fields do not share a centre."""
    long = layers.Conv1D(1, 3, padding="same")(layers.Conv1D(1, 3, strides=2, padding="same")(x))
    return layers.Add()([long, layers.Conv1D(1, 1, strides=2)(x)])


def inception(x):
    return layers.Concatenate()(
        [layers.Conv1D(1, 1)(x), layers.Conv1D(1, 5, padding="same")(x), layers.AveragePooling1D(3, 1, "same")(x)]
    )


def u_shape(x):
    down = layers.AveragePooling1D(2)(layers.Conv1D(1, 3, padding="same")(x))
    up = layers.Conv1DTranspose(1, 2, strides=2)(layers.Conv1D(1, 3, padding="same")(down))
    return layers.Conv1D(1, 3, padding="same")(layers.Concatenate()([x, up]))


def squeeze_and_excitation(x):
    gate = layers.Dense(1)(layers.GlobalAveragePooling1D(keepdims=True)(x))
    return layers.Multiply()([x, gate])


NETS = {
    "valid": chain(layers.Conv1D(1, 5), layers.Conv1D(1, 3)),
    "same, odd and even kernels": chain(layers.Conv1D(1, 4, padding="same"), layers.Conv1D(1, 3, padding="same")),
    "strided same": chain(*(layers.Conv1D(1, 3, strides=2, padding="same") for _ in range(3))),
    "stride 3, kernel 2": chain(layers.Conv1D(1, 4, strides=3, padding="same"), layers.Conv1D(1, 2)),
    "dilated": chain(layers.Conv1D(1, 2), layers.Conv1D(1, 3, dilation_rate=2), layers.Conv1D(1, 3, dilation_rate=4)),
    "causal": chain(layers.Conv1D(1, 3, padding="causal"), layers.Conv1D(1, 2, dilation_rate=3, padding="causal")),
    "separable and depthwise": chain(layers.SeparableConv1D(2, 3), layers.DepthwiseConv1D(5, strides=2, padding="same")),
    "pooling": chain(layers.Conv1D(1, 3), layers.AveragePooling1D(3, 2, "same"), layers.AveragePooling1D(2)),
    "padded and cropped": chain(layers.ZeroPadding1D((3, 1)), layers.Conv1D(1, 5, strides=2), layers.Cropping1D((2, 1))),
    "nearest": chain(layers.Conv1D(1, 3, strides=2), layers.UpSampling1D(3), layers.Conv1D(1, 4)),
    "transposed, valid": chain(layers.Conv1DTranspose(1, 3, strides=2), layers.Conv1D(1, 3)),
    "transposed, same": chain(layers.Conv1D(1, 3, strides=2), layers.Conv1DTranspose(1, 3, strides=2, padding="same")),
    "transposed twice": chain(*(layers.Conv1DTranspose(1, 5, strides=2, padding="same") for _ in range(2)), layers.Conv1D(1, 2)),
    "enlarged, then reduced": chain(layers.UpSampling1D(2), layers.Conv1D(1, 3, strides=2, padding="same"), layers.Conv1D(1, 3)),
    "residual, centres apart": residual,
    "inception": inception,
    "two blocks": chain(inception, residual, inception),
    "U": u_shape,
    "squeeze and excitation": squeeze_and_excitation,
    "dense in the middle": chain(
        layers.Conv1D(2, 5), layers.Flatten(), layers.Dense(10), layers.Reshape((5, 2)), layers.Conv1DTranspose(1, 3, strides=2)
    ),
    "dense position by position": chain(layers.Conv1D(2, 3), layers.Dense(3), layers.ReLU(), layers.Conv1D(1, 3)),
}


UNEVEN = ("nearest", "transposed, valid", "transposed, same", "transposed twice", "U")  # neighbours see fields of differing size


@pytest.mark.parametrize("net", list(NETS))
def test_fields_are_what_the_outputs_depend_on(net):
    row = keras.Input((SIDE, 1))
    model = keras.Model(row, NETS[net](row))
    (size,), (stride,), (offset,) = (layer_table(model)[-1][what] for what in ("receptive_field", "stride", "offset"))
    spans = [np.flatnonzero(seen)[[0, -1]] for seen in depends_on(model)]
    whole = [end - first + 1 for first, end in spans if first > 0 and end < SIDE - 1] or [SIDE]
    assert max(whole) == min(size, SIDE)
    for value, (first, end) in enumerate(spans):
        start = offset + value * stride
        if net in UNEVEN:
            assert start - size < first <= end < start + 2 * size
        else:
            assert (first, end) == (max(start, 0), min(start + size - 1, SIDE - 1))


def test_a_field_that_moves_by_fractions():
    row = keras.Input((8, 1))
    model = keras.Model(row, layers.Conv1DTranspose(1, 3, strides=4)(row))
    last = layer_table(model)[-1]
    assert (last["receptive_field"], last["stride"], last["offset"]) == ([1], [0.25], [0])


def test_the_two_axes_of_an_image_are_kept_apart():
    image = keras.Input((20, 30, 1))
    model = keras.Model(image, layers.Conv2D(1, (3, 5), (1, 2), "same")(layers.ZeroPadding2D(((0, 0), (2, 0)))(image)))
    last = layer_table(model)[-1]
    assert (last["receptive_field"], last["stride"], last["offset"]) == ([3, 5], [1, 2], [-1, -3])


def test_paths_that_move_apart_have_no_field():
    row = keras.Input((8, 1))
    fine, coarse = layers.Conv1D(1, 1)(row), layers.AveragePooling1D(2)(row)
    model = keras.Model(row, layers.Add(name="sum")([layers.Cropping1D((0, 4))(fine), coarse]))
    assert layer_table(model)[-1]["receptive_field"] is None


class Mystery(layers.Layer):
    def call(self, inputs):
        return inputs[:, ::-1]


class Doubled(layers.Conv2D):
    def call(self, inputs):
        return super().call(super().call(inputs))


@pytest.mark.parametrize("unknown", [Mystery(name="own"), Doubled(3, 3, padding="same", name="own")])
def test_after_a_layer_of_unknown_kind_nothing_is_claimed(unknown):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, layers.Conv2D(4, 3, name="after")(unknown(layers.Conv2D(3, 3, name="before")(image))))
    rows = {row["name"]: row for row in layer_table(model)}
    assert rows["before"]["receptive_field"] == [3, 3]
    assert rows["own"]["multiply_adds"] is rows["own"]["receptive_field"] is rows["after"]["receptive_field"] is None
    assert rows["own"]["output"] == [6, 6, 3]
    assert rows["after"]["multiply_adds"] == 4 * 4 * 4 * 9 * 3


class Gate(layers.Layer):
    """A layer of one's own that says what it connects."""

    def call(self, inputs):
        return inputs * 2.0

    def compute_output_shape(self, input_shape):
        return input_shape

    def multiply_adds(self, input_shape, output_shape):
        return 7

    def sees(self, input_shape, output_shape):
        from keras_models.receptive import window

        return (window(3, 1, 1),) * 2


def test_a_layer_of_one_s_own_may_say_what_it_connects():
    image = keras.Input((8, 8, 3))
    row = layer_table(keras.Model(image, Gate()(image)))[-1]
    assert (row["multiply_adds"], row["receptive_field"], row["offset"]) == (7, [3, 3], [-1, -1])


@pytest.mark.parametrize(
    ("name", "layer", "field", "billions"),
    [
        ("VGG16", "block5_pool", 212, None),
        ("VGG19", "block5_pool", 268, 19.6),
        ("ResNet50", "conv5_block3_out", 483, 3.9),
        ("MobileNet", "conv_pw_13_relu", 315, 0.569),
    ],
)
def test_published_fields_and_multiply_adds(name, layer, field, billions):
    """Fields of Araujo et al. 2019, table 1 (VGG-19's by their formula); multiply-adds of He et al. 2016 and Howard et al. 2017.
    Table 1 of He et al. has 3.8 for ResNet-50, cut off: the sum here is 3.858."""
    with without_weights():
        rows = layer_table(getattr(keras.applications, name)(weights=None))
    row = next(row for row in rows if row["name"] == layer)
    assert (row["receptive_field"], row["stride"]) == ([field] * 2, [32] * 2)
    assert billions is None or sum(row["multiply_adds"] for row in rows) / 1e9 == pytest.approx(billions, abs=0.05)
