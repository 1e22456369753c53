"""An experiment's arms are runs of one pipeline: data once, a row each, and nothing is trained twice."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from components import keys
from components.evaluator.statistic import ID
from configs import experiment as experiments
from configs.errors import Diverged, UsageError
from keras_models import contract
from pipelines.orchestration import experiment
from pipelines.orchestration.local import NodeResult
from pipelines.workspace.layout import Workspace
from tests.components import digits
from tests.pipelines.conftest import in_process

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


def written(folder):
    """The experiment's file."""
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TREE, sort_keys=False))
    return str(folder / "tiny.yaml")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """(file, workspace, value) of one whole experiment."""
    folder = tmp_path_factory.mktemp("experiment")
    return folder / "tiny.yaml", folder / "workspace", experiment.run(written(folder), [], None, str(folder / "workspace"))


IMAGES = 20
RIGHT = {"true labels": 18, "random labels": 4}  # of the test images


@pytest.fixture
def launched(monkeypatch, tmp_path):
    """Names of the pipelines that were run, where each run leaves at once what that arm would."""
    ran, right = [], {}

    def launch(known, served):
        assert served is False
        config = known.config
        ran.append(config.name)
        if config.train.optimizer.learning_rate > 1:
            raise Diverged("Training diverged in epoch 1 of 3.")
        arm = "random labels" if config.train.random_labels else "true labels"
        share, folder = RIGHT[arm] / IMAGES, tmp_path / f"run{len(ran)}"
        folder.mkdir()
        right[str(folder)] = RIGHT[arm]
        card = digits.card(train_images=96, params=7510)
        (folder / keys.CARD_FILE).write_text(card.model_dump_json())
        epochs = [{"loss": 2.5 - share * n, "accuracy": share * n / 3, "val_loss": 2.0, "val_accuracy": 0.5} for n in (1, 2, 3)]
        (folder / "history.json").write_text(json.dumps(epochs))
        figures = {keys.METRICS: {"accuracy": share, "example_count": IMAGES}, keys.INTERVALS: {"accuracy": [share / 2, 1.0]}}
        judged = {name: json.dumps(value) for name, value in figures.items()}
        outputs = {"model": [(str(folder), {})], "model_run": [(str(folder), {})], "evaluation": [(str(folder), judged)]}
        return {name: NodeResult(name, False, 0.0, outputs) for name in ("Trainer", "Evaluator")}

    def rows_of(evaluation):
        correct = np.arange(IMAGES) < right[evaluation]
        return {ID: np.arange(IMAGES, dtype=np.uint64), keys.LABEL: np.zeros(IMAGES, int), "correct": correct.astype(float)}

    monkeypatch.setattr(experiment.execute, "launched", launch)
    monkeypatch.setattr(experiment.noise, "rows_of", rows_of)
    return ran


def test_what_came_out_of_each_arm_is_a_row_and_is_told_from_the_first(launched, tmp_path):
    value = experiment.run(written(tmp_path), [], None, str(tmp_path / "workspace"))
    assert launched == ["experiment_tiny"] * 3
    true, random, fast = value["rows"]
    assert (true["arm"], true["epochs"], true["params"], true["seed"], true["note"]) == ("true labels", 3, 7510, 0, "")
    assert (true["steps"], true["steps_to"], random["steps_to"]) == (18, 12, None)  # 96 images, 16 a step; 0.6 after two epochs
    assert (true["test_accuracy"], random["test_accuracy"]) == (0.9, 0.2)
    assert (true["train_accuracy"], true["train_error"]) == (pytest.approx(0.9), pytest.approx(0.1))
    assert true["intervals"] == {"test_accuracy": [0.45, 1.0], "test_error": [0.0, 0.55]}
    assert fast == {"arm": "too fast", "seed": 0, "note": "Training diverged in epoch 1 of 3."}
    assert value["table"]["columns"][-2:] == ["steps to 0.5", "note"]
    assert value["table"]["rows"][0][3] == "0.9000 [0.4500, 1.0000]"
    assert value["table"]["rows"][2] == ["too fast", "never", "never", "never", "never", fast["note"]]
    [apart] = value["differences"]  # of the arm that diverged there is none
    assert (apart["arm"], apart["against"], apart["metric"]) == ("random labels", "true labels", "test_accuracy")
    assert apart["difference"] == pytest.approx(-0.7)
    assert (apart["test"], apart["within_noise"]) == ("McNemar's test over test images alone", False)

    folder = tmp_path / "workspace/experiments/tiny"
    assert value["files"] == [str(folder / name) for name in ("table.csv", "plot.svg", "result.json")]
    assert sorted(folder.iterdir()) == sorted(map(Path, value["files"]))
    rows = list(csv.DictReader((folder / "table.csv").open()))
    assert [(row["arm"], row["test_accuracy"]) for row in rows] == list(zip(TREE["arms"], ["0.9", "0.2", ""], strict=True))
    assert ElementTree.parse(folder / "plot.svg").getroot().tag.endswith("svg")  # noqa: S314 our own
    kept = json.loads((folder / "result.json").read_text())
    assert [len(arm["history"]) for arm in kept] == [3, 3, 0]
    assert kept[1]["config"]["train"]["random_labels"] == 1.0
    assert kept[0]["history"][-1]["train_loss"] == true["train_loss"] == pytest.approx(-0.2)


@pytest.mark.whole  # trained for real; above, what comes of trainings
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


@pytest.mark.whole
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


@pytest.mark.whole
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


@pytest.mark.whole
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
        (experiment.plan, {"transform": {"text": {"length": 8}}}, "^Arm wrong: transform.text is of models that read text"),
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
    listed = {row["name"]: row["about"] for row in in_process("list", "experiments", "--json").json}
    assert listed.keys() == set(experiments.names())
    assert all(listed.values())
    ahead = in_process("experiment", "random_labels", "--dry-run", "--json", "--workspace", tmp_path).json
    assert ahead["trainings"] == len(experiments.load("random_labels").arms)
    assert list(ahead["arms"]) == list(experiments.load("random_labels").asked.arms)
    refused = in_process("experiment", "random_label", "--workspace", tmp_path)
    assert (refused.code, refused.lines[-1]) == (2, "Did you mean 'random_labels'?")
    unknown = in_process("experiment", "random_labels", "--set", "model.name=lenet6", "--workspace", tmp_path)
    assert (unknown.code, "lenet5" in unknown.err) == (2, True)
    assert not list(tmp_path.iterdir())
