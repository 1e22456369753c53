"""What corrupted images cost a model: figures are of what it answers about them, counted by hand."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats

from components import corruptions, examples, keys
from components.evaluator.statistic import ID
from components.reporter import reading, robustness
from components.tasks.anomaly import DECISION, SCORE
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from tests.components import digits

NAMES = ["gaussian_noise", "jpeg_compression"]


class Counted:
    """A SavedModel that is asked, and what it was asked."""

    def __init__(self, model):
        self.signatures, self.asked = tf.saved_model.load(str(model / "Format-Serving")).signatures, []

    def __call__(self, name, records):
        self.asked.append(len(records))
        return {output: value.numpy() for output, value in self.signatures[name](examples=tf.constant(records)).items()}


def files_of(artifacts) -> list[str]:
    return sorted(map(str, (artifacts.examples / f"Split-{keys.TEST}").glob("*.gz")))


def png(pixels) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels[..., 0]).save(written, "PNG")
    return written.getvalue()


@pytest.fixture(scope="module")
def of_classifier(artifacts, classifier):
    judge, model = judge_of("classification"), Counted(classifier)
    told = robustness.asked(files_of(artifacts), Card.read(str(classifier)), judge, [model], NAMES, 1_000)
    return judge, model, told, robustness.listed(judge, told.rows[0])


def test_each_figure_is_of_what_the_model_answers_about_the_corrupted_png(of_classifier):
    _, model, told, listed = of_classifier
    pixels, labels = (of[list(digits.rows(keys.TEST))] for of in digits.images())
    assert (told.images, told.of, dict(told.constants), told.fine) == (60, 60, {"CIFAR-10-C": 60}, 0)
    assert [(row["name"], row["severity"]) for row in listed] == robustness.conditions(NAMES)
    for row in listed:
        name, severity = (row["name"], row["severity"]) if row["severity"] else (NAMES[0], 0)
        sent = tf.constant([png(corruptions.corrupted(image, name, severity)) for image in pixels])
        right = int((model.signatures["image_bytes"](sent)["probabilities"].numpy().argmax(1) == labels).sum())
        assert row["figures"]["accuracy"] == pytest.approx(right / 60)
        ends = stats.binomtest(right, 60).proportion_ci(method="wilson")
        assert row["intervals"]["accuracy"] == pytest.approx([ends.low, ends.high])
        assert row["figures"].keys() == {"accuracy", "cross_entropy", "macro_f1"}
    assert [image.shape for image in told.sheet["gaussian_noise"]] == 6 * [(8, 8, 1)]
    np.testing.assert_array_equal(told.sheet["gaussian_noise"][0], pixels[0])
    assert told.name == f"digit-{digits.rows(keys.TEST)[0]}"


def test_what_stands_for_all_is_the_mean_over_corruptions_of_that_over_severities(of_classifier):
    judge, _, told, listed = of_classifier
    [part] = robustness.means(judge, told.rows[0], listed)
    values = np.array([row["figures"]["accuracy"] for row in listed[1:]]).reshape(2, 5)
    assert (part["figure"], part["better"], part["normalized"]) == ("accuracy", "more", None)
    assert part["mean"] == pytest.approx(values.mean())
    assert part["mean_corruption_error"] == pytest.approx(1 - values.mean())
    for name, row in zip(NAMES, values, strict=True):
        assert part["by_corruption"][name]["error"] == pytest.approx(1 - row.mean())
    assert part["interval"][0] < part["mean"] < part["interval"][1]


def test_a_baseline_s_errors_divide_as_the_paper_has_it(of_classifier):
    judge, _, told, _ = of_classifier

    def of(errors, clean):
        rows = [{"name": "clean", "severity": 0, "figures": {"accuracy": 1 - clean}}]
        return rows + [
            {"name": name, "severity": severity, "figures": {"accuracy": 1 - error}}
            for name, error in zip(NAMES, errors, strict=True)
            for severity in corruptions.SEVERITIES
        ]

    [part] = robustness.means(judge, told.rows[0], of((0.3, 0.5), 0.1), of((0.6, 0.5), 0.2))
    assert part["normalized"] == pytest.approx((0.3 / 0.6 + 0.5 / 0.5) / 2)
    assert part["relative"] == pytest.approx((0.2 / 0.4 + 0.4 / 0.3) / 2)
    [part] = robustness.means(judge, told.rows[0], of((0.3, 0.5), 0.1), of((0, 0), 0))
    assert (part["normalized"], part["relative"]) == (None, None), "of a baseline without errors there is no ratio"


def test_no_more_images_are_held_than_there_is_room_for_and_the_same_ones_are_chosen_always(
    of_classifier, artifacts, classifier, monkeypatch
):
    judge, model, whole, _ = of_classifier
    card, files = Card.read(str(classifier)), files_of(artifacts)
    ids = list(examples.ids_of(files))
    monkeypatch.setattr(robustness, "VALUES", 5 * 64)
    model.asked.clear()
    first, second = (robustness.asked(files, card, judge, [model], ["brightness"], 12) for _ in range(2))
    assert max(model.asked) == 5
    assert (first.images, first.of, first.digest) == (12, 60, second.digest)
    assert first.digest != whole.digest
    chosen = [int(whole.rows[0]["clean", 0][ID][place]) for place in reading.chosen(ids, 12)]
    assert first.rows[0]["brightness", 5][ID].tolist() == chosen
    for condition, rows in first.rows[0].items():
        np.testing.assert_array_equal(rows["cross_entropy"], second.rows[0][condition]["cross_entropy"])


def test_an_autoencoder_is_judged_by_what_it_makes_of_a_corrupted_image_to_that_and_to_the_image_before(
    artifacts, autoencoder, monkeypatch
):
    monkeypatch.setattr(corruptions, "SEVERITIES", (5,))
    judge, model = judge_of("reconstruction"), Counted(autoencoder)
    told = robustness.asked(
        files_of(artifacts), Card.read(str(autoencoder)), judge, [model], ["gaussian_noise"], 1_000, judge.remade
    )
    listed = robustness.listed(judge, told.rows[0])
    pixels = digits.images()[0][list(digits.rows(keys.TEST))]
    for row in listed:
        severity = row["severity"]
        given = np.array([corruptions.corrupted(image, "gaussian_noise", severity) for image in pixels]) / 255.0
        made = model.signatures["reconstruct_image_bytes"](
            tf.constant([png((255 * each).round().astype(np.uint8)) for each in given])
        )
        made = made["images"].numpy() / 255.0
        figures = row["figures"]
        assert figures["mse"] == pytest.approx(np.square(made - given).mean(), rel=1e-4)
        assert figures[robustness.TO_CLEAN] == pytest.approx(np.square(made - pixels / 255.0).mean(), rel=1e-4)
        assert figures[robustness.OF_INPUT] == pytest.approx(np.square(given - pixels / 255.0).mean(), rel=1e-4, abs=1e-12)
    parts = robustness.means(judge, told.rows[0], listed)
    assert [part["figure"] for part in parts] == ["mse", robustness.TO_CLEAN]
    assert parts[0]["mean_corruption_error"] == parts[0]["mean"], "where less is better the figure is the error"


def test_of_several_classes_an_image_and_of_scores_the_task_s_first_figure_stands():
    generator = np.random.default_rng(0)
    for task, columns in {
        "multilabel": {
            "labels": generator.integers(0, 2, (30, 3)), "probabilities": generator.random((30, 3)),
            "decisions": generator.integers(0, 2, (30, 3)), "subset_accuracy": generator.integers(0, 2, 30),
            "cross_entropy": generator.random(30),
        },
        "anomaly:reconstruction": {SCORE: generator.random(30), DECISION: generator.integers(0, 2, 30)},
    }.items():  # fmt: skip
        judge = judge_of(task)
        known = {ID: np.arange(30), keys.LABEL: generator.integers(0, 2, 30)}
        rows = dict.fromkeys(robustness.conditions(["contrast"]), known | columns)
        [part] = robustness.means(judge, rows, robustness.listed(judge, rows))
        assert part["figure"] == next(iter(judge.metrics))
        assert part["mean_corruption_error"] == pytest.approx(1 - part["clean"])


def test_of_scores_of_images_that_nobody_knows_no_number_of_mistakes_is_told():
    judge, nobody = judge_of("anomaly:reconstruction"), {ID: np.arange(30), keys.LABEL: np.full(30, -1)}
    columns = nobody | {SCORE: np.linspace(0, 1, 30), DECISION: np.ones(30), "mse": np.linspace(0, 1, 30)}
    rows = dict.fromkeys(robustness.conditions(["contrast"]), columns)
    told = robustness.listed(judge, rows)
    assert {name for row in told for name in row["figures"]} == {"mse", "psnr"}
    assert [part["figure"] for part in robustness.means(judge, rows, told)] == ["mse"]


def test_decibels_are_no_error():
    judge = judge_of("reconstruction")
    told = [
        {"name": name, "severity": severity, "figures": {"psnr": 0.5}} for name, severity in robustness.conditions(["contrast"])
    ]
    rows = {
        condition: {ID: np.arange(3), keys.LABEL: np.full(3, -1), "mse": np.ones(3)}
        for condition in robustness.conditions(["contrast"])
    }
    [part] = robustness.means(judge, rows, told)
    assert (part["figure"], part["mean"], part["mean_corruption_error"]) == ("psnr", 0.5, None)
