"""hubel's commands as benchmarks run them: in a process each, with what it took."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

NOT_BLESSED = 3  # exit code of a run whose figures are below the config's bounds, or below the last model's


class Answer(NamedTuple):
    """Of a command: its JSON, seconds of wall time, and of CPU, its children's among them."""

    value: dict[str, Any]
    wall: float
    cpu: float


def ask(words: Sequence[str], environment: Mapping[str, str] | None = None, begun: Callable[[int], None] | None = None) -> Answer:
    """Run `hubel WORDS --json`.

    Args:
        environment: variables beside this process's.
        begun: hears of the process's id.

    Raises:
        SystemExit: where it fails, with what it says.
    """
    command = [sys.executable, "-m", "pipelines.command_line.cli", *words, "--json"]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    if begun:
        begun(process.pid)
    answer = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    if process.returncode not in (0, NOT_BLESSED):
        error = (json.loads(answer) if answer else {}).get("error", {"message": f"ended with {process.returncode}", "hint": ""})
        raise SystemExit(f"hubel {' '.join(words)}: {error['message']}\n{error['hint']}")
    return Answer(json.loads(answer), wall, used.ru_utime + used.ru_stime)


def card_of(run: Mapping[str, Any], workspace: Path) -> dict[str, Any]:
    """The card of the model that a run in a workspace trained. run: its JSON."""
    from pipelines.workspace import runs
    from pipelines.workspace.layout import Workspace

    [record] = [each for each in runs.records(Workspace.at(str(workspace)), run["config"]) if each.run == run["run"]]
    return json.loads((Path(record.model_uri) / "card.json").read_text())
