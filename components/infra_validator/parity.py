"""Served equals trained: the same images through the Keras model here and through the SavedModel in a process of its own, where
TensorFlow answers by itself and servers do over both protocols."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components import examples, given, inputs, keys, unlike
from components.inputs.base import End
from components.tasks.base import Signature
from components.tasks.by_name import task_of
from components.trainer import artifact, endpoints, warmup
from components.trainer.card import Card
from configs.errors import last_line
from keras_models import compat

TOLERANCE = 1e-5  # |served - trained| <= TOLERANCE + TOLERANCE * |trained|
DEEP, DEEP_TOLERANCE = 50, 1e-4  # answers that more layers had a part in: rounding adds up
SECONDS = 600
MODEL, SERVERS = "model", "servers"  # who is asked; the keys of replay.py's files
MEASURED = "measured"
PREDICT = "predict"
REST = " over REST"  # how such ways end


@dataclass
class _Other:
    """The other process; `model` is the SavedModel that it was told to load."""

    process: subprocess.Popen
    model: str | None = None

    def load(self, saved_model: Path) -> None:
        """Have it load a model, while this process does something else."""
        self.model = str(saved_model)
        with contextlib.suppress(BrokenPipeError):  # it has ended: its code says why
            self.process.stdin.write(f"{json.dumps(self.model)}\n")
            self.process.stdin.flush()


_ahead: list[_Other] = []  # started and not asked yet; one at most


def begin() -> None:
    """Start the other process: it imports TensorFlow while this one trains, and waits for a model to load. Where none comes, it
    ends with this process."""
    if not _ahead:
        _ahead.append(_Other(_started()))


def load(saved_model: Path) -> None:
    """Have a process that was begun load the model for which `verdict` will be asked, while this one judges it."""
    for other in _ahead:
        if other.model is None:
            other.load(saved_model)


def _started() -> subprocess.Popen:
    command = [sys.executable, "-I", str(Path(__file__).with_name("replay.py"))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _loading(saved_model: Path) -> subprocess.Popen:
    """One that loads the model: that was begun for it and still lives, or a new one."""
    fit = [other for other in _ahead if other.process.poll() is None and other.model in (None, str(saved_model))]
    for other in _ahead:
        if other not in fit:
            other.process.kill()
    _ahead.clear()
    other = fit[0] if fit else _Other(_started())
    if other.model is None:
        other.load(saved_model)
    return other.process


@dataclass(frozen=True)
class Verdict:
    """Why a model must not be served, or None; the servers that were asked, what a person should know of others, and the measures
    of components.answered, serialized, None where nobody asked for them or the model did not answer."""

    reason: str | None
    servers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    answers: bytes | None = None


@dataclass(frozen=True)
class Request:
    """What one signature is asked, and must answer.

    api: "predict" or "classify". arguments: by name. expected: output -> array, a row an example. ids: of the examples.
    """

    signature: str
    api: str
    arguments: Mapping[str, tf.Tensor]
    expected: dict[str, np.ndarray]
    ids: Sequence[str]


def refusal(model_uri: str, saved_model: Path, records: Sequence[bytes]) -> str | None:
    """The reason of `verdict`."""
    return verdict(model_uri, saved_model, records).reason


def verdict(model_uri: str, saved_model: Path, records: Sequence[bytes], measured: Sequence[str] = ()) -> Verdict:
    """Whether a model may be served.

    Test images go through every signature of the Keras model here and of the SavedModel in TensorFlow there; and the warm-up
    requests that lie beside it, with test images for each signature that has none, through servers, over both protocols.

    Args:
        model_uri: Model artifact with model.keras and card.json.
        saved_model: folder that would be pushed.
        records: raw tf.Examples of test images.
        measured: files of such, of whose answers the measures are wanted.

    Returns:
        With a sentence that names the signature, the image (its id) and how far off it is.
    """
    with tempfile.TemporaryDirectory(prefix="hubel-parity-") as scratch:
        folder = Path(scratch)
        with _loading(saved_model) as other:
            try:
                card = Card.read(model_uri)
                model = artifact.load(model_uri)
                signatures = task_of(card.task).signatures(model, card)
                ends = inputs.input_of(card.reads).ends(card)
                made = endpoints.of(signatures, card, ends)
                asked = {MODEL: _test_requests(signatures, made, card, records)}
                asked[SERVERS] = _requests_of_clients(saved_model, made, ends, card, asked[MODEL])
                _write_requests(asked, measured, folder)
                _, noise = other.communicate(f"{json.dumps(scratch)}\n", timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return Verdict(f"the process that loads the model did not answer within {SECONDS} s")
            finally:
                other.kill()
        if other.returncode != 0:
            return Verdict(f"the process that loads the model ended with code {other.returncode}: {last_line(noise)}")
        told = json.loads((folder / "answers.json").read_text())
        reason = _first_difference(told, asked, made, model, inputs.storage_of(card.reads).noun, folder)
        answers = folder / keys.ANSWERS
        return Verdict(reason, tuple(told["servers"]), tuple(told["notes"]), answers.read_bytes() if answers.is_file() else None)


def _first_difference(
    told: Mapping, asked: Mapping[str, Sequence[Request]], made: Mapping, model: keras.Model, noun: str, folder: Path
) -> str | None:
    """The first answer that is not what it must be, in words, TensorFlow's before a server's; None where there is none."""
    layers = depth(model)
    for way, answers in told["answers"].items():
        over = "" if way == MODEL else f" ({way})"
        for request, answer in zip(asked[MODEL if way == MODEL else SERVERS], answers, strict=True):
            if isinstance(answer, str):
                return f"signature {request.signature}{over}: {answer}"
            answered = {output: _read(folder, at) for output, at in answer.items()}
            for output, trained in request.expected.items():
                if way.endswith(REST) and not trained.size and output in answered and not answered[output].size:
                    answered[output] = answered[output].reshape(trained.shape)  # JSON's lists of nothing have no further sides
            signature = made[request.signature].signature
            tolerance = tolerance_of(layers * signature.passes)
            if problem := difference(request.expected, answered, request.ids, tolerance, signature.compared, noun):
                return f"signature {request.signature}{over}, {problem}"
    for server, why in told["refused"].items():
        return f"the {server} server does not serve it: {why}"
    return None if told["servers"] else "no server was asked for it"


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
    if problem := unlike.form(given, wanted, compared):
        return problem
    for output, trained in wanted.items():
        if compared is not None and output not in compared:
            continue
        served = given[output]
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


def _test_requests(
    signatures: Mapping[str, Signature], made: Mapping[str, endpoints.Endpoint], card: Card, records: Sequence[bytes]
) -> list[Request]:
    """What every endpoint is asked with test examples: all at once, or one after another where they are of several sizes."""
    samples = inputs.input_of(card.reads).samples(records, card)
    whole = next(iter(samples.given.values()))[0]
    ids = [examples.values(example, keys.EXAMPLE_ID)[0].decode(errors="replace") for example in examples.parsed(records)]
    requests = []
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
        for tensor, seen, chosen in zip(sent, behind, rows, strict=True):
            extra = _extra(signature, len(seen[0]))
            first = seen if signature.takes in endpoints.PLAIN else endpoints.arguments(signature, seen, card)
            answer = signature.function(*first, *(label[chosen] for label in labels), *extra.values())
            requests.append(Request(name, PREDICT, {endpoint.spec.name: tensor, **extra}, _arrays(answer), ids[chosen]))
    return requests


def _requests_of_clients(
    saved_model: Path, made: Mapping[str, endpoints.Endpoint], ends: Mapping[str, End], card: Card, others: Sequence[Request]
) -> list[Request]:
    """The warm-up requests, which are what clients send, and of a signature that has none the first of `others`."""
    requests = []
    for number, (name, api, arguments) in enumerate(warmup.read(saved_model / warmup.IN_EXPORT), 1):
        if name not in made:  # whoever replays it refuses it
            continue
        endpoint, feature = made[name], inputs.input_of(card.reads).feature
        sent, *extra = [arguments[spec.name] for spec in endpoint.specs]
        if endpoint.signature.takes in endpoints.PLAIN:
            first = [sent]
        else:
            end = ends[endpoint.end] if endpoint.end else next(iter(ends.values()))
            if endpoint.end == endpoints.EXAMPLES:
                sent = tf.io.parse_example(sent, {feature: tf.io.FixedLenFeature([], tf.string)})[feature]
            first = endpoints.arguments(endpoint.signature, end.read(sent), card)
        answer = _arrays(endpoint.signature.function(*first, *extra))
        ids = [f"of warm-up request {number}"] * len(next(iter(answer.values())))
        requests.append(Request(name, api, arguments, answer, ids))
    missing = {request.signature: request for request in reversed(others)}
    return [*requests, *(missing[name] for name in made if name not in {request.signature for request in requests})]


def _write_requests(asked: Mapping[str, Sequence[Request]], measured: Sequence[str], folder: Path) -> None:
    written: dict[str, list] = {MEASURED: list(measured)}
    for who, requests in asked.items():
        written[who] = []
        for index, request in enumerate(requests):
            arguments = {
                argument: _write(folder / f"request-{who}-{index}-{argument}", value)
                for argument, value in request.arguments.items()
            }
            written[who].append({"signature": request.signature, "api": request.api, "arguments": arguments})
    (folder / "requests.json").write_text(json.dumps(written))


def _arrays(answer: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
    return {output: value.numpy() for output, value in answer.items()}


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
