"""Both ends of one server, by TLS, and its batching."""

import collections
import http.client
import json
import ssl
import threading
import time

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc

from configs.errors import HubelError
from serving.server import loading, model_config
from serving.server.access import ApiKey
from serving.server.batching import Parameters
from serving.server.server import Server, Settings, settings_of
from tests.serving.server import half_plus_two
from tests.serving.server.answering import LOCAL
from tests.slower import PATIENCE


def test_both_ends_by_tls_with_a_key_and_batching(models, pair, tmp_path):
    (tmp_path / "batching").write_text("max_batch_size { value: 8 }")
    certificate, key = map(str, pair)
    told = {"rest_port": 0, "grpc_port": 0, "certificate": certificate, "key": key, "batching": str(tmp_path / "batching")}
    server = Server(settings_of(told), ApiKey("s3cret"))
    server.start(model_config.of_models({"m": str(models / "half_plus_two")}))
    context = ssl.create_default_context(cafile=certificate)
    for headers, status in (({}, 401), ({"Authorization": "Bearer s3cret"}, 200)):
        connection = http.client.HTTPSConnection("127.0.0.1", server.ports["rest"], timeout=PATIENCE, context=context)
        connection.request("POST", "/v1/models/m:predict", '{"instances": [1.0]}', headers)
        answer = connection.getresponse()
        assert answer.status == status
        answer.read()
        connection.close()
    trusted = grpc.ssl_channel_credentials(pair[0].read_bytes())
    with grpc.secure_channel(f"127.0.0.1:{server.ports['grpc']}", trusted, [("grpc.enable_http_proxy", 0)]) as channel:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "m"
        response = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, metadata=[("x-api-key", "s3cret")])
    assert [entry.version for entry in response.model_version_status] == [123]
    assert ":tensorflow:serving:batching_session:wrapped_run_count{} 1" in server.metrics.page()
    assert server.manager.ready
    server.stop()
    assert not server.manager.ready
    server.stop()  # which is done


@pytest.mark.parametrize(("swaps", "clients"), [(2, 4), pytest.param(10, 16, marks=pytest.mark.whole)])
@pytest.mark.parametrize("parameters", [None, Parameters(max_batch_size=8)], ids=["", "batching"])
def test_clients_of_both_ends_lose_nothing_while_versions_change(swaps, clients, parameters, tmp_path):
    """So many of each end: every answer is 200 or OK, and that of a version that was there."""
    (tmp_path / "m").mkdir()
    half_plus_two.build(tmp_path / "m", 1, offset=1)
    server = Server(Settings(rest_port=0, grpc_port=0, poll=0.02, batching=parameters))
    server.start(model_config.of_models({"m": str(tmp_path / "m")}))
    answers, wrong, is_over = collections.defaultdict(list), [], threading.Event()

    def over_rest(value):
        connection = http.client.HTTPConnection("127.0.0.1", server.ports["rest"], timeout=60)
        while not is_over.is_set():
            connection.request("POST", "/v1/models/m:predict", f'{{"instances": [{value}.0]}}')
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            answers["rest"].append(json.loads(content)["predictions"][0] - value / 2)

    def over_grpc(value):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "m"
        request.inputs["x"].dtype = 1
        request.inputs["x"].tensor_shape.dim.add().size = 1
        request.inputs["x"].float_val.append(value)
        with grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}", LOCAL) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            while not is_over.is_set():
                response = stub.Predict(request, timeout=60)
                offset = response.outputs["y"].float_val[0] - value / 2
                assert offset == response.model_spec.version.value
                answers["grpc"].append(offset)

    def client(ask, value):
        try:
            ask(value)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=client, args=(ask, value)) for ask in (over_rest, over_grpc) for value in range(clients)]
    for thread in threads:
        thread.start()
    for number in range(2, swaps + 2):
        half_plus_two.build(tmp_path / "m", number, offset=number)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not all(answers[name][-1:] == [number] for name in ("rest", "grpc")):
            time.sleep(0.01)
    is_over.set()
    for thread in threads:
        thread.join()
    server.stop()
    assert not wrong
    assert set(answers["rest"]) == set(answers["grpc"]) == set(range(1, swaps + 2))


def test_who_asks_while_models_are_loaded_is_told_so_and_does_not_hang(models, monkeypatch):
    may_load, load = threading.Event(), loading.load
    monkeypatch.setattr(loading, "load", lambda *given, **more: may_load.wait(PATIENCE) and load(*given, **more))
    server = Server(Settings(rest_port=0, grpc_port=None, linger=0))
    port = server.ports["rest"]
    starting = threading.Thread(target=server.start, args=(model_config.of_models({"m": str(models / "half_plus_two")}),))
    starting.start()

    def rest(method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request(method, path, body)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told

    try:
        loads = {"error": "The server is loading its models."}
        assert rest("POST", "/v1/models/m:predict", '{"instances": [1.0]}') == (503, loads)
        assert rest("GET", "/v1/models/m/metadata") == (503, loads)
        assert (rest("GET", "/readyz")[0], rest("GET", "/livez")[0], rest("GET", "/models")[0]) == (503, 200, 200)
        may_load.set()
        starting.join(PATIENCE)
        assert rest("POST", "/v1/models/m:predict", '{"instances": [1.0]}') == (200, {"predictions": [2.5]})
    finally:
        may_load.set()
        starting.join(PATIENCE)
        server.stop()


def test_a_config_is_followed_only_where_that_is_asked_for(models, tmp_path):
    """Case 40: without polling of the config's file what is served stays as it is."""
    path = tmp_path / "model.config"
    path.write_text(str(model_config.of_models({"m": str(models / "half_plus_two")})))
    for every, served in ((0, ["m"]), (0.01, ["other"])):
        server = Server(Settings(rest_port=None, grpc_port=0))
        server.start(model_config.read(path), path, every)
        path.write_text(str(model_config.of_models({"other": str(models / "half_plus_two")})))
        end = time.monotonic() + (0.2 if not every else 20)
        while time.monotonic() < end and [row["model"] for row in server.manager.overview() if row["state"] == "AVAILABLE"] != [
            "other"
        ]:
            time.sleep(0.01)
        assert [row["model"] for row in server.manager.overview() if row["state"] == "AVAILABLE"] == served
        server.stop()
        path.write_text(str(model_config.of_models({"m": str(models / "half_plus_two")})))


def test_files_that_are_no_certificate(pair, tmp_path):
    (tmp_path / "none.pem").write_text("nothing")
    for certificate, key in ((tmp_path / "none.pem", pair[1]), (pair[0], tmp_path / "none.pem"), (pair[0], tmp_path / "missing")):
        with pytest.raises(HubelError, match="TLS cannot be served with"):
            Server(Settings(rest_port=0, grpc_port=0, certificate=certificate, key=key))
