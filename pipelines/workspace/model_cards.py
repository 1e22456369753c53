"""The model card of a version that carries one, or made of what is on record of the run that trained a model."""

import contextlib
import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components import keys
from components.example_gen import sources
from components.pusher import publish
from configs import load
from configs.errors import HubelError, UsageError
from pipelines.workspace import runs, unchanged
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from reports import model_card
from serving import layout, saved_model


def of(place: Workspace, model: str, url: str | None = None) -> tuple[dict[str, Any], bool]:
    """The card of a model, and whether it carries it: else it is made here.

    Args:
        model: as of pipelines.workspace.runs.exported.
        url: where the model was pushed to that a folder `model` stands for, or to one version of it.

    Raises:
        UsageError: where there is no such model, or nothing is known of it. HubelError: where the card cannot be read.
    """
    folder = runs.exported(place, model)
    carried = folder / model_card.FILE
    if carried.is_file():
        try:
            card = json.loads(carried.read_text(encoding="utf-8"))
            if card["schema"] == model_card.SCHEMA:
                return {"schema": card["schema"], **{part: card[part] for part in model_card.PARTS}, **card}, True
            what = f"is of schema {card['schema']}, and this hubel knows {model_card.SCHEMA}"
        except (OSError, ValueError, KeyError, TypeError):
            what = "cannot be read"
        raise HubelError(
            f"The model card {f'{url}: {model_card.FILE}' if url else carried} {what}.",
            "Push the model again, or read the page beside it.",
        )
    run = runs.run_at(place, url, folder.name) if url else runs.run_of(place, model, folder)
    record = next((record for record in runs.records(place) if record.run == run), None)
    if record is None and not (folder / keys.CARD_IN_EXPORT).is_file():
        raise UsageError(
            f"Nothing is known of {url or model}: hubel did not write it, and no run on record trained it.",
            "A model card is of what `hubel run` trained; --workspace says where its runs are.",
        )
    version = layout.number(folder.name)
    if version is None and record is not None and runs.is_version(record):
        version = record.version
    return model_card.of(known(place, folder, record, version)), False


def known(place: Workspace, folder: Path, record: RunRecord | None, version: int | None) -> model_card.Known:
    """What is on record of a model that a run trained.

    Args:
        folder: of its SavedModel. record: of the run; None: none is on record. version: as which it is pushed, if it is.
    """
    run: dict[str, Any] = {}
    config: Mapping[str, Any] = {}
    lineage: dict[str, Any] = {"run": record.run if record else None, "model_sha256": publish.content(folder)}
    if record is not None:
        told = unchanged.answered(place, record.config, record.unchanged_since or record.run) or {}
        kept = asdict(record)
        run = {**told, **{name: kept[name] for name in runs.KEPT if name in kept}, "config": record.config}
        with contextlib.suppress(HubelError):  # of another version of hubel, such as one with keys that this does not know
            config = load.read(place.run(record.config, record.run) / "config.yaml")
        lineage["model_artifact"] = record.model_uri
    return model_card.Known(
        run,
        saved_model.card(folder),
        config,
        datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        version,
        lineage=lineage,
        terms=_terms(config, place),
    )


def _terms(config: Mapping[str, Any], place: Workspace) -> dict[str, str]:
    source = (config.get("data") or {}).get("source")
    with contextlib.suppress(HubelError):  # of a source that is not here any more
        return sources.terms(source, place.datasets) if source else {}
    return {}
