"""The tables of docs/serving.md show what was measured, and the arithmetic of its benchmarks is right."""

import socket
import threading
from concurrent import futures

import grpc
import numpy as np
import pytest

from benchmarks import record, serving, serving_fuzz, serving_load, serving_load_http2, serving_overload, serving_soak
from benchmarks.serving import IN_PROCESS


@pytest.mark.parametrize("module", [serving, serving_overload, serving_soak, serving_fuzz])
def test_the_tables_are_those_of_the_rows(module):
    assert record.table_in(module.PAGE, module.__name__.rpartition(".")[2]) == module.table()


def test_parts_of_a_fuzz_are_one_row_and_one_that_fails_is_seen():
    def part(commit, failures=(), is_same=True):
        rest = {"requests": 3, "codes": {"200": 1, "400": 2}, "slowest": 0.5, "failures": list(failures)}
        grpc = {"requests": 2, "codes": {"OK": 2}, "slowest": 1.5, "failures": []}
        return {"REST": rest, "gRPC": grpc, "tracebacks": 0, "answers_afterwards": is_same, "commit": commit}

    row = serving_fuzz.row_of([part("a"), part("a"), part("b")])
    assert (row["requests"], row["rest_statuses"], row["grpc_codes"]) == (15, "200:3 400:6", "OK:6")
    assert (row["commits"], row["slowest_s"], serving_fuzz.holds(row)) == ("a b", "1.50", True)
    assert not serving_fuzz.holds(serving_fuzz.row_of([part("a"), part("a", failures=[{}])]))
    assert not serving_fuzz.holds(serving_fuzz.row_of([part("a", is_same=False), part("a")]))


def _came(rate, cpu=1.0):
    return [{"rate": rate, "p50": 1.0, "p99": 2.0, "cpu": cpu}, {"rate": rate / 2, "p50": 1.0, "p99": 4.0, "cpu": cpu}]


def test_ratios_are_to_the_peer_that_batches_as_it_does_and_to_one_thread_in_process():
    came = {
        ("m", IN_PROCESS, False, 1): _came(100.0),
        ("m", IN_PROCESS, True, 1): _came(400.0, 0.2),
        ("m", "hubel, REST", False, 8): _came(200.0, 1.0),
        ("m", "hubel, REST", True, 32): _came(300.0, 1.1),
        ("m", "LitServe", False, 8): _came(50.0),
        ("m", "LitServe", True, 32): _came(600.0),
    }
    rows = {(row["server"], row["batching"]): row for row in serving.rows_of(came)}
    alone, together = rows["hubel, REST", False], rows["hubel, REST", True]
    assert (alone["to_in_process"], alone["to_litserve"], alone["to_mlserver"]) == ("2.00", "4.00", "")
    assert (together["to_in_process"], together["to_litserve"]) == ("0.75", "0.50")
    assert (alone["requests_a_second"], alone["p99_ms"], alone["aim_cpu_ms"]) == ("150", "3.00", "")
    assert together["aim_cpu_ms"] == "1.05"
    assert rows["LitServe", True]["to_litserve"] == rows[IN_PROCESS, True]["to_in_process"] == ""
    assert serving.missed(list(rows.values())) == [
        "m, hubel, REST, batching, 32 clients: 1.10 ms of CPU a request, aimed at 1.05",
        "m, hubel, REST, batching, 32 clients: 0.50 of litserve's requests a second",
    ]


def test_a_slope_of_memory_has_an_interval_that_is_wider_where_it_wanders():
    seconds = np.arange(0, 1200, 5.0)
    for wander in (0.0, 1.0):
        noise = wander * np.random.default_rng(0).normal(size=len(seconds))
        fitted, low, high = serving_soak.slope(seconds, 700 + 36 * seconds / 3600 + noise)
        assert low <= 36.0 + 1e-6
        assert high >= 36.0 - 1e-6
        assert fitted == pytest.approx(36, abs=1e-6 if not wander else 5)
    assert high - low > 0.1


def test_requests_are_due_at_their_rate_whether_or_not_they_are_taken(monkeypatch):
    now = [10.0]
    monkeypatch.setattr(serving_load.time, "perf_counter", lambda: now[0])
    due = serving_load.Due(100.0)
    assert not due.take()
    now[0] = 10.025
    assert [due.take(), due.take(), due.take()] == [True, True, False]
    now[0] = 10.1
    assert due.waiting() == pytest.approx(8)
    assert serving_load.Due(None).take()


class Calls:
    """A gRPC server that answers each message with it, with 30,000 more bytes, and refuses b"no"."""

    def __enter__(self):
        def answer(request, context):
            if request == b"no":
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no")
            return request + bytes(30_000)

        handler = grpc.method_handlers_generic_handler("a.B", {"C": grpc.unary_unary_rpc_method_handler(answer)})
        self._server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[handler])
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(None).wait()


def test_clients_of_http2_speak_grpc():
    tally, refused, message = serving_load.Tally(), serving_load.Tally(), b"m" * 9000  # ten of them are more than a window at first
    with Calls() as calls:
        asked = {"port": calls.port, "path": "/a.B/C", "clients": 3, "seconds": 0.3}
        serving_load_http2.ask(asked, message, tally)
        serving_load_http2.ask(asked, b"no", refused)
    assert len(tally.times) > 30
    assert tally.answer == message + bytes(30_000)
    assert (tally.refused.total(), tally.lost) == (0, 0)
    assert (refused.times, refused.lost) == ([], 0)
    assert refused.refused["not OK"] >= 3


def test_a_server_of_http2_that_goes_away_is_lost():
    class Gone(threading.Thread):
        def run(self):
            connection, _ = listening.accept()
            connection.recv(2**16)
            connection.close()

    tally = serving_load.Tally()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        (gone := Gone()).start()
        serving_load_http2.ask({"port": listening.getsockname()[1], "path": "/a.B/C", "clients": 1, "seconds": 0.3}, b"m", tally)
        gone.join()
    assert (tally.times, tally.refused.total(), tally.lost) == ([], 0, 1)
