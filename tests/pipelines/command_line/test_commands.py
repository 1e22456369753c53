"""The verbs that only look: what they print, as a table and as JSON, and what they must not import."""

import csv
import dataclasses
import errno
import io
import json
import re
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import click
import pytest

import keras_models
from configs import load
from configs.errors import HubelError
from keras_models import Record
from pipelines.command_line import cli, commands, list_view, options
from pipelines.command_line.console import RunView
from pipelines.process import supervise
from pipelines.process.requests import Request
from pipelines.workspace import runs, unchanged
from pipelines.workspace.layout import Workspace
from tests.cheaper import loaded_once
from tests.pipelines.conftest import hubel, in_process
from tests.slower import times_slower

HEAVY = ("tensorflow", "keras", "tfx", "apache_beam", "numpy")


def imported_by(*arguments: str) -> set[str]:
    """Heavy packages that a command line imports in its own process."""
    code = (
        "import contextlib, io, sys\n"
        "from pipelines.command_line import commands\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    commands.run(sys.argv[1:])\n"
        "print(' '.join(name for name in sys.modules if '.' not in name))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize("arguments", [("--help",), ("list", "models"), ("list", "configs"), ("list", "runs"), ("--version",)])
def test_looking_imports_nothing_heavy(arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("HUBEL_WORKSPACE", str(tmp_path))
    assert imported_by(*arguments) == set()


def seconds_of(*arguments: str) -> float:
    """Seconds of the processor that a command takes, the least of three times: what else a machine does meanwhile is not hubel's,
    and hubel waits for nobody here."""
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert hubel(*arguments).code == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


@pytest.mark.parametrize(("arguments", "seconds"), [(("--help",), 0.5), (("list", "models"), 1.0)])
def test_looking_is_quick(arguments, seconds):
    assert 0 < seconds_of(*arguments) < seconds * times_slower()


def test_models_are_listed_with_the_facts_of_the_contract():
    models = {model["name"]: model for model in in_process("list", "models", "--json").json}
    assert models["lenet5"] == {
        "name": "lenet5",
        "family": "lenet",
        "aliases": ["lenet"],
        "input_shape": [32, 32, 1],
        "task": "classification",
        "params": 61706,
        "paper": models["lenet5"]["paper"],
        "year": 1998,
    }
    assert {"mlp", "lenet5_1998", "conv_autoencoder"} <= set(models)
    text = in_process("list", "models").out
    assert re.search(r"^lenet +lenet5, lenet +61,706 +32x32x1 +classification +1998 +LeCun et al. 1998", text, re.MULTILINE)
    assert re.search(r"^ +lenet5_1998 +60,000 +32x32x1 *$", text, re.MULTILINE)  # what is the same as above is said once
    assert "\x1b" not in text


def test_configs_are_listed_with_their_headers():
    configs = {config["name"]: config["about"] for config in in_process("list", "configs", "--json").json}
    assert {"digits_lenet5", "digits_mlp", "digits_conv_autoencoder"} <= set(configs)
    assert all(configs.values())
    assert not any("tiny" in name for name in configs)


def test_an_empty_workspace_has_no_runs(tmp_path):
    outcome = in_process("list", "runs", "--json", "--workspace", tmp_path)
    assert (outcome.code, outcome.json) == (0, [])


def test_of_unfinished_runs_only_the_newest_can_be_alive(tmp_path):
    place = Workspace.at(tmp_path)
    for number in (1, 2, 3):
        runs.RunRecord(f"run{number}", "a", f"2026-01-0{number}").save(place.run("a", f"run{number}"))
    with place.locked("hubel run a"):
        assert [record.status for record in runs.listed(place)] == ["killed", "killed", "running"]
    assert [record.status for record in runs.listed(place)] == ["killed"] * 3


def test_the_record_of_a_run_keeps_its_slices_and_an_older_one_has_none(tmp_path):
    place, cfg = Workspace.at(tmp_path), load.load("digits_mlp.tiny")
    parts = [{"slice": {"label": 3}, "class": "three", "examples": 36, "metrics": {"accuracy": 0.5}}]
    with runs.recorded(place, cfg.name, "1", load.dump(cfg)) as done:
        done({"blessed": True, "reason": "", "metrics": {}, "slices": parts, "version": 1, "model_dir": None, "model_uri": None})
    [record] = runs.records(place)
    assert record.slices == parts
    kept = place.run(cfg.name, "1") / "run.json"
    kept.write_text(json.dumps({name: value for name, value in json.loads(kept.read_text()).items() if name != "slices"}))
    assert runs.records(place) == [dataclasses.replace(record, slices=[])]


def test_show_counts_layers_of_a_name_and_of_a_keras_file(tmp_path):
    named = in_process("show", "lenet5", "--json").json
    assert (named["params"], named["input"]) == (61706, [32, 32, 1])
    assert sum(layer["params"] for layer in named["layers"]) == 61706
    shape = {"input_shape": (32, 32, 1), "num_classes": 10}
    keras_models.build("lenet5_1998", shape, {}).save(tmp_path / "own.keras")
    assert in_process("show", tmp_path / "own.keras", "--json").json["params"] == 60000


def test_families_stand_together_and_variants_as_people_count():
    fields = {"task": "classification", "params": None, "tiny": {}, "paper": "", "year": None}
    names = ["resnet110", "vgg_a", "resnet20", "resnet1202", "alexnet"]
    ordered = list_view.ordered(Record(name=name, module=f"m.{name.strip('0123456789_a') or name}", **fields) for name in names)
    assert [record.name for record in ordered] == ["alexnet", "resnet20", "resnet110", "resnet1202", "vgg_a"]


def test_show_refuses_too_small_a_size():
    outcome = in_process("show", "lenet5", "--input", "4x4x1")
    assert outcome.code == 2
    assert "Traceback" not in outcome.err


RESIZED = "resized to the model's 32x32 px, as in training."


def test_predictions_come_as_table_csv_and_json(finished, scans):
    rows = hubel("predict", "digits_lenet5_tiny", scans, "--top", "3", "--json", "--workspace", finished).json
    assert [len(row["classes"]) for row in rows] == [3] * 8
    assert all(row["scores"] == sorted(row["scores"], reverse=True) for row in rows)
    names = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
    assert {name for row in rows for name in row["classes"]} <= names
    assert all((row["size"], row["resized"]) == ([8, 8], True) for row in rows)
    with loaded_once():
        form = in_process("predict", "digits_lenet5_tiny/1", scans, "--format", "csv", "--workspace", finished)
        text = in_process("predict", finished / "models/digits_lenet5_tiny", scans, "--workspace", finished / "elsewhere").out
    table = list(csv.DictReader(io.StringIO(form.out)))
    assert [row["classes"] for row in table] == [row["classes"][0] for row in rows]
    assert set(table[0]) == {"file", "classes", "scores"}
    assert text.count("png") == 8
    assert text.endswith(f"8 were of another size: {RESIZED}\n")
    assert form.err == text.splitlines()[-1] + "\n"


def test_only_images_of_another_size_are_said_to_be_resized():
    value = {"size": [32, 32, 1], "resized": 1}
    assert options.resized(value) == [f"1 was of another size: {RESIZED}"]
    assert options.resized({**value, "resized": 0}) == []


def test_doctor_finds_this_installation_sound(tmp_path):
    outcome = hubel("doctor", "--json", "--workspace", tmp_path)
    checks = {check["name"]: check for check in outcome.json}
    assert checks.keys() >= {"Python", "packages", "names", "workspace", "disk"}
    assert checks["packages"]["ok"] is True, checks["packages"]
    wrong = [check for check in outcome.json if check["ok"] is False]
    assert all(check["remedy"] for check in wrong)
    assert outcome.code == (1 if wrong else 0)


@dataclass(frozen=True)
class Loads(Request):
    calls = "json:loads"
    s: str


@dataclass(frozen=True)
class Critical(Request):
    calls = "logging:critical"
    msg: str


@pytest.fixture
def verb(monkeypatch, tmp_path):
    """Runs a verb that does what it is given, as `hubel` would. Logs go to `tmp_path`."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def run(body, *arguments) -> int:
        made = click.Command("verb", callback=lambda **_: body(), params=[])
        made = options.as_json(options.verbose(made))
        monkeypatch.setitem(commands.cli.commands, "verb", made)
        return commands.run(["verb", *arguments])

    return run


def test_what_fails_in_a_worker_leaves_its_log_and_names_it(verb, tmp_path, capsys):
    assert verb(lambda: options.quietly(Loads("{"))) == 1
    [log] = tmp_path.iterdir()
    assert capsys.readouterr().err.splitlines()[-1] == f"The log has the whole story. Log: {log}"
    assert "JSONDecodeError" in log.read_text()
    log.unlink()
    assert verb(lambda: options.quietly(Loads("0"))) == 0
    assert list(tmp_path.iterdir()) == []


def test_verbose_shows_the_log_and_leaves_standard_output_alone(verb, capsys):
    def ask():
        options.quietly(Critical("a library's word"))

    assert verb(ask) == verb(ask, "--verbose", "--json") == 0
    assert capsys.readouterr() == ("", "CRITICAL:root:a library's word\n")
    assert verb(lambda: options.quietly(Loads("{")), "--verbose", "--json") == 1
    shown = capsys.readouterr()
    assert shown.err.count("Traceback") == 1
    assert json.loads(shown.out)["error"]["exit_code"] == 1


def test_what_nobody_foresaw_is_a_sentence_and_its_traceback_a_log(tmp_path, verb, capsys):
    place = Workspace.at(tmp_path / "workspace")
    place.prepare()
    place.metadata.write_bytes(b"no database" * 100)
    assert commands.run(["gc", "--workspace", str(place.root)]) == 1
    shown = capsys.readouterr()
    [log] = tmp_path.glob("*.log")
    assert shown.err.splitlines() == ["DatabaseError: file is not a database", f"The log has the whole story. Log: {log}"]
    assert "collect.py" in log.read_text()
    assert shown.out == ""


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(("again", "said"), [(options.GOES_ON, "The same command goes on from here: "), ("", "")])
def test_ctrl_c_says_that_the_same_command_goes_on_where_it_does(monkeypatch, capsys, again, said, as_json):
    def stopped(arguments):
        options.state.again = again
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "run", stopped)
    monkeypatch.setattr(sys, "argv", ["hubel", "run", *(["--json"] if as_json else [])])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    shown = capsys.readouterr()
    if as_json:
        assert json.loads(shown.out) == {"error": {"message": "Stopped.", "hint": again, "exit_code": 130}}
        assert shown.err == ""
    else:
        assert shown.err.startswith(f"Stopped. {said}".strip())
        assert shown.err.count("\n") == 1
    options.state.again = ""


def test_a_disk_too_full_for_the_record_does_not_hide_what_failed(tmp_path, monkeypatch):
    place, cfg = Workspace.at(tmp_path), load.load("digits_mlp.tiny")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def fail():
        with runs.recorded(place, cfg.name, "1", load.dump(cfg)):
            monkeypatch.setattr(runs.RunRecord, "save", full)
            raise HubelError("what failed")

    with pytest.raises(HubelError, match="what failed"):
        fail()


def test_the_view_shows_a_line_a_component_and_few_lines_of_training(capsys):
    with RunView() as view:
        view({"event": "node", "name": "Trainer"})
        view({"event": "training", "epochs": 100, "steps": 3})
        for epoch in range(100):
            view({"event": "epoch", "epoch": epoch, "epochs": 100, "figures": {"loss": 1 / (epoch + 1)}, "seconds": 2.0})
        view({"event": "node_done", "name": "Trainer", "cached": False, "seconds": 12.34})
        view({"event": "something that a later component may tell"})
    text = capsys.readouterr().err
    assert text.count("epoch ") <= 7
    assert "about 160 s left" in text
    assert "Trainer" in text
    assert "12.3 s" in text
    assert "\x1b" not in text


def test_a_quiet_view_shows_nothing(capsys):
    with RunView(quiet=True) as view:
        view({"event": "node_done", "name": "Trainer", "cached": True, "seconds": 0.0})
    assert capsys.readouterr().err == ""


def test_a_repeated_answer_says_so_and_shows_what_a_run_from_the_cache_shows(tmp_path, monkeypatch, capfd):
    value = {
        "run": "20260101-120000", "config": "digits_lenet5_tiny", "model": "digits_lenet5_tiny", "version": 1, "blessed": True,
        "reason": "", "comparison": "", "metrics": {"accuracy": 0.9}, "intervals": {"accuracy": [0.8, 0.95]}, "slices": [],
        "model_dir": str(tmp_path), "model_uri": "", "notes": ["passed over in folder:a: 1 .txt"], "seconds": 60.0,
        "components": [{"name": "Trainer", "cached": False, "seconds": 12.0}, {"name": "Pusher", "cached": False, "seconds": 0.1}],
    }  # fmt: skip
    answer = unchanged.Answer("20260101-120000", {"config": "1", "data": "2"}, value)
    monkeypatch.setattr(unchanged, "look", lambda cfg, place: unchanged.Known(place, cfg.name, tmp_path, {}, answer))
    monkeypatch.setattr(supervise, "ask", lambda *asked, **more: pytest.fail("a worker was started"))
    assert commands.run(["run", "digits_lenet5.tiny", "--workspace", str(tmp_path / "w")]) == 0
    shown = capfd.readouterr()
    assert shown.err.splitlines() == [
        "    Nothing has changed since run 20260101-120000: config, data. Nothing else was looked at again.",
        "    passed over in folder:a: 1 .txt",
        "  Trainer              cached",
        "  Pusher               cached",
    ]
    assert "Blessed and pushed: digits_lenet5_tiny version 1" in shown.out
    assert commands.run(["run", "digits_lenet5.tiny", "--json", "--workspace", str(tmp_path / "w")]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told.keys() - value.keys() == {"unchanged_since", "checked", "hints", "candidate", "labels", "report"}
    assert value.keys() - told.keys() == {"model_uri", "notes"}
    assert (told["unchanged_since"], told["checked"], told["seconds"] < 60) == ("20260101-120000", ["config", "data"], True)
    assert told["run"] != value["run"]
    [first, second] = runs.records(Workspace.at(tmp_path / "w"))
    assert [(record.status, record.unchanged_since) for record in (first, second)] == [("done", "20260101-120000")] * 2
