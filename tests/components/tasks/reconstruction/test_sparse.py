"""Sparse codes: judged by how many units are active, and by the rate that was asked for."""

import numpy as np
import pytest

from components import keys
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.tasks.judges.reconstruction import sparse as judging
from components.tasks.reconstruction import pca
from keras_models import normalize
from keras_models.autoencoders.sparse import sparse_autoencoder
from tests.components.tasks.reconstruction.verdict import images, pixels_of, shuffle, trained

TRAIN = {"epochs": 10, "optimizer": {"learning_rate": 0.01}}


@pytest.fixture(scope="module")
def k_sparse():
    return trained("sparse_autoencoder", {"penalty": "k_sparse", "k": 6, "code_size": 100}, TRAIN)


@pytest.fixture(scope="module")
def saved(k_sparse, tmp_path_factory):
    return k_sparse.saved(tmp_path_factory.mktemp("sparse"), "encode", "figures_pixels")


def verdict(model, folder, card):
    """Comparisons by metric, whether they hold, and figures."""
    by_metric = {comparison.metric: comparison for comparison in model.judge.compare(folder, card, images)}
    figures = model.figures() | judging.rate_off(folder, card, images)
    return by_metric, {metric: model.holds(comparison, figures) for metric, comparison in by_metric.items()}, figures


def test_it_is_blessed_against_as_many_components_as_active_units_and_a_crippled_one_is_not(k_sparse, saved, tmp_path):
    compared, holds, figures = verdict(k_sparse, saved, k_sparse.card)
    assert 5 < figures["active"] <= 6
    expected = pca.fit([pixels_of(keys.TRAIN) / 255], round(figures["active"])).mean_squared_error([pixels_of(keys.TEST) / 255])
    assert compared["mse"].value == pytest.approx(expected, rel=1e-6)
    assert "target of 6 active units" in compared["rate_off"].words
    assert holds == {"mse": True, "rate_off": True}
    assert judge_of("reconstruction").compare(saved, k_sparse.card, images) == [compared["mse"]], "of any code as wide as the image"
    kept = k_sparse.model.get_weights()
    shuffle(k_sparse.model)
    assert verdict(k_sparse, k_sparse.saved(tmp_path, "figures_pixels"), k_sparse.card)[1]["mse"] is False
    k_sparse.model.set_weights(kept)


def test_a_target_that_is_not_met_is_not_blessed(k_sparse, saved):
    missed = k_sparse.card.model_copy(update={"calibrated": {"figure": "active", "target": 12}})
    _, holds, figures = verdict(k_sparse, saved, missed)
    assert holds == {"mse": True, "rate_off": False}
    assert figures["rate_off"] == pytest.approx(abs(figures["active"] - 12) / 12)


def shift(model):
    """Of each unit of the code, how easily it is on."""
    bias = normalize.inner(model).get_layer("encoder").get_layer("code").bias
    bias.assign(bias + 2.0)


DEEP = {"hidden": [64], "activation": "elu"}
PENALTIES = {
    "l1": ({"code_size": 64, "weight": 0.1}, shuffle, "mse"),
    "log": ({"code_size": 4, "weight": 0.001, **DEEP}, shuffle, "mse"),
    "kl": ({"code_size": 8, "weight": 0.2, "rate": 0.3, **DEEP}, shift, "rate_off"),
}


# with --whole those that are judged by the error alone
@pytest.mark.parametrize("penalty", [*(pytest.param(name, marks=pytest.mark.whole) for name in ("l1", "log")), "kl"])
def test_a_good_one_of_each_penalty_is_blessed_and_a_crippled_one_is_not(penalty, tmp_path):
    options, cripple, metric = PENALTIES[penalty]
    train = {"epochs": 20, "optimizer": {"learning_rate": 0.02}}
    model = trained("sparse_autoencoder", {"penalty": penalty, **options}, train)
    _, holds, figures = verdict(model, model.saved(tmp_path / "good", "figures_pixels"), model.card)
    assert holds == dict.fromkeys(["mse", "rate_off"] if penalty == "kl" else ["mse"], True), figures
    cripple(model.model)
    assert verdict(model, model.saved(tmp_path / "crippled", "figures_pixels"), model.card)[1][metric] is False


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({"penalty": "kl", "rate": 0.1}, {"figure": "rate", "target": 0.1}),
        ({"penalty": "k_sparse", "k": 3}, {"figure": "active", "target": 3}),
        ({"penalty": "l1"}, {}),
    ],
)
def test_the_target_stands_on_the_card(options, target):
    model = normalize.with_normalization(sparse_autoencoder((8, 8, 1), 12, **options), "unit")
    assert task_of("reconstruction.sparse").calibrate(model, None, None) == target


def test_the_divergence_brings_the_mean_activity_to_its_target():
    options = {"code_size": 40, "rate": 0.1, "weight": 10.0}
    model = trained("sparse_autoencoder", options, {"epochs": 8, "optimizer": {"learning_rate": 0.05}})
    assert model.figures()["rate"] == pytest.approx(0.1, rel=0.25)


def test_figures_are_of_each_image(k_sparse):
    pixels = pixels_of(keys.TEST)[:5]
    codes = np.abs(k_sparse.task.signatures(k_sparse.model, k_sparse.card)["encode"].function(pixels)["codes"])
    figures = k_sparse.task.figures(k_sparse.model, k_sparse.card)(pixels)
    np.testing.assert_array_equal(figures["active"], (codes > 0.1 * codes.max(1, keepdims=True)).sum(1))
    np.testing.assert_allclose(figures["rate"], codes.mean(1), rtol=1e-5)
    plain = task_of("reconstruction").figures(k_sparse.model, k_sparse.card)(pixels)
    np.testing.assert_array_equal(plain["active"], figures["active"])
