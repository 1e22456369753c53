"""Every autoencoder that ships goes the whole way; those that draw or infer, and what needs no labels, in files beside this one."""

import pytest

import keras_models
from components import keys
from configs import load
from keras_models.record import RECONSTRUCTION
from pipelines.orchestration import execute, settled
from tests.pipelines import test_generative_models
from tests.pipelines.whole_way import goes_the_whole_way

# Stage by stage it stands in components/trainer, tasks and evaluator, and what is asked of it in verbs/.
pytestmark = pytest.mark.whole

FAMILIES = [name for name, record in keras_models.catalog().items() if record.task.split(".")[0] == RECONSTRUCTION]
CONFIGS = [config for config in (f"digits_{name}" for name in FAMILIES) if config not in test_generative_models.CONFIGS]


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_blessed_and_pushed_and_answers(name, place, scans, tmp_path):
    goes_the_whole_way(name, place, scans, tmp_path)


def test_one_that_has_learned_nothing_is_neither_blessed_nor_pushed_and_the_baseline_is_named(place):
    cfg = load.load("digits_conv_autoencoder.tiny", ["train.epochs=0"]).model_copy(update={"name": "autoencoder"})
    before = sorted(place.models.rglob("*"))
    results = execute.launched(settled.settle(cfg, place))
    verdict = results["Evaluator"]
    assert verdict.property("blessing", "blessed", 0) == 0
    assert results["Pusher"].property("pushed_model", "pushed") == 0
    assert sorted(place.models.rglob("*")) == before
    assert "PCA with the same code size of 8" in verdict.property("blessing", keys.REASON)
