"""Searches on the digits: they end, can be killed, and give values that Trainer takes."""

import json
import math

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.component import with_best
from configs.schema import TuneConfig
from tests.components import digits
from tuner import tuner_fn
from tuner.tuner_fn import Search

SPACE = {
    "train.optimizer.learning_rate": {"min": 1e-3, "max": 1e-1, "sampling": "log"},
    "train.batch_size": {"choices": [40, 120]},
    "model.options.activation": {"choices": ["relu", "tanh"]},
}


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Tracing a training step takes seconds, a step of these models a hundredth of one."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def searching(artifacts, tmp_path):
    """Make a Search as TFX would, in a folder that outlives it."""
    config = digits.trainer_slice(digits.MLP)

    def make(folder="search", kind=Search, **tune):
        chosen = TuneConfig.model_validate(
            {"enabled": True, "algorithm": "random", "trials": 2, "epochs": 1, "space": SPACE, **tune}
        )
        args = digits.fn_args(
            tmp_path,
            artifacts.transformed,
            artifacts.transform,
            artifacts.schema,
            config,
            materialized=True,
            tune=chosen.model_dump_json(),
            tuning_dir=str(tmp_path / "tuning" / folder),
        )
        if kind is Search:
            found = tuner_fn.tuner_fn(args)
            assert found.fit_kwargs == {}
            return found.tuner
        return kind(args, config, chosen)

    return make


def tried(search) -> list[dict]:
    return [trial.hyperparameters.values for _, trial in sorted(search.oracle.trials.items())]


def test_a_random_search_gives_values_that_override_the_slice(searching):
    search = searching()
    search.search()
    best = search.get_best_hyperparameters()[0]
    assert len(tried(search)) == 2
    scores = [trial.score for trial in search.oracle.trials.values()]
    assert all(0 < score < math.inf for score in scores)
    [winner] = [trial for trial in search.oracle.trials.values() if trial.score == min(scores)]
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


def test_the_same_seed_tries_the_same_values_with_the_same_result(searching):
    searches = [searching("a"), searching("b")]
    for search in searches:
        search.search()
    assert tried(searches[0]) == tried(searches[1])
    scores = [[trial.score for _, trial in sorted(search.oracle.trials.items())] for search in searches]
    assert np.allclose(*scores, rtol=1e-4)


class Killed(BaseException):
    pass


class Dying(Search):
    """A search that is killed in the middle of its second trial."""

    def run_trial(self, trial, **options):
        if len(self.oracle.trials) == 2:
            raise Killed
        return super().run_trial(trial, **options)


def test_a_killed_search_goes_on_where_it_was(searching):
    dying = searching(kind=Dying, trials=3)
    with pytest.raises(Killed):
        dying.search()
    again = searching(trials=3)
    finished = [trial.trial_id for trial in again.oracle.trials.values() if trial.status == "COMPLETED"]
    assert len(finished) == 1
    again.search()
    assert [trial.status for trial in again.oracle.trials.values()] == ["COMPLETED"] * 3
    assert tried(again)[:2] == tried(dying)
    undisturbed = searching("other", trials=3)
    undisturbed.search()
    assert tried(again) == tried(undisturbed)


def test_minutes_stop_the_search_after_the_trial_that_runs(searching):
    search = searching(trials=50, minutes=1e-6)
    search.search()
    assert len(tried(search)) == 1
    assert search.get_best_hyperparameters()[0].values == tried(search)[0]


def test_hyperband_ends_and_what_it_keeps_books_of_is_no_value_of_the_config(searching):
    search = searching(algorithm="hyperband", trials=None, epochs=3)
    search.search()
    epochs = [values["tuner/epochs"] for values in tried(search)]
    assert set(epochs) == {1, 3}
    best = search.get_best_hyperparameters()[0]
    _, chosen = with_best(digits.trainer_slice(digits.MLP), best.get_config())
    assert set(chosen) == set(SPACE)
    assert search.oracle.get_best_trials(search.oracle.max_trials)[0].score == min(t.score for t in search.oracle.trials.values())


def test_a_trial_that_diverges_is_the_worst_and_the_search_goes_on(searching):
    rates = {"train.optimizer.learning_rate": {"choices": [1e30, 1e-2]}, "train.optimizer.name": {"choices": ["sgd"]}}
    search = searching(algorithm="bayesian", trials=2, space=rates)
    search.search()
    assert search.get_best_hyperparameters()[0].values["train.optimizer.learning_rate"] == 1e-2
    assert len(tried(search)) == 2


def test_trials_lie_in_the_folder_they_were_told(searching, tmp_path):
    search = searching(trials=1)
    search.search()
    [trial] = (tmp_path / "tuning" / "search").glob("trial_*/trial.json")
    assert json.loads(trial.read_text())["status"] == "COMPLETED"
