"""Variational autoencoders as they are trained, judged and served: a conditional model of digits, a third of them unlabelled."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.trainer import export, training
from components.trainer.data import Data, DataInfo
from configs.errors import HubelError
from keras_models import get, normalize, own_draws
from keras_models.layers.pixel_loss import PixelLoss
from tests.components import digits
from tests.components.trainer.graphs import operations, random_ops
from tests.components.verdict import refusals

TASK, JUDGE = task_of("reconstruction.variational"), judge_of("reconstruction.variational")
OPTIONS = {"code_size": 4, "hidden": [32], "activation": "elu", "likelihood": "gaussian", "conditional": True}
CFG = digits.trainer_slice(
    digits.AUTOENCODER,
    model={"name": "vae", "options": OPTIONS},
    train={"epochs": 60, "batch_size": 30, "optimizer": {"learning_rate": 1e-2}},
)


def batches(split, unlabelled=False):
    rows = list(digits.rows(split))
    pixels, labels = (values[rows] for values in digits.images())
    labels = np.where(unlabelled & (np.arange(len(rows)) % 3 == 0), -1, labels)
    return tf.data.Dataset.from_tensor_slices((pixels.astype(np.float32), {keys.LABEL: labels})).batch(30)


def data() -> Data:
    train = batches(keys.TRAIN, unlabelled=True).cache()
    info = DataInfo((8, 8, 1), digits.NAMES, digits.COUNTS[keys.TRAIN])
    return Data(info, len(train), lambda first, epochs: train.repeat(epochs - first), train, batches(keys.VALIDATION))


@pytest.fixture(scope="module")
def trained():
    """Model and card."""
    keras.utils.set_random_seed(0)
    model = training.build(get("vae"), data(), CFG)
    TASK.fit(model, data(), CFG.train, 0, [])
    calibrated = TASK.calibrate(model, data(), None)
    assert calibrated == {"likelihood": "gaussian", "code_size": 4}
    card = digits.card(architecture="vae", task="reconstruction.variational", transform=CFG.transform, calibrated=calibrated)
    return model, card


@pytest.fixture(scope="module")
def saved(trained, tmp_path_factory):
    """SavedModel folder."""
    folder = tmp_path_factory.mktemp("variational") / "Format-Serving"
    export.write(folder, trained[0], TASK, trained[1], SimpleNamespace(validation=[]))
    return folder


@pytest.fixture(scope="module")
def served(saved):
    return tf.saved_model.load(str(saved)).signatures


def judged() -> tf.Tensor:
    return tf.concat([pixels for pixels, _ in batches(keys.TEST)], 0)


def own(pixels, draws) -> list[np.ndarray]:
    keys_of = own_draws.key(pixels)
    return [own_draws.normal(keys_of, draw, 4).numpy() for draw in range(draws)]


def log_likelihood(model, card) -> dict[str, float]:
    return {"log_likelihood": float(np.mean(TASK.figures(model, card)(judged())["log_likelihood"]))}


def test_the_verdict_flips_when_the_decoder_is_crippled(trained):
    model, card = trained
    [bound] = JUDGE.compare(None, card, batches)
    assert (bound.metric, bound.name) == ("log_likelihood", "ppca_log_likelihood")
    assert bound.words == "probabilistic PCA with the same code size of 4, fitted on the training split"
    assert refusals(JUDGE, log_likelihood(model, card), [bound]) == []
    decoder = normalize.inner(model).get_layer("decoder")
    before = decoder.get_weights()
    decoder.set_weights([np.random.default_rng(0).permutation(weight.ravel()).reshape(weight.shape) for weight in before])
    [refusal] = refusals(JUDGE, log_likelihood(model, card), [bound])
    assert "of probabilistic PCA with the same code size of 4" in refusal
    decoder.set_weights(before)


def test_binary_likelihoods_are_compared_with_independent_pixels():
    card = digits.card(calibrated={"likelihood": "bernoulli", "code_size": 4})
    [bound] = JUDGE.compare(None, card, batches)
    means = np.clip(np.concatenate([pixels for pixels, _ in batches(keys.TRAIN)]).mean(0) / 255, 1e-3, 1 - 1e-3)
    x = judged().numpy() / 255
    assert bound.value == pytest.approx((x * np.log(means) + (1 - x) * np.log(1 - means)).sum((1, 2, 3)).mean(), rel=0.02)
    assert (bound.name, bound.words) == ("independent_log_likelihood", "independent pixels, fitted on the training split")


def test_estimates_are_of_as_many_draws_as_the_config_asks_for(trained):
    model, card = trained
    asked = digits.trainer_slice(digits.AUTOENCODER, export={"draws": 2}).export
    pixels, net = judged()[:9], normalize.inner(model)
    mean, log_variance = np.split(np.asarray(net.get_layer("encoder").get_layer("posterior")(pixels / 255)), 2, axis=1)
    draws = [mean + np.exp(0.5 * log_variance) * e for e in own(pixels, 2)]
    costs = [net.get_layer("pixel_loss").of(pixels / 255, net.get_layer("decoder")(z)) for z in draws]
    few, many = (TASK.figures(model, asking)(pixels) for asking in (card.model_copy(update={"export": asked}), card))
    np.testing.assert_allclose(few["elbo"], -np.mean(costs, axis=0) - few["kl"], rtol=1e-4, atol=1e-4)
    assert card.export.draws == 64
    assert (few["elbo"].numpy() != many["elbo"].numpy()).all()


def test_what_few_draws_leave_open_averages_out_over_images(trained):
    """Beside many draws: the mean over images is off by no more than the images' own errors, which are as is said of them."""
    model, card = trained
    asked = digits.trainer_slice(digits.AUTOENCODER, export={"draws": 2}).export
    pixels = tf.concat([judged(), judged()[:, ::-1], judged()[:, :, ::-1], 255 - judged()], 0)
    few = TASK.signatures(model, card.model_copy(update={"export": asked}))["elbo"].function(pixels)
    off = (few["elbo"] - TASK.figures(model, card)(pixels)["elbo"]).numpy()
    errors = few["standard_error"].numpy()
    assert np.square(off).mean() == pytest.approx(np.square(errors).mean() * (1 + 2 / 64), rel=0.5)
    assert abs(off.mean()) < 3 * np.sqrt(np.square(errors).sum()) / len(off)
    asking = digits.trainer_slice(digits.AUTOENCODER, export={"draws": 1}).export
    assert set(TASK.signatures(model, card.model_copy(update={"export": asking}))["elbo"].function(pixels[:1])) == {"elbo", "kl"}


def test_few_draws_are_said_with_what_they_leave_open():
    metrics = {"log_likelihood": -12.3456, "log_likelihood_standard_error": 0.512}
    few = digits.card(export={"draws": 31})
    [text] = JUDGE.remarks(few, metrics)
    assert text.startswith("export.draws of 31 is few: log_likelihood -12.35 is a bound")
    assert "with a standard error of 0.51 nats" in text
    assert "standard error" not in JUDGE.remarks(few, {"log_likelihood": 1.0})[0]
    assert JUDGE.remarks(few, {}) == JUDGE.remarks(digits.card(), metrics) == judge_of("reconstruction").remarks(few, metrics) == []


def test_no_signature_draws_a_random_number(saved):
    assert {"MatMul", "DecodeImage"} <= operations(saved)
    assert random_ops(saved) == set()


def test_figures_of_an_image_are_its_own(served):
    pixels = judged()[:7]
    figures = served["figures_pixels"](pixels=pixels)
    assert {"mse", "ssim", "log_likelihood", "elbo", "kl", "codes"} <= set(figures)
    alone = served["figures_pixels"](pixels=pixels[3:4])
    for name, values in figures.items():
        np.testing.assert_allclose(alone[name][0], values[3], rtol=1e-5, atol=1e-5)
    assert (figures["log_likelihood"].numpy() > figures["elbo"].numpy() - 0.1).all()
    np.testing.assert_array_equal(figures["codes"], served["encode_pixels"](pixels=pixels)["codes"])
    elbo = served["elbo_pixels"](pixels=pixels)
    np.testing.assert_allclose(elbo["elbo"], figures["elbo"], rtol=1e-6)
    np.testing.assert_allclose(elbo["kl"], figures["kl"], rtol=1e-6)
    np.testing.assert_allclose(served["anomaly_score_pixels"](pixels=pixels)["anomaly_score"], -elbo["elbo"], rtol=1e-6)


def test_what_is_no_digit_is_more_of_an_anomaly(served):
    pixels = judged()
    noise = tf.random.stateless_uniform(pixels.shape, [0, 1], 0, 255)
    known, unknown = (served["anomaly_score_pixels"](pixels=x)["anomaly_score"].numpy() for x in (pixels, noise))
    assert known.max() < unknown.min()


def test_images_are_generated_by_class(served):
    """The middle of each class, among the means of all classes, is nearest to its own for most."""
    pixels, labels = (np.concatenate(parts) for parts in zip(*((p, t[keys.LABEL]) for p, t in batches(keys.TRAIN)), strict=True))
    means = np.stack([pixels[labels == digit].mean(0) for digit in range(10)])
    z = tf.zeros([10, 4])
    told = served["generate"](z=z, label=tf.range(10, dtype=tf.int64))["images"].numpy()
    nearest = np.square(told[:, None] - means[None]).mean((2, 3, 4)).argmin(1)
    assert (nearest == np.arange(10)).sum() >= 7
    untold = served["generate"](z=z, label=tf.fill([10], tf.constant(-1, tf.int64)))["images"]
    np.testing.assert_allclose(untold, served["decode"](z=z)["images"], rtol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="label must be below 10, or -1 for none"):
        served["generate"](z=z[:1], label=tf.constant([10], tf.int64))


def test_a_loss_that_is_no_likelihood_is_refused():
    image = keras.Input((8, 8, 1))
    model = normalize.with_normalization(keras.Model(image, PixelLoss("squared_error")(image), name="own"), "unit")
    with pytest.raises(HubelError, match=r"^The model has no likelihood of images"):
        TASK.compile(model, keras.optimizers.SGD)
