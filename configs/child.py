"""A process that another one started and that ends with it.

One line of JSON on standard input says what it is to do. Events go out as JSON lines on the file descriptor named by argv; where it
fails, the last is {"event": "failure", "error": ...}. Standard input stays open as long as whoever started the process is alive;
when it closes, the process ends at once, whatever it does: from its first moment, since what it imports takes seconds, in which
whoever started it may be killed. So what is imported here is light.
"""

import contextlib
import gc
import json
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from configs import compat
from configs.errors import HubelError, first_line, log_traceback


def serve(work: Callable[[dict[str, Any], Callable[[dict[str, Any]], None]], int]) -> NoReturn:
    """Do what standard input asks for, and end the process: with the code that `work` returns, or that of what it raises.

    Args:
        work: takes the request, and a function that sends an event.
    """
    events = os.fdopen(int(sys.argv[1]), "w", buffering=1)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.filterwarnings("ignore")
    compat.keras_alone()
    sys.path.append(os.getcwd())  # builders of one's own; last, so that hubel's packages keep their names

    def send(event: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more
            events.write(json.dumps(event) + "\n")

    code = HubelError.exit_code
    try:
        code = work(request, send)
    except BaseException as error:  # the last line of defence between a library and a person
        if isinstance(error, Exception):  # others are those of a process that is ended
            told = error
            if not isinstance(error, HubelError):
                told = HubelError(f"{type(error).__name__}: {first_line(error)}", "The log has the whole story.")
            send({"event": "failure", **told.as_json()})
            code = told.exit_code
        log_traceback()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # threads of Beam and TensorFlow would keep the process for seconds


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """For the imports of what takes seconds: nobody looks for circles of objects meanwhile, which finds none and takes a sixth of
    the time even where it is seldom done, and what is there at the end is never looked at again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)
