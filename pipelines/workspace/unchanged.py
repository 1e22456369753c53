"""A run that would find everything as an earlier one left it: its answer is known, without TensorFlow, TFX or Beam.

Beside the record of each run that came to its end lies what its answer depends on, in digests, and the answer. Where all of it is
the same again, the answer is too: TFX's cache would have said so for each component. Whatever differs, was not written down or
cannot be read sends a run the long way.
"""

import contextlib
import hashlib
import json
import os
import platform
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras_models
from components import fingerprint, keys, metadata
from components.example_gen import digest, sources
from configs import atomic
from configs.errors import HubelError
from configs.schema.data import DataConfig
from configs.schema.run import RunConfig
from keras_models import published
from pipelines.workspace import runs, starts
from pipelines.workspace.layout import Workspace
from pipelines.workspace.starts import Start

FILE = "unchanged.json"  # in the folder of a run's record
LOCK = Path(__file__).parents[2] / "requirements.lock"  # not there where hubel was installed from a wheel
ENVIRONMENT = ("BEAM", "CUDA", "DNNL", "KERAS", "MKL", "NVIDIA", "OMP", "ONEDNN", "OPENBLAS", "PYTHON", "TF", "XLA")  # beginnings
DOUBTS = (OSError, ValueError, TypeError, KeyError, ImportError, SyntaxError, HubelError, sqlite3.Error)


@dataclass(frozen=True)
class Answer:
    """What a run answered, and what that rests on: name -> digest. `run` is the one that took the long way."""

    run: str
    rests_on: dict[str, str]
    value: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write it beside a run's record, in one step."""
        atomic.write_text(folder / FILE, json.dumps(asdict(self)))


@dataclass(frozen=True)
class Known:
    """What can be told of a run before it begins."""

    place: Workspace
    name: str
    served: Path | str  # folder of the versions that are pushed, or its URL
    given: dict[str, str] | None  # what its answer rests on that is there before; None where it cannot be told
    answer: Answer | None  # the newest to its config, if all that this rests on is as it was; None wherever there is any doubt

    def keep(self, run: str, data: str, value: dict[str, Any]) -> None:
        """Write down the answer of a run that took the long way. Where that cannot be done, the next one takes it too.

        What was edited meanwhile is not what the answer rests on.

        Args:
            data: digest of the source that it read.
            value: of pipelines.orchestration.execute.run.
        """
        with contextlib.suppress(*DOUBTS):
            if self.given is not None:
                of_data = _with_passed_over(data, value["passed_over"])
                rests_on = {**self.given, "data": of_data, **_left(self.place, self.name, self.served)}
                Answer(run, rests_on, value).save(self.place.run(self.name, run))


def answered(place: Workspace, name: str, run: str) -> Mapping[str, Any] | None:
    """What a run answered that took the long way; None where that is not on record."""
    with contextlib.suppress(*DOUBTS):
        return Answer(**json.loads((place.run(name, run) / FILE).read_text())).value
    return None


def data_of(place: Workspace, name: str, run: str) -> str | None:
    """Digest of the data that the answer of such a run rests on; None where that is not on record."""
    with contextlib.suppress(*DOUBTS):
        return Answer(**json.loads((place.run(name, run) / FILE).read_text())).rests_on["data"]
    return None


def examples_of(place: Workspace, name: str, run: str) -> Path | None:
    """Folder of the Examples that a run read; None where it is not on record or not there any more."""
    with contextlib.suppress(*DOUBTS):
        folder = Path((answered(place, name, run) or {})["examples"])
        return folder if folder.is_dir() else None
    return None


def look(config: RunConfig, place: Workspace) -> Known:
    """What is known of a run of a config before it begins."""
    served = place.served(config.name, config.push.destination)
    given = answer = None
    if isinstance(served, str) and config.push.enabled:  # looking there takes TensorFlow
        return Known(place, config.name, served, given, answer)
    with contextlib.suppress(*DOUBTS):
        start = starts.find(config.model, config.transfer, config.transform, place)
        given = {
            "workspace": str(place.root),
            "config": _digest([config.model_dump_json()]),
            "code": fingerprint.of_all_sources(),
            "own builders": _own_builders([] if config.transfer else [config.model.name], start.artifacts),
            "packages": _packages(),
            "environment": _digest(f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(ENVIRONMENT)),
            "models to start from": _models(start, place),
            "vectors": start.vectors or "",
            "pinned schema": _digest(
                [Path(config.data.pinned_schema).expanduser().read_text()] if config.data.pinned_schema else []
            ),
            "removed versions": _digest(map(str, runs.gone(place, config.name))),
        }
        newest = _newest(place, config.name, given["config"])
        left = newest and {"data": _data(config.data, start.reads, place), **_left(place, config.name, served)}
        answer = newest if newest and newest.rests_on == given | left else None
    return Known(place, config.name, served, given, answer)


def _left(place: Workspace, name: str, served: Path | str) -> dict[str, str]:
    """What is there after a run: artifacts by name, size and time of change, pushed versions by what they hold, and how far the
    metadata of the pipeline's executions goes."""
    folder = place.pipeline(name)
    artifacts = sorted(path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] != "runs")
    stamps = ((path, path.stat()) for path in artifacts)
    versions = sorted(path for path in Path(served).rglob("*") if path.is_file())
    return {
        "artifacts": _digest(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}" for path, stat in stamps),
        "served versions": digest.of_files(versions, Path(served), place.datasets / ".digests.json"),
        "executions": _executions(place, name),
    }


def _newest(place: Workspace, name: str, config: str) -> Answer | None:
    """The newest answer to a config of that digest."""
    for record in reversed(runs.records(place, name)):
        file = place.run(name, record.run) / FILE
        if file.is_file():
            answer = Answer(**json.loads(file.read_text()))
            if answer.rests_on["config"] == config:
                return answer
    return None


def _data(data: DataConfig, reads: str, place: Workspace) -> str | None:
    held = sources.held(data, place.datasets, reads)
    return held and _with_passed_over(*held)


def _with_passed_over(digested: str, passed_over: Mapping[str, int]) -> str:
    """Of what a source holds and of what lies beside it, which a run says too."""
    return _digest([digested, json.dumps(dict(passed_over), sort_keys=True)])


def _own_builders(architectures: Iterable[str], artifacts: Iterable[Path]) -> str:
    """The modules of a person's own builders, as they are found from here: of what is built, and of what the models to start from
    are."""
    cards = (json.loads((folder / keys.CARD_FILE).read_text()) for folder in artifacts)
    named = set(architectures).union(*map(_architectures, cards))
    paths = (name for name in named if not name.startswith(published.PREFIX) and not name.endswith(keys.KERAS_ENDING))
    return fingerprint.of_own(*(keras_models.check(name).module for name in paths))


def _architectures(card: dict) -> set[str]:
    """Of a model and of the members of an ensemble."""
    return {card["architecture"]}.union(*map(_architectures, card.get("members", {}).values()))


def _packages() -> str:
    """Python, what is installed, and the lock file, where there is one."""
    folders = [Path(entry or ".") for entry in sys.path]
    installed = sorted(path.name for folder in folders if folder.is_dir() for path in folder.glob("*.*-info"))
    return _digest([sys.version, platform.platform(), *installed, LOCK.read_text() if LOCK.is_file() else ""])


def _models(start: Start, place: Workspace) -> str:
    """The models of model.initial, model.members or transfer.source, by name and by what they hold."""
    files = [folder / keys.KERAS_FILE for folder in start.artifacts]
    held = digest.of_files(files, Path("/"), place.datasets / ".digests.json")
    return _digest([start.origin.as_json() if start.origin else "", *map(str, start.artifacts), held])


def _executions(place: Workspace, pipeline: str) -> str:
    """The newest execution of a pipeline and how many there are. By SQL, because ML Metadata's library takes seconds to import."""
    query = """
        SELECT MAX(a.execution_id), COUNT(*) FROM Association a JOIN Context c ON c.id = a.context_id
        JOIN Type t ON t.id = c.type_id AND t.name = 'pipeline' WHERE c.name = ?"""
    with metadata.opened(place.metadata) as held:
        return " of ".join(map(str, held.execute(query, (pipeline,)).fetchone()))


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode(errors="surrogateescape")).hexdigest()
