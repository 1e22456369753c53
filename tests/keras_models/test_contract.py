"""The promises every registry entry keeps, checked on its tiny twin."""

import contextlib
import dataclasses
import functools
import inspect
import json
import os
import random
import tempfile
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from configs.errors import UsageError
from keras_models import arithmetic, auxiliary, build, catalog, get, twin
from keras_models.arithmetic import layer_table
from keras_models.parameters import total_params, without_weights
from tests.keras_models.structures import DEEPER, OF_THE_SAME_BLOCKS, OF_THE_SAME_LAYERS, SAME, TESTED, empty, kinds

each = pytest.mark.parametrize("name", list(catalog()))
once = pytest.mark.parametrize("name", TESTED)
# With weights; of the same layers one always, the others with --every.
with_weights = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.every if name in OF_THE_SAME_BLOCKS | OF_THE_SAME_LAYERS else ()) for name in TESTED],
)
# A localisation network, and scores of classes, end in weights of 0: nothing before them learns until they have moved.
STEPS = {"st_cnn": 2, "st_mlp": 2, "fcn32s": 2, "fcn16s": 3, "fcn8s": 4}


@pytest.fixture
def half():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def images(model, many=2):
    return np.random.default_rng(0).random((many, *model.input_shape[1:]), dtype="float32")


def reconstructs(name):
    return get(name).task.partition(".")[0] == "reconstruction"


def labels_pixels(name):
    return get(name).task == "segmentation"


def expected_shape(name, model):
    if reconstructs(name):
        return model.input_shape
    return (*model.input_shape[:3], get(name).tiny["num_classes"]) if labels_pixels(name) else (None, get(name).tiny["num_classes"])


# Billions: He et al. 2016, table 1 and figure 3; Szegedy et al. 2015, table 1.
MULTIPLY_ADDS = {
    "vgg_e": 19.6,
    "plain34": 3.6,
    "resnet18": 1.8,
    "resnet34": 3.6,
    "resnet50": 3.8,
    "resnet101": 7.6,
    "resnet152": 11.3,
    "googlenet": 1.5,
}


@pytest.mark.parametrize("name", sorted(set(catalog()) - {"resnet1202"}))  # test_resnet.py counts its blocks
def test_the_published_size_has_its_parameters_and_multiply_adds(name):
    with without_weights():
        model = build(name, {}, {})
    rows = layer_table(model)
    assert total_params(model) == sum(row["params"] for row in rows) == get(name).params
    assert json.loads(json.dumps(rows)) == rows
    if name in MULTIPLY_ADDS:
        assert MULTIPLY_ADDS[name] in printed(rows)


def printed(rows):
    """Billions of multiply-adds as papers may print them: most rows have the decimals cut off, some are rounded."""
    billions = arithmetic.totals(rows)["multiply_adds"] / 1e9
    return {np.floor(10 * billions) / 10, round(billions, 1)}


def test_the_stride_in_the_3x3_convolutions_costs_resnet50_more():
    with without_weights():
        model = build("resnet50", {}, {"strided": "3x3"})
    assert 4.1 in printed(layer_table(model))
    assert total_params(model) == get("resnet50").params


@each
def test_twin_is_tiny_uncompiled_and_ends_as_its_task_asks(name):
    model = empty(name)
    assert total_params(model) < 20_000
    assert not model.compiled
    assert model.output_shape == expected_shape(name, model)
    assert get(name).task not in ("classification", "segmentation") or model.layers[-1].name == "logits"


def test_every_name_is_tested_or_made_of_layers_that_are():
    assert {*SAME.values(), *DEEPER.values()} <= {*TESTED}
    assert len(TESTED) + len(SAME) + len(DEEPER) == len(catalog())


@pytest.mark.parametrize("name", SAME)
def test_what_has_the_twin_of_another_is_tested_with_that(name):
    assert layer_table(empty(name)) == layer_table(empty(SAME[name]))


@pytest.mark.parametrize("name", DEEPER)
def test_what_is_deeper_has_no_layer_of_a_kind_that_is_not_tested(name):
    assert kinds(name) <= kinds(DEEPER[name])


@once
def test_it_builds_at_another_size_and_number_of_channels(name):
    height, width, channels = get(name).tiny["input_shape"]
    with without_weights():
        model = twin(name, input_shape=(height + 5, width + 8, 4 - channels))
    assert model.output_shape == expected_shape(name, model)


@once
@pytest.mark.usefixtures("half")
def test_output_stays_float32_under_mixed_precision(name):
    with without_weights():
        assert twin(name).output.dtype == "float32"


@once
def test_moving_statistics_follow_within_an_epoch_of_a_small_data_set(name):
    """With Keras's momentum of 0.99 a network of many normalisations answers at random after 100 steps of training."""
    norms = normalizations(name)
    assert {norm.momentum for norm in norms} <= {0.9}
    assert norms or "batch_norm" not in inspect.signature(get(name).build).parameters


def normalizations(name):
    """Every batch normalisation that a twin, its heads included, has by default or with any one of its switches turned over."""
    switches = {
        option: not parameter.default
        for option, parameter in inspect.signature(get(name).build).parameters.items()
        if isinstance(parameter.default, bool)
    }
    norms = []
    for options in ({}, *({option: value} for option, value in switches.items())):
        with without_weights(), contextlib.suppress(UsageError):  # some switches need another option beside them
            model = auxiliary.learner(twin(name, **options))
            norms += [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    return norms


@pytest.mark.parametrize("option", ["norm", "normalise", None])
def test_a_normalisation_of_any_name_or_none_is_looked_at(option, monkeypatch):
    def build(input_shape, **switches):
        image = keras.Input(input_shape)
        x = keras.layers.BatchNormalization()(image) if switches.get(option, option is None) else image
        net = keras.Model(image, x)
        auxiliary.attach(net, [keras.layers.BatchNormalization(momentum=0.7)(image)], 0.1)
        return net

    parameters = [inspect.Parameter("input_shape", inspect.Parameter.KEYWORD_ONLY)]
    if option:
        parameters.append(inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=False))
    build.__signature__ = inspect.Signature(parameters)
    entry = dataclasses.replace(get("mlp"), name="own", task="none", build=build, tiny={"input_shape": (2, 2, 1)})
    monkeypatch.setattr("tests.keras_models.test_contract.get", lambda name: entry)
    monkeypatch.setattr("tests.keras_models.test_contract.twin", lambda name, **options: build(input_shape=(2, 2, 1), **options))
    assert {norm.momentum for norm in normalizations("own")} == {0.99, 0.7}


@with_weights
def test_twin_answers_in_float32_and_saves_bit_equal(name, tmp_path):
    *_, model = thrice(name).models
    out = np.asarray(model(images(model), training=False))
    assert out.dtype == np.float32
    assert out.shape[1:] == model.output_shape[1:]
    assert np.isfinite(out).all()
    model.save(tmp_path / "twin.keras")
    again = keras.saving.load_model(tmp_path / "twin.keras")
    np.testing.assert_array_equal(again(images(model), training=False), out)
    assert layer_table(again) == layer_table(model)


@with_weights
def test_build_is_pure(name):
    """No file, no seed set: the same seed gives the same weights, another one others, and NumPy's state stays."""
    built = thrice(name)
    np.testing.assert_array_equal(built.weights[0], built.weights[1])
    assert (built.weights[0] != built.weights[2]).any()
    assert built.ends[0] == built.ends[1] != built.ends[2]
    assert built.numpy_stays
    assert built.files == []


@functools.cache
def thrice(name):
    """A twin as it is built from the seeds 1, 1 and 2, and what that did; `weights` are those of before a training.

    With a seed of 0 every unit of st_cnn's tiny localisation network is off.
    """
    before = np.random.get_state()
    built = SimpleNamespace(models=[], weights=[], ends=[])
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for seed in (1, 1, 2):
            random.seed(seed)  # Keras draws its initializers' seeds from here
            built.models.append(twin(name))
            built.weights.append(np.concatenate([weight.ravel() for weight in built.models[-1].get_weights()]))
            built.ends.append(random.getstate())
        built.files = os.listdir(folder)
    built.numpy_stays = all(np.array_equal(a, b) for a, b in zip(before, np.random.get_state(), strict=True))
    return built


@once
def test_names_are_stable(name):
    names = [row["name"] for row in layer_table(empty(name))]
    with without_weights():
        assert names == [row["name"] for row in layer_table(twin(name))]
    assert len(set(names)) == len(names)


@with_weights
def test_a_step_changes_every_trainable_weight_the_same_way_for_the_same_seed(name):
    first, second, _ = thrice(name).models
    paths, before, after = trained(name, first)
    assert [path for path, old, new in zip(paths, before, after, strict=True) if (old == new).all()] == []
    *_, again = trained(name, second)
    for weights, repeated in zip(after, again, strict=True):
        np.testing.assert_array_equal(weights, repeated)


def trained(name, model):
    """Trainable weights: their paths, and their values before and after."""
    keras.utils.set_random_seed(1)  # of what is drawn in training
    model = auxiliary.learner(model)
    x, labels = images(model, 8), np.arange(8) % 2
    labels = np.int64(x[..., 0] > 0.5) if labels_pixels(name) else labels
    loss = "mse" if reconstructs(name) else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)  # tracing a step takes longer than some of them
    before = [variable.numpy() for variable in model.trainable_variables]
    targets = x if reconstructs(name) else labels
    losses = [model.train_on_batch(x, targets, return_dict=True)["loss"] for _ in range(STEPS.get(name, 1))]
    assert np.isfinite(losses).all()
    after = [variable.numpy() for variable in model.trainable_variables]
    return [variable.path for variable in model.trainable_variables], before, after
