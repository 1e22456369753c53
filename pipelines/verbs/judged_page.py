"""The page of a model that was judged again: what there is of it, and where it is written. Used in the worker process."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import keys, progress
from components.evaluator import noise
from components.evaluator.statistic import Rows
from components.reporter import recorded, writing
from components.reporter.material import Artifact, Judged, Material
from components.tasks.judges.base import Judge
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from configs.errors import HubelError, first_line, log_traceback
from pipelines.verbs import outputs
from pipelines.verbs.judging import Read


@dataclass(frozen=True)
class Evaluation:
    """What was judged.

    Args:
        model: folder of the SavedModel. card: its own.
        folder: as pipelines.verbs.evaluate.judged left it. figures, written: as it returns them.
        read: what became of the data. times: (began, read, judged), seconds since 1970.
        bounds: as of EvaluateConfig.
    """

    model: Path
    card: Card
    folder: Path
    figures: Mapping[str, Any]
    written: str
    read: Read
    times: tuple[float, float, float]
    bounds: Mapping[str, Any]


def pushed(of: Evaluation, page: Mapping[str, Any]) -> dict[str, Any] | None:
    """The figures that the model's run had on its test split.

    Args:
        page: {path, is_asked: whether a person named it, name: of the config, model: as it was asked for, source, split, command,
            workspace: what a command for it needs, version, run, metadata: file of ML Metadata, has_bounds}; run, version, split
            and metadata None where there is none.

    Returns:
        {run, metrics, intervals, differences: [{metric, against, difference, interval, p, test, within_noise, words}], of the
        figures here from those}; None where they are not on record, and where that cannot be read, which is a warning. Without its
        images, image by image, there are no differences.
    """
    if not page["run"] or not page["metadata"]:
        return None
    try:
        artifacts = recorded.of_run(Path(page["metadata"]), page["name"], page["run"])
    except sqlite3.Error as error:  # such as of a file that another process holds: no reason to lose the figures
        progress.emit("warning", text=f"What run {page['run']} gave on its test split cannot be read: {first_line(error)}")
        return None
    if "evaluation" not in artifacts:
        return None
    then = artifacts["evaluation"]
    metrics = then.json(keys.METRICS, {})
    told = {"run": page["run"], keys.METRICS: metrics, keys.INTERVALS: then.json(keys.INTERVALS, {})}
    theirs = Material({"evaluation": then}).each if then.uri.is_dir() else {}
    told[keys.DIFFERENCES] = differences(judge_of(of.card.task), metrics, noise.rows_of(of.written), theirs, f"run {page['run']}")
    return told


def differences(judge: Judge, metrics: Iterable[str], ours: Rows, theirs: Rows, against: str) -> list[dict[str, Any]]:
    """Of figures from those of another data set, as noise.Told.as_json has them; none where either has no rows. Of whole numbers,
    such as of false alarms, there are none: of more images there are more."""
    told = []
    for name in metrics if ours and theirs else ():
        if name in judge.metrics and not judge.metrics[name].is_count:
            apart = noise.difference(name, judge, ours, theirs)
            told += [noise.Told(name, against, apart, apart.words).as_json()] if apart is not None else []
    return told


def write(
    of: Evaluation, page: Mapping[str, Any], since: Mapping[str, Any] | None, robustness: Mapping[str, Any] | None
) -> str | None:
    """Write the page. What goes wrong is a warning where nobody named a file: figures are worth more than their picture.

    Args:
        page: as of `pushed`, whose value is `since`. robustness: as components.reporter.sections.robustness reads it.

    Returns:
        Its path; None where there is none.

    Raises:
        HubelError: where the file that a person named cannot be written.
    """
    try:
        return outputs.write(Path(page["path"]), writing.html(_material(of, page, since, robustness)).encode())
    except HubelError as error:
        if page["is_asked"]:
            raise
        progress.emit("warning", text=f"The page was not written: {error.message}")
    except Exception as error:
        log_traceback()
        if page["is_asked"]:
            raise
        progress.emit("warning", text=f"The page was not written: {type(error).__name__}: {first_line(error)}")
    return None


def _material(of: Evaluation, page: Mapping[str, Any], since, robustness) -> Material:
    read, figures = of.read, of.figures
    examples = {
        keys.COUNTS: {keys.TEST: read.images},
        keys.CLASSES: {keys.TEST: read.classes} if read.classes else {},
        keys.CLASS_NAMES: read.class_names,
        keys.QUARANTINED: read.damaged,
        keys.UNLABELLED: read.unlabelled,
        keys.CHANGES: read.changes,
    }
    evaluation = {name: figures[name] for name in (keys.METRICS, keys.INTERVALS, keys.SLICES, keys.DIFFERENCES)}
    began, was_read, judged = of.times
    artifacts = {
        "examples": Artifact(of.folder / "examples", _properties(examples), began=began, ended=was_read),
        "model": Artifact(of.folder / "model"),
        "evaluation": Artifact(
            Path(of.written), {**_properties(evaluation), keys.COMPARISON: figures[keys.COMPARISON]}, began=was_read, ended=judged
        ),
        "blessing": Artifact(
            of.folder / "blessing",
            {"blessed": int(figures["blessed"]), keys.REASON: figures["reason"], keys.MISSED: json.dumps(figures["missed"])},
        ),
    }
    what = Judged(
        page["model"], page["source"], page["split"], page["command"], of.model, page["version"], read.as_json(),
        page["has_bounds"], since, robustness,
    )  # fmt: skip
    told = {"run": page["run"], "passed_over": read.passed_over, "reads": of.card.reads, "workspace": page["workspace"]}
    config = {"data": {"source": page["source"]}, "evaluate": of.bounds}
    return Material(artifacts, config, told, page["name"], judged=what)


def _properties(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in values.items()}
