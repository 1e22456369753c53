"""Asking a server of this machine what conformance.py says, by HTTP and by TF Serving's own stubs."""

import functools
import math
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
from google.protobuf import json_format, message_factory
from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from tests.serving.server.conformance import Grpc, Rest
from tests.serving.server.rest.asking import SECONDS, Client

LOCAL = [("grpc.enable_http_proxy", 0)]


@dataclass(frozen=True)
class Addresses:
    """Ports of a server of half_plus_two and kinds."""

    rest: int
    grpc: int


def check_rest(addresses: Addresses, row: Rest) -> None:
    """Raises AssertionError where a request is answered otherwise."""
    answer = Client(addresses.rest).ask(row.method, row.path, row.content, **row.headers)
    assert answer.status == row.status, answer.content
    if row.json is not None:
        assert answer.headers["content-type"].startswith("application/json")
        assert same(answer.json, row.json), answer.json
    elif row.path.lower().startswith("/v1/") and row.status != 200 and row.method != "OPTIONS":
        assert row.said in answer.error
    else:
        assert row.said in answer.content.decode()


def check_grpc(addresses: Addresses, row: Grpc) -> None:
    """Raises AssertionError where a call is answered otherwise."""
    described, stub = _services()[row.method]
    request = json_format.ParseDict(row.request, message_factory.GetMessageClass(described.input_type)())
    with grpc.insecure_channel(f"127.0.0.1:{addresses.grpc}", LOCAL) as channel:
        call = getattr(stub(channel), row.method).future(request, timeout=SECONDS)
        assert call.code().name == row.code, call.details()
        assert row.said in call.details()
        if row.code != "OK":
            return
        response = call.result()
    told = json_format.MessageToDict(response, preserving_proto_field_name=True)
    assert same(told, row.answer, in_part=True), told


@functools.cache
def _services() -> dict[str, tuple[Any, type]]:
    """Method -> its descriptor and its service's stub."""
    services = [
        (prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"], PredictionServiceStub),
        (model_service_pb2.DESCRIPTOR.services_by_name["ModelService"], ModelServiceStub),
    ]
    return {method.name: (method, stub) for service, stub in services for method in service.methods}


def same(told: Any, wanted: Any, in_part: bool = False) -> bool:
    """Equality by which NaN is NaN, and floats have the precision of the models'.

    Args:
        in_part: whether objects may hold more than is wanted.
    """
    if isinstance(wanted, list):
        pairs = zip(told, wanted, strict=False) if isinstance(told, list) else ()
        return isinstance(told, list) and len(told) == len(wanted) and all(same(*pair, in_part) for pair in pairs)
    if isinstance(wanted, dict):
        has = isinstance(told, dict) and (told.keys() >= wanted.keys() if in_part else told.keys() == wanted.keys())
        return has and all(same(told[key], wanted[key], in_part) for key in wanted)
    if isinstance(wanted, float) and isinstance(told, float):
        return (math.isnan(told) and math.isnan(wanted)) or np.float32(told) == np.float32(wanted)
    if isinstance(told, float) and isinstance(wanted, int) and in_part:  # protobuf's floats
        return told == wanted
    return type(told) is type(wanted) and told == wanted
