"""The chief: an oracle that workers ask over gRPC, by keras-tuner's own servicer, in the process of TFX's Tuner."""

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

from components.compat import keras_tuner as compat
from configs import atomic
from configs.errors import HubelError, UsageError
from tuner.oracle import Kept

ALONE = "127.0.0.1:0"  # where no other machine can ask
FILE = "chief.json"  # there while a search runs, or one that died may be gone on with
LINGER = 15.0  # seconds in which far workers hear that a search is over


class Chief:
    """Answers for an oracle while it is open. What the process itself asks of the oracle goes through `do`: one thread has it all,
    since an exception would leave keras-tuner's own lock held."""

    def __init__(self, oracle: Kept, address: str = ALONE):
        """Raises HubelError where the address cannot be listened at."""
        self._oracle, self._pool = oracle, futures.ThreadPoolExecutor(1)
        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        compat.serve(oracle, self._server)
        parsed(address)
        try:
            self.port = self._server.add_insecure_port(address)
        except RuntimeError:
            raise HubelError(f"No chief can listen at {address}.", "Is the port in use, and the address this machine's?") from None
        if not self.port:
            raise HubelError(f"No chief can listen at {address}.", "Is the port in use, and the address this machine's?")
        self._file = oracle.question.folder / FILE

    def __enter__(self):
        until = self._oracle.budget.until
        told = {"host": socket.gethostname(), "process": os.getpid(), "port": self.port, "until": until}
        atomic.write_text(self._file, json.dumps(told))
        self._server.start()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self._file.unlink(missing_ok=True)
        self._server.stop(None).wait()
        self._pool.shutdown()

    def do(self, function: Callable, *given: Any) -> Any:
        """Call a function of the oracle in the oracle's thread."""
        return self._pool.submit(function, *given).result()

    def check(self) -> None:
        """Raise what went wrong in the oracle, such as a full disk."""
        if self._oracle.failure is not None:
            raise self._oracle.failure

    def serve_far(self) -> None:
        """Answer workers on other machines until the search is over."""
        while not self.do(self._oracle.is_done):
            self.check()
            self.do(self._oracle.check_time)
            self.do(self._oracle.give_back_silent)
            time.sleep(0.5)
        self.check()
        end = time.monotonic() + LINGER
        while time.monotonic() < end and self.do(self._oracle.far_workers):
            time.sleep(0.2)


def parsed(address: str) -> tuple[str, int]:
    """Host and port. Raises UsageError for what is no HOST:PORT."""
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{address} is no address.", "Give HOST:PORT, such as 10.0.0.5:8476.")
    return host.strip("[]"), int(port)


def told(folder: Path) -> dict[str, Any] | None:
    """What the chief of a study says of itself; None where its search is over, or has not begun."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads((folder / FILE).read_text())
    return None
