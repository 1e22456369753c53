"""Models that are there, judged on any data: the figures of a run, from the same functions."""

import json
import shutil

import pytest

from components import progress
from configs.errors import HubelError
from pipelines.command_line import judging_commands
from pipelines.verbs import evaluate
from pipelines.workspace.layout import Workspace
from tests.components.conftest import artifacts, autoencoder, classifier  # noqa: F401
from tests.pipelines.conftest import hubel, in_process

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
    said = in_process("evaluate", TINY, "--data", f"tfrecord:{examples}/*", "--json", "--workspace", place)
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
    assert [component["name"] for component in again["components"]] == ["ExampleGen", "Evaluator"]
    assert again["data"]["images"] == run["metrics"]["example_count"]


def test_a_classifier_has_its_own_directory_left_as_it_was(moved):
    place, _ = moved
    assert not list((place / "models" / TINY / "1").glob("Split*"))
    assert Workspace.at(place).exported(next(iter((place / "pipelines" / TINY / "Trainer/model").iterdir()))).is_dir()


def test_a_model_without_labels_is_judged_without_training_images_by_what_needs_none(autoencoder, artifacts, tmp_path):  # noqa: F811
    said = []
    with progress.listening(lambda event: said.append(event.get("text"))):
        figures, _ = evaluate.judged(
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


def test_a_model_of_an_earlier_hubel_is_one_sentence(classifier, tmp_path):  # noqa: F811
    from tests.components import digits

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
    ],
)
def test_bad_input_is_one_sentence_before_anything_starts(moved, command, message, monkeypatch):
    place, _ = moved
    monkeypatch.setattr(judging_commands, "heard", None)
    said = in_process("evaluate", *command, "--json", "--workspace", place)
    assert said.code == 2
    assert said.json["error"]["message"].startswith(message)


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
