"""The workspace: the only place where its paths are joined, and its lock."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from configs import locking, paths
from configs.errors import FULL, HubelError

MIN_FREE = 100 * 2**20  # bytes below which a run is refused: a full disk in the middle loses more than a refusal at the start


@dataclass(frozen=True)
class Workspace:
    """Folders and files under one root."""

    root: Path

    @classmethod
    def at(cls, root: str | Path) -> "Workspace":
        """The workspace of a folder, which need not exist yet."""
        return cls(Path(root).expanduser().resolve())

    @property
    def metadata(self) -> Path:
        return self.root / "metadata.db"

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def statistics(self) -> Path:
        """Of what is served, by model and version."""
        return self.root / "serving"

    @property
    def lock_file(self) -> Path:
        return self.root / "lock"

    @property
    def index(self) -> Path:
        """The page of all that is here, beside the folders of the pages of runs."""
        return self.root / "reports" / "index.html"

    def pipeline(self, name: str) -> Path:
        """TFX's artifacts of one config name."""
        return self.root / "pipelines" / name

    def model_run(self, name: str, execution: int) -> Path:
        """What an execution of Trainer writes for TensorBoard, where TFX puts it."""
        return self.pipeline(name) / "Trainer" / "model_run" / str(execution)

    def training(self, name: str) -> Path:
        return self.root / "training" / name

    def tuning(self, name: str) -> Path:
        return self.root / "tuning" / name

    def log(self, name: str, run: str) -> Path:
        return self.root / "logs" / name / f"{run}.log"

    def experiment(self, name: str) -> Path:
        """Folder of an experiment's table, plot and result."""
        return self.root / "experiments" / name

    def preview(self, name: str) -> Path:
        """Folder of the contact sheet of one config's images."""
        return self.root / "previews" / name

    def visualization(self, name: str) -> Path:
        """Folder of the page of what is inside a model of one config."""
        return self.root / "visualizations" / name

    def run(self, name: str, run: str) -> Path:
        """Folder of one run's resolved config and record."""
        return self.pipeline(name) / "runs" / run

    def report(self, name: str, run: str, full: bool = False) -> Path:
        """The page of a run. full: with what `hubel report --full` adds."""
        return self.reports(name) / f"{run}{'.full' if full else ''}.html"

    def thumbnail(self, name: str, run: str) -> Path:
        """A small picture of a run, for the index."""
        return self.report(name, run).with_suffix(".webp")

    def reports(self, name: str) -> Path:
        """Folder of the pages of one config's runs."""
        return self.root / "reports" / name

    def evaluations(self, name: str) -> Path:
        """Folder of the pages of what one config trained and was judged again."""
        return self.reports(name) / "evaluations"

    def evaluation(self, name: str, when: str) -> Path:
        """One of them."""
        return self.evaluations(name) / f"{when}.html"

    @staticmethod
    def exported(artifact: str | Path) -> Path:
        """Folder of the SavedModel in a Model artifact, where TFX puts it."""
        return Path(artifact) / "Format-Serving"

    def served(self, name: str, destination: str | None = None) -> Path | str:
        """Folder of a served model's versions; the URL of what is pushed to one."""
        if destination and paths.is_url(destination):
            return f"{destination.rstrip('/')}/{name}"
        return (Path(destination).expanduser().resolve() if destination else self.models) / name

    def check(self) -> None:
        """Raise UsageError for a path in which nothing can be run."""
        paths.literal(self.root, "The workspace", "Choose another with --workspace or HUBEL_WORKSPACE.")

    def prepare(self, needs_room: bool = True) -> None:
        """Make the root. Raises UsageError as `check`, HubelError where it cannot be written or, unless no room is needed, the disk
        is all but full."""
        self.check()
        is_full = False
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            is_full = error.errno in FULL and self.root.is_dir()
            if not is_full:
                raise HubelError(
                    f"The workspace {self.root} cannot be written: {error.strerror or error}.",
                    "Choose another with --workspace or HUBEL_WORKSPACE.",
                ) from None
        free = shutil.disk_usage(self.root).free
        if needs_room and (is_full or free < MIN_FREE):
            raise HubelError(
                f"The disk of {self.root} is full: {free / 2**20:.0f} MiB are left, a run needs {MIN_FREE / 2**20:.0f}.",
                "Free some space (`hubel gc` removes old runs), or choose another disk with --workspace.",
            )

    @contextlib.contextmanager
    def locked(self, what: str, needs_room: bool = True) -> Iterator[int]:
        """Hold the workspace while something is written. Yields the lock's file descriptor, for a child to inherit.

        Args:
            needs_room: refuse on a disk that is all but full; not for what makes room.

        Raises:
            HubelError: where another process holds it; says which.
        """
        self.prepare(needs_room)
        with contextlib.ExitStack() as stack:
            try:
                held = stack.enter_context(locking.hold(self.lock_file, what))
            except locking.Held as other:
                raise HubelError(
                    f"The workspace {self.root} is in use by {other.holder}.", "Wait for it, or use another --workspace."
                ) from None
            yield held

    def is_locked(self) -> bool:
        """Whether some process holds it now."""
        return locking.is_held(self.lock_file)
