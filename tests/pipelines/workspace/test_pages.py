"""Pages lie where people look for them; latest.html is the newest one; a page of two runs says so; gc takes them along."""

from pathlib import Path

import pytest

from pipelines.workspace import pages, runs
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from reports.run import page
from reports.run.blocks import Verdict

FIRST, SECOND, THIRD = "20260101-120000", "20260101-120000-2", "20260102-120000"


@pytest.fixture
def place(tmp_path) -> Workspace:
    return Workspace.at(tmp_path)


@pytest.fixture
def made(tmp_path) -> Path:
    path = tmp_path / "index.html"
    path.write_text(page.html("digits", Verdict("good", "Blessed."), [], about=f"Run {FIRST}"))
    return path


def test_a_page_is_kept_under_its_runs_name_and_as_the_latest(place, made):
    kept = pages.keep(place, "digits", FIRST, made, FIRST)
    assert kept == place.root / "reports" / "digits" / f"{FIRST}.html"
    assert kept.read_text() == made.read_text()
    assert (kept.parent / "latest.html").read_text() == made.read_text()
    assert "found everything" not in kept.read_text()


def test_a_page_of_two_runs_says_so_once(place, made):
    first = pages.keep(place, "digits", FIRST, made, FIRST)
    second = pages.keep(place, "digits", SECOND, first, FIRST)
    third = pages.keep(place, "digits", THIRD, second, FIRST)
    said = f"Run {THIRD} found everything as run {FIRST} had left it"
    assert said in third.read_text()
    assert SECOND not in third.read_text()
    assert said in (place.reports("digits") / "latest.html").read_text()


def test_the_latest_is_the_newest_runs_whichever_was_written_last(place):
    pages.write_text(place, "digits", THIRD, "third")
    pages.write_text(place, "digits", FIRST, "first")
    pages.write_text(place, "digits", THIRD, "full", full=True)
    folder = place.reports("digits")
    assert (folder / "latest.html").read_text() == "third"
    assert (folder / f"{THIRD}.full.html").read_text() == "full"


def test_of_two_runs_of_one_second_the_later_is_the_latest(place):
    for run in (SECOND, FIRST, f"{FIRST}-10"):
        pages.write_text(place, "digits", run, run)
        assert (place.reports("digits") / "latest.html").read_text() == (run if run != FIRST else SECOND)


def test_a_failure_to_write_leaves_what_was_there(place, monkeypatch):
    pages.write_text(place, "digits", FIRST, "first")
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        pages.write_text(place, "digits", FIRST, "second")
    monkeypatch.undo()
    assert sorted(path.name for path in place.reports("digits").iterdir()) == [f"{FIRST}.html", "latest.html"]
    assert place.report("digits", FIRST).read_text() == "first"


def test_pages_of_runs_that_are_gone_are_known_and_no_others(place):
    for run in (FIRST, SECOND, THIRD):
        pages.write_text(place, "digits", run, run)
    pages.write_text(place, "digits", FIRST, "full", full=True)
    (place.reports("digits") / "notes.html").write_text("mine")
    folder = place.reports("digits")
    gone = pages.of_gone(place, "digits", {THIRD})
    assert {path.name for path in gone} == {f"{FIRST}.html", f"{FIRST}.full.html", f"{SECOND}.html"}
    for path in gone:
        path.unlink()
    assert pages.of_gone(place, "digits", {THIRD}) == []
    (folder / "notes.html").unlink()
    assert {path.name for path in pages.of_gone(place, "digits", set())} == {f"{THIRD}.html", "latest.html"}


def test_a_push_by_force_that_came_later_is_said_on_the_pages_of_the_run_and_on_those_that_repeat_it(place, made):
    RunRecord(FIRST, "digits", "2026-01-01T12:00:00", "not blessed").save(place.run("digits", FIRST))
    kept = pages.keep(place, "digits", FIRST, made, FIRST)
    pages.forced(place, "digits", FIRST, 2, "the <camera> is broken")
    pages.forced(place, "digits", FIRST, 2, "the <camera> is broken")
    said = "Pushed since by a person, as version 2: the &lt;camera&gt; is broken"
    assert kept.read_text().count(said) == (place.reports("digits") / "latest.html").read_text().count(said) == 1
    [record] = runs.records(place, "digits")
    runs.forced(place, record, 2, "/there", "the <camera> is broken")
    again = pages.keep(place, "digits", SECOND, made, FIRST).read_text()
    assert again.count(said) == again.count("found everything") == 1
    pages.forced(place, "digits", THIRD, 1, "of no page")


def test_a_push_by_force_is_said_where_a_full_page_alone_is_left(place, made):
    pages.write_text(place, "digits", FIRST, made.read_text(), full=True)
    pages.forced(place, "digits", FIRST, 2, "the camera is broken")
    assert "Pushed since by a person, as version 2" in place.report("digits", FIRST, full=True).read_text()
    assert not (place.reports("digits") / "latest.html").exists()


def test_the_picture_of_a_page_comes_and_goes_with_it(place, made):
    made.with_suffix(".webp").write_bytes(b"picture")
    kept = pages.keep(place, "digits", FIRST, made, FIRST)
    assert place.thumbnail("digits", FIRST).read_bytes() == b"picture"
    pages.keep(place, "digits", THIRD, kept, FIRST)
    assert place.thumbnail("digits", THIRD).read_bytes() == b"picture"
    pages.write_text(place, "digits", SECOND, "text", thumbnail=b"other")
    assert place.thumbnail("digits", SECOND).read_bytes() == b"other"
    gone = pages.of_gone(place, "digits", {FIRST})
    assert {path.name for path in gone} == {f"{run}.{ending}" for run in (SECOND, THIRD) for ending in ("html", "webp")}
