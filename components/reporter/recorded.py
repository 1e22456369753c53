"""What ML Metadata has on record of a run's artifacts. By SQL, because its library takes seconds to import."""

import contextlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.reporter.material import KEYS, Artifact

MILLISECONDS = 1000.0

# The first execution that gave an artifact made it; later ones have it from the cache.
_MADE = """
    SELECT a.id, a.uri, n.name, p.step_key, MIN(e.execution_id), x.create_time_since_epoch, x.last_update_time_since_epoch
    FROM Artifact a
    JOIN Event e ON e.artifact_id = a.id AND e.type = 4 JOIN EventPath p ON p.event_id = e.id AND p.is_index_step = 0
    JOIN Execution x ON x.id = e.execution_id
    JOIN Association s ON s.execution_id = x.id JOIN Context n ON n.id = s.context_id
    JOIN Type k ON k.id = n.type_id AND k.name = 'node'
    WHERE a.id IN ({}) GROUP BY a.id"""
_OF_RUN = """
    SELECT r.artifact_id FROM Context c JOIN Type t ON t.id = c.type_id AND t.name = 'pipeline_run'
    JOIN Attribution r ON r.context_id = c.id WHERE c.name = ?"""
_GIVEN = """
    SELECT p.name, p.string_value FROM Event e JOIN ExecutionProperty p ON p.execution_id = e.execution_id
    WHERE e.artifact_id = ? AND e.type = 4 AND p.name = 'custom_config' ORDER BY e.execution_id LIMIT 1"""
_TAKEN = """
    SELECT i.step_key, a.uri FROM Event o JOIN Event e ON e.execution_id = o.execution_id AND e.type = 3
    JOIN EventPath i ON i.event_id = e.id AND i.is_index_step = 0 JOIN Artifact a ON a.id = e.artifact_id
    WHERE o.artifact_id = ? AND o.type = 4
    AND o.execution_id = (SELECT MIN(execution_id) FROM Event WHERE artifact_id = o.artifact_id AND type = 4)"""
_PROPERTIES = """
    SELECT artifact_id, name, COALESCE(string_value, int_value, double_value, bool_value) FROM ArtifactProperty
    WHERE is_custom_property = 1 AND artifact_id IN ({})"""


def of_run(database: Path, name: str, run: str) -> dict[str, Artifact]:
    """The artifacts that a run made or found in the cache, by the names of material.KEYS, with their custom properties.

    Args:
        name: of the config. run: id of hubel's run.
    """
    with _opened(database) as opened:
        ids = [number for (number,) in opened.execute(_OF_RUN, (f"{name}@{run}",))]
        properties: dict[int, dict[str, Any]] = {number: {} for number in ids}
        for number, called, value in opened.execute(_PROPERTIES.format(_places(ids)), ids):
            properties[number][called] = value
        made = {}
        for number, uri, stage, key, _, started, ended in opened.execute(_MADE.format(_places(ids)), ids):
            if called := KEYS.get((stage.rpartition(".")[2], key)):
                times = started / MILLISECONDS, ended / MILLISECONDS
                made[called] = Artifact(Path(uri), properties[number], number, *times)
        return made


def timed(database: Path, artifacts: Mapping[str, Artifact]) -> dict[str, Artifact]:
    """The same artifacts with when the stages that made them began and ended; as they are where that is not on record."""
    ids = [artifact.id for artifact in artifacts.values() if artifact.id is not None]
    with contextlib.suppress(sqlite3.Error), _opened(database) as opened:
        rows = opened.execute(_MADE.format(_places(ids)), ids)
        times = {number: (started / MILLISECONDS, ended / MILLISECONDS) for number, _, _, _, _, started, ended in rows}
        return {
            name: replace(artifact, began=times[artifact.id][0], ended=times[artifact.id][1]) if artifact.id in times else artifact
            for name, artifact in artifacts.items()
        }
    return dict(artifacts)


def training(database: Path, model: Artifact) -> tuple[dict[str, Any], dict[str, Path]] | None:
    """What the Trainer that made a model was given: its custom_config, and the folders of its inputs by name; None where that is
    not on record."""
    with contextlib.suppress(sqlite3.Error), _opened(database) as opened:
        given = opened.execute(_GIVEN, [model.id]).fetchone()
        taken = {name: Path(uri) for name, uri in opened.execute(_TAKEN, [model.id])}
        return (json.loads(given[1]), taken) if given else None
    return None


def _opened(database: Path) -> contextlib.closing:
    return contextlib.closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True))


def _places(ids: Sequence[int]) -> str:
    return ", ".join("?" * len(ids))
