"""Searches with workers in processes and on other machines: who dies, who goes on, and what is said."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from components import progress
from configs import locking
from configs.errors import HubelError, UsageError
from tests.cheaper import crew_is_here
from tests.tuner import synthetic
from tests.tuner.test_oracle import same, tried
from tuner import chief, component, contract, crew, far, records, roles, study, worker
from tuner.search import Search

SEARCH = """
import json, sys
from pathlib import Path
from tests.tuner import synthetic
from tuner.search import Search
Search(synthetic.fn_args(Path(sys.argv[1]), **json.loads(sys.argv[2]))).search()
"""


@pytest.fixture
def told(monkeypatch):
    """Events of progress, as they come."""
    events = []
    monkeypatch.setattr(progress, "_listeners", [events.append])
    return events


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Workers in this process set keras-tuner's variables."""
    for name in (roles.ADDRESS, roles.PORT, roles.ID):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def folder_of(place):
    [folder] = records.studies(place / "tuning")
    return folder


def children():
    """Processes that this one started and that live."""
    listed = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], stdout=subprocess.PIPE, text=True).stdout
    return [line for line in listed.splitlines() if "tuner.worker" in line]


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alone(place, **asked):
    """The trials of the same search with one worker that nothing happens to, by a worker in this process."""
    search = Search(synthetic.fn_args(place, **asked))
    with chief.Chief(search.oracle) as led, search._held:
        worker.Worker(search.study.folder, f"127.0.0.1:{led.port}", "worker-0").search()
    return tried(search.study.folder)


@pytest.mark.whole
def test_a_killed_worker_fails_its_trial_alone_and_the_others_try_what_one_would(tmp_path, told, monkeypatch):
    asked = {"trials": 5, "algorithm": "grid"}
    undisturbed = same(alone(tmp_path / "alone", **asked))
    for name in (roles.ADDRESS, roles.PORT, roles.ID):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUBEL_SYNTHETIC", "kill:48,sleep:20")
    search = Search(synthetic.fn_args(tmp_path, workers=2, **asked))
    search.search()
    trials = tried(search.study.folder)
    killed = {key for key, trial in trials.items() if trial.values["train.batch_size"] == 48}
    assert killed
    assert {key: trial.status for key, trial in trials.items()} == {
        key: "failed" if key in killed else "completed" for key in undisturbed
    }
    assert {trials[key].reason for key in killed} == {
        "Its process was killed by signal 9, as the kernel does when memory runs out."
    }
    assert {key: trial for key, trial in same(trials).items() if key not in killed}.items() <= undisturbed.items()
    assert {trial.worker for trial in trials.values()} == {"worker-0", "worker-1"}
    assert all(trial.peak_bytes > 2**27 for key, trial in trials.items() if key not in killed)
    assert not children()
    kinds = [event["event"] for event in told]
    assert [kinds.count(kind) for kind in ("trial", "trial_done")] == [10, 10]  # of both searches
    assert {event["epoch"] for event in told if event["event"] == "trial_epoch"} == {1, 2, 3}
    last = [event for event in told if event["event"] == "trials"][-1]
    assert (last["done"], last["failed"], last["left"]) == (5 - len(killed), len(killed), 0)
    assert search.results().get_best_hyperparameters()[0].values == records.best(search.study.record, trials.values()).values


def test_a_search_whose_process_is_killed_leaves_no_other_and_goes_on(tmp_path, told, monkeypatch):
    asked = {"trials": 4}
    environment = {**os.environ, "HUBEL_SYNTHETIC": "sleep:2000"}
    process = subprocess.Popen([sys.executable, "-c", SEARCH, str(tmp_path), json.dumps(asked)], env=environment)
    try:
        deadline = time.monotonic() + 600
        while not (studies := records.studies(tmp_path / "tuning")) or len(tried(studies[0])) < 2:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        [workers] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        monkeypatch.setattr(study, "MOMENT", 0.1)
        with pytest.raises(HubelError, match=r"in use by `hubel tune .*` \(process"):
            Search(synthetic.fn_args(tmp_path, **asked))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    end = time.monotonic() + 120
    while Path(f"/proc/{workers}").exists() and "State:\tZ" not in Path(f"/proc/{workers}/status").read_text():
        assert time.monotonic() < end, "the worker outlives its search"
        time.sleep(0.05)
    monkeypatch.setattr(study, "MOMENT", 60.0)
    over = {key for key, trial in tried(folder_of(tmp_path)).items() if trial.is_over}
    assert 1 <= len(over) < 4
    told.clear()
    trials = alone(tmp_path, **asked)
    assert same(trials) == same(alone(tmp_path / "alone", **asked))
    ran = [event["trial"] for event in told if event["event"] == "trial"][: 4 - len(over)]
    assert not over & set(ran)


def test_a_worker_whose_parent_dies_while_it_imports_ends_at_once():
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-P", "-m", crew.worker_process.__name__, str(writing)],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(writing,), text=True,
    )  # fmt: skip
    _, imported = process.communicate('{"folder": "/none", "address": "127.0.0.1:1", "name": "worker-0"}\n', timeout=600)
    os.close(reading)
    os.close(writing)
    assert process.returncode == 1
    names = {line.rpartition("|")[2].strip() for line in imported.splitlines()}
    assert "configs.errors" in names
    assert not {"keras", "tensorflow", "tuner.worker"} & names


def test_trials_that_raise_are_failed_with_what_they_said_and_three_end_the_search(tmp_path, told, monkeypatch):
    monkeypatch.setenv("HUBEL_SYNTHETIC", "raise:16")
    only = {"train.batch_size": {"choices": [16]}, "train.optimizer.learning_rate": {"min": 0.1, "max": 0.9}}
    trials = alone(tmp_path, space=only, trials=9)
    assert [trial.status for trial in trials.values()] == ["failed"] * 3
    assert {trial.reason for trial in trials.values()} == {"ValueError: a batch of that size is not to be had"}
    search = Search(synthetic.fn_args(tmp_path, space=only, trials=3))
    search.search()  # nothing is left, and no process starts
    with pytest.raises(HubelError, match="No trial of the search completed: 3 failed, the last: ValueError: a batch"):
        search.results()


@crew_is_here()
def test_a_search_that_failed_trials_ended_has_it_on_record_and_goes_on_when_asked_again(tmp_path, told, monkeypatch):
    monkeypatch.setenv("HUBEL_SYNTHETIC", "raise:16")
    asked = {"space": {"train.batch_size": {"choices": [16]}, "train.optimizer.learning_rate": {"min": 0.1, "max": 0.9}}}
    for halts, over in ((1, 3), (2, 6), (2, 8)):
        Search(synthetic.fn_args(tmp_path, trials=8, **asked)).search()
        assert records.halts(tmp_path / "tuning") == halts
        assert len(tried(folder_of(tmp_path))) == over


def test_epochs_that_are_searched_are_those_that_are_trained(tmp_path, told):
    space = {"train.epochs": {"choices": [1, 4]}, **synthetic.DISTRIBUTIONS}
    trials = alone(tmp_path, trials=8, epochs=None, total_epochs=14, space=space)
    asked = [(trial.values["train.epochs"], trial.budget, trial.epochs) for trial in trials.values()]
    assert {of for of, _, _ in asked} == {1, 4}
    assert all(of == budget == trained for of, budget, trained in asked)
    assert sum(trained for _, _, trained in asked) <= 14


def test_a_wider_budget_continues_and_another_space_begins_anew(tmp_path, told):
    alone(tmp_path, trials=2)
    first = folder_of(tmp_path)
    assert len(alone(tmp_path, trials=3, minutes=10.0, workers=1)) == 3
    assert folder_of(tmp_path) == first
    told.clear()
    alone(tmp_path, trials=1, space={"train.batch_size": {"choices": [32, 64]}})
    [said] = [event["text"] for event in told if "changed since" in event.get("text", "")]
    assert said.startswith(f"The space changed since search {first.name} (3 trials over)")
    assert f"tune.warm_start: {first.name}" in said
    assert len(records.studies(tmp_path / "tuning")) == 2
    assert len(tried(first)) == 3
    told.clear()
    alone(tmp_path, trials=1, algorithm="grid", space={"train.batch_size": {"choices": [32, 64]}})
    [said] = [event["text"] for event in told if "changed since" in event.get("text", "")]
    assert said.startswith("The algorithm changed since")


def test_a_warm_start_takes_over_the_trials_that_lie_in_the_space_and_says_how_many(tmp_path, told):
    alone(tmp_path, trials=6)
    first = folder_of(tmp_path)
    records.note_run(first, "20260102-030405")
    alone(tmp_path, trials=6)  # what goes on keeps the runs before it
    before = tried(first)
    sizes = sorted(trial.values["train.batch_size"] for trial in before.values())[:3]
    narrower = {**synthetic.DISTRIBUTIONS, "train.batch_size": {"choices": [*sorted(set(sizes)), 200]}}
    within = [trial.values for trial in before.values() if trial.values["train.batch_size"] in sizes]
    for name in (first.name, first.name[:5], "20260102-030405"):
        told.clear()
        trials = alone(tmp_path, trials=2, space=narrower, warm_start=name)
        assert f"{len(within)} of 6 trials of {first.name} lie in this space and count as tried." in [e.get("text") for e in told]
        assert [trial.values for trial in trials.values() if trial.origin == first.name] == within
        own = [trial.values for trial in trials.values() if not trial.origin]
        assert len(own) == 2
        assert not [values for values in own if values in within]
    with pytest.raises(UsageError, match=r"tune\.warm_start: there is no search nowhere") as caught:
        alone(tmp_path, warm_start="nowhere")
    assert first.name in caught.value.hint
    asked, _ = records.read(first)
    records.write_study(first, asked.model_copy(update={"objective": [{"name": "val_mse", "direction": "min", "weight": 1.0}]}))
    with pytest.raises(UsageError, match=r"have the objective val_mse \(min\), and this search val_loss \(min\)"):
        alone(tmp_path, trials=3, warm_start=first.name)


def test_what_a_warm_start_takes_from_other_data_or_another_config_cannot_win(tmp_path, told):
    alone(tmp_path, trials=2)
    first = folder_of(tmp_path)
    trials = alone(tmp_path, trials=1, algorithm="bayesian", warm_start=first.name)
    assert not [e for e in told if e["event"] == "warning"]
    assert [trial.is_candidate for trial in trials.values()] == [True] * 3, "of the same data and config they may win"
    alone(tmp_path, trials=1, epochs=2, warm_start=first.name)
    [text] = [e["text"] for e in told if e["event"] == "warning"]
    assert text.startswith(f"Search {first.name} was of another config: what its trials reached may not be comparable.")
    for changed, unlike in (
        ({"eval_files": ["elsewhere"]}, "output of Transform and config"),
        ({"base_model": "another"}, "config and model that it starts from"),
    ):
        told.clear()
        whole = (first / study.TRAINING).read_text()
        (first / study.TRAINING).write_text(json.dumps(json.loads(whole) | changed))
        best = tried(first)["0000"].model_copy(update={"value": 0.0})
        records.write_trial(first, best)
        trials = alone(tmp_path, trials=1, pruning="none", executions=len(unlike), warm_start=first.name)
        (first / study.TRAINING).write_text(whole)
        [text] = [e["text"] for e in told if e["event"] == "warning"]
        assert text.startswith(f"Search {first.name} was of another {unlike}:")
        assert (trials["0000"].value, trials["0000"].is_candidate) == (0.0, False)
        [asked] = [folder for folder in records.studies(tmp_path / "tuning") if tried(folder) == trials]
        assert records.best(*records.read(asked)).id == "0002"
        assert contract.of(asked)["trials"][-1]["reason"].endswith("it tells where to look, and cannot win.")


def test_values_that_were_tried_on_other_data_are_tried_anew(tmp_path, told):
    space = {"train.batch_size": {"choices": [32, 64]}}
    alone(tmp_path, trials=None, algorithm="grid", space=space)
    first = folder_of(tmp_path)
    trials = alone(tmp_path, trials=None, algorithm="grid", epochs=2, space=space, warm_start=first.name)
    assert [(trial.values["train.batch_size"], bool(trial.origin)) for trial in trials.values()] == [
        (32, True),
        (64, True),
        (32, False),
        (64, False),
    ]


def test_the_answer_is_of_all_trials_of_a_study_however_few_are_asked_for(tmp_path, told):
    def key(args):
        return component.Driver(None).key(None, args.custom_config)

    few, many = synthetic.fn_args(tmp_path, trials=2), synthetic.fn_args(tmp_path, trials=5)
    alone(tmp_path, trials=2)
    Search(few).search()
    assert key(few) == {}, "what is on record is the answer"
    trials = alone(tmp_path, trials=5)
    Search(many).search()
    assert key(many) == {}
    best = min(trials.values(), key=lambda trial: trial.value)
    assert best.id > "0001", "one that the smaller search had not"
    grown = key(few)
    assert grown == {study.OUTGROWN: {folder_of(tmp_path).name: 5}}
    told.clear()
    few.custom_config.update(grown)
    search = Search(few)
    search.search()
    assert "5 trials were tried and 2 asked for: the answer is the best of all that were tried." in [e.get("text") for e in told]
    assert search.results().get_best_hyperparameters()[0].values == best.values
    assert tried(folder_of(tmp_path)) == trials, "nothing is tried"
    assert key(few) == grown, "and once it is on record it is the answer"


def test_a_search_goes_on_although_a_record_of_a_trial_is_damaged_and_says_so(tmp_path, told):
    trials = alone(tmp_path, trials=2, minutes=5.0)
    path = records.trial_file(folder_of(tmp_path), "0001")
    path.write_text(path.read_text()[:40])
    again = alone(tmp_path, trials=3, minutes=5.0)
    assert {name: (trial.values, trial.value) for name, trial in again.items() if name in trials} == {
        name: (trial.values, trial.value) for name, trial in trials.items()
    }
    assert len(again) == 3
    [text] = [event["text"] for event in told if event["event"] == "warning"]
    assert text.startswith("The record of trial 0001 is damaged. It is set aside as 0001.json.damaged-1;")


def test_a_worker_that_has_grown_ends_between_two_trials(tmp_path, monkeypatch):
    search = Search(synthetic.fn_args(tmp_path))
    sizes = iter([100, 104, 107])
    monkeypatch.setattr(worker, "resident", lambda: next(sizes))
    with chief.Chief(search.oracle) as led, search._held:
        ours = worker.Worker(search.study.folder, f"127.0.0.1:{led.port}", "worker-0")
        with pytest.raises(worker.Renewed):
            ours.search()
    assert [trial.status for trial in tried(search.study.folder).values()] == ["completed"] * 3


@pytest.mark.whole
def test_memory_that_trials_leak_does_not_add_up(tmp_path, monkeypatch):
    monkeypatch.setenv("HUBEL_SYNTHETIC", "leak:25")
    space = {**synthetic.DISTRIBUTIONS, "train.optimizer.learning_rate": {"min": 0.1, "max": 0.9}}
    search = Search(synthetic.fn_args(tmp_path, trials=8, space=space))
    search.search()
    peaks = [trial.peak_bytes for trial in tried(search.study.folder).values()]
    assert len(peaks) == 8
    assert max(peaks) < 1.1 * min(peaks)


@pytest.mark.whole
def test_a_training_that_cannot_begin_is_said_as_it_is(tmp_path, monkeypatch):
    search = Search(synthetic.fn_args(tmp_path))
    path = search.study.folder / study.TRAINING
    given = json.loads(path.read_text())
    given["custom_config"]["training"] = "tests.tuner.synthetic:Refusing"
    path.write_text(json.dumps(given))
    with pytest.raises(UsageError, match="No image is left"):
        search.search()
    assert not children()


def work_far(place, port, name):
    """As the process of a far worker does."""
    with contextlib.suppress(worker.Over):
        worker.Worker(far.led(place / "tuning", f"127.0.0.1:{port}"), f"127.0.0.1:{port}", name).search()


def test_far_workers_wait_for_a_chief_that_is_slow_and_outlive_one_that_dies(tmp_path, told, monkeypatch):
    monkeypatch.setattr(worker, "SAID", 1.0)
    monkeypatch.setenv("HUBEL_SYNTHETIC", "sleep:100")
    port = free_port()
    ours = threading.Thread(target=work_far, args=(tmp_path, port, "pod-0"))
    ours.start()
    end = time.monotonic() + 120
    while not (said := [event["text"] for event in told if event["event"] == "warning"]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert said == [f"No chief answers at 127.0.0.1:{port}: connection refused. Waiting for it, up to 60 minutes."]
    first = Search(synthetic.fn_args(tmp_path, trials=4))
    dying = chief.Chief(first.oracle, f"127.0.0.1:{port}").__enter__()
    while len(tried(first.study.folder)) < 2:
        time.sleep(0.02)
    dying.__exit__(KeyboardInterrupt, None, None)
    first._held.close()
    ran = [event["trial"] for event in told if event["event"] == "trial"]
    roles.lead(f"127.0.0.1:{port}")
    second = Search(synthetic.fn_args(tmp_path, trials=4))
    second.search()
    ours.join(10)
    assert not ours.is_alive()
    trials = tried(second.study.folder)
    assert {trial.worker for trial in trials.values()} == {"pod-0"}
    assert [trial.status for trial in trials.values()] == ["completed"] * 4
    ran = [event["trial"] for event in told if event["event"] == "trial"]
    assert ran == sorted(set(ran)), "what a far worker ran when the chief died went on"
    assert chief.told(second.study.folder) is None
    monkeypatch.delenv("HUBEL_SYNTHETIC")
    assert same(trials) == same(alone(tmp_path / "alone", trials=4))


@pytest.mark.whole
def test_a_far_worker_whose_process_dies_is_started_again_and_its_trial_fails_the_second_time(tmp_path, told, monkeypatch):
    monkeypatch.setenv("HUBEL_SYNTHETIC", "kill:48")
    port = free_port()
    roles.lead(f"127.0.0.1:{port}")
    search = Search(synthetic.fn_args(tmp_path, algorithm="grid", trials=4))
    leading = threading.Thread(target=search.search)
    leading.start()
    while chief.told(search.study.folder) is None:
        time.sleep(0.05)
    for name in (roles.ADDRESS, roles.PORT, roles.ID):
        monkeypatch.delenv(name)
    result = far.join(str(tmp_path / "tuning"), f"127.0.0.1:{port}", "pod-0")
    leading.join(20)
    assert not leading.is_alive()
    trials = tried(search.study.folder)
    failed = [trial.reason for trial in trials.values() if trial.values["train.batch_size"] == 48]
    assert failed == ["two workers died in it"]
    assert [trial.status for trial in trials.values()].count("completed") == 3
    assert result == {"study": search.study.folder.name, "trials": 4}
    assert not children()


def test_an_address_that_nobody_is_at_is_said_within_ten_seconds(tmp_path, told, monkeypatch):
    assert worker.SAID < 10
    monkeypatch.setattr(worker, "SAID", 0.2)
    monkeypatch.setattr(worker, "WAIT", 0.1)
    with pytest.raises(HubelError, match=r"No chief answered at no-such-host\.invalid:1"):
        far.join(str(tmp_path), "no-such-host.invalid:1")
    assert told[0]["text"].startswith("No chief answers at no-such-host.invalid:1: ")
    for wrong in ("nowhere", ":80", "host:", "host:port", "host:99999"):
        with pytest.raises(UsageError, match="is no address"):
            far.join(str(tmp_path), wrong)


def test_a_worker_that_sees_another_workspace_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "SHARED", 0.1)
    search = Search(synthetic.fn_args(tmp_path))
    with chief.Chief(search.oracle) as led, search._held:
        with pytest.raises(HubelError, match=r"there is no search of its in .*elsewhere"):
            far.join(str(tmp_path / "elsewhere"), f"127.0.0.1:{led.port}")
        with pytest.raises(HubelError, match="No chief can listen at"):
            chief.Chief(search.oracle, f"127.0.0.1:{led.port}")


def test_a_failure_of_the_oracle_such_as_of_a_full_disk_ends_the_search_and_loses_no_trial(tmp_path, monkeypatch):
    search = Search(synthetic.fn_args(tmp_path))
    ours = None
    with chief.Chief(search.oracle) as led, search._held:
        ours = worker.Worker(search.study.folder, f"127.0.0.1:{led.port}", "worker-0")
        write = search.oracle._write

        def full(path, state):
            if len(tried(search.study.folder)) == 3:
                raise OSError(28, "No space left on device")
            write(path, state)

        monkeypatch.setattr(search.oracle, "_write", full)
        with pytest.raises(HubelError, match=r"The chief could not go on: .*No space left on device"):
            ours.search()
        with pytest.raises(OSError, match="No space left"):
            led.check()
    monkeypatch.undo()
    over = [trial.id for trial in tried(search.study.folder).values() if trial.is_over]
    assert len(over) >= 2
    assert same(alone(tmp_path)) == same(alone(tmp_path / "alone"))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (-9, "Its process was killed by signal 9, as the kernel does when memory runs out."),
        (-11, "Its process was ended by signal 11 (SIGSEGV)."),
        (3, "Its process ended with code 3."),
    ],
)
def test_a_death_has_its_sentence(code, said):
    assert crew.death(code) == said


def test_workers_share_the_cores_and_more_than_memory_holds_are_warned_of(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    for name in crew.THREADS:
        monkeypatch.delenv(name, raising=False)
    assert crew.threads(1) == {}
    assert crew.threads(3) == dict.fromkeys(crew.THREADS, "2")
    assert crew.threads(20)["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert "OMP_NUM_THREADS" not in crew.threads(2)
    monkeypatch.setattr(crew, "available", lambda: 4 * 2**30)
    assert crew.doubts(1, 2**34) == []
    assert crew.doubts(4, 2**29) == []
    [said] = crew.doubts(6, 2**30)
    assert said == "6 workers need about 6.0 GiB of memory and 4.0 are free: that is enough for 4."
    assert "share 8 cores" in crew.doubts(9, 2**20)[0]
    monkeypatch.undo()
    assert crew.available() > 2**26
    assert worker.resident() <= worker.peak()


@pytest.mark.parametrize(("over", "workers"), [(0, 3), (2, 1), (None, 50)])
def test_no_more_workers_start_than_there_are_trials_to_run(tmp_path, told, monkeypatch, over, workers):
    begun, trials = [], None if over is None else 3
    if over:
        alone(tmp_path, trials=over)
    monkeypatch.setattr(crew.Crew, "work", lambda self: begun.extend(self._members))
    monkeypatch.setattr(crew, "doubts", lambda *_: [])
    Search(synthetic.fn_args(tmp_path, trials=trials, minutes=None if trials else 5.0, workers=50)).search()
    assert len(begun) == workers
    said = [event["text"].partition(":")[0] for event in told if " of 50 start: " in event.get("text", "")]
    assert said == {3: ["3 workers of 50 start"], 1: ["1 worker of 50 start"], 50: []}[workers]


def test_a_lock_says_who_holds_it(tmp_path):
    with (
        locking.hold(tmp_path / "lock", "hubel tune digits"),
        pytest.raises(locking.Held, match=f"`hubel tune digits` .process {os.getpid()}"),
    ):
        locking.hold(tmp_path / "lock", "another").__enter__()
    with locking.hold(tmp_path / "lock", "another"):
        pass
