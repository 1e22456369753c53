"""Several runs on one page: figures with intervals, parts of the test split, curves, and what differs between their configs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.run import drawings, page
from reports.run.blocks import Block, Cell, Missing, Prose, Section, Table, Verdict
from reports.run.figures import figure, interval, seconds

ROWS = 200  # of a table
COUNT = "example_count"


@dataclass(frozen=True)
class Run:
    """What is on record of one.

    Args:
        name: of the config. run: its id.
        status: as runs are listed. seconds: that it took.
        metrics, intervals, slices: as Evaluator wrote them.
        better: figure -> "more" or "less"; one that is not there has no direction.
        history: figures by epoch. config: resolved, as JSON.
        data: what the test split is known by; task: what was learned; both "" where nobody knows.
    """

    name: str
    run: str
    status: str
    reason: str = ""
    seconds: float | None = None
    version: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Sequence[float]] = field(default_factory=dict)
    slices: Sequence[Mapping[str, Any]] = ()
    better: Mapping[str, str] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    data: str = ""
    task: str = ""
    params: int | None = None

    @property
    def called(self) -> str:
        """Such as "digits_lenet5@20261130-170854"."""
        return f"{self.name}@{self.run}"


def why_not(runs: Sequence[Run]) -> str:
    """Why runs cannot be compared, a sentence; empty where they can."""
    if len({run.called for run in runs}) < len(runs):
        return "One run is named twice."
    first, *others = runs
    for run in runs:
        if not run.metrics:
            return f"{run.called} has no figures: it is {run.status}{f' ({run.reason})' if run.reason else ''}."
    for other in others:
        if first.task != other.task:
            return f"{first.called} is for {first.task or 'no known task'}, {other.called} for {other.task or 'no known task'}."
        if not set(first.metrics) & set(other.metrics) - {COUNT}:
            return f"{first.called} and {other.called} have no figure in common."
        if first.data != other.data:
            return f"{first.called} and {other.called} were judged on other test examples: their data, or how it is split, differs."
    return ""


def write(runs: Sequence[Run]) -> str:
    """The page of runs that can be compared; the first one is what the others are held against."""
    first, *others = runs
    verdict = Verdict("open", f"{len(runs)} runs, judged on the same test examples.", [*_said(first, others)])
    made = [section for section in (_figures(runs), _parts(runs), _curves(runs), _configs(runs)) if section is not None]
    return page.html("Side by side", verdict, made, about=", ".join(run.called for run in runs))


def differences(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Dotted path -> its value in each config, of those that are not the same in all."""
    flat = [_flat(config) for config in configs]
    paths = list(dict.fromkeys(path for each in flat for path in each))
    rows = {path: [each.get(path) for each in flat] for path in paths}
    return {path: values for path, values in rows.items() if any(value != values[0] for value in values)}


def told_apart(ours: Sequence[float] | None, theirs: Sequence[float] | None) -> bool | None:
    """Whether two intervals have nothing in common; None where one is not known."""
    if not ours or not theirs:
        return None
    return ours[1] < theirs[0] or theirs[1] < ours[0]


def _said(first: Run, others: Sequence[Run]) -> Iterator[str]:
    name = next((name for name in first.metrics if name != COUNT), None)
    for other in others:
        if name is None or name not in other.metrics:
            continue
        apart = told_apart(first.intervals.get(name), other.intervals.get(name))
        off = other.metrics[name] - first.metrics[name]
        if off == 0:
            yield f"{name}: {other.called} has {figure(other.metrics[name])} as {first.called} has."
            continue
        tail = {True: ", more than noise", False: ", which may be noise: their 95 % intervals overlap", None: ""}[apart]
        theirs, ours = figure(other.metrics[name]), figure(first.metrics[name])
        yield f"{name}: {other.called} has {theirs}, {first.called} {ours} ({off:+.4f}{tail})."


def _figures(runs: Sequence[Run]) -> Section:
    names = list(dict.fromkeys(name for run in runs for name in run.metrics))
    rows: list[list[str | Cell]] = []
    for name in names:
        best = _best([run.metrics.get(name) for run in runs], next((run.better[name] for run in runs if name in run.better), None))
        cells: list[str | Cell] = [name]
        for place, run in enumerate(runs):
            text = figure(_whole(name, run.metrics.get(name)))
            ends = interval(run.intervals.get(name))
            cells.append(Cell(f"{text} ({ends})" if ends else text, 0.5 if place == best else None))
        rows.append(cells)
    rows += [
        ["blessed", *("yes" if run.status == "done" else run.status for run in runs)],
        ["version", *("" if run.version is None else str(run.version) for run in runs)],
        ["parameters", *(figure(run.params) for run in runs)],
        ["time of the run", *("" if run.seconds is None else seconds(run.seconds) for run in runs)],
    ]
    about = "Of the whole test split, with 95 % intervals; the best is shaded."
    return Section(
        "figures", "Figures", about, [Table(("figure", *(run.called for run in runs)), rows, "Figures of the test split")]
    )


def _whole(name: str, value: float | None) -> float | int | None:
    return int(value) if name == COUNT and value is not None else value


def _best(values: Sequence[float | None], better: str | None) -> int | None:
    known = [(value if better == "more" else -value, place) for place, value in enumerate(values) if value is not None]
    if better is None or len(known) < 2 or len({value for value, _ in known}) == 1:
        return None
    return max(known)[1]


def _parts(runs: Sequence[Run]) -> Section | None:
    by_run = [{json.dumps(part["slice"], sort_keys=True): part for part in run.slices} for run in runs]
    keys = list(dict.fromkeys(key for parts in by_run for key in parts))
    name = next((name for parts in by_run for part in parts.values() for name in part["metrics"]), None)
    if name is None:
        return None
    rows = []
    for key in keys[:ROWS]:
        parts = [parts.get(key) for parts in by_run]
        known = next(part for part in parts if part)
        called = known.get("class") or ", ".join(f"{feature} {value}" for feature, value in known["slice"].items())
        rows.append([str(called), *("" if part is None else _with(part, name) for part in parts)])
    table = Table(("part", *(run.called for run in runs)), rows, f"{name} of parts of the test split", max(0, len(keys) - ROWS))
    return Section("parts", "Parts of the test split", "Whom each of them serves worse than the whole.", [table])


def _with(part: Mapping[str, Any], name: str) -> str:
    value, ends = part["metrics"].get(name), interval((part.get("intervals") or {}).get(name))
    return f"{figure(value)} ({ends})" if ends else figure(value)


def _curves(runs: Sequence[Run]) -> Section | None:
    names = list(dict.fromkeys(name for run in runs for epoch in run.history for name in epoch))
    names = [name for name in names if sum(any(name in epoch for epoch in run.history) for run in runs) > 1]
    blocks: list[Block] = []
    for name in sorted(names, key=lambda name: (not name.startswith("val_"), "loss" not in name))[:4]:
        curves = {run.called: [epoch.get(name) for epoch in run.history] for run in runs if run.history}
        blocks.append(drawings.epochs(f"curve-{name.replace('_', '-')}", name, curves, f"{name} by epoch, a line a run."))
    return Section("curves", "Training curves", "", blocks) if blocks else None


def _configs(runs: Sequence[Run]) -> Section:
    changed = differences([run.config for run in runs])
    blocks: list[Block] = []
    if changed:
        rows = [[path, *(_shown(value) for value in values)] for path, values in list(changed.items())[:ROWS]]
        blocks.append(Table(("key", *(run.called for run in runs)), rows, "What differs", max(0, len(changed) - ROWS)))
    elif all(run.config for run in runs):
        blocks.append(Prose("Their configs are the same, key by key."))
    else:
        blocks.append(Missing("what differs", "The config of one of them is not on record."))
    return Section("configs", "Configs", "", blocks)


def _shown(value: Any) -> str:
    return "not given" if value is None else value if isinstance(value, str) else json.dumps(value)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        elif value not in (None, {}, []):
            flat[f"{prefix}{name}"] = value
    return flat
