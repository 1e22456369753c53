"""The gRPC end, asked through TF Serving's own stubs."""

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
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

from configs.errors import HubelError
from serving.server import grpc_end, inference
from serving.server.access import ApiKey
from serving.server.grpc_end import GrpcEnd, GrpcSettings
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.status import ServingError

CODE = grpc.StatusCode
Classification, Regression = classification_pb2.ClassificationRequest, regression_pb2.RegressionRequest
LOCAL = [("grpc.enable_http_proxy", 0)]


class Asked:
    """A server of half_plus_two and its stubs."""

    def __init__(self, models, **settings):
        text = f'name: "m" base_path: "{models}/half_plus_two" model_platform: "tensorflow"'
        text += ' version_labels { key: "prod" value: 123 }'
        self.config = text_format.Parse(f"model_config_list {{ config {{ {text} }} }}", model_server_config_pb2.ModelServerConfig())
        key = settings.pop("api_key", None)
        self.manager, self.metrics = Manager(), Metrics()
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


def examples(request, *values, signature="", context=None):
    made = [tf.train.Example() for _ in values]
    for example, value in zip(made, values, strict=True):
        example.features.feature["x"].float_list.value.append(value)
    request.model_spec.name, request.model_spec.signature_name = "m", signature
    if context is None:
        request.input.example_list.examples.extend(made)
    else:
        request.input.example_list_with_context.examples.extend(tf.train.Example() for _ in values)
        request.input.example_list_with_context.context.features.feature["x"].float_list.value.append(context)
    return request


def tasks(*asked_for):
    request = inference_pb2.MultiInferenceRequest()
    for method, signature in asked_for:
        task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name, task.model_spec.signature_name = "m", signature
    example = request.input.example_list.examples.add()
    example.features.feature["x"].float_list.value.append(80)
    return request


def metadata(*fields, name="m"):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = name
    return request


def status(name="m", version=None):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    return request


@pytest.mark.parametrize(
    "request_", [predict(), predict(signature="serving_default", version=123), predict(label="prod", outputs=["y"])]
)
def test_predict(asked, request_):
    response = asked.prediction.Predict(request_)
    assert response.outputs["y"].float_val == [2.5, 3.0]
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("m", 123, "serving_default")


def test_classify_and_regress(asked):
    answer = asked.prediction.Classify(examples(Classification(), 80, 2, signature="classify_x_to_y"))
    assert [[(c.label, c.score) for c in row.classes] for row in answer.result.classifications] == [[("", 42.0)], [("", 3.0)]]
    assert answer.model_spec.signature_name == "classify_x_to_y"
    request = examples(Regression(), 0, 0, signature="regress_x_to_y", context=80)
    assert [row.value for row in asked.prediction.Regress(request).result.regressions] == [42.0, 42.0]


def test_multi_inference(asked):
    answer = asked.prediction.MultiInference(tasks(("regress", "regress_x_to_y"), ("classify", "classify_x_to_y")))
    assert answer.results[0].regression_result.regressions[0].value == 42.0
    assert answer.results[1].classification_result.classifications[0].classes[0].score == 42.0
    assert [result.model_spec.version.value for result in answer.results] == [123, 123]


def test_metadata(asked):
    answer = asked.prediction.GetModelMetadata(metadata("signature_def"))
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["regress_x_to_y"].method_name == "tensorflow/serving/regress"
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("m", 123)


def test_model_status(asked):
    [entry] = asked.model.GetModelStatus(status()).model_version_status
    assert (entry.version, entry.state, entry.status.error_code) == (123, entry.AVAILABLE, 0)


REFUSED = [
    ("Predict", predict_pb2.PredictRequest(), CODE.INVALID_ARGUMENT, "Missing ModelSpec"),
    ("Predict", predict(name=""), CODE.INVALID_ARGUMENT, "ModelSpec has no name specified."),
    ("Predict", predict(name="none"), CODE.NOT_FOUND, "Servable not found for request: Latest(none)"),
    ("Predict", predict(version=9), CODE.NOT_FOUND, "Servable not found for request: Specific(m, 9)"),
    ("Predict", predict(label="x"), CODE.INVALID_ARGUMENT, "Unrecognized servable version label: x"),
    ("Predict", predict(signature="s"), CODE.FAILED_PRECONDITION, 'Serving signature key "s" not found.'),
    ("Predict", predict(alias="z"), CODE.INVALID_ARGUMENT, "not found in signature: z"),
    ("Predict", predict(outputs=["q"]), CODE.INVALID_ARGUMENT, "output tensor alias not found in signature: q"),
    ("Predict", predict(outputs=["y", "y"]), CODE.INVALID_ARGUMENT, "duplicate output tensor alias: y"),
    ("Predict", predict(np.int32([1])), CODE.INVALID_ARGUMENT, "Type mismatch"),
    ("Classify", examples(Classification(), 1, signature="s"), CODE.INVALID_ARGUMENT, "the name: s"),
    (
        "Classify",
        examples(Classification(), signature="classify_x_to_y"),
        CODE.INVALID_ARGUMENT,
        "is empty",
    ),
    ("Classify", examples(Classification(), 1), CODE.FAILED_PRECONDITION, "No classification inputs"),
    ("Regress", examples(Regression(), 1), CODE.FAILED_PRECONDITION, "No regression inputs"),
    ("MultiInference", inference_pb2.MultiInferenceRequest(), CODE.INVALID_ARGUMENT, "no tasks"),
    ("MultiInference", tasks(*[("regress", "regress_x_to_y")] * 2), CODE.INVALID_ARGUMENT, "Duplicate evaluation of signature"),
    ("MultiInference", tasks(("predict", "serving_default")), CODE.UNIMPLEMENTED, "Unsupported signature method_name"),
    ("MultiInference", tasks(("regress", "s")), CODE.INVALID_ARGUMENT, "Requested signature not found"),
    ("GetModelMetadata", metadata(), CODE.INVALID_ARGUMENT, "at least one metadata_field"),
    ("GetModelMetadata", metadata("x"), CODE.INVALID_ARGUMENT, "Metadata field x is not supported"),
    ("GetModelMetadata", metadata("signature_def", name="none"), CODE.NOT_FOUND, "Latest(none)"),
    ("Predict", predict(np.zeros((300, 300), np.float32)), CODE.RESOURCE_EXHAUSTED, "larger than max"),
]


@pytest.mark.parametrize(("method", "request_", "code", "said"), REFUSED)
def test_what_is_refused(asked, method, request_, code, said):
    with pytest.raises(grpc.RpcError) as refused:
        getattr(asked.prediction, method)(request_)
    assert refused.value.code() == code
    assert said in refused.value.details()


def test_status_of_what_is_unknown(asked):
    for request, said in ((status("none"), "any versions of model none"), (status(version=9), "version 9 of model m")):
        with pytest.raises(grpc.RpcError) as refused:
            asked.model.GetModelStatus(request)
        assert refused.value.code() == CODE.NOT_FOUND
        assert said in refused.value.details()


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
    assert dict(call.initial_metadata())["x-request-id"] == "my-request"
    assert asked.metrics.requests.value("m", "OK") == before + 1
    with pytest.raises(grpc.RpcError):
        asked.prediction.Predict(predict(name="none"), metadata=[("x-request-id", 'no "good"\x20id')])
    until = time.monotonic() + 5
    while len(caplog.messages) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    first, second = map(json.loads, caplog.messages)
    assert first["request_id"] == "my-request"
    assert (first["call"], first["status"]) == ("/tensorflow.serving.PredictionService/Predict", "OK")
    assert (second["model"], second["status"]) == ("none", "NOT_FOUND")
    assert second["request_id"] != 'no "good" id'


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
            let.wait(20)
            return run(*arguments)

        servable.run = held
    calls = [asked.prediction.Predict.future(predict()) for _ in range(2)]
    until = time.monotonic() + 10
    while len(started) < 2 and time.monotonic() < until:
        time.sleep(0.005)
    with pytest.raises(grpc.RpcError) as refused:
        asked.prediction.Predict(predict())
    assert refused.value.code() == CODE.RESOURCE_EXHAUSTED
    asked.end.show_ready(False)
    ended = asked.end.stop(20)
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
