"""What is wired: the pipeline, its runner, the workspace and the command line, each in a wing of its own.

May be touched: a wing by itself; which may import which stands in pyproject.toml. What is defined here, `load`, is for users' code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import keras


def load(name: str, version: int | None = None, workspace: str | Path | None = None) -> keras.Model:
    """The Keras model of a pushed version, or of what a run trained: its first layer normalises, so it takes pixels of 0..255.

    Args:
        name: the served model's name, as in the config; NAME@candidate or a run's id for what was not pushed, without a version.
        version: a version number, or None for the newest.
        workspace: its folder; None: HUBEL_WORKSPACE, or ./workspace.

    Raises:
        UsageError: where no such model is on record.
    """
    from components.trainer import artifact
    from configs.paths import workspace_default
    from pipelines.workspace import runs
    from pipelines.workspace.layout import Workspace

    place = Workspace.at(workspace or workspace_default())
    return artifact.load(runs.artifact(place, name if version is None else f"{name}/{version}"))
