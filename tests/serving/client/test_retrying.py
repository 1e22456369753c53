"""When serving.client asks again, and what it says where there is no answer: of a server that fails as it is told."""

import socket
import threading
import time

import numpy as np
import pytest

from configs.errors import UsageError
from serving.client import Client, Refused, Unreachable, client, retrying
from serving.client.errors import ServerError
from tests.serving.client.flaky import Flaky
from tests.slower import PATIENCE, times_slower

PROTOCOLS = ("rest", "grpc")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return made.getsockname()[1]


@pytest.mark.parametrize("failures", [[503], [429], [502], ["drop"], [503, "drop", 429, 503]])
def test_what_may_be_answered_later_is_asked_again(failures):
    with Flaky([*failures, 200]) as peer, Client(f"127.0.0.1:{peer.port}", "m") as asked:
        assert asked.predict({"x": [1.0, 2.0]})["y"].tolist() == [2.0, 4.0]
        assert len(peer.asked) == len(failures) + 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 500, 501, 504])
def test_what_is_wrong_is_not_asked_again(status):
    with Flaky([status]) as peer, Client(f"127.0.0.1:{peer.port}", "m") as asked:
        with pytest.raises(Refused, match=f"refused with {status}"):
            asked.predict({"x": [1.0]})
        assert len(peer.asked) == 1


def test_it_ends_after_as_many_tries_as_are_allowed():
    with Flaky([503]) as peer, Client(f"127.0.0.1:{peer.port}", "m", retries=2) as asked:
        with pytest.raises(Refused) as caught:
            asked.predict({"x": [1.0]})
        assert (len(peer.asked), caught.value.code) == (3, "UNAVAILABLE")


def test_a_deadline_is_one_of_all_batches_and_retries():
    slower = times_slower()
    with Flaky([0.2 * slower]) as peer, Client(f"127.0.0.1:{peer.port}", "m", batch_size=1, timeout=60) as asked:
        _ = asked.signatures
        start = time.monotonic()
        with pytest.raises(Unreachable, match="has not answered within") as caught:
            asked.predict({"x": np.ones(50, np.float32)}, timeout=0.7 * slower)
        assert 0.5 * slower < time.monotonic() - start < 5 * slower
        assert caught.value.code == "DEADLINE_EXCEEDED"
        assert 2 <= len(peer.asked) <= 4


def test_a_server_that_is_being_started_is_waited_for():
    port = free_port()
    started = Flaky([200], port=port)
    timer = threading.Timer(0.4, started.__enter__)
    timer.start()
    with Client(f"127.0.0.1:{port}", "m", retries=40, timeout=PATIENCE) as asked:
        assert asked.predict({"x": [1.0]})["y"].tolist() == [2.0]
    timer.join()
    started.__exit__()


def test_pauses_double_are_drawn_and_end_with_the_deadline():
    longest, slept = [], []

    def fails(left):
        raise ServerError("UNAVAILABLE", "", "no", "", True)

    def drawn(least, most):
        longest.append(most)
        return 0.0

    with pytest.raises(ServerError):
        retrying.ask(fails, "", time.monotonic() + 60, 7, slept.append, drawn)
    assert longest == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert len(slept) == 7
    tries = []
    with pytest.raises(ServerError, match="no"):
        retrying.ask(
            lambda left: tries.append(left) or fails(left), "", time.monotonic() + 0.5, 7, slept.append, lambda _, most: 1.0
        )
    assert len(tries) == 1  # a pause beyond the deadline is not begun


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nobody_there(protocol):
    with Client(f"127.0.0.1:{free_port()}", "m", protocol=protocol, retries=1) as asked:
        with pytest.raises(Unreachable, match=r"No server answers at 127.0.0.1:\d+: .*(refused|Connect)") as caught:
            _ = asked.signatures
        assert (caught.value.code, caught.value.exit_code) == ("UNAVAILABLE", 1)


def test_a_page_is_no_answer():
    with Flaky([200], "text/html") as peer, Client(f"127.0.0.1:{peer.port}", "m") as asked:
        with pytest.raises(Unreachable, match="HTTP status 200, and no JSON"):
            asked.predict({"x": [1.0]})
        assert asked.card() is None


@pytest.mark.parametrize(
    ("server", "known"),
    [
        ("h:1", ("h", 1, False)),
        ("h", ("h", 8501, False)),
        ("http://h:1/", ("h", 1, False)),
        ("https://h", ("h", 8501, True)),
        ("[::1]:5", ("::1", 5, False)),
    ],
)
def test_addresses(server, known):
    assert client.address(server, 8501) == known


@pytest.mark.parametrize("server", ["", ":1", "h:x", "h:99999", "ftp://h", "h:1/v1/models", "u@h:1", "http://"])
def test_what_is_no_address(server):
    with pytest.raises(UsageError, match="is no address of a server"):
        client.address(server, 8501)


def test_what_cannot_be_meant(tmp_path):
    (tmp_path / "none.pem").write_text("nothing")
    for more, said in (
        ({"version": 1, "label": "stable"}, "only one of them can be meant"),
        ({"protocol": "soap"}, "no protocol 'soap'"),
        ({"ca": tmp_path / "missing"}, "cannot be used: No such file"),
        ({"ca": tmp_path / "none.pem"}, "cannot be used"),
    ):
        with pytest.raises(UsageError, match=said):
            Client("h:1", "m", **more)
