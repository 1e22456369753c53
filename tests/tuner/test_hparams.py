"""TensorBoard reads what is written for its HParams plugin."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata

from tuner import hparams, records
from tuner.records import StudyRecord, TrialRecord

STUDY = StudyRecord(
    config="a",
    algorithm="random",
    objective=[{"name": "val_accuracy", "direction": "max"}],
    space={"train.optimizer.learning_rate": {"min": 1e-4, "max": 1e-1}, "model.options.hidden": {"choices": [[300, 100], [50]]}},
    seed=0,
    fingerprint="f",
    started=1.7e9,
)
VALUES = {"train.optimizer.learning_rate": 0.01, "model.options.hidden": [300, 100], "train.nesterov": True, "model.name": "mlp"}
CURVE = [{"val_accuracy": 0.5, "loss": 1.25}, {"val_accuracy": 0.75, "loss": 0.5}]
DONE = TrialRecord(id="0000", values=VALUES, status="completed", value=0.75, epochs=2, curve=CURVE, seconds=8.0, started=1.7e9 + 1)


def loaded(folder) -> EventAccumulator:
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def told(events: EventAccumulator, tag: str) -> bytes:
    return events.summary_metadata[tag].plugin_data.content


def test_a_trial_has_its_values_its_figures_and_its_end(tmp_path):
    hparams.write(tmp_path, STUDY, [DONE])
    events = loaded(tmp_path / records.HPARAMS / "0000")
    start = metadata.parse_session_start_info_plugin_data(told(events, metadata.SESSION_START_INFO_TAG))
    held = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
    assert held == {**VALUES, "model.options.hidden": "[300, 100]"}
    assert metadata.parse_session_end_info_plugin_data(told(events, metadata.SESSION_END_INFO_TAG)).status == api_pb2.STATUS_SUCCESS
    accuracies = [(event.step, event.tensor_proto.float_val[0]) for event in events.Tensors("val_accuracy")]
    assert accuracies == [(1, 0.5), (2, 0.75)]
    assert events.Tensors("objective")[0].tensor_proto.float_val[0] == 0.75


def test_the_space_is_known_to_the_plugin(tmp_path):
    hparams.write(tmp_path, STUDY, [])
    events = loaded(tmp_path / records.HPARAMS / hparams.SPACE)
    experiment = metadata.parse_experiment_plugin_data(told(events, metadata.EXPERIMENT_TAG))
    assert [info.name for info in experiment.hparam_infos] == list(STUDY.space)
    assert {info.name.tag for info in experiment.metric_infos} == {"val_accuracy", "objective"}


@pytest.mark.parametrize(("status", "end"), [("failed", api_pb2.STATUS_FAILURE), ("pruned", api_pb2.STATUS_SUCCESS)])
def test_every_end_is_told(tmp_path, status, end):
    trial = DONE.model_copy(update={"status": status, "value": None, "curve": [{"val_accuracy": float("nan")}]})
    hparams.write(tmp_path, STUDY, [trial])
    events = loaded(tmp_path / records.HPARAMS / "0000")
    assert metadata.parse_session_end_info_plugin_data(told(events, metadata.SESSION_END_INFO_TAG)).status == end
    assert "objective" not in events.Tags()["tensors"]


def test_a_trial_is_written_once_when_it_is_over(tmp_path):
    running = DONE.model_copy(update={"id": "0001", "status": "running", "value": None})
    hparams.write(tmp_path, STUDY, [DONE, running])
    place = tmp_path / records.HPARAMS
    assert {path.name for path in place.iterdir()} == {"space", "0000"}
    before = {path: path.stat().st_mtime_ns for path in place.rglob("events*")}
    (place / ".0001").mkdir()  # as a kill leaves it
    (place / ".0001/events.out.tfevents.half").write_bytes(b"half")
    hparams.write(tmp_path, STUDY, [DONE, running.model_copy(update={"status": "failed"})])
    assert {path.name for path in place.iterdir()} == {"space", "0000", "0001"}
    assert len(list((place / "0001").iterdir())) == 1
    assert before.items() <= {path: path.stat().st_mtime_ns for path in place.rglob("events*")}.items()
