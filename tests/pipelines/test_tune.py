"""`hubel tune`: a real search of two trials, what it prints, leaves and answers, and what it shares with `hubel run`."""

import json
import re
import signal
import socket
from pathlib import Path

import pytest
import yaml

from configs import load
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from tests.cheaper import crew_is_here
from tests.once import made_once
from tests.pipelines.conftest import Running, eventually, in_process
from tuner import contract, records, roles

SPACE = "tune.space={train.optimizer.learning_rate: {min: 0.002, max: 0.05, sampling: log}, train.batch_size: {choices: [16, 32]}}"
SEARCH = ("digits_mlp.tiny", "--trials", "2", "--algorithm", "random", "--objective", "val_accuracy:max", "--set", SPACE)
SAME = ("--set", "tune.enabled=true", "--set", "tune.trials=2", "--set", "tune.algorithm=random")  # as those flags have it
SAME += ("--set", 'tune.objective=[{"name": "val_accuracy", "direction": "max"}]', "--set", SPACE)


def made_search(tmp_path_factory) -> Path:
    """Folder of a search: workspace, best.yaml, and outcome.json: what it said, and what it said once more in JSON."""

    def make(folder):
        command = ("tune", *SEARCH, "--workspace", folder / "workspace", "--write", folder / "best.yaml")
        shown = in_process(*command)
        assert shown.code == 0, shown.err
        again = in_process(*command, "--json")
        (folder / "outcome.json").write_text(json.dumps({"out": shown.out, "err": shown.err, "again": json.loads(again.out)}))

    return made_once(tmp_path_factory, "search", make)


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Path:
    return made_search(tmp_path_factory)


@pytest.fixture(scope="module")
def told(searched) -> dict:
    return json.loads((searched / "outcome.json").read_text())


@pytest.fixture(scope="module")
def study(told) -> Path:
    return Path(told["again"]["folder"])


def test_the_json_is_that_of_the_contract(told, study):
    value = told["again"]
    made, trials = records.read(study)
    best = records.best(made, trials)
    assert (value["best"], value["value"], value["objective"]) == (best.values, best.value, "val_accuracy")
    assert value["best"].keys() == {"train.optimizer.learning_rate", "train.batch_size"}
    assert len(value["trials"]) == 2
    for shown in value["trials"]:
        kept = next(trial for trial in trials if trial.id == shown["id"])
        assert (shown["values"], shown["value"], shown["status"], shown["seconds"]) == (
            kept.values, kept.value, "completed", kept.seconds,
        )  # fmt: skip
        assert kept.value == kept.curve[kept.kept - 1]["val_accuracy"]
    assert value["value"] == max(trial["value"] for trial in value["trials"])


def test_the_same_command_again_finds_all_of_it_cached_and_its_runs_are_on_record(told, searched, study):
    assert all(component["cached"] for component in told["again"]["components"])
    assert told["again"]["components"][-1]["name"] == "Tuner"
    listed = in_process("list", "runs", "--workspace", searched / "workspace", "--json").json
    assert [run["status"] for run in listed[:2]] == ["searched", "searched"]
    assert listed[1]["run"] == told["again"]["run"]
    assert listed[1]["reason"] == f"2 trials, the best val_accuracy {told['again']['value']:.4f}"
    assert records.read_study(study).runs == [listed[0]["run"]]  # the second did not search


def test_a_person_sees_each_trial_the_table_and_what_to_do_next(told, searched):
    err, out = told["err"], told["out"]
    assert "random search for the best val_accuracy (max)" in err
    line = r"^    trial 000\d  completed  val_accuracy \d\.\d{4}  \d+ epochs?  [\d.]+ s  learning_rate \S+  batch_size \d+$"
    assert len(re.findall(line, err, re.M)) == 2
    assert re.search(r"^  Tuner +[\d.]+ s  2 trials, the best val_accuracy \d\.\d{4} of trial 000\d$", err, re.M)
    assert out.splitlines()[0].split() == ["trial", "status", "val_accuracy", "epochs", "seconds", "learning_rate", "batch_size"]
    assert (told["again"]["importance"], told["again"]["importance_doubt"]) == ({}, "")  # of two trials nothing is said
    assert f"written: {searched / 'best.yaml'}" in out
    assert f"train it: hubel run {searched / 'best.yaml'} --workspace {searched / 'workspace'}" in out
    assert "\x1b" not in err + out


def test_its_folder_has_page_logs_and_the_config_of_the_best(told, study):
    page = (study / records.PAGE).read_text()
    assert told["again"]["page"] == str(study / records.PAGE)
    assert all(f'id="{key}-spec"' in page for key in ("curves-val_accuracy", "parallel", "time"))
    assert {path.name for path in (study / records.HPARAMS).iterdir()} == {"space", "0000", "0001"}
    of_best = load.load(told["again"]["best_config"])
    assert of_best.train.optimizer.learning_rate == told["again"]["best"]["train.optimizer.learning_rate"]
    assert not of_best.tune.enabled


def test_what_is_written_is_the_config_of_the_best(told, searched):
    tree = yaml.safe_load((searched / "best.yaml").read_text())
    best = told["again"]["best"]
    assert tree == {
        "extends": "digits_mlp.tiny",
        "train": {
            "batch_size": best["train.batch_size"],
            "optimizer": {"learning_rate": best["train.optimizer.learning_rate"]},
        },
    }
    dumps = [load.load(str(path)).model_dump(exclude={"tune"}) for path in (searched / "best.yaml", told["again"]["best_config"])]
    assert dumps[0] == dumps[1]


def test_a_run_that_tunes_finds_the_search_cached_and_trains_its_best(searched):
    plan = in_process("run", "digits_mlp.tiny", *SAME, "--workspace", searched / "workspace", "--dry-run", "--json").json
    planned = {component["name"]: component["cached"] for component in plan["components"]}
    assert planned["Tuner"]
    assert not planned["Trainer"]
    assert all(planned[name] for name in ("ExampleGen", "Transform"))


def test_a_dry_run_says_what_would_be_searched_and_writes_nothing(searched, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in searched.rglob("*")}
    for place, cached in ((searched / "workspace", True), (tmp_path / "none", False)):
        value = in_process("tune", *SEARCH, "--workspace", place, "--dry-run", "--json").json
        assert [component["cached"] for component in value["components"] if component["name"] == "Tuner"] == [cached]
        assert "Trainer" not in {component["name"] for component in value["components"]}
    assert value["space"].keys() == {"train.optimizer.learning_rate", "train.batch_size"}
    shown = in_process("tune", *SEARCH, "--workspace", searched / "workspace", "--dry-run").out
    assert "random search for the best val_accuracy (max): trials 2, workers 1, executions 1" in shown
    assert "train.batch_size: choices [16, 32]" in shown
    assert not (tmp_path / "none").exists()
    assert {path: path.stat().st_mtime_ns for path in searched.rglob("*")} == before


def test_trials_are_listed_as_the_search_told_them(told, searched):
    value = in_process("list", "trials", "digits_mlp_tiny", "--workspace", searched / "workspace", "--json").json
    assert value["trials"] == told["again"]["trials"]
    assert value["page"] == told["again"]["page"]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory) -> tuple[Path, dict]:
    """(workspace, what it said) of a run that tunes; the tests that ask for it do more there."""
    place = tmp_path_factory.mktemp("tuned") / "workspace"
    with crew_is_here():
        outcome = in_process("run", "digits_mlp.tiny", *SAME, "--workspace", place, "--json")
    assert outcome.code == 0, outcome.err
    return place, outcome.json


@pytest.mark.whole
def test_the_written_config_trains_to_the_weights_of_the_pipeline_that_tunes(tuned, tmp_path):
    import numpy as np

    from components.trainer.card import Card
    from pipelines import load as model_of

    place, of_both = tuned
    again = in_process("tune", *SEARCH, "--workspace", place, "--write", tmp_path / "best.yaml", "--json").json
    assert [component["cached"] for component in again["components"] if component["name"] == "Tuner"] == [True]
    card = Card.read(runs.artifact(Workspace.at(str(place)), "digits_mlp_tiny"))
    assert {path: card.hyperparameters[path] for path in again["best"]} == again["best"]
    alone = in_process("run", tmp_path / "best.yaml", "--workspace", place, "--json").json
    assert alone["metrics"] == of_both["metrics"]
    assert "Tuner" in {component["name"] for component in of_both["components"]}
    cached = {component["name"]: component["cached"] for component in alone["components"]}
    assert "Tuner" not in cached
    assert (cached["ExampleGen"], cached["Trainer"]) == (True, False)
    assert not list((place / "training").rglob("*.h5")), "nothing of the first training, for the second to go on from"
    models = [model_of(f"digits_mlp_tiny@{run['run']}", workspace=place) for run in (of_both, alone)]
    assert all(np.array_equal(*pair) for pair in zip(*(model.get_weights() for model in models), strict=True))


def by_id(value: dict) -> dict:
    return {trial["id"]: (trial["values"], trial["value"]) for trial in value["trials"]}


@pytest.mark.whole
def test_a_search_that_is_ended_goes_on_with_the_same_command(tuned, tmp_path):
    """By kill -9, and what goes on by Ctrl-C: each leaves no worker and loses no trial that is over."""
    command = ("tune", *SEARCH, "--trials", "4", "--workspace", tmp_path / "workspace")
    kept = {}
    for trial, how in (("trial 0001", signal.SIGKILL), ("trial 0002", signal.SIGINT)):
        running = Running(*command)
        running.wait_for(trial)
        children = running.workers()
        outcome = running.end(how)
        assert eventually(lambda children=children: not any(Path(f"/proc/{child}").exists() for child in children))
        if how == signal.SIGINT:
            assert (outcome.code, "The same command goes on" in outcome.err) == (130, True)
        [folder] = records.studies(Workspace.at(tmp_path / "workspace").tuning("digits_mlp_tiny"))
        assert (folder / records.PAGE).exists() == (how == signal.SIGINT), "written once more at the end"
        trials = {trial.id: trial for trial in records.read(folder)[1] if trial.is_over}
        assert {trial: trials.get(trial) for trial in kept} == kept
        kept = trials
    assert kept
    with crew_is_here():
        value = in_process(*command, "--json").json
        undisturbed = in_process("tune", *SEARCH, "--trials", "4", "--workspace", tuned[0], "--json").json
    assert [trial["status"] for trial in value["trials"]] == ["completed"] * 4
    after = {trial.id: trial for trial in records.read(folder)[1]}
    assert {trial: after[trial] for trial in kept} == kept
    assert by_id(undisturbed) == by_id(contract.of(folder))


@pytest.mark.whole
def test_a_chief_and_a_worker_of_another_machine_search_together(tmp_path, monkeypatch):
    for name in (roles.ADDRESS, roles.PORT, roles.ID):  # a chief sets them
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = ("tune", *SEARCH, "--workspace", tmp_path / "workspace", "--address", address, "--json")
    worker = Running(*command, "--role", "worker")
    chief = in_process(*command, "--role", "chief")  # which starts no worker of its own
    assert chief.code == 0, chief.err
    assert [trial["status"] for trial in chief.json["trials"]] == ["completed"] * 2
    out, err = worker.process.communicate(timeout=600)
    assert worker.process.returncode == 0, err
    assert json.loads(out) == {"study": chief.json["study"], "trials": 2}
