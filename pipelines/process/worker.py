"""The process that does the heavy work: it imports TensorFlow, the command line does not.

One JSON request comes in on standard input: {call: "module:function", arguments: {...}}. Events go out as JSON lines on the
file descriptor named by argv: progress, then one {"event": "result", "value": ...} or {"event": "failure", ...}.
Standard input stays open as long as whoever asked is alive; when it closes, this process ends at once, whatever it does.
"""

import contextlib
import importlib
import json
import os
import sys
import threading
import traceback
import warnings

from configs.errors import HubelError, first_line


def main() -> None:
    """Serve one request."""
    events = os.fdopen(int(sys.argv[1]), "w", buffering=1)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.filterwarnings("ignore")
    sys.path.append(os.getcwd())  # builders of one's own; last, so that hubel's packages keep their names

    def send(event: dict) -> None:
        events.write(json.dumps(event) + "\n")

    try:
        from components import progress

        progress.listen(send)
        module, _, function = request["call"].partition(":")
        value = getattr(importlib.import_module(module), function)(**request["arguments"])
        send({"event": "result", "value": value})
    except Exception as error:  # the last line of defence between a library and a person
        told = HubelError(f"{type(error).__name__}: {first_line(error)}", "The log has the whole story.")
        send({"event": "failure", **(error if isinstance(error, HubelError) else told).as_json()})
        with contextlib.suppress(OSError):  # such as of a full disk, which the failure may be about
            traceback.print_exc()
    except BaseException:  # such as of a search that is ended: threads must not keep the process either
        traceback.print_exc()
        os._exit(1)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)  # threads of Beam and TensorFlow would keep the process for seconds


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
