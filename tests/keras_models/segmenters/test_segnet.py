"""SegNet against its layers as the paper's section 3 lists them."""

import itertools

import keras
import numpy as np
import pytest

from keras_models import build
from keras_models.arithmetic import layer_table
from keras_models.parameters import total_params, without_weights
from keras_models.segmenters.segnet import segnet

ENCODER = [3, 64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool"]
DECODER = ["up", 512, 512, 512, "up", 512, 512, 256, "up", 256, 256, 128, "up", 128, 64, "up", 64]
CLASSES = 11


def by_hand():
    """Weights of 3x3 convolutions without biases, of their normalisations, and of the one that gives the classes."""
    maps = [count for count in ENCODER + DECODER if not isinstance(count, str)]
    inner = sum(9 * given * made + 2 * made for given, made in itertools.pairwise(maps))
    return inner + 9 * maps[-1] * CLASSES + CLASSES


def test_it_has_the_weights_of_its_layers():
    with without_weights():
        model = build("segnet", {}, {})
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == 26
    assert [layer.filters for layer in convolutions] == [
        count for count in ENCODER[1:] + DECODER if count not in ("pool", "up")
    ] + [CLASSES]
    assert total_params(model) == by_hand() == 29_441_419
    assert model.output_shape == (None, 360, 480, CLASSES)


def test_each_unpooling_is_told_where_the_maxima_of_its_own_pooling_lay():
    with without_weights():
        model = segnet((64, 64, 1), 2, width=0.05)
    sides = {row["name"]: row["output"] for row in layer_table(model)}
    for stage in range(1, 6):
        unpool = model.get_layer(f"unpool{stage}")
        assert unpool.input[1] is model.get_layer(f"indices{stage}").output
        assert model.get_layer(f"indices{stage}").input is model.get_layer(f"pool{stage}").input
        assert sides[f"unpool{stage}"][0] == 2 * sides[f"pool{stage}"][0] == 64 // 2 ** (stage - 1)


@pytest.mark.parametrize("sides", [(1, 1), (31, 33), (64, 40)])
def test_it_takes_any_size(sides):
    keras.utils.set_random_seed(0)
    model = segnet((*sides, 1), 2, width=0.03)
    assert model.output_shape == (None, *sides, 2)
    assert np.isfinite(model(np.ones((1, *sides, 1), "float32"))).all()
