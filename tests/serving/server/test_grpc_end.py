"""The gRPC end beside what conformance.py has of it, asked through TF Serving's own stubs."""

import json
import logging
import threading
import time
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

from configs.errors import HubelError
from serving.server import grpc_end, inference
from serving.server.access import ApiKey
from serving.server.grpc_end import GrpcEnd, GrpcSettings
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.observed import Observed
from serving.server.status import ServingError
from tests.serving.server.answering import LOCAL
from tests.slower import PATIENCE

CODE = grpc.StatusCode


class Asked:
    """A server of half_plus_two and its stubs."""

    def __init__(self, models, **settings):
        text = f'name: "m" base_path: "{models}/half_plus_two" model_platform: "tensorflow"'
        text += ' version_labels { key: "prod" value: 123 }'
        self.config = text_format.Parse(f"model_config_list {{ config {{ {text} }} }}", model_server_config_pb2.ModelServerConfig())
        key = settings.pop("api_key", None)
        observers = settings.pop("observers", [])
        self.manager, self.metrics = Manager(wrap=lambda loaded: Observed(loaded, observers)), Metrics()
        self.end = GrpcEnd(self.manager, self.metrics, GrpcSettings(port=0, **settings), ApiKey(key))
        self.manager.start(self.config)
        self.end.start()
        self.end.show_ready(True)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.end.port}", LOCAL)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def stop(self):
        self.channel.close()
        self.end.stop(5).wait()
        self.manager.stop()


@pytest.fixture(scope="module")
def asked(models):
    made = Asked(models, max_message=100_000)
    yield made
    made.stop()


def predict(value=None, signature="", version=None, label=None, name="m", alias="x", outputs=()):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name, request.model_spec.signature_name = name, signature
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    request.inputs[alias].CopyFrom(tf.make_tensor_proto(np.float32([1, 2]) if value is None else value))
    return request


def test_a_message_over_the_limit_is_refused(asked):
    with pytest.raises(grpc.RpcError) as refused:
        asked.prediction.Predict(predict(np.zeros((300, 300), np.float32)))
    assert refused.value.code() == CODE.RESOURCE_EXHAUSTED
    assert "larger than max" in refused.value.details()
    assert asked.prediction.Predict(predict()).outputs["y"].float_val == [2.5, 3.0]


def test_a_bomb_of_gzip_is_over_the_limit_too(asked):
    bomb = predict(np.zeros(2**24, np.float32))
    with pytest.raises(grpc.RpcError) as refused:
        asked.prediction.Predict(bomb, compression=grpc.Compression.Gzip)
    assert refused.value.code() == CODE.RESOURCE_EXHAUSTED
    assert asked.prediction.Predict(predict(), compression=grpc.Compression.Gzip).outputs["y"].float_val == [2.5, 3.0]


def test_bytes_that_are_no_message_are_refused_and_the_next_is_answered(asked):
    for content in (b"\xff", b"\x0a\xff\xff\xff\x7f", b"\x0a\x03abc" * 3):
        with pytest.raises(grpc.RpcError) as refused:
            asked.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")(content, timeout=PATIENCE)
        assert refused.value.code() == CODE.INTERNAL  # gRPC's own, before the service is asked
    assert asked.prediction.Predict(predict()).outputs["y"].float_val == [2.5, 3.0]


def test_what_several_signatures_are_asked_at_once_is_told_to_observers_as_one_request(models):
    class Listening:
        def __init__(self):
            self.told = []

        def offer(self, servable, feeds, answers, seconds):
            self.told.append((servable.version, len(feeds["inputs"]), {name: list(given) for name, given in answers.items()}))

        def close(self):
            pass

    listening = Listening()
    asked = Asked(models, observers=[listening])
    try:
        request = inference_pb2.MultiInferenceRequest()
        for method, signature in (("regress", "regress_x_to_y"), ("classify", "classify_x_to_y")):
            task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
            task.model_spec.name, task.model_spec.signature_name = "m", signature
        request.input.example_list.examples.add().features.feature["x"].float_list.value.append(2.0)
        results = asked.prediction.MultiInference(request).results
        with asked.manager.lease("m") as servable, pytest.raises(ServingError, match="DEADLINE_EXCEEDED"):
            inference.multi_inference(servable, request, time.monotonic() - 1)
    finally:
        asked.stop()
    assert results[0].regression_result.regressions[0].value == results[1].classification_result.classifications[0].classes[0].score
    assert results[0].regression_result.regressions[0].value == 3.0
    assert listening.told == [(123, 1, {"regress_x_to_y": ["outputs"], "classify_x_to_y": ["scores"]})]


def test_a_long_message_is_cut(asked):
    with pytest.raises(grpc.RpcError) as refused:
        asked.prediction.Predict(predict(name="n" * 3000))
    assert len(refused.value.details()) == 1024
    assert refused.value.details().endswith("...TRUNCATED")


def test_reload(asked):
    other = model_server_config_pb2.ModelServerConfig()
    other.CopyFrom(asked.config)
    other.model_config_list.config[0].name = "other"
    asked_for = model_management_pb2.ReloadConfigRequest(config=other, metric_names=["/tensorflow/serving/request_count", "/none"])
    response = asked.model.HandleReloadConfigRequest(asked_for)
    assert response.status.error_code == 0
    assert [(metric.name, metric.int64_value_increase) for metric in response.metric] == [("/tensorflow/serving/request_count", 0)]
    assert asked.prediction.Predict(predict(name="other")).outputs["y"].float_val == [2.5, 3.0]
    with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
        asked.prediction.Predict(predict())
    asked.model.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(config=asked.config))
    assert asked.prediction.Predict(predict()).outputs["y"].float_val == [2.5, 3.0]
    call = asked.model.HandleReloadConfigRequest.with_call
    with pytest.raises(grpc.RpcError) as refused:
        call(model_management_pb2.ReloadConfigRequest())
    assert refused.value.code() == CODE.INVALID_ARGUMENT
    assert "Only ModelConfigList" in refused.value.details()


def test_health_and_reflection(asked):
    health = health_pb2_grpc.HealthStub(asked.channel)
    for name in ("", "PredictionService", "tensorflow.serving.ModelService"):
        assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
        health.Check(health_pb2.HealthCheckRequest(service="none"))
    services = ProtoReflectionDescriptorDatabase(asked.channel).get_services()
    assert {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService", "grpc.health.v1.Health"} <= set(services)


def test_a_request_is_counted_and_noted_with_its_id(asked, caplog):
    caplog.set_level(logging.INFO, "serving.server.access")
    before = asked.metrics.requests.value("m", "OK")
    _, call = asked.prediction.Predict.with_call(predict(), metadata=[("x-request-id", "my-request")])
    assert dict(call.trailing_metadata())["x-request-id"] == "my-request"
    assert asked.metrics.requests.value("m", "OK") == before + 1
    with pytest.raises(grpc.RpcError) as refused:
        asked.prediction.Predict(predict(name="none"), metadata=[("x-request-id", 'no "good"\x20id')])
    told = dict(refused.value.trailing_metadata())["x-request-id"]
    until = time.monotonic() + PATIENCE
    while len(caplog.messages) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    first, second = map(json.loads, caplog.messages)
    assert first["request_id"] == "my-request"
    assert (first["call"], first["status"]) == ("/tensorflow.serving.PredictionService/Predict", "OK")
    assert (second["model"], second["status"]) == ("none", "NOT_FOUND")
    assert second["request_id"] == told != 'no "good" id'


def test_an_api_key_is_needed_where_there_is_one_and_stands_nowhere(models, caplog):
    caplog.set_level(logging.DEBUG)
    asked = Asked(models, api_key="s3cret-key")
    for headers in ([], [("x-api-key", "wrong")], [("authorization", "Bearer ")]):
        with pytest.raises(grpc.RpcError) as refused:
            asked.prediction.Predict(predict(), metadata=headers)
        assert refused.value.code() == CODE.UNAUTHENTICATED
        with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
            ProtoReflectionDescriptorDatabase(asked.channel).get_services()
    for headers in ([("x-api-key", "s3cret-key")], [("authorization", "bearer s3cret-key")]):
        assert asked.prediction.Predict(predict(), metadata=headers).outputs["y"].float_val == [2.5, 3.0]
    health = health_pb2_grpc.HealthStub(asked.channel)
    assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
    asked.stop()
    assert "s3cret" not in caplog.text + repr(ApiKey("s3cret-key"))
    assert asked.metrics.refused.value("GRPC", "api_key") == 6  # calls and streams


def test_more_than_it_may_answer_at_once_is_refused_and_what_was_asked_is_answered_at_the_end(models):
    asked = Asked(models, concurrency=2)
    with asked.manager.lease("m") as servable:
        run, let = servable.run, threading.Event()
        started = []

        def held(*arguments):
            started.append(1)
            let.wait(PATIENCE)
            return run(*arguments)

        servable.run = held
    calls = [asked.prediction.Predict.future(predict()) for _ in range(2)]
    until = time.monotonic() + PATIENCE
    while len(started) < 2 and time.monotonic() < until:
        time.sleep(0.005)
    with pytest.raises(grpc.RpcError) as refused:
        asked.prediction.Predict(predict())
    assert refused.value.code() == CODE.RESOURCE_EXHAUSTED
    asked.end.show_ready(False)
    ended = asked.end.stop(PATIENCE)
    assert not ended.wait(0.1)
    let.set()
    assert [call.result().outputs["y"].float_val for call in calls] == [[2.5, 3.0]] * 2
    assert ended.wait(10)
    asked.stop()


@pytest.mark.parametrize(("left", "is_late"), [(None, False), (9.2e18, False), (60.0, False), (-1.0, True)])
def test_a_clients_deadline_is_the_requests(asked, left, is_late):
    context = SimpleNamespace(time_remaining=lambda: left)
    with asked.manager.lease("m") as servable:
        deadline = grpc_end._deadline(context)
        if is_late:
            with pytest.raises(ServingError, match="DEADLINE_EXCEEDED"):
                inference.predict(servable, predict(), deadline)
        else:
            assert inference.predict(servable, predict(), deadline).outputs["y"].float_val == [2.5, 3.0]


def test_a_port_in_use_is_a_sentence(asked):
    with pytest.raises(HubelError, match=f"The port {asked.end.port} of 127.0.0.1 is in use"):
        GrpcEnd(asked.manager, asked.metrics, GrpcSettings(port=asked.end.port))


def test_files_of_tls_that_are_none(asked, tmp_path):
    with pytest.raises(HubelError, match="cannot be read"):
        GrpcEnd(asked.manager, asked.metrics, GrpcSettings(port=0, certificate=tmp_path / "c", key=tmp_path / "k"))


SIZES = st.lists(st.integers(-1, 2**40), max_size=4)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "float_val": st.lists(st.floats(width=32), max_size=3),
        "int_val": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
        "string_val": st.lists(st.binary(max_size=8), max_size=3),
        "tensor_content": st.binary(max_size=16),
    },
)


@given(
    st.sampled_from(["", "serving_default", "regress_x_to_y", "classify_x_to_y", "s"]),
    st.sampled_from(["x", "inputs", "z"]),
    st.integers(0, 30),
    SIZES,
    VALUES,
)
@settings(max_examples=100)
def test_whatever_is_sent_is_answered_or_refused_in_words(asked, signature, alias, dtype, sizes, values):
    tensor = tensor_pb2.TensorProto(dtype=dtype, **values)
    for size in sizes:
        tensor.tensor_shape.dim.add().size = size
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "m", signature
    request.inputs[alias].CopyFrom(tensor)
    try:
        asked.prediction.Predict(request, timeout=60)
        outcome = "OK"
    except grpc.RpcError as error:
        outcome = error.code() if error.details() else "no words"
    assert outcome in ("OK", CODE.INVALID_ARGUMENT, CODE.FAILED_PRECONDITION)
