"""Every autoencoder's page has what the model has, of real digits, and none of its sections raises."""

import dataclasses
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.evaluator import detection, per_image
from components.example_gen import records
from components.reporter import writing
from components.reporter.material import Artifact, Material
from components.tasks.reconstruction import pca
from components.tasks.reports import by_name
from components.tasks.reports.reconstruction.looked import Looked
from components.tasks.reports.reconstruction.sections import beside_pca
from keras_models import catalog, get, normalize
from reports.run import page
from reports.run.blocks import Missing, Pictures, Table, Verdict
from tests import browser
from tests.components import digits

AUTOENCODERS = [name for name in catalog() if catalog()[name].task.startswith("reconstruction")]
ALL = {"reconstructions", "beside-pca", "code", "code-map", "interpolations"}
NOISE = {"noise": [{"gaussian_noise": {"stddev": 0.3}}]}
CALIBRATED = {
    "reconstruction.denoising": NOISE,
    "reconstruction.variational": {"likelihood": "bernoulli", "code_size": 2},
    "reconstruction.sparse": {"figure": "rate", "target": 0.05},
}
OPTIONS = {"denoising_autoencoder": {"form": "dense"}, "sparse_autoencoder": {"form": "dense"}}
HAVE_BASIS = {
    "autoencoder", "linear_autoencoder", "pca", "psd", "sparse_coding", "denoising_autoencoder", "sparse_autoencoder",
    "contractive_autoencoder",
}  # fmt: skip


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """Of the digits, each told whether it is one above 4."""
    folder, (pixels, labels) = tmp_path_factory.mktemp("examples"), digits.images()
    for split in digits.COUNTS:
        (folder / f"Split-{split}").mkdir()
        with tf.io.TFRecordWriter(str(folder / f"Split-{split}" / "data.gz"), "GZIP") as writer:
            for row in digits.rows(split):
                encoded, label = tf.io.encode_png(pixels[row]).numpy(), int(labels[row])
                size = {keys.IMAGE_HEIGHT: 8, keys.IMAGE_WIDTH: 8}
                writer.write(records.example(encoded, f"digit-{row}".encode(), label, {keys.ANOMALY: int(label > 4)}, size))
    return Artifact(folder)


def material(examples, folder, model, **card):
    """A model that was never trained, and its card."""
    model.save(folder / keys.KERAS_FILE)
    told = {"transform": digits.AUTOENCODER["transform"], "export": {"warmup": 0, "draws": 3}, **card}
    (folder / keys.CARD_FILE).write_text(digits.card(**told).model_dump_json())
    return Material({"examples": examples, "model": Artifact(folder)})


def twin(name):
    keras.utils.set_random_seed(3)
    options = {**get(name).tiny, "input_shape": (8, 8, 1), **OPTIONS.get(name, {})}
    return normalize.with_normalization(get(name).build(**options), "unit")


def sections(given):
    """By key; what raises, raises here."""
    made = [make() for make in by_name.report_of(given.card.task).sections(given)]
    return {section.key: section for section in made if section is not None}


def blocks(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_every_autoencoder_has_the_sections_of_what_it_has(name, examples, tmp_path):
    task = get(name).task
    given = material(examples, tmp_path, twin(name), architecture=name, task=task, calibrated=CALIBRATED.get(task, {}))
    made = sections(given)
    is_noisy, is_density = task.endswith("denoising"), task.endswith("variational")
    wanted = (ALL - {"reconstructions"} | {"denoising"} if is_noisy else ALL) | ({"samples"} if is_density else set())
    assert set(made) == wanted | ({"basis"} if name in HAVE_BASIS else set())
    assert [block.what for section in made.values() for block in blocks(section, Missing)] == ["figures beside the model's"]
    [shown] = blocks(made["denoising" if is_noisy else "reconstructions"], Pictures)
    assert len(shown.pictures) + shown.more == 60
    assert all(picture.alt for section in made.values() for block in blocks(section, Pictures) for picture in block.pictures)
    html = page.html(name, Verdict("good", "Fine."), list(made.values()))
    assert html.count("<section") == len(made)
    assert len(html) < 5e6


@pytest.fixture(scope="module")
def principal(examples, tmp_path_factory):
    model, card = digits.principal_autoencoder(8)
    return material(examples, tmp_path_factory.mktemp("principal"), model, **card.model_dump(include={"architecture", "task"}))


def test_images_stand_from_best_to_worst_with_the_errors_that_they_have(principal):
    looked = Looked(principal)
    pixels = digits.images()[0][digits.rows(keys.TEST)].astype(np.float32)
    made = principal.model.predict(pixels, verbose=0)
    errors = np.square(pixels / 255 - made).reshape(60, -1).mean(1)
    np.testing.assert_allclose(looked.each["mse"], errors, rtol=1e-4)
    [shown] = blocks(sections(principal)["reconstructions"], Pictures)
    told = [float(re.search(r"squared error ([\d.e-]+)", picture.alt)[1]) for picture in shown.pictures]
    assert told == sorted(told)
    np.testing.assert_allclose([told[0], told[-1]], [errors.min(), errors.max()], rtol=1e-3)
    assert shown.pictures[0].caption.startswith("best")
    assert shown.pictures[-1].caption.startswith("worst")


def test_pca_beside_the_model_is_that_of_the_training_split(principal):
    looked = Looked(principal)
    pixels, exact = digits.images()[0], pca.fit([digits.images()[0][digits.rows(keys.TRAIN)] / 255], 8)
    test = pixels[digits.rows(keys.TEST)] / 255
    np.testing.assert_allclose(beside_pca._errors(looked, np.arange(60)), exact.errors(test), rtol=1e-5)


def test_an_overcomplete_code_stands_beside_as_many_components_as_are_active(examples, tmp_path):
    keras.utils.set_random_seed(3)
    net = get("sparse_autoencoder").build(input_shape=(8, 8, 1), code_size=90, penalty="k_sparse", k=5)
    model = normalize.with_normalization(net, "unit")
    known = {"architecture": "sparse_autoencoder", "task": "reconstruction.sparse", "calibrated": {"figure": "active", "target": 5}}
    looked = Looked(material(examples, tmp_path, model, **known))
    assert len(looked.principal.components) == round(float(looked.each["active"].mean())) <= 5


def test_figures_are_those_that_evaluator_wrote(principal, tmp_path):
    metrics = {"mse": 0.02, "psnr": 17.5, "pca_mse": 0.03, "kernel_pca_mse": 0.01, "pca_psnr": 16.0, "pca_other": 1.0}
    properties = {
        keys.METRICS: json.dumps(metrics), keys.INTERVALS: json.dumps({"mse": [0.019, 0.021]}),
        keys.COMPARISON: "mse 0.02 against 0.03 of PCA",
    }  # fmt: skip
    judged = dataclasses.replace(principal, artifacts={**principal.artifacts, "evaluation": Artifact(tmp_path, properties)})
    [table] = blocks(sections(judged)["beside-pca"], Table)
    assert table.rows == [
        ["mse", "0.02 (95 %: 0.019 to 0.021)", "PCA", "0.03", "the model"],
        ["mse", "0.02 (95 %: 0.019 to 0.021)", "kernel PCA", "0.01", "the other"],
        ["psnr", "17.5", "PCA", "16", "the model"],
    ]
    assert "0.02 (95 %: 0.019 to 0.021)" in sections(judged)["reconstructions"].about


def test_what_evaluator_kept_of_images_is_theirs_whatever_its_order(principal, tmp_path, monkeypatch):
    names = [f"digit-{row}".encode() for row in digits.rows(keys.TEST)]
    ids = np.array([per_image.digest(name) for name in names], np.uint64)
    order = np.random.default_rng(0).permutation(60)
    table = {"id": ids[order], keys.LABEL: np.zeros(60, np.int64), "mse": np.arange(60.0)[order]}
    asked = []

    def read(uri, model):
        asked.append(model)
        if model is not None:
            raise ValueError("no such model")
        return {(): table}, {}

    monkeypatch.setattr(per_image, "read", read)
    judged = dataclasses.replace(principal, artifacts={**principal.artifacts, "evaluation": Artifact(tmp_path)})
    assert Looked(judged).each["mse"].tolist() == [*range(60)]
    assert [*Looked(judged).each] == ["mse"]
    table["id"] = table["id"][:-1]
    assert Looked(judged).each["mse"].max() < 1, "of a table that lacks an image nothing is taken"
    assert "ssim" in Looked(judged).each


def test_a_decoder_that_is_told_classes_has_a_row_of_samples_for_each(examples, tmp_path):
    keras.utils.set_random_seed(3)
    net = get("vae").build(**{**get("vae").tiny, "input_shape": (8, 8, 1), "conditional": True, "num_classes": 10})
    told = {"architecture": "vae", "task": "reconstruction.variational", "calibrated": CALIBRATED["reconstruction.variational"]}
    given = material(examples, tmp_path, normalize.with_normalization(net, "unit"), **told)
    rows, beside = blocks(sections(given)["samples"], Pictures)
    assert [picture.caption for picture in rows.pictures] == digits.NAMES
    assert len({picture.data for picture in rows.pictures}) == 10
    assert len(beside.pictures) == 8
    assert "240 training images" in beside.caption


@pytest.fixture(scope="module")
def detector(examples, tmp_path_factory):
    model, _ = digits.principal_autoencoder(8)
    known = {"architecture": "pca", "task": "anomaly:reconstruction", "anomaly": {"quantile": 0.9}}
    return material(examples, tmp_path_factory.mktemp("detector"), model, calibrated={"anomaly": {"threshold": 0.025}}, **known)


def test_a_detector_has_its_scores_first_and_then_what_its_autoencoder_has(detector):
    made = sections(detector)
    assert [*made][:2] == ["anomaly-scores", "threshold"]
    assert ALL <= set(made)
    page.html("detector", Verdict("good", "Fine."), list(made.values()))


def test_the_curve_and_the_histogram_are_of_the_scores(detector):
    looked = Looked(detector)
    labels = digits.images()[1][digits.rows(keys.TEST)]
    scores = looked.each["anomaly_score"]
    np.testing.assert_array_equal(looked.kinds, labels > 4)
    histogram, roc = sections(detector)["anomaly-scores"].blocks[:2]
    counts = {"normal": 0, "anomaly": 0}
    for _, _, count, kind in histogram.rows:
        counts[kind] += int(count)
    assert counts == {"normal": int((labels <= 4).sum()), "anomaly": int((labels > 4).sum())}
    assert f"{detection.auroc((labels > 4).astype(int), scores):.4g}" in roc.about
    above = scores > 0.025
    assert roc.rows[0] == ["threshold", f"{above[labels <= 4].mean():.4f}", f"{above[labels > 4].mean():.4f}"]


def test_the_nearest_to_the_threshold_lie_on_both_sides_and_say_which(detector):
    scores = Looked(detector).each["anomaly_score"]
    nearest, *_ = blocks(sections(detector)["threshold"], Pictures)
    told = [float(re.search(r"score ([\d.e-]+)", picture.alt)[1]) for picture in nearest.pictures]
    wanted = np.sort(scores[np.argsort(np.abs(scores - 0.025))[:16]])
    np.testing.assert_allclose(told, wanted, rtol=1e-3)
    for score, picture in zip(told, nearest.pictures, strict=True):
        assert ("above the threshold" if score > 0.025 else "below the threshold") in picture.alt
        is_right = ("anomaly," in picture.alt) == (score > 0.025)
        assert picture.mark == ("good" if is_right else "bad")


def test_without_knowledge_of_anomalies_there_is_no_curve_and_it_says_why(detector, artifacts):
    unknown = dataclasses.replace(detector, artifacts={**detector.artifacts, "examples": Artifact(artifacts.examples)})
    made = sections(unknown)["anomaly-scores"]
    assert [(block.what, "data.inliers" in block.why) for block in blocks(made, Missing)] == [("the ROC curve", True)]


def test_codes_that_are_no_numbers_are_a_sentence_on_the_page(examples, tmp_path):
    broken = twin("autoencoder")
    layer = normalize.inner(broken).get_layer("encoder").get_layer("code")
    layer.set_weights([np.full_like(weight, np.nan) for weight in layer.get_weights()])
    given = material(examples, tmp_path, broken, architecture="autoencoder", task="reconstruction")
    missing = {block.what: block.why for section in writing.sections(given) for block in blocks(section, Missing)}
    assert missing["task code"] == "60 codes are no finite numbers."


def test_a_map_by_t_sne_is_on_the_full_page_alone(principal):
    full = dataclasses.replace(principal, full=True)
    keys_of = [[block.key for block in sections(given)["code-map"].blocks if hasattr(block, "spec")] for given in (principal, full)]
    assert keys_of == [["code-map-pca"], ["code-map-pca", "code-map-tsne"]]


@pytest.mark.whole
@pytest.mark.browser
def test_a_browser_shows_the_pages_of_an_autoencoder_a_density_and_a_detector(principal, detector, examples, chromium, tmp_path):
    task, folder = get("vae").task, tmp_path / "vae"
    folder.mkdir()
    density = material(examples, folder, twin("vae"), architecture="vae", task=task, calibrated=CALIBRATED[task])
    (tmp_path / "profile").mkdir()
    with browser.started(chromium, tmp_path / "profile") as chrome:
        for name, given in {"autoencoder": principal, "vae": density, "detector": detector}.items():
            at = tmp_path / f"{name}.html"
            written = writing.of(given)
            at.write_text(written.text)
            assert written.thumbnail
            browser.check(chrome, at)
