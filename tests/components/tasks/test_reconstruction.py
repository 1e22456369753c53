"""What stands beside an autoencoder's error: figures in the graph, PCA's, and what codes know of classes they were never told."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from components import keys
from components.evaluator import label_free
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.tasks.judges.reconstruction import principal
from components.tasks.reconstruction import figures, pca
from components.trainer import artifact, endpoints
from components.trainer.card import Card
from keras_models import build, normalize
from tests.components import digits

PROBES = {"probe_accuracy", "knn_accuracy", "kmeans_ari"}
PCA_PROBES = {f"pca_{name}" for name in PROBES}
BESIDE = {"pca_mse", "pca_psnr", "pca_ssim", "kernel_pca_mse"}


def reader(keep=lambda places: places >= 0):
    """Reader of the digits as Evaluator has it; labels at places that are not kept are missing."""

    @functools.cache
    def images(split):
        places = np.array(digits.rows(split))
        labels = np.where(keep(places), digits.images()[1][places], -1).astype(np.int64)
        return tf.data.Dataset.from_tensor_slices((digits.images()[0][places].astype(np.float32), {keys.LABEL: labels})).batch(50)

    return images


def measured(model, images, judge=None) -> dict[str, float]:
    return (judge or judge_of("reconstruction")).measure(model / "Format-Serving", Card.read(str(model)), images)


@pytest.fixture(scope="module")
def measures(autoencoder):
    """Of all digits, labelled."""
    return measured(autoencoder, reader())


def test_pca_stands_beside_the_model_in_the_same_measures(measures):
    assert measures.keys() == PROBES | PCA_PROBES | BESIDE
    images = digits.images()[0] / 255.0
    exact = pca.fit([images[:240]], 4)
    test = images[300:360].astype(np.float32)
    given = (exact.codes(test) @ exact.components + exact.mean).reshape(test.shape).astype(np.float32)
    assert measures["pca_psnr"] == pytest.approx(tf.reduce_mean(tf.image.psnr(test, given, 1.0)).numpy(), abs=1e-3)
    assert measures["pca_ssim"] == pytest.approx(tf.reduce_mean(figures.ssim(test, given)).numpy(), abs=1e-5)
    assert measures["pca_mse"] == pytest.approx(exact.mean_squared_error([test]), rel=1e-4)
    assert 0 < measures["kernel_pca_mse"] < exact.mean_squared_error([test])
    scaler = StandardScaler().fit(exact.codes(images[:240]))
    probe = LogisticRegression(max_iter=300).fit(scaler.transform(exact.codes(images[:240])), digits.images()[1][:240])
    score = probe.score(scaler.transform(exact.codes(test)), digits.images()[1][300:360])
    assert measures["pca_probe_accuracy"] == pytest.approx(score, abs=1 / 60)
    nearest = KNeighborsClassifier(5).fit(exact.codes(images[:240]), digits.images()[1][:240])
    score = nearest.score(exact.codes(test), digits.images()[1][300:360])
    assert measures["pca_knn_accuracy"] == pytest.approx(score, abs=1 / 60)


def test_codes_of_digits_know_more_than_chance(measures):
    assert all(measures[name] > 0.2 for name in (PROBES | PCA_PROBES) - {"kmeans_ari", "pca_kmeans_ari"})
    assert measures["kmeans_ari"] > 0.03
    assert measures["pca_kmeans_ari"] > 0.03


def test_without_labels_there_is_what_needs_none(autoencoder, measures):
    unlabelled = measured(autoencoder, reader(lambda places: places < 0))
    assert unlabelled == {name: pytest.approx(measures[name], rel=1e-6) for name in BESIDE}


def test_pca_of_a_label_is_the_mean_over_its_images(autoencoder, measures):
    images = reader(lambda places: places % 2 == 0)
    by_label = judge_of("reconstruction").measure_labels(autoencoder / "Format-Serving", Card.read(str(autoencoder)), images)
    labels, test = digits.images()[1][300:360:2], digits.images()[0][300:360:2] / 255.0
    exact = pca.fit([digits.images()[0][:240] / 255.0], 4)
    assert by_label.keys() == set(labels.tolist())
    for label, beside in by_label.items():
        assert beside.keys() == BESIDE - {"kernel_pca_mse"}
        errors = exact.errors(test[labels == label])
        assert beside["pca_mse"] == pytest.approx(errors.mean(), rel=1e-4)
        assert beside["pca_psnr"] == pytest.approx(-10 * np.log10(errors).mean(), rel=1e-4)


def test_pca_has_ms_ssim_where_the_model_has_it():
    images = tf.image.resize(digits.images()[0][:2], (176, 176)).numpy() / 255
    exact = pca.Principal(np.full(176 * 176, 0.5), np.eye(1, 176 * 176))
    by_image = label_free.of_principal(exact, [(images, images)])
    given = np.full_like(images, 0.5)
    given[:, 0, 0] = images[:, 0, 0]
    assert by_image["pca_ms_ssim"] == pytest.approx(figures.ms_ssim(images, given).numpy(), rel=1e-5)
    assert label_free.means(by_image, np.array([False, True])) == {name: errors[1] for name, errors in by_image.items()}


def test_images_without_a_label_are_left_out(autoencoder, measures):
    partial = measured(autoencoder, reader(lambda places: places % 2 == 0))
    assert partial.keys() == measures.keys()
    assert partial["probe_accuracy"] == pytest.approx(measures["probe_accuracy"], abs=0.25)
    assert all(partial[name] == pytest.approx(measures[name], rel=1e-6) for name in BESIDE)


def test_labels_of_the_training_split_alone_or_of_one_class_give_no_probe(autoencoder):
    assert measured(autoencoder, reader(lambda places: places < 240)).keys() == BESIDE
    assert measured(autoencoder, reader(lambda places: digits.images()[1][places] == 3)).keys() == BESIDE


def test_a_linear_family_has_no_kernel_pca(autoencoder, monkeypatch):
    judge = judge_of("reconstruction")
    monkeypatch.setattr(type(judge), "has_kernel_pca", False)
    assert measured(autoencoder, reader(lambda places: places < 0), judge).keys() == BESIDE - {"kernel_pca_mse"}


def test_no_label_is_learned_from():
    assert task_of("reconstruction").targets == ()
    assert judge_of("reconstruction").label_key is None


def test_the_size_of_a_code_is_read_without_loading_the_model(autoencoder, monkeypatch):
    monkeypatch.setattr(tf.saved_model, "load", None)
    assert principal.size_of_code(autoencoder / "Format-Serving") == 4


def test_pca_is_fitted_once_whoever_asks(autoencoder):
    asked = []
    images = reader()

    def counted(split):
        asked.append(split)
        return images(split)

    judge, card = judge_of("reconstruction"), Card.read(str(autoencoder))
    judge.compare(autoencoder / "Format-Serving", card, counted)
    assert asked.count(keys.TRAIN) == 1
    principal.principal(counted, 4)
    assert asked.count(keys.TRAIN) == 1


def test_past_the_largest_exact_size_the_verdict_says_what_pca_it_was(autoencoder, monkeypatch):
    monkeypatch.setattr(pca, "MAX_EXACT", 63)
    [comparison] = judge_of("reconstruction").compare(autoencoder / "Format-Serving", Card.read(str(autoencoder)), reader())
    assert comparison.words == "incremental PCA with the same code size of 4, fitted on the training split"


def test_sparsity_is_that_of_the_served_code(autoencoder):
    model, card = artifact.load(str(autoencoder)), Card.read(str(autoencoder))
    signatures = task_of("reconstruction").signatures(model, card)
    pixels = tf.constant(digits.images()[0][:5], tf.float32)
    codes = signatures["encode"].function(pixels)["codes"]
    np.testing.assert_allclose(signatures["figures"].function(pixels)["sparsity"], figures.sparsity(codes), rtol=1e-6)


def test_a_large_image_has_ms_ssim_and_a_code_of_one_number_no_sparsity_and_what_is_served_is_what_keras_says(tmp_path):
    keras.utils.set_random_seed(0)
    shape = (176, 176, 1)
    net = build("conv_autoencoder", {"input_shape": shape}, {"code_size": 1, "filters": [2, 2, 2]})
    model, card = normalize.with_normalization(net, "unit"), digits.card(task="reconstruction", input_shape=shape)
    card = card.model_copy(update={"transform": card.transform.model_copy(update={"height": 176, "width": 176})})
    endpoint = endpoints.of(task_of("reconstruction").signatures(model, card), card)["figures_pixels"]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("figures_pixels", endpoint.function, endpoint.specs)
    archive.write_out(str(tmp_path), verbose=False)
    pixels = tf.round(tf.image.resize(digits.images()[0][:3], shape[:2]))
    served = tf.saved_model.load(str(tmp_path)).signatures["figures_pixels"](pixels=pixels)
    assert served.keys() == {"mse", "ssim", "ms_ssim"}
    for name, value in endpoint.signature.function(pixels).items():
        np.testing.assert_allclose(served[name], value, rtol=1e-5, atol=1e-5)
