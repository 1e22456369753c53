"""`hubel list runs` as it is typed: its order, its columns, and its table for programs."""

import csv
import io

import pytest

from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from tests.pipelines.conftest import in_process

REASON = 'accuracy, 0.5, is "low" =1+1'
FIGURES = ({"accuracy": 0.123456789012}, {"accuracy": 0.5}, {})


@pytest.fixture
def place(tmp_path):
    """Three runs of two configs; the last one failed."""
    made = Workspace.at(tmp_path)
    for number, (name, status, metrics) in enumerate(zip("aba", ("done", "not blessed", "failed"), FIGURES, strict=True)):
        run = f"20260101-12000{number}"
        record = RunRecord(run, name, f"2026-01-01T12:00:0{number}", status, 1.5, status == "done", metrics=metrics)
        RunRecord(**{**vars(record), "reason": REASON if number == 1 else ""}).save(made.run(name, run))
    return made


def runs(place, *words):
    return in_process("list", "runs", *words, "--workspace", place.root)


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ([], "012"),
        (["--reverse"], "210"),
        (["--sort", "accuracy"], "012"),
        (["--sort", "-accuracy"], "102"),
        (["--sort=accuracy", "--reverse"], "102"),
        (["--sort=-accuracy", "--reverse"], "012"),
        (["--sort", "config"], "021"),
        (["--sort", "status"], "021"),
    ],
)
def test_the_order_is_the_same_in_each_form(place, words, order):
    assert [row["run"][-1] for row in runs(place, *words, "--json").json] == list(order)
    assert [row["run"][-1] for row in csv.DictReader(io.StringIO(runs(place, *words, "--csv").out))] == list(order)
    lines = runs(place, *words, "--columns", "run").out.splitlines()
    assert [line.strip()[-1] for line in lines[1:]] == list(order)


def test_a_table_for_programs_holds_all_and_nothing_else(place):
    said = runs(place, "--csv")
    assert said.code == 0
    rows = list(csv.reader(io.StringIO(said.out, newline=""), strict=True))
    assert rows[0][:5] == ["run", "config", "started", "seconds", "outcome"]
    assert {len(row) for row in rows} == {len(rows[0])}
    table = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [row["accuracy"] for row in table] == ["0.123456789012", "0.5", ""]
    assert [row["blessed"] for row in table] == ["true", "false", "false"]
    assert table[1]["reason"] == REASON


def test_the_lines_of_a_table_for_programs_end_as_rfc_4180_has_it(place, capfdbinary):
    from pipelines.command_line import runs_view
    from pipelines.workspace import runs as recorded

    runs_view.csv(recorded.records(place), ["run", "reason"])
    quoted = REASON.replace('"', '""').encode()
    assert capfdbinary.readouterr().out == (
        b'run,reason\r\n20260101-120000,\r\n20260101-120001,"' + quoted + b'"\r\n20260101-120002,\r\n'
    )


def test_columns_alone(place):
    lines = runs(place, "--columns", "accuracy,run", "--sort", "-accuracy").out.splitlines()
    assert [line.split() for line in lines] == [
        ["accuracy", "run"], ["0.5000", "20260101-120001"], ["0.1235", "20260101-120000"], ["20260101-120002"],
    ]  # fmt: skip
    assert runs(place, "--columns", "run,accuracy", "--json").json[0] == {"run": "20260101-120000", "accuracy": 0.123456789012}


@pytest.mark.parametrize("words", [["--columns", "run,acuracy"], ["--sort", "acuracy"], ["--sort=-acuracy", "--csv"]])
def test_an_unknown_column_lists_those_there_are(place, words):
    said = runs(place, *words)
    assert said.code == 2
    assert said.err.startswith("There is no column 'acuracy'; did you mean 'accuracy'?\nThere are: run, config, started, ")
    assert not said.out


def test_two_forms_at_once_are_refused(place):
    assert runs(place, "--csv", "--json").code == 2
