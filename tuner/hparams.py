"""A study's trials as TensorBoard's HParams plugin reads them: a folder a trial, with its values, figures by epoch and end."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import api_pb2, summary, summary_v2
from tensorboard.plugins.scalar import summary_v2 as scalars

from components.trainer.event_files.writer import Writer, plain
from configs import atomic
from configs.entries import by_path
from tuner import records
from tuner.records import StudyRecord, TrialRecord

SPACE = "space"  # folder of what all trials share
OBJECTIVE = "objective"
ENDED = {
    records.COMPLETED: api_pb2.STATUS_SUCCESS,
    records.PRUNED: api_pb2.STATUS_SUCCESS,  # TensorBoard knows no third way to end
    records.FAILED: api_pb2.STATUS_FAILURE,
}


def write(folder: Path, study: StudyRecord, trials: Iterable[TrialRecord]) -> None:
    """Into a study's folder: trials that are over and not there yet, each whole or not at all."""
    place = folder / records.HPARAMS
    place.mkdir(parents=True, exist_ok=True)
    if not (place / SPACE).exists():
        _put(place / SPACE, [(study.started, 0, _config(study))])
    for trial in trials:
        if trial.is_over and not trial.hint and not (place / trial.id).exists():
            _put(place / trial.id, list(_events(study, trial)))


def _put(place: Path, events: list[tuple[float, int, summary_pb2.Summary]]) -> None:
    """Write (time, step, summary) of each event into a folder that appears in one step."""
    stage = place.with_name(f".{place.name}")
    shutil.rmtree(stage, ignore_errors=True)  # what a kill left
    with atomic.replacing(place, stage):
        writer = Writer(stage)
        for time, step, told in events:
            writer.add(told, step, time)
        writer.close()


def _config(study: StudyRecord) -> summary_pb2.Summary:
    figures = [*(part["name"] for part in study.objective), OBJECTIVE]
    metrics = [summary_v2.Metric(name, display_name=name) for name in figures]
    hparams = [summary_v2.HParam(path) for path in by_path(study.space)]
    return summary_v2.hparams_config_pb(hparams, metrics, time_created_secs=study.started)


def _events(study: StudyRecord, trial: TrialRecord):
    end = trial.started + trial.seconds
    yield trial.started, 0, summary_v2.hparams_pb(plain(trial.values), trial_id=trial.id, start_time_secs=trial.started)
    for epoch, figures in enumerate(trial.curve, 1):
        time = trial.started + trial.seconds * epoch / len(trial.curve)
        for name, value in figures.items():
            yield time, epoch, scalars.scalar_pb(name, value)
    if trial.has_value:
        yield end, len(trial.curve), scalars.scalar_pb(OBJECTIVE, trial.value)
    yield end, 0, summary.session_end_pb(ENDED[trial.status], end)
