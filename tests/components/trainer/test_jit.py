"""XLA compiles the training step where it is asked to and can; what is learned stays what it was."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.infra_validator import parity
from components.tasks.by_name import task_of
from components.trainer import jit
from components.trainer.card import Card
from components.trainer.component import run_fn
from components.trainer.data import Data, DataInfo
from components.trainer.resume import Resume
from configs.errors import UsageError
from configs.schema.train import TrainConfig
from keras_models import build, normalize
from tests.components import digits

BATCH = 48
IMAGES = 4 * BATCH + 8  # the last batch is smaller
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # what rounding in another order makes of 15 steps


def data() -> Data:
    images, labels = digits.images()
    images, labels = images[:IMAGES].astype(np.float32), labels[:IMAGES].astype(np.int64)
    batches = tf.data.Dataset.from_tensor_slices((images, {"label": labels})).batch(BATCH)
    info = DataInfo((8, 8, 1), digits.NAMES, IMAGES)
    return Data(info, -(-IMAGES // BATCH), lambda first, epochs: batches.repeat(epochs - first), batches, batches)


def network(*first) -> keras.Model:
    keras.utils.set_random_seed(0)
    if not first:
        net = build("mlp", {"input_shape": (8, 8, 1), "num_classes": 10}, {"hidden": [16]})
        return normalize.with_normalization(net, "unit", None, None, None)
    image = keras.Input((8, 8, 1), name="image")
    x = image
    for layer in first:
        x = layer(x)
    return keras.Model(image, keras.layers.Dense(10)(keras.layers.Flatten()(x)))


def convolutional(*more) -> keras.Model:
    keras.utils.set_random_seed(0)  # layers draw the seeds of their weights when they are made
    first = keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(4, 3, activation="tanh")
    return network(*first, keras.layers.BatchNormalization(), keras.layers.AveragePooling2D(2), *more)


def dropping() -> keras.Model:
    return convolutional(keras.layers.Dropout(0.3, seed=1))  # draws by its own seed


def trained(model, folder, asked, epochs=3, first=0):
    """The state of the training."""
    resume = Resume(folder, None)
    train = TrainConfig(epochs=epochs, batch_size=BATCH, jit=asked)
    task_of("classification").fit(model, data(), train, first, [resume])
    return resume


@pytest.mark.parametrize("make", [pytest.param(network, marks=pytest.mark.whole), convolutional])
def test_what_is_learned_is_the_same_but_for_rounding(make, tmp_path):
    plain, compiled = make(), make()
    without, with_ = (trained(model, tmp_path / str(asked), asked) for model, asked in ((plain, False), (compiled, True)))
    assert (without.jit, with_.jit) == (False, True)
    for figures, others in zip(without.history, with_.history, strict=True):
        assert figures == pytest.approx(others, rel=1e-4)
    for weights, others in zip(plain.get_weights(), compiled.get_weights(), strict=True):
        np.testing.assert_allclose(weights, others, **CLOSE)
    assert compiled.train_step.__func__ is type(compiled).train_step  # Keras's own again


class Killed(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


@pytest.mark.parametrize("asked", [False, pytest.param(True, marks=pytest.mark.whole)])
def test_a_killed_training_goes_on_bit_by_bit(asked, tmp_path):
    whole = dropping()
    trained(whole, tmp_path / "whole", asked)
    train = TrainConfig(epochs=3, batch_size=BATCH, jit=asked)
    with pytest.raises(KeyboardInterrupt):
        task_of("classification").fit(dropping(), data(), train, 0, [Resume(tmp_path / "killed", None), Killed()])
    again = dropping()
    assert trained(again, tmp_path / "killed", asked, first=1).jit is asked
    for weights, others in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, others)


class Words(keras.layers.Layer):
    """A hash of a text, which XLA has no operation for."""

    def call(self, x):
        hashed = tf.strings.to_hash_bucket_fast(tf.strings.as_string(x[:, :1, :1]), 7)
        return x * tf.cast(hashed, tf.float32)


class Halved(keras.layers.Layer):
    """Halves until little is left: how often is not known before, so that XLA cannot keep what the gradient needs."""

    def call(self, x):
        return tf.while_loop(lambda y: tf.reduce_sum(tf.abs(y)) > 1.0, lambda y: [y / 2], [x])[0]


class Looked(keras.layers.Layer):
    """Looks up in a table."""

    def __init__(self):
        super().__init__()
        rows = tf.lookup.KeyValueTensorInitializer(tf.range(10, dtype=tf.int64), tf.range(10.0))
        self.table = tf.lookup.StaticHashTable(rows, 0.0)

    def call(self, x):
        return x * self.table.lookup(tf.cast(x, tf.int64))


@pytest.mark.parametrize(
    ("layer", "named"), [(Words, "has no AsString"), (Halved, "fixed tensor list size"), (Looked, "has no LookupTableFindV2")]
)
def test_what_xla_cannot_compile_is_refused_in_a_sentence(layer, named, tmp_path):
    with pytest.raises(UsageError, match=rf"^train.jit: true, and XLA cannot compile [^\n]*{named}[^\n]*\.$") as error:
        trained(network(keras.layers.Conv2D(2, 3), layer()), tmp_path, True)
    assert "train.jit: auto" in error.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("layer", "compiles"), [(Words, False), (keras.layers.Flatten, True)])
def test_auto_on_a_gpu_compiles_what_can_be(layer, compiles, tmp_path, monkeypatch):
    monkeypatch.setattr(jit, "has_gpu", lambda: True)
    resume = trained(network(layer()), tmp_path, "auto")
    assert resume.jit is compiles
    assert len(resume.history) == 3


def test_auto_leaves_alone_what_draws_at_random(tmp_path, monkeypatch):
    monkeypatch.setattr(jit, "has_gpu", lambda: True)
    assert trained(dropping(), tmp_path, "auto").jit is False  # XLA would draw other numbers


@pytest.mark.parametrize("shape", [(BATCH, None, 5), None], ids=["a table of any length", "of any rank"])
def test_batches_of_no_fixed_shape_are_left_alone_or_refused_in_a_sentence(shape, monkeypatch):
    monkeypatch.setattr(jit, "has_gpu", lambda: True)
    batch = tf.zeros([BATCH, 8, 8, 1]), {"label": tf.zeros([BATCH], tf.int64), "boxes": tf.zeros([BATCH, 2, 5])}
    told = tf.TensorSpec(shape, tf.float32)
    signature = tf.TensorSpec((None, 8, 8, 1)), {"label": tf.TensorSpec((None,), tf.int64), "boxes": told}
    batches, model = tf.data.Dataset.from_generator(lambda: iter([batch]), output_signature=signature), network()
    model.compile()
    with jit.step(model, TrainConfig(batch_size=BATCH, jit="auto"), batches):
        assert not jit.is_used(model)
    refused = pytest.raises(UsageError, match=r"XLA cannot compile a step .*: its batches have no fixed shape\.$")
    with refused, jit.step(model, TrainConfig(batch_size=BATCH, jit=True), batches):
        pass


class OwnStep(keras.Model):
    """Learns in a way of its own."""

    def train_step(self, data):
        return super().train_step(data)


@pytest.mark.parametrize("asked", [True, "auto"])
def test_a_step_of_one_s_own_is_compiled_where_that_is_asked_for(asked, tmp_path, monkeypatch):
    monkeypatch.setattr(jit, "has_gpu", lambda: True)
    image = keras.Input((8, 8, 1))
    model = OwnStep(image, keras.layers.Dense(10)(keras.layers.Flatten()(image)))
    assert trained(model, tmp_path, asked).jit is (asked is True)


def test_where_it_cannot_be_it_is_said_too(tmp_path):
    image = keras.Input((8, 8, 1))
    model = OwnStep(image, keras.layers.Dense(10)(keras.layers.Flatten()(Words()(image))))
    with pytest.raises(UsageError, match="XLA cannot compile a step of this training: it has no AsString"):
        trained(model, tmp_path, True)


def test_auto_on_a_cpu_leaves_it_to_onednn(tmp_path, monkeypatch):
    monkeypatch.setattr(jit, "has_gpu", lambda: False)
    assert trained(network(), tmp_path, "auto").jit is False


@pytest.mark.parametrize("asked", [True, pytest.param("auto", marks=pytest.mark.whole)])  # which is False here, as above
def test_it_stands_on_the_card_and_what_is_served_is_what_was_trained(asked, artifacts, tmp_path):
    config = digits.trainer_slice(digits.MLP, train={**digits.MLP["train"], "jit": asked})
    run_fn(digits.fn_args(tmp_path, artifacts.transformed, artifacts.transform, artifacts.schema, config, materialized=True))
    assert json.loads((tmp_path / "model/card.json").read_text())["jit"] is (asked is True)
    assert Card.read(str(tmp_path / "model")).jit is (asked is True)
    if asked is True:
        assert parity.refusal(str(tmp_path / "model"), tmp_path / "model/Format-Serving", digits.examples(keys.TEST)[:3]) is None
