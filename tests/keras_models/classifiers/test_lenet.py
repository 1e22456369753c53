"""LeNet-5 against the paper's own numbers."""

import numpy as np
import pytest

from keras_models.arithmetic import layer_table
from keras_models.blocks import POOLINGS
from keras_models.classifiers.lenet import TABLE_I, lenet5, lenet5_1998
from keras_models.parameters import total_params

DENSE = ["c5", "c5_drop", "f6", "f6_drop", "logits"]

# As printed: a row for each map of S2, a column for each map of C3
PRINTED = [
    "X...XXX..XXXX.XX",
    "XX...XXX..XXXX.X",
    "XXX...XXX..X.XXX",
    ".XXX..XXXX..X.XX",
    "..XXX..XXXX.XX.X",
    "...XXX..XXXX.XXX",
]


def test_table_i_is_the_printed_one():
    printed = tuple(tuple(s for s in range(6) if PRINTED[s][c] == "X") for c in range(16))
    assert printed == TABLE_I


def test_modern_form():
    assert total_params(lenet5()) == 61_706


def test_form_of_1998_layer_by_layer():
    model = lenet5_1998()
    counts = {row["name"]: row["params"] for row in layer_table(model) if row["params"]}
    assert counts == {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164}
    assert total_params(model) == 60_000
    assert model.get_layer("logits").get_weights()[0].shape == (10, 84)


def test_form_of_1998_starts_within_the_paper_s_bounds():
    model = lenet5_1998()
    for name, fan_in in (("c1", 25), ("c5", 400), ("f6", 120)):
        kernel = np.abs(model.get_layer(name).get_weights()[0])
        assert 0.9 * 2.4 / fan_in < kernel.max() <= 2.4 / fan_in


def test_form_of_1998_gives_negated_distances():
    out = lenet5_1998((16, 16, 1), 3)(np.random.default_rng(0).random((4, 16, 16, 1), dtype="float32"))
    assert (np.asarray(out) < 0).all()


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize(
    ("pooling", "layer"),
    [("average", "AveragePooling2D"), ("max", "MaxPooling2D"), ("overlapping", "MaxPooling2D"), ("strided", "Conv2D")],
)
def test_options(activation, pooling, layer):
    model = lenet5((17, 20, 3), 2, activation, pooling)
    assert type(model.get_layer("s2")).__name__ == layer
    assert {model.get_layer(name).activation.__name__ for name in ("c1", "c3", "c5", "f6")} == {activation}
    assert model.get_layer("logits").activation.__name__ == "linear"


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_every_pooling_gives_the_published_volumes(pooling):
    model = lenet5(pooling=pooling)
    assert [model.get_layer(name).output.shape[1:] for name in ("s2", "s4")] == [(14, 14, 6), (5, 5, 16)]


def test_batch_norm_and_dropout():
    names = [layer.name for layer in lenet5((16, 16, 1), 2, "sigmoid", batch_norm=True, dropout=0.25).layers]
    convolution = [f"c1{part}" for part in ("", "_norm", "_sigmoid")]
    assert names == ["image", *convolution, "s2", *(name.replace("1", "3") for name in convolution), "s4", "flatten", *DENSE]


@pytest.mark.parametrize("build", [lenet5, lenet5_1998])
def test_refusals(build):
    assert build((16, 16, 1), 2).output_shape == (None, 2)
    too_small = "an image of 15 x 16 px is too small: s4 leaves nothing of it; the smallest that works is 16 x 16 px"
    with pytest.raises(ValueError, match=f"^{too_small}$"):
        build((15, 16, 1))
    with pytest.raises(ValueError, match=r"^num_classes must be a whole number of at least 2; got 1$"):
        build(num_classes=1)


def test_refused_options():
    with pytest.raises(ValueError, match=r"^activation must be the name of a Keras activation, .*; got 'rleu'$"):
        lenet5(activation="rleu")
    with pytest.raises(ValueError, match=r"^pooling must be max or average or overlapping or strided; got 'sum'$"):
        lenet5(pooling="sum")
