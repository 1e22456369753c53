"""Searches on the digits: they end, can be killed, and give values that Trainer takes."""

import copy
import json
import math
from pathlib import Path
from types import SimpleNamespace

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from components.tasks import anomaly
from components.trainer import artifact
from components.trainer.component import with_best
from components.trainer.origin import Origin
from configs.schema.tune import TuneConfig
from tests.components import digits
from tuner import tuner_fn
from tuner.tuner_fn import Search

SPACE = {
    "train.optimizer.learning_rate": {"min": 1e-3, "max": 1e-1, "sampling": "log"},
    "train.batch_size": {"choices": [80, 240]},
    "model.options.activation": {"choices": ["relu", "tanh"]},
}


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Tracing a training step takes seconds, a step of these models a hundredth of one."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def searching(artifacts, tmp_path_factory):
    """Make a Search as TFX would, in a folder of that name, which outlives it."""
    place = tmp_path_factory.mktemp("tuner")
    config = digits.trainer_slice(digits.MLP)

    def make(folder, kind=Search, **tune):
        chosen = TuneConfig.model_validate(
            {"enabled": True, "algorithm": "random", "trials": 2, "epochs": 1, "space": SPACE, **tune}
        )
        args = digits.fn_args(
            place,
            artifacts.transformed,
            artifacts.transform,
            artifacts.schema,
            config,
            materialized=True,
            tune=chosen.model_dump_json(),
            tuning_dir=str(place / folder),
        )
        if kind is Search:
            found = tuner_fn.tuner_fn(args)
            assert found.fit_kwargs == {}
            return found.tuner
        return kind(args, config, chosen)

    return make


def tried(search) -> list[dict]:
    return [trial.hyperparameters.values for _, trial in sorted(search.oracle.trials.items())]


@pytest.fixture(scope="module")
def finished(eager, searching):
    search = searching("finished")
    search.search()
    return search


def test_a_random_search_gives_values_that_override_the_slice(finished):
    search = finished
    best = search.get_best_hyperparameters()[0]
    assert len(tried(search)) == 2
    assert all(0 < score < math.inf for score in scores(search))
    [winner] = [trial for trial in search.oracle.trials.values() if trial.score == min(scores(search))]
    assert best.values == winner.hyperparameters.values
    cfg, chosen = with_best(digits.trainer_slice(digits.MLP), best.get_config())
    assert chosen == best.values
    assert set(chosen) == set(SPACE)
    assert cfg.train.optimizer.learning_rate == chosen["train.optimizer.learning_rate"]
    assert cfg.train.batch_size == chosen["train.batch_size"]
    assert cfg.model.options == {"hidden": [16], "activation": chosen["model.options.activation"]}


def test_without_a_search_the_slice_stays_as_it_is():
    cfg = digits.trainer_slice(digits.MLP)
    assert with_best(cfg, None) == (cfg, {})


def scores(search) -> list[float]:
    return [trial.score for _, trial in sorted(search.oracle.trials.items())]


class Killed(BaseException):
    pass


class Dying(Search):
    """A search that is killed in the middle of its second trial."""

    def run_trial(self, trial, **options):
        if len(self.oracle.trials) == 2:
            raise Killed
        return super().run_trial(trial, **options)


def test_a_killed_search_goes_on_where_it_was(searching, finished):
    dying = searching("killed", Dying)
    with pytest.raises(Killed):
        dying.search()
    again = searching("killed")
    assert [trial.status for _, trial in sorted(again.oracle.trials.items())] == ["COMPLETED", "RUNNING"]
    again.search()
    assert [trial.status for trial in again.oracle.trials.values()] == ["COMPLETED"] * 2
    assert tried(again) == tried(dying) == tried(finished), "the same seed tries the same values"
    assert np.allclose(scores(again), scores(finished), rtol=1e-4), "with the same result"


def test_minutes_stop_the_search_after_the_trial_that_runs(searching):
    search = searching("minutes", trials=50, minutes=1e-6)
    search.search()
    assert len(tried(search)) == 1
    assert search.get_best_hyperparameters()[0].values == tried(search)[0]


def test_hyperband_ends_and_what_it_keeps_books_of_is_no_value_of_the_config(searching):
    search = searching("hyperband", algorithm="hyperband", trials=None, epochs=3)
    search.search()
    epochs = [values["tuner/epochs"] for values in tried(search)]
    assert set(epochs) == {1, 3}
    best = search.get_best_hyperparameters()[0]
    _, chosen = with_best(digits.trainer_slice(digits.MLP), best.get_config())
    assert set(chosen) == set(SPACE)
    assert search.oracle.get_best_trials(search.oracle.max_trials)[0].score == min(t.score for t in search.oracle.trials.values())


def test_a_trial_that_diverges_is_the_worst_and_the_search_goes_on(searching):
    rates = {"train.optimizer.learning_rate": {"choices": [1e30, 1e-2]}, "train.optimizer.name": {"choices": ["sgd"]}}
    search = searching("bayesian", algorithm="bayesian", trials=2, space=rates)
    search.search()
    assert search.get_best_hyperparameters()[0].values["train.optimizer.learning_rate"] == 1e-2
    assert len(tried(search)) == 2


def test_a_trial_has_what_its_schedule_needs(searching, monkeypatch):
    search = searching("plateau")
    search._cfg = digits.trainer_slice({**digits.MLP, "train": {"schedule": {"name": "plateau"}}})
    given = []
    monkeypatch.setattr(search._task, "fit", lambda model, data, train, epoch, callbacks: given.extend(callbacks))
    search.run_trial(SimpleNamespace(trial_id="0", hyperparameters=keras_tuner.HyperParameters()))
    assert [one for one in given if isinstance(one, keras.callbacks.ReduceLROnPlateau)]


def test_trials_lie_in_the_folder_they_were_told(finished):
    found = sorted(Path(finished.project_dir).glob("trial_*/trial.json"))
    assert [json.loads(path.read_text())["status"] for path in found] == ["COMPLETED"] * 2
    assert Path(finished.project_dir).parent.name == "finished"


QUESTIONS = {
    "the same": {},
    "of another folder for Trainer's own state": {"training_dir": "elsewhere"},
    "an edited source": {"source": "edited"},
    "another task": {"task": "classification"},
    "another origin": {"origin": {"source": "letters/2"}},
    "other data": {"train_files": ["examples/8/Split-train/*"]},
    "other data to judge by": {"eval_files": ["examples/8/Split-validation/*"]},
    "another transform graph": {"transform_graph_path": "transform_graph/9"},
    "another schema": {"schema_path": "schema/9"},
    "another model to start from": {"base_model": "model/7/Format-Serving"},
    "another config": {"slice": digits.trainer_slice(digits.MLP, seed=1).model_dump_json()},
}


@pytest.mark.parametrize("changed", QUESTIONS.values(), ids=QUESTIONS)
def test_a_search_goes_on_from_trials_of_the_same_question_alone(finished, changed):
    asked = copy.deepcopy(finished._fn_args)
    for key, value in changed.items():
        if hasattr(asked, key):
            setattr(asked, key, value)
        else:
            asked.custom_config[key] = value
    search = Search(asked, finished._cfg, finished._tune)
    goes_on = changed.keys() <= {"training_dir"}
    assert len(search.oracle.trials) == (2 if goes_on else 0)
    assert (search.project_dir == finished.project_dir) is goes_on


def test_a_transfer_is_searched_with_all_its_phases(artifacts, tmp_path):
    image = keras.Input((8, 8, 1), name="image")
    row = keras.layers.Dense(8, activation="relu", name="hidden")(keras.layers.Flatten()(image))
    keras.Model(image, keras.layers.Dense(2)(row)).save(tmp_path / "source.keras")
    path = str(tmp_path / "source.keras")
    origin = Origin(path, path, path, "digest", normalizes=False)
    rates = {"transfer.fine_tune.learning_rate": {"choices": [0.001, 0.002]}, "transfer.layer": {"choices": ["hidden"]}}
    config = digits.trainer_slice(digits.MLP, transfer={"source": path, "fine_tune": {"from": "hidden", "epochs": 2}})
    tune = TuneConfig.model_validate({"enabled": True, "algorithm": "random", "trials": 2, "epochs": 1, "space": rates})
    custom = {"origin": origin.as_json(), "tune": tune.model_dump_json(), "tuning_dir": str(tmp_path / "tuning")}
    args = digits.fn_args(tmp_path, artifacts.transformed, artifacts.transform, artifacts.schema, config, True, **custom)
    search = tuner_fn.tuner_fn(args).tuner
    search.search()
    assert {values["transfer.fine_tune.learning_rate"] for values in tried(search)} == {0.001, 0.002}
    assert len({*scores(search)}) == 2  # the rate of the second phase alone tells them apart


def test_trials_start_from_the_model_that_trainer_would_start_from(searching, classifier):
    search = searching("initial", trials=1, space={"train.optimizer.learning_rate": {"choices": [1e-12]}})
    search._fn_args.base_model = str(classifier / "Format-Serving")
    search.search()
    data = search._data_for(search._cfg)
    learned = artifact.load(str(classifier))
    search._task.compile(learned, lambda: keras.optimizers.SGD(0.0))
    loss = learned.evaluate(data.validation.map(search._task.pair), return_dict=True, verbose=0)["loss"]
    assert scores(search) == pytest.approx([loss], rel=1e-4)  # such a step leaves them as they were


def test_trials_of_an_anomaly_detector_are_of_its_task(artifacts, tmp_path):
    config = digits.trainer_slice(digits.AUTOENCODER, anomaly={})
    rates = {"train.optimizer.learning_rate": {"choices": [0.001]}}
    tune = TuneConfig.model_validate({"enabled": True, "algorithm": "random", "trials": 1, "epochs": 1, "space": rates})
    custom = {"tune": tune.model_dump_json(), "tuning_dir": str(tmp_path / "tuning")}
    args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, artifacts.schema, config, **custom)
    search = tuner_fn.tuner_fn(args).tuner
    assert isinstance(search._task, anomaly.Task)
    search.search()
    assert 0 < scores(search)[0] < math.inf
