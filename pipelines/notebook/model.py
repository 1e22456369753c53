"""A model and its runs, for Python: each method is what a verb of the command line does, and raises what that prints.

Only `Model.keras`, and what it is asked for, imports TensorFlow here; runs, answers and pages are made by a process of their own.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs import load
from configs.errors import UsageError
from pipelines.command_line import options, report_command, run_commands
from pipelines.notebook.page import Report
from pipelines.process import requests
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from serving import layout, promotions

if TYPE_CHECKING:
    import keras
    import pandas

    from configs.schema.run import RunConfig


@dataclass(frozen=True)
class Run:
    """A run on record. Figures are the test split's.

    value: of a run that was made here, all that `hubel run --json` prints.
    """

    record: RunRecord = field(repr=False)
    place: Workspace = field(repr=False)
    value: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return self.record.run

    @property
    def name(self) -> str:
        """Of the config, and of the model."""
        return self.record.config

    @property
    def status(self) -> str:
        """How it ended: done, not blessed, searched, failed, stopped or killed; or running."""
        return self.record.status

    @property
    def blessed(self) -> bool | None:
        return self.record.blessed

    @property
    def reason(self) -> str:
        """Why it was not blessed, or failed."""
        return self.record.reason

    @property
    def version(self) -> int | None:
        """That it pushed."""
        return self.record.version

    @property
    def figures(self) -> dict[str, float]:
        return dict(self.record.metrics)

    @property
    def config(self) -> RunConfig:
        """As it was settled when the run began."""
        return load.load(str(_written(self.record, self.place)))

    @property
    def model(self) -> Model:
        """What it trained."""
        return Model(f"{self.name}@{self.id}", self.place)

    def report(self) -> Report:
        """`hubel report`: its page, which is written where there is none."""
        return Report(Path(report_command.written(self.place, self.record, False, None, True)["report"]))

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in self.figures.items())
        return f"<Run {self.name}@{self.id}: {self.status}{f', {figures}' if figures else ''}>"

    def _repr_html_(self) -> str:
        import html

        rows = "".join(f"<tr><td>{html.escape(name)}</td><td>{value:.4g}</td></tr>" for name, value in self.figures.items())
        return f"<p>{html.escape(f'{self.name}@{self.id}: {self.status}. {self.reason}')}</p><table>{rows}</table>"


class Model:
    """What a name stands for: a config, its runs, and what these trained.

    Attributes:
        asked: NAME[/VERSION], NAME@candidate, NAME@RUN or RUN; of a config that was not run yet its name.
        place: the workspace.
    """

    def __init__(self, asked: str, place: Workspace, file: str | None = None):
        """file: the config that `run` runs, a shipped one's name or a path; None: that of its run, the newest without a version."""
        self.asked, self.place, self._file = asked, place, file

    @classmethod
    def of(cls, asked: str, place: Workspace) -> Model:
        """Raises UsageError where nothing of that name is on record, and no config has it."""
        file = asked if _is_config(asked) else None
        try:
            runs.trained(place, asked)
        except UsageError:
            if file is None:
                raise
            return cls(load.load(file).name, place, file)
        return cls(asked, place, file)

    @property
    def name(self) -> str:
        """Of the config, under which its versions are served."""
        newest = self._newest()
        return newest.config if newest else self.asked

    @property
    def config(self) -> RunConfig:
        """As of its run, the newest without a version; of what was not run yet, as its file has it."""
        newest = self._newest()
        return Run(newest, self.place).config if newest else load.load(self._file)

    @property
    def runs(self) -> list[Run]:
        """All runs of its name, the oldest first."""
        name = self.name
        return [Run(record, self.place) for record in runs.listed(self.place) if record.config == name]

    @property
    def figures(self) -> dict[str, float]:
        """The test split's, of the run that trained it. Raises UsageError where none did."""
        return Run(runs.record_of(self.place, self._trained), self.place).figures

    @property
    def versions(self) -> list[dict[str, Any]]:
        """{version, label: stable or canary, or None, folder} of each that is there, the oldest first."""
        base = self.place.models / self.name
        labels = {version: label for label, version in promotions.state(base).labels.items()}
        return [
            {"version": version, "label": labels.get(version), "folder": str(path)}
            for version, path in layout.versions(base).items()
        ]

    @functools.cached_property
    def keras(self) -> keras.Model:
        """Its first layer normalises, so it takes pixels of 0..255. Imports TensorFlow here. Raises as `figures`."""
        from components.trainer import artifact

        return artifact.load(str(self._trained.artifact))

    def run(self, settings: Sequence[str] = (), quiet: bool = False, **changes: Any) -> Run:
        """`hubel run`, of the config as its file has it, or else its run: train, evaluate, bless and push. Minutes.

        Args:
            settings: `dotted.path=value`, as of --set.
            quiet: show no progress.
            changes: topics of the config that are merged over it, such as train={"epochs": 3}.

        Raises:
            HubelError, UsageError: what the command line prints in their place. A model that is not blessed is no error; see
                `Run.blessed`.
        """
        called = self._file or str(_written(self._newest(), self.place))
        each = run_commands.wanted(called, settings, self.place, [changes] if changes else [])
        *_, value = run_commands.runs(each, called, self.place, quiet)
        [record] = [known for known in runs.records(self.place, value["model"]) if known.run == value["run"]]
        return Run(record, self.place, value)

    def predict(self, images: Any = (), top: int = 1, texts: Sequence[str] = ()) -> list[dict[str, Any]]:
        """`hubel predict --json`: what the served model answers about each image or text, asked of a process of its own.

        Args:
            images: paths, folders, images of Pillow's or arrays; see pipelines.notebook.images.files_of.
            top: classes that are told of each.
            texts: of a model that reads texts.

        Raises:
            UsageError: for what is none of these, and where there is no such model.
        """
        from pipelines.notebook.images import files_of

        with tempfile.TemporaryDirectory(prefix="hubel-notebook-") as folder:
            files, called = files_of(images, Path(folder))
            if not files and not texts:
                raise UsageError("There is nothing to answer about.", "Give images or texts.")
            given = {"files": files, "top": top, "texts": list(texts), "column": None, "out": None, "force": False}
            value = options.ask_of(requests.Predict, self.asked, str(self.place.root), given)
        return [{**row, "file": called.get(row["file"], row["file"])} if "file" in row else row for row in options.answers(value)]

    def report(self) -> Report:
        """`hubel report`: the page of its run; the newest's without a version. A notebook shows it inline."""
        newest = self._newest()
        if newest is None:
            raise UsageError(f"There is no run of {self.asked!r} on record in {self.place.root}.", "`.run()` makes one.")
        return Run(newest, self.place).report()

    def table(self) -> pandas.DataFrame:
        """Runs of its name, the oldest first: status, version and each figure."""
        import pandas

        rows = [{"run": run.id, "status": run.status, "version": run.version, **run.figures} for run in self.runs]
        return pandas.DataFrame(rows)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Of the Keras model."""
        return self.keras(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what notebooks and copies look for
            raise AttributeError(name)
        return getattr(self.keras, name)

    def __repr__(self) -> str:
        return f"<Model {self.asked} in {self.place.root}>"

    @property
    def _trained(self) -> runs.Trained:
        return runs.trained(self.place, self.asked)

    def _newest(self) -> RunRecord | None:
        """The run that it stands for; of a name without a version its newest, and of a config that was not run none."""
        if runs.is_candidate(self.asked) or "/" in self.asked:
            return runs.record_of(self.place, self._trained)
        return next((record for record in reversed(runs.listed(self.place)) if record.config == self.asked), None)


def _written(record: RunRecord, place: Workspace) -> Path:
    """The config of a run, as it was settled."""
    return place.run(record.config, record.run) / "config.yaml"


def _is_config(asked: str) -> bool:
    try:
        load.find(asked)
    except UsageError:
        return False
    return True
