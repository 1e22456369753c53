"""What a person sees while a run goes on: a line for each component, a bar for each training, a table at the end.

On a terminal with Rich; elsewhere plain lines without control characters, few enough to read.
"""

import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from components.example_gen import changes
from configs import words
from pipelines.command_line import typed, widths
from pipelines.command_line.steps_view import Counted

if TYPE_CHECKING:
    from pipelines.command_line.trials_view import Trials

LINES_OF_SEARCH = 10  # at most about so many lines say how far a search is, where there is no terminal
LINES_OF_TRAINING = 5  # at most about this many epochs are printed where there is no terminal
FAR = 8  # features that have moved, in a line
DISTANCE_SHOWN = 0.01  # Jensen-Shannon divergence, 0 to 1
BESIDE = {
    "pca": "PCA",
    "kernel_pca": "kernel PCA",
    "best_member": "best member",
}  # whose figures stand in the row of the model's own, by the beginning of their names
CLASSES_SHOWN = 12  # with more, a line for each split says how many there are
COUNT = "example_count"
IMAGE = "image"  # what examples are called where nobody says
INTERVAL = "95 % interval"
SLICES_SHOWN = 5  # of more, the worst: a whole run is to fit a screen
SLICE_FIGURES = 3  # of a slice: the first ones


class _Bar(Progress):
    """A bar, and above it what else is shown live."""

    above: RenderableType | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        """What Rich draws over itself."""
        return [*([self.above] if self.above else []), *super().get_renderables()]


class RunView:
    """Follows the events of one run. A context manager; `quiet` shows nothing at all; `loads`: whether it
    starts with a process that imports what takes seconds."""

    def __init__(self, quiet: bool = False, loads: bool = True):
        self._console = Console(file=sys.stderr, quiet=quiet, highlight=False, emoji=False, soft_wrap=True)
        self._live = self._console.is_terminal and not quiet
        self._bar = _Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            Counted(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            transient=True,
        )
        self._loads, self._task, self._trials = loads, None, None
        self._node, self._told, self._below, self._warnings = "", "", [], []  # of the node that runs: what is in and below its line

    def __enter__(self) -> "RunView":
        if self._live:
            self._bar.start()
        if self._loads:
            self._show("Loading TensorFlow and TFX")
        if self._loads and not self._live:
            self._console.print("Loading TensorFlow and TFX ...")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._bar.stop()
        if self._told and isinstance(error, Exception):
            self._warnings = []  # the error says what matters, and what they point to is gone
            self._row("failed")

    def __call__(self, event: dict) -> None:
        """Show one event. Kinds that it does not know are ignored: a component may say more than this view tells."""
        shown = getattr(self, f"_on_{event['event']}", None)
        if shown:
            shown(event)

    def _on_node(self, event: dict) -> None:
        self._node = event["name"]
        self._show(event["name"])

    def _on_node_done(self, event: dict) -> None:
        self._node = event["name"]
        if self._trials is not None:
            self._told, self._trials, self._bar.above = self._trials.told, None, None
        self._row("cached" if event["cached"] else f"{event['seconds']:6.1f} s")

    def _row(self, state: str) -> None:
        self._console.print(f"  {self._node:<17} {state:>9}  {self._told}".rstrip(), markup=False)
        for line in [*self._below, *(f"warning: {text}" for text in self._warnings)]:
            self._console.print(f"    {line}", markup=False)
        self._told, self._below, self._warnings = "", [], []

    def _on_images(self, event: dict) -> None:
        *others, (last, images) = event["counts"].items()
        noun = event.get("noun", IMAGE)
        self._told = ", ".join([*(f"{count} {split}" for split, count in others), words.count(images, f"{last} {noun}")])
        self._below = [f"{split:<15} {_spread(by_class, noun)}" for split, by_class in event["classes"].items()]
        self._below += [line for target, by_split in event.get("pixels", {}).items() for line in _of_pixels(target, by_split)]
        self._below += [_looks(event["overall"])] if event["overall"] else []
        self._below += ["of these " + changes.listed(event["changes"])] if event.get("changes") else []
        self._warnings = event["warnings"]

    def _on_distances(self, event: dict) -> None:
        far = {
            kind: _far({name: value for name, value in event[kind].items() if value >= DISTANCE_SHOWN})
            for kind in ("drift", "skew")
        }
        told = [f"drift since the data before: {far['drift'] or 'none'}"] if event["drift"] else []
        told += [f"skew between train and test: {far['skew']}"] if far["skew"] else []
        self._told = "; ".join(told)

    def _on_warning(self, event: dict) -> None:
        self._console.print(f"    warning: {event['text']}", markup=False)

    def _on_note(self, event: dict) -> None:
        self._console.print(f"    {event['text']}", markup=False)

    def _on_training(self, event: dict) -> None:
        self._show("Training", event["epochs"])

    def _on_epoch(self, event: dict) -> None:
        figures = "  ".join(f"{name} {value:.4f}" for name, value in event["figures"].items())
        if self._live:
            self._bar.update(self._task, total=event["epochs"], completed=event["epoch"] + 1, figures=figures)
        else:
            done, of = event["epoch"] + 1, event["epochs"]
            every = max(1, of // LINES_OF_TRAINING)
            if done == 1 or done % every == 0 or done == of:
                left = f"  about {(of - done) * event['seconds']:.0f} s left" if 1 < done < of else ""  # the first builds the graph
                self._console.print(f"    epoch {done}/{of}  {figures}{left}", markup=False)

    def _on_search(self, event: dict) -> None:
        self._line(self._search.search(event))

    def _on_trial(self, event: dict) -> None:
        self._search.begun(event)

    def _on_trial_epoch(self, event: dict) -> None:
        self._search.epoch(event)

    def _on_trial_done(self, event: dict) -> None:
        line = self._search.over(event)
        if not self._live:
            self._line(line)

    def _on_trials(self, event: dict) -> None:
        line, over, left = self._search.counted(event), sum(event[state] for state in ("done", "pruned", "failed")), event["left"]
        every = LINES_OF_SEARCH if left is None else max(1, (over + left) // LINES_OF_SEARCH)
        if not self._live and over and left != 0 and over % every == 0:  # of none, and of all, other lines tell
            self._line(line)

    @property
    def _search(self) -> "Trials":
        """The trials of the search that goes on."""
        if self._trials is None:
            from pipelines.command_line.trials_view import Trials

            self._trials = self._bar.above = Trials()
        return self._trials

    def _line(self, text: str) -> None:
        self._console.print(f"    {text}", markup=False)

    def _show(self, what: str, total: int | None = None) -> None:
        if self._live:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(what, total=total, figures="")


def _spread(by_class: dict[str, int], noun: str = IMAGE) -> str:
    """Examples by class, in a line."""
    if len(by_class) <= CLASSES_SHOWN:
        return ", ".join(f"{name}: {count}" for name, count in by_class.items())
    least, most = min(by_class.values()), max(by_class.values())
    each = f"{words.count(most, noun)} each" if least == most else f"{least:,} to {words.count(most, noun)}"
    return f"{words.classes(len(by_class))} of {each}"


def _far(distances: Mapping[str, float]) -> str:
    """The largest FAR of them, in a line."""
    ordered = sorted(distances.items(), key=lambda of: -of[1]) if len(distances) > FAR else distances.items()
    more = f" and {len(distances) - FAR} more" if len(distances) > FAR else ""
    return ", ".join(f"{name} {value:.2f}" for name, value in [*ordered][:FAR]) + more


def _of_pixels(target: str, by_split: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Shares of a mask's pixels by class, a line a split; those of no class, named "", last."""
    lines = []
    for split, shares in by_split.items():
        named = sorted(((name, share) for name, share in shares.items() if name), key=lambda of: -of[1])
        shown = [f"{name}: {share:.1%}" for name, share in named[:CLASSES_SHOWN]]
        shown += [f"and {len(named) - CLASSES_SHOWN} more classes"] if len(named) > CLASSES_SHOWN else []
        shown += [f"of no class: {shares['']:.1%} of all"] if "" in shares else []
        lines.append(f"{split:<15} {target} pixels {', '.join(shown)}")
    return lines


def _looks(measures: Mapping[str, Mapping[str, float]]) -> str:
    """How large and how bright images are, in a line; of what else is read its measures as they are called."""
    if "brightness" not in measures:
        return ", ".join(f"{name} {_from_to(ends)}, {ends['mean']:.0f} in the mean" for name, ends in measures.items())
    width, height, brightness = (measures[name] for name in ("width", "height", "brightness"))
    sides = [f"{name} {_from_to(side)}" for name, side in (("width", width), ("height", height))]
    return f"{', '.join(sides)} px, brightness {_from_to(brightness)} of 255, {brightness['mean']:.0f} in the mean"


def _from_to(measured: Mapping[str, float]) -> str:
    least, most = (f"{measured[end]:.0f}" for end in ("min", "max"))
    return least if least == most else f"{least} to {most}"


def result(value: dict, asked: str | None = None, workspace: str | None = None, beside: Callable[[], None] = lambda: None) -> None:
    """The end of a run: verdict, figures, where things are.

    Args:
        asked: how `hubel predict` is told of the model that was pushed; None: by its name.
        workspace: as it was typed, for commands to copy.
        beside: prints what else there is between figures and verdict.
    """
    judged(value)
    beside()
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    if not value["blessed"]:
        why = f": {value['reason']}" if value["reason"] else ""
        console.print(f"Not blessed{why}. Nothing was pushed.", markup=False)
        for hint in value.get("hints", ()):
            console.print(f"  try: {hint}", markup=False)
        _candidate(console, value, workspace)
    elif value["version"] is None:
        console.print("Blessed; not pushed, because push.enabled is false.")
        _candidate(console, value, workspace)
    else:
        console.print(f"Blessed and pushed: {value['model']} version {value['version']}", markup=False)
        console.print(f"  {value['model_dir']}", markup=False)
        _labelled(console, value, asked, workspace)
        console.print(f"  try it: {_predict(asked or value['model'], value, workspace)}", markup=False)
    if value.get("report"):
        console.print(f"Report: {value['report']}", markup=False)
    console.print(f"{value['seconds']:.1f} s", markup=False)


def judged(value: Mapping) -> None:
    """Figures with their intervals, slices, and what the model was compared with."""
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    intervals = value.get("intervals", {})
    table = Table(show_header=bool(intervals), header_style="", box=None, padding=(0, 2, 0, 0))
    for title in ("", "", INTERVAL):
        table.add_column(title, no_wrap=True)
    table.add_column()  # what may break onto a further line
    noun = value.get("noun", IMAGE)
    for name, shown, beside in figures(value["metrics"], noun):
        table.add_row(f"  {name}", shown, _interval(intervals.get(name)), beside)
    _printed(console, table)
    slices(value["slices"], noun)
    if value["comparison"]:
        console.print(value["comparison"], markup=False)


def _labelled(console: Console, value: dict, asked: str | None, workspace: str | None) -> None:
    """Whether clients that ask for the stable version get it."""
    labels = value.get("labels") or {}
    if labels.get("stable", value["version"]) == value["version"]:
        return
    role = "the canary" if labels.get("canary") == value["version"] else "not stable"
    command = typed.command(f"hubel promote {shlex.quote(asked or value['model'])}/{value['version']}", workspace)
    console.print(f"  it is {role}, version {labels['stable']} is stable; to change that: {command}", markup=False)


def _candidate(console: Console, value: dict, workspace: str | None) -> None:
    """Where what was trained lies, and how to ask it."""
    if value.get("candidate"):
        console.print(f"The candidate: {value['candidate']}", markup=False)
        name = f"{value['model']}@candidate"
        console.print(f"  ask it all the same: {_predict(name, value, workspace)}", markup=False)


def _predict(model: str, value: Mapping, workspace: str | None) -> str:
    """The command that asks a model."""
    return typed.command(f"hubel predict {shlex.quote(model)} {_question(value)}", workspace)


def _question(value: Mapping) -> str:
    """What a model is asked about; runs recorded before read images."""
    return value.get("given_as", f"{IMAGE.upper()}...")


def figures(metrics: Mapping[str, float], noun: str = IMAGE) -> list[tuple[str, str, str]]:
    """A row for each figure: its name, the figure, and what others reach in the same measure, such as "PCA 0.0249"."""
    rows = []
    for name, figure in metrics.items():
        if any(name == f"{other}_{measure}" for other in BESIDE for measure in metrics):
            continue
        beside = {title: metrics.get(f"{other}_{name}") for other, title in BESIDE.items()}
        shown = words.count(int(figure), f"test {noun}") if name == COUNT else _figure(figure)
        rows.append((name, shown, ", ".join(f"{title} {reached:.4f}" for title, reached in beside.items() if reached is not None)))
    return rows


def slices(parts: Sequence[Mapping], noun: str = IMAGE) -> None:
    """A row for each slice, as components.evaluator.slices reports them: how many, first figures, PCA's beside them."""
    if not parts:
        return
    known = list(dict.fromkeys(name for part in parts for name in part["metrics"]))
    intervals = any(part.get("intervals") for part in parts)
    main = [name for name in known if not name.startswith(tuple(f"{other}_" for other in BESIDE))][:SLICE_FIGURES]
    columns = {}  # -> the figure that stands in it
    for name in main:
        beside = {f"{title} {name}": f"{other}_{name}" for other, title in BESIDE.items()}
        columns |= {column: figure for column, figure in ({name: name} | beside).items() if figure in known}
    first = main[0] if main and intervals else None  # whose intervals are shown; all would not fit
    rows = []
    for part in parts[:SLICES_SHOWN]:
        shown = (part["metrics"].get(figure) for figure in columns.values())
        rows.append([_named(part), part["examples"], *map(_figure, shown)])
        if first:
            rows[-1].insert(3, _interval(part.get("intervals", {}).get(first)))
    names = [first, INTERVAL, *list(columns)[1:]] if first else list(columns)
    many = f"{noun}s"
    table(["slice", many, *names], rows, right=[many, *names])
    if len(parts) > SLICES_SHOWN:
        print(f"these are the worst of {len(parts)} slices; --json has all")


def _figure(value: float | None) -> str | None:
    """A count as it is, any other figure to four digits."""
    return f"{value:.4f}" if isinstance(value, float) else None if value is None else str(value)


def _interval(ends: Sequence[float] | None) -> str:
    return f"{ends[0]:.4f} to {ends[1]:.4f}" if ends else ""


def _named(part: Mapping) -> str:
    """Such as "label=3 three"."""
    value = ", ".join(f"{feature}={value}" for feature, value in part["slice"].items())
    return f"{value} {part['class']}" if part["class"] not in (None, *map(str, part["slice"].values())) else value


def plan(value: dict) -> None:
    """What a run would do."""
    planned = [*value.get("first", ()), value]
    rows = [[step["config"], c["name"], "be cached" if c["cached"] else "run"] for step in planned for c in step["components"]]
    if len(planned) > 1:
        table(["config", "component", "would"], rows)
    else:
        table(["component", "would"], [row[1:] for row in rows])
    for step in planned:
        if step["fetches"]:
            print("weights to be fetched: {url} into {folder}".format(**step["fetches"]))
        for text in step["notes"]:
            print(text)


def table(
    columns: list[str],
    rows: list[list],
    right: Collection[str] = (),
    gap: int = 2,
    whole: Collection[str] = (),
    cut: Collection[str] = (),
) -> None:
    """Aligned columns; None shows as nothing. On a terminal that is too narrow, text breaks onto further lines: nothing is cut off
    but in columns of `cut`.

    Args:
        right: columns of numbers, which end at the same place and do not break.
        gap: spaces between columns.
        whole: columns that are as wide as what they hold; the others share what these leave.
        cut: columns whose text ends in an ellipsis where a terminal is too narrow.
    """
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    made = Table(box=None, padding=(0, gap, 0, 0), header_style="bold")
    given: dict[int, int] = {}
    if whole and console.is_terminal:
        wanted = [widths.needed(column, rows, place) for place, column in enumerate(columns)]
        given = dict(enumerate(widths.beside(columns, wanted, whole, console.width - gap * len(columns))))
    for place, column in enumerate(columns):
        is_number, is_cut = column in right, column in cut
        made.add_column(
            column,
            justify="right" if is_number else "left",
            no_wrap=is_number or is_cut or column in whole,
            overflow="ellipsis" if is_cut else "fold",
            width=given.get(place),
        )
    for row in rows:
        made.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    _printed(console, made)


def room() -> int | None:
    """Cells in a line of the terminal; None where there is none."""
    console = Console()
    return console.width if console.is_terminal else None


def _printed(console: Console, made: Table) -> None:
    """A pipe has no edge to wrap at, and nothing that a line would have to be filled up to."""
    if console.is_terminal:
        console.print(made)
        return
    console.width = console.measure(made, options=console.options.update(max_width=10_000)).maximum
    with console.capture() as lines:
        console.print(made)
    console.file.write("".join(f"{line.rstrip()}\n" for line in lines.get().removesuffix("\n").split("\n")))
