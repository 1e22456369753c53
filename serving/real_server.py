"""TensorFlow Serving itself, where this machine has it: the binary on PATH, or its image where Docker answers.

No package index carries it, so whoever wants to ask it looks first (`find`), and says that it is not there otherwise (`ABSENT`).
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.errors import HubelError, last_line

BINARY = "tensorflow_model_server"
IMAGE = "tensorflow/serving:2.21.0"  # of the release whose API requirements.lock has
REST_PORT, GRPC_PORT = 8501, 8500  # TF Serving's own
ABSENT = f"TensorFlow Serving is not here: no {BINARY} on PATH, and no Docker that answers and has {IMAGE}"
LOOK = 0.2  # s between looks at a server that starts
PATIENCE = 120.0  # s that it has for loading its models
_ANSWERS = 20.0  # s in which Docker's daemon answers, where there is one
_FETCHED = 900.0  # s for an image of some 200 MB
_ENDS = 20.0  # s that a server has to end
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine is asked through no proxy


@dataclass(frozen=True)
class TFServing:
    """How TensorFlow Serving is started here: the path of its binary, or Docker's and the name of an image."""

    program: str
    image: str | None = None

    @property
    def name(self) -> str:
        """What it is, for a person."""
        return f"TensorFlow Serving ({self.image or self.program})"


@dataclass(frozen=True)
class Address:
    """Where a server answers: HOST:PORT of each protocol."""

    rest: str
    grpc: str


def find(image: str = IMAGE, fetch: bool = False) -> TFServing | None:
    """TensorFlow Serving as this machine has it; None where it has it not. Takes milliseconds unless Docker has to be asked.

    Args:
        fetch: have Docker fetch the image where it is not here yet, which takes minutes.
    """
    if binary := shutil.which(BINARY):
        return TFServing(binary)
    docker = shutil.which("docker")
    if not docker or not _does(docker, "version", "--format", "{{.Server.Version}}", seconds=_ANSWERS):
        return None
    is_here = _does(docker, "image", "inspect", image, seconds=_ANSWERS)
    if is_here or (fetch and _does(docker, "pull", "--quiet", image, seconds=_FETCHED)):
        return TFServing(docker, image)
    return None


@contextlib.contextmanager
def running(
    server: TFServing, config, log: Path, more: Sequence[str] = (), mounted: Sequence[Path] = (), patience: float = PATIENCE
) -> Iterator[Address]:
    """Have it serve until the block ends. Both ports are of 127.0.0.1, and free ones.

    Args:
        config: a ModelServerConfig whose base paths are of this machine; a container sees them under the same paths, read-only.
        log: file for what the server prints.
        more: further flags, such as "--enable_batching=true". mounted: folders and files that these name.
        patience: s that all its models have until they answer.

    Raises:
        HubelError: where it ends, or a model cannot be loaded, or they do not answer in time; names the log.
    """
    from google.protobuf import text_format

    with tempfile.TemporaryDirectory(prefix="hubel-tf-serving-") as folder, log.open("ab") as sink:
        file = Path(folder) / "model.config"
        file.write_text(text_format.MessageToString(config), encoding="utf-8")
        flags = [f"--model_config_file={file}", "--allow_version_labels_for_unavailable_models=true", *more]
        seen = [Path(folder), *(Path(model.base_path) for model in config.model_config_list.config), *mounted]
        start = _container if server.image else _process
        with start(server, flags, seen, sink) as (process, address_of):
            address = _started(process, address_of, config, server, log, patience)
            yield address


@contextlib.contextmanager
def _process(server: TFServing, flags: Sequence[str], seen, sink):
    ports = _free(2)
    command = [server.program, f"--rest_api_port={ports[0]}", f"--port={ports[1]}", *flags]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)
    try:
        yield process, lambda: Address(*(f"127.0.0.1:{port}" for port in ports))
    finally:
        process.terminate()
        _ended(process)


@contextlib.contextmanager
def _container(server: TFServing, flags: Sequence[str], seen: Sequence[Path], sink):
    name = f"hubel-{uuid.uuid4().hex[:12]}"
    volumes = [f"--volume={path.resolve()}:{path}:ro" for path in dict.fromkeys(seen)]
    ports = [f"--publish=127.0.0.1::{port}" for port in (REST_PORT, GRPC_PORT)]
    who = f"--user={os.getuid()}:{os.getgid()}"  # who may read what the folders hold
    command = [server.program, "run", "--rm", "--init", f"--name={name}", who, *ports, *volumes, f"--entrypoint={BINARY}"]
    command += [server.image or IMAGE, f"--rest_api_port={REST_PORT}", f"--port={GRPC_PORT}", *flags]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)
    try:
        yield process, lambda: _published(server.program, name)
    finally:
        _does(server.program, "stop", "--time=10", name, seconds=2 * _ENDS)
        _ended(process)


def _published(docker: str, name: str) -> Address | None:
    """Where a container's ports are; None as long as it has none."""
    told = [_said(docker, "port", name, f"{port}/tcp", seconds=_ANSWERS) for port in (REST_PORT, GRPC_PORT)]
    return Address(*(text.split()[0] for text in told)) if all(told) else None


def _started(process, address_of, config, server: TFServing, log: Path, patience: float) -> Address:
    """The address, once every model of a config has a version that answers, and none that it names is still to come."""
    end, address, waiting = time.monotonic() + patience, None, list(config.model_config_list.config)
    while waiting:
        if process.poll() is not None:
            raise HubelError(f"{server.name} ended with {process.returncode}: {_last(log)}.", f"All that it said is in {log}.")
        if time.monotonic() >= end:
            names = ", ".join(model.name for model in waiting)
            raise HubelError(f"{server.name} does not answer for {names} after {patience:.0f} s.", f"What it said is in {log}.")
        address = address or address_of()
        waiting = [model for model in waiting if not (address and _answers(address, model, server, log))]
        if waiting:
            time.sleep(LOOK)
    return address


def _answers(address: Address, model, server: TFServing, log: Path) -> bool:
    """Whether the versions of a model answer: those that its config names, or any."""
    try:
        with _DIRECTLY.open(f"http://{address.rest}/v1/models/{model.name}", timeout=5) as told:
            states = {int(each["version"]): each for each in json.load(told)["model_version_status"]}
    except (OSError, ValueError, KeyError):  # not yet: nothing listens, or no version is known
        return False
    failed = [each for each in states.values() if each["state"] == "END"]
    if failed:
        said = failed[0].get("status", {}).get("error_message", "")
        raise HubelError(
            f"{server.name} could not load version {failed[0]['version']} of {model.name}: {last_line(said).rstrip('.')}.",
            f"All that it said is in {log}.",
        )
    up = {version for version, each in states.items() if each["state"] == "AVAILABLE"}
    return bool(up) and up >= set(model.model_version_policy.specific.versions)


def _ended(process: subprocess.Popen) -> None:
    try:
        process.wait(_ENDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _said(*command: str, seconds: float) -> str:
    """What a command prints; nothing where it fails or is not over in time."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _does(*command: str, seconds: float) -> bool:
    return bool(_said(*command, seconds=seconds))


def _last(log: Path) -> str:
    return last_line(log.read_text(encoding="utf-8", errors="replace")).rstrip(".")
