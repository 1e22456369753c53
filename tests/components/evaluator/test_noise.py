"""Figures beside those of other models, of tables that were made by hand."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from components import keys
from components.evaluator import intervals, noise, per_image
from components.evaluator.statistic import ID, Mean
from components.tasks.judges.base import Comparison
from components.tasks.judges.by_name import judge_of
from tests.components import digits

TASK = judge_of("reconstruction")
IDS = np.array([7, 3, 5, 1], np.uint64)  # in the order of the files


def table(errors, ids=IDS[::-1]):
    """Of the model, in another order."""
    return {ID: ids, keys.LABEL: np.full(len(ids), -1), "mse": np.array(errors)[::-1]}


def test_a_comparison_is_paired_by_the_ids_of_the_images():
    ours = table([0.1, 0.2, 0.3, 0.4])
    theirs = Comparison("mse", 0.26, "PCA", "pca_mse", each={"mse": np.array([0.11, 0.21, 0.31, 0.41])})
    change = noise.beside(theirs, {"mse": 0.25}, TASK, ours, IDS)
    assert change.difference.value == pytest.approx(-0.01)
    assert change.difference.interval == pytest.approx((-0.01, -0.01))  # of each pair the same, which no other order gives
    assert change.difference.test == "paired t-test"
    assert change.words == f"mse 0.25000 against 0.26000 of PCA: a difference {change.difference.words}"
    assert change.as_json()["against"] == "PCA"
    ends = noise.intervals_of_others([theirs], TASK, ours, IDS)
    assert ends == {"pca_mse": pytest.approx(list(intervals.mean(np.array([0.11, 0.21, 0.31, 0.41]))))}


def test_a_comparison_that_does_not_say_more_is_a_number_in_words():
    change = noise.beside(Comparison("mse", 0.26, "PCA"), {"mse": 0.25}, TASK, table([0.1, 0.4, 0.2, 0.3]), IDS)
    assert (change.difference, change.words) == (None, "mse 0.25000 against 0.26000 of PCA")


def test_an_earlier_model_without_the_figure_is_no_error():
    change = noise.since("ssim", {"ssim": 0.5}, TASK, table([0.1, 0.2, 0.3, 0.4]), {})
    assert (change.difference, change.words) == (
        None,
        "ssim 0.50000, which is no number for this data of the last blessed other model",
    )


def test_a_ranking_of_others_has_the_labels_of_the_images():
    task = judge_of("anomaly:reconstruction")
    ids = np.concatenate([IDS + 10 * np.uint64(k) for k in range(5)])  # fewer than 20 images tell nothing of a ranking
    ours = {ID: ids[::-1], keys.LABEL: np.array([1, 0, 1, 0] * 5), "anomaly_score": np.array([4.0, 1, 3, 2] * 5)}
    theirs = Comparison("auroc", 1.0, "PCA's error", "pca_auroc", each={"anomaly_score": np.array([1.0, 2, 1.5, 3] * 5)})
    change = noise.beside(theirs, {"auroc": 1.0}, task, ours, ids)
    assert change.difference.value == 0.0  # labels in the order of the files: 0, 1, 0, 1
    assert noise.intervals_of_others([theirs], task, ours, ids) == {"pca_auroc": list(intervals.share(10, 10))}


def test_a_figure_brings_its_own_interval_and_others_are_made_of_rows():
    rows = table([0.1, 0.2, 0.3, 0.4])
    figures = {"mse": 0.25, "ssim": 0.9, "probe_accuracy": intervals.of_share(np.array([True, False])), "example_count": 4.0}
    ranges = noise.intervals(figures, rows, TASK, {"ssim": (0.8, 0.95), "other": (0, 1)})
    expected = stats.t.interval(0.95, 3, 0.25, stats.sem([0.1, 0.2, 0.3, 0.4]))
    assert ranges == {
        "mse": pytest.approx(list(expected)),
        "ssim": [0.8, 0.95],
        "probe_accuracy": list(intervals.share(1, 2)),
    }
    assert noise.intervals({"mse": 0.25}, {}, TASK) == {}  # an evaluation of an earlier hubel
    assert noise.intervals({"ssim": 0.25}, rows, TASK, {"ssim": (None, None)}) == {}


def test_a_metric_without_a_statistic_is_the_mean_of_what_has_its_name():
    assert noise.statistic_of("mse", TASK, {"mse": np.ones(3)}) == Mean("mse")
    assert noise.statistic_of("psnr", TASK, {"psnr": np.ones(3)}) is None
    assert noise.statistic_of("probe_accuracy", TASK, {"probe_accuracy": np.ones(3)}) is None


def test_ids_are_those_of_the_files_in_their_order(artifacts):
    [file] = (artifacts.examples / "Split-test").iterdir()
    examples = [tf.train.Example.FromString(record) for record in digits.examples(keys.TEST)]
    expected = [per_image.digest(example.features.feature[keys.EXAMPLE_ID].bytes_list.value[0]) for example in examples]
    assert noise.ids_of([str(file)]).tolist() == expected
    assert len(set(expected)) == 60


def test_arms_are_compared_by_the_same_images():
    ids = np.arange(20, dtype=np.uint64)
    low, high = table(np.arange(20) / 10, ids), table(np.arange(1, 21) / 10, ids)
    assert noise.of_arms("mse", TASK, [low], [high]).interval == pytest.approx((-0.1, -0.1))
    several = noise.of_arms("mse", TASK, [low, low], [high, high])
    assert (several.value, several.test) == (pytest.approx(-0.1), "Welch's t-test of seeds, bootstrap of images and seeds")
    assert noise.of_arms("mse", TASK, [low], [high, high]) is None
    assert noise.of_arms("mse", TASK, [low], [high]).words == "more than noise (paired t-test over test images alone, p < 0.001)"
    assert "over test texts alone" in noise.of_arms("mse", TASK, [low], [high], "text").test
    assert noise.of_arms("mse", TASK, [low, low], [high, high], "text").test.endswith("bootstrap of texts and seeds")
    elsewhere = {**high, ID: high[ID] + np.uint64(1)}
    assert noise.of_arms("mse", TASK, [low], [elsewhere]).test == "Welch's t-test over test images alone"
    assert noise.of_arms("mse", TASK, [low, low], [high, elsewhere]) is None
    assert noise.of_arms("mse", TASK, [], [high]) is None
    assert noise.of_arms("sparsity", TASK, [low], [high]) is None


@pytest.mark.parametrize("metric", ["auroc", "average_precision", "recall", "precision"])
def test_a_figure_that_is_no_number_differs_from_nothing(metric):
    """No anomaly is there, and none was found."""
    task, ids = judge_of("anomaly:reconstruction"), np.arange(30, dtype=np.uint64)
    of = task.metrics[metric].statistic
    rows = {ID: ids, **{name: np.zeros(30, int) for name in of.columns}}
    change = noise.since(metric, {}, task, rows, rows)
    assert (change.difference, change.words) == (None, f"{metric} is no number for this data")
    assert noise.of_arms(metric, task, [rows], [rows]) is None
    assert noise.of_arms(metric, task, [rows] * 2, [rows] * 2) is None
