"""Where a version comes from and what became of it: put together from the record of its run, its model card, ML Metadata and the
record of promotions. Light."""

import contextlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components import metadata
from configs import load
from configs.errors import HubelError, UsageError
from pipelines.workspace import runs, unchanged
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from reports import model_card
from serving import layout, promotions

NOT_SERVED = {"label": None, "took_over": None, "replaced_by": None, "changes": []}
READ = ("ExampleGen", "examples")  # the stage that reads the data, and its output
COUNTS, DIGEST = "counts", "content_digest"  # property of that output, and of its execution


def of(place: Workspace, asked: str) -> dict[str, Any]:
    """The lineage of a version, or of what a run trained that was not pushed.

    Args:
        asked: NAME/VERSION; NAME, its stable version; NAME@candidate, NAME@RUN or RUN.

    Returns:
        {name, version, label, model_dir, run, started, outcome, config: {file, resolved}, data: {source, digest, splits},
        code: {digest, git_revision}, parents: [{key, asked, name, run}], artifacts: [{stage, output, id, uri, is_there}],
        took_over: the change that made it stable, with the version that it `replaced`, replaced_by: the change that put another in
        its place; changes: all on record that are about it; missing: [{what, why}]}. What is not on record is None.

    Raises:
        UsageError: where there is no such version or run; lists those there are. HubelError: where a record cannot be read.
    """
    if runs.is_candidate(asked):
        record: RunRecord | None = (named := runs.named(place, asked))
        name, version = named.config, named.version
        folder = place.models / name / str(version)
        card = _card(folder) if version is not None else {}
    else:
        name, version = _version(place, asked)
        folder = place.models / name / str(version)
        card = _card(folder)
        record = _maker(place, name, version, card)
    made_by = (record.unchanged_since or record.run) if record else None
    of_metadata = _of_metadata(place, name, made_by)
    rests_on = _rests_on(place, name, made_by)
    config, file = _config(place, record)
    details, read = card.get("model_details", {}), card.get("training_data", {})
    value: dict[str, Any] = {
        "name": name,
        "version": version,
        **(_served(place, name, version) if version is not None else NOT_SERVED),
        "model_dir": record.model_dir if record else str(folder),
        "run": record.run if record else details.get("lineage", {}).get("run"),
        "started": record.started if record else None,
        "outcome": record.status if record else None,
        "forced": record.forced if record else None,
        "config": {"file": file, "resolved": config or None},
        "data": {
            "source": read.get("source") or (config.get("data") or {}).get("source"),
            "digest": read.get("digest") or of_metadata.get("digest"),
            "splits": read.get("examples") or of_metadata.get("splits"),
        },
        "code": {
            "digest": details.get("lineage", {}).get("source_sha256") or rests_on.get("code"),
            "git_revision": record.git_revision if record else None,
        },
        "parents": _parents(place, config, details.get("starts_from") or _started_from(place, name, made_by)),
        "artifacts": of_metadata.get("artifacts", []),
    }
    return {**value, "missing": list(_missing(place, value, record))}


def _version(place: Workspace, asked: str) -> tuple[str, int]:
    name, _, last = asked.partition("/")
    base = place.models / name
    pushed = {record.version for record in runs.records(place, name) if record.version is not None} if name else set()
    known = sorted({*layout.versions(base), *pushed, *(entry.version for entry in promotions.history(place.models).get(name, ()))})
    if not name or not known:
        names = sorted({*promotions.states(place.models), *(r.config for r in runs.records(place) if r.version is not None)})
        hint = f"There: {', '.join(names)}." if names else "Nothing was pushed yet: `hubel run` trains and pushes a model."
        raise UsageError(f"There is no version of a model {asked!r} in {place.root}.", hint)
    wanted = layout.number(last) if last else (promotions.state(base).stable or known[-1])
    if wanted not in known:
        raise UsageError(f"There is no version {last} of {name}.", f"There are: {', '.join(f'{name}/{each}' for each in known)}.")
    return name, wanted


def _card(folder: Path) -> Mapping[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        card = json.loads((folder / model_card.FILE).read_text(encoding="utf-8"))
        return card if isinstance(card, dict) else {}
    return {}


def _maker(place: Workspace, name: str, version: int, card: Mapping[str, Any]) -> RunRecord | None:
    """The run that its card names, or the newest that pushed that number; not one that found everything unchanged."""
    run = card.get("model_details", {}).get("lineage", {}).get("run")
    every = runs.records(place, name)
    by_card = [record for record in every if record.run == run]
    pushed = [record for record in every if record.version == version]
    return next(reversed(by_card or [record for record in pushed if not record.unchanged_since] or pushed), None)


def _rests_on(place: Workspace, name: str, run: str | None) -> Mapping[str, str]:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return json.loads((place.run(name, run or "") / unchanged.FILE).read_text())["rests_on"]
    return {}


def _started_from(place: Workspace, name: str, run: str | None) -> Sequence[str]:
    return (unchanged.answered(place, name, run) or {}).get("starts_from") or [] if run else []


def _config(place: Workspace, record: RunRecord | None) -> tuple[Mapping[str, Any], str | None]:
    file = place.run(record.config, record.run) / "config.yaml" if record else None
    if file is not None and file.is_file():
        with contextlib.suppress(HubelError):  # of another version of hubel
            return load.read(file), str(file)
    return {}, None


def _parents(place: Workspace, config: Mapping[str, Any], names: Sequence[str]) -> list[dict]:
    """What it was started from, as the config calls it, by its full name, and the run that made it where that is on record."""
    model, transfer, tune = (config.get(key) or {} for key in ("model", "transfer", "tune"))
    asked = [("model.initial", model["initial"])] if model.get("initial") else []
    asked += [("model.members", member) for member in model.get("members") or ()]
    asked = [("transfer.source", transfer["source"])] if transfer.get("source") else asked
    known = list(names) if len(names) == len(asked) else [None] * len(asked)
    told = [{"key": key, "asked": each, "name": name} for (key, each), name in zip(asked, known, strict=True)]
    told += [{"key": "tune.warm_start", "asked": str(tune["warm_start"]), "name": None}] if tune.get("warm_start") else []
    return [{**parent, "run": _run_of(place, parent["name"] or parent["asked"])} for parent in told]


def _run_of(place: Workspace, name: str) -> str | None:
    base, at, run = name.rpartition("@")
    if at:
        return next((record.run for record in runs.records(place, base) if record.run == run), None)
    base, _, last = name.rpartition("/")
    if runs.RUN.fullmatch(name) or not base or (version := layout.number(last)) is None:
        return name if runs.RUN.fullmatch(name) else None
    maker = _maker(place, base, version, _card(place.models / base / last))
    return maker.run if maker else None


def _of_metadata(place: Workspace, name: str, run: str | None) -> dict[str, Any]:
    """{artifacts, digest and splits of the data}, as far as ML Metadata has them; empty where it cannot be read."""
    told: dict[str, Any] = {}
    if run is None or not place.metadata.is_file():
        return told
    with contextlib.suppress(sqlite3.Error, ValueError):
        made = metadata.of_run(place.metadata, f"{name}@{run}")
        told["artifacts"] = [
            {"stage": each.stage, "output": each.output, "id": each.id, "uri": str(each.uri), "is_there": each.uri.is_dir()}
            for each in made
        ]
        for each in made:
            if (each.stage, each.output) == READ:
                counts = metadata.properties(place.metadata, [each.id])[each.id].get(COUNTS)
                digest = metadata.told(place.metadata, each.id, DIGEST)
                told |= {"splits": json.loads(counts)} if counts else {}
                told |= {"digest": digest} if digest else {}
    return told


def _served(place: Workspace, name: str, version: int) -> dict[str, Any]:
    state, entries = promotions.state(place.models / name), promotions.history(place.models).get(name, ())
    about = [entry for entry in entries if version in (entry.version, entry.replaced)]
    stable = [entry for entry in about if entry.label == promotions.STABLE]
    took_over = [entry for entry in stable if entry.version == version]
    followed = [entry for entry in stable if entry.replaced == version]
    label = next((label for label, labelled in state.labels.items() if labelled == version), None)
    return {
        "label": label,
        "took_over": promotions.as_json(took_over[-1:])[0] if took_over else None,
        "replaced_by": promotions.as_json(followed[-1:])[0] if followed and label != promotions.STABLE else None,
        "changes": promotions.as_json(about),
    }


def _missing(place: Workspace, value: Mapping[str, Any], record: RunRecord | None):
    if record is None:
        yield {
            "what": "run",
            "why": "no run on record made it: `hubel gc` removes old ones, and a version can be copied in by hand",
        }
    if value["version"] is not None and not str(value["model_dir"]).count("://") and not Path(value["model_dir"] or "").is_dir():
        yield {"what": "version", "why": f"{value['model_dir']} is not there any more"}
    if not value["artifacts"]:
        yield {"what": "artifacts", "why": f"{place.metadata} has none of that run"}
    if gone := [str(artifact["id"]) for artifact in value["artifacts"] if not artifact["is_there"]]:
        yield {"what": "folders", "why": f"those of the artifacts {', '.join(gone)} are not there any more"}
    for part in ("data", "code"):
        if absent := [key.replace("_", " ") for key, told in value[part].items() if not told]:
            yield {"what": part, "why": f"{' and '.join(absent)} {'was' if len(absent) == 1 else 'were'} not put on record"}
    if record is not None and value["config"]["resolved"] is None:
        yield {"what": "config", "why": "its file is not there, or cannot be read by this version of hubel"}
