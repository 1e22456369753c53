"""A model at a URL as a folder here of what tells of it, for verbs that read a model's folder and load nothing of it."""

import contextlib
import tempfile
from collections.abc import Iterator

from configs import paths
from configs.errors import UsageError
from pipelines.command_line.options import quietly
from pipelines.process import requests

FILE = "file://"  # which is a path


@contextlib.contextmanager
def at_hand(model: str, whole_without: str | None = None) -> Iterator[str]:
    """A model as whoever reads folders asks for it: its name or path as it is, and of a URL the path of a folder that tells of it
    as long as the block lasts.

    Args:
        model: NAME[/VERSION], a path, or the URL of a folder of versions or of one of them.
        whole_without: a file of a version; one that has none is copied whole.

    Raises:
        UsageError: where there is no such model at a URL. HubelError: where its file system cannot be read here.
    """
    if model.startswith(FILE):
        path = model.removeprefix(FILE)
        if not path.startswith("/"):
            raise UsageError(f"{model} names a host, and a path has three slashes.", f"Such as {FILE}/mnt/models/NAME.")
        yield path
    elif paths.is_url(model):
        with tempfile.TemporaryDirectory(prefix="hubel-away-") as folder:
            yield quietly(requests.MirrorModel(model, folder, whole_without))
    else:
        yield model
