"""What TF Serving answers, as data, to be asked of any server that says it answers so. Statuses and values are asserted, and a part
of an error's message; JSON is compared parsed. The cases are what TF Serving's own tests and sources say.

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


def _b64(content: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(content).decode()}


def _asked(case: str, body: Any, answer: Any, path: str = PREDICT) -> Rest:
    return Rest(case, "POST", path, body, json=answer)


def _refused(case: str, body: Any, said: str, path: str = PREDICT, status: int = 400) -> Rest:
    return Rest(case, "POST", path, body, status, said=said)


def _of(signature: str, **body: Any) -> dict[str, Any]:
    return {"signature_name": signature, **body}


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
