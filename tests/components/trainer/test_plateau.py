"""When the rate falls: by the rule in plain Python, whatever the losses, and whenever the training is killed."""

import math

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trainer import plateau
from configs.schema.train import TrainConfig


def config(patience=2, factor=0.5, warmup=0.0) -> TrainConfig:
    schedule = {"name": "plateau", "patience": patience, "factor": factor, "warmup_epochs": warmup}
    return TrainConfig(early_stopping=None, schedule=schedule, optimizer={"name": "sgd", "learning_rate": 1.0})


def rates(train, losses, killed_after=0) -> list[float]:
    """The rate after each epoch, those before the kill left out."""
    [callback] = plateau.callbacks(train, [{"val_loss": loss} for loss in losses[:killed_after]])
    callback.set_params({"steps": 4})
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0), "mean_squared_error")
    callback.set_model(model)
    callback.on_train_begin()
    by_epoch = []
    for epoch, loss in enumerate(losses[killed_after:], killed_after):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"val_loss": loss})
        by_epoch.append(float(callback.model.optimizer.learning_rate))
    return by_epoch


def by_the_rule(losses, patience, factor) -> list[float]:
    best, waited, rate, by_epoch = math.inf, 0, 1.0, []
    for loss in losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss) if math.isfinite(loss) else best
        if waited == patience:
            rate, waited = rate * factor, 0
        by_epoch.append(rate)
    return by_epoch


LOSSES = st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0]), min_size=1, max_size=12)


@settings(max_examples=20)
@given(LOSSES, st.integers(1, 3), st.integers(0, 12))
def test_the_rate_falls_after_patience_epochs_without_a_better_loss(losses, patience, killed_after):
    expected = by_the_rule(losses, patience, 0.5)
    assert rates(config(patience), losses, min(killed_after, len(losses))) == expected[killed_after:]


@pytest.mark.parametrize("worse", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_no_better(worse):
    assert rates(config(1), [worse, 3.0, worse, 2.0, 1.0]) == [1.0, 1.0, 0.5, 0.5, 0.5]


def test_epochs_of_the_warm_up_are_not_counted():
    losses = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert rates(config(2), losses) == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    assert rates(config(2, warmup=1.5), losses) == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]


@pytest.mark.parametrize("schedule", [None, {}, {"name": "constant"}], ids=str)
def test_other_schedules_need_no_callback(schedule):
    assert plateau.callbacks(TrainConfig(schedule=schedule)) == []
