"""Tuner writes what its trials came to as TFX does, and leaves them where they are."""

import json
import shutil

from tfx.orchestration.portable import data_types
from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts
from tfx.utils import json_utils, proto_utils

from components import keys
from components.trainer.component import with_best
from configs.schema.tune import TuneConfig
from tests.cheaper import crew_is_here
from tests.components import digits
from tuner import component, records
from tuner.study import HALTS


def artifact(kind, uri, **properties):
    made = kind()
    made.uri = str(uri)
    for name, value in properties.items():
        setattr(made, name, value)
    return [made]


@crew_is_here()
def test_the_best_of_real_trials_is_written_as_a_config_has_it_and_trials_stay(artifacts, tmp_path):
    rates = {"train.optimizer.learning_rate": {"choices": [0.001, 0.002]}, "model.options.hidden": {"choices": [[16]]}}
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
    rows = json.loads(results.read_text())
    scores = {row["train.optimizer.learning_rate"]: row["score"] for row in rows}
    assert scores.keys() == {0.001, 0.002}
    assert best["values"] == {"train.optimizer.learning_rate": min(scores, key=scores.get), "model.options.hidden": [16]}
    assert rows[0] == {"trial_id": rows[0]["trial_id"], "score": min(scores.values()), **best["values"]}
    cfg, chosen = with_best(digits.trainer_slice(digits.MLP), best)
    assert chosen == best["values"]
    assert cfg.model.options["hidden"] == [16]
    [folder] = records.studies(tmp_path / "tuning")
    asked, trials = records.read(folder)
    assert {trial.values["train.optimizer.learning_rate"]: trial.value for trial in trials} == scores
    assert all(len(trial.curve) == trial.epochs == 1 and trial.status == "completed" for trial in trials)
    assert asked.objective == [{"name": "val_loss", "direction": "min", "weight": 1.0}]
    assert not (folder / "state").exists()


def test_a_search_that_failed_trials_ended_is_not_taken_for_done(tmp_path):
    tuning = tmp_path / "tuning"
    custom = {"tuning_dir": str(tuning), "slice": "{}", "tune": "{}"}
    asked = data_types.ExecutionInfo(exec_properties={"custom_config": json_utils.dumps(custom)})

    def key():
        output = component.Driver(None).run(asked)
        return json_utils.loads(output.exec_properties["custom_config"].string_value or json_utils.dumps(custom))

    study = {"config": "a", "algorithm": "random", "objective": [], "space": {}, "seed": 0, "fingerprint": "f", "started": 0.0}
    records.write_study(tuning / "f", records.StudyRecord(**study))
    assert key() == custom
    records.note_halt(tuning / "f")
    assert key() == custom | {HALTS: 1}
    records.note_halt(tuning / "f")
    assert key() == custom | {HALTS: 2}
