"""Sparse codes are blessed beside scikit-learn's dictionary, and no longer when the model's own is spoilt."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.decomposition import sparse_encode

from components import keys
from components.evaluator import dictionary
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.trainer import training
from components.trainer.data import Data, DataInfo
from configs.errors import UsageError
from keras_models import get, normalize
from tests.components import digits
from tests.components.verdict import refusals

TASK = "reconstruction.sparse_coding"
TRAIN, TEST = (digits.images()[0][part].astype(np.float32) for part in (slice(0, 400), slice(400, 520)))
MODELS = {"sparse_coding": {}, "psd": {"pull": 0.3}}
TRAINING = {"epochs": 25, "batch_size": 50, "optimizer": {"learning_rate": 4e-2}, "schedule": {"name": "cosine"}}


def batches(pixels):
    return tf.data.Dataset.from_tensor_slices((pixels, {"label": np.zeros(len(pixels), np.int64)})).batch(50)


def images(split):
    return batches({keys.TRAIN: TRAIN, keys.TEST: TEST}[split])


def untrained(name, **options):
    tree = {**digits.AUTOENCODER, "model": {"name": name, "options": {"atoms": 12, "penalty": 0.5, **MODELS[name], **options}}}
    cfg = digits.trainer_slice(tree, train=TRAINING)
    info, plain = DataInfo((8, 8, 1), [], len(TRAIN)), images(keys.TRAIN)
    data = Data(info, 8, lambda first, epochs: plain.repeat(epochs), plain, images(keys.TEST))
    keras.utils.set_random_seed(0)
    return training.build(get(name), data, cfg), data, cfg


@pytest.fixture(scope="module", params=MODELS)
def trained(request):
    model, data, cfg = untrained(request.param)
    task_of(TASK).fit(model, data, cfg.train, 0, [])
    return model


def written(model, folder):
    """A Model artifact, as far as the comparison reads it."""
    keras.Model(model.inputs, model.outputs, name=model.name).save(folder / keys.KERAS_FILE)
    card = digits.card(architecture=model.name, task=TASK, transform=digits.AUTOENCODER["transform"])
    (folder / keys.CARD_FILE).write_text(card.model_dump_json())
    return folder / "Format-Serving"


def figures(model):
    by_image = task_of(TASK).figures(model, None)(tf.constant(TEST))
    assert all(value.shape == (len(TEST),) and value.dtype == tf.float32 for value in by_image.values())
    return {name: float(np.mean(value)) for name, value in by_image.items()}


def verdict(model, comparisons):
    return refusals(judge_of(TASK), figures(model), comparisons)


@pytest.fixture(scope="module")
def comparisons(trained, tmp_path_factory):
    return judge_of(TASK).compare(written(trained, tmp_path_factory.mktemp(trained.name)), None, images)


def test_a_good_model_is_blessed_and_one_with_a_spoilt_dictionary_is_not(trained, comparisons):
    assert [comparison.metric for comparison in comparisons] == ["objective", "prediction"][: len(comparisons)]
    assert len(comparisons) == {"sparse_coding": 1, "psd": 2}[trained.name]
    assert "scikit-learn's dictionary learning" in comparisons[0].words
    assert verdict(trained, comparisons) == []
    basis = next(weight for weight in trained.weights if weight.path.endswith("basis"))
    kept = basis.numpy()
    for spoilt in (np.random.default_rng(0).permuted(kept, axis=1), 0.0 * kept):
        basis.assign(spoilt)
        [refusal] = verdict(trained, comparisons[:1])
        assert refusal.startswith("objective ")
    basis.assign(kept)


@pytest.mark.parametrize("trained", ["psd"], indirect=True)
@pytest.mark.parametrize("spoil", [lambda weight: 0.0 * weight, np.random.default_rng(0).permutation], ids=["dead", "shuffled"])
def test_one_whose_predictor_is_spoilt_is_not_blessed_however_good_its_dictionary(trained, comparisons, spoil):
    encoder = normalize.inner(trained).get_layer("encoder")
    kept = encoder.get_weights()
    encoder.set_weights([spoil(weight.ravel()).reshape(weight.shape) for weight in kept])
    [refusal] = verdict(trained, comparisons)
    assert refusal.startswith("prediction ")
    assert "predicting for each image the same" in refusal
    encoder.set_weights(kept)


@pytest.mark.parametrize("trained", ["psd"], indirect=True)
def test_predictions_are_held_against_the_best_that_knows_no_image(trained, comparisons):
    layer = normalize.inner(trained).get_layer("decoder").get_layer("dictionary")
    rows = (TEST.reshape(-1, 64) - TRAIN.reshape(-1, 64).mean(0)) / 255
    codes = sparse_encode(rows, layer.basis.numpy(), algorithm="lasso_cd", alpha=0.25, max_iter=5000)
    apart = np.square(codes - codes.mean(0)).sum(1)
    assert comparisons[1].value == pytest.approx(apart.mean(), rel=1e-3)
    np.testing.assert_allclose(comparisons[1].each["prediction"], apart, rtol=0.01, atol=1e-3)


def test_figures_are_the_papers(trained):
    means = figures(trained)
    net = trained.get_layer("net")
    layer = net.get_layer("decoder").get_layer("dictionary")
    rows = TEST.reshape(-1, 64) / 255 - TRAIN.reshape(-1, 64).mean(0) / 255
    codes = sparse_encode(rows, layer.basis.numpy(), algorithm="lasso_cd", alpha=0.25, max_iter=5000)
    objective = np.square(rows - codes @ layer.basis.numpy()).sum(1) + 0.5 * np.abs(codes).sum(1)
    assert means["objective"] == pytest.approx(objective.mean(), rel=1e-4)
    assert means["active"] == pytest.approx((codes != 0).sum(1).mean(), rel=0.01)
    given = np.asarray(net.get_layer("encoder")(TEST / 255))
    assert means["mse"] == pytest.approx(np.square(rows - given @ layer.basis.numpy()).mean(), rel=1e-3)
    if trained.name == "psd":
        assert means["prediction"] == pytest.approx(np.square(given - codes).sum(1).mean(), rel=1e-2)
    assert ("prediction" in means) == (trained.name == "psd")


def test_under_the_logarithm_the_baseline_is_judged_by_the_logarithm(tmp_path):
    model, _, _ = untrained("sparse_coding", sparsity="log", scale=1.0)
    [comparison] = judge_of(TASK).compare(written(model, tmp_path), None, images)
    learned = dictionary.fit([TRAIN / 255], 12, 0.5)
    assert (comparison.value, comparison.margin) == (pytest.approx(learned.objective([TEST / 255], 0.5, "log"), rel=1e-4), 0.05)
    assert comparison.value < learned.objective([TEST / 255], 0.5)  # log(1 + a^2) is at most |a|


def test_other_pixels_than_it_reconstructs_are_refused():
    with pytest.raises(UsageError, match="reconstructs what it is given") as caught:
        task_of(TASK).check_config("none", [])
    assert "transform.normalize: unit" in caught.value.hint
