"""Servers that have a model loaded, asked over both protocols as any client would: the embedded one, and TensorFlow Serving where
this machine has it. Loopback alone; no proxy is asked."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from configs.errors import HubelError, UsageError, first_line
from serving import real_server
from serving.client import Client, ServerError
from serving.client.errors import plain
from serving.server import model_config
from serving.server.servable import Servable
from serving.server.server import Server, Settings

EMBEDDED = "embedded"
REST, GRPC = "REST", "gRPC"
NAME = "model"  # by which it is served here
SECONDS = 600.0  # that an answer may take
LARGEST = 2**31 - 1  # bytes of a message
CLASSIFY = "classify"  # the API; any other is predict


@dataclass
class Started:
    """Servers that answer. ways: "SERVER over PROTOCOL" -> who asks it. names: of all that were tried. refused: name -> why it
    does not serve the model. notes: what a person should know of one that could not be asked. servable: the model as the embedded
    server has loaded it, None where that does not serve it."""

    ways: dict[str, Client] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    servable: Servable | None = None


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
        _add(started, EMBEDDED, stack, _embedded(config, started))
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
    for protocol, at in ((GRPC, address.grpc), (REST, address.rest)):
        started.ways[f"{name} over {protocol}"] = stack.enter_context(_client(at, protocol))


@contextlib.contextmanager
def _embedded(config, started: Started) -> Iterator[real_server.Address]:
    ends = {"rest_port": 0, "grpc_port": 0, "max_request": LARGEST, "timeout": SECONDS, "playground": False}
    server = Server(Settings(**ends, poll=0, drain=0, linger=0, quick_start=True))
    server.start(config)
    try:
        with server.manager.lease(NAME) as started.servable:
            yield real_server.Address(*(f"127.0.0.1:{server.ports[end]}" for end in ("rest", "grpc")))
    finally:
        started.servable = None
        server.stop()


def ask(client: Client, signature: str, api: str, arguments: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | str:
    """What a signature answers, asked by that API: outputs by name, or what went wrong."""
    try:
        if (asked := client.signatures.get(signature)) is None:
            return "it has no such signature"
        for alias, array in arguments.items():  # a client would make it what the signature says
            if alias in asked.inputs and array.dtype != asked.inputs[alias].dtype:
                return f"input {alias} is {np.dtype(asked.inputs[alias].dtype)} instead of {array.dtype}"
        if api == CLASSIFY:
            return client.classify(list(next(iter(arguments.values()))), signature)
        return client.predict(arguments, signature)
    except ServerError as error:
        return f"it fails: {error.code}: {first_line(plain(error.said) or error.message)}"
    except UsageError as error:  # what the server says of the signature does not fit what is asked
        return f"it cannot be asked: {first_line(error.message)}"


def _client(address: str, protocol: str) -> Client:
    return Client(address, NAME, protocol=protocol.lower(), timeout=SECONDS, retries=0, batch_size=LARGEST)
