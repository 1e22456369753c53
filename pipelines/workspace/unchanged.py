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
from components import fingerprint, inputs, keys
from components.example_gen import digest, sources
from configs import atomic, load
from configs.errors import HubelError
from configs.schema.run import RunConfig
from keras_models import published
from pipelines.workspace import origins, runs
from pipelines.workspace.layout import Workspace

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


def known(cfg: RunConfig, place: Workspace) -> Answer | None:
    """The newest answer to this config, if all that it rests on is as it was; None wherever there is any doubt."""
    with contextlib.suppress(*DOUBTS):
        answer = _newest(cfg, place)
        if answer and answer.rests_on == {**_given(cfg, place), "data": _data(cfg, place), **_left(cfg, place)}:
            return answer
    return None


def before(cfg: RunConfig, place: Workspace) -> dict[str, str] | None:
    """What an answer rests on that is there before a run, to be handed to `keep`; None where it cannot be told."""
    with contextlib.suppress(*DOUBTS):
        return _given(cfg, place)
    return None


def keep(cfg: RunConfig, place: Workspace, run: str, given: dict[str, str] | None, data: str, value: dict[str, Any]) -> None:
    """Write down the answer of a run that took the long way. Where that cannot be done, the next one takes it too.

    Args:
        given: `before` that run: what was edited meanwhile is not what the answer rests on.
        data: digest of the source that it read.
        value: of pipelines.orchestration.execute.run.
    """
    with contextlib.suppress(*DOUBTS):
        if given is not None:
            held = _with_passed_over(data, value["passed_over"])
            Answer(run, {**given, "data": held, **_left(cfg, place)}, value).save(place.run(cfg.name, run))


def _given(cfg: RunConfig, place: Workspace) -> dict[str, str]:
    return {
        "workspace": str(place.root),
        "config": _digest([load.dump(cfg)]),
        "code": fingerprint.of_all_sources(),
        "own builders": _own_builders(cfg, place),
        "packages": _packages(),
        "environment": _digest(f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(ENVIRONMENT)),
        "models to start from": _starts_from(cfg, place),
        "pinned schema": _digest([Path(cfg.data.pinned_schema).expanduser().read_text()] if cfg.data.pinned_schema else []),
        "removed versions": _digest(map(str, runs.gone(place, cfg.name))),
    }


def _left(cfg: RunConfig, place: Workspace) -> dict[str, str]:
    """What is there after a run: artifacts by name, size and time of change, pushed versions by what they hold, and how far the
    metadata of the pipeline's executions goes."""
    folder = place.pipeline(cfg.name)
    artifacts = sorted(path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] != "runs")
    stamps = ((path, path.stat()) for path in artifacts)
    base = place.served(cfg.name, cfg.push.destination)
    served = sorted(path for path in base.rglob("*") if path.is_file())
    return {
        "artifacts": _digest(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}" for path, stat in stamps),
        "served versions": digest.of_files(served, base, place.datasets / ".digests.json"),
        "executions": _executions(place, cfg.name),
    }


def _newest(cfg: RunConfig, place: Workspace) -> Answer | None:
    asked = _digest([load.dump(cfg)])
    for record in reversed(runs.records(place, cfg.name)):
        file = place.run(cfg.name, record.run) / FILE
        if file.is_file():
            answer = Answer(**json.loads(file.read_text()))
            if answer.rests_on["config"] == asked:
                return answer
    return None


def _data(cfg: RunConfig, place: Workspace) -> str | None:
    reads = keras_models.check(cfg.model.name).reads if cfg.transfer is None else inputs.DEFAULT
    held = sources.held(cfg.data, place.datasets, reads)
    return held and _with_passed_over(*held)


def _with_passed_over(digested: str, passed_over: Mapping[str, int]) -> str:
    """Of what a source holds and of what lies beside it, which a run says too."""
    return _digest([digested, json.dumps(dict(passed_over), sort_keys=True)])


def _own_builders(cfg: RunConfig, place: Workspace) -> str:
    """The modules of a person's own builders, as they are found from here."""
    architectures = {cfg.model.name} if cfg.transfer is None else set()
    for folder in _started_from(cfg, place):
        architectures |= _architectures(json.loads((folder / keys.CARD_FILE).read_text()))
    paths = (name for name in architectures if not name.startswith(published.PREFIX) and not name.endswith(keys.KERAS_ENDING))
    return fingerprint.of_own(*(keras_models.check(name).module for name in paths))


def _architectures(card: dict) -> set[str]:
    """Of a model and of the members of an ensemble."""
    return {card["architecture"]}.union(*map(_architectures, card.get("members", {}).values()))


def _packages() -> str:
    """Python, what is installed, and the lock file, where there is one."""
    folders = [Path(entry or ".") for entry in sys.path]
    installed = sorted(path.name for folder in folders if folder.is_dir() for path in folder.glob("*.*-info"))
    return _digest([sys.version, platform.platform(), *installed, LOCK.read_text() if LOCK.is_file() else ""])


def _starts_from(cfg: RunConfig, place: Workspace) -> str:
    """The models of model.initial, model.members or transfer.source, by name and by what they hold."""
    origin, folders = origins.locate(cfg, place), _started_from(cfg, place)
    files = [folder / keys.KERAS_FILE for folder in folders]
    held = digest.of_files(files, Path("/"), place.datasets / ".digests.json")
    return _digest([origin.as_json() if origin else "", *map(str, folders), held])


def _started_from(cfg: RunConfig, place: Workspace) -> list[Path]:
    """Folders of these models' artifacts; of a transfer from a file or from keras.applications none."""
    origin = origins.locate(cfg, place)
    named = [*([cfg.model.initial] if cfg.model.initial else []), *(cfg.model.members or [])]
    return [
        *(Path(runs.artifact(place, model)) for model in named),
        *([Path(origin.artifact)] if origin and origin.artifact else []),
    ]


def _executions(place: Workspace, pipeline: str) -> str:
    """The newest execution of a pipeline and how many there are. By SQL, because ML Metadata's library takes seconds to import."""
    query = """
        SELECT MAX(a.execution_id), COUNT(*) FROM Association a JOIN Context c ON c.id = a.context_id
        JOIN Type t ON t.id = c.type_id AND t.name = 'pipeline' WHERE c.name = ?"""
    with contextlib.closing(sqlite3.connect(f"file:{place.metadata}?mode=ro", uri=True)) as database:
        return " of ".join(map(str, database.execute(query, (pipeline,)).fetchone()))


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode(errors="surrogateescape")).hexdigest()
