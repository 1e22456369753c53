"""From the config's words to step sizes."""

import math

import keras
import pytest

from components.trainer.optimizers import optimizer
from configs.schema import OptimizerConfig, TrainConfig


@pytest.mark.parametrize("name", OptimizerConfig.model_fields["name"].annotation.__args__)
def test_every_name_of_the_schema_is_a_keras_optimizer(name):
    made = optimizer(TrainConfig(optimizer={"name": name, "learning_rate": 0.25}), 10)
    assert isinstance(made, keras.optimizers.Optimizer)
    assert type(made).__name__.lower() == name
    assert float(made.learning_rate) == 0.25


def rates(steps=10, **train) -> list[float]:
    made = optimizer(TrainConfig(**train), steps)
    return [float(made._learning_rate(step)) for step in range(train["epochs"] * steps + 1)]


def test_cosine_falls_from_the_rate_to_zero_over_all_epochs():
    found = rates(epochs=4, optimizer={"learning_rate": 0.5}, schedule={})
    expected = [0.25 * (1 + math.cos(math.pi * step / 40)) for step in range(41)]
    assert found == pytest.approx(expected, abs=1e-6)


def test_warm_up_rises_in_a_line_and_the_cosine_takes_the_rest():
    found = rates(epochs=4, optimizer={"learning_rate": 0.5}, schedule={"warmup_epochs": 1})
    rise = [0.5 * step / 10 for step in range(10)]
    fall = [0.25 * (1 + math.cos(math.pi * step / 30)) for step in range(31)]
    assert found == pytest.approx(rise + fall, abs=1e-6)


def test_part_of_an_epoch_may_be_warm_up_and_more_than_all_of_them_only_rises():
    assert rates(epochs=2, optimizer={"learning_rate": 1}, schedule={"warmup_epochs": 0.5})[:6] == pytest.approx(
        [0, 0.2, 0.4, 0.6, 0.8, 1], abs=1e-6
    )
    assert rates(epochs=1, optimizer={"learning_rate": 1}, schedule={"warmup_epochs": 2}) == pytest.approx(
        [step / 20 for step in range(11)], abs=1e-6
    )
