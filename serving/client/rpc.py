"""TF Serving's PredictionService, asked by grpcio; the messages are tensorflow-serving-api's, of serving.protos.

Its generated stubs import TensorFlow, so the calls are named here: a name and the classes of two messages.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import numpy as np

from serving import protos
from serving.client import codec, errors
from serving.client.errors import ServerError
from serving.client.place import Place

SERVICE = "/tensorflow.serving.PredictionService"
OPTIONS = [
    ("grpc.max_receive_message_length", -1),  # 4 MiB by default
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),  # retrying.py does
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
LARGE = "larger than max"  # gRPC's own words of a message that is over a limit


class Rpc:
    """One server. May be used by many threads."""

    def __init__(self, host: str, port: int, is_tls: bool, ca: bytes | None, api_key: str | None):
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{port}"
        self._metadata = [("x-api-key", api_key)] if api_key else []
        self._is_tls, self._ca = is_tls, ca
        self._channel: grpc.Channel | None = None
        self._lock = threading.Lock()

    def signatures(self, place: Place, seconds: float) -> tuple[int, dict[str, Any]]:
        """The version that answers, and SignatureDef by name."""
        request = protos.message("tensorflow.serving.GetModelMetadataRequest")(metadata_field=["signature_def"])
        _write_spec(place, request.model_spec)
        response = self._call("GetModelMetadata", request, "GetModelMetadataResponse", seconds)
        written = protos.message("tensorflow.serving.SignatureDefMap").FromString(response.metadata["signature_def"].value)
        # Its SignatureDefs are of that pool; as bytes they are anybody's
        kind = protos.message("tensorflow.SignatureDef")
        described = {name: kind.FromString(each.SerializeToString()) for name, each in sorted(written.signature_def.items())}
        return response.model_spec.version.value, described

    def predict(
        self, place: Place, signature: str, inputs: Mapping[str, tuple[np.ndarray, int]], outputs: Mapping[str, int], seconds: float
    ) -> dict[str, np.ndarray]:
        """As Rest.predict."""
        request = protos.message("tensorflow.serving.PredictRequest")()
        _write_spec(place, request.model_spec)
        request.model_spec.signature_name = signature
        for alias, (values, dtype) in inputs.items():
            codec.to_proto(values, dtype, request.inputs[alias])
        response = self._call("Predict", request, "PredictResponse", seconds)
        try:
            if missing := [alias for alias in outputs if alias not in response.outputs]:
                raise ValueError(f"no output {missing[0]}")
            return {alias: codec.from_proto(response.outputs[alias]) for alias in outputs}
        except ValueError as error:
            raise errors.another_protocol(self.address, "gRPC", f"an answer without its outputs ({error})") from None

    def classify(self, place: Place, signature: str, examples: Sequence[bytes], seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """As Rest.classify."""
        result = self._result(place, "Classify", "Classification", signature, examples, seconds)
        rows = [[(entry.label, entry.score) for entry in row.classes] for row in result.classifications]
        return self._read(rows, examples, codec.of_classes)

    def regress(self, place: Place, signature: str, examples: Sequence[bytes], seconds: float) -> np.ndarray:
        """As Rest.regress."""
        result = self._result(place, "Regress", "Regression", signature, examples, seconds)
        return self._read([row.value for row in result.regressions], examples, lambda rows: np.array(rows, np.float32))

    def card(self, place: Place, seconds: float) -> None:
        """None: gRPC has no call for it."""

    def close(self) -> None:
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _result(self, place: Place, name: str, kind: str, signature: str, examples: Sequence[bytes], seconds: float) -> Any:
        """The result that a call gives of serialized tf.Examples; `kind` begins the names of its messages."""
        request = protos.message(f"tensorflow.serving.{kind}Request")()
        _write_spec(place, request.model_spec)
        request.model_spec.signature_name = signature
        request.input.example_list.SetInParent()
        for example in examples:
            request.input.example_list.examples.add().ParseFromString(example)
        return self._call(name, request, f"{kind}Response", seconds).result

    def _read(self, rows: Sequence[Any], examples: Sequence[bytes], read) -> Any:
        """What `read` makes of the rows of a result, one for each of the examples."""
        try:
            if len(rows) != len(examples):
                raise ValueError(f"{len(rows)} results of {len(examples)} examples")
            return read(rows)
        except ValueError as error:
            raise errors.another_protocol(self.address, "gRPC", f"an answer without its results ({error})") from None

    def _call(self, name: str, request: Any, response: str, seconds: float) -> Any:
        kind = protos.message(f"tensorflow.serving.{response}")
        call = self._open().unary_unary(
            f"{SERVICE}/{name}", request_serializer=type(request).SerializeToString, response_deserializer=kind.FromString
        )
        try:
            return call(request, timeout=seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._told(error, seconds) from None

    def _open(self) -> grpc.Channel:
        with self._lock:
            if self._channel is None:
                if self._is_tls:
                    self._channel = grpc.secure_channel(self.address, grpc.ssl_channel_credentials(self._ca), OPTIONS)
                else:
                    self._channel = grpc.insecure_channel(self.address, OPTIONS)
            return self._channel

    def _told(self, error: Any, seconds: float) -> ServerError:
        """What a call that failed says; gRPC has UNAVAILABLE for all that lies before the server, too."""
        code, said = error.code().name, error.details() or ""
        low = said.lower()
        if code == "DEADLINE_EXCEEDED" and "deadline exceeded" in low and not any(error.trailing_metadata() or ()):
            return errors.late(self.address, seconds)
        if code == "UNAVAILABLE" and ("handshake" in low or "certificate" in low or "ssl" in low or "tls" in low):
            return errors.untrusted(self.address, _last(said))
        if (code == "UNAVAILABLE" and "http1" in low) or (code in ("UNKNOWN", "UNIMPLEMENTED", "INTERNAL") and _is_transport(low)):
            return errors.another_protocol(self.address, "gRPC", _last(said))
        if code == "UNAVAILABLE" and ("connect" in low or "socket" in low or "dns" in low or "resol" in low):
            return errors.unreachable(self.address, _last(said))
        return errors.refused(self.address, code, said, False if LARGE in low else None)


def _write_spec(place: Place, spec: Any) -> None:
    spec.name = place.model
    if place.version is not None:
        spec.version.value = place.version
    elif place.label is not None:
        spec.version_label = place.label


def _is_transport(said: str) -> bool:
    """Whether that was said of HTTP and not by TF Serving."""
    return any(part in said for part in ("http status", "content-type", "method not found", "unknown service"))


def _last(said: str) -> str:
    """What went wrong at the end of gRPC's sentence of all that it tried."""
    return said.rpartition("last error: ")[2] or said
