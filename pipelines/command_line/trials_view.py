"""What a person sees of a search: as it goes on a live table, best trial first, or a line a trial; at the end the whole table."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from configs import words
from configs.entries import path_of
from pipelines.command_line import widths
from reports.choices import Choices
from reports.trials import judged_by, short_names, shown, value_of, without_defaults
from tuner import contract, records
from tuner.records import StudyRecord, TrialRecord

ROWS = 10  # of the live table: what ran best and what runs have to fit a screen
INDENT = 2  # cells before each column
LEAST = 10  # cells in which a parameter's values can be read, where they want more
MINUTE, HOUR = 60, 3600  # seconds
EPOCHS, SECONDS, REASON = "epochs", "seconds", "reason"  # columns: trained, by all executions of a trial
TOLD = ("status", "value", "spread", "epochs", "budget", "short", "seconds", "reason")  # of a trial that is over
UNKNOWN = StudyRecord(
    config="", algorithm="", objective=[{"name": "value", "direction": "min"}], space={}, seed=0, fingerprint="", started=0.0
)


class Trials:
    """The trials of a search, as its events tell of them. A renderable of Rich's: the live table."""

    def __init__(self):
        self._study = UNKNOWN
        self._by_id: dict[str, TrialRecord] = {}
        self._epochs: dict[str, str] = {}  # of trials that run: how far they are
        self._counts: Mapping[str, Any] = {}
        self._choices = Choices({}, ())

    def search(self, event: Mapping[str, Any]) -> str:
        """A search begins: `study` and `trials`, those that it goes on from, as records in JSON. Returns a line."""
        self._study = StudyRecord.model_validate(event["study"])
        self._choices = Choices(self._study.space, ())
        earlier = [TrialRecord.model_validate(trial) for trial in event["trials"]]
        self._by_id = {trial.id: trial for trial in earlier}
        over = sum(trial.is_over for trial in earlier)
        goes_on = f"; goes on from {words.count(over, 'trial')}" if over else ""
        several = len(self._study.objective) > 1
        of = f", the sum of {judged_by(self._study.objective)}, those of (max) counted negative" if several else ""
        return f"{self._study.algorithm} search for the best {self._study.objective_name} ({self._study.direction}){of}{goes_on}"

    def begun(self, event: Mapping[str, Any]) -> None:
        """A trial begins."""
        self._by_id[event["trial"]] = TrialRecord(id=event["trial"], values=event["values"])
        self._epochs.pop(event["trial"], None)

    def epoch(self, event: Mapping[str, Any]) -> None:
        """A trial has trained so many epochs."""
        self._epochs[event["trial"]] = f"epoch {event['epoch']}/{event['epochs']}"

    def over(self, event: Mapping[str, Any]) -> str:
        """A trial ends. Returns a line."""
        known = self._by_id.get(event["trial"], TrialRecord(id=event["trial"], values={}))
        trial = self._by_id[event["trial"]] = known.model_copy(update={name: event[name] for name in TOLD if name in event})
        figure = f"{self._study.objective_name} {value_of(trial)}" if trial.has_value else ""
        why = f": {trial.reason}" if trial.reason else ""
        trained = words.count(trial.epochs, "epoch") if trial.epochs else ""
        parts = [f"trial {trial.id}", trial.status, figure, trained, f"{trial.seconds:.1f} s", self._values(trial.values)]
        return "  ".join(part for part in parts if part) + why

    def counted(self, event: Mapping[str, Any]) -> str:
        """How far the search is. Returns a line."""
        self._counts = event
        return self._progress(is_brief=True)

    @property
    def told(self) -> str:
        """What the line of the stage says once it is over; nothing where no trial was heard of."""
        over = [trial for trial in self._by_id.values() if trial.is_over]
        best = records.best(self._study, over)
        figure = f", the best {self._study.objective_name} {value_of(best)} of trial {best.id}" if best else ""
        return f"{words.count(len(over), 'trial')}{figure}" if over else ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        name, trials = self._study.objective_name, list(self._by_id.values())
        running = [trial for trial in trials if not trial.is_over][:ROWS]
        ranked = contract.ordered(self._study, [trial for trial in trials if trial.is_over])
        kept = ranked[: max(1, ROWS - len(running))]
        behind = [Text(f"  and {words.count(len(ranked) - len(kept), 'trial')} behind these")] if len(ranked) > len(kept) else []
        columns, rows = cells(name, self._study.space, [*kept, *running], self._choices, self._epochs)
        columns, rows, hidden = fitted(columns, rows, whole(name), options.max_width)
        progress = f"  {self._progress()}" + (f"; no room for {', '.join(hidden)}" if hidden else "")
        yield from (_live(columns, rows, name, options.max_width), *behind, Text(progress, no_wrap=True, overflow="ellipsis"))

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def _progress(self, is_brief: bool = False) -> str:
        """Such as "3 done, 0 pruned, 0 failed, 9 left, about 40 s left"; in brief without what there is none of."""
        counts = self._counts
        told = [
            f"{counts[state]} {state}"
            for state in ("done", "pruned", "failed", "left")
            if counts.get(state) is not None and (counts[state] or not is_brief)
        ]
        told += [f"about {duration(counts['seconds_left'])} left"] if counts.get("seconds_left") is not None else []
        return ", ".join(told)

    def _values(self, values: Mapping[str, Any]) -> str:
        """Such as "learning_rate 0.001  hidden [300, 100]"."""
        names = short_names(values)
        return "  ".join(f"{names[path]} {self._choices.text(path, value)}" for path, value in values.items())


def whole(objective: str) -> list[str]:
    """Columns that are never cut: which trial, what became of it, and figures, these from the third on."""
    return ["trial", "status", objective, EPOCHS, SECONDS]


def duration(seconds: float) -> str:
    """Such as "40 s", "12 min" and "3.5 h"."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"


def importance(shares: Mapping[str, float]) -> Iterator[str]:
    """Lines: which parameters the difference between trials goes with; none of a single parameter, whose share is all."""
    if len(shares) > 1:
        yield "importance of each parameter, as a share of 1:"
        yield from _aligned({path: f"{share:.2f}" for path, share in sorted(shares.items(), key=lambda pair: -pair[1])})


def best(values: Mapping[str, Any]) -> Iterator[str]:
    """Lines: what the best trial has, as a config says it."""
    yield from _aligned({path: shown(without_defaults(path, value)) for path, value in values.items()})


def _aligned(texts: Mapping[str, str]) -> Iterator[str]:
    width = max(map(len, texts), default=0)
    for path, text in texts.items():
        yield f"  {path:<{width}}  {text}"


def cells(
    objective: str,
    space: Iterable[str],
    trials: Sequence[TrialRecord],
    choices: Choices,
    epochs: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of a table: a row a trial, a column a parameter.

    Args:
        objective: its name.
        space: the parameters, in their order; what else trials have follows.
        choices: what stands for lists and mappings.
        epochs: of trials that run: how far they are.
    """
    paths = list(dict.fromkeys([*map(path_of, space), *(path for trial in trials for path in trial.values)]))
    paths = [path for path in paths if any(path in trial.values for trial in trials)]
    settled = whole(objective)
    names = short_names(paths, [*settled, REASON])
    rows = []
    for trial in trials:
        chosen = [choices.text(path, trial.values[path]) if path in trial.values else "" for path in paths]
        state = trial.status if trial.is_over else epochs.get(trial.id, trial.status)
        trained = f"{trial.epochs:,}" if trial.is_over and trial.epochs else ""
        seconds = f"{trial.seconds:.1f}" if trial.is_over else ""
        rows.append([trial.id, state, value_of(trial), trained, seconds, *chosen])
    return [*settled, *names.values()], rows


def reasons(trials: Iterable[TrialRecord]) -> Iterator[str]:
    """Lines: why trials failed or were pruned; those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for trial in trials:
        if trial.reason:
            by_reason.setdefault(trial.reason, []).append(trial.id)
    yield from (f"  {', '.join(ids)}: {reason}" for reason, ids in by_reason.items())


def fitted(
    columns: Sequence[str], rows: Sequence[Sequence[str]], kept: Collection[str], width: int
) -> tuple[list[str], list[list[str]], list[str]]:
    """Columns and rows that can be read in so many cells, and the columns that are left out for it: the last ones.

    Args:
        kept: columns that are never left out, and never cut.
    """
    wanted = [widths.needed(column, rows, place) for place, column in enumerate(columns)]
    room = width - sum(cells_wide + INDENT for column, cells_wide in zip(columns, wanted, strict=True) if column in kept)
    places, hidden = [], []
    for place, column in enumerate(columns):
        takes = min(wanted[place], LEAST) + INDENT
        if column in kept:
            places.append(place)
        elif takes <= room and not hidden:
            places.append(place)
            room -= takes
        else:
            hidden.append(column)
    return [columns[place] for place in places], [[row[place] for place in places] for row in rows], hidden


def _live(columns: Sequence[str], rows: Sequence[Sequence[str]], figure: str, width: int) -> Table:
    """Lines that are cut rather than broken: the table is drawn over itself. width: of the terminal, in cells."""
    made = Table(box=None, padding=(0, 0, 0, INDENT), header_style="bold")
    wanted = [widths.needed(column, rows, place) for place, column in enumerate(columns)]
    given = widths.beside(columns, wanted, whole(figure), width - INDENT * len(columns))
    for column, cells_wide in zip(columns, given, strict=True):
        justify = "right" if column in whole(figure)[2:] else "left"
        made.add_column(column, justify=justify, overflow="ellipsis", no_wrap=True, width=cells_wide)
    for row in rows:
        made.add_row(*map(escape, row))
    return made
