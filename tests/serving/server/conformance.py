"""What TF Serving answers over REST and over gRPC, as data, to be asked of any server that says it answers so (answering.py asks).
Statuses and values are asserted, and a part of an error's message; JSON is compared parsed. The cases are what TF Serving's own
tests and sources say.

Served are half_plus_two, version 123 with the label prod, and kinds, version 1.
"""

import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any

from tests.serving.server import half_plus_two, kinds

NAME, VERSION, LABEL = half_plus_two.NAME, half_plus_two.VERSION, half_plus_two.LABEL
MODEL, KINDS = f"/v1/models/{NAME}", f"/v1/models/{kinds.NAME}"
PREDICT, ASK = f"{MODEL}:predict", f"{KINDS}:predict"
NAN = math.nan


@dataclass(frozen=True)
class Rest:
    """A request and its answer.

    Attributes:
        case: the number of the case, and what about it.
        body: bytes as they are sent; anything else is sent as JSON.
        json: the whole answer, parsed; None where only its status and a part of it are asserted.
        said: part of the error's message, of the whole answer where that is no JSON.
    """

    case: str
    method: str
    path: str
    body: Any
    status: int = 200
    json: Any = None
    said: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Grpc:
    """A call of PredictionService or ModelService and its answer; messages are in protobuf's JSON, with the fields' own names.

    Attributes:
        case: the number of the case, and what about it.
        code: a name of grpc.StatusCode.
        answer: what the response holds; of fields that are not named here nothing is asserted.
        said: part of the error's message.
    """

    case: str
    method: str
    request: dict[str, Any]
    code: str = "OK"
    answer: dict[str, Any] = field(default_factory=dict)
    said: str = ""


def _b64(content: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(content).decode()}


def _asked(case: str, body: Any, answer: Any, path: str = PREDICT) -> Rest:
    return Rest(case, "POST", path, body, json=answer)


def _refused(case: str, body: Any, said: str, path: str = PREDICT, status: int = 400) -> Rest:
    return Rest(case, "POST", path, body, status, said=said)


def _of(signature: str, **body: Any) -> dict[str, Any]:
    return {"signature_name": signature, **body}


def _signature(method: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> dict[str, Any]:
    return {"inputs": inputs, "outputs": outputs, "method_name": f"tensorflow/serving/{method}", "defaults": {}}


def _described(name: str, dtype: str, *sizes: int) -> dict[str, Any]:
    dims = [{"size": str(size), "name": ""} for size in sizes]
    return {"dtype": dtype, "tensor_shape": {"dim": dims, "unknown_rank": False}, "name": name}


_X, _Y, _Y3 = (_described(f"{name}:0", "DT_FLOAT", -1, 1) for name in ("x", "y", "y3"))
_EXAMPLES = _described("tf_example:0", "DT_STRING", -1)
SIGNATURES = {  # half_plus_two's
    "serving_default": _signature("predict", {"x": _X}, {"y": _Y}),
    "regress_x_to_y": _signature("regress", {"inputs": _EXAMPLES}, {"outputs": _Y}),
    "regress_x2_to_y3": _signature("regress", {"inputs": _EXAMPLES}, {"outputs": _Y3}),
    "classify_x_to_y": _signature("classify", {"inputs": _EXAMPLES}, {"scores": _Y}),
}

_ROW, _AS_ROW = {"instances": [1.0, 2.0]}, {"predictions": [2.5, 3.0]}
_PNG = b"\x89PNG\r\n\xff"

REST = [
    _asked("1 row", _ROW, _AS_ROW),
    _asked("2 columnar", {"inputs": [3.0, 4.0]}, {"outputs": [3.5, 4.0]}),
    _asked("2 columnar, named", {"inputs": {"x": [3.0, 4.0], "more": 1}}, {"outputs": [3.5, 4.0]}),
    _asked("3 another rank than declared", {"instances": [[1, 2], [3, 4]]}, {"predictions": [[2.5, 3.0], [3.5, 4.0]]}),
    _asked("4 version", _ROW, _AS_ROW, f"{MODEL}/versions/{VERSION}:predict"),
    _asked("4 label", _ROW, _AS_ROW, f"{MODEL}/labels/{LABEL}:predict"),
    _asked("5 signature named", _of("serving_default", **_ROW), _AS_ROW),
    _asked("5 unknown keys", {**_ROW, "more": {}}, _AS_ROW),
    _refused("6 empty body", b"", "document is empty"),
    _refused("7 no JSON", b"instances = [1, 2]", "JSON Parse error: Invalid value"),
    _refused("7 no JSON, unknown model", b"instances", "JSON Parse error", f"{MODEL}99:predict"),
    _refused("8 a list", [1, 2], "Is not object"),
    _refused("9 strings", {"instances": ["x", "y"]}, "not of expected type: float"),
    _refused("10 signature is a number", {"signature_name": 100}, "must be a string value"),
    _refused("11 unknown signature", _of("nothing", **_ROW), "not found in signature def"),
    _refused("12 both", {**_ROW, "inputs": [1]}, "Not formatted correctly"),
    _refused("13 neither", {}, "Missing 'inputs' or 'instances' key"),
    _refused("13 neither, unknown model", {}, "Servable not found for request: Latest(", f"{MODEL}99:predict", 404),
    _refused("14 no rows", {"instances": []}, "No values in 'instances'"),
    _refused("14 rows are no list", {"instances": {"x": 1}}, "to be an list/array"),
    _refused("15 rows of other sizes", {"instances": [[1, 2], [3]]}, "Expecting tensor size"),
    _refused("16 rows of other shapes", {"instances": [[[1, 2]], [[1], [2]]]}, "Expecting shape"),
    _refused("17 two inputs, plain rows", _of("pair", instances=[1, 2]), "plain list", ASK),
    _refused("18 a key is missing", _of("pair", instances=[{"x": 1}]), "keys must be equal to", ASK),
    _refused("18 a key too many", _of("pair", instances=[{"x": 1, "s": "", "z": 1}]), "does not have named input", ASK),
    _refused("19 objects, then a value", {"instances": [{"x": 1}, 1]}, "Expecting object but got list"),
    _refused("19 values, then an object", {"instances": [1, {"x": 1}]}, "Expecting value/list but got object"),
    _refused("20 columnar, an input is missing", _of("pair", inputs={"x": 1}), "Missing named input", ASK),
    _refused("20 columnar, two inputs, plain", _of("pair", inputs=[1]), "inputs is a plain value/list", ASK),
    _asked("21 integers for float", _of("echo", instances=[1, 1435774380]), {"predictions": [1.0, 1435774336.0]}, ASK),
    _asked(
        "22 beyond float", _of("echo", instances=[1.7e308, -1.7e308, 2.2e-308]), {"predictions": [math.inf, -math.inf, 0.0]}, ASK
    ),
    _refused("22 beyond double", b'{"instances": [1e999]}', "Number too big"),
    _asked(
        "23 no numbers",
        b'{"signature_name": "echo", "inputs": [NaN, Infinity, -Infinity, -Inf, 0.5]}',
        {"outputs": [NAN, math.inf, -math.inf, -math.inf, 0.5]},
        ASK,
    ),
    _asked("24 what follows", b'{"instances": [1.0, 2.0]} and {so on', _AS_ROW),
    _refused("25 a fraction for int32", _of("integers", instances=[1.0]), "not of expected type", ASK),
    _refused("25 beyond int32", _of("integers", instances=[3_000_000_000]), "not of expected type", ASK),
    _refused("25 bool for float", {"instances": [True]}, "not of expected type"),
    _refused("25 half, columnar", _of("halves", inputs=[1.0]), "Conversion of JSON Value", ASK, 501),
    _refused("25 half, row", _of("halves", instances=[1.0]), "UNIMPLEMENTED: Conversion of JSON Value", ASK),
    _asked(
        "26 base64 rows",
        _of("texts", instances=[_b64(_PNG), "é"]),
        {
            "predictions": [
                {"content_bytes": _b64(_PNG), "text": "\udc89PNG\r\n\udcff"},
                {"content_bytes": _b64("é".encode()), "text": "é"},
            ]
        },
        ASK,
    ),
    _asked(
        "26 base64 in lists, named",
        _of("pair", instances=[{"s": [_b64(b"a"), "b"], "x": 1}]),
        {"predictions": [{"t": ["a", "b"], "y": 1.0}]},
        ASK,
    ),
    _asked("26 base64 alone", _of("texts", inputs=_b64(b"a")), {"outputs": {"content_bytes": _b64(b"a"), "text": "a"}}, ASK),
    _refused("27 no base64", _of("texts", instances=[{"b64": "%%"}]), "Unable to base64 decode", ASK),
    _refused("27 base64 and a key", _of("texts", inputs={"b64": "YQ==", "k": 1}), "Missing named input", ASK),
    _asked("28 bytes and a string", _of("texts", inputs=["a"]), {"outputs": {"content_bytes": [_b64(b"a")], "text": ["a"]}}, ASK),
    _asked("29 several outputs, row", _of("pair", instances=[{"s": "a", "x": 1}]), {"predictions": [{"t": "a", "y": 1.0}]}, ASK),
    _asked("29 several outputs, columnar", _of("pair", inputs={"s": "a", "x": [1]}), {"outputs": {"t": "a", "y": [1.0]}}, ASK),
    _refused("30 outputs of other batches", _of("uneven", instances=[1, 2]), "inconsistent batch size", ASK),
    _asked("30 columnar", _of("uneven", inputs=[1, 2]), {"outputs": {"a": [1.0, 2.0], "b": [1.0]}}, ASK),
    _refused("30 an output without a batch", _of("scalar", instances=[1, 2]), "has no shape information", ASK),
    _refused("30 a signature without inputs", _of("none", instances=[1]), "Failed to get input map for signature: none", ASK),
    _refused("31 unknown model", _ROW, "Servable not found for request: Latest(", f"{MODEL}99:predict", 404),
    _refused("32 unknown version", _ROW, f"Specific({NAME}, 50)", f"{MODEL}/versions/50:predict", 404),
    _refused("33 unknown label", _ROW, "Unrecognized servable version label", f"{MODEL}/labels/nothing:predict"),
    Rest("33 status by an unknown label", "GET", f"{MODEL}/labels/nothing", None, said='"version":"123"'),
    Rest("34 no name", "GET", "/v1/models", None, 400, said="Missing model name"),
    Rest("34 GET", "GET", PREDICT, None, 400, said=f"Malformed request: GET {PREDICT}"),
    _refused("34 POST", None, "Malformed request", f"{MODEL}/metadata"),
    _refused("34 no number", None, "Malformed request", f"{MODEL}/versions/HELLO:regress"),
    _refused("34 beyond int64", None, "Failed to convert version", f"{MODEL}/versions/{2**64 - 1}:predict"),
    _refused("34 a query", _ROW, "Malformed request", f"{PREDICT}?x=1"),
    _refused("34 capitals", _ROW, "Malformed request", f"{MODEL}:PREDICT"),
    Rest("34 another method", "PUT", PREDICT, None, 400, said="Malformed request: PUT"),
    Rest("35 another page", "GET", "/statuspage", None, 404),
    Rest("35 metrics", "GET", "/monitoring/prometheus/metrics", None, said="# TYPE"),
    *(
        Rest(
            f"36 status {path}",
            "GET",
            path,
            None,
            json={
                "model_version_status": [
                    {"version": "123", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
                ]
            },
        )
        for path in (MODEL, f"{MODEL}/versions/{VERSION}")
    ),
    Rest("36 status of an unknown model", "GET", "/v1/models/nothing", None, 404, said="find any versions of model nothing"),
    Rest("36 status of an unknown version", "GET", f"{MODEL}/versions/9", None, 404, said=f"find version 9 of model {NAME}"),
    *(
        Rest(
            f"37 metadata {path}",
            "GET",
            path,
            None,
            json={
                "model_spec": {"name": NAME, "signature_name": "", "version": "123"},
                "metadata": {"signature_def": {"signature_def": SIGNATURES}},
            },
        )
        for path in (f"{MODEL}/metadata", f"{MODEL}/labels/{LABEL}/metadata")
    ),
    Rest("37 metadata of an unknown model", "GET", "/v1/models/nothing/metadata", None, 404, said="Servable not found"),
    _asked(
        "38 classify",
        _of("classify_x_to_y", examples=[{"x": 80.0}, {"x": 20.0}]),
        {"results": [[["", 42.0]], [["", 12.0]]]},
        f"{MODEL}:classify",
    ),
    _asked("38 regress", _of("regress_x_to_y", examples=[{"x": 80.0}]), {"results": [42.0]}, f"{MODEL}:regress"),
    _asked(
        "38 context",
        _of("regress_x_to_y", context={"x": 80.0}, examples=[{}, {"x": [20.0]}]),
        {"results": [42.0, 12.0]},
        f"{MODEL}/versions/{VERSION}:regress",
    ),
    *(
        _refused(f"38 {said}, {json.dumps(example)}", _of("regress_x_to_y", examples=example), said, f"{MODEL}:regress")
        for example, said in (
            ([{"x": [10, 10.0]}], "expecting type: int64"),
            ([{"x": [True, "a"]}], "expecting type: int64"),
            ([{"x": ["a", 1.0]}], "expecting type: bytes"),
            ([{"x": [1.0, _b64(b"")]}], "expecting type: float"),
            ([{"x": None}], "unexpected JSON type: Null"),
            ([{"x": {"y": 1}}], "unexpected JSON type: Object"),
            ([{"x": [[1.0]]}], "unexpected JSON type: Array"),
            ([{"x": 2**63}], "Only int64 is supported"),
            ([1.0], "Example must be JSON object but got JSON Number"),
            ([], "value is an empty array"),
            ({}, "value to be an list/array"),
        )
    ),
    _refused("38 no examples", _of("regress_x_to_y"), "key 'examples' is expected", f"{MODEL}:regress"),
    _refused("38 another kind in the graph", _of("regress_x_to_y", examples=[{"x": "a"}]), "types don't match", f"{MODEL}:regress"),
    _refused("38 unknown signature", _of("nothing", examples=[{"x": 1.0}]), "nothing", f"{MODEL}:classify"),
    _refused("38 a signature of Predict", {"examples": [{"x": 1.0}]}, "inputs", f"{MODEL}:classify"),
    _refused("38 unknown model", {"examples": [{"x": 1.0}]}, "Servable not found", "/v1/models/nothing:classify", 404),
    *(
        _refused(f"40 pixels of rank {rank}", _of("image", inputs=pixels), "expected shape", ASK)
        for rank, pixels in enumerate([1.0, [1.0], [[1.0]], [[[1.0]]]])
    ),
    _refused("40 pixels of two channels", _of("image", inputs=[[[[1.0, 1.0]] * 4] * 4]), "expected shape", ASK),
    _asked("40 pixels", _of("image", instances=[[[[1.0]] * 4] * 4]), {"predictions": [36.0]}, ASK),
    Rest("OPTIONS of a page", "OPTIONS", PREDICT, None, headers={"Origin": "https://example.com"}),
    Rest("OPTIONS without an origin", "OPTIONS", PREDICT, None, 400),
]


# ------------------------------------------------------------------ gRPC


def _spec(name: str = NAME, signature: str = "", **version: Any) -> dict[str, Any]:
    return {"name": name, "signature_name": signature} | version


def _tensor(dtype: str, *sizes: int, **values: Any) -> dict[str, Any]:
    shape = {"tensor_shape": {"dim": [{"size": str(size)} for size in sizes]}} if sizes else {}
    return {"dtype": dtype, **shape, **values}


def _floats(*values: float) -> dict[str, Any]:
    return _tensor("DT_FLOAT", len(values), float_val=list(values))


def _strings(*values: bytes) -> dict[str, Any]:
    return _tensor("DT_STRING", len(values), string_val=[base64.b64encode(value).decode() for value in values])


def _predict(inputs: dict[str, Any] | None = None, outputs: tuple[str, ...] = (), **spec: Any) -> dict[str, Any]:
    return {"model_spec": _spec(**spec), "inputs": inputs or {"x": _floats(1, 2)}, "output_filter": list(outputs)}


def _features(*values: float) -> list[dict[str, Any]]:
    return [{"features": {"feature": {"x": {"float_list": {"value": [value]}}}}} for value in values]


def _of_examples(signature: str, *values: float, **spec: Any) -> dict[str, Any]:
    examples = {"examples": _features(*values)}
    return {"model_spec": _spec(signature=signature, **spec), "input": {"example_list": examples} if values else {}}


def _with_context(signature: str, context: float, count: int) -> dict[str, Any]:
    [given] = _features(context)
    return {
        "model_spec": _spec(signature=signature),
        "input": {"example_list_with_context": {"context": given, "examples": [{} for _ in range(count)]}},
    }


def _tasks(*asked: tuple[str, str, str]) -> dict[str, Any]:
    """Of (model, method, signature) each."""
    tasks = [
        {"model_spec": _spec(name, signature), "method_name": f"tensorflow/serving/{method}"} for name, method, signature in asked
    ]
    return {"tasks": tasks, "input": {"example_list": {"examples": _features(80)}}}


def _metadata(*fields: str, **spec: Any) -> dict[str, Any]:
    return {"model_spec": _spec(**spec), "metadata_field": list(fields)}


def _answered(inputs: dict[str, Any], outputs: dict[str, Any], case: str, signature: str, name: str = kinds.NAME) -> Grpc:
    answer = {"outputs": outputs, "model_spec": {"name": name, "signature_name": signature}}
    return Grpc(case, "Predict", _predict(inputs, name=name, signature=signature), answer=answer)


def _no(case: str, method: str, request: dict[str, Any], code: str, said: str) -> Grpc:
    return Grpc(case, method, request, code, said=said)


_ANSWER = {
    "outputs": {"y": _floats(2.5, 3)},
    "model_spec": {"name": NAME, "version": str(VERSION), "signature_name": "serving_default"},
}
_BAD = "INVALID_ARGUMENT"
_LATEST = "Servable not found for request: Latest(nothing)"
_AVAILABLE = {"model_version_status": [{"version": str(VERSION), "state": "AVAILABLE"}]}
_IMAGE = _tensor("DT_FLOAT", 1, 4, 4, 1, float_val=[1.0])

GRPC = [
    Grpc("1 predict", "Predict", _predict(), answer=_ANSWER),
    Grpc(
        "3 another rank than declared",
        "Predict",
        _predict({"x": _tensor("DT_FLOAT", 2, 2, float_val=[1, 2, 3, 4])}),
        answer={
            "outputs": {"y": _tensor("DT_FLOAT", 2, 2, float_val=[2.5, 3, 3.5, 4])},
        },
    ),
    Grpc("4 version", "Predict", _predict(version=str(VERSION)), answer=_ANSWER),
    Grpc("4 label", "Predict", _predict(version_label=LABEL), answer=_ANSWER),
    Grpc("5 signature named", "Predict", _predict(signature="serving_default"), answer=_ANSWER),
    Grpc("39 an output chosen", "Predict", _predict(outputs=("y",)), answer=_ANSWER),
    _no("9 strings", "Predict", _predict({"x": _strings(b"x", b"y")}), _BAD, "Type mismatch"),
    _no("9 integers", "Predict", _predict({"x": _tensor("DT_INT32", 1, int_val=[1])}), _BAD, "Type mismatch"),
    _no("11 unknown signature", "Predict", _predict(signature="s"), "FAILED_PRECONDITION", 'Serving signature key "s" not found.'),
    _no(
        "20 an input is missing",
        "Predict",
        _predict(name=kinds.NAME, signature="pair"),
        _BAD,
        "input size does not match signature",
    ),
    _answered({"x": _floats("NaN", "Infinity", 1)}, {"y": _floats("NaN", "Infinity", 1)}, "23 no numbers", "echo"),
    _answered({"x": _tensor("DT_INT32", 2, int_val=[1, 2])}, {"y": _tensor("DT_INT32", 2, int_val=[2, 3])}, "25 int32", "integers"),
    _answered({"x": _tensor("DT_HALF", 1, half_val=[0x3C00])}, {"y": _floats(1)}, "25 half, which JSON has not", "halves"),
    _answered(
        {"s": _strings(_PNG, b"a")}, {"text": _strings(_PNG, b"a"), "content_bytes": _strings(_PNG, b"a")}, "28 bytes", "texts"
    ),
    _answered(
        {"x": _floats(1), "s": _strings(b"a", b"")}, {"y": _floats(1), "t": _strings(b"a", b"")}, "29 several outputs", "pair"
    ),
    _answered({"x": _floats(1, 2)}, {"a": _floats(1, 2), "b": _floats(1)}, "30 outputs of other batches", "uneven"),
    _answered({"x": _floats(1, 2)}, {"sum": _tensor("DT_FLOAT", float_val=[3])}, "30 an output without a batch", "scalar"),
    _no("31 unknown model", "Predict", _predict(name="nothing"), "NOT_FOUND", _LATEST),
    _no(
        "32 unknown version", "Predict", _predict(version="9"), "NOT_FOUND", f"Servable not found for request: Specific({NAME}, 9)"
    ),
    _no("33 unknown label", "Predict", _predict(version_label="x"), _BAD, "Unrecognized servable version label: x"),
    Grpc("36 status", "GetModelStatus", {"model_spec": _spec()}, answer=_AVAILABLE),
    Grpc("36 status of a version", "GetModelStatus", {"model_spec": _spec(version=str(VERSION))}, answer=_AVAILABLE),
    _no(
        "36 status of an unknown model",
        "GetModelStatus",
        {"model_spec": _spec("nothing")},
        "NOT_FOUND",
        "any versions of model nothing",
    ),
    _no(
        "36 status of an unknown version",
        "GetModelStatus",
        {"model_spec": _spec(version="9")},
        "NOT_FOUND",
        f"version 9 of model {NAME}",
    ),
    _no("36 status of nobody", "GetModelStatus", {}, _BAD, "Missing ModelSpec"),
    Grpc(
        "37 metadata",
        "GetModelMetadata",
        _metadata("signature_def"),
        answer={
            "model_spec": {"name": NAME, "version": str(VERSION)},
            "metadata": {
                "signature_def": {
                    "signature_def": {
                        "regress_x_to_y": {
                            "method_name": "tensorflow/serving/regress",
                            "outputs": {"outputs": {"name": "y:0", "dtype": "DT_FLOAT"}},
                        },
                        "serving_default": {"inputs": {"x": {"tensor_shape": {"dim": [{"size": "-1"}, {"size": "1"}]}}}},
                    }
                }
            },
        },
    ),
    _no("37 no field", "GetModelMetadata", _metadata(), _BAD, "at least one metadata_field"),
    _no("39 metadata of another field", "GetModelMetadata", _metadata("x"), _BAD, "Metadata field x is not supported"),
    _no(
        "37 metadata of an unknown model",
        "GetModelMetadata",
        _metadata("signature_def", name="nothing"),
        "NOT_FOUND",
        "Latest(nothing)",
    ),
    Grpc(
        "38 classify",
        "Classify",
        _of_examples("classify_x_to_y", 80, 2),
        answer={
            "result": {"classifications": [{"classes": [{"score": 42.0}]}, {"classes": [{"score": 3.0}]}]},
            "model_spec": {"signature_name": "classify_x_to_y"},
        },
    ),
    Grpc("38 regress", "Regress", _of_examples("regress_x_to_y", 80), answer={"result": {"regressions": [{"value": 42.0}]}}),
    Grpc(
        "38 context",
        "Regress",
        _with_context("regress_x_to_y", 80, 2),
        answer={
            "result": {"regressions": [{"value": 42.0}, {"value": 42.0}]},
        },
    ),
    _no("38 unknown signature", "Classify", _of_examples("s", 1), _BAD, "the name: s"),
    _no("38 no examples", "Classify", _of_examples("classify_x_to_y"), _BAD, "is empty"),
    _no("38 unknown model", "Regress", _of_examples("regress_x_to_y", 1, name="nothing"), "NOT_FOUND", _LATEST),
    _no("38 classify a signature of Predict", "Classify", _of_examples("", 1), "FAILED_PRECONDITION", "No classification inputs"),
    _no("38 regress a signature of Predict", "Regress", _of_examples("", 1), "FAILED_PRECONDITION", "No regression inputs"),
    Grpc(
        "39 several at once",
        "MultiInference",
        _tasks((NAME, "regress", "regress_x_to_y"), (NAME, "classify", "classify_x_to_y")),
        answer={
            "results": [
                {"regression_result": {"regressions": [{"value": 42.0}]}, "model_spec": {"version": str(VERSION)}},
                {
                    "classification_result": {"classifications": [{"classes": [{"score": 42.0}]}]},
                    "model_spec": {"version": str(VERSION)},
                },
            ],
        },
    ),
    _no("39 nothing at once", "MultiInference", {}, _BAD, "no tasks"),
    _no(
        "39 the same twice",
        "MultiInference",
        _tasks(*[(NAME, "regress", "regress_x_to_y")] * 2),
        _BAD,
        "Duplicate evaluation of signature",
    ),
    _no(
        "39 two models at once",
        "MultiInference",
        _tasks((NAME, "regress", "regress_x_to_y"), (kinds.NAME, "regress", "echo")),
        _BAD,
        "must access the same model name",
    ),
    _no(
        "39 predict among several",
        "MultiInference",
        _tasks((NAME, "predict", "serving_default")),
        "UNIMPLEMENTED",
        "Unsupported signature method_name",
    ),
    _no("39 several, unknown signature", "MultiInference", _tasks((NAME, "regress", "s")), _BAD, "Requested signature not found"),
    _no("39 no model", "Predict", {}, _BAD, "Missing ModelSpec"),
    _no("39 no model's name", "Predict", _predict(name=""), _BAD, "ModelSpec has no name specified."),
    _answered({"x": _floats(1, 2)}, {"y": _floats(6, 7)}, "39 an input with a default", "filled"),
    _no("39 unknown input", "Predict", _predict({"z": _floats(1)}), _BAD, "not found in signature: z"),
    _no("39 unknown output", "Predict", _predict(outputs=("q",)), _BAD, "output tensor alias not found in signature: q"),
    _no("39 an output twice", "Predict", _predict(outputs=("y", "y")), _BAD, "duplicate output tensor alias: y"),
    _no("39 no tensor", "Predict", _predict({"x": _tensor("DT_FLOAT", 3, tensor_content="AAAA")}), _BAD, "tensor parsing error: x"),
    _answered({"pixels": _IMAGE}, {"sum": _floats(36)}, "40 pixels", "image"),
    *(
        _no(
            f"40 pixels of shape {sizes}",
            "Predict",
            _predict({"pixels": _tensor("DT_FLOAT", *sizes, float_val=[1.0])}, name=kinds.NAME, signature="image"),
            _BAD,
            "expected shape",
        )
        for sizes in ((), (1,), (1, 1), (4, 4, 1), (1, 4, 4, 2))
    ),
]
