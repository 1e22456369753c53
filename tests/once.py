"""What takes long to make and is only looked at: one of pytest's processes makes it, for all of them."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def made_once(factory, name: str, make: Callable[[Path], None]) -> Path:
    """Folder of that name that `make` fills; who comes while another process is at it waits.

    Args:
        factory: pytest's tmp_path_factory.
    """
    root = factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    done = root / f"{name}.made"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(root / name, ignore_errors=True)  # what a process began and failed with says nothing to the next
            (root / name).mkdir()
            make(root / name)
            done.touch()
    return root / name
