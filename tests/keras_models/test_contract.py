"""The promises every registry entry keeps, checked on its tiny twin."""

import inspect
import random

import keras
import numpy as np
import pytest

from keras_models import build, catalog, get
from keras_models.arithmetic import layer_table, total_params, without_weights

each = pytest.mark.parametrize("name", list(catalog()))
BUILDERS = {get(name).build: name for name in reversed(catalog())}  # what names of one builder share is looked at once
once = pytest.mark.parametrize("name", sorted(BUILDERS.values()))


@pytest.fixture
def half():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def twin(name):
    return build(name, {}, get(name).tiny)


def images(model, many=2):
    return np.random.default_rng(0).random((many, *model.input_shape[1:]), dtype="float32")


def expected_shape(name, model):
    if get(name).task == "reconstruction":
        return model.input_shape
    return (None, get(name).tiny["num_classes"])


@each
def test_recorded_parameter_count(name):
    with without_weights():  # size costs nothing
        assert total_params(build(name, {}, {})) == get(name).params


@each
def test_twin_is_tiny_and_uncompiled(name):
    model = twin(name)
    assert total_params(model) < 20_000
    assert not model.compiled


@once
def test_output_is_float32_of_the_task_s_shape(name):
    model = twin(name)
    assert model.output_shape == expected_shape(name, model)
    out = model.predict(images(model), verbose=0)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()


@each
def test_classifiers_end_in_logits(name):
    model = twin(name)
    assert get(name).task != "classification" or model.layers[-1].name == "logits"


@once
@pytest.mark.usefixtures("half")
def test_output_stays_float32_under_mixed_precision(name):
    assert twin(name).output.dtype == "float32"


@once
def test_moving_statistics_follow_within_an_epoch_of_a_small_data_set(name):
    """With Keras's momentum of 0.99 a network of many normalisations answers at random after 100 steps of training."""
    if "batch_norm" not in inspect.signature(get(name).build).parameters:
        return
    with without_weights():
        model = build(name, {}, {**get(name).tiny, "batch_norm": True})
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    assert {norm.momentum for norm in norms} == {0.9}


@once
def test_twin_saves_bit_equal(name, tmp_path):
    model = twin(name)
    out = model.predict(images(model), verbose=0)
    model.save(tmp_path / "twin.keras")
    again = keras.saving.load_model(tmp_path / "twin.keras")
    np.testing.assert_array_equal(again.predict(images(model), verbose=0), out)
    assert layer_table(again) == layer_table(model)


@once
def test_build_is_pure(name, tmp_path, monkeypatch):
    """No file, no seed set: the same seed gives the same weights, another one others, and NumPy's state stays."""
    monkeypatch.chdir(tmp_path)
    before = np.random.get_state()
    weights, ends = [], []
    for seed in (1, 1, 2):
        random.seed(seed)  # Keras draws its initializers' seeds from here
        weights.append(np.concatenate([w.ravel() for w in twin(name).get_weights()]))
        ends.append(random.getstate())
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()
    assert ends[0] == ends[1] != ends[2]
    assert all(np.array_equal(a, b) for a, b in zip(before, np.random.get_state(), strict=True))
    assert list(tmp_path.iterdir()) == []


@once
def test_names_are_stable(name):
    names = [row["name"] for row in layer_table(twin(name))]
    assert names == [row["name"] for row in layer_table(twin(name))]
    assert len(set(names)) == len(names)


@once
def test_a_few_steps_reduce_the_loss(name):
    keras.utils.set_random_seed(0)
    model = twin(name)
    labels = np.arange(16) % 2
    x = images(model, 16) * (0.1 + 0.9 * labels[:, None, None, None])  # dark ones and bright ones
    reconstructs = get(name).task == "reconstruction"
    y = x if reconstructs else labels
    loss = "mse" if reconstructs else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    losses = [float(model.train_on_batch(x, y)) for _ in range(20)]
    assert losses[-1] < losses[0]
