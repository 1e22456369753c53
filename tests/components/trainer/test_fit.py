"""The default fit: many steps at one go are the same steps as one by one, and no epoch begins with the batches of another."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.tasks import base
from components.tasks.by_name import task_of
from components.trainer.data import Data, DataInfo
from configs.schema.train import TrainConfig

BATCH = 2
TRAIN = TrainConfig(epochs=3, batch_size=BATCH, optimizer={"name": "sgd", "learning_rate": 0.1})


def data(steps: int) -> Data:
    """`steps` batches an epoch; epoch e has pixels of 10 e and more."""
    labels = np.arange(steps * BATCH) % 2
    pixels = np.random.default_rng(0).random((steps * BATCH, 2, 2, 1), dtype=np.float32)

    def epoch(number):
        shifted = tf.data.Dataset.from_tensor_slices((pixels, {keys.LABEL: labels}))
        return shifted.map(lambda x, y: (x + 10 * tf.cast(number, tf.float32), y)).batch(BATCH)

    def training(first, epochs):
        return tf.data.Dataset.range(first, epochs).flat_map(epoch)

    info = DataInfo((2, 2, 1), ["a", "b"], steps * BATCH)
    return Data(info, steps, training, epoch(0), epoch(0))


class Seen(keras.callbacks.Callback):
    """Steps done at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.steps = []

    def on_epoch_end(self, epoch, logs=None):
        self.steps.append(int(self.model.optimizer.iterations.numpy()))


def trained(steps):
    keras.utils.set_random_seed(0)
    image = keras.Input((2, 2, 1))
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image)))
    seen = Seen()
    task_of("classification").fit(model, data(steps), TRAIN, 0, [seen])
    return model, seen.steps


@pytest.mark.parametrize(("steps", "together"), [(12, 12), (34, 2)])
def test_steps_at_one_go_are_those_one_by_one(steps, together, monkeypatch):
    model, seen = trained(steps)
    assert seen == [steps, 2 * steps, 3 * steps]
    assert model.steps_per_execution == together
    monkeypatch.setattr(base, "MOST_AT_ONE_GO", 1)
    slow, _ = trained(steps)
    assert slow.steps_per_execution == 1
    for weights, expected in zip(model.get_weights(), slow.get_weights(), strict=True):
        np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-6)


class Before(keras.callbacks.Callback):
    """Does something before each step."""

    def on_train_batch_begin(self, batch, logs=None):
        """As the warm-up of a plateau does."""


def test_steps_go_one_by_one_where_they_must():
    assert [base._at_one_go(steps, [Seen()]) for steps in (1, 7, 16, 17, 422)] == [1, 7, 16, 1, 2]
    assert base._at_one_go(16, [Seen(), Before()]) == 1
