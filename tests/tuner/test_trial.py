"""A trial is Trainer's own training: the same figures, of the validation split alone, within its limits."""

import gc
import json
import math
import shutil
import time
import weakref
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from components import keys
from components.trainer import component, epochs
from configs.errors import UsageError
from configs.override import override
from configs.schema.tune import TuneConfig
from keras_models import auxiliary
from tests.components import digits
from tuner import objective, pruning, trial
from tuner.trial import Training

pytestmark = pytest.mark.usefixtures("eager")

MLP = {**digits.MLP, "train": {"epochs": 4, "batch_size": 80, "early_stopping": None}}
TURNED = [{"rotate": {"degrees": 10}}, {"gaussian_noise": {"stddev": 0.1}}]


@pytest.fixture
def asked(artifacts, tmp_path):
    """What TFX hands over for a config."""

    def make(tree, **changes):
        cfg = digits.trainer_slice(tree, **changes)
        return digits.fn_args(tmp_path / "run", artifacts.transformed, artifacts.transform, artifacts.schema, cfg, True), cfg

    return make


@pytest.fixture(scope="module")
def shared(artifacts, tmp_path_factory):
    """A Training of MLP, as a search has it: trials come and go, and the data is opened once."""
    cfg, folder = digits.trainer_slice(MLP), tmp_path_factory.mktemp("shared")
    args = digits.fn_args(folder, artifacts.transformed, artifacts.transform, artifacts.schema, cfg, True)
    return Training(args, cfg, TuneConfig(algorithm="random"))


@pytest.fixture
def opened(asked):
    """A Training of a config, and of keys of `tune`, that has opened nothing."""

    def make(tree=MLP, tune=None, **changes):
        args, cfg = asked(tree, **changes)
        return Training(args, cfg, TuneConfig.model_validate({"algorithm": "random", **(tune or {})}))

    return make


COSINE = {"name": "cosine", "warmup_epochs": 1}
DEEP = {"name": "deep_autoencoder", "options": {"code_size": 4, "hidden": [12]}}
PRETRAINED = {"epochs": 3, "batch_size": 80, "early_stopping": None, "pretrain": {"epochs": 2}}
FAITHFUL = {
    "a classifier that stops early": (
        {**MLP, "train": {"epochs": 9, "batch_size": 80, "early_stopping": {"patience": 1}}},
        {"train.optimizer.learning_rate": 0.3, "model.options.hidden": [12, 6]},
    ),
    "schedule and augmentation": (
        {
            **MLP,
            "augment": TURNED,
            "train": {"epochs": 3, "early_stopping": None, "schedule": {"name": "cosine", "warmup_epochs": 1}},
        },
        {"train.optimizer.learning_rate": 0.01, "augment": [{"rotate": {"degrees": 20}}], "train.batch_size": 60},
    ),
    "pre-training": (
        {**digits.AUTOENCODER, "model": DEEP, "train": PRETRAINED},
        {"train.pretrain.learning_rate": 0.02, "model.options.code_size": 3},
    ),
}


def trained(args, cfg, values, monkeypatch):
    """What Trainer makes of a config with these values: the history that it writes, and the figures of the model that it serves."""
    args.custom_config["slice"] = cfg.model_dump_json()
    args.hyperparameters = {"space": [], "values": values}  # as Tuner hands them over
    served = {}

    def write(folder, model, task, card, data):
        assert card.hyperparameters == values
        asked, learner = task.of_model(model), auxiliary.learner(model)
        asked.compile(learner, lambda variables=None: keras.optimizers.SGD())
        served.update(learner.evaluate(data.validation.map(asked.pair), return_dict=True, verbose=0))

    monkeypatch.setattr(component.export, "write", write)
    component.run_fn(args)
    return json.loads((Path(args.model_run_dir) / "history.json").read_text()), served


@pytest.mark.parametrize(
    ("tree", "values"),
    [
        pytest.param(*of, id=name, marks=() if name == "schedule and augmentation" else pytest.mark.whole)
        for name, of in FAITHFUL.items()
    ],
)
def test_the_winner_trained_by_trainer_has_the_trial_s_figures(asked, tmp_path, monkeypatch, tree, values):
    args, cfg = asked(tree)
    training = Training(args, cfg, TuneConfig(algorithm="random"))
    training.run({"train.optimizer.learning_rate": 0.05}, cfg.train.epochs, tmp_path / "state")  # another one before it
    outcome = training.run(values, cfg.train.epochs, tmp_path / "state")
    assert outcome.status == "completed"
    history, served = trained(args, cfg, values, monkeypatch)
    assert outcome.curve == history
    assert outcome.value == min(figures["val_loss"] for figures in history) == served["loss"]
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("keep", "epochs", "size"), [pytest.param("best", 4, 10, marks=pytest.mark.whole), ("last", 2, 80)])
def test_by_whatever_figure_a_trial_is_ranked_the_model_that_is_served_has_it(asked, tmp_path, monkeypatch, keep, epochs, size):
    args, cfg = asked(MLP)
    values = {"train.optimizer.learning_rate": 0.05, "train.keep": keep, "train.batch_size": size}
    outcome = Training(args, cfg, TuneConfig(algorithm="random", objective="val_accuracy")).run(values, epochs, tmp_path / "state")
    history, served = trained(args, override(cfg, {"train.epochs": epochs}), values, monkeypatch)
    assert outcome.curve == history
    assert outcome.value == history[outcome.kept - 1]["val_accuracy"] == served["accuracy"]
    assert history[outcome.kept - 1]["val_loss"] == served["loss"]
    if keep == "best":
        assert outcome.value < max(figures["val_accuracy"] for figures in history), "another epoch is better by it"
        assert outcome.kept < epochs
    else:
        assert outcome.kept == epochs


def test_only_validation_is_seen(asked, artifacts, tmp_path):
    spoilt = tmp_path / "examples"
    shutil.copytree(artifacts.transformed, spoilt)
    for path in (spoilt / f"Split-{keys.TEST}").iterdir():
        path.write_bytes(b"no TFRecord: whoever reads it raises")
    args, cfg = asked(MLP)
    args.train_files = [str(spoilt / f"Split-{keys.TRAIN}" / "*")]
    args.eval_files = [str(spoilt / f"Split-{keys.VALIDATION}" / "*")]
    outcome = Training(args, cfg, TuneConfig(algorithm="random")).run({}, 1, tmp_path / "state")
    assert outcome.status == "completed"
    args.eval_files = [str(spoilt / f"Split-{keys.TEST}" / "*")]
    outcome = Training(args, cfg, TuneConfig(algorithm="random")).run({}, 1, tmp_path / "state")
    assert outcome.reason.startswith("DataLossError")


def test_where_the_last_epoch_s_weights_are_kept_its_figure_is_the_value(shared, tmp_path):
    rising = {"train.optimizer.learning_rate": 0.9, "train.optimizer.name": "adam"}
    best = shared.run(rising, 4, tmp_path / "state")
    assert best.value == min(figures["val_loss"] for figures in best.curve) < best.curve[-1]["val_loss"]
    last = shared.run({**rising, "train.keep": "last"}, 4, tmp_path / "state")
    assert (last.curve, last.value) == (best.curve, best.curve[-1]["val_loss"])


def test_executions_have_seeds_of_their_own_and_the_first_one_trainer_s(opened, shared, tmp_path):
    once = shared.run({}, 2, tmp_path / "state")
    assert (once.spread, once.epochs) == (None, 2)
    several = opened(tune={"executions": 3}).run({}, 2, tmp_path / "state")
    assert several.executions[0] == once.value
    assert several.curve == once.curve
    assert several.executions[1] == opened(seed=1).run({}, 2, tmp_path / "state").value
    mean = sum(several.executions) / 3
    assert several.value == pytest.approx(mean)
    assert several.spread == pytest.approx(math.sqrt(sum((each - mean) ** 2 for each in several.executions) / 2))
    assert len({*several.executions}) == 3
    assert several.epochs == 6


def test_a_trial_starts_anew_whatever_a_killed_one_left(shared, tmp_path):
    class Killed(BaseException):
        pass

    def kill(epoch, figures):
        if epoch == 2:
            raise Killed

    training, heard = shared, []
    whole = training.run({}, 4, tmp_path / "state", on_epoch=lambda epoch, figures: heard.append((epoch, figures)))
    assert heard == [*enumerate(whole.curve)]
    rmtree = shutil.rmtree
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda folder, **_: None if (folder / "0").exists() else rmtree(folder, **_))
        with pytest.raises(Killed):
            training.run({}, 4, tmp_path / "state", on_epoch=kill)
    assert list((tmp_path / "state" / "0").iterdir())
    again = training.run({}, 4, tmp_path / "state")
    assert (again.curve, again.epochs) == (whole.curve, 4)


def test_a_deadline_ends_the_epoch_that_runs(opened, tmp_path):
    training = opened(tune={"executions": 2})
    outcome = training.run({}, 4, tmp_path / "state", deadline=time.monotonic())
    assert (outcome.status, outcome.epochs, len(outcome.curve)) == ("completed", 1, 1)
    assert outcome.reason == "Stopped after epoch 1 of 4: the time of tune.minutes is over. 1 of 2 executions ran."
    assert outcome.value == outcome.curve[0]["val_loss"]


def test_epochs_that_are_left_are_those_of_all_executions(opened, tmp_path):
    training = opened(tune={"executions": 2})
    outcome = training.run({}, 4, tmp_path / "state", left=6)
    assert (outcome.status, outcome.epochs, len(outcome.executions)) == ("completed", 6, 2)
    assert outcome.reason == "Stopped after epoch 2 of 4: the epochs of tune.total_epochs are spent."
    outcome = training.run({}, 3, tmp_path / "state", left=3)
    assert (outcome.epochs, outcome.reason) == (3, "1 of 2 executions ran: the epochs of tune.total_epochs are spent.")
    assert training.run({}, 2, tmp_path / "state", left=4).reason == ""


def test_what_is_left_is_spent_by_pre_training_too(asked, tmp_path):
    args, cfg = asked({**digits.AUTOENCODER, "model": DEEP, "train": PRETRAINED})
    training = Training(args, cfg, TuneConfig(algorithm="random"))
    outcome = training.run({}, 3, tmp_path / "state", left=5)
    assert (outcome.epochs, len(outcome.curve)) == (5, 1), outcome.reason  # two stages of two epochs each
    outcome = training.run({}, 3, tmp_path / "state", left=3)
    assert (outcome.status, outcome.epochs, outcome.curve, outcome.value) == ("failed", 3, [], None)
    assert "tune.total_epochs are spent before one of the whole model" in outcome.reason


GOOD = [{"val_loss": 1e-6}] * 4


def test_a_trial_that_is_behind_is_pruned_and_not_failed(opened, shared, tmp_path):
    training = opened(tune={"executions": 2})
    outcome = training.run({}, 4, tmp_path / "state", curves=[GOOD] * pruning.LEAST_TRIALS)
    assert (outcome.status, len(outcome.curve)) == ("pruned", pruning.LEAST_EPOCHS)
    assert outcome.epochs == pruning.LEAST_EPOCHS, "no further execution"
    assert outcome.value == min(figures["val_loss"] for figures in outcome.curve)
    assert outcome.reason.startswith("Pruned after epoch 3: its best val_loss of")
    bad = [[{"val_loss": 1e6}] * 4] * pruning.LEAST_TRIALS
    assert shared.run({}, 4, tmp_path / "state", curves=bad).status == "completed"
    assert shared.run({}, 3, tmp_path / "state", curves=[GOOD] * pruning.LEAST_TRIALS).status == "completed", "it was at its end"


@pytest.mark.parametrize("tune", [{"pruning": "none"}, {"algorithm": "hyperband"}])
def test_pruning_is_asked_for(opened, tmp_path, tune):
    outcome = opened(tune=tune).run({}, 4, tmp_path / "state", curves=[GOOD] * pruning.LEAST_TRIALS)
    assert (outcome.status, len(outcome.curve)) == ("completed", 4)


FAILURES = {
    "diverges": ({"train.optimizer.name": "sgd", "train.optimizer.learning_rate": 1e30}, "Training diverged in epoch 1 of 2"),
    "a value that is refused": ({"model.options.hidden": [-1]}, "hidden"),
    "an option that the task refuses": ({"export.crops": "ten"}, "crops"),
}


@pytest.mark.parametrize(("values", "said"), FAILURES.values(), ids=FAILURES)
def test_what_goes_wrong_is_an_outcome(shared, tmp_path, values, said):
    outcome = shared.run(values, 2, tmp_path / "state")
    assert (outcome.status, outcome.value) == ("failed", None)
    assert said in outcome.reason
    assert "\n" not in outcome.reason
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (MemoryError(), "It ran out of memory."),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"), "It ran out of memory."),
        (ValueError("of a layer\nand more"), "ValueError: of a layer"),
    ],
)
def test_what_a_step_raises_is_an_outcome(shared, tmp_path, raised, said):
    def fail(epoch, figures):
        if epoch == 1:
            raise raised

    outcome = shared.run({}, 3, tmp_path / "state", on_epoch=fail)
    assert (outcome.status, outcome.reason, len(outcome.curve)) == ("failed", said, 2)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_passes(shared, tmp_path, raised):
    def leave(epoch, figures):
        raise raised

    with pytest.raises(raised):
        shared.run({}, 3, tmp_path / "state", on_epoch=leave)


def test_a_figure_that_is_no_number_in_the_epoch_that_is_kept_fails_a_trial(opened, tmp_path, monkeypatch):
    training = opened(tune={"objective": "val_accuracy"})
    assert objective.direction(training.objectives) == "max"
    monkeypatch.setattr(objective, "value", lambda objectives, figures: None)
    outcome = training.run({}, 1, tmp_path / "state")
    assert (outcome.status, outcome.value) == ("failed", None)
    assert outcome.reason == "Epoch 1, whose weights would be kept, has no finite val_accuracy."


def test_an_objective_that_no_epoch_has_is_refused_before_anything_starts(opened):
    with pytest.raises(UsageError) as refused:
        opened(tune={"objective": "val_auc"})
    assert "val_auc" in refused.value.message
    assert "val_accuracy, val_loss" in refused.value.hint


def test_data_is_decoded_once_whatever_the_batches_and_seeds_and_kept_within_bounds(opened, tmp_path, monkeypatch):
    asked_for, decoded = [], []
    data_of, in_memory = trial.data_of, epochs._in_memory
    monkeypatch.setattr(trial, "data_of", lambda *given: asked_for.append(given) or data_of(*given))
    monkeypatch.setattr(epochs, "_in_memory", lambda *given: decoded.append(given) or in_memory(*given))
    training = opened()
    for size in (80, 60, 80):
        training.run({"train.batch_size": size}, 1, tmp_path / "state")
    assert (len(asked_for), len(decoded)) == (2, 2), "both splits once"
    training.run({"seed": 5, "augment": TURNED}, 1, tmp_path / "state")
    assert (len(asked_for), len(decoded)) == (3, 2)
    monkeypatch.setattr(trial, "OPENED", 1)
    monkeypatch.setattr(trial, "CACHE_BYTES", 1)
    for size in (80, 60, 60):
        training.run({"train.batch_size": size}, 1, tmp_path / "state")
    assert (len(asked_for), len(decoded)) == (4, 2), "the last one stays in any case"
    for seed in (1, 2):  # other labels are other rows
        training.run({"seed": seed, "train.random_labels": 0.5}, 1, tmp_path / "state")
    assert (len(asked_for), len(decoded)) == (6, 6)


def test_trials_leave_nothing_in_keras(shared, tmp_path):
    shared.run({}, 1, tmp_path / "state")
    assert keras.layers.Dense(1).name == "dense"


@pytest.mark.parametrize("values", [{}, {"train.optimizer.learning_rate": 1e30}], ids=str)
def test_whoever_keeps_the_handle_of_a_trial_s_variable_keeps_nothing_of_its_size(opened, tmp_path, values):
    """As inner graphs of step functions do."""
    handles = []
    training = opened()
    training.run({}, 1, tmp_path / "state")  # opens the data

    def noting(make, **given):
        made = make(**given)
        handles.append((made.handle, made.dtype))
        return made

    with tf.variable_creator_scope(noting):
        training.run(values, 2, tmp_path / "state")
    assert len(handles) > 10
    sizes = [tf.size(tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)) for handle, dtype in handles]
    assert [int(size) for size in sizes] == [0] * len(handles)


def test_collections_after_a_trial_do_not_look_at_what_was_there_before_and_is_in_use(opened):
    class Held:
        pass

    held, garbage = [Held() for _ in range(1000)], Held()
    garbage.itself, gone, before = garbage, weakref.ref(garbage), gc.get_freeze_count()
    del garbage
    opened()
    assert gone() is None
    assert gc.get_freeze_count() - before > len(held)
