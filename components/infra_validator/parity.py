"""Served equals trained: the same images through the Keras model here and through the SavedModel in a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components import examples, given, inputs, keys
from components.tasks.base import Signature
from components.tasks.by_name import task_of
from components.trainer import artifact, endpoints
from components.trainer.card import Card
from configs.errors import last_line
from keras_models import compat

TOLERANCE = 1e-5  # |served - trained| <= TOLERANCE + TOLERANCE * |trained|
DEEP, DEEP_TOLERANCE = 50, 1e-4  # answers that more layers had a part in: rounding adds up
SECONDS = 600


_ahead: list[subprocess.Popen] = []  # started and not asked yet; one at most


def begin() -> None:
    """Start the other process: it imports TensorFlow while this one trains, and waits for the next `refusal` to ask it. Where none
    comes, it ends with this process."""
    if not _ahead:
        _ahead.append(_started())


def _started() -> subprocess.Popen:
    command = [sys.executable, "-I", str(Path(__file__).with_name("replay.py"))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _other() -> subprocess.Popen:
    """One that was begun and still waits, or a new one."""
    waiting = [process for process in _ahead if process.poll() is None]
    _ahead.clear()
    return waiting[0] if waiting else _started()


def refusal(model_uri: str, saved_model: Path, records: Sequence[bytes]) -> str | None:
    """Why a model must not be served, or None.

    Args:
        model_uri: Model artifact with model.keras and card.json.
        saved_model: folder that would be pushed.
        records: raw tf.Examples of test images.

    Returns:
        A sentence that names the signature, the image (its id) and how far off it is.
    """
    with tempfile.TemporaryDirectory(prefix="hubel-parity-") as scratch:
        folder = Path(scratch)
        with _other() as other:
            try:
                card = Card.read(model_uri)
                model = artifact.load(model_uri)
                expected, ids, signatures = _ask(model, card, records, folder)
                _, noise = other.communicate(f"{json.dumps([str(saved_model), scratch])}\n", timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return f"the process that loads the model did not answer within {SECONDS} s"
            finally:
                other.kill()
        if other.returncode != 0:
            return f"the process that loads the model ended with code {other.returncode}: {last_line(noise)}"
        answers, noun = json.loads((folder / "answers.json").read_text()), inputs.storage_of(card.reads).noun
        for name, wanted in expected.items():
            tolerance = tolerance_of(depth(model) * signatures[name].passes)
            if isinstance(answers[name], str):
                return f"signature {name}: {answers[name]}"
            for index, outputs in enumerate(wanted):
                answered = {output: _read(folder, at) for output, at in answers[name][index].items()}
                of = ids if len(wanted) == 1 else ids[index : index + 1]
                problem = difference(outputs, answered, of, tolerance, signatures[name].compared, noun)
                if problem:
                    return f"signature {name}, {problem}"
    return None


def difference(
    wanted: dict[str, np.ndarray],
    given: dict[str, np.ndarray],
    ids: Sequence[str],
    tolerance: float,
    compared: Sequence[str] | None = None,
    noun: str = "image",
) -> str | None:
    """The first output that differs, in words, or None. Arrays have one row an example; `ids` name the rows.

    Args:
        noun: what an example is called.
        compared: outputs whose values must be the same; None: all. Of the others, the dtype must be.
    """
    if sorted(wanted) != sorted(given):
        return f"outputs are {sorted(given)} where {sorted(wanted)} were trained"
    for output, trained in wanted.items():
        served = given[output]
        if served.dtype != trained.dtype:
            return f"output {output} is {served.dtype} instead of {trained.dtype}"
        if compared is not None and output not in compared:
            continue
        if served.shape != trained.shape:
            return f"output {output} has shape {served.shape} instead of {trained.shape}"
        if trained.dtype.kind == "f":
            off = np.abs(served.astype(np.float64) - trained)
            wrong = ~(off <= tolerance + tolerance * np.abs(trained))
        else:
            off, wrong = None, served != trained
        if wrong.any():
            row = int(np.argwhere(wrong)[0][0])
            far = (
                f"off by {np.nanmax(off[row]):.3g}"
                if off is not None
                else f"{served[row].tolist()} instead of {trained[row].tolist()}"
            )
            return f"{noun} {ids[row]}, output {output}: {far} (allowed: {tolerance:g} + {tolerance:g} |value|)"
    return None


def tolerance_of(layers: int) -> float:
    """What an answer may be off by, in all and as a share, when it has gone through so many layers with weights."""
    return DEEP_TOLERANCE if layers > DEEP else TOLERANCE


def depth(model: keras.Model) -> int:
    """Layers with weights, those of nested models included."""
    return sum(1 for layer in compat.layers_of(model) if layer.weights and not isinstance(layer, keras.Model))


def _ask(model: keras.Model, card: Card, records: Sequence[bytes], folder: Path) -> tuple[dict, list[str], dict[str, Signature]]:
    """Write every request and compute here what the answers must be; also the images' ids, and the signature of each endpoint."""
    samples = inputs.input_of(card.reads).samples(records, card)
    whole = next(iter(samples.given.values()))[0]
    ids = [examples.values(example, keys.EXAMPLE_ID)[0].decode(errors="replace") for example in examples.parsed(records)]
    signatures = task_of(card.task).signatures(model, card)
    made = endpoints.of(signatures, card)
    requests, expected = {}, {}
    for index, (name, endpoint) in enumerate(made.items()):
        signature = endpoint.signature
        if signature.takes in endpoints.PLAIN:
            sent = [_plain(signatures, endpoint, whole, card, seed=index)]
            behind = [sent]
        elif endpoint.end == endpoints.EXAMPLES:
            sent, behind = [tf.constant(list(records))], [whole]
        else:
            sent, behind = samples.sent[endpoint.end], samples.given[endpoint.end]
        rows = [slice(None)] if len(sent) == 1 else [slice(place, place + 1) for place in range(len(sent))]
        labels = given.of(list(records), signature.given, card.seen)
        requests[name], expected[name] = [], []
        for number, (tensor, seen, chosen) in enumerate(zip(sent, behind, rows, strict=True)):
            extra = _extra(signature, len(seen[0]))
            told = {endpoint.spec.name: tensor, **extra}
            requests[name].append(
                {argument: _write(folder / f"request-{index}-{number}-{argument}", value) for argument, value in told.items()}
            )
            first = seen if signature.takes in endpoints.PLAIN else endpoints.arguments(signature, seen, card)
            answer = signature.function(*first, *(label[chosen] for label in labels), *extra.values())
            expected[name].append({output: value.numpy() for output, value in answer.items()})
    (folder / "requests.json").write_text(json.dumps(requests))
    return expected, ids, {name: endpoint.signature for name, endpoint in made.items()}


def _plain(
    signatures: Mapping[str, Signature], endpoint: endpoints.Endpoint, seen: Sequence[tf.Tensor], card: Card, seed: int
) -> tf.Tensor:
    """What a signature of codes or of bytes is asked: what another one makes of the examples, or numbers drawn from N(0, 1).

    Raises:
        ValueError: where nothing says what makes it.
    """
    signature, maker = endpoint.signature, signatures.get(endpoint.signature.made_by)
    if maker is None and signature.takes == "code":
        return tf.random.stateless_normal([len(seen[0]), endpoint.spec.shape[-1]], [0, seed])
    outputs = [output for output, kind in maker.gives.items() if kind == signature.takes] if maker else []
    if len(outputs) != 1:
        raise ValueError(f"a signature takes {signature.takes}, and made_by names none of {card.reads}s that gives one such output")
    extra = _extra(maker, len(seen[0]))
    return maker.function(*endpoints.arguments(maker, seen, card), *extra.values())[outputs[0]]


def _extra(signature: Signature, many: int) -> dict[str, tf.Tensor]:
    return {name: argument.example(many) for name, argument in signature.extra.items()}


def _write(path: Path, tensor: tf.Tensor) -> dict:
    path.write_bytes(tf.io.serialize_tensor(tensor).numpy())
    return {"file": path.name, "dtype": tensor.dtype.name}


def _read(folder: Path, at: dict) -> np.ndarray:
    return tf.io.parse_tensor((folder / at["file"]).read_bytes(), tf.as_dtype(at["dtype"])).numpy()
