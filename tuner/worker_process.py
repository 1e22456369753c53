"""The process of a worker that a crew starts, `python -m tuner.worker_process`: a line of JSON on standard input says what it is,
its events go out as JSON lines on the file descriptor named by argv, and when standard input closes it ends at once: from its first
moment, since what it imports takes seconds, in which whoever started it may be killed."""

import contextlib
import json
import os
import sys
import threading
import traceback
import warnings
from pathlib import Path

from configs.errors import HubelError, UsageError, first_line

RENEW = 75  # exit code of a worker that has grown and is to be started anew


def main() -> None:
    """One worker of a crew."""
    events = os.fdopen(int(sys.argv[1]), "w", buffering=1)
    told = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.filterwarnings("ignore")
    sys.path.append(os.getcwd())  # builders of one's own; last, so that hubel's packages keep their names

    def send(event: dict) -> None:
        with contextlib.suppress(OSError):
            events.write(json.dumps(event) + "\n")

    code = 0
    try:
        from components import progress
        from tuner import worker

        progress.listen(send)
        try:
            worker.Worker(Path(told["folder"]), told["address"], told["name"]).search()
        except worker.Renewed:
            code = RENEW
        except worker.Over:
            pass
    except Exception as error:  # the last line of defence between a library and a person
        said = HubelError(f"{type(error).__name__}: {first_line(error)}", "The log has the whole story.")
        send({"event": "failure", **(error if isinstance(error, HubelError) else said).as_json()})
        traceback.print_exc()
        code = UsageError.exit_code if isinstance(error, UsageError) else 1
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # threads of TensorFlow would keep the process for seconds


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
