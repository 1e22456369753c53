"""From the config's words to step sizes and steps."""

import math

import keras
import numpy as np
import pytest

from components.trainer.optimizers import optimizer
from configs.schema.train import OptimizerConfig, TrainConfig


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
    by_step = rates(epochs=4, optimizer={"learning_rate": 0.5}, schedule={})
    expected = [0.25 * (1 + math.cos(math.pi * step / 40)) for step in range(41)]
    assert by_step == pytest.approx(expected, abs=1e-6)


def test_warm_up_rises_in_a_line_and_the_cosine_takes_the_rest():
    by_step = rates(epochs=4, optimizer={"learning_rate": 0.5}, schedule={"warmup_epochs": 1})
    rise = [0.5 * step / 10 for step in range(10)]
    fall = [0.25 * (1 + math.cos(math.pi * step / 30)) for step in range(31)]
    assert by_step == pytest.approx(rise + fall, abs=1e-6)


def test_part_of_an_epoch_may_be_warm_up_and_more_than_all_of_them_only_rises():
    assert rates(epochs=2, optimizer={"learning_rate": 1}, schedule={"warmup_epochs": 0.5})[:6] == pytest.approx(
        [0, 0.2, 0.4, 0.6, 0.8, 1], abs=1e-6
    )
    assert rates(epochs=1, optimizer={"learning_rate": 1}, schedule={"warmup_epochs": 2}) == pytest.approx(
        [step / 20 for step in range(11)], abs=1e-6
    )


def test_steps_fall_by_the_factor_with_the_first_batch_after_a_milestone():
    by_step = rates(epochs=4, optimizer={"learning_rate": 0.5}, schedule={"name": "step", "milestones": [1, 2.5], "factor": 0.2})
    assert by_step == pytest.approx([0.5] * 10 + [0.1] * 15 + [0.02] * 16, rel=1e-6)


def test_exponential_falls_by_the_factor_after_every_so_many_epochs():
    by_step = rates(epochs=4, optimizer={"learning_rate": 0.5}, schedule={"name": "exponential", "factor": 0.96, "every": 1.5})
    assert by_step == pytest.approx([0.5 * 0.96 ** (step // 15) for step in range(41)], rel=1e-6)


@pytest.mark.parametrize(
    ("schedule", "plain"),
    [
        ({"name": "constant"}, lambda step: 0.5),
        ({"name": "step", "milestones": [1, 3]}, lambda step: 0.5 if step < 10 else 0.05 if step < 30 else 0.005),
        ({"name": "exponential", "factor": 0.5}, lambda step: 0.5 * 0.5 ** (step // 10)),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_warm_up_multiplies_what_every_other_schedule_gives(schedule, plain):
    by_step = rates(epochs=4, optimizer={"learning_rate": 0.5}, schedule={**schedule, "warmup_epochs": 1.5})
    assert by_step == pytest.approx([plain(step) * min(step / 15, 1) for step in range(41)], rel=1e-6)


def test_a_plateau_starts_with_a_rate_that_can_be_set():
    made = optimizer(TrainConfig(schedule={"name": "plateau"}, optimizer={"learning_rate": 0.25}), 10)
    made.learning_rate = 0.5
    assert float(made.learning_rate) == 0.5


RNG = np.random.default_rng(7)
KERNEL, BIAS = (RNG.normal(size=size).astype(np.float32) for size in ((3, 4), (4,)))
GRADIENTS = [[RNG.normal(size=w.shape).astype(np.float32) for w in (KERNEL, BIAS)] for _ in range(3)]  # of three steps


def clipped(gradients, clip_norm=None, global_clip_norm=None, clip_value=None):
    """The three ways in plain NumPy; norms of these gradients are from 1.1 to 4.2."""
    if clip_norm:
        return [g * min(1, clip_norm / np.linalg.norm(g)) for g in gradients]
    if global_clip_norm:
        norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
        return [g * min(1, global_clip_norm / norm) for g in gradients]
    return [np.clip(g, -clip_value, clip_value) for g in gradients] if clip_value else gradients


def stepped(**asked):
    """Weights after three steps of the configured optimizer."""
    weights = [keras.Variable(KERNEL, name="kernel"), keras.Variable(BIAS, name="bias")]
    made = optimizer(TrainConfig(optimizer={"learning_rate": 0.1, **asked}), 10, weights)
    for gradients in GRADIENTS:
        made.apply([keras.ops.convert_to_tensor(g) for g in gradients], weights)
    return [w.numpy() for w in weights]


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("decays", ["all", "kernels"])
@pytest.mark.parametrize("clip", [{}, {"clip_norm": 2.0}, {"global_clip_norm": 2.0}, {"clip_value": 0.5}], ids=str)
def test_sgd_is_the_papers_formula(nesterov, decays, clip):
    """v = m v - e (g + d w); w = w + v: Krizhevsky et al. 2012, section 5. Nesterov: w = w + m v - e (g + d w), with the new v."""
    rate, momentum, decay = 0.1, 0.9, 0.3
    expected, speeds = [KERNEL, BIAS], [0.0, 0.0]
    for gradients in GRADIENTS:
        for index, gradient in enumerate(clipped(gradients, **clip)):
            weight = expected[index]
            push = rate * (gradient + (decay if decays == "all" or index == 0 else 0) * weight)
            speeds[index] = momentum * speeds[index] - push
            expected[index] = weight + (momentum * speeds[index] - push if nesterov else speeds[index])
    weights = stepped(name="sgd", momentum=momentum, nesterov=nesterov, weight_decay=decay, decays=decays, **clip)
    for mine, theirs in zip(weights, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_sgd_s_decay_is_not_keras_s_own():
    assert not np.allclose(stepped(name="sgd", momentum=0.9, weight_decay=0.3)[0], keras_s_own(momentum=0.9, weight_decay=0.3))


def keras_s_own(**asked):
    weight = keras.Variable(KERNEL)
    made = keras.optimizers.SGD(0.1, **asked)
    for kernel, _ in GRADIENTS:
        made.apply([keras.ops.convert_to_tensor(kernel)], [weight])
    return weight.numpy()


@pytest.mark.parametrize("decays", ["all", "kernels"])
def test_adamw_shrinks_weights_beside_the_step(decays):
    """Loshchilov & Hutter 2019, algorithm 2, Keras's epsilon of 1e-7 included."""
    rate, decay, expected = 0.1, 0.3, []
    for index, weight in enumerate([KERNEL, BIAS]):
        mean = square = 0.0
        for count, gradients in enumerate(GRADIENTS, 1):
            mean, square = 0.9 * mean + 0.1 * gradients[index], 0.999 * square + 0.001 * gradients[index] ** 2
            step = rate * np.sqrt(1 - 0.999**count) / (1 - 0.9**count) * mean / (np.sqrt(square) + 1e-7)
            weight = weight * (1 - rate * (decay if decays == "all" or index == 0 else 0)) - step
        expected.append(weight)
    for mine, theirs in zip(stepped(name="adamw", weight_decay=decay, decays=decays), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_adamw_without_a_word_keeps_keras_s_decay():
    assert optimizer(TrainConfig(optimizer={"name": "adamw"}), 10).weight_decay == 0.004
    assert optimizer(TrainConfig(optimizer={"name": "adamw", "weight_decay": 0}), 10).weight_decay == 0
    assert optimizer(TrainConfig(optimizer={"name": "adam"}), 10).weight_decay is None


def test_rmsprop_takes_momentum():
    assert optimizer(TrainConfig(optimizer={"name": "rmsprop", "momentum": 0.9}), 10).momentum == 0.9
