"""The file of ML Metadata, read by SQL: its library takes seconds to import. Light, and never written here."""

import contextlib
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MILLISECONDS = 1000.0

# The first execution that gave an artifact made it; later ones have it from the cache.
_MADE = """
    SELECT a.id, a.uri, n.name, p.step_key, MIN(e.execution_id), x.create_time_since_epoch, x.last_update_time_since_epoch
    FROM Artifact a
    JOIN Event e ON e.artifact_id = a.id AND e.type = 4 JOIN EventPath p ON p.event_id = e.id AND p.is_index_step = 0
    JOIN Execution x ON x.id = e.execution_id
    JOIN Association s ON s.execution_id = x.id JOIN Context n ON n.id = s.context_id
    JOIN Type k ON k.id = n.type_id AND k.name = 'node'
    WHERE a.id IN ({}) GROUP BY a.id ORDER BY a.id"""
# What its executions gave. Attributions are of what they were given as well, such as the model of another run as the baseline.
_OF_RUN = """
    SELECT DISTINCT o.artifact_id FROM Context c JOIN Type t ON t.id = c.type_id AND t.name = 'pipeline_run'
    JOIN Association s ON s.context_id = c.id JOIN Event o ON o.execution_id = s.execution_id AND o.type = 4 WHERE c.name = ?"""
_GIVEN = """
    SELECT p.name, p.string_value FROM Event e JOIN ExecutionProperty p ON p.execution_id = e.execution_id
    WHERE e.artifact_id = ? AND e.type = 4 AND p.name = ? ORDER BY e.execution_id LIMIT 1"""
_TAKEN = """
    SELECT i.step_key, a.uri FROM Event o JOIN Event e ON e.execution_id = o.execution_id AND e.type = 3
    JOIN EventPath i ON i.event_id = e.id AND i.is_index_step = 0 JOIN Artifact a ON a.id = e.artifact_id
    WHERE o.artifact_id = ? AND o.type = 4
    AND o.execution_id = (SELECT MIN(execution_id) FROM Event WHERE artifact_id = o.artifact_id AND type = 4)"""
_PROPERTIES = """
    SELECT artifact_id, name, COALESCE(string_value, int_value, double_value, bool_value) FROM ArtifactProperty
    WHERE is_custom_property = 1 AND artifact_id IN ({})"""


@dataclass(frozen=True)
class Made:
    """An artifact, and the execution that made it.

    uri: its folder. stage: name of the component. output: that it is of it. began, ended: seconds since 1970.
    """

    id: int
    uri: Path
    stage: str
    output: str
    execution: int
    began: float
    ended: float


def opened(database: Path) -> AbstractContextManager[sqlite3.Connection]:
    """The file, to be read. Whatever is asked of it may raise sqlite3.Error."""
    return contextlib.closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True))


def of_run(database: Path, context: str) -> list[Made]:
    """The artifacts that a run made or found in the cache, by their ids; what it was given of other runs is not among them.

    Args:
        context: the run, as `components.compat.tfx` names it: "NAME@RUN".
    """
    with opened(database) as held:
        return _made(held, [number for (number,) in held.execute(_OF_RUN, (context,))])


def made(database: Path, ids: Sequence[int]) -> list[Made]:
    """Of artifacts by their ids; one that no execution made is left out."""
    with opened(database) as held:
        return _made(held, ids)


def properties(database: Path, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Custom ones of artifacts: id -> name -> value."""
    told: dict[int, dict[str, Any]] = {number: {} for number in ids}
    with opened(database) as held:
        for number, name, value in held.execute(_PROPERTIES.format(_places(ids)), ids):
            told[number][name] = value
    return told


def told(database: Path, artifact: int, name: str) -> str | None:
    """A property of the execution that made an artifact; None where it has none of that name."""
    with opened(database) as held:
        row = held.execute(_GIVEN, (artifact, name)).fetchone()
        return row[1] if row else None


def taken(database: Path, artifact: int) -> dict[str, Path]:
    """Folders of the inputs of the execution that made an artifact, by their names."""
    with opened(database) as held:
        return {name: Path(uri) for name, uri in held.execute(_TAKEN, (artifact,))}


def _made(held: sqlite3.Connection, ids: Sequence[int]) -> list[Made]:
    return [
        Made(number, Path(uri), stage.rpartition(".")[2], output, execution, began / MILLISECONDS, ended / MILLISECONDS)
        for number, uri, stage, output, execution, began, ended in held.execute(_MADE.format(_places(ids)), ids)
    ]


def _places(ids: Sequence[int]) -> str:
    return ", ".join("?" * len(ids))
