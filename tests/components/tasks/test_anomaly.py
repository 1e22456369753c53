"""Anomaly detection around a task of reconstruction: what is evaluated is what is served, and a spoiled model is refused."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from components import fingerprint, keys, pooling
from components.evaluator import detection, slices
from components.tasks import anomaly
from components.tasks.by_name import modules_of, name_of, task_of
from components.tasks.judges import anomaly as judging
from components.tasks.judges.by_name import judge_of
from components.trainer import component, endpoints
from components.trainer.data import Data, DataInfo
from components.transform import pixels as pixel_graph
from components.transform import placement
from configs.errors import HubelError, UsageError
from configs.schema.anomaly import AnomalyConfig
from configs.schema.evaluate import EvaluateConfig
from keras_models import build, normalize, own_draws
from tests.components import digits
from tests.components.verdict import refusals

TASK, VARIATIONAL = task_of("anomaly:reconstruction"), task_of("anomaly:reconstruction.variational")
JUDGE = judge_of("anomaly:reconstruction")
INLIERS, CODE_SIZE, EPOCHS, BATCH = 5, 4, 40, 32  # classes 0 to 4
TRAINING, VALIDATION, TEST = slice(0, 1000), slice(1000, 1300), slice(1300, 1797)  # inliers alone but in the last
SERVED = ("anomalies_image_bytes", "anomalies_pixels", "anomalies_at_pixels", "anomaly_score_pixels", "figures_pixels", "encode")


def batches(rows, only_inliers=True, **targets) -> tf.data.Dataset:
    pixels, labels = (part[rows] for part in digits.images())
    kept = labels < INLIERS if only_inliers else np.ones(len(labels), bool)
    return tf.data.Dataset.from_tensor_slices((pixels[kept].astype(np.float32), targets)).batch(BATCH)


def data_of() -> Data:
    plain, count = batches(TRAINING), int((digits.images()[1][TRAINING] < INLIERS).sum())
    everything = plain.unbatch().cache()

    def training(first, epochs):
        return everything.shuffle(count, seed=1).batch(BATCH).repeat(epochs - first)

    return Data(DataInfo((8, 8, 1), digits.NAMES, count), -(-count // BATCH), training, plain, batches(VALIDATION))


def autoencoder() -> keras.Model:
    """Dense, behind its normalisation."""
    image, code = keras.Input((8, 8, 1)), keras.Input((CODE_SIZE,))
    x = layers.Dense(48, activation="elu")(layers.Flatten()(image))
    encoder = keras.Model(image, layers.Dense(CODE_SIZE)(x), name="encoder")
    x = layers.Dense(64, activation="sigmoid")(layers.Dense(48, activation="elu")(code))
    decoder = keras.Model(code, layers.Reshape((8, 8, 1))(x), name="decoder")
    return normalize.with_normalization(keras.Model(image, decoder(encoder(image))), "unit")


def variational() -> keras.Model:
    """Dense, untrained."""
    options = {"code_size": CODE_SIZE, "hidden": [8], "likelihood": "gaussian"}
    return normalize.with_normalization(build("vae", {"input_shape": (8, 8, 1)}, options), "unit")


def card_of(model, data=None, task=TASK, transform=digits.AUTOENCODER["transform"], **asked):
    card = digits.card(task=name_of("reconstruction", AnomalyConfig()), anomaly=asked, transform=transform)
    card = card.model_copy(update={"export": card.export.model_copy(update={"draws": 4})})
    return card.model_copy(update={"calibrated": task.calibrate(model, data or data_of(), card)})


def saved(folder, model, card, task=TASK, names=SERVED):
    """The signatures that are asked here, as a SavedModel."""
    archive, made = keras.export.ExportArchive(), endpoints.of(task.signatures(model, card), card)
    archive.track(model)
    for name in names:
        archive.add_endpoint(name, made[name].function, made[name].specs)
    archive.write_out(str(folder), verbose=False)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that knows the digits 0 to 4, judged by its error."""
    keras.utils.set_random_seed(0)
    model, data = autoencoder(), data_of()
    cfg = digits.trainer_slice(digits.AUTOENCODER, train={"epochs": EPOCHS, "optimizer": {"learning_rate": 0.01}})
    TASK.fit(model, data, cfg.train, 0, [])
    card = card_of(model, data, quantile=0.9)
    folder = saved(tmp_path_factory.mktemp("anomaly"), model, card)
    return SimpleNamespace(model=model, card=card, folder=folder, served=tf.saved_model.load(str(folder)).signatures)


def pixels_of(rows=TEST) -> tf.Tensor:
    return tf.constant(digits.images()[0][rows].astype(np.float32))


def scored(model, card, pixels, task=TASK) -> np.ndarray:
    """Of images that fill the model's input."""
    return task.score(model, card)(pixels, placement.of_targets({}, len(pixels), card.transform)).numpy()


def numpy_of(answer) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in answer.items()}


@pytest.fixture(scope="module", params=["reconstruction_error", "latent_distance", "elbo"])
def detector(request, trained, tmp_path_factory):
    """The trained model, judged by its error or its codes, and a density of images."""
    if request.param == "reconstruction_error":
        return trained
    keras.utils.set_random_seed(0)
    model, task = (variational(), VARIATIONAL) if request.param == "elbo" else (trained.model, TASK)
    card = card_of(model, task=task, score=request.param, quantile=0.9)
    folder = saved(tmp_path_factory.mktemp(request.param), model, card, task, ("anomalies_image_bytes", "figures_pixels"))
    return SimpleNamespace(model=model, card=card, folder=folder, served=tf.saved_model.load(str(folder)).signatures)


def test_the_score_that_is_served_is_the_one_that_was_evaluated(detector):
    pixels, threshold = pixels_of(), detector.card.calibrated["anomaly"]["threshold"]
    evaluated = numpy_of(detector.served["figures_pixels"](pixels=pixels))
    assert {"mse", "ssim", "sparsity", "anomaly_score", "is_anomaly"} <= set(evaluated)
    if detector.card.anomaly.score == "elbo":
        np.testing.assert_array_equal(evaluated["anomaly_score"], -evaluated["elbo"])
    else:
        assert len(evaluated) == 5
    assert 0 < evaluated["is_anomaly"].mean() < 1
    png = tf.constant([tf.io.encode_png(tf.cast(image, tf.uint8)).numpy() for image in pixels])
    for name in {"anomalies_image_bytes", "anomalies_pixels", "anomaly_score_pixels"} & detector.served.keys():
        answer = detector.served[name](**({"pixels": pixels} if name.endswith("pixels") else {"image_bytes": png}))
        np.testing.assert_allclose(answer["anomaly_score"], evaluated["anomaly_score"], rtol=1e-5)
        np.testing.assert_array_equal(answer["is_anomaly"], evaluated["is_anomaly"] == 1)
        np.testing.assert_array_equal(answer["is_anomaly"], answer["anomaly_score"].numpy() > threshold)
        assert answer["is_anomaly"].dtype == tf.bool


def test_the_map_is_where_the_error_is(trained):
    pixels = pixels_of()
    answer = numpy_of(trained.served["anomalies_pixels"](pixels=pixels))
    errors = np.square(pixels / 255 - trained.model(pixels))
    assert answer["anomaly_map"].shape == (len(pixels), 8, 8, 1)
    np.testing.assert_allclose(answer["anomaly_map"], errors, atol=1e-6)
    np.testing.assert_allclose(answer["anomaly_map"].mean((1, 2, 3)), answer["anomaly_score"], rtol=1e-5)


def test_the_threshold_comes_along_and_a_request_may_bring_another(trained):
    pixels, own = pixels_of(slice(1300, 1304)), trained.card.calibrated["anomaly"]["threshold"]
    answer = numpy_of(trained.served["anomalies_pixels"](pixels=pixels))
    assert answer["threshold"].tolist() == [own] * 4
    at = trained.served["anomalies_at_pixels"]
    for name, value in numpy_of(at(pixels=pixels, threshold=tf.constant([own] * 4))).items():
        np.testing.assert_array_equal(value, answer[name])
    each = numpy_of(at(pixels=pixels, threshold=tf.constant([0.0, 1.0, 0.0, 1.0])))
    assert each["is_anomaly"].tolist() == [True, False, True, False]
    for_all = numpy_of(at(pixels=pixels, threshold=tf.constant([1.0])))
    assert for_all["threshold"].tolist() == [1.0] * 4
    assert not for_all["is_anomaly"].any()
    with pytest.raises(tf.errors.InvalidArgumentError):
        at(pixels=pixels, threshold=tf.constant([0.0, 1.0]))
    for wrong in (np.nan, np.inf):
        with pytest.raises(tf.errors.InvalidArgumentError, match="a threshold must be a finite number"):
            at(pixels=pixels, threshold=tf.constant([0.0, 1.0, wrong, 0.0]))


FIT = {**digits.AUTOENCODER["transform"], "resize": "fit"}


def long(image: np.ndarray) -> np.ndarray:
    """Two digits side by side, uint8 [8, 16, 1]: `fit` puts bars of two rows above and below."""
    return np.concatenate([image, image[:, ::-1]], 1)


def sized(pixels, height, width) -> tf.data.Dataset:
    sizes = {name: np.full(len(pixels), side, np.int64) for name, side in zip(placement.SIZE, (height, width), strict=True)}
    return tf.data.Dataset.from_tensor_slices((pixels, sizes)).batch(BATCH)


POOLINGS = {"pooling": "max"}, {"pooling": "top_share"}  # with --whole: of each pixel, as by default, and not of a window


@pytest.mark.parametrize(
    "asked",
    [{}, *(pytest.param(asked, marks=pytest.mark.whole) for asked in POOLINGS), {"pooling": "smoothed_max", "window": 3}],
)
def test_bars_are_no_part_of_the_score_wherever_it_is_asked(trained, asked, tmp_path):
    """In calibration, in Evaluator's figures and in every served signature, for other ways to pool in one of each end; the oracle
    cuts the bars off by hand."""
    cut = slice(2, 6)
    images = [long(image) for image in digits.images()[0][TEST][:20]]
    encoded = tf.constant([tf.io.encode_png(image).numpy() for image in images])
    card = card_of(trained.model, transform=FIT, **asked, data=SimpleNamespace(validation=sized(pixels_of()[:20], 8, 8)))
    seen = pixel_graph.from_bytes(encoded, card.seen)
    assert not seen[:, :2].numpy().any()
    errors = np.square(seen / 255 - trained.model(tf.cast(seen, tf.float32)))
    bare = errors[:, cut]
    expected = pooling.pooled(bare, tf.ones_like(bare), card.anomaly).numpy()
    with_bars = pooling.pooled(tf.constant(errors), tf.ones_like(errors), card.anomaly).numpy()
    assert (abs(expected - with_bars) > 1e-4 * expected).any()
    names = ("anomalies_image_bytes", "figures_pixels", *(() if asked else ("anomalies_pixels", "anomaly_score_pixels")))
    folder = saved(tmp_path, trained.model, card, names=names)
    served = tf.saved_model.load(str(folder)).signatures
    floats = tf.constant(np.stack(images), tf.float32)
    for name in names:
        answer = served[name](**({"pixels": floats} if name.endswith("pixels") else {"image_bytes": encoded}))
        np.testing.assert_allclose(answer["anomaly_score"], expected, rtol=1e-4, err_msg=name)
        if "anomaly_map" in answer:
            np.testing.assert_allclose(answer["anomaly_map"][:, cut], bare, atol=1e-6)
            assert not answer["anomaly_map"].numpy()[:, :2].any()
            assert not answer["anomaly_map"].numpy()[:, 6:].any()
    again = card_of(trained.model, transform=FIT, **asked, data=SimpleNamespace(validation=sized(tf.cast(seen, tf.float32), 8, 16)))
    assert again.calibrated["anomaly"]["threshold"] == pytest.approx(np.quantile(expected, 0.95, method="higher"), rel=1e-4)
    kinds = {keys.ANOMALY: np.zeros(20, np.int64), **{n: np.full(20, s) for n, s in zip(placement.SIZE, (8, 16), strict=True)}}
    by_reader = judging._served_scores(folder, card, lambda name: tf.data.Dataset.from_tensors((tf.cast(seen, tf.float32), kinds)))
    np.testing.assert_allclose(by_reader, expected, rtol=1e-4)


def test_a_plain_autoencoder_s_score_leaves_bars_out_too(trained):
    card = card_of(trained.model, transform=FIT, data=SimpleNamespace(validation=sized(pixels_of()[:20], 8, 8)))
    image = tf.constant(long(digits.images()[0][1300])[None], tf.float32)
    seen = pixel_graph.resize(image, card.seen)
    end = endpoints.of(task_of("reconstruction").signatures(trained.model, card), card)["anomaly_score_pixels"]
    errors = np.square(seen / 255 - trained.model(seen))[:, 2:6]
    np.testing.assert_allclose(end.function(image)["anomaly_score"], errors.mean((1, 2, 3)), rtol=1e-4)


def test_a_score_of_the_whole_input_says_that_it_sees_the_bars(trained):
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anomaly.progress, "emit", lambda kind, **values: told.append((kind, values["text"])))
        for score in ("reconstruction_error", "latent_distance"):
            data = SimpleNamespace(plain=data_of().plain, validation=sized(pixels_of()[:20], 8, 16))
            card_of(trained.model, transform=FIT, score=score, data=data)
    [(kind, text)] = told
    assert kind == "warning"
    assert "black bars around 20 of 20 validation images, and anomaly.score latent_distance is of the bars too" in text


def test_signatures_are_the_inner_task_s_and_two_more(trained):
    inner, mine = (task.signatures(trained.model, trained.card) for task in (task_of("reconstruction"), TASK))
    assert set(mine) == {*inner, "anomalies", "anomalies_at"}
    assert next(iter(mine)) == "anomalies", "what serving_default answers"


@pytest.mark.parametrize("quantile", [0.5, 0.95])
def test_the_threshold_is_a_quantile_of_the_validation_scores(trained, quantile):
    scores = scored(trained.model, trained.card, tf.concat([pixels for pixels, _ in data_of().validation], 0))
    threshold = card_of(trained.model, quantile=quantile).calibrated["anomaly"]["threshold"]
    assert np.isclose(scores, threshold, rtol=1e-5).any()
    above = (scores > threshold * (1 + 1e-5)).mean()
    assert 1 - quantile - 1 / len(scores) <= above <= 1 - quantile


def test_the_latent_distance_is_mahalanobis_under_ledoit_and_wolf_s_covariance(trained):
    card = card_of(trained.model, score="latent_distance")
    encoder = normalize.inner(trained.model).get_layer("encoder")
    codes = {name: encoder(part / 255.0).numpy() for name, part in (("test", pixels_of()), ("train", all_training()))}
    expected = np.sqrt(LedoitWolf().fit(codes["train"].astype(np.float64)).mahalanobis(codes["test"]))
    np.testing.assert_allclose(scored(trained.model, card, pixels_of()), expected, rtol=1e-3)
    again = type(card).model_validate_json(card.model_dump_json())
    np.testing.assert_array_equal(scored(trained.model, again, pixels_of()), scored(trained.model, card, pixels_of()))


def all_training() -> tf.Tensor:
    return tf.concat([pixels for pixels, _ in data_of().plain], 0)


def test_a_code_that_never_changes_has_no_distances():
    model = autoencoder()
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    with pytest.raises(HubelError, match="same for each training image"):
        card_of(model, score="latent_distance")


def test_the_elbo_of_a_density_is_its_score_and_stays_among_its_figures():
    """E log p(x|z) - KL over the draws, by NumPy."""
    keras.utils.set_random_seed(0)
    model, pixels = variational(), pixels_of()
    net, x = normalize.inner(model), pixels.numpy().reshape(-1, 64) / 255
    mean, log_variance = np.split(np.asarray(net.get_layer("encoder").get_layer("posterior")(pixels / 255)), 2, axis=1)
    kl = 0.5 * (np.exp(log_variance) + np.square(mean) - 1 - log_variance).sum(1)
    deviation = np.exp(float(net.get_layer("pixel_loss").log_deviation))
    own = [own_draws.normal(own_draws.key(pixels), draw, CODE_SIZE).numpy() for draw in range(4)]
    draws = [mean + np.exp(0.5 * log_variance) * e for e in own]
    off = [(x - np.asarray(net.get_layer("decoder")(z)).reshape(-1, 64)) / deviation for z in draws]
    log_likelihood = -0.5 * np.square(off).sum(2).mean(0) - 64 * np.log(deviation * np.sqrt(2 * np.pi))
    card = card_of(model, task=VARIATIONAL, score="elbo")
    np.testing.assert_allclose(scored(model, card, pixels, VARIATIONAL), kl - log_likelihood, rtol=1e-4, atol=1e-3)
    assert {"elbo", "auroc", "mse"} <= set(judge_of("anomaly:reconstruction.variational").metrics)
    anomaly.check(task_of("reconstruction.variational"), AnomalyConfig(score="elbo"))


@pytest.mark.parametrize(
    ("task", "score", "words"),
    [
        ("classification", "reconstruction_error", "an autoencoder"),
        ("ensemble", "reconstruction_error", "an autoencoder"),
        ("reconstruction", "elbo", "no density"),
    ],
)
def test_a_model_without_such_a_score_is_refused(task, score, words):
    with pytest.raises(UsageError, match=words) as caught:
        anomaly.check(task_of(task), AnomalyConfig(score=score))
    assert caught.value.hint


def test_every_score_of_the_config_is_known(trained):
    anomaly.check(task_of("reconstruction"), AnomalyConfig(score="latent_distance"))
    assert name_of("reconstruction", None) == "reconstruction"
    assert name_of("reconstruction", AnomalyConfig()) == "anomaly:reconstruction"


def test_the_name_of_a_task_around_another_names_both_in_digests():
    assert modules_of("anomaly:reconstruction") == ["components.tasks.anomaly", "components.tasks.reconstruction.task"]
    assert fingerprint.of(*modules_of("anomaly:reconstruction")) != fingerprint.of(*modules_of("reconstruction"))
    for name in ("anomaly:", ":reconstruction", "anomaly:no_such", "no_such:reconstruction", "anomaly:base"):
        with pytest.raises(UsageError, match="There is no task"):
            task_of(name)


def split(name, labelled=True):
    """As Evaluator hands images to a task."""
    rows = {keys.TRAIN: TRAINING, keys.TEST: TEST}[name]
    labels = digits.images()[1][rows]
    kinds = (labels >= INLIERS).astype(np.int64) if labelled else np.full(len(labels), -1)
    only = name == keys.TRAIN
    known = {keys.ANOMALY: kinds, keys.LABEL: labels}
    return batches(rows, only, **{name: values[labels < INLIERS] if only else values for name, values in known.items()})


def verdict(trained, comparisons, thresholds=None):
    """TFMA's, of the figures of a SavedModel: (whether it is good enough, reasons, AUROC)."""
    scores = trained.served["figures_pixels"](pixels=pixels_of())["anomaly_score"].numpy()
    figure = detection.auroc((digits.images()[1][TEST] >= INLIERS).astype(int), scores)
    reasons = refusals(JUDGE, {"auroc": figure}, comparisons, {"thresholds": thresholds or {}})
    return not reasons, reasons, figure


def test_each_kind_of_anomaly_ranks_by_itself_among_the_inliers(trained):
    """By scikit-learn, of the scores that clients get."""
    labels = digits.images()[1][TEST]
    scores = trained.served["anomalies_pixels"](pixels=pixels_of())["anomaly_score"].numpy()
    expected = {}
    for kind in range(INLIERS, 10):
        chosen = (labels < INLIERS) | (labels == kind)
        expected[kind] = roc_auc_score(labels[chosen] == kind, scores[chosen])
    by_label = JUDGE.measure_labels(trained.folder, trained.card, split)
    assert {label for label, figures in by_label.items() if "auroc" in figures} == set(expected)
    assert set(by_label) == set(range(10)), "what the task around which it is says of each label stays"
    for kind, figure in expected.items():
        assert by_label[kind]["auroc"] == pytest.approx(figure, abs=1e-6)
        assert 0.3 < by_label[kind]["pca_auroc"] <= 1
    rows = [{"slice": (("label", kind),), "metrics": {"recall": 1.0, slices.COUNT: 3}} for kind in (0, 5, 6)]
    told = slices.reported(
        {row["slice"]: row["metrics"] for row in rows}, by_label, EvaluateConfig(slices={"label": {}}), JUDGE, list("abcdefghij")
    )
    assert [next(iter(row["metrics"])) for row in told] == ["auroc", "auroc", "recall"]
    assert told[0]["metrics"]["auroc"] <= told[1]["metrics"]["auroc"], "the worst kind first"
    assert told[2]["class"] == "a"
    assert "auroc" not in told[2]["metrics"]


@pytest.fixture(scope="module")
def comparisons(trained):
    return JUDGE.compare(trained.folder, trained.card, split)


def test_a_good_model_beats_pca_and_one_of_shuffled_weights_does_not(trained, comparisons, tmp_path):
    [comparison] = comparisons
    assert (comparison.metric, comparison.name) == ("auroc", "pca_auroc")
    assert 0.6 < comparison.value < 0.99
    assert f"code size of {CODE_SIZE}" in comparison.words
    accepted, reasons, figure = verdict(trained, comparisons)
    assert (accepted, reasons) == (True, []), figure
    rng = np.random.default_rng(0)
    crippled = keras.models.clone_model(trained.model)
    crippled.set_weights([rng.permuted(weight) for weight in trained.model.get_weights()])
    folder = saved(tmp_path / "crippled", crippled, card_of(crippled))
    spoiled = SimpleNamespace(served=tf.saved_model.load(str(folder)).signatures)
    accepted, reasons, figure = verdict(spoiled, JUDGE.compare(folder, trained.card, split))
    assert not accepted
    assert figure < comparison.value
    assert "is no better than" in reasons[0]


def test_a_threshold_of_the_config_takes_pca_s_place(trained, comparisons):
    beaten = [replace(comparisons[0], value=0.9999)]
    assert not verdict(trained, beaten)[0]
    assert verdict(trained, beaten, {"auroc": {"min": 0.6}})[:2] == (True, [])
    assert verdict(trained, comparisons, {"auroc": {"min": 0.9999}})[0] is False


def test_without_labels_it_is_judged_as_its_family(trained):
    [comparison] = JUDGE.compare(trained.folder, trained.card, lambda name: split(name, labelled=False))
    assert (comparison.metric, comparison.name) == ("mse", "pca_mse")


def test_trainer_gives_the_card_what_signatures_need(artifacts, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(component.export, "write", lambda folder, model, task, card, data: written.append((task, card)))
    cfg = digits.trainer_slice(digits.AUTOENCODER, anomaly={"score": "latent_distance", "quantile": 0.9})
    component.run_fn(digits.fn_args(tmp_path, artifacts.transformed, artifacts.transform, artifacts.schema, cfg, True))
    [(task, card)] = written
    assert isinstance(task, anomaly.Task)
    assert (card.task, card.anomaly) == ("anomaly:reconstruction", cfg.anomaly)
    assert set(card.calibrated["anomaly"]) == {"mean", "covariance", "threshold"}
