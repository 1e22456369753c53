"""What ML Metadata has on record of a run's artifacts, as a page has them."""

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from components import metadata
from components.reporter.material import KEYS, Artifact

CUSTOM = "custom_config"  # property of the execution of a Trainer, as TFX names it


def of_run(database: Path, name: str, run: str) -> dict[str, Artifact]:
    """The artifacts that a run made or found in the cache, by the names of material.KEYS, with their custom properties.

    Args:
        name: of the config. run: id of hubel's run.
    """
    made = metadata.of_run(database, f"{name}@{run}")
    properties = metadata.properties(database, [each.id for each in made])
    return {
        called: Artifact(each.uri, properties[each.id], each.id, each.began, each.ended)
        for each in made
        if (called := KEYS.get((each.stage, each.output)))
    }


def timed(database: Path, artifacts: Mapping[str, Artifact]) -> dict[str, Artifact]:
    """The same artifacts with when the stages that made them began and ended; as they are where that is not on record."""
    ids = [artifact.id for artifact in artifacts.values() if artifact.id is not None]
    with contextlib.suppress(sqlite3.Error):
        made = {each.id: each for each in metadata.made(database, ids)}
        return {name: _timed(artifact, made.get(artifact.id)) for name, artifact in artifacts.items()}
    return dict(artifacts)


def _timed(artifact: Artifact, made: metadata.Made | None) -> Artifact:
    return replace(artifact, began=made.began, ended=made.ended) if made else artifact


def training(database: Path, model: Artifact) -> tuple[dict[str, Any], dict[str, Path]] | None:
    """What the Trainer that made a model was given: its custom_config, and the folders of its inputs by name; None where that is
    not on record."""
    with contextlib.suppress(sqlite3.Error):
        given, taken = metadata.told(database, model.id, CUSTOM), metadata.taken(database, model.id)
        return (json.loads(given), taken) if given else None
    return None
