"""Servers that have a model loaded, asked over both protocols as any client would: the embedded one, and TensorFlow Serving where
this machine has it. Loopback alone; no proxy is asked."""

import base64
import contextlib
import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, predict_pb2, prediction_service_pb2_grpc

from components import examples
from configs.errors import HubelError, first_line
from serving import real_server
from serving.server import model_config
from serving.server.server import Server, Settings

EMBEDDED = "embedded"
REST, GRPC = "REST", "gRPC"
NAME = "model"  # by which it is served here
SECONDS = 600.0  # that an answer may take
LARGEST = 2**31 - 1  # bytes of a message
CLASSIFY = "classify"  # the API; any other is predict

# signature, API, arguments, dtypes of its outputs -> its outputs, or what went wrong
Ask = Callable[[str, str, Mapping[str, np.ndarray], Mapping[str, tf.DType]], dict[str, np.ndarray] | str]


@dataclass
class Started:
    """Servers that answer. ways: "SERVER over PROTOCOL" -> how it is asked. names: of all that were tried. refused: name -> why it
    does not serve the model. notes: what a person should know of one that could not be asked."""

    ways: dict[str, Ask] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(model: Path, folder: Path) -> Iterator[Started]:
    """Have a SavedModel served until the block ends, its warm-up requests replayed.

    Args:
        folder: for what a server needs; empty of `versions`.
    """
    base = folder / "versions"
    base.mkdir()
    (base / "1").symlink_to(model.resolve(), target_is_directory=True)
    config = model_config.of_models({NAME: str(base)})
    started = Started()
    with contextlib.ExitStack() as stack:
        _add(started, EMBEDDED, stack, _embedded(config))
        if (real := real_server.find()) is not None:
            _add(started, real.name, stack, real_server.running(real, config, folder / "server.log", mounted=[model.resolve()]))
        yield started


def _add(started: Started, name: str, stack: contextlib.ExitStack, running) -> None:
    try:
        address = stack.enter_context(running)
    except HubelError as error:
        if name == EMBEDDED or "could not load" in error.message:
            started.names.append(name)
            started.refused[name] = first_line(error.message)
        else:  # such as of a Docker that does not start its image: nothing that the model could help
            started.notes.append(f"{first_line(error.message)} So only others were asked whether they serve the model.")
        return
    started.names.append(name)
    started.ways[f"{name} over {GRPC}"] = stack.enter_context(_grpc(address.grpc))
    started.ways[f"{name} over {REST}"] = stack.enter_context(_rest(address.rest))


@contextlib.contextmanager
def _embedded(config) -> Iterator[real_server.Address]:
    ends = {"rest_port": 0, "grpc_port": 0, "max_request": LARGEST, "timeout": SECONDS, "playground": False}
    server = Server(Settings(**ends, poll=0, drain=0, linger=0))
    server.start(config)
    try:
        yield real_server.Address(*(f"127.0.0.1:{server.ports[end]}" for end in ("rest", "grpc")))
    finally:
        server.stop()


@contextlib.contextmanager
def _grpc(address: str) -> Iterator[Ask]:
    options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.enable_http_proxy", 0),
    ]
    with grpc.insecure_channel(address, options) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def ask(signature, api, arguments, dtypes):
            try:
                if api == CLASSIFY:
                    asked = classification_pb2.ClassificationRequest()
                    asked.input.example_list.examples.extend(examples.parsed(next(iter(arguments.values()))))
                else:
                    asked = predict_pb2.PredictRequest()
                    for argument, value in arguments.items():
                        asked.inputs[argument].CopyFrom(tf.make_tensor_proto(value))
                asked.model_spec.name, asked.model_spec.signature_name = NAME, signature
                answer = (stub.Classify if api == CLASSIFY else stub.Predict)(asked, timeout=SECONDS)
            except grpc.RpcError as error:
                return f"it fails: {error.code().name}: {first_line(error.details())}"
            if api == CLASSIFY:
                rows = [[(entry.label, entry.score) for entry in row.classes] for row in answer.result.classifications]
                return _classified(rows, dtypes)
            return {output: tf.make_ndarray(value) for output, value in answer.outputs.items()}

        yield ask


@contextlib.contextmanager
def _rest(address: str) -> Iterator[Ask]:
    with contextlib.closing(http.client.HTTPConnection(address, timeout=SECONDS)) as connection:

        def ask(signature, api, arguments, dtypes):
            body: dict[str, Any] = {"signature_name": signature}
            if api == CLASSIFY:
                body["examples"] = [_features(example) for example in next(iter(arguments.values()))]
            else:
                body["inputs"] = {argument: _as_json(value) for argument, value in arguments.items()}
            try:
                connection.request("POST", f"/v1/models/{NAME}:{api}", json.dumps(body), {"Content-Type": "application/json"})
                response = connection.getresponse()
                answer = json.loads(response.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()  # the next request opens another one
                return f"it fails: {type(error).__name__}: {first_line(error)}"
            if response.status != http.client.OK:
                return f"it fails: {response.status}: {first_line(answer.get('error', ''))}"
            if api == CLASSIFY:
                return _classified(answer["results"], dtypes)
            outputs = answer["outputs"]
            outputs = outputs if len(dtypes) > 1 else {next(iter(dtypes)): outputs}
            return {output: _array(value, dtypes.get(output, tf.float32)) for output, value in outputs.items()}

        yield ask


def _as_json(array: np.ndarray) -> Any:
    return array.tolist() if array.dtype != object else _bytes_as_json(array)


def _bytes_as_json(value: bytes | np.ndarray) -> Any:
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else [_bytes_as_json(row) for row in value]


def _features(example: bytes) -> dict[str, Any]:
    """A tf.Example as TF Serving's REST API takes it."""
    features = {}
    [whole] = examples.parsed([example])
    for name, feature in whole.features.feature.items():
        kind = feature.WhichOneof("kind")
        values = getattr(feature, kind).value if kind else []
        features[name] = [_bytes_as_json(value) if kind == "bytes_list" else value for value in values]
    return features


def _array(value: Any, dtype: tf.DType) -> np.ndarray:
    """A tensor of an answer's JSON."""
    if dtype != tf.string:
        return np.array(value, dtype.as_numpy_dtype)
    return np.vectorize(_text, otypes=[object])(np.array(value, object)) if np.size(value) else np.zeros(np.shape(value), object)


def _text(value: str | dict[str, str]) -> bytes:
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value.encode()


def _classified(rows, dtypes: Mapping[str, tf.DType]) -> dict[str, np.ndarray]:
    """Of pairs of a label and a score: the outputs that the signature has."""
    labels = np.array([[label.encode() for label, _ in row] for row in rows], object)
    scores = np.array([[score for _, score in row] for row in rows], np.float32)
    return {name: value for name, value in (("classes", labels), ("scores", scores)) if name in dtypes}
