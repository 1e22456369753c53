"""hubel serve beside its model called in process, LitServe and MLServer: requests a second, how long they take, what CPU they cost.

    .venv/bin/python -m benchmarks.serving [--work DIR] [--seconds S] [--rounds N]

All hold one SavedModel each of LeNet-5 and ResNet-20 (`hubel run`, an epoch of digits) and are asked for one PNG a request, by 1, 8
and 32 clients that have a connection each and ask again once they are answered, in a process of their own (serving_load.py), which
speaks HTTP/1.1 and HTTP/2 over bare sockets, so that a request costs the clients about as little whichever server is asked:

    hubel       REST and gRPC, without batching and with it (max_batch_size 32, greedy)
    LitServe    0.2.19, one worker, without batching and with it (32, 2 ms)
    MLServer    1.7.1, V2 over REST, its defaults, without batching and with it (32, 2 ms)
    in process  tf.saved_model.load's signature, by one thread: an image a call, and 32

The peers get a Python each in DIR, which has this one's packages, and pip's of the peer beside them. All servers are up at once;
rounds ask each in turn, in another order each time, so ratios are of one round, and figures are medians. Before, each has answered
with the probabilities that the signature has, within 1e-4. CPU is of the server and its children, user's and system's, over the
requests that were answered; a server whose request is not answered with 200 ends the benchmark.

Aimed at are a ratio above 1 to each peer that batches as it does, and, where batches can form (32 clients, with batching), a CPU a
request of at most 1.25 of that in process by 32, and 0.8 ms.

Rows go to benchmarks/results/serving.csv, in place of those of the same model, server and clients on the same machine, and from
there into the table of docs/serving.md.
"""

import argparse
import base64
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import record, serving_process
from benchmarks.serving_process import Clients, Hubel, Process

PAGE = record.ROOT / "docs/serving.md"
HERE = Path(__file__).parent
KEYS = ("model", "server", "batching", "clients", "machine")  # of a row
CLIENTS = (1, 8, 32)
SHARE, CONSTANT = 1.25, 0.8  # of the aim: of the CPU in process by 32, and ms
NEAR = 1e-4  # of probabilities
IN_PROCESS = "in process"
PEERS = {
    "LitServe": ["litserve==0.2.19"],
    "MLServer": ["mlserver==1.7.1", "uvloop<0.22"],  # later ones make no event loop where MLServer's workers ask for it
}
BATCH = 32


@dataclass(frozen=True)
class Server:
    """A way to ask.

    Attributes:
        name, batching: of a row. process: whose CPU counts.
        request: model -> what Clients.ask takes. probabilities: of an answer's bytes.
    """

    name: str
    batching: bool
    process: Process
    request: Callable[[str], dict[str, Any]]
    probabilities: Callable[[bytes], list[float]]


class InProcess:
    """serving_in_process.py."""

    def __init__(self, models: dict[str, Path], image: Path):
        command = [sys.executable, str(HERE / "serving_in_process.py"), str(image), *_pairs(models)]
        self._process = Process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._process.process.stdout.readline() != b"ready\n":
            raise SystemExit("The models cannot be called in process")
        self.end = self._process.end

    def ask(self, model: str, rows: int, seconds: float) -> dict[str, Any]:
        """As it tells."""
        self._process.process.stdin.write(f"{json.dumps({'model': model, 'rows': rows, 'seconds': seconds})}\n".encode())
        self._process.process.stdin.flush()
        return json.loads(self._process.process.stdout.readline())


def _pairs(models: dict[str, Path]) -> list[str]:
    return [f"{name}={folder / '1'}" for name, folder in models.items()]


def _of_rest(content: bytes) -> list[float]:
    return json.loads(content)["predictions"][0]["probabilities"]


def _of_grpc(content: bytes) -> list[float]:
    from tensorflow_serving.apis import predict_pb2

    return list(predict_pb2.PredictResponse.FromString(content).outputs["probabilities"].float_val)


def _of_litserve(content: bytes) -> list[float]:
    return json.loads(content)["probabilities"]


def _of_mlserver(content: bytes) -> list[float]:
    return next(output["data"] for output in json.loads(content)["outputs"] if output["name"] == "probabilities")


def hubels(models: dict[str, Path], image: bytes, work: Path, batching: bool) -> list[Server]:
    """Both ends of a server."""
    (work / "batching.txt").write_text(serving_process.BATCHING)
    options = ("--batching-file", str(work / "batching.txt")) if batching else ()
    process = Hubel(work / "workspace", list(models.values()), *options)

    def rest(model: str) -> dict[str, Any]:
        path = f"/v1/models/served_{model}:predict"
        return {"protocol": "REST", "port": process.rest, "path": path, "request": serving_process.body(image)}

    def grpc(model: str) -> dict[str, Any]:
        request = serving_process.message(f"served_{model}", image)
        return {"protocol": "HTTP/2", "port": process.grpc, "path": serving_process.PREDICT, "request": request}

    return [Server("hubel, REST", batching, process, rest, _of_rest), Server("hubel, gRPC", batching, process, grpc, _of_grpc)]


def litserve(models: dict[str, Path], image: bytes, work: Path, batching: bool) -> list[Server]:
    """A server of LitServe."""
    python, port = serving_process.virtual(work / "litserve", *PEERS["LitServe"]), serving_process.free_port()
    command = [python, str(HERE / "serving_litserve.py"), str(port), str(BATCH if batching else 1), *_pairs(models)]
    process = Process(command, log=work / f"litserve-{batching}.log")
    serving_process.wait_for(port, "/health", process)
    content = base64.b64encode(image).decode()

    def request(model: str) -> dict[str, Any]:
        body = json.dumps({"model": model, "image_bytes": content}).encode()
        return {"protocol": "REST", "port": port, "path": "/predict", "request": body}

    return [Server("LitServe", batching, process, request, _of_litserve)]


def mlserver(models: dict[str, Path], image: bytes, work: Path, batching: bool) -> list[Server]:
    """A server of MLServer."""
    python, port = serving_process.virtual(work / "mlserver", *PEERS["MLServer"]), serving_process.free_port()
    place = work / f"mlserver-{batching}"
    shutil.rmtree(place, ignore_errors=True)
    for name, folder in models.items():
        (place / name).mkdir(parents=True)
        settings = {
            "name": name,
            "implementation": "serving_mlserver.SavedModel",
            "parameters": {"uri": str(folder / "1")},
            **({"max_batch_size": BATCH, "max_batch_time": 0.002} if batching else {}),
        }
        (place / name / "model-settings.json").write_text(json.dumps(settings))
    shutil.copy(HERE / "serving_mlserver.py", place)
    ports = {"http_port": port, "grpc_port": serving_process.free_port(), "metrics_port": serving_process.free_port()}
    (place / "settings.json").write_text(json.dumps({"host": "127.0.0.1", "debug": False, **ports}))
    command = [python, str(Path(python).with_name("mlserver")), "start", str(place)]
    process = Process(command, {"PYTHONPATH": str(place)}, work / f"mlserver-{batching}.log")
    serving_process.wait_for(port, "/v2/health/ready", process)
    files = {"name": "image_bytes", "shape": [1], "datatype": "BYTES", "parameters": {"content_type": "base64"}}
    body = json.dumps({"inputs": [files | {"data": [base64.b64encode(image).decode()]}]}).encode()

    def request(model: str) -> dict[str, Any]:
        return {"protocol": "REST", "port": port, "path": f"/v2/models/{model}/infer", "request": body}

    return [Server("MLServer", batching, process, request, _of_mlserver)]


def check(servers: list[Server], clients: Clients, inside: InProcess) -> None:
    """Raises SystemExit where a server answers otherwise than the signature."""
    for model in serving_process.MODELS:
        wanted = inside.ask(model, 1, 0.1)["probabilities"]
        for server in servers:
            told = clients.ask(**server.request(model), clients=1, seconds=0.2)
            answered = server.probabilities(base64.b64decode(told["answer"])) if told["answered"] else []
            if len(answered) != len(wanted) or max(abs(a - b) for a, b in zip(answered, wanted, strict=True)) > NEAR:
                raise SystemExit(f"{server.name} answers {answered or told} for {model}, the signature {wanted}")


Cell = tuple[str, str, bool, int]  # model, server, batching, clients


def measured(servers: list[Server], clients: Clients, inside: InProcess, rounds: int, seconds: float) -> dict[Cell, list[dict]]:
    """{rate, p50, p99, cpu: ms} of each round."""
    came: dict[Cell, list[dict]] = {}
    for number in range(rounds):
        turned = servers[number % len(servers) :] + servers[: number % len(servers)]
        for model in serving_process.MODELS:
            for rows in (1, BATCH):
                told = inside.ask(model, rows, seconds)
                came.setdefault((model, IN_PROCESS, rows > 1, 1), []).append(_figures(told, told["cpu"]))
            for count in CLIENTS:
                for server in turned:
                    clients.ask(**server.request(model), clients=count, seconds=seconds / 10)
                    before = server.process.cpu()
                    told = clients.ask(**server.request(model), clients=count, seconds=seconds)
                    cpu = server.process.cpu() - before
                    if told["refused"] or told["lost"] or not told["answered"]:
                        raise SystemExit(f"{server.name} does not answer {count} clients: {told}")
                    came.setdefault((model, server.name, server.batching, count), []).append(_figures(told, cpu))
        print(f"round {number}", flush=True)
    return came


def _figures(told: dict[str, Any], cpu: float) -> dict[str, float]:
    rate = told["answered"] / told["seconds"]
    return {"rate": rate, "p50": told["p50"], "p99": told["p99"], "cpu": 1000 * cpu / told["answered"]}


def rows_of(came: dict[Cell, list[dict]]) -> list[dict[str, Any]]:
    """Rows of the CSV, without where and when."""
    rows = []
    for (model, name, batching, count), own in came.items():

        def ratio(server: str, model=model, batching=batching, count=count, own=own) -> str:
            """Of requests a second, to those of a server in the same round."""
            others = came.get((model, server, batching, 1 if server == IN_PROCESS else count))
            ratios = [mine["rate"] / other["rate"] for mine, other in zip(own, others or [], strict=False)]
            return f"{statistics.median(ratios):.2f}" if ratios else ""

        by_batch = [round_["cpu"] for round_ in came[model, IN_PROCESS, True, 1]]
        aim = statistics.median(by_batch) * SHARE + CONSTANT
        cpu = statistics.median(round_["cpu"] for round_ in own)
        ours = name.startswith("hubel")
        is_full = ours and batching and count >= BATCH
        rows.append(
            {
                "model": model,
                "server": name,
                "batching": batching,
                "clients": count,
                "requests_a_second": f"{statistics.median(round_['rate'] for round_ in own):.0f}",
                "p50_ms": f"{statistics.median(round_['p50'] for round_ in own):.2f}",
                "p99_ms": f"{statistics.median(round_['p99'] for round_ in own):.2f}",
                "cpu_ms": f"{cpu:.2f}",
                "aim_cpu_ms": f"{aim:.2f}" if is_full else "",
                "to_in_process": "" if name == IN_PROCESS else ratio(IN_PROCESS),
                "to_litserve": ratio("LitServe") if ours else "",
                "to_mlserver": ratio("MLServer") if ours else "",
            }
        )
    return rows


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Aims that are not reached, in words."""
    words = []
    for row in rows:
        named = f"{row['model']}, {row['server']}{', batching' * (str(row['batching']) == 'True')}, {row['clients']} clients"
        if row["aim_cpu_ms"] and float(row["cpu_ms"]) > float(row["aim_cpu_ms"]):
            words.append(f"{named}: {row['cpu_ms']} ms of CPU a request, aimed at {row['aim_cpu_ms']}")
        for peer in ("litserve", "mlserver"):
            if row[f"to_{peer}"] and float(row[f"to_{peer}"]) <= 1:
                words.append(f"{named}: {row[f'to_{peer}']} of {peer}'s requests a second")
    return words


def table() -> str:
    """The rows of the machine that was measured last, as the page shows them: numbers of clients side by side."""
    if not (rows := record.of_last_machine("serving")):
        return ""
    columns = [
        "model",
        "server",
        "batching",
        *(f"{count} client{'s' * (count > 1)}" for count in CLIENTS),
        "CPU ms",
        "to in process",
        "LitServe",
        "MLServer",
    ]
    lines, of_server = [], {}
    for row in rows:
        of_server.setdefault((row["model"], row["server"], row["batching"]), {})[int(row["clients"])] = row
    for (model, server, batching), own in of_server.items():
        came = [own.get(count) for count in CLIENTS]
        speeds = [f"{row['requests_a_second']}/s; {row['p50_ms']}, {row['p99_ms']} ms" if row else "" for row in came]
        others = [" ".join(row[name] for row in came if row) for name in ("cpu_ms", "to_in_process", "to_litserve", "to_mlserver")]
        lines.append([model, server, {"True": "yes", "False": ""}[batching], *speeds, *others])
    return record.as_table(columns, lines) + record.measured(
        rows, "{rounds} rounds of {seconds} s; p50 and p99; then at 1, 8 and 32 clients"
    )


def main() -> None:
    """Measure, print, and write rows and table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="where models and the peers' Pythons stay; a folder that goes by default")
    parser.add_argument("--seconds", type=float, default=1.0, help="a server, a model and a number of clients, in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--prepare", action="store_true", help="fill --work, and measure nothing")
    asked = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    began = time.monotonic()
    with serving_process.folder(asked.work, "hubel-serving-") as work, contextlib.ExitStack() as stack:
        models, image = serving_process.trained(work), serving_process.image()
        (work / "image.png").write_bytes(image)
        for name, requirements in PEERS.items():
            serving_process.virtual(work / name.lower(), *requirements)
        if asked.prepare:
            return
        measured_at = {"seconds": asked.seconds, "rounds": asked.rounds, **record.circumstances()}
        print(f"{measured_at['machine']}, load {measured_at['load']}", flush=True)
        inside, clients, servers = InProcess(models, work / "image.png"), Clients(), []
        stack.callback(inside.end)
        stack.callback(clients.end)
        for start in (hubels, litserve, mlserver):
            for batching in (False, True):
                servers += start(models, image, work, batching)
                stack.callback(servers[-1].process.end)
                print(f"{servers[-1].name}{', batching' * batching} is up", flush=True)
        check(servers, clients, inside)
        rows = [row | measured_at for row in rows_of(measured(servers, clients, inside, asked.rounds, asked.seconds))]
    record.add("serving", rows, KEYS)
    print(table())
    print("\n".join(missed(rows)) or "every aim is reached")
    record.show(PAGE, "serving", table())
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
