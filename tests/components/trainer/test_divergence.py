"""A training that blows up ends with the epoch, the part of the loss that did it, and what to try."""

import re

import keras
import numpy as np
import pytest
from keras import layers, ops

from components import progress
from components.tasks.by_name import task_of
from components.trainer import divergence, training
from components.trainer.resume import Resume
from configs.errors import Diverged, HubelError
from keras_models import auxiliary, get, normalize
from tests.components import digits
from tests.components.trainer.test_resume import data_of

pytestmark = pytest.mark.usefixtures("eager")


def slice_of(rate, epochs=4, schedule=None, **optimizer):
    chosen = {"name": "sgd", "learning_rate": rate, **optimizer}
    train = {"epochs": epochs, "batch_size": 100, "early_stopping": None, "optimizer": chosen, "schedule": schedule}
    return digits.trainer_slice(digits.AUTOENCODER, model={"name": "linear_autoencoder", "options": {"code_size": 4}}, train=train)


def linear(cfg):
    keras.utils.set_random_seed(3)
    return training.build(get("linear_autoencoder"), data_of(), cfg)


def penalised(weight, value=lambda code: ops.sum(ops.square(code), axis=-1)):
    """A linear autoencoder with a penalty on its code."""
    keras.utils.set_random_seed(3)
    image = keras.Input((8, 8, 1), name="image")
    code = layers.Dense(4, name="code")(layers.Flatten()(image))
    net = keras.Model(image, layers.Reshape((8, 8, 1))(layers.Dense(64)(code)), name="penalised")
    auxiliary.attach(net, terms=[auxiliary.Term("size", weight, value, [code])])
    return normalize.with_normalization(net, "unit")


def trained(folder, model, cfg):
    return training.train(task_of("reconstruction"), model, data_of(), cfg, Resume(folder, None))


def refused(folder, model, cfg):
    with pytest.raises(Diverged) as caught:
        trained(folder, model, cfg)
    assert Resume(folder, None).epoch == 0  # it can be tried again
    return caught.value.message, caught.value.hint


def test_too_high_a_rate_is_named_with_the_epoch(tmp_path):
    message, hint = refused(tmp_path / "a", linear(slice_of(1e4)), slice_of(1e4, epochs=20))
    assert message.startswith("Training diverged in epoch ")
    assert message.endswith(" of 20: its loss was not a finite number.") or "over 10,000 times that of the first epoch" in message
    assert hint == "Lower train.optimizer.learning_rate of 10000, or clip gradients by train.optimizer.global_clip_norm."


def test_one_that_explodes_in_the_first_epoch_is_known_by_the_loss_before_training(tmp_path):
    cfg, model = slice_of(100.0, epochs=1), linear(slice_of(100.0))
    batch = next(iter(data_of().plain))[0]
    start = np.mean(np.square(model(batch) - batch / 255))
    message, _ = refused(tmp_path / "a", model, cfg)
    said = re.fullmatch(
        r"Training diverged in epoch 1 of 1: its validation loss of (\S+) is over 10,000 times the (\S+) before training\.", message
    )
    assert float(said[1]) > 1e4 * start
    assert float(said[2]) == pytest.approx(start, rel=1e-2)


@pytest.mark.parametrize(
    ("loss", "val_loss", "start", "happened"),
    [
        (1e30, 1e30, 0.1, True),
        (1e30, 1e30, None, False),
        (1e30, 0.1, 0.1, False),
        (0.1, 1e30, 0.1, False),
        (300.0, 300.0, 0.1, False),
        (9.0, 9.0, 1e-9, False),
        (900.0, 900.0, 1e-9, False),  # a loss before training counts as 0.1 at least
        (1100.0, 1100.0, 1e-9, True),
        (-1e30, -1e30, 0.1, False),
        (1e30, 1e30, float("nan"), False),
    ],
    ids=str,
)
def test_what_counts_as_divergence_from_the_start(loss, val_loss, start, happened):
    figures = {"loss": loss, "val_loss": val_loss}
    assert divergence.has_happened([figures], start) == happened
    assert divergence.has_happened([figures, figures], start) == happened


def test_a_loss_that_explodes_is_stopped_while_it_is_finite_and_what_was_learned_before_stays(tmp_path, monkeypatch):
    cfg, said = slice_of(100.0, 50, {"name": "constant", "warmup_epochs": 50}, global_clip_norm=1.0), []
    monkeypatch.setattr(progress, "_listeners", [said.append])
    model = linear(cfg)
    history = trained(tmp_path / "a", model, cfg)
    losses = [figures["val_loss"] for figures in history]
    best = int(np.argmin(losses))
    assert 0 < best < len(losses) - 1 < 49
    assert np.isfinite(losses).all()
    assert max(losses[:-1]) < 1e4 * losses[0] < losses[-1]
    [warning] = [event["text"] for event in said if event["event"] == "warning"]
    assert warning.startswith(f"Training diverged in epoch {len(losses)} of 50: its validation loss of ")
    assert f"is over 10,000 times that of the first epoch. The weights of epoch {best + 1} stay. Lower train" in warning
    [(pixels, _)] = list(data_of().validation)
    assert np.mean(np.square(model(pixels) - pixels / 255)) == pytest.approx(losses[best], rel=1e-4)


@pytest.mark.parametrize("loss", [1e30, float("nan")])
@pytest.mark.parametrize("task", ["reconstruction.principal_components", "anomaly:reconstruction.principal_components"])
def test_a_closed_form_does_not_diverge(tmp_path, task, loss):
    """Whatever it ends in; what is no number is said, without a rate to lower."""

    closed = task_of(task)

    def fit(model, data, train, first_epoch, callbacks):
        model.compile("sgd", "mse")
        events = keras.callbacks.CallbackList(callbacks, model=model, epochs=1, steps=1)
        events.on_train_begin()
        events.on_epoch_begin(0)
        events.on_epoch_end(0, {"val_loss": loss})

    closed.fit = fit
    model, cfg, folder = linear(slice_of(0.1)), slice_of(0.1, epochs=1), tmp_path / "a"
    resume = Resume(folder, None)
    if np.isfinite(loss):
        assert training.train(closed, model, data_of(), cfg, resume) == [{"val_loss": loss}]
        assert resume.start is None
        return
    with pytest.raises(HubelError, match="in closed form has a validation loss that is no finite number") as caught:
        training.train(closed, model, data_of(), cfg, resume)
    assert not isinstance(caught.value, Diverged)
    assert "learning_rate" not in caught.value.hint
    assert not folder.exists()


def test_where_gradients_are_clipped_it_is_not_advised(tmp_path):
    cfg = slice_of(1e38, clip_value=1e9)
    assert refused(tmp_path / "a", linear(cfg), cfg)[1] == "Lower train.optimizer.learning_rate of 1e+38."


@pytest.mark.parametrize(
    ("weight", "rate", "culprit"),
    [(1e6, 0.01, "size"), (1e-6, 1e4, "data_loss")],
    ids=["by the weight of a term", "by the rate"],
)
def test_the_part_that_blew_up_is_named(tmp_path, weight, rate, culprit):
    cfg = slice_of(rate, epochs=20)
    message, hint = refused(tmp_path / "a", penalised(weight), cfg)
    assert message.endswith(f"; {culprit} blew up first.")
    assert hint.startswith(
        "Lower the weight of size, which is 1e+06, or lower train" if culprit == "size" else "Lower train.optimizer"
    )


def test_without_the_weight_the_same_training_goes_well(tmp_path):
    history = trained(tmp_path / "a", penalised(1e-6), slice_of(0.01))
    assert history[-1]["val_loss"] < history[0]["val_loss"]


def test_a_part_that_is_no_number_while_others_are_is_the_one(tmp_path):
    model = penalised(1e-6, lambda code: ops.log(ops.sum(code, axis=-1)))  # of what may be negative
    assert "; size blew up first" in refused(tmp_path / "a", model, slice_of(0.01))[0]


@pytest.mark.parametrize("terms", [True, False], ids=["with a term", "alone"])
def test_a_head_is_a_part_of_its_own_and_its_blame_does_not_fall_on_the_net(tmp_path, terms):
    keras.utils.set_random_seed(3)
    image = keras.Input((8, 8, 1), name="image")
    code = layers.Dense(4, name="code")(layers.Flatten()(image))
    net = keras.Model(image, layers.Reshape((8, 8, 1))(layers.Dense(64)(code)))
    head = layers.Reshape((8, 8, 1))(ops.log(-1 - ops.square(layers.Dense(64)(code))))
    penalty = auxiliary.Term("size", 1e-6, lambda code: ops.sum(ops.square(code), axis=-1), [code])
    auxiliary.attach(net, [head], 1.0, [penalty] if terms else [], called="twin")
    message, hint = refused(tmp_path / "a", normalize.with_normalization(net, "unit"), slice_of(0.01))
    assert message.endswith(": its loss was not a finite number; twin_loss blew up first.")
    assert hint.startswith("Lower train.optimizer")


@pytest.mark.parametrize(
    ("losses", "happened"),
    [
        ([], False),
        ([0.1, 0.01], False),
        ([0.08, 1.5], False),
        ([1e-9, 1e-4], False),
        ([1e-9, 900.0], False),
        ([1e-9, 1.1e3], True),
        ([0.1, 1.1e3], True),
        ([-50.0, 6e5], True),
        ([float("nan")], True),
        ([0.1, float("inf")], True),
    ],
    ids=str,
)
def test_what_counts_as_divergence(losses, happened):
    assert divergence.has_happened([{"loss": 1.0, "val_loss": loss} for loss in losses]) == happened
    assert divergence.has_happened([{"loss": float("nan"), "val_loss": 1.0}])
    assert not divergence.has_happened([{"val_loss": 1.0}])
    assert np.isfinite(losses).sum() == 0 or divergence.best([{"val_loss": loss} for loss in losses]) is not None
