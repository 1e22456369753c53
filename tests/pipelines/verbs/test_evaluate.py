"""Models that are there, judged on any data: the figures of a run, from the same functions."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from components import keys, progress
from components.evaluator.statistic import ID
from components.reporter import writing
from components.reporter.material import Material
from components.tasks.anomaly import DECISION, SCORE
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from configs.errors import HubelError, UsageError
from pipelines.command_line import judging_commands
from pipelines.verbs import evaluate, judged_page, robustness
from pipelines.verbs.judging import Read
from pipelines.workspace.layout import Workspace
from reports.run.blocks import Missing
from reports.run.figures import figure, interval
from tests import browser
from tests.browser import DRAWN, WIDE
from tests.components import digits
from tests.components.conftest import artifacts, autoencoder, classifier  # noqa: F401
from tests.pipelines.conftest import hubel, in_process
from tests.pipelines.test_reports import cells, tiles

TINY = "digits_lenet5_tiny"


@pytest.fixture(scope="module")
def moved(finished, tmp_path_factory):
    """(workspace, the run's value): a copy whose records name itself."""
    place = tmp_path_factory.mktemp("moved") / "workspace"
    shutil.copytree(finished, place, symlinks=True)
    for name in ("run.json", "unchanged.json"):
        for record in place.glob(f"pipelines/*/runs/*/{name}"):
            record.write_text(record.read_text().replace(str(finished.parent / "workspace"), str(place)))
    return place, json.loads(json.loads((finished.parent / "outcome.json").read_text())["out"])


@pytest.fixture(scope="module")
def again(moved):
    """The value on the images that the run tested on."""
    place, _ = moved
    [examples] = place.glob(f"pipelines/{TINY}/ExampleGen/examples/*/Split-test")
    corrupted = ("--corruptions=jpeg,impulse_noise", "--corruptions-images", 40, "--baseline", f"{TINY}/1")
    said = in_process("evaluate", TINY, "--data", f"tfrecord:{examples}/*", *corrupted, "--json", "--workspace", place)
    assert said.code == 0, said.err + said.out
    return said.json


def test_on_the_run_s_own_test_split_the_figures_are_the_run_s(moved, again):
    _, run = moved
    assert again["metrics"] == pytest.approx(run["metrics"], rel=1e-6)
    assert again["intervals"].keys() == run["intervals"].keys()
    for name, ends in run["intervals"].items():
        assert again["intervals"][name] == pytest.approx(ends, rel=1e-6), name
    assert [(part["slice"], part["metrics"], part["examples"]) for part in again["slices"]] == [
        (part["slice"], pytest.approx(part["metrics"], rel=1e-6), part["examples"]) for part in run["slices"]
    ]
    assert (again["blessed"], again["reason"]) == (True, "")


def test_the_value_is_the_contract_s(moved, again):
    _, run = moved
    assert {"run", "config", "model", "architecture", "version", "blessed", "reason", "metrics", "model_dir"} <= again.keys()
    assert {"report", "components", "seconds"} <= again.keys()
    assert (again["run"], again["model"], again["version"], again["architecture"]) == (run["run"], TINY, 1, "lenet5")
    assert [component["name"] for component in again["components"]] == [
        "ExampleGen", "Evaluator", "Robustness", "Reporter",
    ]  # fmt: skip
    assert again["data"]["images"] == run["metrics"]["example_count"]


def test_its_page_has_the_figures_of_the_value_and_says_what_it_is_of(moved, again):
    place, run = moved
    page = Path(again["report"])
    assert page.parent == Workspace.at(place).reports(TINY) / "evaluations"
    text, metrics = page.read_text(), again["metrics"]
    shown = tiles(text)
    for name in ("accuracy", "cross_entropy", "macro_f1"):
        assert shown[name.replace("_", " ")] == [figure(metrics[name]), f"95 %: {interval(again['intervals'][name])}"]
    assert shown["images judged"] == [str(again["data"]["images"])]
    sections = re.findall(r'<section id="([\w-]+)"', text)
    assert sections[:4] == ["data", "since-training", "robustness", "confusion"]
    assert not {"training", "inside", "earlier"} & set(sections)
    assert (
        "Of the training and the network, not of answers about this data: augmentation, inside, layers, search, training." in text
    )
    assert f"hubel report {run['run']}" in text
    told = {row[0]: row[1] for row in cells(text, "Model, data and versions")[1:]}
    assert (told["version"], told["run"], told["data"]) == ("1", run["run"], again["source"])
    assert "Not here: a temperature." in text, "there is no validation split that it could be fitted on"
    assert text.count("Not here:") == 1
    matrix = cells(text, "How many images of each label were taken for each class")[1:]
    right = sum(int(row[1 + place] or 0) for place, row in enumerate(matrix))
    assert right / again["data"]["images"] == pytest.approx(metrics["accuracy"])


def test_what_the_model_had_in_its_run_stands_beside_and_of_the_same_images_is_the_same(moved, again):
    _, run = moved
    told = again["pushed"]
    assert (told["run"], told["metrics"]) == (run["run"], run["metrics"])
    assert {each["metric"]: (each["test"], each["difference"]) for each in told["differences"]} == {
        "accuracy": ("McNemar's test", 0),
        "cross_entropy": ("paired t-test", pytest.approx(0, abs=1e-6)),
        "macro_f1": ("paired bootstrap", pytest.approx(0, abs=1e-6)),
    }
    rows = {row[0]: row[1:] for row in cells(Path(again["report"]).read_text(), "Figures here and then")[1:]}
    assert rows["accuracy"][0] == rows["accuracy"][1]
    assert rows["accuracy"][3].startswith("within noise (McNemar")


def test_corruptions_are_in_the_page_as_in_the_value(again):
    text, told = Path(again["report"]).read_text(), again["robustness"]
    assert (told["names"], told["images"], told["of"]) == (["impulse_noise", "jpeg_compression"], 40, again["data"]["images"])
    assert [(row["name"], row["severity"]) for row in again["corruptions"]] == [
        ("clean", 0), *((name, severity) for name in told["names"] for severity in range(1, 6)),
    ]  # fmt: skip
    [part] = told["figures"]
    assert part["figure"] == "accuracy"
    errors = [1 - row["figures"]["accuracy"] for row in again["corruptions"][1:]]
    assert part["mean_corruption_error"] == pytest.approx(sum(errors) / 10)
    assert part["interval"][0] <= part["mean"] <= part["interval"][1]
    assert (part["normalized"], told["baseline"]) == (1.0, f"{TINY}/1"), "the baseline is the model itself"
    specs = dict(re.findall(r'<script type="application/json" id="([\w-]+)-spec">(.*?)</script>', text, re.DOTALL))
    drawn = [row for rows in json.loads(specs["robustness-accuracy"])["datasets"].values() for row in rows]
    by = {(row["name"].replace("_", " "), row["severity"]): row["figures"]["accuracy"] for row in again["corruptions"]}
    assert {(row["curve"], row["severity"]): row["value"] for row in drawn if row["severity"]} == {
        condition: value for condition, value in by.items() if condition[1]
    }
    assert [row["value"] for row in drawn if not row["severity"]] == 2 * [by["clean", 0]]
    clean = again["corruptions"][0]
    title = f"without corruption {figure(clean['figures']['accuracy'])} ({interval(clean['intervals']['accuracy'])})"
    rows = {row[0]: row[1:] for row in cells(text, f"Accuracy by severity, with 95 % intervals; {title}")[1:]}
    for row in again["corruptions"][1:]:
        shown = f"{figure(row['figures']['accuracy'])} ({interval(row['intervals']['accuracy'])})"
        assert rows[row["name"].replace("_", " ")][row["severity"] - 1] == shown
    assert told["digest"] in text
    assert len(re.findall('severities 0 to 5 from left to right" width=', text)) == 2


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_browser_shows_its_page_without_a_complaint_or_a_request(again, chromium, tmp_path, width, scheme):
    with browser.started(chromium, tmp_path) as chrome:
        chrome.open(Path(again["report"]), width, scheme, ready=DRAWN)
        drawn = chrome.run("document.querySelectorAll('.drawn svg').length")
        assert drawn == chrome.run("document.querySelectorAll('.drawn').length") > 3
        assert chrome.run(WIDE) <= 0
        chrome.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert chrome.run(WIDE) <= 0
        assert (chrome.complaints, chrome.requests) == ([], [])
        assert chrome.violations() == []


def test_a_classifier_has_its_own_directory_left_as_it_was(moved):
    place, _ = moved
    assert not list((place / "models" / TINY / "1").glob("Split*"))
    assert Workspace.at(place).exported(next(iter((place / "pipelines" / TINY / "Trainer/model").iterdir()))).is_dir()


def test_a_model_without_labels_is_judged_without_training_images_by_what_needs_none(autoencoder, artifacts, tmp_path):  # noqa: F811
    said = []
    with progress.listening(lambda event: said.append(event.get("text"))):
        figures, written = evaluate.judged(
            autoencoder / "Format-Serving",
            str(autoencoder),
            artifacts.examples,
            None,
            {"slices": {"label": {}}},
            tmp_path / "judged",
        )
    assert {"mse", "psnr", "ssim", "sparsity", "example_count"} == figures["metrics"].keys()
    assert figures["intervals"].keys() == figures["metrics"].keys() - {"example_count"}
    assert len(figures["slices"]) == 10
    told = [text for text in said if text and "no examples of the train split" in text]
    assert [text.partition(":")[0] for text in told] == ["compare", "measure", "measure labels"]
    (tmp_path / "judged" / "model" / keys.KERAS_FILE).unlink()  # as where `hubel gc` took the run
    card, read = Card.read(str(autoencoder)), Read(images=60, class_names=digits.NAMES)
    folder = autoencoder / "Format-Serving"
    of = judged_page.Evaluation(folder, card, tmp_path / "judged", figures, written, read, (0.0, 1.0, 2.0), {})
    page = dict.fromkeys(("split", "version", "run"), None) | dict.fromkeys(
        ("model", "source", "command", "workspace", "name"), "a"
    )
    made = writing.sections(judged_page._material(of, {**page, "has_bounds": False}, None, None))
    assert [section.key for section in made] == [
        "data", "since-training", "task-network-missing", "beside-pca", "slices", "weakest", "lineage", "elsewhere",
    ]  # fmt: skip
    missing = [block.why for section in made for block in section.blocks if isinstance(block, Missing)]
    assert missing[0].startswith("The Keras network is not on record any more")
    assert missing[1:] == ["There are no training images that it could be fitted on."]


def test_a_model_of_an_earlier_hubel_is_one_sentence(classifier, tmp_path):  # noqa: F811
    with pytest.raises(HubelError, match="has no signature figures, by which its task is judged"):
        evaluate.check(classifier / "Format-Serving", digits.card(task="reconstruction"))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["dogs", "--data", "folder:/tmp"], "There is no served model 'dogs'"),
        ([TINY, "--data", "folder:/nowhere/at/all"], "There is no folder /nowhere/at/all"),
        ([TINY, "--data", "photos"], "Unknown data source 'photos'."),
        ([TINY], "Missing option '--data'."),
        ([TINY, "--data", "tfds:digits", "--set", "train.epochs=3"], "--set train: a model that is there is judged as it is."),
        ([TINY, "--data", "tfds:digits", "--set", "evaluate.treshold=3"], "Config of the evaluation:"),
        ([TINY, "--data", "tfds:digits", "--corruptions=fog"], "There is no corruption 'fog'."),
        (["--data", "tfds:digits", "--corruptions", TINY, TINY], f"There is no corruption '{TINY}'."),
        (
            [TINY, "--data", "tfds:digits", "--corruptions-images", "3"],
            "--corruptions-images says how --corruptions are asked about",
        ),
        ([TINY, "--data", "tfds:digits", "--baseline", TINY], "--baseline says how --corruptions are asked about"),
        ([TINY, "--data", "tfds:digits", "--corruptions=all", "--baseline", "dogs"], "There is no served model 'dogs'"),
        ([TINY, "--data", "tfds:digits", "--out", "/tmp"], "--out /tmp is a folder."),
        ([TINY, "--data", "tfds:digits", "--out", __file__], f"{__file__}: there already."),
    ],
)
def test_bad_input_is_one_sentence_before_anything_starts(moved, command, message, monkeypatch):
    place, _ = moved
    monkeypatch.setattr(judging_commands, "heard", None)
    said = in_process("evaluate", *command, "--json", "--workspace", place)
    assert said.code == 2
    assert said.json["error"]["message"].startswith(message)


@pytest.mark.parametrize(
    ("card", "baseline", "message"),
    [
        ({"reads": "text"}, None, "--corruptions are of images, and a reads texts."),
        ({}, {"task": "reconstruction"}, "The two answer different questions"),
        ({}, {"class_names": ["cat", "dog"]}, "The two know different classes"),
    ],
)
def test_corruptions_are_of_images_and_a_baseline_of_the_same_question(card, baseline, message, monkeypatch):
    monkeypatch.setattr(robustness.Served, "card_of", lambda folder: digits.card(**folder))
    with pytest.raises(UsageError, match=message):
        robustness.check({"baseline": baseline}, digits.card(**card))


def test_numbers_of_images_are_not_held_against_those_of_another_data_set():
    judge, generator = judge_of("anomaly:reconstruction"), np.random.default_rng(0)

    def rows(first, many):
        kinds = {ID: np.arange(first, first + many, dtype=np.uint64), keys.LABEL: generator.integers(0, 2, many)}
        return {**kinds, SCORE: generator.random(many), DECISION: generator.integers(0, 2, many), "mse": generator.random(many)}

    told = judged_page.differences(
        judge, ["auroc", "recall", "true_positives", "mse", "example_count"], rows(0, 30), rows(100, 300), "a"
    )
    assert [each["metric"] for each in told] == ["auroc", "recall", "mse"]
    assert judged_page.differences(judge, ["auroc"], {}, rows(0, 30), "a") == []


def test_what_of_its_run_cannot_be_read_is_a_warning_and_costs_no_figure(tmp_path):
    (tmp_path / "metadata.db").write_text("no database, whatever its name says")
    said = []
    with progress.listening(said.append):
        assert judged_page.pushed(None, {"run": "1", "name": "a", "metadata": str(tmp_path / "metadata.db")}) is None
    assert [event["text"] for event in said] == ["What run 1 gave on its test split cannot be read: file is not a database"]


def test_a_page_that_cannot_be_written_is_a_warning_unless_a_person_named_it(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    page = {"path": str(tmp_path / "file" / "page.html"), "is_asked": False}
    monkeypatch.setattr(judged_page, "_material", lambda *of: Material({}))
    said = []
    with progress.listening(said.append):
        assert judged_page.write(None, page, None, None) is None
    assert [event["text"] for event in said] == [f"The page was not written: {page['path']} cannot be written: File exists."]
    with pytest.raises(HubelError, match="cannot be written: File exists"):
        judged_page.write(None, {**page, "is_asked": True}, None, None)


def test_data_is_read_as_the_model_s_config_says_and_what_of_it_is_of_another_source_is_said(moved, tmp_path):
    place, run = moved
    asked = judging_commands.on_record(Workspace.at(place), TINY)
    assert (asked.run, asked.config, asked.version) == (run["run"], TINY, 1)
    assert asked.train.endswith("Split-train")
    tree = {"data": {"source": "csv:a.csv", "features": {"label": "kind"}, "limit": 3, "ground": "black"}, "evaluate": {}}
    table = tmp_path / "b.csv"
    table.write_text("image,kind\na.png,one\n")
    (tmp_path / "a.png").write_bytes(b"one")
    of_table = judging_commands.Asked(TINY, asked.folder, tree=tree)
    data, _, notes = judging_commands.told(of_table, Workspace.at(place), f"csv:{table}", ())
    assert (data["features"], data["limit"], data["ground"], notes) == ({"label": "kind"}, None, "black", [])
    data, _, notes = judging_commands.told(of_table, Workspace.at(place), f"folder:{tmp_path}", ("data.ground=white",))
    assert (data["features"], data["ground"]) == ({}, "white")
    assert notes == ["data.features of the config is of csv:a.csv, and is not used."]
    assert judging_commands.seen_before(of_table, "csv:a.csv", None)
    assert not judging_commands.seen_before(of_table, "csv:a.csv", "test")


def test_the_help_needs_no_tensorflow(without_tensorflow):
    assert hubel("evaluate", "--help", **without_tensorflow).code == 0
