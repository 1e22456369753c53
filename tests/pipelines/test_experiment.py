"""An experiment's arms are runs of one pipeline: data once, a row each, and nothing is trained twice."""

import csv
import json
from xml.etree import ElementTree

import pytest
import yaml

from configs import experiment as experiments
from configs.errors import UsageError
from keras_models import contract
from pipelines.orchestration import experiment
from pipelines.workspace.layout import Workspace
from tests.pipelines.conftest import hubel, in_process

TREE = {
    "config": "digits_mlp",
    "common": {
        "data": {"limit": 120},
        "train": {"epochs": 3, "batch_size": 16, "schedule": None, "early_stopping": None, "keep": "last"},
    },
    "arms": {
        "true labels": {},
        "random labels": {"train": {"random_labels": 1.0}},
        "too fast": {"train": {"optimizer": {"name": "sgd", "learning_rate": 1e30}}},
    },
    "steps_to": 0.5,
    "show": ["params", "train_accuracy", "test_accuracy", "steps_to"],
    "plot": {"x": "epoch", "y": ["train_loss"]},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """(file, workspace, value) of one whole experiment."""
    folder = tmp_path_factory.mktemp("experiment")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TREE, sort_keys=False))
    return (
        folder / "tiny.yaml",
        folder / "workspace",
        experiment.run(str(folder / "tiny.yaml"), [], None, str(folder / "workspace")),
    )


def test_each_arm_is_a_row_and_one_that_diverges_says_so(done):
    true, random, fast = done[2]["rows"]
    assert true["train_accuracy"] > random["train_accuracy"] + 0.2
    assert true["test_accuracy"] > random["test_accuracy"] + 0.2
    assert (true["epochs"], true["params"], true["seed"], true["note"]) == (3, 64 * 100 + 100 + 100 * 10 + 10, 0, "")
    assert true["steps_to"] % (true["steps"] // 3) == 0
    assert random["steps_to"] is None
    assert fast["arm"] == "too fast"
    assert fast["note"].startswith("Training diverged")
    assert done[2]["table"]["rows"][2] == ["too fast", "never", "never", "never", "never", fast["note"]]
    assert done[2]["table"]["columns"][-2:] == ["steps to 0.5", "note"]


def test_arms_are_told_from_the_first_by_the_same_test_images(done):
    true, random, _ = done[2]["rows"]
    [apart] = done[2]["differences"]  # of the arm that diverged there is none
    assert (apart["arm"], apart["against"], apart["metric"]) == ("random labels", "true labels", "test_accuracy")
    assert apart["difference"] == pytest.approx(random["test_accuracy"] - true["test_accuracy"])
    assert apart["test"] == "McNemar's test over test images alone"
    assert apart["within_noise"] == (apart["p"] >= 0.05)
    low, high = true["intervals"]["test_accuracy"]
    assert low < true["test_accuracy"] < high
    assert true["intervals"]["test_error"] == [1 - high, 1 - low]
    assert done[2]["table"]["rows"][0][3] == f"{true['test_accuracy']:.4f} [{low:.4f}, {high:.4f}]"


def test_table_plot_and_result_are_written_and_nothing_is_pushed(done):
    _, workspace, value = done
    table, plot, result = (workspace / "experiments/tiny" / name for name in ("table.csv", "plot.svg", "result.json"))
    assert value["files"] == [str(path) for path in (table, plot, result)]
    assert sorted(table.parent.iterdir()) == sorted((table, plot, result))
    rows = list(csv.DictReader(table.open()))
    assert [row["arm"] for row in rows] == list(TREE["arms"])
    assert float(rows[0]["test_accuracy"]) == value["rows"][0]["test_accuracy"]
    assert ElementTree.parse(plot).getroot().tag.endswith("svg")  # noqa: S314 our own
    kept = json.loads(result.read_text())
    assert [len(arm["history"]) for arm in kept] == [3, 3, 0]
    assert kept[1]["config"]["train"]["random_labels"] == 1.0
    assert kept[0]["history"][-1]["train_loss"] == value["rows"][0]["train_loss"]
    assert not (workspace / "models").exists()


def test_what_was_trained_is_not_trained_again_and_data_is_prepared_once(done):
    file, workspace, value = done
    pipeline = workspace / "pipelines/experiment_tiny"
    made = {
        stage: len(list((pipeline / stage / key).glob("[0-9]*")))
        for stage, key in (("ExampleGen", "examples"), ("Trainer", "model"))
    }
    assert made == {"ExampleGen": 1, "Trainer": 2}
    arm, other, _ = experiments.load(str(file)).arms
    row, history, _ = experiment.trained(arm, Workspace.at(workspace), 0.5)
    assert row == value["rows"][0]
    assert len(history) == 3
    assert len(list((pipeline / "Trainer/model").glob("[0-9]*"))) == 2
    assert experiment.trained(other, Workspace.at(workspace), None)[0]["steps_to"] is None


@pytest.mark.parametrize(
    ("look", "change", "words"),
    [
        (experiment.run, {"model": {"options": {"hiden": [3]}}}, "^Arm wrong: Model mlp has no option 'hiden'"),
        (experiment.plan, {"model": {"options": {"hiden": [3]}}}, "^Arm wrong: Model mlp has no option 'hiden'"),
        (experiment.plan, {"transfer": {"source": "letters"}}, "^Arm wrong: transfer.source: there is no trained model 'letters'"),
        (experiment.plan, {"train": {"class_weight": "balanced"}, "augment": [{"mixup": {}}]}, "^Arm wrong: train.class_weight"),
    ],
)
def test_an_arm_that_cannot_be_is_said_before_one_is_trained(tmp_path, look, change, words):
    arms = {"one": {}, "another": {"train": {"epochs": 2}}, "wrong": change}
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump({**TREE, "arms": arms}, sort_keys=False))
    with pytest.raises(UsageError, match=words):
        look(str(tmp_path / "wrong.yaml"), [], None, str(tmp_path / "workspace"))
    assert not (tmp_path / "workspace").exists()


def test_a_network_that_arms_share_is_tried_once(tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(contract, "prove", lambda entry, of_data, options, batch: tried.append(options))
    arms = {**TREE["arms"], "small": {"model": {"options": {"hidden": [3]}}}}
    (tmp_path / "shared.yaml").write_text(yaml.safe_dump({**TREE, "arms": arms}, sort_keys=False))
    experiment.prove(experiments.load(str(tmp_path / "shared.yaml"), seeds=2).arms, Workspace.at(tmp_path))
    assert tried == [{"hidden": [100]}, {"hidden": [3]}]


def test_steps_are_counted_to_the_end_of_the_first_epoch_that_is_good_enough():
    history = [{"step": 5, "train_accuracy": 0.4}, {"step": 10, "train_accuracy": 0.9}, {"step": 15, "train_accuracy": 0.8}]
    assert [experiment.steps_until(history, accuracy) for accuracy in (0.3, 0.85, 0.9, 0.95)] == [5, 10, 10, None]
    assert experiment.steps_until([{"step": 5, "train_loss": 1.0}], 0.1) is None


def test_figures_are_named_by_split_and_only_finite_ones_are_kept():
    figures = experiment.figures({"loss": 2.0, "accuracy": 0.75, "val_loss": float("nan"), "val_accuracy": 0.5})
    assert figures == {
        "train_loss": 2.0, "train_accuracy": 0.75, "validation_accuracy": 0.5, "train_error": 0.25, "validation_error": 0.5,
    }  # fmt: skip


def test_the_command_lists_looks_ahead_and_refuses(tmp_path):
    listed = {row["name"]: row["about"] for row in hubel("list", "experiments", "--json").json}
    assert listed.keys() == set(experiments.names())
    assert all(listed.values())
    ahead = in_process("experiment", "random_labels", "--dry-run", "--json", "--workspace", tmp_path).json
    assert ahead["trainings"] == len(experiments.load("random_labels").arms)
    assert list(ahead["arms"]) == list(experiments.load("random_labels").asked.arms)
    refused = hubel("experiment", "random_label", "--workspace", tmp_path)
    assert (refused.code, refused.lines[-1]) == (2, "Did you mean 'random_labels'?")
    unknown = in_process("experiment", "random_labels", "--set", "model.name=lenet6", "--workspace", tmp_path)
    assert (unknown.code, "lenet5" in unknown.err) == (2, True)
    assert not list(tmp_path.iterdir())
