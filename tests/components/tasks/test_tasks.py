"""Tasks are found by their name, and each answers every question a component asks."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import components.tasks
from components.tasks.around import Around
from components.tasks.base import Task
from components.tasks.by_name import modules_of, task_of
from components.tasks.judges import by_name as judges
from components.tasks.judges.around import Around as JudgeAround
from components.tasks.judges.base import Comparison, Judge
from components.tasks.judges.by_name import judge_of
from components.tasks.judges.reconstruction import judge as judge_of_autoencoders
from components.tasks.reconstruction import pca
from components.trainer.card import Card
from components.trainer.data import DataInfo
from configs.errors import HubelError, UsageError
from tests.components import digits

ROOT = Path(components.tasks.__file__).parent
FILES = [path.relative_to(ROOT).with_suffix("") for path in ROOT.rglob("*.py") if "class Task(" in path.read_text()]
ROUND_ANOTHER = {"anomaly", "anomaly_localization"}
NAMES = sorted({".".join(part for part in file.parts if part != "task") for file in FILES} - {"base", *ROUND_ANOTHER})
NO_TASKS = ["no_such_task", "", "Classification", "../classification", "class ification", "base", "by_name", "classification.x"]
ALONE = ["anomaly", "reconstruction:anomaly", "classification:reconstruction", "judges", "judges.classification"]


@pytest.mark.parametrize("name", [*NO_TASKS, "reconstruction.x", "reconstruction.task", "reconstruction.figures", *ALONE])
def test_an_unknown_task_is_refused(name):
    with pytest.raises(UsageError, match="There is no task"):
        task_of(name)


@pytest.mark.parametrize(
    "name",
    [*NAMES, "anomaly:reconstruction", "anomaly:reconstruction.variational", "anomaly_localization:reconstruction"],
)
def test_every_task_is_found_and_has_a_judge_in_a_file_of_its_own(name):
    task, judge = task_of(name), judge_of(name)
    assert isinstance(task, Task)
    assert isinstance(judge, Judge)
    assert judge.metrics
    assert modules_of(name)[0] == type(task).__module__
    assert judges.modules_of(name)[0] == type(judge).__module__
    assert not {*modules_of(name)} & {*judges.modules_of(name)}
    assert all(metric.better in ("more", "less") for metric in judge.metrics.values())


@pytest.mark.parametrize("name", [*NO_TASKS, "reconstruction.judge", *ALONE])
def test_a_judge_of_no_task_is_refused(name):
    with pytest.raises(UsageError, match="There is no task"):
        judge_of(name)


def test_a_task_in_one_file_is_judged_by_what_stands_there(tmp_path, monkeypatch):
    (tmp_path / "counting.py").write_text(
        "from components.tasks import base\nfrom components.tasks.judges import base as judges\n"
        "class Task(base.Task):\n    pair = compile = signatures = None\n"
        "class Judge(judges.Judge):\n    metrics = {}\n"
    )
    monkeypatch.setattr(components.tasks, "__path__", [*components.tasks.__path__, str(tmp_path)])
    assert type(judge_of("counting")).__module__ == type(task_of("counting")).__module__ == "components.tasks.counting"
    assert judges.modules_of("counting") == modules_of("counting")
    sys.modules.pop("components.tasks.counting")


@pytest.mark.parametrize(("outer", "asked"), [(Around, Task), (JudgeAround, Judge)])
def test_what_is_around_passes_every_question_on(outer, asked):
    public = {name for name in {*vars(asked), *asked.__annotations__} if not name.startswith("_")}
    assert public <= vars(outer).keys()


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("reconstruction")])
def test_a_family_says_whether_its_judge_holds_it_against_its_active_units(name):
    """In `doubts`, before it is trained: task and judge do not import each other's words."""
    if "doubts" not in vars(type(task_of(name))) or name == "reconstruction":
        is_judged_so = type(judge_of(name)).compare is judge_of_autoencoders.Judge.compare
        assert task_of(name).against_active == is_judged_so


def test_classification_refuses_data_without_labels():
    info = DataInfo((8, 8, 1), digits.NAMES, 3)
    assert task_of("classification").check(info) is None
    with pytest.raises(HubelError, match="labels"):
        task_of("classification").check(replace(info, class_names=[]))


def test_pairs_are_what_keras_fits():
    pixels, labels = tf.constant([[[[255.0]]], [[[51.0]]]]), {"label": tf.constant([3, 4], tf.int64)}
    inputs, targets = task_of("classification").pair(pixels, labels)
    assert inputs is pixels
    assert targets.numpy().tolist() == [3, 4]
    inputs, targets = task_of("reconstruction").pair(pixels, {})
    assert np.allclose(np.ravel(targets), [1, 0.2])


def test_a_comparison_cannot_be_changed():
    with pytest.raises(AttributeError):
        Comparison("mse", 1.0, "x").value = 2.0


def test_reconstruction_is_compared_with_pca_of_its_own_code_size(autoencoder):
    card = Card.read(str(autoencoder))
    parts = {"train": digits.images()[0][:240].astype(np.float32), "test": digits.images()[0][300:360].astype(np.float32)}

    def images(split):
        rows = tf.data.Dataset.from_tensor_slices((parts[split], {"label": np.zeros(len(parts[split]), np.int64)}))
        return rows.batch(50)

    [comparison] = judge_of("reconstruction").compare(autoencoder / "Format-Serving", card, images)
    expected = pca.fit([parts["train"] / 255], 4).mean_squared_error([parts["test"] / 255])
    assert (comparison.metric, comparison.value) == ("mse", pytest.approx(expected, rel=1e-6))
    assert "code size of 4" in comparison.words
    assert judge_of("classification").compare(autoencoder, card, images) == []


def test_a_comparison_that_is_among_the_figures_says_what_it_is_made_of():
    with pytest.raises(ValueError, match="pca_mse would be a figure without an interval"):
        Comparison("mse", 1.0, "x", "pca_mse")
