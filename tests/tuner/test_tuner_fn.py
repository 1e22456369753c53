"""A search goes on from the trials of its own question alone, and its trials are trainings of what is asked."""

import copy

import keras
import pytest

from components.tasks import anomaly
from components.trainer import artifact
from configs.schema.tune import TuneConfig
from tests.cheaper import eagerly
from tests.components import digits
from tests.tuner import synthetic
from tuner import study, tuner_fn
from tuner.search import Search
from tuner.trial import Training

QUESTIONS = {
    "of another folder for Trainer's own state": ({"training_dir": "elsewhere"}, True),
    "a wider budget": ({"trials": 40}, True),
    "less time and more workers": ({"minutes": 1.5, "workers": 2, "total_epochs": 90}, True),
    "an edited source": ({"source": "edited"}, False),
    "another task": ({"task": "classification"}, False),
    "another origin": ({"origin": {"source": "letters/2"}}, False),
    "other data": ({"train_files": ["examples/8/Split-train/*"]}, False),
    "other data to judge by": ({"eval_files": ["examples/8/Split-validation/*"]}, False),
    "another transform graph": ({"transform_graph_path": "transform_graph/9"}, False),
    "another schema": ({"schema_path": "schema/9"}, False),
    "another model to start from": ({"base_model": "model/7/Format-Serving"}, False),
    "another config": ({"slice": digits.trainer_slice(digits.MLP, seed=1).model_dump_json()}, False),
    "another space": ({"space": {"train.batch_size": {"choices": [16, 32]}}}, False),
    "another algorithm": ({"algorithm": "bayesian"}, False),
    "another objective": ({"objective": "val_accuracy"}, False),
    "more executions": ({"executions": 2}, False),
    "other epochs": ({"epochs": 5}, False),
}


@pytest.mark.parametrize(("changed", "is_the_same"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_search_goes_on_from_trials_of_the_same_question_alone(tmp_path, changed, is_the_same):
    before = synthetic.fn_args(tmp_path)
    after = copy.deepcopy(before)
    tune = {key: value for key, value in changed.items() if key in TuneConfig.model_fields}
    for key, value in changed.items():
        if hasattr(after, key):
            setattr(after, key, value)
        elif key not in tune:
            after.custom_config[key] = value
    if tune:
        after.custom_config["tune"] = synthetic.fn_args(tmp_path, **tune).custom_config["tune"]
    names = [study.fingerprint(args, TuneConfig.model_validate_json(args.custom_config["tune"])) for args in (before, after)]
    assert (names[0] == names[1]) is is_the_same


def test_tfx_has_a_tuner(tmp_path):
    result = tuner_fn.tuner_fn(synthetic.fn_args(tmp_path))
    assert isinstance(result.tuner, Search)
    assert result.fit_kwargs == {}


@eagerly()
def test_trials_start_from_the_model_that_trainer_would_start_from(artifacts, classifier, tmp_path):
    config = digits.trainer_slice(digits.MLP)
    args = digits.fn_args(tmp_path, artifacts.transformed, artifacts.transform, artifacts.schema, config, materialized=True)
    args.base_model = str(classifier / "Format-Serving")
    training = Training(args, config, TuneConfig(algorithm="random"))
    outcome = training.run({"train.optimizer.learning_rate": 1e-12}, 1, tmp_path / "state")
    data = training._data_for(config)
    learned = artifact.load(str(classifier))
    training._task.compile(learned, lambda: keras.optimizers.SGD(0.0))
    loss = learned.evaluate(data.validation.map(training._task.pair), return_dict=True, verbose=0)["loss"]
    assert outcome.value == pytest.approx(loss, rel=1e-4)  # such a step leaves them as they were


@eagerly()
def test_trials_of_an_anomaly_detector_are_of_its_task(artifacts, tmp_path):
    config = digits.trainer_slice(digits.AUTOENCODER, anomaly={})
    args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, artifacts.schema, config)
    training = Training(args, config, TuneConfig(algorithm="random"))
    assert isinstance(training._task, anomaly.Task)
    assert training.run({"train.optimizer.learning_rate": 0.001}, 1, tmp_path / "state").value > 0
