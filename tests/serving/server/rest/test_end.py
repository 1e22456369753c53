"""The HTTP end: who may ask, how much, how fast, how many at a time; what is told and noted."""

import gzip
import json
import logging
import socket
import ssl
import subprocess
import threading
import time

import pytest

from configs.errors import HubelError
from serving.server import model_config
from serving.server.access import ApiKey
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.rest.end import RestEnd, RestSettings
from tests.serving.server import half_plus_two
from tests.serving.server.conformance import MODEL, PREDICT
from tests.slower import PATIENCE

BODY = {"instances": [1.0, 2.0]}
ANSWER = {"predictions": [2.5, 3.0]}
PAGE = "/monitoring/prometheus/metrics"


class Held:
    """A Servable whose runs wait until they are let go."""

    def __init__(self, servable):
        self._servable, self.go, self.begun = servable, threading.Event(), threading.Semaphore(0)

    def __getattr__(self, name):
        return getattr(self._servable, name)

    def run(self, *arguments):
        self.begun.release()
        assert self.go.wait(60)
        return self._servable.run(*arguments)


@pytest.fixture
def held(models):
    """A manager of half_plus_two, and what holds its runs."""
    wrapped = []

    def wrap(servable):
        wrapped.append(Held(servable))
        return wrapped[-1]

    manager = Manager(poll=0, wrap=wrap)
    manager.start(model_config.of_models({half_plus_two.NAME: str(models / half_plus_two.NAME)}))
    yield manager, wrapped[0]
    wrapped[0].go.set()
    manager.stop()


def asking(client, count: int) -> tuple[list[threading.Thread], list]:
    """So many requests at once, and where their answers come."""
    answers: list = []
    threads = [threading.Thread(target=lambda: answers.append(client.ask("POST", PREDICT, BODY))) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, answers


# ------------------------------------------------------------------ what is told and noted


def test_probes_need_no_models_name(client, serving):
    assert client.ask("GET", "/livez").json == {"live": True}
    assert client.ask("GET", "/readyz").json == {"ready": True}
    empty = serving(models=Manager(poll=0))
    assert empty.ask("GET", "/livez").status == 200
    answer = empty.ask("GET", "/readyz")
    assert (answer.status, answer.json) == (503, {"ready": False})
    assert empty.ask("POST", "/readyz").status == 404


def test_what_is_loaded_is_told_with_its_warm_up(client):
    rows = {row["model"]: row for row in client.ask("GET", "/models").json["models"]}
    row = rows[half_plus_two.NAME]
    assert (row["version"], row["state"], row["labels"]) == (123, "AVAILABLE", ["prod"])
    assert row["warmup"]["requests"] == 3
    assert row["warmup"]["seconds"] > 0


def test_a_request_has_an_id_and_a_line_in_the_log(client, caplog):
    caplog.set_level(logging.INFO, "serving.server.access")
    given = client.ask("POST", PREDICT, BODY, X_Request_Id="mine-1")
    assert given.headers["x-request-id"] == "mine-1"
    made = client.ask("POST", f"{MODEL}99:predict?key=secret", BODY, X_Request_Id='"} {')
    assert made.headers["x-request-id"] not in ("", '"} {')
    names, end = {given.headers["x-request-id"], made.headers["x-request-id"]}, time.monotonic() + PATIENCE
    while not all(name in caplog.text for name in names) and time.monotonic() < end:
        time.sleep(0.01)  # a line is written once its response is
    rows = [json.loads(record.getMessage()) for record in caplog.records if record.name == "serving.server.access"]
    row = next(row for row in rows if row["request_id"] == "mine-1")
    assert row["call"] == f"POST {PREDICT}"
    assert (row["status"], row["http"], row["model"]) == ("OK", 200, half_plus_two.NAME)
    assert row["received"] == len(json.dumps(BODY))
    assert row["sent"] == len(given.content)
    assert row["ms"] > 0
    other = next(row for row in rows if row["request_id"] == made.headers["x-request-id"])
    assert (other["call"], other["status"], other["http"]) == (f"POST {MODEL}99:predict", "INVALID_ARGUMENT", 400)
    assert "secret" not in caplog.text


def test_requests_are_counted_by_model_and_status(serving, manager):
    client = serving(counts=Metrics(manager.has))
    client.ask("POST", PREDICT, BODY)
    client.ask("POST", PREDICT, {})
    client.ask("POST", "/v1/models/nothing:predict", BODY)
    client.ask("POST", f"{MODEL}:regress", {"signature_name": "regress_x_to_y", "examples": [{"x": 1.0}] * 3})
    answer = client.ask("GET", PAGE)
    assert answer.headers["content-type"].startswith("text/plain")
    page = answer.content.decode()
    counted = ":tensorflow:serving:request_count{model_name="
    assert f'{counted}"half_plus_two",status="OK"}} 2' in page
    assert f'{counted}"half_plus_two",status="INVALID_ARGUMENT"}} 1' in page
    assert f'{counted}"",status="NOT_FOUND"}} 1' in page
    assert 'request_latency_count{model_name="half_plus_two",API="Predict",entrypoint="REST"} 2' in page
    assert 'runtime_latency_count{model_name="half_plus_two",API="Regress",runtime="TF1"} 1' in page
    assert 'request_example_count_total{model="half_plus_two"} 3' in page


def test_metrics_can_be_off(serving):
    answer = serving(metrics=False).ask("GET", PAGE)
    assert (answer.status, answer.headers["content-type"].split(";")[0]) == (404, "text/html")


def test_other_origins_are_let_in_where_it_was_asked_for(client, serving):
    allowed = "access-control-allow-origin"
    assert allowed not in client.ask("POST", PREDICT, BODY).headers
    open_to_all = serving(cors=True)
    assert open_to_all.ask("POST", PREDICT, BODY, Origin="https://example.com").headers[allowed] == "*"
    preflight = open_to_all.ask("OPTIONS", PREDICT, Origin="https://example.com")
    assert (preflight.status, preflight.headers[allowed], preflight.content) == (200, "*", b"")


def test_a_failure_of_the_server_is_told_without_its_inside(serving, manager, monkeypatch, caplog):
    client = serving()
    monkeypatch.setattr("serving.server.rest.tensors.feeds", lambda document, inputs: 1 / 0)
    answer = client.ask("POST", PREDICT, BODY)
    assert answer.status == 500
    assert answer.headers["x-request-id"] in answer.error
    assert "division" not in answer.error
    assert "ZeroDivisionError" in caplog.text
    assert client.ask("GET", "/livez").status == 200


# ------------------------------------------------------------------ who may ask


def test_an_api_key_is_asked_for_and_in_no_log(serving, caplog):
    caplog.set_level(logging.DEBUG)
    client = serving(ApiKey("s3cret"))
    for path in (PREDICT, "/models", PAGE, "/nothing"):
        for headers in ({}, {"X_Api_Key": "s3cre"}, {"Authorization": "Bearer s3cret1"}, {"Authorization": "Basic s3cret"}):
            answer = client.ask("POST" if path == PREDICT else "GET", path, **headers)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert "x-api-key" in answer.error
    for headers in ({"X_Api_Key": "s3cret"}, {"Authorization": "Bearer s3cret"}):
        assert client.ask("POST", PREDICT, BODY, **headers).json == ANSWER
    assert client.ask("GET", "/readyz").status == 200
    assert "s3cret" not in caplog.text


def test_tls(serving, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        f" -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    client = serving(tls=context)
    trusting = ssl.create_default_context(cafile=str(certificate))
    plain = socket.create_connection(("127.0.0.1", client.port), timeout=60)
    with trusting.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.recv(2**16).startswith(b"HTTP/1.1 200")
    assert b"200" not in client.raw(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")


def test_a_port_in_use_is_one_sentence(client, manager, metrics):
    with pytest.raises(HubelError, match=f"The port {client.port} of 127.0.0.1 is in use") as error:
        RestEnd(manager, metrics, RestSettings(port=client.port))
    assert "--rest-port" in error.value.hint
    with pytest.raises(HubelError, match="not to be had"):
        RestEnd(manager, metrics, RestSettings(host="192.0.2.1", port=0))


# ------------------------------------------------------------------ bodies


def test_a_body_of_gzip_or_in_chunks_is_read(client):
    content = json.dumps(BODY).encode()
    assert client.ask("POST", PREDICT, gzip.compress(content), Content_Encoding="gzip").json == ANSWER
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (content[:5], content[5:]))
    assert client.raw(head + chunks + b"0\r\n\r\n").endswith(b'{"predictions":[2.5,3.0]}')


def test_a_client_that_waits_to_be_asked_for_its_body(client):
    content = json.dumps(BODY).encode()
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(2**16).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(content)
        assert b"200 OK" in connection.recv(2**16)


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"{}", mtime=0)[:-4], gzip.compress(b"x" * 100, mtime=0)[:20]],
    ids=["other bytes", "without its checksum", "cut off"],
)
def test_a_body_that_is_no_gzip(client, content):
    answer = client.ask("POST", PREDICT, content, Content_Encoding="gzip")
    assert answer.status == 400
    assert "gzip" in answer.error


def test_a_body_has_a_limit_inflated_or_not(serving):
    client = serving(max_body=2**16)
    fits = json.dumps(BODY).encode().ljust(2**16)
    assert client.ask("POST", PREDICT, fits).json == ANSWER
    too_large = client.ask("POST", PREDICT, fits + b" ")
    assert (too_large.status, too_large.error) == (413, "The body is larger than 65536 bytes")
    bomb = gzip.compress(b"[" * 2**27, 9)
    assert len(bomb) > 2**16
    assert client.ask("POST", PREDICT, bomb, Content_Encoding="gzip").status == 413
    small_bomb = gzip.compress(b"[" * 2**22, 9)
    assert len(small_bomb) < 2**16
    answer = client.ask("POST", PREDICT, small_bomb, Content_Encoding="gzip")
    assert (answer.status, answer.error) == (413, "The body is larger than 65536 bytes")
    endless = b"10000\r\n" + b" " * 2**16 + b"\r\n"
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert client.raw(head + endless * 3 + b"0\r\n\r\n").startswith(b"HTTP/1.1 413")
    assert client.ask("POST", PREDICT, BODY).json == ANSWER


def test_all_bodies_together_have_a_limit_and_give_it_back(serving):
    client = serving(max_body=2**20, max_bodies=2**17)
    answer = client.ask("POST", PREDICT, json.dumps(BODY).encode().ljust(2**18))
    assert answer.status == 503
    assert client.ask("POST", PREDICT, gzip.compress(b" " * 2**18), Content_Encoding="gzip").status == 503
    for _ in range(5):
        assert client.ask("POST", PREDICT, json.dumps(BODY).encode().ljust(2**16)).json == ANSWER


def test_a_body_of_many_megabytes_is_an_answer_soon(serving):
    client = serving(max_body=2**25)
    for content in (b'{"instances": [' + b"0," * 2**20 + b"0]}", b'{"instances": "' + b"a" * 2**23, b"[" * 2**23):
        answer = client.ask("POST", PREDICT, content)
        assert answer.status in (200, 400)
        assert answer.status == 200 or len(answer.content) < 2000


# ------------------------------------------------------------------ slow and broken clients


def in_time(client):
    """The answer of a server that is busy, or whose timeout may be too short for a machine that is."""
    end = time.monotonic() + PATIENCE
    while (answer := client.ask("POST", PREDICT, BODY)).status in (503, 504) and time.monotonic() < end:
        time.sleep(0.01)
    return answer


def test_who_sends_slowly_is_let_go(serving):
    client = serving(read_timeout=0.3, idle_timeout=0.5)
    start = time.monotonic()
    told = client.raw(f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert told.startswith(b"HTTP/1.1 408")
    assert b"too slowly" in told
    assert client.raw(b"POST /v1/models/m:pre") == b""
    assert client.raw(b"") == b""
    assert time.monotonic() - start < 20
    assert client.ask("POST", PREDICT, BODY).json == ANSWER


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"GET /", b"a"),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n"),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ", b"b"),
        (b"POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b" "),
        (b"POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["a path", "headers", "a header", "a body", "chunks"],
)
def test_who_goes_on_sending_drop_by_drop_is_let_go_too(serving, begin, drop):
    client = serving(read_timeout=0.2, idle_timeout=0.2)
    with socket.create_connection(("127.0.0.1", client.port), timeout=0.02) as connection:
        connection.sendall(begin)
        end, is_over = time.monotonic() + PATIENCE, False
        while not is_over and time.monotonic() < end:
            try:
                connection.sendall(drop)
                told = connection.recv(2**16)
                is_over = told == b"" or told.startswith(b"HTTP/1.1 408")
            except TimeoutError:
                continue
            except ConnectionError:
                is_over = True
    assert is_over
    assert client.ask("GET", "/livez").status == 200


def test_a_body_of_100_mb_is_refused_before_it_is_sent(serving):
    client = serving(max_body=2**26)
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
        connection.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {100 * 2**20}\r\n\r\n".encode())
        told = connection.recv(2**16)
    assert told.startswith(b"HTTP/1.1 413")
    assert b"The body is larger than 67108864 bytes" in told


def test_who_does_not_take_an_answer_is_let_go(serving):
    client = serving(timeout=0.5, slowest=2**26)
    content = json.dumps({"signature_name": "echo", "inputs": [0.123456] * 1_000_000}).encode()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**12)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", client.port))
        connection.sendall(f"POST /v1/models/kinds:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode())
        connection.sendall(content)
        end = time.monotonic() + PATIENCE
        while client.end._handlers.active and time.monotonic() < end:
            time.sleep(0.05)
    assert not client.end._handlers.active
    assert in_time(client).json == ANSWER


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/models/m:predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET /" + b"a" * 2**16 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 2**17 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 1000 + b"\r\n",
    ],
)
def test_what_is_no_http_is_400_and_no_more(client, content):
    told = client.raw(content, half_closed=True)
    assert told == b"" or told.startswith(b"HTTP/1.1 400") or told.startswith(b"HTTP/1.0 400")
    assert b"Traceback" not in told
    assert client.ask("GET", "/livez").status == 200


def test_half_closed_and_broken_connections_leave_the_server_well(client, caplog):
    content = json.dumps(BODY).encode()
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    for part in (head[:20], head, head + content[:5], head + content):
        client.raw(part, half_closed=True)
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.sendall(part)
    assert client.ask("POST", PREDICT, BODY).json == ANSWER
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


# ------------------------------------------------------------------ limits of work


def test_more_than_may_be_answered_at_once_are_refused_and_the_others_are_answered(serving, held):
    manager, runs = held
    client = serving(models=manager, counts=Metrics(manager.has), concurrency=4)
    threads, answers = asking(client, 4)
    for _ in threads:
        assert runs.begun.acquire(timeout=60)
    more, refused = asking(client, 8)
    for thread in more:
        thread.join()
    assert [answer.status for answer in refused] == [503] * 8
    assert "4 requests at a time" in refused[0].error
    assert client.ask("GET", "/readyz").status == 200
    assert client.ask("GET", MODEL).status == 200
    page = client.ask("GET", PAGE).content.decode()
    assert ':hubel:serving:refused_count{entrypoint="REST",reason="concurrency"} 8' in page
    assert ':hubel:serving:requests_in_flight{entrypoint="REST"} 4' in page
    runs.go.set()
    for thread in threads:
        thread.join()
    assert [answer.json for answer in answers] == [ANSWER] * 4
    assert client.ask("POST", PREDICT, BODY).json == ANSWER
    assert ':hubel:serving:requests_in_flight{entrypoint="REST"} 0' in client.ask("GET", PAGE).content.decode()


def test_an_answer_that_takes_too_long_is_504_and_holds_its_place(serving, held):
    manager, runs = held
    client = serving(models=manager, counts=Metrics(manager.has), concurrency=1, timeout=0.3)
    late = client.ask("POST", PREDICT, BODY)
    assert (late.status, late.error) == (504, "There was no answer in 0.3 s")
    assert client.ask("POST", PREDICT, BODY).status == 503
    runs.go.set()
    assert in_time(client).json == ANSWER


def test_stopping_waits_for_what_is_asked_and_takes_no_more(serving, held):
    manager, runs = held
    client = serving(models=manager, counts=Metrics(manager.has))
    threads, answers = asking(client, 2)
    for _ in threads:
        assert runs.begun.acquire(timeout=60)
    ended = client.end.stop(60)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            client.ask("GET", "/livez")
        except ConnectionError:
            break
    else:
        pytest.fail("it still takes connections")
    assert not ended.is_set()
    runs.go.set()
    assert ended.wait(30)
    for thread in threads:
        thread.join()
    assert [answer.json for answer in answers] == [ANSWER] * 2
    assert client.end.stop(1).is_set()


def test_stopping_ends_what_lasts_longer(serving, held):
    manager, runs = held
    client = serving(models=manager, counts=Metrics(manager.has))
    failures = []

    def ask():
        try:
            client.ask("POST", PREDICT, BODY)
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert runs.begun.acquire(timeout=60)
    assert client.end.stop(0.1).wait(30)
    thread.join(30)
    assert failures
