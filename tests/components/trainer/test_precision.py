"""Mixed precision: halves while it learns, float32 in whatever it leaves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.infra_validator import parity
from components.trainer import artifact, component
from tests.components import digits

KINDS = {"mixed_float16": tf.float16, "mixed_bfloat16": tf.bfloat16}


class Seen(keras.callbacks.Callback):
    """What the model in training was like."""

    def on_train_end(self, logs=None):
        net = self.model.get_layer("net")
        Seen.last = {
            "computed": [layer.compute_dtype for layer in net.layers if layer.weights],
            "weights": {weight.dtype for weight in self.model.weights},
            "normalized": self.model.get_layer("normalize").compute_dtype,
            "optimizer": type(self.model.optimizer),
            "values": self.model.get_weights(),
        }


@pytest.fixture(scope="module", params=KINDS)
def trained(request, artifacts, tmp_path_factory):
    """Name of the precision, and the folder of a Model artifact."""
    run = tmp_path_factory.mktemp(request.param)
    cfg = digits.trainer_slice({**digits.MLP, "train": {"epochs": 2, "batch_size": 60, "precision": request.param}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(component, "EpochProgress", Seen)
        component.run_fn(digits.fn_args(run, artifacts.transformed, artifacts.transform, artifacts.schema, cfg, True))
    return request.param, run / "model"


def test_it_learns_in_halves_with_weights_of_float32(trained):
    kind, _ = trained
    assert Seen.last["computed"] == [KINDS[kind].name, "float32"]  # hidden layer, logits
    assert (Seen.last["weights"], Seen.last["normalized"]) == ({"float32"}, "float32")
    scaled = Seen.last["optimizer"] is keras.optimizers.LossScaleOptimizer
    assert scaled == (kind == "mixed_float16")


def test_what_it_leaves_is_float32_with_the_weights_it_learned(trained):
    _, folder = trained
    model = artifact.load(str(folder))
    assert {layer.dtype_policy.name for layer in model._flatten_layers()} == {"float32"}
    pixels = digits.images()[0][:20].astype(np.float32)
    x = pixels
    normalize = model.get_layer("normalize")
    x = ((pixels - normalize.mean.numpy()) / np.sqrt(normalize.variance.numpy())).reshape(20, -1)
    hidden, bias, kernel, last = Seen.last["values"]
    expected = np.maximum(x @ hidden + bias, 0) @ kernel + last
    np.testing.assert_allclose(model(pixels).numpy(), expected, rtol=1e-4, atol=1e-4)


def test_it_is_served_as_it_was_trained(trained):
    _, folder = trained
    assert parity.refusal(str(folder), folder / "Format-Serving", digits.examples(keys.TEST)[:3]) is None
    function = tf.saved_model.load(str(folder / "Format-Serving")).signatures["pixels"]
    answer = function(pixels=tf.zeros([2, 8, 8, 1]))
    assert {value.dtype for name, value in answer.items() if name != "classes"} == {tf.float32}


def test_the_policy_of_others_is_left_alone(trained):
    assert keras.config.dtype_policy().name == "float32"
