"""The text files beside the Examples, all in one go: Beam's own writer makes five stages of each, half of a small source's work."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam

from configs import atomic


def write(values: Mapping[Path, beam.PCollection]) -> None:
    """Write each collection to its file, a line of JSON for each value, in no order. What is empty has no file.

    A worker has one file's lines together, which are fewer than the places that leaks are looked for among.
    """
    lines = [of_file | f"Lines{number}" >> beam.Map(_line, str(path)) for number, (path, of_file) in enumerate(values.items())]
    _ = lines | "Beside" >> beam.Flatten() | "ByFile" >> beam.GroupByKey() | "WriteBeside" >> beam.MapTuple(_write)


def _line(value: Any, path: str) -> tuple[str, str]:
    return path, json.dumps(value)


def _write(path: str, lines: Iterable[str]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(Path(path)) as stage, stage.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
