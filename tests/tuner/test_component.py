"""Tuner writes what its trials found and clears them away."""

import json
import shutil

from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts
from tfx.utils import json_utils, proto_utils

from components import keys
from configs.schema.tune import TuneConfig
from tests.components import digits
from tuner import component


def artifact(kind, uri, **properties):
    made = kind()
    made.uri = str(uri)
    for name, value in properties.items():
        setattr(made, name, value)
    return [made]


def test_trials_are_gone_once_what_they_found_is_written(artifacts, tmp_path):
    rates = {"train.optimizer.learning_rate": {"choices": [0.001, 0.002]}}
    tune = TuneConfig.model_validate({"enabled": True, "algorithm": "random", "trials": 2, "epochs": 1, "space": rates})
    custom = {
        "slice": digits.trainer_slice(digits.MLP).model_dump_json(),
        "materialized": True,
        "tune": tune.model_dump_json(),
        "tuning_dir": str(tmp_path / "tuning"),
    }
    (tmp_path / "schema").mkdir()
    shutil.copy(artifacts.schema, tmp_path / "schema")
    given = {
        "examples": artifact(standard_artifacts.Examples, artifacts.transformed, split_names=json.dumps(list(digits.COUNTS))),
        "transform_graph": artifact(standard_artifacts.TransformGraph, artifacts.transform),
        "schema": artifact(standard_artifacts.Schema, tmp_path / "schema"),
    }
    written = {
        "best_hyperparameters": artifact(standard_artifacts.HyperParameters, tmp_path / "best"),
        "tuner_results": artifact(standard_artifacts.TunerResults, tmp_path / "results"),
    }
    properties = {
        "tuner_fn": "tuner.tuner_fn.tuner_fn",
        "custom_config": json_utils.dumps(custom),
        "train_args": proto_utils.proto_to_json(trainer_pb2.TrainArgs(splits=[keys.TRAIN])),
        "eval_args": proto_utils.proto_to_json(trainer_pb2.EvalArgs(splits=[keys.VALIDATION])),
    }
    executor = component.Executor(component.Executor.Context(tmp_dir=str(tmp_path / "tmp"), unique_id="1"))
    executor.Do(given, written, properties)
    best = json.loads((tmp_path / "best/best_hyperparameters.txt").read_text())
    [results] = (tmp_path / "results").iterdir()
    scores = {trial["train.optimizer.learning_rate"]: trial["score"] for trial in json.loads(results.read_text())}
    assert scores.keys() == {0.001, 0.002}
    assert best["values"] == {"train.optimizer.learning_rate": min(scores, key=scores.get)}
    assert not list((tmp_path / "tuning").iterdir())
