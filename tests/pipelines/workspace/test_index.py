"""The index of a workspace: what stands on it, its links, its order and its filters in a browser, and that it holds up no run."""

import contextlib
import io
import json
import re

import pytest
from PIL import Image

from configs import load
from configs.errors import HubelError
from pipelines.workspace import index, pages
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from serving import promotions
from tests import browser
from tests.pipelines.conftest import in_process
from tests.serving.test_promotions import appear

GOOD, BAD, FAILED = "20260101-120000", "20260101-130000", "20260101-140000"
MARKUP = "<script>alert(1)</script>"
SHOWN = "[...document.querySelectorAll('#runs tbody tr')].filter(row => !row.hidden).map(row => row.cells[0].textContent)"


@pytest.fixture
def place(tmp_path):
    """A stable version and a canary of `digits`, a run that was refused, one that failed; a search and an experiment."""
    made = Workspace.at(tmp_path)
    for number in (1, 2):
        appear(made.models, number)
    for run, name, status, figure, version in (
        (GOOD, "digits", "done", 0.91, 1),
        (BAD, "digits", "not blessed", 0.5, None),
        (FAILED, "other", "failed", None, None),
    ):
        metrics = {"accuracy": figure, "example_count": 10} if figure else {}
        record = RunRecord(
            run, name, f"2026-01-01T{run[9:11]}:00:00", status, 61.0, None, MARKUP if figure is None else "", metrics
        )
        RunRecord(**{**vars(record), "version": version}).save(made.run(name, run))
    pages.write_text(made, "digits", GOOD, "page")
    study = made.tuning("digits") / "0123456789abcdef"
    (study / "trials").mkdir(parents=True)
    for file in ("study.json", "trials/0.json", "trials/1.json", "index.html"):
        (study / file).write_text("{}")
    made.experiment("width").mkdir(parents=True)
    (made.experiment("width") / "plot.svg").write_text("")
    return made


def test_it_has_all_that_is_there_and_each_link_leads_somewhere(place):
    page = index.write(place).read_text()
    assert page.count("<tr>") == 4 + 1 + 3 + 1 + 1, "heads, the champion, runs, an experiment and a search"
    links = re.findall(r'href="([^"]+)"', page)
    assert f"digits/{GOOD}.html" in links
    assert len(links) == 4, "the run that made the champion twice, the search, the plot"
    assert all((place.index.parent / link).is_file() for link in links)
    assert MARKUP not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src 'none'" in page


def test_a_workspace_without_anything_has_a_page_too(tmp_path):
    assert index.write(Workspace.at(tmp_path)).read_text().count("There is none yet.") == 5


def test_what_was_judged_again_leads_to_its_page_the_newest_first(place):
    names = ["20260102-120000", "20260102-120000-2", "20260102-120000-10"]
    for name in names:
        page = place.evaluation("digits", name)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("page")
    (page.parent / "latest.html").write_text("a person's own")
    text = index.write(place).read_text()
    assert re.findall(r'href="(digits/evaluations/[^"]+)"', text) == [f"digits/evaluations/{name}.html" for name in names[::-1]]
    assert "Evaluations (3)" in text


def test_what_is_left_out_is_counted(place, monkeypatch):
    monkeypatch.setattr(index, "RUNS", 1)
    monkeypatch.setattr(index, "REASON", 5)
    page = index.write(place).read_text()
    assert "2 older ones are not shown." in page
    assert f"{MARKUP[:5].replace('<', '&lt;')} … ({len(MARKUP) - 5} more characters in its record)" in page


def test_runs_have_a_small_picture_as_long_as_there_is_room(place, monkeypatch):
    for run, name, size in ((GOOD, "digits", 300), (BAD, "digits", 200), (FAILED, "other", 100)):
        pages.write_text(place, name, run, "page", thumbnail=bytes(size))
    assert index.write(place).read_text().count('<img src="data:image/webp;base64,AAAA') == 3
    monkeypatch.setattr(index, "PICTURES", 350)
    page = index.write(place).read_text()
    assert page.count("<img ") == 2, "of the newest"
    assert "1 small pictures, of the oldest, have no room here." in page


def test_it_is_written_by_name(place):
    said = in_process("report", "--index", "--json", "--workspace", place.root)
    assert said.json == {"report": str(place.index), "runs": 3}
    assert place.index.is_file()
    assert in_process("report", GOOD, "--index", "--workspace", place.root).code == 2


def test_where_it_cannot_be_written_that_is_said_and_no_more(place, capsys):
    (place.models / "promotions.json").write_text("no JSON")
    index.kept(place)
    assert capsys.readouterr().err.startswith("The index of the workspace was not written: HubelError: ")


def test_who_is_stable_and_what_is_removed_is_shown_at_once(place):
    index.write(place)
    cells = re.compile(r'<th scope=row class="words" data-value="digits">digits</th>\s*<td class="number" data-value="(\d)">')
    assert cells.search(place.index.read_text())[1] == "1"
    promotions.promote(place.models / "digits", 2)  # of which the page knows nothing yet
    assert in_process("gc", "--keep", "1", "--workspace", place.root).code == 0
    page = place.index.read_text()
    assert cells.search(page)[1] == "2"
    assert f"digits/{GOOD}.html" not in page


@pytest.mark.parametrize("is_failing", [True, False])
def test_each_run_writes_it_however_it_ends(tmp_path, monkeypatch, is_failing):
    from pipelines.command_line import hints, run_commands

    def work(request, known, lock, quiet):
        if is_failing:
            raise HubelError("The disk is gone.")
        return {"blessed": True, "reason": "", "metrics": {"accuracy": 0.875}, "version": None, "model_uri": None}

    monkeypatch.setattr(run_commands, "_worked_out", work)  # what a worker does takes TensorFlow
    monkeypatch.setattr(hints, "of", lambda *_: [])
    made = Workspace.at(tmp_path)
    with pytest.raises(HubelError, match="The disk is gone") if is_failing else contextlib.nullcontext():
        run_commands._run("digits_mlp.tiny", load.load("digits_mlp.tiny"), made, 0, True)
    page = made.index.read_text()
    assert ("The disk is gone." in page, "0.8750" in page) == (is_failing, not is_failing)


def test_figures_that_models_are_judged_by_come_first():
    metrics = [{"mse": 1.0, "psnr": 1.0, "pca_mse": 1.0}] * 3 + [{"accuracy": 1.0, "loss": 1.0, "example_count": 3}]
    records = [RunRecord(str(number), "a", "", metrics=each) for number, each in enumerate(metrics)]
    assert index._figures(records) == ["mse", "accuracy", "psnr", "loss"]


@pytest.mark.browser
def test_a_browser_sorts_and_filters_it_by_keyboard_on_any_screen(place, chromium, tmp_path):
    into = io.BytesIO()
    Image.new("RGB", (96, 32)).save(into, "WEBP")
    pages.write_text(place, "digits", GOOD, "page", thumbnail=into.getvalue())
    page = index.write(place)
    with browser.started(chromium, tmp_path / "profile") as chrome:
        for width, scheme in ((1440, "light"), (390, "dark")):
            chrome.open(page, width, scheme)
            assert chrome.run(browser.WIDE) <= 0
            assert (chrome.complaints, chrome.requests) == ([], [])
            assert chrome.violations() == []
            assert chrome.run("[...document.images].map(each => each.naturalWidth)") == [96]
        assert chrome.run(SHOWN) == [FAILED, BAD, GOOD]
        for order in ([GOOD, BAD, FAILED], [BAD, GOOD, FAILED]):  # the highest first, then the lowest; who has none is last
            chrome.run("[...document.querySelectorAll('#runs th button')].find(each => each.textContent == 'accuracy').focus()")
            chrome.press("Enter")
            assert chrome.run(SHOWN) == order
        assert chrome.run("document.querySelectorAll('#runs th[aria-sort=ascending]').length") == 1
        for words, shown in (("BLESSED digits", [BAD]), ("nothing like it", []), ("", [BAD, GOOD, FAILED])):
            told = f"box = document.getElementById('words'); box.value = {json.dumps(words)};"
            chrome.run(f"{told} box.dispatchEvent(new Event('input', {{bubbles: true}}))")
            assert chrome.run(SHOWN) == shown
            assert chrome.run("document.getElementById('told').textContent") == f"{len(shown)} of 3 shown"
        choice = "globalThis.box = document.querySelector('select[data-place=\"4\"]'); box.value = 'failed';"
        chrome.run(f"{choice} box.dispatchEvent(new Event('input', {{bubbles: true}}))")
        assert chrome.run(SHOWN) == [FAILED]
