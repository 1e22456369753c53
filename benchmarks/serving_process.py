"""Servers and clients that benchmarks of serving start: each a process, whose CPU seconds and memory count with its children's."""

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks import commands

MODELS = ("lenet5", "resnet20")
CONFIG = """
name: served_{model}
extends: digits_lenet5
data: {{limit: 600}}
model: {{name: {model}}}
train: {{epochs: 1, early_stopping: null}}
evaluate:
  thresholds: {{accuracy: {{min: 0.0}}}}
  slices: {{label: {{min_count: 1000}}}}
  change: {{accuracy: {{max_drop: 1.0}}}}
"""
BATCHING = "max_batch_size { value: 32 }\nmax_enqueued_batches { value: 100 }\n"
UP = 240  # s that a server has to answer at all


def trained(place: Path, names: Sequence[str] = MODELS) -> dict[str, Path]:
    """Name -> the folder models/NAME of a version that `hubel run` pushed, trained for an epoch on digits, kept in `place`."""
    folders = {}
    for name in names:
        folders[name] = place / "workspace" / "models" / f"served_{name}"
        if not (folders[name] / "1").is_dir():
            config = place / f"served_{name}.yaml"
            config.write_text(CONFIG.format(model=name))
            commands.ask(["run", str(config), "--workspace", str(place / "workspace")])
    return folders


def image() -> bytes:
    """A PNG of a digit."""
    import numpy as np
    from sklearn.datasets import load_digits

    from serving.formats import png

    return png((load_digits().images[0] * 15).astype(np.uint8)[..., None])


def body(content: bytes) -> bytes:
    """A Predict request of REST for image_bytes."""
    instances = [{"b64": base64.b64encode(content).decode()}]
    return json.dumps({"signature_name": "image_bytes", "instances": instances}).encode()


def message(name: str, content: bytes) -> bytes:
    """A serialized PredictRequest for image_bytes."""
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, "image_bytes"
    tensor = request.inputs["image_bytes"]
    tensor.dtype = 7  # DT_STRING
    tensor.tensor_shape.dim.add().size = 1
    tensor.string_val.append(content)
    return request.SerializeToString()


PREDICT = "/tensorflow.serving.PredictionService/Predict"


class Process:
    """One that answers until `end`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None, log: Path | None = None, **pipes: Any):
        with contextlib.ExitStack() as stack:
            told = stack.enter_context(log.open("wb")) if log else None
            self.process = subprocess.Popen(
                command,
                stderr=told,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                **({"stdout": told} | pipes),
            )
        self._tree = psutil.Process(self.process.pid)

    def _all(self) -> list[psutil.Process]:
        return [self._tree, *self._tree.children(recursive=True)]

    def cpu(self) -> float:
        """s that it and its children have used."""
        return sum(sum(process.cpu_times()[:2]) for process in self._all())

    def memory(self) -> int:
        """Bytes of RAM that it and its children hold."""
        return sum(process.memory_info().rss for process in self._all())

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """Kill it and its children, which are a group of processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Hubel(Process):
    """`hubel serve`."""

    def __init__(self, workspace: Path, models: Sequence[Path], *options: str):
        command = [sys.executable, "-m", "pipelines.command_line.cli", "serve", *map(str, models), "--rest-port", "0"]
        command += ["--grpc-port", "0", "--json", "--workspace", str(workspace), *options]
        super().__init__(command, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"`{' '.join(command)}` does not serve")
        told = json.loads(line)
        self.rest, self.grpc = (int(told[end].rpartition(":")[2]) for end in ("rest", "grpc"))
        self.log = told["log"]

    def end(self) -> None:
        """As an operator does."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        super().end()


class Clients(Process):
    """benchmarks/serving_load.py."""

    def __init__(self):
        script = str(Path(__file__).with_name("serving_load.py"))
        super().__init__([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, **asked: Any) -> dict[str, Any]:
        """What came of it, as serving_load.py tells it. request: bytes."""
        line = json.dumps(asked | {"request": base64.b64encode(asked["request"]).decode()})
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        told = self.process.stdout.readline()
        if not told:
            raise SystemExit("The clients have ended")
        return json.loads(told)


def virtual(place: Path, *requirements: str) -> str:
    """A Python that has this one's packages and, in `place`, requirements beside them, which pip installs once."""
    python = place / "bin" / "python"
    if not (place / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(place)], check=True)
        [site] = (place / "lib").glob("python*/site-packages")
        (site / "beside.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")) + "\n")
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True, stderr=subprocess.DEVNULL)
        (place / "done").touch()
    return str(python)


def free_port() -> int:
    """One that nobody listens to."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        return made.getsockname()[1]


def wait_for(port: int, path: str, server: Process) -> None:
    """Until it answers a GET with 200."""
    end = time.monotonic() + UP
    while time.monotonic() < end and server.is_alive:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise SystemExit(f"Nothing answers {path} at port {port}")


@contextlib.contextmanager
def folder(given: Path | None, prefix: str):
    """`given`, which stays, or a folder that goes."""
    import tempfile

    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield made
    finally:
        shutil.rmtree(made)
