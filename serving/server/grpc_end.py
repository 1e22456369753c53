"""The gRPC end: PredictionService and ModelService of tensorflow-serving-api, health and reflection."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import (
    model_management_pb2,
    model_service_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
)

from configs.errors import HubelError
from serving.server import access, inference
from serving.server.access import ApiKey
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.status import CODES, ServingError

PREDICTION = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name
MODEL = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name
HEALTHY = ("", PREDICTION, MODEL, "PredictionService", "ModelService")  # names that health knows; the short ones are TF Serving's
OPEN = "/grpc.health.v1.Health/"  # what needs no API key: a probe has none
MAX_MESSAGE = 1024  # characters of an error's message, as TF Serving cuts them
CUT = "...TRUNCATED"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GrpcSettings:
    """Of the end.

    Attributes:
        host, port: where it listens; port 0 for any that is free.
        max_message: bytes of a request; TF Serving has no limit but gRPC's own, 2^31 - 1.
        concurrency: calls at once; one more is RESOURCE_EXHAUSTED.
        certificate, key: files of TLS; None for none.
    """

    host: str = "127.0.0.1"
    port: int = 8500
    max_message: int = 2**26
    concurrency: int = 64
    certificate: Path | None = None
    key: Path | None = None


class GrpcEnd:
    """A gRPC server on a Manager."""

    def __init__(self, manager: Manager, metrics: Metrics, settings: GrpcSettings, api_key: ApiKey | None = None):
        """Bind the port; `start` answers.

        Raises:
            HubelError: where the port is in use, or the files of TLS are none.
        """
        self._health = health.HealthServicer()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(settings.concurrency, thread_name_prefix="grpc"),
            interceptors=[_Gate(api_key or ApiKey(None), metrics)],
            maximum_concurrent_rpcs=settings.concurrency,
            options=[
                ("grpc.max_receive_message_length", settings.max_message),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),  # else a second server shares the port and takes half of the requests
            ],
        )
        predictions, models = _Prediction(manager, metrics), _Models(manager, metrics)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(predictions, self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(models, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (PREDICTION, MODEL, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
        self.show_ready(False)
        self.port = self._bind(settings)

    def _bind(self, settings: GrpcSettings) -> int:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"{host}:{settings.port}"
        try:
            if settings.certificate and settings.key:
                pair = settings.key.read_bytes(), settings.certificate.read_bytes()
                port = self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
            else:
                port = self._server.add_insecure_port(address)
        except OSError as error:
            raise HubelError(
                f"The file {error.filename} cannot be read: {error.strerror}.", "It is to hold the server's certificate or its key."
            ) from None
        except RuntimeError:
            port = 0
        if not port:
            raise HubelError(
                f"The port {settings.port} of {settings.host} is in use, or not to be had.", "Choose another with --grpc-port."
            )
        return port

    def start(self) -> None:
        """Answer."""
        self._server.start()

    def show_ready(self, is_ready: bool) -> None:
        """What health says."""
        state = health_pb2.HealthCheckResponse.SERVING if is_ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in HEALTHY:
            self._health.set(name, state)

    def stop(self, grace: float) -> threading.Event:
        """Take no more calls and end those that last longer than `grace` s. Returns what is set once all have ended."""
        self._health.enter_graceful_shutdown()
        return self._server.stop(grace)


class _Gate(grpc.ServerInterceptor):
    """The API key, the request's id, the access log, around every call."""

    def __init__(self, api_key: ApiKey, metrics: Metrics):
        self._api_key, self._metrics = api_key, metrics

    def intercept_service(self, continuation, details):
        handler = continuation(details)
        headers = {key: value for key, value in details.invocation_metadata if isinstance(value, str)}
        if handler is None or details.method.startswith(OPEN):
            return handler
        if not self._api_key.allows(headers):
            return self._refusing(handler, details.method)
        if handler.unary_unary is None:  # reflection's streams
            return handler
        inner = handler.unary_unary

        def answer(request, context):
            start, name = time.perf_counter(), access.request_id(headers)
            context.set_trailing_metadata(((access.REQUEST_ID, name),))  # goes with the status; a message of its own costs time
            try:
                return inner(request, context)
            finally:
                code = context.code()
                status = code.name if code is not None else "OK"
                access.note("GRPC", details.method, status, start, request_id=name, peer=context.peer(), model=_model(request))

        return grpc.unary_unary_rpc_method_handler(
            answer, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )

    def _refusing(self, handler, method: str):
        def refuse(request, context):
            self._metrics.refused.add("GRPC", "api_key")
            access.note("GRPC", method, "UNAUTHENTICATED", time.perf_counter(), peer=context.peer())
            context.abort(grpc.StatusCode.UNAUTHENTICATED, access.REFUSED)

        if handler.request_streaming:
            kind = grpc.stream_stream_rpc_method_handler if handler.response_streaming else grpc.stream_unary_rpc_method_handler
        else:
            kind = grpc.unary_stream_rpc_method_handler if handler.response_streaming else grpc.unary_unary_rpc_method_handler
        return kind(refuse, handler.request_deserializer, handler.response_serializer)


class _Service:
    """What both services have: TF Serving's status for whatever goes wrong."""

    def __init__(self, manager: Manager, metrics: Metrics):
        self._manager, self._metrics = manager, metrics

    def _answer(self, context, model: str, api: str, call: Callable):
        """What `call` returns; what it raises as the call's status, counted."""
        try:
            with self._metrics.request(model, api, "GRPC"):
                try:
                    return call()
                except ServingError:
                    raise
                except Exception as error:
                    log.exception("%s failed", api)
                    raise ServingError("INTERNAL", f"{type(error).__name__} in the server") from error
        except ServingError as error:
            context.abort(grpc.StatusCode[error.code], _cut(error.message))

    def _with_model(self, request, context, api: str, call: Callable):
        """The same of `call(servable, deadline)` on what the request's model_spec names."""
        spec = request.model_spec

        def leased():
            if not request.HasField("model_spec"):
                raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")
            with self._manager.lease(*_asked(spec)) as servable:
                return call(servable, _deadline(context))

        return self._answer(context, spec.name, api, leased)


class _Prediction(_Service, prediction_service_pb2_grpc.PredictionServiceServicer):
    def Predict(self, request, context):
        def call(servable, deadline):
            with self._metrics.runtime(servable.name, "Predict"):
                return inference.predict(servable, request, deadline)

        return self._with_model(request, context, "Predict", call)

    def Classify(self, request, context):
        return self._with_model(request, context, "Classify", self._of_examples(request, "Classify", inference.classify))

    def Regress(self, request, context):
        return self._with_model(request, context, "Regress", self._of_examples(request, "Regress", inference.regress))

    def _of_examples(self, request, api: str, function: Callable):
        def call(servable, deadline):
            with self._metrics.runtime(servable.name, api):
                response = function(servable, request, deadline)
            self._metrics.count_examples(servable.name, inference.count_examples(request.input))
            return response

        return call

    def MultiInference(self, request, context):
        name = request.tasks[0].model_spec.name if request.tasks else ""

        def call():
            if not request.tasks:
                raise ServingError("INVALID_ARGUMENT", "Inference request contains no tasks.")
            if not all(task.HasField("model_spec") for task in request.tasks):
                raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")
            with (
                self._manager.lease(*_asked(request.tasks[0].model_spec)) as servable,
                self._metrics.runtime(servable.name, "MultiInference"),
            ):
                response = inference.multi_inference(servable, request, _deadline(context))
            self._metrics.count_examples(servable.name, inference.count_examples(request.input))
            return response

        return self._answer(context, name, "MultiInference", call)

    def GetModelMetadata(self, request, context):
        def call():
            if not request.HasField("model_spec"):
                raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")
            inference.check_fields(request)
            with self._manager.lease(*_asked(request.model_spec)) as servable:
                return inference.metadata(servable)

        return self._answer(context, request.model_spec.name, "GetModelMetadata", call)


class _Models(_Service, model_service_pb2_grpc.ModelServiceServicer):
    def GetModelStatus(self, request, context):
        def call():
            if not request.HasField("model_spec"):
                raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")
            return self._manager.status(*_asked(request.model_spec))

        return self._answer(context, request.model_spec.name, "GetModelStatus", call)

    def HandleReloadConfigRequest(self, request, context):
        response = model_management_pb2.ReloadConfigResponse()
        before = {name: self._metrics.value_of(name) for name in request.metric_names}
        try:
            self._manager.reload(request.config)
        except ServingError as error:
            log.error("ReloadConfig failed: %s", error)
            response.status.error_code, response.status.error_message = CODES[error.code], error.message
            context.set_code(grpc.StatusCode[error.code])
            context.set_details(_cut(error.message))
        for name, value in before.items():
            if value is not None:
                response.metric.add(name=name, int64_value_increase=self._metrics.value_of(name) - value)
        return response


def _asked(spec) -> tuple[str, int | None, str | None]:
    """Model, version and label that a ModelSpec names."""
    choice = spec.WhichOneof("version_choice")
    return spec.name, spec.version.value if choice == "version" else None, spec.version_label if choice == "version_label" else None


def _deadline(context) -> float | None:
    """The client's, on time.monotonic()'s clock."""
    left = context.time_remaining()
    return None if left is None or left > threading.TIMEOUT_MAX else time.monotonic() + left


def _model(request) -> str | None:
    spec = getattr(request, "model_spec", None)
    return spec.name[:MAX_MESSAGE] if spec is not None else None


def _cut(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - len(CUT)]}{CUT}"
