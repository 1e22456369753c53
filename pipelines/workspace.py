"""The workspace: the only place where its paths are joined, and its lock."""

import contextlib
import datetime
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import portalocker

from configs.errors import HubelError

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
    def lock_file(self) -> Path:
        return self.root / "lock"

    def pipeline(self, name: str) -> Path:
        """TFX's artifacts of one config name."""
        return self.root / "pipelines" / name

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

    def run(self, name: str, run: str) -> Path:
        """Folder of one run's resolved config and record."""
        return self.pipeline(name) / "runs" / run

    def served(self, name: str, destination: str | None = None) -> Path:
        """Folder of a served model's versions."""
        return (Path(destination).expanduser().resolve() if destination else self.models) / name

    def prepare(self) -> None:
        """Make the root. Raises HubelError where it cannot be written or the disk is all but full."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise HubelError(
                f"The workspace {self.root} cannot be written: {error.strerror or error}.",
                "Choose another with --workspace or HUBEL_WORKSPACE.",
            ) from None
        free = shutil.disk_usage(self.root).free
        if free < MIN_FREE:
            raise HubelError(
                f"The disk of {self.root} is full: {free / 2**20:.0f} MiB are left, a run needs {MIN_FREE / 2**20:.0f}.",
                "Free some space (`hubel gc` removes old runs), or choose another disk with --workspace.",
            )

    @contextlib.contextmanager
    def locked(self, what: str) -> Iterator[int]:
        """Hold the workspace while something is written. Yields the lock's file descriptor, for a child to inherit.

        Raises:
            HubelError: where another process holds it; says which.
        """
        self.prepare()
        file = self.lock_file.open("a+")
        try:
            portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
        except portalocker.LockException:
            file.seek(0)
            holder = file.read().strip() or "another process"
            file.close()
            raise HubelError(
                f"The workspace {self.root} is in use by {holder}.", "Wait for it, or use another --workspace."
            ) from None
        try:
            file.truncate(0)
            file.write(f"`{what}` (process {os.getpid()}, since {datetime.datetime.now():%Y-%m-%d %H:%M:%S})")
            file.flush()
            yield file.fileno()
        finally:
            file.close()

    def is_locked(self) -> bool:
        """Whether some process holds it now."""
        try:
            with self.lock_file.open() as file:
                portalocker.lock(file, portalocker.LOCK_SH | portalocker.LOCK_NB)
        except portalocker.LockException:
            return True
        except OSError:
            return False
        return False
