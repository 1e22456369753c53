"""What Evaluator reads around TFMA, and what it makes of TFMA's verdict."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from sklearn.decomposition import PCA
from tfx.types import standard_artifacts

from components import keys
from components.evaluator import component, reader
from components.example_gen import records
from components.tasks import base
from components.tasks.judges.base import Comparison
from components.tasks.judges.reconstruction import judge as judging
from components.tasks.reconstruction import task as reconstruction
from configs.schema.evaluate import EvaluateConfig
from tests.components import digits


class Segmentation(base.Task):
    """What a task of masks would say of itself to Evaluator."""

    targets = (keys.MASK,)
    pair = compile = signatures = None


def test_a_task_of_masks_is_judged_by_them_and_no_other_task_reads_them(artifacts, tmp_path):
    (tmp_path / "Split-test").mkdir()
    pixels = digits.images()[0][:3]
    encoded = [tf.io.encode_png(image).numpy() for image in pixels]
    masks = [tf.io.encode_png((image > 127).astype("uint8")).numpy() for image in pixels]
    with tf.io.TFRecordWriter(str(tmp_path / "Split-test/data.gz"), "GZIP") as writer:
        for number, (image, mask) in enumerate(zip(encoded, masks, strict=True)):
            writer.write(records.example(image, b"%d" % number, None, {keys.MASK: (mask, ())}))
    made = standard_artifacts.Examples()
    made.uri, made.split_names = str(tmp_path), '["test"]'
    [(seen, known)] = reader.images_of([made], digits.card(), Segmentation())(keys.TEST)
    assert known[keys.MASK].dtype == tf.int64
    assert known[keys.MASK].shape == (3, 8, 8, 1)
    np.testing.assert_array_equal(known[keys.MASK] == 1, seen > 127)
    assert known[keys.LABEL].numpy().tolist() == [-1] * 3
    [(_, labels)] = reader.images_of([made], digits.card(), reconstruction.Task())(keys.TEST)
    assert set(labels) == {keys.LABEL, keys.ANOMALY}


def judged(model, examples, tree, folder, baseline=None):
    """Artifacts of a run of the executor: the evaluation and the blessing."""
    made = {
        "model": standard_artifacts.Model(),
        "examples": standard_artifacts.Examples(),
        "evaluation": standard_artifacts.ModelEvaluation(),
        "blessing": standard_artifacts.ModelBlessing(),
    }
    for name, uri in (("model", model), ("examples", examples), ("evaluation", folder), ("blessing", folder / "blessing")):
        made[name].uri = str(uri)
    (folder / "blessing").mkdir()
    made["examples"].split_names = '["train", "validation", "test"]'
    asked = {component.spec.SLICE: EvaluateConfig.model_validate(tree).model_dump_json(), "example_splits": '["test"]'}
    executor = component.Executor(component.Executor.Context(beam_pipeline_args=[], tmp_dir=str(folder / "tmp"), unique_id=""))
    inputs = {name: [made[name]] for name in ("model", "examples")}
    if baseline:
        inputs["baseline_model"] = [standard_artifacts.Model()]
        inputs["baseline_model"][0].uri = str(baseline)
    executor.Do(inputs, {name: [made[name]] for name in ("evaluation", "blessing")}, asked)
    return made["evaluation"], made["blessing"]


def said(evaluation, *names):
    """What the evaluation's properties hold."""
    return [json.loads(evaluation.get_string_custom_property(name)) for name in names]


def evaluated(model, examples, tree, folder):
    """(files of the blessing, its reason, figures, those of slices) of a run of the executor."""
    evaluation, blessing = judged(model, examples, tree, folder)
    [file] = [path.name for path in (folder / "blessing").iterdir()]
    assert (file == "BLESSED") == bool(blessing.get_int_custom_property("blessed"))
    return (file, blessing.get_string_custom_property(keys.REASON), *said(evaluation, keys.METRICS, keys.SLICES))


@pytest.fixture
def partly_labelled(artifacts, tmp_path):
    """The artifact of examples with every second label left out."""
    copy = tmp_path / "examples"
    shutil.copytree(artifacts.examples, copy)
    for path in copy.rglob("*.gz"):
        records = list(tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator())
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for number, record in enumerate(records):
                example = tf.train.Example.FromString(record)
                if number % 2:
                    del example.features.feature[keys.LABEL]
                writer.write(example.SerializeToString())
    return copy


def test_a_config_may_bound_measured_figures_alone(autoencoder, artifacts, tmp_path, monkeypatch):
    monkeypatch.setattr(judging.Judge, "compare", lambda *_: [])
    tree = {"thresholds": {"probe_accuracy": {"min": 0.1}}}
    evaluation, blessing = judged(autoencoder, artifacts.examples, tree, tmp_path)
    figures, intervals, slices = said(evaluation, keys.METRICS, keys.INTERVALS, keys.SLICES)
    assert (tmp_path / "blessing/BLESSED").exists()
    assert (blessing.get_string_custom_property(keys.REASON), slices) == ("", [])
    assert 0.1 < figures["probe_accuracy"] < 1
    assert figures["example_count"] == 60
    assert intervals.keys() == figures.keys() - {"example_count"}
    assert all(low < figures[name] < high for name, (low, high) in intervals.items())
    hits = round(figures["probe_accuracy"] * 60)
    assert intervals["probe_accuracy"] == pytest.approx(wilson(hits, 60))


def wilson(hits, images) -> list[float]:
    """Newcombe 1998, Statistics in Medicine 17, method 3."""
    z = 1.959963984540054
    center, half = 2 * hits + z**2, z * np.sqrt(z**2 + 4 * hits * (1 - hits / images))
    return [(center + sign * half) / (2 * (images + z**2)) for sign in (-1, 1)]


def errors_by_label(model) -> tuple[dict[int, list[float]], ...]:
    """Of the images of `partly_labelled` that have a label: the model's and those of PCA."""
    pixels, labels = (part[list(digits.rows(keys.TEST))] for part in digits.images())
    reconstruct = tf.saved_model.load(str(model / "Format-Serving")).signatures["reconstruct_pixels"]
    given = reconstruct(pixels=tf.constant(pixels, tf.float32))["images"].numpy()
    principal = PCA(4).fit(digits.images()[0][list(digits.rows(keys.TRAIN))].reshape(-1, 64) / 255)
    rows = pixels.reshape(-1, 64) / 255
    projected = principal.inverse_transform(principal.transform(rows))
    each = np.square((given - pixels) / 255).mean((1, 2, 3)), np.square(projected - rows).mean(1)
    return tuple({label: errors[::2][labels[::2] == label].tolist() for label in range(10)} for errors in each)


def test_each_label_has_its_figure_and_a_measured_bound_undoes_tfma_s_blessing(autoencoder, partly_labelled, tmp_path, monkeypatch):
    monkeypatch.setattr(judging.Judge, "compare", lambda *_: [Comparison("mse", 1.0, "anything")])
    errors, beside = errors_by_label(autoencoder)
    largest = max((label for label in errors if len(errors[label]) > 1), key=lambda label: np.mean(errors[label]))
    bound = np.mean(errors[largest]) * 0.999
    tree = {
        "thresholds": {"knn_accuracy": {"min": 0.99}},
        "slices": {"label": {"thresholds": {"mse": {"max": bound}}, "min_count": 2}},
    }
    file, reason, figures, slices = evaluated(autoencoder, partly_labelled, tree, tmp_path)
    for name, each in (("mse", errors), ("pca_mse", beside)):
        expected = {label: pytest.approx(np.mean(squared), rel=1e-4) for label, squared in each.items() if squared}
        assert {part["slice"]["label"]: part["metrics"][name] for part in slices} == expected
    assert {part["slice"]["label"]: part["examples"] for part in slices} == {label: len(errors[label]) for label in expected}
    assert all(part["class"] == digits.NAMES[part["slice"]["label"]] for part in slices)
    assert all(part["metrics"].keys() == {"mse", "psnr", "ssim", "sparsity", "pca_mse", "pca_psnr", "pca_ssim"} for part in slices)
    for part in slices:
        for name, each in (("mse", errors), ("pca_mse", beside)):
            known = each[part["slice"]["label"]]
            ends = list(stats.t.interval(0.95, len(known) - 1, np.mean(known), stats.sem(known))) if len(known) > 1 else None
            assert part["intervals"].get(name) == (ends and pytest.approx(ends, rel=1e-3, abs=1e-7))
    assert file == "NOT_BLESSED"
    assert reason.split("; ") == [
        f"mse {np.mean(errors[largest]):.4f} is above the maximum {bound:g} on the slice label={largest}",
        f"knn_accuracy {figures['knn_accuracy']:.4f} is below the minimum 0.99",
    ]
    assert {"mse", "psnr", "ssim", "sparsity", "pca_psnr", "pca_ssim", "kernel_pca_mse", "pca_probe_accuracy"} < figures.keys()
    assert "ms_ssim" not in figures  # of 8 px there is none


class OneOutput(tf.Module):
    """A signature `figures` whose only output is the squared error."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def figures(self, examples):
        return {"mse": tf.fill(tf.shape(examples), 0.25)}


def test_an_answer_of_one_output_is_no_other_figure(artifacts, tmp_path, monkeypatch):
    for name, nothing in (("compare", []), ("measure", {})):
        monkeypatch.setattr(judging.Judge, name, lambda *_, nothing=nothing: nothing)
    module = OneOutput()
    tf.saved_model.save(module, str(tmp_path / "model/Format-Serving"), signatures={"figures": module.figures})
    card = digits.card(task="reconstruction", architecture="conv_autoencoder")
    (tmp_path / "model" / keys.CARD_FILE).write_text(card.model_dump_json())
    *_, figures, _ = evaluated(tmp_path / "model", artifacts.examples, {"thresholds": {"mse": {"max": 1.0}}}, tmp_path)
    assert figures["mse"] == 0.25
    assert figures["psnr"] == pytest.approx(-10 * np.log10(0.25))
    assert figures.keys() == {"mse", "psnr", "example_count"}  # and no ssim or sparsity of 0.25


class AlwaysZero(tf.Module):
    """A classifier whose only output says that each image is class 0, nearly surely."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def answer(self, examples):
        return {"probabilities": tf.tile(tf.one_hot([0], 10, 0.91, 0.01), [tf.size(examples), 1])}


@pytest.fixture(scope="module")
def against_zero(artifacts, classifier, tmp_path_factory):
    """The evaluation of the classifier with an earlier model of one output, by label."""
    folder, module = tmp_path_factory.mktemp("against"), AlwaysZero()
    tf.saved_model.save(module, str(folder / "zero/Format-Serving"), signatures={"serving_default": module.answer})
    (folder / "zero" / keys.CARD_FILE).write_text(digits.card().model_dump_json())
    tree = {"change": {"accuracy": {"max_drop": 1.0}, "cross_entropy": {"max_rise": 9.0}}, "slices": {"label": {}}}
    evaluation, _ = judged(classifier, artifacts.examples, tree, folder, folder / "zero")
    return evaluation


def test_every_figure_has_its_interval_from_the_answers_that_were_judged(against_zero, classifier):
    figures, intervals, slices = said(against_zero, keys.METRICS, keys.INTERVALS, keys.SLICES)
    answer = tf.saved_model.load(str(classifier / "Format-Serving")).signatures["serving_default"]
    labels = digits.images()[1][list(digits.rows(keys.TEST))]
    probabilities = answer(examples=tf.constant(digits.examples(keys.TEST)))["probabilities"].numpy()
    correct, losses = probabilities.argmax(1) == labels, -np.log(probabilities[np.arange(60), labels])
    assert figures["accuracy"] == pytest.approx(correct.mean())
    assert intervals["accuracy"] == pytest.approx(wilson(correct.sum(), 60))
    assert figures["cross_entropy"] == pytest.approx(losses.mean(), rel=1e-5)
    assert intervals["cross_entropy"] == pytest.approx(list(stats.t.interval(0.95, 59, losses.mean(), stats.sem(losses))), rel=1e-4)
    low, high = intervals["macro_f1"]
    assert low < figures["macro_f1"] < high
    assert intervals.keys() == figures.keys() - {"example_count"}
    assert {part["slice"]["label"] for part in slices} == set(labels)
    for part in slices:
        mine = labels == part["slice"]["label"]
        assert part["intervals"]["accuracy"] == pytest.approx(wilson(correct[mine].sum(), mine.sum()))


def test_a_change_is_told_from_noise_by_the_same_images(against_zero, classifier):
    figures, differences = said(against_zero, keys.METRICS, keys.DIFFERENCES)
    accuracy, cross_entropy = differences
    labels = digits.images()[1][list(digits.rows(keys.TEST))]
    assert (accuracy["metric"], accuracy["test"]) == ("accuracy", "McNemar's test")
    assert accuracy["against"] == "the last blessed other model"
    assert accuracy["difference"] == pytest.approx(figures["accuracy"] - (labels == 0).mean())
    assert cross_entropy["test"] == "paired t-test"
    of_zero = -np.log(np.where(labels == 0, 0.91, 0.01)).mean()
    assert cross_entropy["difference"] == pytest.approx(figures["cross_entropy"] - of_zero, abs=1e-5)
    low, high = cross_entropy["interval"]
    assert low < cross_entropy["difference"] < high < 0
    assert not cross_entropy["within_noise"]
    words = against_zero.get_string_custom_property(keys.COMPARISON)
    assert f"of the last blessed other model: a difference {accuracy['words']}" in words
