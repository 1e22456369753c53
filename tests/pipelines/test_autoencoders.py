"""Autoencoders that ship go the whole way; those that draw or infer, and what needs no labels, in files beside this one."""

import pytest

import keras_models
from components import keys
from configs import load
from keras_models.record import RECONSTRUCTION
from pipelines.orchestration import execute, settled
from tests.cheaper import no_page
from tests.pipelines import test_generative_models, test_without_labels
from tests.pipelines.whole_way import NO_WARMUP, goes_the_whole_way, is_blessed

# Stage by stage it stands in components/trainer, tasks and evaluator, and what is asked of it in verbs/.

FAMILIES = [name for name, record in keras_models.catalog().items() if record.task.split(".")[0] == RECONSTRUCTION]
# As digits_autoencoder, and components/tasks/reconstruction has a good and a crippled one of each judged.
OF_THE_SAME_SIGNATURES = {
    *("digits_conv_autoencoder", "digits_deep_autoencoder", "digits_linear_autoencoder", "digits_pca", "digits_sparse_autoencoder"),
    "digits_contractive_autoencoder",
}
BESIDE_A_TWIN = {"digits_contractive_autoencoder"}  # which Evaluator trains
ELSEWHERE = {
    *(*test_generative_models.CONFIGS, *test_generative_models.OF_THE_SAME_SIGNATURES),
    *(test_without_labels.UNLABELLED, test_without_labels.LABELLED_IN_PART),
}
CONFIGS = {f"digits_{name}" for name in FAMILIES} - ELSEWHERE - OF_THE_SAME_SIGNATURES


@pytest.mark.whole
@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_it_is_blessed_and_pushed_and_answers(name, place, scans, tmp_path):
    goes_the_whole_way(name, place, scans, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.whole if name in BESIDE_A_TWIN else pytest.mark.every)
        for name in sorted(OF_THE_SAME_SIGNATURES)
    ],
)
def test_it_is_blessed(name, place):
    is_blessed(name, place)


@pytest.mark.whole
@no_page()
def test_one_that_has_learned_nothing_is_neither_blessed_nor_pushed_and_the_baseline_is_named(place):
    cfg = load.load("digits_conv_autoencoder.tiny", [NO_WARMUP, "train.epochs=0"]).model_copy(update={"name": "autoencoder"})
    before = sorted(place.models.rglob("*"))
    results = execute.launched(settled.settle(cfg, place))
    verdict = results["Evaluator"]
    assert verdict.property("blessing", "blessed", 0) == 0
    assert results["Pusher"].property("pushed_model", "pushed") == 0
    assert sorted(place.models.rglob("*")) == before
    assert "PCA with the same code size of 8" in verdict.property("blessing", keys.REASON)
