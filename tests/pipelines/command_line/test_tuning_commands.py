"""`hubel list trials` reads records, and what is typed wrong for a search is said before it starts."""

import os
import re

import pytest

from configs import load, locking
from pipelines.command_line import tuning_commands
from reports import trials
from tests.pipelines.command_line.test_commands import imported_by, seconds_of
from tests.pipelines.conftest import in_process
from tests.reports.searches import search
from tests.slower import times_slower
from tuner import contract, records


def left(root, name="digits_lenet5", study="a1b2c3d4", count=12, at=1.7e9, **asked):
    """A study in a workspace, as a search leaves it; worked on last at that time."""
    made = search(count, **asked)
    folder = root / "tuning" / name / study
    records.write_study(folder, made.study.model_copy(update={"config": name, "fingerprint": study, "runs": ["20260101-000000"]}))
    for trial in made.trials:
        records.write_trial(folder, trial)
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (at, at))
    return made


def test_trials_are_those_of_the_newest_search_the_best_first(tmp_path):
    left(tmp_path, study="old", at=1.6e9)
    made = left(tmp_path)
    value = in_process("list", "trials", "digits_lenet5", "--workspace", tmp_path, "--json").json
    assert [trial["id"] for trial in value["trials"]] == [trial.id for trial in made.rows]
    first = value["trials"][0]
    assert (first["values"], first["value"], first["status"], first["seconds"]) == (
        made.best.values, made.best.value, made.best.status, made.best.seconds,
    )  # fmt: skip
    assert (value["best"], value["value"], value["objective"]) == (made.best.values, made.best.value, "val_accuracy")
    assert (value["study"], value["others"], value["run"]) == ("a1b2c3d4", ["digits_lenet5/old"], "20260101-000000")


def test_a_person_sees_a_table_and_where_the_page_is(tmp_path):
    made = left(tmp_path)
    (tmp_path / "tuning/digits_lenet5/a1b2c3d4/index.html").touch()
    outcome = in_process("list", "trials", "--workspace", tmp_path)
    about, head, first, *rows = outcome.out.splitlines()
    assert about == "digits_lenet5, bayesian search a1b2c3d4, by val_accuracy (max)"
    assert head.split()[:6] == ["trial", "status", "val_accuracy", "epochs", "seconds", "learning_rate"]
    assert first.split()[0] == made.best.id
    assert first.split()[2:6] == [*trials.value_of(made.best).split(), str(made.best.epochs)]
    of_reasons = [row for row in rows if row.startswith("  ")]
    reasons = {trial.reason for trial in made.trials if trial.reason}
    assert len(rows) == 13 + len(of_reasons)
    assert {row.partition(": ")[2] for row in of_reasons} == reasons
    pruned = ", ".join(trial.id for trial in made.rows if trial.status == "pruned")
    assert any(row.startswith(f"  {pruned}: Behind the median") for row in of_reasons)
    assert rows[-2].startswith("1 trial interrupted: ")
    assert rows[-1].endswith("a1b2c3d4/index.html")
    assert "\x1b" not in outcome.out


def test_of_a_trial_that_is_not_over_it_says_whether_a_search_is_at_work_on_it(tmp_path):
    left(tmp_path)  # one runs
    folder = tmp_path / "tuning/digits_lenet5/a1b2c3d4"
    listed = ("list", "trials", "--workspace", tmp_path)
    assert "1 trial interrupted: no search is at work;" in in_process(*listed).out
    assert not (folder / records.LOCK).exists()
    with locking.hold(folder / records.LOCK, "hubel tune digits_lenet5"):
        assert "1 trial running, by `hubel tune digits_lenet5` (process " in in_process(*listed).out
        assert in_process(*listed, "--json").json["held_by"].startswith("`hubel tune digits_lenet5`")
    assert in_process(*listed, "--json").json["held_by"] is None


def test_without_a_config_it_is_the_newest_of_all(tmp_path):
    left(tmp_path, at=1.6e9)
    left(tmp_path, name="mnist_mlp", study="beef", at=1.65e9)
    value = in_process("list", "trials", "--workspace", tmp_path, "--json").json
    assert (value["config"], value["others"]) == ("mnist_mlp", ["digits_lenet5/a1b2c3d4"])


@pytest.mark.parametrize("config", [(), ("digits_mlp",), ("no_such_config",)])
def test_where_there_is_no_search_it_says_of_what_there_are(config, tmp_path):
    left(tmp_path / "some")
    outcome = in_process("list", "trials", *config, "--workspace", tmp_path / ("some" if config else "none"))
    assert outcome.code == 2
    assert "digits_lenet5" in outcome.err if config else "there: none" in outcome.err
    assert not (tmp_path / "none").exists()


def test_a_damaged_record_is_said(tmp_path):
    left(tmp_path)
    (tmp_path / "tuning/digits_lenet5/a1b2c3d4/trials/0003.json").write_text('{"id": "0003"')
    outcome = in_process("list", "trials", "--workspace", tmp_path)
    assert outcome.code == 1
    assert "0003.json is damaged" in outcome.err


def test_the_end_of_a_search_says_what_matters_and_what_to_do_next(tmp_path, capsys):
    made = left(tmp_path)
    value = contract.of(tmp_path / "tuning/digits_lenet5/a1b2c3d4")
    shares = {"importance": {"train.batch_size": 0.25, "model.options.hidden": 0.75}, "importance_doubt": "Few trials."}
    asked = {"trials_asked": 5, "page": "/a/index.html", "written": None, "command": "hubel run b.yaml", "seconds": 9.0}
    tuning_commands._tell(value | shares | asked)
    lines = capsys.readouterr().out.splitlines()
    title, first, second, doubt, many, best, *chosen, page, train, seconds = lines[
        next(place for place, line in enumerate(lines) if line.startswith("importance")) :
    ]
    assert (title, doubt) == ("importance of each parameter, as a share of 1:", "Few trials.")
    assert [first, second] == ["  model.options.hidden  0.75", "  train.batch_size      0.25"]
    assert many == "11 trials were tried and 5 asked for: the best is of all that were tried."
    assert best == f"Best of 12 trials: {made.best.id}, val_accuracy {made.best.value:.4f}, with"
    assert [line.split(maxsplit=1) for line in chosen] == [[path, trials.shown(of)] for path, of in made.best.values.items()]
    assert [page, train, seconds] == ["  page: /a/index.html", "  train it: hubel run b.yaml", "9.0 s"]


@pytest.mark.parametrize("shares", [{}, {"train.batch_size": 1.0}])
def test_of_a_single_parameter_there_is_no_importance_to_tell(shares, tmp_path, capsys):
    left(tmp_path)
    value = contract.of(tmp_path / "tuning/digits_lenet5/a1b2c3d4")
    value |= {
        "importance": shares,
        "importance_doubt": "Few trials.",
        "written": None,
        "command": "",
        "trials_asked": None,
        "seconds": 9.0,
    }
    tuning_commands._tell(value)
    told = capsys.readouterr().out
    assert "importance" not in told
    assert "Few trials." not in told


def test_on_a_narrow_terminal_what_there_is_no_room_for_is_said(tmp_path, monkeypatch):
    left(tmp_path, parameters=8)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    told = re.sub(r"\x1b\[[0-9;]*m", "", in_process("list", "trials", "--workspace", tmp_path).out)
    head = told.splitlines()[1]
    assert head.split() == ["trial", "status", "val_accuracy", "epochs", "seconds", "learning_rate", "hidden"]
    assert all(len(line) <= 80 for line in told.splitlines()[1:14])
    assert "There is no room for optimizer.name, batch_size, momentum, augment, schedule, a_long_option_number_0, " in told
    monkeypatch.delenv("FORCE_COLOR")
    piped = in_process("list", "trials", "--workspace", tmp_path).out
    assert "translate 0.2 0.2, rotate 20" in piped
    assert "There is no room" not in piped
    assert not [line for line in piped.splitlines() if line.endswith(" ")]


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("failed", 1), ("running", 1)])
def test_a_search_exits_0_if_a_trial_completed_and_else_1(status, code, tmp_path, monkeypatch):
    left(tmp_path, status=status)
    answer = contract.of(tmp_path / "tuning/digits_lenet5/a1b2c3d4") | {"command": ""}
    monkeypatch.setattr(tuning_commands, "_searched", lambda *asked: answer)
    outcome = in_process("tune", "digits_mlp", "--set", *SPACE, "--workspace", tmp_path / "workspace", "--json")
    assert (outcome.code, outcome.json["best"] is None) == (code, bool(code))


def test_what_is_written_is_read_also_where_it_was_moved_to_with_its_config(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "found").mkdir(parents=True)
    (before / "own.yaml").write_text("extends: digits_mlp\nname: mine\n")
    left(tmp_path)
    value = contract.of(tmp_path / "tuning/digits_lenet5/a1b2c3d4")
    value |= {"best": {"train.batch_size": 48}, "best_config": "b.yaml", "command": "hubel run b.yaml"}
    written = tuning_commands._written(str(before / "found/best.yaml"), str(before / "own.yaml"), [], value)
    assert written["command"] == f"hubel run {before}/found/best.yaml"
    before.rename(after)
    read = load.load(str(after / "found/best.yaml"))
    assert (read.name, read.train.batch_size) == ("mine", 48)


def test_listing_a_hundred_trials_imports_nothing_heavy_and_is_quick(tmp_path, monkeypatch):
    left(tmp_path, count=100)
    monkeypatch.setenv("HUBEL_WORKSPACE", str(tmp_path))
    assert imported_by("list", "trials", "digits_lenet5") == set()
    assert seconds_of("list", "trials", "digits_lenet5") < 0.5 * times_slower()


FLAGS = {"objective": None, "trials": None, "minutes": None, "algorithm": None, "workers": None}


def test_flags_are_keys_of_the_config():
    assert tuning_commands.assigned(FLAGS) == ["tune.enabled=true"]
    asked = {"objective": "val_accuracy:max", "trials": 3, "minutes": 0.5, "algorithm": "grid", "workers": 2}
    cfg = load.load("digits_mlp", [*SPACE, *tuning_commands.assigned(asked)])
    objective = [(each.name, each.direction) for each in cfg.tune.objective]
    assert (cfg.tune.enabled, objective, cfg.tune.trials, cfg.tune.minutes, cfg.tune.algorithm, cfg.tune.workers) == (
        True, [("val_accuracy", "max")], 3, 0.5, "grid", 2,
    )  # fmt: skip
    named = load.load("digits_mlp", [*SPACE, *tuning_commands.assigned({**FLAGS, "objective": "val_mse"})])
    assert [(each.name, each.direction) for each in named.tune.objective] == [("val_mse", None)]


SPACE = ("tune.space={train.optimizer.learning_rate: {min: 0.001, max: 0.1, sampling: log}}",)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("digits_mlp",), ("digits_mlp has no tune.space", "--set tune.space=auto")),
        (("digits_mlp", "--set", *SPACE, "--objective", "val_loss:down"), ("val_loss:down", "NAME:min or NAME:max")),
        (("digits_mlp", "--set", *SPACE, "--objective", ":max"), (":max",)),
        (("digits_mlp", "--set", *SPACE, "--algorithm", "genetic"), ("genetic", "hyperband")),
        (("digits_mlp", "--set", *SPACE, "--trials", "0"), ("--trials", "0")),
        (("digits_mlp", "--set", *SPACE, "--minutes", "0"), ("--minutes",)),
        (("digits_mlp", "--set", *SPACE, "--workers", "0"), ("--workers",)),
        (("digits_mlp", "--set", *SPACE, "--role", "chief"), ("--role and --address",)),
        (("digits_mlp", "--set", *SPACE, "--address", "a:1"), ("--role and --address",)),
        (("digits_mlp", "--set", *SPACE, "--role", "worker", "--address", "a"), ("--address a is not HOST:PORT",)),
        (("digits_mlp", "--set", *SPACE, "--role", "worker", "--address", "a:99999"), ("a:99999",)),
        (("digits_mlp", "--set", *SPACE, "--role", "chief", "--address", "a:1", "--workers", "2"), ("--workers",)),
        (("digits_mlp", "--set", *SPACE, "--write", "best.txt"), ("best.txt", ".yaml")),
        (("digits_mlp", "--set", *SPACE, "--write", "no/such/best.yaml"), ("no folder no/such",)),
        (("digits_mlp", "--set", "tune.space={train.epoch: {choices: [1, 2]}}"), ("train.epoch",)),
        (("no_such_config",), ("no config",)),
    ],
    ids=str,
)
def test_what_is_typed_wrong_exits_2_before_anything_is_started(arguments, words, tmp_path):
    outcome = in_process("tune", *arguments, "--workspace", tmp_path / "workspace")
    assert outcome.code == 2, outcome.err
    assert all(word in outcome.err for word in words), outcome.err
    assert not (tmp_path / "workspace").exists()


def test_that_no_chief_answers_is_said_before_libraries_load(tmp_path, monkeypatch, capsys):
    def asked(request, view):
        assert (
            "No chief answers at no-such-host.invalid:1 yet: the name no-such-host.invalid is not known." in capsys.readouterr().err
        )
        return {"study": "a", "trials": 0}

    monkeypatch.setattr(tuning_commands, "quietly", asked)
    assert tuning_commands._joined(tmp_path, "no-such-host.invalid:1", as_json=False) == 0
