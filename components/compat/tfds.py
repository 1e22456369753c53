"""TFDS: what is changed in it while it prepares a data set."""

import contextlib
import types
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def downloading(instead: Callable[[str], Exception]) -> Iterator[None]:
    """Within it TFDS downloads nothing: each archive that it would download fails with the exception that `instead` gives for the
    archive's address."""
    import tensorflow_datasets
    from tensorflow_datasets.core.utils.lazy_imports_utils import promise

    manager = tensorflow_datasets.download.DownloadManager

    def refuse(self, resource):
        return promise.Promise.rejected(instead(resource.url))

    download, manager._download = manager._download, refuse
    try:
        yield
    finally:
        manager._download = download


@contextlib.contextmanager
def progress_told(to: Callable[[str, float, float | None], None]) -> Iterator[None]:
    """Within it TFDS's progress bars draw nothing; each step of one is told: what it is of, how many are done, of how many (None:
    nobody knows)."""
    from tensorflow_datasets.core.utils import tqdm_utils

    class Bar(tqdm_utils.tqdm_lib.tqdm):
        def display(self, *args, **kwargs):
            to((self.desc or "").strip(" .:"), self.n, self.total or None)

    bars, tqdm_utils.tqdm_lib = tqdm_utils.tqdm_lib, types.SimpleNamespace(tqdm=Bar)
    try:
        yield
    finally:
        tqdm_utils.tqdm_lib = bars
