"""The process that does the heavy work (configs.child): it imports TensorFlow, the command line does not.

The request is {call: "module:function", arguments: {...}}. Its events are those of components.progress, and a last
{"event": "result", "value": ...} where it did not fail.
"""

import importlib

from configs import child


def main() -> None:
    """Serve one request."""
    child.serve(_answer)


def _answer(request, send) -> int:
    from components import progress

    progress.listen(send)
    module, _, function = request["call"].partition(":")
    with child.importing():
        called = getattr(importlib.import_module(module), function)
    value = called(**request["arguments"])
    send({"event": "result", "value": value})
    return 0


if __name__ == "__main__":
    main()
