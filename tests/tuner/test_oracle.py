"""Searches that are killed at any moment go on as if nothing had been, whatever the algorithm."""

import itertools
import json
import shutil
import time

import keras_tuner
import pytest

from components import progress
from configs import atomic
from configs.errors import HubelError
from tests.tuner import synthetic
from tuner import oracle as oracles
from tuner import records
from tuner.oracle import Budget, Question

ALGORITHMS = {"random": 8, "grid": 8, "bayesian": 11, "hyperband": None}
# Of the files that each writes, those at which it is killed; with --whole at each of them.
SOME = {"random": slice(0, None, 5), "grid": slice(1, None, 5), "bayesian": slice(-9, None, 7), "hyperband": slice(0, None, 11)}


class Killed(BaseException):
    pass


def question(folder, algorithm="random", space=synthetic.space, **changed):
    told = {"objective": "val_loss", "direction": "min", "seed": 3, "epochs": 4, "values": synthetic.values, **changed}
    return Question(folder=folder, algorithm=algorithm, hyperparameters=space(), **told)


def run_trial(oracle, trial, log, status=records.COMPLETED):
    """What a worker does of a trial that it was given."""
    folder = oracle.question.folder
    record = records.read_trial(folder, trial.trial_id)
    curve = [{"val_loss": synthetic.score(record.values, epoch)} for epoch in range(1, record.budget + 1)]
    best = min(figures["val_loss"] for figures in curve)
    value = None if status == records.FAILED else best
    over = {"status": status, "value": value, "curve": curve, "epochs": record.budget, "executions": [best], "seconds": 0.5}
    records.write_trial(folder, record.model_copy(update=over))
    log.append(trial.trial_id)
    oracle.end_trial(keras_tuner.engine.trial.Trial(trial.hyperparameters, trial.trial_id, "COMPLETED"))


def search(oracle, log, workers=1, most=200):
    """Workers that take turns, until the oracle stops them."""
    ids = itertools.cycle([f"{oracles.LOCAL}{n}" for n in range(workers)])
    running, stopped = {}, set()
    for worker in itertools.islice(ids, most):
        if worker in running:
            run_trial(oracle, running.pop(worker), log)
        elif worker not in stopped:
            trial = oracle.create_trial(worker)
            if trial.status == "STOPPED":
                stopped.add(worker)
            elif trial.status == "RUNNING":
                running[worker] = trial
        if len(stopped) == workers:
            return
    raise AssertionError("it does not end")


def tried(folder):
    return {path.stem: records.read_trial(folder, path.stem) for path in records.trial_files(folder)}


def same(trials):
    return {key: (trial.values, trial.budget, trial.status, trial.value) for key, trial in trials.items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Algorithm -> the trials of its search, by id, and how many files it wrote."""
    made = {}
    for algorithm, trials in ALGORITHMS.items():
        folder, log = tmp_path_factory.mktemp(algorithm), []
        with pytest.MonkeyPatch.context() as patch:
            writes = dying_at(None, patch)
            search(oracles.resumed(question(folder, algorithm), Budget(trials)), log)
        made[algorithm] = same(tried(folder)), len(writes)
        assert len(log) == len(set(log)) == len(made[algorithm][0])
    return made


def dying_at(number, patch, before=True):
    """Have the process die at the n-th file that it writes, before or after it is there. Returns the paths that were written."""
    written, write = [], atomic.write_text

    def dying(path, text):
        written.append(path)
        if len(written) == number and before:
            path.with_name(f".1-{path.name}").write_text(text[: len(text) // 2])
            raise Killed
        write(path, text)
        if len(written) == number:
            raise Killed

    patch.setattr(atomic, "write_text", dying)
    return written


@pytest.mark.parametrize(
    "before", [pytest.param(True, id="before it is there"), pytest.param(False, id="after", marks=pytest.mark.whole)]
)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_killed_at_any_file_that_it_writes_is_that_of_an_undisturbed_one(
    tmp_path, undisturbed, algorithm, before, pytestconfig
):
    trials, writes = undisturbed[algorithm]
    every = range(1, writes + 1)
    for number in every if pytestconfig.getoption("whole") else {name: every[there] for name, there in SOME.items()}[algorithm]:
        folder, log = tmp_path / str(number), []
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            dying_at(number, patch, before)
            with pytest.raises(Killed):
                search(oracles.resumed(question(folder, algorithm), Budget(ALGORITHMS[algorithm])), log)
        finished = {key for key, trial in tried(folder).items() if trial.is_over}
        ran, log = log, []
        search(oracles.resumed(question(folder, algorithm), Budget(ALGORITHMS[algorithm])), log)
        assert same(tried(folder)) == trials, f"killed at file {number}"
        again = oracles.resumed(question(folder, algorithm), Budget(ALGORITHMS[algorithm]))
        assert sorted(again.end_order) == sorted(trials)
        assert not again.ongoing_trials
        assert not finished & set(log), "a finished trial ran again"
        assert len(ran) + len(log) <= len(trials) + 1
        assert not list(folder.glob("*damaged*"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("damaged", ["keras_tuner/oracle.json", "keras_tuner/trial_0001/trial.json", "trials/0001.json"])
def test_a_damaged_file_is_set_aside_and_the_search_goes_on_from_the_others(tmp_path, undisturbed, algorithm, damaged):
    trials, _ = undisturbed[algorithm]
    log = []
    with pytest.raises(AssertionError, match="does not end"):
        search(oracles.resumed(question(tmp_path, algorithm), Budget(ALGORITHMS[algorithm])), log, most=9)
    (tmp_path / damaged).write_text((tmp_path / damaged).read_text()[:30])
    ran, log, told = log, [], []
    progress.listen(told.append)
    search(oracles.resumed(question(tmp_path, algorithm), Budget(ALGORITHMS[algorithm])), log)
    assert same(tried(tmp_path)) == trials
    assert not set(ran) & set(log)
    assert list(tmp_path.rglob("*damaged-1*"))
    if damaged.startswith("keras_tuner"):
        assert "set aside as keras_tuner.damaged-1" in told[0]["text"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_trial_of_which_nothing_is_known_any_more_runs_again_and_no_other(tmp_path, undisturbed, algorithm):
    trials, log = undisturbed[algorithm][0], []
    with pytest.raises(AssertionError, match="does not end"):
        search(oracles.resumed(question(tmp_path, algorithm), Budget(ALGORITHMS[algorithm])), log, most=9)
    for damaged in ("keras_tuner/oracle.json", "trials/0001.json"):
        (tmp_path / damaged).write_text("{")
    ran, log = log, []
    search(oracles.resumed(question(tmp_path, algorithm), Budget(ALGORITHMS[algorithm])), log)
    assert "0001" in log
    assert set(ran) & set(log) <= {"0001"}
    assert same(tried(tmp_path)).keys() >= trials.keys()
    if algorithm != "hyperband":  # whose later rounds are of what was best in the first
        assert same(tried(tmp_path)) == trials


@pytest.mark.parametrize("algorithm", ["random", "grid"])
def test_workers_that_share_a_search_try_what_one_alone_would(tmp_path, undisturbed, algorithm):
    log = []
    search(oracles.resumed(question(tmp_path, algorithm), Budget(ALGORITHMS[algorithm])), log, workers=3)
    assert same(tried(tmp_path)) == undisturbed[algorithm][0]
    assert len(log) == len(set(log))


def test_workers_need_not_wait_for_each_other_in_a_grid(tmp_path):
    oracle = oracles.resumed(question(tmp_path, "grid"), Budget())
    assert [oracle.create_trial(f"worker-{n}").status for n in range(4)] == ["RUNNING"] * 4


def test_a_grid_is_all_combinations_each_once(tmp_path):
    log = []
    search(oracles.resumed(question(tmp_path, "grid"), Budget()), log)
    seen = [json.dumps(trial.values, sort_keys=True) for trial in tried(tmp_path).values()]
    assert len(seen) == len(set(seen)) == 6 + 3 * 6
    assert oracles.resumed(question(tmp_path, "grid"), Budget()).size() == 24


@pytest.mark.parametrize("algorithm", ["random", "grid", "bayesian"])
def test_a_wider_budget_goes_on(tmp_path, undisturbed, algorithm):
    trials, log = undisturbed[algorithm][0], []
    search(oracles.resumed(question(tmp_path, algorithm), Budget(4)), log)
    assert len(log) == 4
    search(oracles.resumed(question(tmp_path, algorithm), Budget(ALGORITHMS[algorithm])), log)
    assert same(tried(tmp_path)) == trials
    assert len(log) == len(trials)


def test_a_bayesian_search_tries_nothing_twice(tmp_path):
    log = []
    search(oracles.resumed(question(tmp_path, "bayesian"), Budget(13)), log)
    seen = [json.dumps(trial.values, sort_keys=True) for trial in tried(tmp_path).values()]
    assert len(seen) == len(set(seen)) == 13


@pytest.mark.parametrize(("algorithm", "total", "trials"), [("random", 17, 4), ("random", 16, 4), ("hyperband", 12, None)])
def test_no_trial_begins_that_would_take_more_epochs_than_are_left(tmp_path, algorithm, total, trials):
    log = []
    search(oracles.resumed(question(tmp_path, algorithm), Budget(total_epochs=total)), log)
    epochs = sum(trial.epochs for trial in tried(tmp_path).values())
    assert total - 4 < epochs <= total
    assert trials in (None, len(log))
    search(oracles.resumed(question(tmp_path, algorithm), Budget(total_epochs=total + 8)), log)
    assert len(log) == len(set(log))
    assert epochs < sum(trial.epochs for trial in tried(tmp_path).values()) <= total + 8


def test_no_trial_begins_once_the_time_is_up(tmp_path):
    oracle = oracles.resumed(question(tmp_path), Budget(8, until=time.time() + 60))
    trial = oracle.create_trial("worker-0")
    oracle.budget = Budget(8, until=time.time())
    run_trial(oracle, trial, [])
    assert oracle.create_trial("worker-0").status == "STOPPED"
    assert oracle.over == "its time is up"
    assert oracle.failure is None


def test_three_failed_in_a_row_end_a_search_and_fewer_do_not(tmp_path):
    oracle, log = oracles.resumed(question(tmp_path), Budget(8)), []
    for failed in (True, True, False, True, True):
        run_trial(oracle, oracle.create_trial("worker-0"), log, records.FAILED if failed else records.COMPLETED)
        assert not oracle.over
    oracle.create_trial("worker-0")
    oracle.fail("worker-0", "it was killed by signal 9.")
    assert oracle.create_trial("worker-0").status == "STOPPED"
    assert oracle.over == "3 trials in a row failed, the last: it was killed by signal 9."
    assert [trial.status for trial in tried(tmp_path).values()] == ["failed", "failed", "completed", *["failed"] * 3]
    again = oracles.resumed(question(tmp_path), Budget(8))
    search(again, log)
    assert records.counts(tried(tmp_path).values()) == {"completed": 3, "pruned": 0, "failed": 5, "running": 0}


def test_the_trial_of_a_worker_that_died_is_failed_unless_it_was_over(tmp_path):
    oracle = oracles.resumed(question(tmp_path), Budget(8))
    first = oracle.create_trial("worker-0")
    assert oracle.fail("worker-0", "it died") == first.trial_id
    assert oracle.fail("worker-0", "it died") is None
    second = oracle.create_trial("worker-0")
    record = records.read_trial(tmp_path, second.trial_id)
    records.write_trial(tmp_path, record.model_copy(update={"status": "completed", "value": 0.5}))
    oracle.fail("worker-0", "it died")
    assert [(t.status, t.value, t.reason) for t in tried(tmp_path).values()] == [
        ("failed", None, "it died"),
        ("completed", 0.5, ""),
    ]
    assert not oracle.ongoing_trials
    assert [trial.score for trial in oracle.get_best_trials(1)] == [0.5]


def test_a_pruned_trial_is_none_that_failed_and_its_figure_counts(tmp_path):
    oracle = oracles.resumed(question(tmp_path), Budget(8))
    for _ in range(4):
        run_trial(oracle, oracle.create_trial("worker-0"), [], records.PRUNED)
    assert not oracle.over
    assert {trial.status for trial in tried(tmp_path).values()} == {"pruned"}
    assert all(trial.score is not None for trial in oracle.trials.values())


def test_a_far_worker_that_is_silent_loses_its_trial_to_another_once(tmp_path, monkeypatch):
    oracle, log = oracles.resumed(question(tmp_path), Budget(1)), []
    given = oracle.create_trial("far-0")
    assert oracle.create_trial("far-1").status == "IDLE", "it may have to run what the other has"
    oracle.give_back_silent()
    assert oracle.create_trial("far-1").status == "IDLE"
    now = time.monotonic()
    monkeypatch.setattr(oracles.time, "monotonic", lambda: now + oracles.SILENCE - 1)
    oracle.update_trial(given.trial_id, {"val_loss": 1.0}, step=1)
    monkeypatch.setattr(oracles.time, "monotonic", lambda: now + oracles.SILENCE + 1)
    oracle.give_back_silent()
    assert oracle.create_trial("far-1").status == "IDLE", "it has given a sign of life"
    monkeypatch.setattr(oracles.time, "monotonic", lambda: now + 2 * oracles.SILENCE)
    oracle.give_back_silent()
    again = oracle.create_trial("far-1")
    assert (again.trial_id, again.hyperparameters.values) == (given.trial_id, given.hyperparameters.values)
    run_trial(oracle, again, log)
    run_trial(oracle, given, log)  # the silent one comes back with its result
    assert [trial.status for trial in tried(tmp_path).values()] == ["completed"]
    assert oracle.end_order == [given.trial_id]
    assert oracle.create_trial("far-1").status == "STOPPED"


def test_a_far_worker_that_dies_twice_in_a_trial_has_failed_it(tmp_path):
    oracle = oracles.resumed(question(tmp_path), Budget(8))
    first = oracle.create_trial("far-0").trial_id
    assert oracle.create_trial("far-0").trial_id == first
    again = oracles.resumed(question(tmp_path), Budget(8))  # the chief died and is back; what far workers run goes on
    assert again.ongoing_trials.keys() == {"far-0"}
    assert again.create_trial("far-0").trial_id != first
    assert records.read_trial(tmp_path, first).status == "failed"


def test_trials_of_another_space_are_refused_and_stay_as_they_are(tmp_path):
    search(oracles.resumed(question(tmp_path), Budget(2)), [])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}

    def other():
        declared = keras_tuner.HyperParameters()
        declared.Int("train.batch_size", 16, 96, step=16)
        return declared

    with pytest.raises(HubelError, match="of another space"):
        oracles.resumed(question(tmp_path, space=other), Budget(2))
    shutil.rmtree(tmp_path / "trials")
    with pytest.raises(HubelError, match="of another space"):
        oracles.resumed(question(tmp_path, space=other), Budget(2))
    assert {path: path.read_bytes() for path in (tmp_path / "keras_tuner").rglob("*.json")}.items() <= before.items()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_warm_start_is_told_and_not_repeated(tmp_path, algorithm):
    search(oracles.resumed(question(tmp_path / "old", "random", seed=1), Budget(9)), [])
    earlier = [trial.model_copy(update={"origin": "old"}) for trial in tried(tmp_path / "old").values()]
    asked, own = question(tmp_path / "new", algorithm), 3 if algorithm == "bayesian" else 8
    with pytest.raises(AssertionError, match="does not end"):
        search(oracles.resumed(asked, Budget(), earlier), [], most=5)
    search(oracles.resumed(asked, Budget(ALGORITHMS[algorithm] and own), earlier), [])
    trials = tried(tmp_path / "new")
    taken = [trial.values for trial in trials.values() if trial.origin]
    new = [trial for trial in trials.values() if not trial.origin]
    assert taken == [trial.values for trial in earlier]
    assert len(new) == own if ALGORITHMS[algorithm] else new
    assert not [trial for trial in new if trial.values in taken and "tuner/trial_id" not in trial.drawn]


def test_how_long_a_search_will_last_is_told_by_trials_that_came_to_a_figure(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(progress, "_listeners", [told.append])
    oracle, log = oracles.resumed(question(tmp_path), Budget(4)), []
    for status in (records.FAILED, records.COMPLETED):
        run_trial(oracle, oracle.create_trial("worker-0"), log, status)
    counts = [event for event in told if event["event"] == "trials"]
    assert [(event["left"], event["seconds_left"]) for event in counts] == [(3, None), (2, 2 * 0.5)]
