"""`hubel serve`: from a command line to a server that answers and ends in order. In this process but for the last tests."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc
import numpy as np
import pytest

from pipelines.command_line.serve_commands import BANNER
from serving import promotions
from tests.pipelines.conftest import Running, in_process
from tests.serving.server import half_plus_two
from tests.slower import PATIENCE

# A channel tries again after 1 s, 1.6 s, 2.6 s and so on up to 2 minutes, while a server starts.
LOCAL = [("grpc.enable_http_proxy", 0), ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with half_plus_two/1, 2 and 3, whose offsets are their numbers."""
    root = tmp_path_factory.mktemp("workspace")
    base = root / "models" / "half_plus_two"
    base.mkdir(parents=True)
    for number in (1, 2, 3):
        half_plus_two.build(base, number, offset=number, warmup=number)
    return root


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as made:
        return made.getsockname()[1]


def predict(port, name="half_plus_two", label=None, timeout=PATIENCE, metadata=()):
    """What 0 becomes: the offset of the version that answers."""
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    if label:
        request.model_spec.version_label = label
    request.inputs["x"].dtype = 1
    request.inputs["x"].tensor_shape.dim.add().size = 1
    request.inputs["x"].float_val.append(0)
    with grpc.insecure_channel(f"127.0.0.1:{port}", LOCAL) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return stub.Predict(request, timeout=timeout, wait_for_ready=True, metadata=metadata).outputs["y"].float_val[0]


def served(place, *arguments, ask=predict, ends=("--no-rest",), port=None):
    """How `hubel serve` ended that was asked while it lasted, and what it was answered."""
    port, answers, is_over = port or free_port(), [], threading.Event()

    def client():
        try:
            answers.append(ask(port))
        except Exception as error:
            answers.append(error)
        finally:
            if not is_over.is_set():  # else nobody waits for it any more, and it would end the tests
                os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=client)
    thread.start()
    try:
        done = in_process("serve", *arguments, *ends, "--grpc-port", port, "--workspace", place)
    finally:
        is_over.set()
        thread.join()
    assert signal.getsignal(signal.SIGTERM) == before
    return done, answers, port


def test_the_newest_version_of_a_model_and_what_is_said(place):
    done, answers, port = served(place, "half_plus_two")
    assert answers == [3.0]
    assert done.code == 0
    assert done.lines[0] == BANNER
    assert "TensorFlow Serving" in BANNER
    assert done.lines[1].startswith("half_plus_two version 3: AVAILABLE, loaded in ")
    assert ", 3 warm-up requests of 1 signatures in " in done.lines[1]
    assert f"gRPC 127.0.0.1:{port}" in done.lines
    assert "Ready. Ctrl-C ends it." in done.lines
    assert done.lines[-1] == "Stopped: what was asked before is answered."
    [log] = (place / "logs" / "serve").glob("*.log")
    assert "half_plus_two version 3 is available: loaded in" in log.read_text()
    assert '"call": "/tensorflow.serving.PredictionService/Predict", "status": "OK"' in log.read_text()


def test_both_ends_answer_alike(place):
    rest = free_port()

    def asked(path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", rest, timeout=PATIENCE)
        connection.request("GET" if body is None else "POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def ask(port):
        over_grpc = predict(port)  # which waits until it answers
        over_rest = asked("/v1/models/half_plus_two:predict", json.dumps({"instances": [0.0]}))
        return over_grpc, over_rest, asked("/readyz")[0], asked("/monitoring/prometheus/metrics")[1]

    done, answers, _ = served(place, "half_plus_two", ask=ask, ends=("--rest-port", rest))
    assert done.code == 0
    [(over_grpc, (status, over_rest), state, counts)] = answers
    assert (over_grpc, status, json.loads(over_rest), state) == (3.0, 200, {"predictions": [3.0]}, 200)
    assert ':tensorflow:serving:request_count{model_name="half_plus_two",status="OK"} 2' in counts
    assert f"REST http://127.0.0.1:{rest}/v1/models/half_plus_two" in done.lines
    assert f"Playground http://127.0.0.1:{rest}/ (for a browser)" in done.lines


def test_a_version_by_its_number_or_path_and_a_saved_model_without_one(place, tmp_path):
    import shutil

    copy = shutil.copytree(place / "models" / "half_plus_two" / "2", tmp_path / "exported")
    done, answers, _ = served(place, "half_plus_two/1", copy, "--json", ask=lambda port: (predict(port), predict(port, "exported")))
    assert answers == [(1.0, 2.0)]
    value = done.json
    assert [(row["model"], row["version"], row["warmup"]["requests"]) for row in value["models"]] == [
        ("exported", 1, 2),
        ("half_plus_two", 1, 1),
    ]
    assert (value["rest"], value["playground"]) == (None, None)


def test_the_workspaces_config_is_served_and_followed(place):
    path = place / "models" / "model.config"

    def text(stable):
        versions = "model_version_policy { specific { versions: 1 versions: 2 } }"
        label = f'version_labels {{ key: "stable" value: {stable} }}'
        base = place / "models" / "half_plus_two"
        return f'model_config_list {{ config {{ name: "m" base_path: "{base}" model_platform: "tensorflow" {versions} {label} }} }}'

    def ask(port):
        first = predict(port, "m", "stable")
        path.write_text("model_config_list {")  # which is refused, in the log
        time.sleep(0.1)
        path.write_text(text(2))
        end = time.monotonic() + PATIENCE
        while (second := predict(port, "m", "stable")) == first and time.monotonic() < end:
            time.sleep(0.02)
        return first, second, predict(port, "m")

    path.write_text(text(1))
    try:
        done, answers, _ = served(place, "--config-poll", "0.02", ask=ask)
    finally:
        path.unlink()
    assert answers == [(1.0, 2.0, 2.0)]
    assert "m version 1 (stable): AVAILABLE" in done.out
    assert "cannot be followed" in max((place / "logs" / "serve").glob("*.log"), key=os.path.getmtime).read_text()


def test_a_name_is_served_as_the_workspaces_config_has_it_and_a_promotion_is_followed(place):
    base = place / "models" / "half_plus_two"

    def labelled(port):
        end = time.monotonic() + PATIENCE
        promotions.promote(base, 2)
        while (now := predict(port, label="stable")) == 1.0 and time.monotonic() < end:
            time.sleep(0.02)
        return now

    def ask(port):
        return predict(port, label="stable"), predict(port, label="canary"), predict(port), labelled(port)

    try:
        promotions.promote(base, 1)
        with promotions.held(place / "models", "a test"):
            promotions.pushed(base, 3)
            promotions.write(place / "models")
        done, answers, _ = served(place, "half_plus_two", "--config-poll", "0.02", ask=ask)
    finally:
        for name in (promotions.CONFIG, promotions.RECORD):
            (place / "models" / name).unlink()
    assert answers == [(1.0, 3.0, 3.0, 2.0)]
    assert "half_plus_two version 1 (stable): AVAILABLE" in done.out
    assert "half_plus_two version 3 (canary): AVAILABLE" in done.out


def test_an_api_key_and_an_access_log(place, tmp_path):
    (tmp_path / "key").write_text("s3cret\n")

    def ask(port):
        with pytest.raises(grpc.RpcError) as refused:
            predict(port)
        return refused.value.code().name, predict(port, metadata=[("x-api-key", "s3cret")])

    options = ("--api-key-file", tmp_path / "key", "--access-log", tmp_path / "access")
    done, answers, _ = served(place, "half_plus_two", *options, ask=ask)
    assert answers == [("UNAUTHENTICATED", 3.0)]
    rows = list(map(json.loads, (tmp_path / "access").read_text().splitlines()))
    assert [row["status"] for row in rows] == ["UNAUTHENTICATED", "OK"]
    logs = "".join(path.read_text() for path in (place / "logs" / "serve").glob("*.log"))
    assert "s3cret" not in logs + done.out + done.err + (tmp_path / "access").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("none",), 2, "There is no served model 'none'"),
        (("half_plus_two", "--config", "x"), 2, "A config says itself which models are served."),
        (("half_plus_two/1", "half_plus_two/2"), 2, "Two of the models are called half_plus_two."),
        (("--config", "/none/model.config"), 2, "The file /none/model.config cannot be read: No such file or directory."),
        (("half_plus_two", "--batching-file", "/none"), 2, "The file /none cannot be read: No such file or directory."),
        (("half_plus_two", "--api-key-file", "/none"), 2, "The file /none of the API key cannot be read"),
        (("half_plus_two", "--tls-cert", "/none"), 2, "TLS needs a certificate and its key."),
        (("half_plus_two", "--tls-cert", "/none", "--tls-key", "/none"), 1, "TLS cannot be served with /none and /none"),
        (("half_plus_two", "--max-request", "nan"), 2, "nan is no finite number."),
        (("half_plus_two", "--max-request", "inf"), 2, "inf is no finite number."),
        (("half_plus_two", "--timeout", "nan"), 2, "nan is no finite number."),
        (("half_plus_two", "--no-grpc"), 2, "A server without a port answers nobody."),
    ],
)
def test_what_cannot_be_served_is_a_sentence(place, arguments, code, said):
    done = in_process("serve", *arguments, "--no-rest", "--workspace", place)
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.out + done.err


def test_a_port_in_use_and_a_damaged_model(place, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = in_process("serve", "half_plus_two", "--no-rest", "--grpc-port", port, "--workspace", place)
    assert done.code == 1
    assert f"The port {port} of 127.0.0.1 is in use" in done.err
    (tmp_path / "bad" / "1").mkdir(parents=True)
    (tmp_path / "bad" / "1" / "saved_model.pb").write_bytes(b"nothing")
    done = in_process("serve", tmp_path / "bad", "--no-rest", "--grpc-port", 0, "--workspace", place)
    assert done.code == 1
    assert "bad: version 1 NOT_FOUND: it cannot be loaded" in done.err


def test_the_description_is_printed_without_tensorflow_or_a_port(place, tmp_path):
    (tmp_path / "model.config").write_text(
        f'model_config_list {{ config {{ name: "half" base_path: "{place}/models/half_plus_two" model_platform: "tensorflow"'
        ' model_version_policy { specific { versions: 1 versions: 2 } } version_labels { key: "stable" value: 1 } } }'
    )
    script = (
        "import sys\nfrom pipelines.command_line import commands\ncode = commands.run(sys.argv[1:])\n"
        "assert 'tensorflow' not in sys.modules\nsys.exit(code)"
    )
    asked = {"half_plus_two": (3, None), "half_plus_two/1": (1, None), "--config": (2, "stable")}
    for name, (version, label) in asked.items():
        named = [name, tmp_path / "model.config"] if label else [name]
        command = [sys.executable, "-c", script, "serve", *named, "--openapi", "--workspace", place]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        item = json.loads(done.stdout)["paths"][f"/v1/models/{'half' if label else 'half_plus_two'}/versions/{{version}}:predict"]
        assert item["post"]["parameters"][0]["example"] == version
    of_config = (
        (tmp_path / "model.config").read_text().replace('name: "half"', 'name: "half_plus_two"').replace(str(place), "/moved")
    )
    shutil.copytree(place / "models" / "half_plus_two", tmp_path / "models" / "half_plus_two")
    (tmp_path / "models" / "model.config").write_text(of_config)
    for name, version in (("half_plus_two", 2), ("half_plus_two/3", 3)):
        done = in_process("serve", name, "--openapi", "--workspace", tmp_path)
        item = done.json["paths"]["/v1/models/half_plus_two/labels/{label}:predict"]
        assert item["post"]["parameters"][0].get("example") == ("stable" if version == 2 else None)
        assert done.json["tags"][0]["description"] == f"Version {version}."
    done = in_process("serve", "half_plus_two", "--openapi", "--no-rest", "--workspace", place)
    assert (done.code, done.err.splitlines()[0]) == (2, "The description is of the REST endpoints.")
    damaged = tmp_path / "damaged" / "1"
    damaged.mkdir(parents=True)
    (damaged / "saved_model.pb").write_bytes(b"\xff" * 9)
    done = in_process("serve", damaged, "--openapi", "--workspace", place)
    assert (done.code, "is damaged: saved_model.pb cannot be read" in done.err) == (1, True)


@pytest.mark.whole
def test_a_server_of_its_own_drains_under_load(place):
    """Requests that were taken are answered; after each end, kill -9 too, the same command serves once more, at the same port."""
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    port = free_port()
    command = ("serve", "half_plus_two", "--no-rest", "--grpc-port", port, "--workspace", place)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "half_plus_two"
    values = np.arange(200_000, dtype=np.float32)
    request.inputs["x"].dtype = 1
    request.inputs["x"].tensor_shape.dim.add().size = len(values)
    request.inputs["x"].float_val.extend(values)
    for how, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
        running = Running(*command)
        assert predict(port) == 3.0
        with grpc.insecure_channel(f"127.0.0.1:{port}", [*LOCAL, ("grpc.max_receive_message_length", -1)]) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            calls = [stub.Predict.future(request) for _ in range(8)]
            calls[0].result()
            outcome = running.end(how)
            ended = [call.code().name for call in calls]
        assert outcome.code == code
        if how != signal.SIGKILL:
            assert set(ended) <= {"OK", "UNAVAILABLE"}  # what came too late is refused, none is lost on the way
            assert "Stopped: what was asked before is answered." in outcome.out
    again, answers, _ = served(place, "half_plus_two", port=port)
    assert (again.code, answers) == (0, [3.0])


def test_a_shadow_is_asked_too_and_nobody_gets_its_answers(place, tmp_path):
    (tmp_path / "models").symlink_to(place / "models")

    def differences():
        logs = [path.read_text().splitlines() for path in (tmp_path / "logs" / "serve").glob("*.log")]
        return [json.loads(line[line.index('{"difference"') :]) for lines in logs for line in lines if '{"difference"' in line]

    def ask(port):
        answers, until = [predict(port) for _ in range(5)], time.monotonic() + PATIENCE
        while len(differences()) < 5 and time.monotonic() < until:  # its turn comes after the answers
            time.sleep(0.1)
        return answers

    done, [answers], _ = served(tmp_path, "half_plus_two/1", "--shadow", "half_plus_two/2=1", ask=ask)
    assert answers == [1.0] * 5
    assert "half_plus_two version 1, shadow version 2: 5 differs" in done.lines
    [line] = [line for line in done.lines if "examples decided differently" in line]
    assert "at most y by 1;" in line
    assert [(row["difference"]["shadow"], row["difference"]["largest_difference"]) for row in differences()] == [
        (2, {"y": 1.0})
    ] * 5
    kept = tmp_path / "serving" / "half_plus_two"
    assert json.loads((kept / "1" / "statistics.json").read_text())["seen"] == 5
    assert not (kept / "2").exists()


def test_statistics_can_be_left_out(place, tmp_path):
    (tmp_path / "models").symlink_to(place / "models")
    served(tmp_path, "half_plus_two/2", "--no-statistics")
    assert not (tmp_path / "serving").exists()


@pytest.mark.parametrize(
    ("shadow", "said"),
    [
        ("half_plus_two/9=0.1", "has no version 9 to ask as a shadow"),
        ("half_plus_two/3=0.1", "answers itself"),
        ("canary=0.1", "has no version that is its canary"),
        ("other/1=0.1", "is of a model that is not served"),
        ("half_plus_two/1=2", "no version with a share"),
        ("half_plus_two/1=nan", "no version with a share"),
        ("half_plus_two/1", "no version with a share"),
        ("=0.5", "no version with a share"),
    ],
)
def test_a_shadow_that_cannot_be(place, shadow, said):
    done = in_process("serve", "half_plus_two/3", "--shadow", shadow, "--workspace", place)
    assert done.code == 2
    assert said in done.err


def test_beside_a_shadow_a_name_alone_is_its_stable_version(tmp_path):
    from pipelines.command_line import serve_commands
    from serving import promotions

    base = tmp_path / "m"
    for number in (1, 2, 3):
        base.mkdir(exist_ok=True)
        promotions.pushed(base, number)
        (base / str(number)).mkdir()
        (base / str(number) / "saved_model.pb").touch()
    wanted = [{"name": "m", "folder": str(base), "version": None}]
    [spec] = serve_commands._shadows(["canary=0.5"], wanted, False)
    assert spec == {"share": 0.5, "of": "m", "model": "m.shadow", "version": 3, "label": None}
    assert [(model["name"], model["version"]) for model in wanted] == [("m", 1), ("m.shadow", 3)]
    [of_any] = serve_commands._shadows(["canary=0.5"], [], True)
    assert of_any == {"share": 0.5, "of": None, "model": None, "version": None, "label": "canary"}
    wanted = [{"name": "m", "folder": str(base), "version": None, "is_bare": True}]
    followed, loaded, hidden = serve_commands._shadows(["canary=0.5", "m/3=0.1", "m/2=0.1"], wanted, True)
    assert followed == {"share": 0.5, "of": "m", "model": None, "version": None, "label": "canary"}
    assert loaded == {"share": 0.1, "of": "m", "model": None, "version": 3, "label": None}
    assert hidden == {"share": 0.1, "of": "m", "model": "m.shadow", "version": 2, "label": None}
    assert [(model["name"], model["version"]) for model in wanted] == [("m", None), ("m.shadow", 2)]
