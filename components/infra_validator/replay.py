"""The other process of the served-equals-trained gate: a SavedModel, tensors in, tensors out. Imports tensorflow alone.

Run as `python -I replay.py`. It waits for a line on standard input, [MODEL, FOLDER] as JSON, then reads FOLDER/requests.json
({signature: [{argument: {file, dtype}}, ...]}) and writes FOLDER/answers.json ({signature: [{output: {file, dtype}}, ...]} or
{signature: "what went wrong"}). Tensors are files of tf.io.serialize_tensor. Without a line it ends.
"""

import json
import sys
from pathlib import Path

import tensorflow as tf


def main(model: str, folder: Path) -> None:
    """Answer every request."""
    loaded = tf.saved_model.load(model)
    answers = {}
    for name, requests in json.loads((folder / "requests.json").read_text()).items():
        try:
            answers[name] = [_answer(loaded, folder, name, index, request) for index, request in enumerate(requests)]
        except KeyError:
            answers[name] = "it has no such signature"
        except (tf.errors.OpError, TypeError, ValueError) as error:
            answers[name] = f"it fails: {(str(error).strip().splitlines() or ['no message'])[0][:300]}"
    (folder / "answers.json").write_text(json.dumps(answers))


def _answer(loaded, folder: Path, name: str, index: int, request: dict) -> dict:
    arguments = {argument: _read(folder / at["file"], at["dtype"]) for argument, at in request.items()}
    outputs = loaded.signatures[name](**arguments)
    written = {}
    for output, value in outputs.items():
        file = f"answer-{name}-{index}-{output}"
        (folder / file).write_bytes(tf.io.serialize_tensor(value).numpy())
        written[output] = {"file": file, "dtype": value.dtype.name}
    return written


def _read(path: Path, dtype: str) -> tf.Tensor:
    return tf.io.parse_tensor(path.read_bytes(), tf.as_dtype(dtype))


if __name__ == "__main__":
    if asked := sys.stdin.readline():
        to_load, at = json.loads(asked)
        main(to_load, Path(at))
