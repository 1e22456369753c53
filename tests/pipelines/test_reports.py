"""The page of a whole run: its figures are those of the artifacts, it is complete, and a browser has no complaint."""

import html
import json
import re
from pathlib import Path

import pytest

from components import keys
from components.reporter import recorded
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import records
from reports.run.figures import figure, interval
from tests import browser
from tests.browser import DRAWN, WIDE

NAME = "digits_lenet5_tiny"


@pytest.fixture(scope="module")
def run(finished):
    """(artifacts of the run on record, its page)."""
    [record] = records(Workspace.at(finished), NAME)
    return recorded.of_run(finished / "metadata.db", NAME, record.run), Workspace.at(finished).report(NAME, record.run)


@pytest.fixture(scope="module")
def text(run) -> str:
    return run[1].read_text()


def cells(page: str, caption: str) -> list[list[str]]:
    """Rows of the table of that caption, its head first."""
    region = re.search(rf'aria-label="{re.escape(html.escape(caption))}">\s*<table>(.*?)</table>', page, re.DOTALL)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", region, re.DOTALL)
    return [
        [html.unescape(re.sub("<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        for row in rows
    ]


def tiles(page: str) -> dict[str, list[str]]:
    held = re.search(r'<dl class="tiles">(.*?)</dl>', page, re.DOTALL)[1]
    return {
        html.unescape(name): [html.unescape(value) for value in re.findall(r"<dd[^>]*>(.*?)</dd>", rest)]
        for name, rest in re.findall(r"<dt>(.*?)</dt>(.*?)</div>", held, re.DOTALL)
    }


def test_its_figures_are_those_that_evaluator_wrote(run, text):
    import tensorflow_model_analysis as tfma

    artifacts, _ = run
    metrics, intervals = (artifacts["evaluation"].json(name, {}) for name in (keys.METRICS, keys.INTERVALS))
    shown = tiles(text)
    for name in ("accuracy", "cross_entropy", "macro_f1"):
        assert shown[name.replace("_", " ")] == [figure(metrics[name]), f"95 %: {interval(intervals[name])}"]
    assert shown["test images"] == [str(int(metrics["example_count"]))]
    of_tfma = tfma.load_eval_result(str(artifacts["evaluation"].uri)).get_metrics_for_slice(())
    [accuracy] = [value["doubleValue"] for name, value in of_tfma.items() if name.endswith("accuracy")]
    assert shown["accuracy"][0] == f"{accuracy:.4f}"
    assert f"accuracy {figure(metrics['accuracy'])} (95 %: {interval(intervals['accuracy'])}) is at least" in text


def test_its_counts_are_those_of_the_data(run, text):
    artifacts, _ = run
    by_split = artifacts["examples"].json(keys.CLASSES, {})
    head, *rows = cells(text, "Images by class and split")
    assert head == ["class", "train", "validation", "test", "all"]
    for name, *counts, total in rows:
        assert [int(count) for count in counts] == [by_split[split].get(name, 0) for split in head[1:-1]]
        assert int(total) == sum(map(int, counts))
    assert {row[0] for row in rows} == set(by_split["train"])
    assert "Leakage: no image stands in more than one split." in text
    skew = artifacts["anomalies"].json(keys.SKEW, {})
    assert {
        row[0]: row[1] for row in cells(text, "Distances of distributions: Jensen-Shannon divergence, 0 alike to 1 apart")[1:]
    } == {name: figure(float(value)) for name, value in skew.items()}


def test_its_curves_layers_and_lineage_are_those_of_the_run(run, text):
    artifacts, page = run
    history = json.loads((artifacts["model_run"].uri / "history.json").read_text())
    specs = dict(re.findall(r'<script type="application/json" id="([\w-]+)-spec">(.*?)</script>', text, re.DOTALL))
    drawn = [row for rows in json.loads(specs["curve-loss"])["datasets"].values() for row in rows if "curve" in row]
    assert [row["value"] for row in drawn if row["curve"] == "validation"] == [epoch["val_loss"] for epoch in history]
    layers = cells(text, "Layers in the order of computation")[1:]
    card = json.loads((artifacts["model"].uri / keys.CARD_FILE).read_text())
    assert sum(int(row[3].replace(",", "")) for row in layers) == card["params"]
    told = {row[0]: row[1] for row in cells(text, "Versions, seeds and digests")[1:]}
    assert (told["run"], told["config"], told["seed"]) == (page.stem, NAME, "0")
    assert re.fullmatch("[0-9a-f]{64}", told["code digest"])
    assert told["data digest"]
    ids = {row[0]: row[1] for row in cells(text, "Artifacts in ML Metadata")[1:]}
    assert ids["model"] == str(artifacts["model"].id)
    assert f"runs/{page.stem}/config.yaml" in text
    stages = [row[0] for row in cells(text, "Stages, when their artifacts were made")[1:]]
    assert stages.index("ExampleGen") < stages.index("Trainer") < stages.index("Evaluator") < stages.index("Pusher")


def test_it_is_whole_and_small(run, text):
    assert len(text.encode()) < 5_000_000
    assert "Not here:" not in text
    assert (run[1].parent / "latest.html").read_text() == text


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_browser_shows_it_without_a_complaint_or_a_request(run, chromium, tmp_path, width, scheme):
    with browser.started(chromium, tmp_path) as chrome:
        chrome.open(run[1], width, scheme, ready=DRAWN)
        assert (
            chrome.run("document.querySelectorAll('.drawn svg').length")
            == chrome.run("document.querySelectorAll('.drawn').length")
            > 3
        )
        assert chrome.run(WIDE) <= 0
        chrome.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert chrome.run(WIDE) <= 0
        assert (chrome.complaints, chrome.requests) == ([], [])
        assert chrome.violations() == []


def test_its_matrix_is_of_the_images_that_evaluator_judged(run, text):
    from components.evaluator import per_image, slices

    [table] = [read for read in per_image.read(str(run[0]["evaluation"].uri))[0].items() if read[0] == slices.WHOLE]
    rows = table[1]
    names = run[0]["examples"].json(keys.CLASS_NAMES, [])
    head, *told = cells(text, "How many images of each label were taken for each class")
    assert head == ["label", *names]
    for label, row in enumerate(told):
        predicted = rows["predicted"][rows[keys.LABEL] == label].astype(int)
        assert [int(count or 0) for count in row[1:]] == [int((predicted == taken).sum()) for taken in range(len(names))]
    for to in re.findall(r'href="#(cell-\d+-\d+)"', text):
        assert f'<details id="{to}">' in text


@pytest.mark.whole
def test_by_folds_every_image_is_judged_by_a_model_that_has_not_seen_it(finished, run):
    from pipelines.orchestration import reporting

    [record] = records(Workspace.at(finished), NAME)
    page = Path(reporting.write(str(finished), NAME, record.run, True, 2)["report"]).read_text()
    counts = run[0]["examples"].json(keys.COUNTS, {})
    assert f"All {sum(counts.values()):,} images of the run, each by one of 2 models" in page
    _, *listed = cells(page, "By their ids")
    assert {row[1] for row in listed} == {keys.TRAIN, keys.VALIDATION, keys.TEST}
    assert "--folds 5" not in page
