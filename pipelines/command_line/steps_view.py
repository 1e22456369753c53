"""What a person sees while a worker does one long thing in steps: a bar on a terminal, elsewhere a line for each step."""

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


class Counted(MofNCompleteColumn):
    """Such as "3/12", where it is known of how many."""

    def render(self, task: Task) -> Text:
        """Nothing, where it is not: "0/?" says no more."""
        return Text() if task.total is None else super().render(task)


class StepsView:
    """Follows `step` events (what, done, of: None where nobody knows). A context manager; `quiet` shows nothing at all."""

    def __init__(self, start: str, quiet: bool = False):
        self._console = Console(file=sys.stderr, quiet=quiet, highlight=False, emoji=False, soft_wrap=True)
        self._live = self._console.is_terminal and not quiet
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), Counted())
        self._bar = Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True)
        self._start, self._step, self._shown = start, None, ""

    def __enter__(self) -> "StepsView":
        self._console.print(f"{self._start} ...", markup=False)
        if self._live:
            self._bar.start()
            self._step = self._bar.add_task("Loading TensorFlow", total=None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._bar.stop()

    def __call__(self, event: dict) -> None:
        """Show one event; of other kinds nothing."""
        if event["event"] != "step":
            return
        if self._live:
            self._bar.update(self._step, description=event["what"], total=event["of"], completed=event["done"])
        elif event["what"] != self._shown:
            self._shown = event["what"]
            self._console.print(f"  {event['what']}", markup=False)
