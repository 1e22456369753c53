"""A training that is killed and goes on ends where an undisturbed one ends."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.tasks.by_name import task_of
from components.trainer import training
from components.trainer.data import Data, DataInfo
from components.trainer.phases import Phase
from components.trainer.resume import Resume
from configs.errors import Diverged, HubelError
from keras_models import normalize
from tests.components import digits

pytestmark = pytest.mark.usefixtures("eager")

# Weights come back from HDF5 bit by bit, and batches are the same; what is left is the order in which two threads add.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


BATCH = 100


class Killed(Exception):
    pass


class KillAfter(keras.callbacks.Callback):
    """Ends the training like a kill: right after an epoch's state was written."""

    def __init__(self, epoch):
        super().__init__()
        self._epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self._epoch:
            raise Killed


class Killing:
    """A task whose fit is interrupted."""

    def __init__(self, task, epoch):
        self._task, self._epoch = task, epoch

    def __getattr__(self, name):
        return getattr(self._task, name)

    def fit(self, model, data, train, first_epoch, callbacks):
        self._task.fit(model, data, train, first_epoch, [*callbacks, KillAfter(self._epoch)])


def data_of(validation_labels=None) -> Data:
    """200 digits to train on, 50 to validate with; as components.trainer.data makes them, without files."""
    images, labels = digits.images()
    images = images.astype(np.float32)

    def part(first, last, targets):
        return tf.data.Dataset.from_tensor_slices((images[first:last], {"label": targets[first:last].astype(np.int64)}))

    def training(first, epochs):
        def epoch_of(epoch):
            return part(0, 200, labels).shuffle(200, seed=epoch + 1, reshuffle_each_iteration=False).batch(BATCH)

        return tf.data.Dataset.range(first, epochs).flat_map(epoch_of)

    plain = part(0, 200, labels).batch(BATCH)
    validation = part(200, 250, labels if validation_labels is None else validation_labels).batch(BATCH)
    return Data(DataInfo((8, 8, 1), digits.NAMES, 200), 200 // BATCH, training, plain, validation)


def slice_of(**train):
    return digits.trainer_slice({**digits.AUTOENCODER, "model": {"name": "mlp"}}, train={"batch_size": BATCH, **train})


def fresh_model():
    keras.utils.set_random_seed(3)
    image = keras.Input((8, 8, 1))
    x = keras.layers.Dropout(0.2)(keras.layers.Flatten()(image))
    net = keras.Model(image, keras.layers.Dense(10)(keras.layers.Dense(16, activation="relu")(x)))
    return normalize.with_normalization(net, "unit")


def trained(folder, cfg, data=None, task=None):
    """What a process does. Returns (history, weights, Resume)."""
    keras.backend.clear_session()
    model = fresh_model()
    resume = Resume(folder, cfg.train.early_stopping.patience if cfg.train.early_stopping else None)
    history = training.train(task or task_of("classification"), model, data or data_of(), cfg, resume)
    return history, model.get_weights(), resume


def interrupted(folder, cfg, epoch, data=None):
    with pytest.raises(Killed):
        trained(folder, cfg, data, Killing(task_of("classification"), epoch))


def assert_same(training, undisturbed):
    """Each is the history, a mapping an epoch, and the weights."""
    assert [sorted(figures) for figures in training[0]] == [sorted(figures) for figures in undisturbed[0]]
    for mine, theirs in zip(training[0], undisturbed[0], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4, abs=1e-5)
    for mine, theirs in zip(training[1], undisturbed[1], strict=True):
        np.testing.assert_allclose(mine, theirs, **CLOSE)


def assert_cleared(states, folder):
    """Nothing stays in a folder of the states of a training that is over."""
    for state in states:
        state.clear()
    assert list(folder.iterdir()) == []


COSINE = {"epochs": 4, "early_stopping": None, "schedule": {"warmup_epochs": 1}, "optimizer": {"learning_rate": 0.02}}


@pytest.fixture(scope="module")
def undisturbed(eager, tmp_path_factory):
    return trained(tmp_path_factory.mktemp("undisturbed"), slice_of(**COSINE))


@pytest.mark.parametrize("kills", [pytest.param([0], marks=pytest.mark.whole), [1, 2]], ids=str)
def test_a_killed_training_ends_like_an_undisturbed_one(undisturbed, tmp_path, kills):
    cfg = slice_of(**COSINE)
    for epoch in kills:
        interrupted(tmp_path / "b", cfg, epoch)
        assert Resume(tmp_path / "b", None).epoch == epoch + 1
    assert_same(trained(tmp_path / "b", cfg), undisturbed)
    assert len(undisturbed[0]) == 4


class Rates(keras.callbacks.Callback):
    """The learning rate of every step, by (epoch, batch)."""

    def __init__(self):
        super().__init__()
        self.seen = {}

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.seen[self._epoch, batch] = float(self.model.optimizer.learning_rate)


class Watched(type(task_of("classification"))):
    """A task whose fit has one more callback."""

    def __init__(self, callback):
        self._callback = callback

    def fit(self, model, data, train, first_epoch, callbacks):
        super().fit(model, data, train, first_epoch, [*callbacks, self._callback])


PLATEAU = {
    "epochs": 7,
    "early_stopping": None,
    "optimizer": {"name": "sgd", "learning_rate": 0.2, "momentum": 0.9, "weight_decay": 1e-3, "global_clip_norm": 1.0},
    "schedule": {"name": "plateau", "factor": 0.5, "patience": 2, "warmup_epochs": 1.5},
    "label_smoothing": 0.1,
}


@pytest.mark.parametrize("precision", [pytest.param("float32", marks=pytest.mark.whole), "mixed_float16"])
def test_momentum_and_a_plateau_go_on_where_they_were(tmp_path, precision):
    keras.config.set_dtype_policy(precision)
    try:
        cfg, whole, rest = slice_of(**PLATEAU), Rates(), Rates()
        expected = trained(tmp_path / "a", cfg, worse_and_worse(), Watched(whole))
        for epoch in (0, 3):  # in the warm-up; one epoch before the rate falls
            interrupted(tmp_path / "b", cfg, epoch, worse_and_worse())
        assert_same(trained(tmp_path / "b", cfg, worse_and_worse(), Watched(rest)), expected)
    finally:
        keras.config.set_dtype_policy("float32")
    rates = [0, 0.2 / 3, 0.4 / 3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1]
    assert list(whole.seen.values()) == pytest.approx(rates)
    assert rest.seen == {at: rate for at, rate in whole.seen.items() if at[0] >= 4}


def worse_and_worse() -> Data:
    """Validation labels that training has never seen right: the loss rises from the first epochs on."""
    return data_of((digits.images()[1] + 1) % 10)


EARLY = {"epochs": 8, "early_stopping": {"patience": 2}, "optimizer": {"learning_rate": 0.05}}


@pytest.fixture(scope="module")
def stopped(eager, tmp_path_factory):
    """Folder, history, weights and the best epoch of a training that stopped early."""
    folder = tmp_path_factory.mktemp("stopped")
    history, weights, _ = trained(folder, slice_of(**EARLY), worse_and_worse())
    return folder, history, weights, int(np.argmin([figures["val_loss"] for figures in history]))


def test_early_stopping_counts_across_the_interruption_and_keeps_the_best_weights(stopped, tmp_path):
    _, history, weights, best = stopped
    assert len(history) == best + 3 < 8
    interrupted(tmp_path / "b", slice_of(**EARLY), best + 1, worse_and_worse())
    assert_same(trained(tmp_path / "b", slice_of(**EARLY), worse_and_worse()), (history, weights))


def test_a_training_that_was_over_when_it_was_killed_is_not_gone_on_with(stopped):
    folder, history, weights, _ = stopped
    again = trained(folder, slice_of(**EARLY), worse_and_worse())
    assert_same(again, (history, weights))
    assert again[2].is_over


def test_the_best_weights_are_those_of_the_lowest_validation_loss(stopped, tmp_path):
    _, _, weights, best = stopped
    _, at_best, _ = trained(tmp_path / "b", slice_of(**{**EARLY, "epochs": best + 1}), worse_and_worse())
    for mine, theirs in zip(weights, at_best, strict=True):
        np.testing.assert_allclose(mine, theirs, **CLOSE)


def test_the_last_weights_are_kept_where_they_are_asked_for(stopped, tmp_path):
    _, history, _, best = stopped
    cfg = slice_of(**EARLY, keep="last")
    shutil.copytree(stopped[0], tmp_path / "b")
    model = fresh_model()
    training.train(task_of("classification"), model, worse_and_worse(), cfg, Resume(tmp_path / "b", 2))
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    pixels, targets = next(worse_and_worse().validation.as_numpy_iterator())
    loss = model.evaluate(pixels, targets["label"], verbose=0)
    assert loss == pytest.approx(history[-1]["val_loss"], rel=1e-4)
    assert loss > history[best]["val_loss"] * 1.01


def test_a_last_epoch_that_diverged_is_not_kept(stopped, tmp_path):
    shutil.copytree(stopped[0], tmp_path / "b")
    state = json.loads((tmp_path / "b/state.json").read_text())
    state["history"][-1]["val_loss"] = float("nan")
    (tmp_path / "b/state.json").write_text(json.dumps(state))
    with pytest.raises(Diverged, match=f"diverged in epoch {len(stopped[1])} of 8: its loss was not a finite number"):
        training.train(
            task_of("classification"), fresh_model(), data_of(), slice_of(**EARLY, keep="last"), Resume(tmp_path / "b", 2)
        )
    assert not (tmp_path / "b").exists()


def test_a_kill_between_weights_and_state_costs_an_epoch_and_nothing_more(undisturbed, tmp_path):
    cfg = slice_of(**COSINE)
    interrupted(tmp_path / "b", cfg, 1)
    folder = tmp_path / "b"
    (folder / "2.weights.h5").write_bytes(b"half a file")
    (folder / "state.json.staged").write_text('{"history": [')
    assert_same(trained(folder, cfg), undisturbed)


@pytest.mark.parametrize("text", ["", "{", '{"history": []}', "[]", "GONE"])
def test_a_state_that_cannot_be_used_is_started_over(stopped, tmp_path, text):
    folder = tmp_path / "state"
    shutil.copytree(stopped[0], folder)
    assert Resume(folder, 2).epoch == len(stopped[1])
    if text == "GONE":
        for path in folder.glob("*.h5"):
            path.unlink()
    else:
        (folder / "state.json").write_text(text)
    resume = Resume(folder, 2)
    assert (resume.epoch, resume.is_over, resume.restore(None, "best")) == (0, False, False)


class Otherwise(type(task_of("classification"))):
    """A task whose epochs have no validation loss, but `distance`, which is least in the second one."""

    judged_by = "distance"

    def fit(self, model, data, train, first_epoch, callbacks):
        told = keras.callbacks.LambdaCallback(on_epoch_end=self._tell)
        super().fit(model, data, train, first_epoch, [told, *callbacks])

    def _tell(self, epoch, logs):
        del logs["val_loss"]
        logs["distance"] = [3.0, 1.0, 2.0, 4.0, 5.0][epoch]


def in_phases(folder, cfg, task):
    """History, weights and state of a training of one phase."""
    keras.backend.clear_session()
    model = fresh_model()
    history, [resume] = training.train_in_phases([Phase(task, cfg.train)], model, data_of(), cfg, folder)
    return history, model.get_weights(), resume


def test_a_training_is_judged_by_what_its_task_says(tmp_path):
    cfg = slice_of(epochs=5, early_stopping={"patience": 2})
    history, weights, resume = in_phases(tmp_path / "a", cfg, Otherwise())
    assert [figures["distance"] for figures in history] == [3.0, 1.0, 2.0, 4.0], "patience ran out"
    assert (resume.is_over, training.kept_epochs([Phase(Otherwise(), cfg.train)], [resume])) == (True, 2)
    _, at_best, _ = in_phases(tmp_path / "b", slice_of(epochs=2, early_stopping=None), Otherwise())
    for mine, theirs in zip(weights, at_best, strict=True):
        np.testing.assert_allclose(mine, theirs, **CLOSE)
    with pytest.raises(Killed):
        in_phases(tmp_path / "c", cfg, Killing(Otherwise(), 0))
    assert_same(in_phases(tmp_path / "c", cfg, Otherwise()), (history, weights))


def test_a_rate_falls_by_what_the_task_says(tmp_path):
    rates = Rates()

    class Falling(Otherwise):
        def fit(self, model, data, train, first_epoch, callbacks):
            super().fit(model, data, train, first_epoch, [*callbacks, rates])

    train = {"epochs": 5, "schedule": {"name": "plateau", "factor": 0.5, "patience": 1, "warmup_epochs": 0}}
    cfg = slice_of(**train, early_stopping=None, optimizer={"name": "sgd", "learning_rate": 0.2})
    in_phases(tmp_path / "a", cfg, Falling())
    assert [rates.seen[epoch, 0] for epoch in range(5)] == pytest.approx([0.2, 0.2, 0.2, 0.1, 0.05])


def test_a_figure_that_no_epoch_has_is_said(tmp_path):
    class Misnamed(type(task_of("classification"))):
        judged_by = "val_lost"

    with pytest.raises(HubelError, match=r"judged by val_lost, and its epochs have .*val_loss"):
        in_phases(tmp_path / "a", slice_of(epochs=1), Misnamed())


def test_only_the_weights_that_are_needed_are_kept(stopped):
    folder, history, _, best = stopped
    assert {path.name for path in folder.iterdir()} == {"state.json", f"{best}.weights.h5", f"{len(history) - 1}.weights.h5"}


def test_forgetting_removes_everything(tmp_path):
    _, _, resume = trained(tmp_path / "a", slice_of(**{**COSINE, "epochs": 1}))
    resume.clear()
    assert not (tmp_path / "a").exists()
    resume.clear()
    assert Resume(tmp_path / "a", 3).epoch == 0


def test_a_training_that_diverges_says_so_and_can_be_tried_again(tmp_path):
    cfg = slice_of(epochs=3, optimizer={"name": "sgd", "learning_rate": 1e30}, early_stopping=None)
    with pytest.raises(HubelError, match="diverged") as caught:
        trained(tmp_path / "a", cfg)
    assert "learning_rate" in caught.value.hint
    assert Resume(tmp_path / "a", None).epoch == 0


def test_an_epoch_that_diverges_is_never_the_best_one(tmp_path):
    state = Resume(tmp_path / "a", 1)
    state.set_model(fresh_model())
    for epoch, loss in enumerate([float("nan"), 2.0, float("inf"), 1.0]):
        state.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
    again = Resume(tmp_path / "a", 1)
    assert [again.epoch, again._state["best"]["epoch"], again.is_over] == [4, 3, False]


def test_no_epoch_leaves_the_model_as_it_was_built(tmp_path):
    history, weights, _ = trained(tmp_path / "a", slice_of(epochs=0))
    assert history == []
    for mine, theirs in zip(weights, fresh_model().get_weights(), strict=True):
        assert np.array_equal(mine, theirs)
