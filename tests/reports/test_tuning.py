"""The page of a search shows every trial, the best first, escaped, and a browser draws it without a complaint or a request."""

import html
import itertools
import json
import re
from pathlib import Path

import pytest

from reports import trials, tuning
from tests import browser
from tests.browser import DRAWN, WIDE
from tests.reports.searches import DIVERGED, search
from tuner.records import TrialRecord

TABLE = re.compile(r'<h2 id="trials">.*?</section>', re.DOTALL)


def table(page: str) -> list[list[str]]:
    """Cells of the table of all trials, row by row, its head first."""
    rows = re.findall(r"<tr.*?</tr>", TABLE.search(page)[0], re.DOTALL)
    return [[html.unescape(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def specs(page: str) -> dict[str, dict]:
    """Specification of each chart by its key."""
    held = re.findall(r'<script type="application/json" id="([\w-]+)-spec">(.*?)</script>', page, re.DOTALL)
    return {key: json.loads(text) for key, text in held}


def data(spec: dict) -> list[dict]:
    return [row for rows in spec["datasets"].values() for row in rows]


def test_the_table_has_every_trial_the_best_first():
    asked = search(40)
    head, *rows = table(tuning.html(asked))
    assert head == [
        "trial", "status", "value", "epochs", "seconds", "learning_rate", "hidden", "optimizer.name", "batch_size", "momentum",
        "reason",
    ]  # fmt: skip
    assert sorted(row[0] for row in rows) == [trial.id for trial in asked.trials]
    values = {
        status: [float(row[2].split()[0]) for row in rows if row[2] and row[1] == status] for status in ("completed", "pruned")
    }
    assert values["completed"] == sorted(values["completed"], reverse=True)
    ended = [row[1] for row in rows if row[2]]
    assert ended == ["completed"] * len(values["completed"]) + ["pruned"] * len(values["pruned"])
    assert max(values["pruned"]) > min(values["completed"]), "some are behind for what they are"
    assert all(not row[2] for row in rows[len(ended) :])
    best = asked.best
    assert rows[0][:4] == [best.id, best.status, trials.value_of(best), str(best.epochs)]
    assert {row[1] for row in rows} == {"completed", "pruned", "failed", "running"}
    assert DIVERGED in [row[-1] for row in rows]


def test_values_are_written_as_in_a_config():
    assert [*map(trials.shown, (0.00031234567, 1e-7, 2.0, 64, True, None, "adam", [300, 100], {"name": "sgd"}))] == [
        "0.0003123", "1e-07", "2", "64", "true", "null", "adam", "[300, 100]", '{"name": "sgd"}',
    ]  # fmt: skip


def test_names_are_as_short_as_they_can_be():
    paths = ["train.optimizer.name", "model.name", "train.epochs", "epochs"]
    assert trials.short_names(paths) == {
        "train.optimizer.name": "optimizer.name", "model.name": "model.name", "train.epochs": "train.epochs", "epochs": "epochs",
    }  # fmt: skip
    assert trials.short_names(["train.optimizer.name", "train.epochs"]) == {
        "train.optimizer.name": "optimizer.name",
        "train.epochs": "epochs",
    }


def test_what_a_config_says_cannot_leave_its_place():
    asked = search(3, status="completed")
    hostile = TrialRecord(
        id="0003", values={"model.options.<b>": "</script><script>alert(1)</script>"}, status="failed", reason="<i>no"
    )
    judged = asked.trials[0].model_copy(update={"values": {"model.options.<b>": "</script><script>alert(1)</script>"}})
    study = asked.study.model_copy(update={"config": '"><script>alert(2)</script>'})
    page = tuning.html(tuning.Search(study, [judged, *asked.trials[1:], hostile], [judged, *asked.trials[1:]]))
    assert "alert(1)</script>" not in page
    assert "<script>alert" not in page
    assert "<i>no" not in page
    assert table(page)[-1][-1] == "<i>no"


@pytest.mark.parametrize(("count", "says"), [(1, True), (2, False)])
def test_of_a_single_trial_the_page_says_what_will_come(count, says):
    assert ("come with the second" in tuning.html(search(count, status="completed"))) == says


def test_curves_are_those_of_all_trials_with_the_best_one_marked():
    asked = search(12)
    drawn = data(specs(tuning.html(asked))["curves-val_accuracy"])
    lengths = {trial.id: sum(row["trial"] == trial.id for row in drawn) for trial in asked.trials}
    assert lengths == {trial.id: len(trial.curve) for trial in asked.trials}
    assert {row["trial"] for row in drawn if row["best"]} == {asked.best.id}


@pytest.mark.parametrize(
    ("epochs", "ticks"), [(1, [1]), (2, [1, 2]), (10, [*range(1, 11)]), (25, [1, 4, 7, 10, 13, 16, 19, 22, 25])]
)
def test_epochs_are_whole_numbers(epochs, ticks):
    asked = search(1, status="completed")
    trial = asked.trials[0].model_copy(update={"curve": [{"val_accuracy": 0.5}] * epochs})
    layers = specs(tuning.html(tuning.Search(asked.study, [trial], [trial])))["curves-val_accuracy"]["layer"]
    assert layers[0]["encoding"]["x"]["axis"]["values"] == ticks


@pytest.mark.parametrize(("direction", "better"), [("max", max), ("min", min)])
def test_over_time_the_line_is_the_best_so_far(direction, better):
    asked = search(20, direction=direction)
    drawn = data(specs(tuning.html(asked))["time"])
    assert len(drawn) == len(asked.ranking)
    assert [row["time"] for row in drawn] == sorted(row["time"] for row in drawn)
    for at, row in enumerate(drawn, 1):
        completed = [other["value"] for other in drawn[:at] if other["status"] == "completed"]
        assert row["best"] == better(completed or [other["value"] for other in drawn[:at]])
    assert row["best"] == asked.best.value


def test_in_parallel_coordinates_values_stand_in_order_and_what_was_not_drawn_breaks_the_line():
    asked = search(30, status="completed")
    drawn = [row for row in data(specs(tuning.html(asked))["parallel"]) if "trial" in row]
    values = {trial.id: trial.values for trial in asked.trials}
    rates = [row for row in drawn if row["parameter"] == "train.optimizer.learning_rate"]
    in_order = sorted(rates, key=lambda row: row["place"])
    assert [values[row["trial"]][row["parameter"]] for row in in_order] == sorted(
        v["train.optimizer.learning_rate"] for v in values.values()
    )
    assert (in_order[0]["place"], in_order[-1]["place"]) == (0, 1)
    momenta = {row["trial"]: row["place"] for row in drawn if row["parameter"] == "train.optimizer.momentum"}
    assert {trial for trial, place in momenta.items() if place is None} == {
        trial for trial, chosen in values.items() if chosen["train.optimizer.name"] != "sgd"
    }


def test_several_objectives_have_a_chart_each_and_a_sum_in_words():
    asked = search(4, status="completed")
    parts = [{"name": "val_loss", "direction": "min", "weight": 2.0}, {"name": "val_accuracy", "direction": "max", "weight": 1.0}]
    study = asked.study.model_copy(update={"objective": parts})
    assert tuning.objective_words(study) == "2 x val_loss (min) + val_accuracy (max)"
    page = tuning.html(tuning.Search(study, asked.trials, asked.ranking))
    assert {"curves-val_loss", "curves-val_accuracy"} <= specs(page).keys()
    words = "A value is their sum, in which what is to be as large as possible counts as negative: the least is the best."
    assert (words in page, words in tuning.html(asked)) == (True, False)


def test_of_a_single_parameter_no_importance_is_drawn():
    asked = search(4, status="completed")
    alone = tuning.Search(asked.study, asked.trials, asked.ranking, {"train.batch_size": 1.0})
    assert "importance" in specs(tuning.html(asked))
    assert "importance" not in specs(tuning.html(alone))


@pytest.mark.parametrize(
    ("asked", "charts"),
    [
        (search(0), set()),
        (search(1, status="running"), {"curves-val_accuracy"}),
        (search(1, status="completed"), {"curves-val_accuracy"}),
        (search(2, status="completed"), {"curves-val_accuracy", "parallel", "time"}),
        (search(3, status="failed"), {"curves-val_accuracy"}),
        (search(30, parameters=20), {"curves-val_accuracy", "parallel", "importance", "time"}),
    ],
    ids=["none", "running", "one", "two", "failed", "many"],
)
def test_there_is_a_page_of_little(asked, charts):
    page = tuning.html(asked)
    assert specs(page).keys() == charts
    assert ("No trial has" in page) == (not asked.ranking)
    for chart in charts:  # what a person who sees no picture reads
        assert f'id="{chart}-title"' in page
    assert page.count("<details>") == len(charts)


@pytest.fixture(scope="module")
def chrome(chromium, tmp_path_factory):
    """A browser for all tests here: its start is what costs."""
    with browser.started(chromium, tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    """A folder of pages: of many parameters, and of no trial."""
    folder = tmp_path_factory.mktemp("pages")
    for name, asked in {"many": search(9, parameters=8, seed=3), "none": search(0)}.items():
        tuning.write(folder / f"{name}.html", asked)
    return folder


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize(("name", "charts"), [("many", 4), ("none", 0)])
def test_a_browser_shows_it_on_any_screen_without_a_complaint_or_a_request(chrome, pages, name, charts, width, scheme):
    chrome.open(pages / f"{name}.html", width, scheme, ready=DRAWN if charts else "true")
    assert chrome.run("document.querySelectorAll('.drawn svg').length") == charts
    assert chrome.run(WIDE) <= 0
    assert (chrome.complaints, chrome.requests) == ([], [])
    assert chrome.violations() == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_in_parallel_coordinates_no_text_lies_on_another(chrome, pages, width):
    chrome.open(pages / "many.html", width, ready=DRAWN)
    boxes = chrome.run(
        "[...document.querySelectorAll('#parallel svg text')].map(text => [text.textContent, text.getBoundingClientRect()])"
        ".map(([text, box]) => [text, box.left, box.top, box.right, box.bottom])"
    )
    texts = {(text, *map(round, box)): box for text, *box in boxes if text}  # each once, without what is drawn beneath it
    assert len(texts) > 20
    for (first, at), (second, other) in itertools.combinations(texts.items(), 2):
        across = min(at[2], other[2]) - max(at[0], other[0])
        down = min(at[3], other[3]) - max(at[1], other[1])
        assert across < 2 or down < 4, (first[0], second[0])


@pytest.mark.browser
def test_the_browser_tells_of_what_is_wrong(chrome, tmp_path):
    page = tmp_path / "wrong.html"
    page.write_text(
        "<title>w</title><img src='http://127.0.0.1:9/a.png'><p style='width: 900px; color: #eee; background: #fff'>pale</p>"
        "<script>console.error('oh'); nothing()</script>"
    )
    chrome.open(page, 390)
    assert chrome.run(WIDE) > 0
    assert chrome.requests == ["http://127.0.0.1:9/a.png"]
    assert {"oh"} < set(chrome.complaints)
    assert any("nothing is not defined" in text for text in chrome.complaints)
    assert {"image-alt", "color-contrast"} <= {name for name, _ in chrome.violations()}
