"""The other process of the served-equals-trained gate: a SavedModel, tensors in, tensors out. TensorFlow answers by itself, and so
do servers that have it loaded; nothing of training is imported.

Run as `python -I replay.py`. It waits for a line on standard input, MODEL as JSON, and loads the model in every way; then for
another, FOLDER as JSON, where requests.json is by then: {"model": requests, "servers": requests, "measured": files of tf.Examples},
of requests each a list of {signature, api, arguments: {name: {file, dtype}}}. It writes FOLDER/answers.json:

- servers: names of those that were asked. refused: {server: why it does not serve it}. notes: what a person should know.
- answers: {way: [{output: {file, dtype}} or "what went wrong"]}, in the order of the requests: of the way MODEL, asked for `model`,
  and of each "SERVER over PROTOCOL", for `servers`.

Of the files it writes FOLDER/answers.pb, what components.answered measures of the model's answers, where it answers. Tensors are
files of tf.io.serialize_tensor. Where a line does not come, it ends.
"""

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from configs.child import importing
from configs.compat import no_keras

MODEL = "model"  # the way without a server


def ready() -> None:
    """Import what takes seconds, and have TensorFlow, where it answers by itself, run graphs as they are: each is run once, and its
    optimizer takes longer than that. The server's is on."""
    no_keras()
    with importing():
        import tensorflow as tf

        import components.infra_validator.servers  # noqa: F401
        import serving.server.rest.end  # noqa: F401
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def main(model: str, wait: Callable[[], str]) -> None:
    """Load a model in every way, and answer every request once `wait` has returned the line that says where they are."""
    import tensorflow as tf

    from components.infra_validator import servers

    loaded = tf.saved_model.load(model)
    with tempfile.TemporaryDirectory(prefix="hubel-parity-") as own, servers.serving(Path(model), Path(own)) as started:
        if not (line := wait()):
            return
        folder = Path(json.loads(line))
        requests = json.loads((folder / "requests.json").read_text())
        answers = {MODEL: [_answer(loaded, folder, index, request) for index, request in enumerate(requests["model"])]}
        for way, client in started.ways.items():
            answers[way] = [
                _through(client, folder, f"{len(answers)}-{index}", request) for index, request in enumerate(requests["servers"])
            ]
        if requests["measured"] and started.servable is not None:
            _measure(started.servable, requests["measured"], folder)
        told = {"servers": started.names, "refused": started.refused, "notes": started.notes, "answers": answers}
    (folder / "answers.json").write_text(json.dumps(told))


def _answer(loaded, folder: Path, index: int, request: dict) -> dict | str:
    """What TensorFlow answers."""
    import tensorflow as tf

    from configs.errors import first_line

    signature = loaded.signatures.get(request["signature"]) if request["signature"] in loaded.signatures else None
    if signature is None:
        return "it has no such signature"
    try:
        outputs = signature(**{argument: read(folder, at) for argument, at in request["arguments"].items()})
    except (tf.errors.OpError, TypeError, ValueError) as error:
        return f"it fails: {first_line(error)}"
    return {output: write(folder / f"answer-{index}-{output}", value) for output, value in outputs.items()}


def _measure(servable, files: Sequence[str], folder: Path) -> None:
    """Nothing is written where it does not answer: Pusher, who asks then, says why."""
    import tensorflow as tf

    from components import answered, keys
    from serving.server.status import ServingError

    with contextlib.suppress(ServingError, tf.errors.OpError, ValueError, KeyError, OSError):
        (folder / keys.ANSWERS).write_bytes(answered.dataset(servable, files).SerializeToString(deterministic=True))


def _through(client, folder: Path, index: str, request: dict) -> dict | str:
    """What a server answers."""
    import tensorflow as tf

    from components.infra_validator import servers

    arguments = {argument: read(folder, at).numpy() for argument, at in request["arguments"].items()}
    outputs = servers.ask(client, request["signature"], request["api"], arguments)
    if isinstance(outputs, str):
        return outputs
    return {output: write(folder / f"answer-{index}-{output}", tf.constant(value)) for output, value in outputs.items()}


def write(path: Path, tensor) -> dict:
    """Put a tensor into a file; what `read` takes."""
    import tensorflow as tf

    path.write_bytes(tf.io.serialize_tensor(tensor).numpy())
    return {"file": path.name, "dtype": tensor.dtype.name}


def read(folder: Path, at: dict):
    """The tensor of a file."""
    import tensorflow as tf

    return tf.io.parse_tensor((folder / at["file"]).read_bytes(), tf.as_dtype(at["dtype"]))


if __name__ == "__main__":
    ready()
    if told := sys.stdin.readline():
        main(json.loads(told), sys.stdin.readline)
