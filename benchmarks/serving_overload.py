"""hubel serve under three times what it can answer: what is refused, how long those wait that are answered, what memory it takes.

    .venv/bin/python -m benchmarks.serving_overload [--work DIR] [--seconds S] [--times N]

ResNet-20 (`hubel run`, an epoch of digits) is asked for one PNG a request, over REST and over gRPC, without batching
(`--concurrency 16`) and with it (a queue of two batches of 8), by a process of its own (serving_load.py). Capacity is what 8
clients get who ask again once they are answered. Then requests come at --times that rate, whether or not others are answered, by
256 connections (gRPC: 64).

Asserted is that every request is answered, or refused with 503 or RESOURCE_EXHAUSTED (of a full queue UNAVAILABLE, TF Serving's),
that none is lost, and that the server answers 8 clients afterwards as before.

Rows go to benchmarks/results/serving_overload.csv, in place of those of the same end on the same machine, and from there into the
table of docs/serving.md. `grown_mib` is what the server holds more of memory at its most than before.
"""

import argparse
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import record, serving_process
from benchmarks.serving_process import Clients, Hubel

PAGE = record.ROOT / "docs/serving.md"
KEYS = ("server", "batching", "machine")  # of a row
MODEL = "resnet20"  # dear to answer and cheap to refuse: clients that share the cores reach three times capacity
CONCURRENCY, CLIENTS = 16, 8
BATCHING = "max_batch_size { value: 8 }\nmax_enqueued_batches { value: 2 }\n"
REFUSALS = {"REST": {"503"}, "gRPC": {"RESOURCE_EXHAUSTED", "UNAVAILABLE"}}
CONNECTIONS = {"REST": 256, "gRPC": 64}


@contextlib.contextmanager
def most(server: Hubel) -> Iterator[list[int]]:
    """[bytes of memory that it holds at its most], while the block lasts."""
    held, is_over = [server.memory()], threading.Event()

    def look():
        while not is_over.wait(0.1):
            held[0] = max(held[0], server.memory())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield held
    finally:
        is_over.set()
        thread.join()


def overloaded(server: Hubel, clients: Clients, protocol: str, image: bytes, seconds: float, times: float) -> dict[str, Any]:
    """A row, without which server."""
    name = f"served_{MODEL}"
    if protocol == "REST":
        asked = {"port": server.rest, "path": f"/v1/models/{name}:predict", "request": serving_process.body(image)}
    else:
        asked = {"port": server.grpc, "path": serving_process.PREDICT, "request": serving_process.message(name, image)}

    def ask(count: int, seconds: float, rate: float | None = None) -> dict[str, Any]:
        return clients.ask(protocol=protocol, clients=count, seconds=seconds, rate=rate, **asked)

    ask(CLIENTS, 1)
    alone = ask(CLIENTS, seconds / 2)
    capacity, before = alone["answered"] / alone["seconds"], server.memory()
    with most(server) as held:
        told = ask(CONNECTIONS[protocol], seconds, times * capacity)
    after = ask(CLIENTS, seconds / 2)
    wrong = set(told["refused"]) - REFUSALS[protocol]
    if wrong or told["lost"] or after["refused"] or after["lost"] or not after["answered"]:
        raise SystemExit(f"hubel, {protocol}: {told | {'answer': ''}}, then {after | {'answer': ''}}")
    refused = sum(told["refused"].values())
    return {
        "capacity": f"{capacity:.0f}",
        "asked_to_capacity": f"{(told['answered'] + refused) / told['seconds'] / capacity:.2f}",
        "answered_to_capacity": f"{told['answered'] / told['seconds'] / capacity:.2f}",
        "refused": refused,
        "p99_alone_ms": f"{alone['p99']:.1f}",
        "p50_ms": f"{told['p50']:.1f}",
        "p99_ms": f"{told['p99']:.1f}",
        "grown_mib": f"{(held[0] - before) / 2**20:.0f}",
        "afterwards_to_capacity": f"{after['answered'] / after['seconds'] / capacity:.2f}",
    }


def table() -> str:
    """The rows of the machine that was measured last, as the page shows them."""
    if not (rows := record.of_last_machine("serving_overload")):
        return ""
    named = {
        "server": "end",
        "batching": "batching",
        "capacity": "capacity, requests/s",
        "asked_to_capacity": "asked / capacity",
        "answered_to_capacity": "answered / capacity",
        "refused": "refused",
        "p99_alone_ms": "p99 of 8 clients, ms",
        "p99_ms": "p99 of those answered, ms",
        "grown_mib": "memory, MiB more",
        "afterwards_to_capacity": "afterwards / capacity",
    }
    shown = [row | {"batching": {"True": "yes", "False": ""}[row["batching"]]} for row in rows]
    cells = [[row[key] for key in named] for row in shown]
    return record.as_table(list(named.values()), cells) + record.measured(rows, "{seconds} s of {times} times capacity each")


def main() -> None:
    """Measure, print, and write rows and table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="where the model stays; a folder that goes by default")
    parser.add_argument("--seconds", type=float, default=10.0, help="of too many requests, for each end")
    parser.add_argument("--times", type=float, default=3.0, help="of capacity")
    asked = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    began, rows = time.monotonic(), []
    with serving_process.folder(asked.work, "hubel-overload-") as work, contextlib.ExitStack() as stack:
        models, image = serving_process.trained(work, [MODEL]), serving_process.image()
        measured_at = {"seconds": asked.seconds, "times": asked.times, **record.circumstances()}
        clients = Clients()
        stack.callback(clients.end)
        (work / "queue.txt").write_text(BATCHING)
        for options in (["--concurrency", str(CONCURRENCY)], ["--batching-file", str(work / "queue.txt")]):
            server = Hubel(work / "workspace", list(models.values()), *options)
            try:
                for protocol in CONNECTIONS:
                    row = overloaded(server, clients, protocol, image, asked.seconds, asked.times)
                    rows.append({"server": f"hubel, {protocol}", "batching": "batch" in options[0], **row, **measured_at})
                    print(rows[-1], flush=True)
            finally:
                server.end()
    record.add("serving_overload", rows, KEYS)
    print(table())
    record.show(PAGE, "serving_overload", table())
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
