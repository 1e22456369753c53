"""hubel serve asked for a long time: memory, file descriptors, threads, answers.

    .venv/bin/python -m benchmarks.serving_soak [--work DIR] [--minutes M]

LeNet-5 (`hubel run`, an epoch of digits), with batching, is asked by 8 clients over REST and 8 over gRPC at once, one PNG a
request; between, every 10 s, it gets requests that it must refuse, and is asked for the pages of metrics and
status. Each 2 s the memory (RSS of the server's processes), open files and threads are noted. The first tenth of the time, at
least 30 s, is the server's to settle, and counts for nothing.

Said is the slope of memory in MiB an hour, least squares with an interval of 95 % whose width is by blocks (each tenth of what
counts stands for itself, since neighbours hang together), what is open at first and at last, requests answered, refused and lost.
A slope whose whole interval is above --most, or a lost request, ends it with 1.

A row goes to benchmarks/results/serving_soak.csv, in place of that of as many minutes on the same machine, and from there into the
table of docs/serving.md.
"""

import argparse
import contextlib
import http.client
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks import record, serving_process
from benchmarks.serving_process import Clients, Hubel

PAGE = record.ROOT / "docs/serving.md"
MODEL = "lenet5"
CLIENTS = 8  # of each protocol
LOOK, TROUBLE = 2.0, 10.0  # s between looks, and between requests that are refused
BLOCKS = 10
PAGES = ("/monitoring/prometheus/metrics", "/models", f"/v1/models/served_{MODEL}", f"/v1/models/served_{MODEL}/metadata")
REFUSED = (b"{", b'{"instances": [1]}', b'{"signature_name": "image_bytes", "instances": [{"b64": "bm8gaW1hZ2U="}]}')


def slope(seconds: Sequence[float], values: Sequence[float]) -> tuple[float, float, float]:
    """Units of `values` an hour by least squares over the means of blocks, and the ends of its interval of 95 % (t)."""
    from scipy import stats

    at = [block.mean() / 3600 for block in np.array_split(np.asarray(seconds, float), BLOCKS)]
    means = [block.mean() for block in np.array_split(np.asarray(values, float), BLOCKS)]
    fitted = stats.linregress(at, means)
    half = stats.t.ppf(0.975, BLOCKS - 2) * fitted.stderr
    return fitted.slope, fitted.slope - half, fitted.slope + half


def trouble(port: int) -> int:
    """Ask what is refused, and the pages. Returns how many requests; raises SystemExit for a status that is not theirs."""
    asked = [("POST", f"/v1/models/served_{MODEL}:predict", body, 400) for body in REFUSED]
    asked += [("GET", path, None, 200) for path in PAGES]
    for method, path, body, status in asked:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(method, path, body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status != status:
            raise SystemExit(f"{method} {path} is answered with {answer.status}: {content[:200]!r}")
    return len(asked)


def state(server: Hubel) -> tuple[float, int, int]:
    """MiB of memory, open files, threads of all its processes."""
    tree = psutil.Process(server.process.pid)
    processes = [tree, *tree.children(recursive=True)]
    return (
        server.memory() / 2**20,
        sum(process.num_fds() for process in processes),
        sum(process.num_threads() for process in processes),
    )


def soaked(server: Hubel, image: bytes, minutes: float) -> dict[str, Any]:
    """A row, without where and when."""
    name, told, stack = f"served_{MODEL}", [], contextlib.ExitStack()
    ends = [
        {"protocol": "REST", "port": server.rest, "path": f"/v1/models/{name}:predict", "request": serving_process.body(image)},
        {"protocol": "gRPC", "port": server.grpc, "path": serving_process.PREDICT, "request": serving_process.message(name, image)},
    ]

    def ask(end: dict[str, Any]) -> None:
        clients = Clients()
        stack.callback(clients.end)
        told.append(clients.ask(**end, clients=CLIENTS, seconds=60 * minutes))

    threads = [threading.Thread(target=ask, args=(end,)) for end in ends]
    start, looks, refused, troubled = time.monotonic(), [], 0, 0.0
    for thread in threads:
        thread.start()
    with stack:
        while any(thread.is_alive() for thread in threads):
            time.sleep(LOOK)
            passed = time.monotonic() - start
            looks.append((passed, *state(server)))
            if passed - troubled >= TROUBLE:
                refused, troubled = refused + trouble(server.rest), passed
    counted = [look for look in looks if max(30.0, 6 * minutes) <= look[0] <= 60 * minutes]
    if len(counted) < 2 * BLOCKS:
        raise SystemExit(f"{minutes} minutes are too few: {len(counted)} looks")
    seconds, memory, files, running = zip(*counted, strict=True)
    fitted, low, high = slope(seconds, memory)
    return {
        "minutes": minutes,
        "answered": sum(each["answered"] for each in told),
        "asked_otherwise": refused,
        "lost": sum(each["lost"] + sum(each["refused"].values()) for each in told) + len(ends) - len(told),
        "memory_mib_first": f"{memory[0]:.1f}",
        "memory_mib_last": f"{memory[-1]:.1f}",
        "slope_mib_an_hour": f"{fitted:.1f}",
        "slope_low": f"{low:.1f}",
        "slope_high": f"{high:.1f}",
        "files_first": files[0],
        "files_last": files[-1],
        "threads_first": running[0],
        "threads_last": running[-1],
        "p99_ms": f"{max(each['p99'] for each in told):.1f}",
    }


def table() -> str:
    """The rows of the machine that was measured last, as the page shows them."""
    if not (rows := record.of_last_machine("serving_soak")):
        return ""
    lines = [
        [
            row["minutes"],
            row["answered"],
            row["asked_otherwise"],
            row["lost"],
            f"{row['memory_mib_first']}, {row['memory_mib_last']}",
            f"{row['slope_mib_an_hour']} ({row['slope_low']} to {row['slope_high']})",
            f"{row['files_first']}, {row['files_last']}",
            f"{row['threads_first']}, {row['threads_last']}",
            row["p99_ms"],
        ]
        for row in rows
    ]
    columns = ["minutes", "answered", "refused and pages", "lost", "memory, MiB", "MiB an hour (95 %)", "open files", "threads"]
    return record.as_table([*columns, "p99, ms"], lines) + record.measured(rows, "after the first tenth, and at last")


def main() -> None:
    """Ask, print, and write row and table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="where the model stays; a folder that goes by default")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--most", type=float, default=20.0, help="MiB an hour that memory may grow by")
    asked = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with serving_process.folder(asked.work, "hubel-soak-") as work:
        models = serving_process.trained(work, [MODEL])
        (work / "batching.txt").write_text(serving_process.BATCHING)
        measured_at = record.circumstances()
        server = Hubel(work / "workspace", list(models.values()), "--batching-file", str(work / "batching.txt"))
        try:
            row = soaked(server, serving_process.image(), asked.minutes)
            row["is_alive"] = server.is_alive
        finally:
            server.end()
    print("\n".join(f"{key} {value}" for key, value in row.items()))
    record.add("serving_soak", [row | measured_at], ("minutes", "machine"))
    record.show(PAGE, "serving_soak", table())
    if row["lost"] or not row["is_alive"] or float(row["slope_low"]) > asked.most:
        raise SystemExit("It does not hold.")


if __name__ == "__main__":
    main()
