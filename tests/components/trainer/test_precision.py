"""Mixed precision: halves while it learns, float32 in whatever it leaves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_models
from components import keys
from components.infra_validator import parity
from components.tasks.by_name import task_of
from components.trainer import artifact, component, progress, training
from components.trainer.optimizers import optimizer
from configs.errors import UsageError
from tests.components import digits
from tests.components.trainer.test_resume import data_of

HALVES = ("mixed_float16", "mixed_bfloat16")


def config(precision, **model):
    transform = {**digits.MLP["transform"], "normalize": "unit"}
    train = {"epochs": 1, "batch_size": 60, "precision": precision}
    return digits.trainer_slice({**digits.MLP, "transform": transform, "train": train}, **model)


def policies(model) -> list[str]:
    """Of what computes: normalisation, hidden layer, logits."""
    named = {layer.name: layer.dtype_policy.name for layer in model._flatten_layers()}
    return [named[name] for name in ("normalize", "hidden1", "logits")]


def by_hand(weights, pixels) -> np.ndarray:
    """Logits in float64."""
    hidden, bias, kernel, last = (values.astype(np.float64) for values in weights)
    return np.maximum(pixels.reshape(len(pixels), -1) / 255 @ hidden + bias, 0) @ kernel + last


@pytest.mark.parametrize("precision", HALVES)
def test_layers_compute_in_halves_and_what_is_served_does_not(precision):
    data, cfg, pixels = data_of(), config(precision), digits.images()[0][:50].astype(np.float32)
    entry = keras_models.get("mlp")
    model = training.build(entry, data, cfg)
    assert policies(model) == ["float32", precision, "float32"]
    assert {weight.dtype for weight in model.weights} == {"float32"}
    task_of("classification").compile(model, lambda: optimizer(cfg.train, data.steps))
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (precision == "mixed_float16")
    exact = training.served(model, entry, data, cfg)
    assert policies(exact) == ["float32"] * 3
    expected = by_hand(model.get_weights(), pixels)
    np.testing.assert_allclose(exact(pixels), expected, rtol=1e-5, atol=1e-5)
    assert np.abs(model(pixels).numpy() - expected).max() > 1e-4, "halves would show"
    assert keras.config.dtype_policy().name == "float32", "the policy is set for the one model"


def test_in_float32_the_served_model_is_the_trained_one():
    data, cfg = data_of(), config("float32")
    model = training.build(keras_models.get("mlp"), data, cfg)
    assert training.served(model, keras_models.get("mlp"), data, cfg) is model


def test_a_builder_that_refuses_leaves_the_policy_alone():
    wrong = config("mixed_float16", model={"name": "mlp", "options": {"hidden": [0]}})
    with pytest.raises(UsageError, match="hidden"):
        training.build(keras_models.get("mlp"), data_of(), wrong)
    assert keras.config.dtype_policy().name == "float32"


def test_trained_in_halves_it_is_served_as_it_is_kept(artifacts, tmp_path):
    cfg, learned = config("mixed_float16"), []

    class Learned(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            learned.extend(self.model.get_weights())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "EpochProgress", Learned)
        component.run_fn(digits.fn_args(tmp_path, artifacts.transformed, artifacts.transform, artifacts.schema, cfg, True))
    folder = tmp_path / "model"
    model, pixels = artifact.load(str(folder)), digits.images()[0][:50].astype(np.float32)
    assert policies(model) == ["float32"] * 3
    np.testing.assert_allclose(model(pixels), by_hand(learned, pixels), rtol=1e-5, atol=1e-5)
    assert parity.refusal(str(folder), folder / "Format-Serving", digits.examples(keys.TEST)[:3]) is None
    answer = tf.saved_model.load(str(folder / "Format-Serving")).signatures["pixels"](pixels=tf.constant(pixels))
    assert {answer[name].dtype for name in ("probabilities", "scores")} == {tf.float32}
