"""The index of a workspace: a page with all its runs, the champion of each model, experiments and searches. Light."""

import dataclasses
import datetime
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from configs import atomic
from configs.errors import first_line
from pipelines.workspace import pages, runs
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from reports import workspace as page
from reports.workspace import Cell, Table
from serving import promotions
from tuner import records

RUNS, FIGURES, REASON = 2000, 6, 300  # most rows, most columns of figures, and most characters of a reason, that the page shows
PICTURE, PICTURES = 4_000, 2**20  # bytes of a run's small picture, and of all of them, that the page has at most
COUNT = "example_count"
MARKS = {"done": "good", "not blessed": "bad", "failed": "bad", "killed": "bad"}


def write(place: Workspace) -> Path:
    """Write it, in one step. Returns where it is.

    Raises:
        HubelError: where the record of promotions cannot be read. OSError: where it cannot be written.
    """
    every = runs.listed(place)[::-1]
    states = promotions.states(place.models)
    now = datetime.datetime.now().astimezone().isoformat(sep=" ", timespec="minutes")
    about = f"{place.root}: as of {now}. Each run writes this page anew, and so does `hubel report --index`."
    tables = [
        _champions(place, states, every),
        _runs(place, states, every),
        _evaluations(place),
        _experiments(place),
        _searches(place),
    ]
    place.index.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(place.index, page.html(f"Workspace {place.root.name}", about, tables))
    return place.index


def kept(place: Workspace) -> None:
    """Write it after something that it shows has changed. Where that fails, it is said: it is not worth a run."""
    try:
        write(place)
    except Exception as error:
        print(f"The index of the workspace was not written: {type(error).__name__}: {first_line(error)}", file=sys.stderr)


def _champions(place: Workspace, states: Mapping[str, promotions.State], every: Sequence[RunRecord]) -> Table:
    rows = []
    history = promotions.history(place.models)
    for name, state in states.items():
        made = _of_version(every, name, state.stable)
        since = next((e.when for e in reversed(history.get(name, ())) if (e.label, e.version) == ("stable", state.stable)), None)
        figure = next(((key, value) for key, value in (made.metrics if made else {}).items() if key != COUNT), None)
        rows.append([
            _cell(name), _number(state.stable), _number(state.canary), _run(place, made), _cell(figure[0] if figure else None),
            _number(figure[1] if figure else None), _cell(since),
        ])  # fmt: skip
    names = ("model", "stable", "canary", "run", "figure", "value", "since")
    about = "The version of each model that clients get, and the canary beside it; the first figure of the run that made it."
    return Table("champions", "Champions", about, names, [name in ("stable", "canary", "value") for name in names], rows)


def _runs(place: Workspace, states: Mapping[str, promotions.State], every: Sequence[RunRecord]) -> Table:
    shown = every[:RUNS]
    known = _figures(shown)
    figures = known[:FIGURES]
    pictures, left_out = _pictures(place, shown)
    rows = [
        [
            dataclasses.replace(_run(place, record), picture=picture),
            _cell(record.config),
            _cell(record.started),
            _number(record.seconds, "{:.0f}"),
            Cell(record.status, record.status, mark=MARKS.get(record.status, "open")),
            _number(record.version),
            _cell(_label(states, record)),
            *(_number(record.metrics.get(name)) for name in figures),
            _cell(_short(record.reason)),
        ]
        for record, picture in zip(shown, pictures, strict=True)
    ]
    names = ["run", "config", "started", "seconds", "outcome", "version", "label", *figures, "why"]
    numbers = [name in ("seconds", "version", *figures) for name in names]
    about = "The newest first; a run leads to its page. A head sorts by its column, those without a figure last."
    if left := len(known) - len(figures):
        about += f" {left:,} more figures are on the pages of the runs, and in `hubel list runs --csv`."
    if left_out:
        about += f" {left_out:,} small pictures, of the oldest, have no room here."
    return Table("runs", f"Runs ({len(every):,})", about, names, numbers, rows, (1, 4), len(every) - len(shown))


def _pictures(place: Workspace, shown: Sequence[RunRecord]) -> tuple[list[bytes], int]:
    """Of each run, b"" of one that has none; those of the newest as long as there is room, and how many that leaves out."""
    files = [place.thumbnail(record.config, record.run) for record in shown]
    sizes = [file.stat().st_size if file.is_file() else 0 for file in files]
    pictures, room = [], PICTURES
    for file, size in zip(files, sizes, strict=True):
        room -= size
        pictures.append(file.read_bytes() if 0 < size <= PICTURE and room >= 0 else b"")
    return pictures, sum(size > 0 for size in sizes) - sum(map(bool, pictures))


def _figures(every: Sequence[RunRecord]) -> list[str]:
    """Those that a kind of model has first come first, then those that most runs have; without those of what models were compared
    with, such as pca_mse."""
    places: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for record in every:
        own = [name for name in record.metrics if name != COUNT]
        for place, name in enumerate(name for name in own if not any(name.endswith(f"_{measure}") for measure in own)):
            places[name] = min(place, places.get(name, place))
            counts[name] += 1
    return sorted(places, key=lambda name: (places[name], -counts[name], name))


def _evaluations(place: Workspace) -> Table:
    every = [(page, name) for name, written in pages.evaluations(place).items() for page in written]
    every.sort(key=lambda written: pages.begun(written[0].stem), reverse=True)
    rows = [[_link(place, page, page.stem), _cell(name), _changed(page)] for page, name in every[:RUNS]]
    about = "Models that were judged again, the newest first; one leads to its page."
    names = ("evaluation", "model", "written")
    return Table("evaluations", f"Evaluations ({len(every):,})", about, names, [False] * 3, rows, (), len(every) - len(rows))


def _experiments(place: Workspace) -> Table:
    rows = []
    for folder in sorted((place.root / "experiments").glob("*")):
        files = [folder / name for name in ("plot.svg", "table.csv", "result.json")]
        there = [_link(place, file, file.name) for file in files if file.is_file()]
        if there:
            rows.append([_cell(folder.name), *(there + [_cell(None)] * 3)[:3], _changed(folder)])
    names = ("experiment", "plot", "table", "result", "written")
    return Table("experiments", "Experiments", "Variants of a config, each of several seeds.", names, [False] * 5, rows)


def _searches(place: Workspace) -> Table:
    rows = []
    for base in sorted((place.root / "tuning").glob("*")):
        for study in records.studies(base):
            trials = sum(1 for _ in (study / records.TRIALS).glob("*.json"))
            linked = study / records.PAGE
            rows.append([
                _link(place, linked, study.name) if linked.is_file() else _cell(study.name),
                _cell(base.name), _number(trials), _changed(study / records.STUDY),
            ])  # fmt: skip
    names = ("search", "config", "trials", "asked")
    return Table(
        "searches", "Searches", "Studies of the tuner; one leads to its page.", names, [name == "trials" for name in names], rows
    )


def _of_version(every: Sequence[RunRecord], name: str, version: int | None) -> RunRecord | None:
    """The newest run that made it; `every` has the newest first."""
    made = [record for record in every if version is not None and (record.config, record.version) == (name, version)]
    return next((record for record in made if not record.unchanged_since), made[0] if made else None)


def _label(states: Mapping[str, promotions.State], record: RunRecord) -> str | None:
    labels = states[record.config].labels if record.config in states and record.version is not None else {}
    return next((label for label, version in labels.items() if version == record.version), None)


def _run(place: Workspace, record: RunRecord | None) -> Cell:
    if record is None:
        return _cell(None)
    made = place.report(record.config, record.run)
    return _link(place, made, record.run) if made.is_file() else _cell(record.run)


def _link(place: Workspace, file: Path, text: str) -> Cell:
    """An address from the folder of the index, so that the workspace may be moved."""
    inside = file.relative_to(place.root).parts
    parts = inside[1:] if inside[0] == place.index.parent.name else ("..", *inside)
    return Cell(text, text, to="/".join(quote(part) for part in parts))


def _cell(text: str | None) -> Cell:
    return Cell(text or "", text or None)


def _number(value: float | None, form: str = "") -> Cell:
    if value is None or value != value:  # NaN: nothing to sort by
        return Cell("" if value is None else "NaN")
    return Cell((form or ("{:,}" if isinstance(value, int) else "{:.4f}")).format(value), value)


def _changed(file: Path) -> Cell:
    when = datetime.datetime.fromtimestamp(file.stat().st_mtime).astimezone() if file.exists() else None
    return _cell(when.isoformat(sep=" ", timespec="minutes") if when else None)


def _short(reason: str) -> str:
    flat = " ".join(reason.split())
    return flat if len(flat) <= REASON else f"{flat[:REASON].rstrip()} … ({len(flat) - REASON:,} more characters in its record)"
