"""A study as the command line's JSON has it. Light: whoever lists trials needs no more."""

import json
from pathlib import Path
from typing import Any

from configs import locking
from tuner import records
from tuner.records import StudyRecord, TrialRecord

TOLD = (
    "id",
    "values",
    "value",
    "status",
    "seconds",
    "spread",
    "executions",
    "epochs",
    "kept",
    "reason",
    "worker",
    "started",
    "budget",
    "short",
    "origin",
    "hint",
    "curve",
)


def of(folder: Path) -> dict[str, Any]:
    """What a study's folder holds.

    Returns:
        {run: the last that worked on it, config, algorithm, best: {PATH: value} or None, objective, direction, value: of the best,
        trials: the best first, those without a value last, study: its fingerprint, folder, page: None before there is any, space,
        held_by: the process that is at work on it, in words, or None}.

    Raises:
        HubelError: for what is damaged.
    """
    study, trials = records.read(folder)
    best, page = records.best(study, trials), folder / records.PAGE
    return {
        "run": study.runs[-1] if study.runs else None,
        "config": study.config,
        "algorithm": study.algorithm,
        "best": best.values if best else None,
        "objective": study.objective_name,
        "direction": study.direction,
        "value": best.value if best else None,
        "trials": [_told(trial) for trial in ordered(study, trials)],
        "study": study.fingerprint,
        "folder": str(folder),
        "page": str(page) if page.is_file() else None,
        "space": study.space,
        "held_by": locking.holder(folder / records.LOCK),
    }


def ordered(study: StudyRecord, trials: list[TrialRecord]) -> list[TrialRecord]:
    """The best first; then those that cannot be it: failed ones, hints, and those that run."""
    others = sorted((trial for trial in trials if not trial.is_candidate), key=lambda t: (not t.is_over, t.hint, t.id))
    return [*records.ranking(study, trials), *others]


def _told(trial: TrialRecord) -> dict[str, Any]:
    held = json.loads(trial.model_dump_json())  # null for what is no number: JSON has no NaN
    return {name: held[name] for name in TOLD}
