"""`hubel list runs` on terminals that are narrow, and in a pipe."""

import re

import pytest

from pipelines.command_line import runs_view
from pipelines.workspace.runs import RunRecord

REASON = "accuracy 0.7586 is below the minimum 0.95; macro_f1 0.7103 is below the minimum 0.9 on the slice label=3; " * 3
METRICS = {f"a_figure_of_the_test_split_{number}": 0.5 for number in range(12)}
RECORDS = [
    RunRecord("20261130-002329", "digits_lenet5", "2026-11-30T00:23:29", "done", 38.0, True, "", {"accuracy": 0.98}, version=12),
    RunRecord(
        "20261130-002407-2",
        "q" * 62,
        "2026-11-30T00:24:07",
        "not blessed",
        11.4,
        False,
        REASON,
        {**METRICS, "example_count": 58},
    ),
    RunRecord("20261130-002500", "digits_lenet5", "2026-11-30T00:25:00", "failed", 1.0, None, "no [bold]such[/] folder /a-b/c"),
    RunRecord("20261130-002501", "digits_lenet5", "2026-11-30T00:25:01"),
]


def shown(capsys, monkeypatch, columns: int | None) -> list[str]:
    if columns:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(columns))
    runs_view.terminal(RECORDS)
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


@pytest.mark.parametrize("columns", [80, 100, None])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_left_out(columns, capsys, monkeypatch):
    lines = shown(capsys, monkeypatch, columns)
    assert max(map(len, lines)) <= (columns or runs_view.WIDTH)
    flat = " ".join(" ".join(lines).split())
    assert REASON.strip() in flat
    assert ", ".join(f"{name} 0.5000" for name in METRICS) in flat
    assert "no [bold]such[/] folder /a-b/c" in flat
    assert "example_count" not in flat
    assert "…" not in flat
    assert flat.count("q") == 62


def test_the_reason_stands_below_its_run(capsys, monkeypatch):
    lines = [line.rstrip() for line in shown(capsys, monkeypatch, 200)]
    assert lines[0].split() == ["run", "config", "seconds", "outcome", "version"]
    assert lines[1].split() == ["20261130-002329", "digits_lenet5", "38", "done", "12"]
    assert lines[2] == "    accuracy 0.9800"
    failed = next(number for number, line in enumerate(lines) if line.startswith("20261130-002500"))
    assert lines[failed].split()[2:] == ["1", "failed"]
    assert lines[failed + 1] == "    no [bold]such[/] folder /a-b/c"
    assert lines[-1].split() == ["20261130-002501", "digits_lenet5", "running"]


def test_an_interval_stands_behind_its_figure(capsys):
    metrics, intervals = {"accuracy": 0.97, "macro_f1": 0.9688, "example_count": 100}, {"accuracy": [0.9155, 0.9897]}
    runs_view.terminal([RunRecord("1", "a", "", metrics=metrics, intervals=intervals)])
    assert capsys.readouterr().out.splitlines()[-1] == "    accuracy 0.9700 (0.9155 to 0.9897), macro_f1 0.9688"


def test_an_empty_workspace_has_a_header_alone(capsys):
    runs_view.terminal([])
    assert capsys.readouterr().out.split() == ["run", "config", "seconds", "outcome", "version"]
