"""Runs on record, side by side on one page. Nothing is computed anew."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components import keys
from configs import atomic, load
from configs.errors import HubelError, UsageError
from pipelines.workspace import runs as on_record
from pipelines.workspace import unchanged
from pipelines.workspace.layout import Workspace
from reports.run import side_by_side
from reports.run.side_by_side import Run


def compare(workspace: str, runs: Sequence[Sequence[str]], out: str) -> dict[str, Any]:
    """Write a page of several runs.

    Args:
        runs: (name of the config, id) of each; the first is what the others are held against.
        out: the page.

    Returns:
        {report: path, figures: {figure: [value or None, ...]}, config: {dotted path: [value, ...]} of what differs}.

    Raises:
        UsageError: where they cannot be compared; says why.
    """
    place = Workspace.at(workspace)
    read = [_read(place, name, run) for name, run in runs]
    if why := side_by_side.why_not(read):
        raise UsageError(
            f"These runs cannot be compared. {why}", "Name runs of one task on the same data; `hubel list runs` shows them."
        )
    page = Path(out)
    page.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(page, side_by_side.write(read))
    names = dict.fromkeys(name for each in read for name in each.metrics)
    return {
        "report": str(page),
        "figures": {name: [each.metrics.get(name) for each in read] for name in names},
        "config_differences": side_by_side.differences([each.config for each in read]),
    }


def _read(place: Workspace, name: str, run: str) -> Run:
    record = next(record for record in on_record.listed(place) if (record.config, record.run) == (name, run))
    answer = unchanged.answered(place, name, record.unchanged_since or run) or {}
    config: dict[str, Any] = {}
    with contextlib.suppress(HubelError):  # of another version of hubel, such as one with keys that this does not know
        config = load.validate(load.read(place.run(name, run) / "config.yaml"), name).model_dump(mode="json")
    card = _json(Path(record.model_uri or "", keys.CARD_FILE))
    return Run(
        name,
        run,
        record.status,
        record.reason,
        record.seconds,
        record.version,
        record.metrics,
        record.intervals,
        record.slices,
        _better(card.get("task")),
        _history(answer),
        config,
        _data(answer, config, unchanged.data_of(place, name, record.unchanged_since or run)),
        card.get("task", ""),
        card.get("params"),
    )


def _better(task: str | None) -> dict[str, str]:
    """Which way each figure is better."""
    from components.tasks.judges.by_name import judge_of

    if not task:
        return {}
    with contextlib.suppress(UsageError):  # of a task that is here no more
        judge = judge_of(task)
        return {**{name: metric.better for name, metric in judge.metrics.items()}, **judge.measured}
    return {}


def _history(answer: dict[str, Any]) -> list[dict[str, float]]:
    """By epoch, of what is on record of a training."""
    training = answer.get("training") or {}
    named = {name: training.get(name) or [] for name in ("loss", "val_loss")}
    epochs = max(map(len, named.values()), default=0)
    return [{name: values[at] for name, values in named.items() if at < len(values)} for at in range(epochs)]


def _data(answer: dict[str, Any], config: dict[str, Any], digest: str | None) -> str:
    """What the test split is known by: the data's own digest, how it is read and split, and how many examples that makes."""
    return json.dumps([digest, config.get("data"), answer.get("images"), answer.get("classes")], sort_keys=True)


def _json(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text())
    return {}
