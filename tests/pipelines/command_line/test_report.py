"""`hubel report` names a run's page, writes it where there is none, and puts runs side by side that can be compared."""

import json

import pytest

from pipelines.command_line import commands, options
from pipelines.orchestration import comparing
from pipelines.process import requests
from pipelines.workspace import pages
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord

FIRST, SECOND, THIRD = "20260101-120000", "20260101-130000", "20260101-140000"


@pytest.fixture
def place(tmp_path) -> Workspace:
    """Two runs of `digits`, the second one not blessed, and one of `other` that failed; the first has a page."""
    place = Workspace.at(tmp_path)
    good = {"metrics": {"accuracy": 0.95, "example_count": 10}, "intervals": {"accuracy": [0.9, 1.0]}}
    for name, run, status, more in (
        ("digits", FIRST, "done", {"blessed": True, **good}),
        ("digits", SECOND, "not blessed", {"blessed": False, "metrics": {"accuracy": 0.5, "example_count": 10}}),
        ("other", THIRD, "failed", {"reason": "The disk is full."}),
    ):
        RunRecord(run, name, f"2026-01-01T{run[-6:-4]}:00:00", status, 61.0, **more).save(place.run(name, run))
        (place.run(name, run) / "config.yaml").write_text(f"extends: digits_lenet5\nname: {name}\n")
    pages.write_text(place, "digits", FIRST, "page")
    return place


@pytest.fixture
def asked(place, monkeypatch) -> list[requests.Request]:
    """What a worker is asked; it answers with where the page would be."""
    heard = []

    def quietly(request, listen=None):
        heard.append(request)
        return {"report": "/there.html"}

    monkeypatch.setattr(options, "quietly", quietly)
    return heard


def hubel(capsys, place, *words) -> tuple[int, str, str]:
    code = commands.run(["report", *words, "--workspace", str(place.root)])
    told = capsys.readouterr()
    return code, told.out.strip(), told.err.strip()


@pytest.mark.parametrize("words", [[FIRST], [f"digits@{FIRST}"]])
def test_a_page_that_is_there_is_named_and_not_written_again(capsys, place, asked, words):
    assert hubel(capsys, place, *words) == (0, str(place.report("digits", FIRST)), "")
    assert asked == []
    _, out, _ = hubel(capsys, place, *words, "--json")
    page = {"report": str(place.report("digits", FIRST)), "run": FIRST, "config": "digits", "status": "done", "written": False}
    assert json.loads(out) == page


@pytest.mark.parametrize(
    ("words", "name", "run", "full", "folds"),
    [
        ([], "other", THIRD, False, None),
        (["digits"], "digits", SECOND, False, None),
        ([SECOND], "digits", SECOND, False, None),
        (["digits", "--full"], "digits", SECOND, True, None),
        ([FIRST, "--folds", "5"], "digits", FIRST, True, 5),
    ],
)
def test_one_that_is_not_there_is_written(capsys, place, asked, words, name, run, full, folds):
    assert hubel(capsys, place, *words)[:2] == (0, "/there.html")
    assert asked == [requests.WriteReport(str(place.root), name, run, full, folds)]


def test_open_shows_it_in_a_browser(capsys, place, asked, monkeypatch):
    opened = []
    monkeypatch.setattr("click.launch", opened.append)
    hubel(capsys, place, FIRST, "--open")
    assert opened == [str(place.report("digits", FIRST))]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["20990101-000000"], "There is no run '20990101-000000' on record"),
        (["nobody"], "(runs of: digits, other)"),
        ([FIRST, SECOND], "To put them side by side, add --compare."),
        ([FIRST, "--compare"], "--compare puts runs side by side, and one is named."),
        ([FIRST, SECOND, "--compare", "--full"], "--full and --folds look at one run"),
    ],
)
def test_what_cannot_be_is_a_sentence(capsys, place, asked, words, said):
    code, out, err = hubel(capsys, place, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert asked == []


def test_of_an_empty_workspace_it_says_what_to_do(capsys, tmp_path):
    code, _, err = hubel(capsys, Workspace.at(tmp_path / "nothing"))
    assert code == 2
    assert "There is no run on record" in err


def test_runs_side_by_side(place, tmp_path):
    out = tmp_path / "both.html"
    told = comparing.compare(str(place.root), [["digits", FIRST], ["digits", SECOND]], str(out))
    assert told == {
        "report": str(out),
        "figures": {"accuracy": [0.95, 0.5], "example_count": [10, 10]},
        "config_differences": {},
    }
    assert f"digits@{SECOND}" in out.read_text()


def test_runs_that_cannot_be_compared_say_why_and_nothing_is_written(capsys, place, tmp_path, monkeypatch):
    from pipelines.process import supervise

    monkeypatch.setattr(supervise, "ask", lambda request, *_, **__: comparing.compare(**request.arguments()))
    code, _, err = hubel(capsys, place, FIRST, THIRD, "--compare")
    assert code == 2
    assert f"These runs cannot be compared. other@{THIRD} has no figures: it is failed (The disk is full.)." in err
    (place.run("digits", SECOND) / "config.yaml").write_text("extends: digits_lenet5\nname: digits\ndata: {test: 0.4}\n")
    code, _, err = hubel(capsys, place, FIRST, SECOND, "--compare")
    assert code == 2
    assert "were judged on other test examples: their data, or how it is split, differs." in err
    assert not (place.root / "reports" / "comparisons").exists()
