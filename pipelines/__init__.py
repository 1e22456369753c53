"""What is wired: the pipeline, its runner, the workspace and the command line, each in a wing of its own.

May be touched: a wing by itself; which may import which stands in pyproject.toml. What is defined here, `load`, is for users' code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.notebook.model import Model


def load(name: str, version: int | None = None, workspace: str | Path | None = None) -> Model:
    """A model, trained or to be: its config, runs, figures, answers and pages, as the command line has them.

    It is called like the Keras model of that version, and has all that this has but `predict`, which takes what people have;
    `.keras` is that model itself. Nothing heavy is imported before it is needed.

    Args:
        name: the served model's name, as in the config; NAME@candidate or a run's id for what was not pushed, without a version.
            Of what was not run yet: a shipped config's name, or a path to a config.
        version: a version number, or None for the newest.
        workspace: its folder; None: HUBEL_WORKSPACE, or ./workspace.

    Raises:
        UsageError: where no such model is on record, and no config of that name.
    """
    from configs.paths import workspace_default
    from pipelines.notebook.model import Model
    from pipelines.workspace.layout import Workspace

    return Model.of(name if version is None else f"{name}/{version}", Workspace.at(workspace or workspace_default()))
