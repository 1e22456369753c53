"""JSON Schemas of what Predict, Classify and Regress take and give, by a signature: the dtypes, ranks and sizes that tensors.py
reads and writes. What a schema cannot say, that rows have one shape, and what only the graph knows, is 400.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serving import answers, features
from serving.server.rest import tensors
from serving.server.servable import DEFAULT_SIGNATURE

STRING = 7  # types_pb2.DT_STRING
DOUBLE = 1.7976931348623157e308
FILES = {"image": ("image_bytes", "mask")}  # kind of a model's input -> its inputs that are files
INPUTS, CLASSES, SCORES, OUTPUTS = "inputs", "classes", "scores", "outputs"  # aliases of Classify's and Regress's signatures
_SPACE = r"[ \t\n\v\f\r]*"
_DIGIT, _PADDING = f"[A-Za-z0-9+/]{_SPACE}", f"[=.]{_SPACE}"

BASE64 = {
    "type": "object",
    "properties": {
        "b64": {
            "type": "string",
            "contentEncoding": "base64",
            "pattern": f"^{_SPACE}(?:(?:{_DIGIT}){{4}})*"
            f"(?:(?:{_DIGIT}){{2}}(?:{_PADDING}{_PADDING})?|(?:{_DIGIT}){{3}}(?:{_PADDING})?)?$",
        }
    },
    "required": ["b64"],
    "additionalProperties": False,
}
TEXT = {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Base64"}]}
FEATURE_VALUE = {
    "anyOf": [
        {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
        {"type": "number", "minimum": -DOUBLE, "maximum": DOUBLE},
        {"type": "boolean"},
        *TEXT["anyOf"],
    ]
}
COMPONENTS: dict[str, dict[str, Any]] = {
    "Base64": {**BASE64, "description": "Bytes, in base64 (RFC 4648, section 4)."},
    "File": {**BASE64, "description": "An image file: PNG, JPEG, WebP, BMP or GIF, in base64."},
    "Feature": {
        "description": "A value of a tf.Example, or a list of values of one kind. 1 is an int64, 1.0 a float, true an int64.",
        "anyOf": [FEATURE_VALUE, {"type": "array", "items": FEATURE_VALUE}],
    },
    "Example": {
        "type": "object",
        "description": "A tf.Example: its features by name.",
        "additionalProperties": {"$ref": "#/components/schemas/Feature"},
    },
    "Error": {
        "type": "object",
        "properties": {"error": {"type": "string"}},
        "required": ["error"],
        "additionalProperties": False,
    },
}


@dataclass(frozen=True)
class Forms:
    """What one signature takes and gives in one form of requests."""

    name: str  # "rows", "columns", "classify" or "regress"
    request: dict[str, Any]
    response: dict[str, Any]


def predict(name: str, signature: Any, card: Mapping[str, Any]) -> list[Forms]:
    """The forms in which Predict can ask a signature: rows, columns, both or none; none is of what REST cannot carry.

    Args:
        signature: a SignatureDef. card: as serving.saved_model.card has it; kinds of outputs and of the model's input are read.
    """
    inputs, outputs = dict(sorted(signature.inputs.items())), dict(sorted(signature.outputs.items()))
    if not inputs or not outputs or {info.dtype for info in (*inputs.values(), *outputs.values())} - set(tensors.ELEMENTS):
        return []
    files = FILES.get(card.get("reads", ""), ())
    gives = _gives(name, card)
    forms = []
    if all(map(_has_batch, (*inputs.values(), *outputs.values()))):
        taken = {alias: _tensor(info, 1, _element(info, alias in files)) for alias, info in inputs.items()}
        named = _object(taken, "additionalProperties")
        several = [named] if len(inputs) > 1 else [*taken.values(), named]
        size = _size(inputs.values())
        rows = {"anyOf": [{"type": "array", "items": row, **size} for row in several]}
        given = {alias: _described(_tensor(info, 1, _written(alias, info), 0), gives.get(alias)) for alias, info in outputs.items()}
        row = _object(given, "additionalProperties") if len(given) > 1 else next(iter(given.values()))
        forms.append(
            Forms("rows", _request(name, "instances", rows, "inputs"), _response("predictions", {"type": "array", "items": row}))
        )
    taken = {alias: _tensor(info, 0, _element(info, alias in files)) for alias, info in inputs.items()}
    named = _object(taken)
    columns = named if len(inputs) > 1 else {"anyOf": [*taken.values(), named]}
    given = {alias: _described(_tensor(info, 0, _written(alias, info), 0), gives.get(alias)) for alias, info in outputs.items()}
    whole = _object(given, "additionalProperties") if len(given) > 1 else next(iter(given.values()))
    forms.append(Forms("columns", _request(name, "inputs", columns, "instances"), _response("outputs", whole)))
    return forms


def classify(name: str, signature: Any, card: Mapping[str, Any]) -> list[Forms]:
    """How Classify can ask a signature; none where it is none of TF Serving's rules for one (classifier.cc)."""
    outputs = signature.outputs
    wanted = {alias: outputs[alias] for alias in (CLASSES, SCORES) if alias in outputs}
    dtypes = {CLASSES: STRING, SCORES: 1}
    if not _takes_examples(signature) or len(outputs) > 2 or not wanted:
        return []
    if any(info.dtype != dtypes[alias] or not _is_rank(info, 2) for alias, info in wanted.items()):
        return []
    pair = {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "minItems": 2, "maxItems": 2, "items": False}
    result = {"type": "array", "items": pair, "description": "[label, score] of each class."}
    return [Forms("classify", _of_examples(name, card), _response("results", {"type": "array", "items": result}))]


def regress(name: str, signature: Any, card: Mapping[str, Any]) -> list[Forms]:
    """The same of Regress (regressor.cc)."""
    outputs = signature.outputs
    if not _takes_examples(signature) or list(outputs) != [OUTPUTS] or outputs[OUTPUTS].dtype != 1:
        return []
    if not (_is_rank(outputs[OUTPUTS], 1) or (_is_rank(outputs[OUTPUTS], 2) and _sizes(outputs[OUTPUTS])[1:] in ([1], [-1]))):
        return []
    return [Forms("regress", _of_examples(name, card), _response("results", {"type": "array", "items": {"type": "number"}}))]


def _takes_examples(signature: Any) -> bool:
    return list(signature.inputs) == [INPUTS] and signature.inputs[INPUTS].dtype == STRING


def _of_examples(name: str, card: Mapping[str, Any]) -> dict[str, Any]:
    feature = features.OF.get(card.get("reads", ""))
    example: dict[str, Any] = {"$ref": "#/components/schemas/Example"}
    if feature:
        value = {"$ref": "#/components/schemas/File"} if card["reads"] in FILES else TEXT
        values = {"anyOf": [value, {"type": "array", "items": value, "minItems": 1, "maxItems": 1}]}
        example = {"allOf": [example, {"type": "object", "properties": {feature: values}, "required": [feature]}]}
    request = _request(name, "examples", {"type": "array", "items": example, "minItems": 1})
    request["properties"]["context"] = {"description": "Features that all examples share.", "$ref": "#/components/schemas/Example"}
    return request


def _request(name: str, key: str, content: Mapping[str, Any], other: str = "") -> dict[str, Any]:
    """An object of that key beside the signature's name; other keys are not looked at, but `other` would be read instead."""
    is_default = name == DEFAULT_SIGNATURE
    properties: dict[str, Any] = {
        "signature_name": {"type": "string", "enum": [name, *([""] if is_default else [])]},
        key: dict(content),
    }
    if other:
        properties[other] = False
    return {"type": "object", "properties": properties, "required": [key, *([] if is_default else ["signature_name"])]}


def _response(key: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: dict(content)}, "required": [key], "additionalProperties": False}


def _object(properties: Mapping[str, Any], *closed: str) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties), **dict.fromkeys(closed, False)}


def _tensor(info: Any, first: int, element: Mapping[str, Any], least: int = 1) -> dict[str, Any]:
    """A tensor, or from axis `first` on: lists in lists; `least` is the size of an axis that may have any."""
    if info.tensor_shape.unknown_rank:
        return _of_any_rank(element)
    inner = dict(element)
    for size in reversed(_sizes(info)[first:]):
        inner = {"type": "array", "items": inner, **({"minItems": size, "maxItems": size} if size >= 0 else {"minItems": least})}
    return inner


def _of_any_rank(element: Mapping[str, Any], levels: int = 4) -> dict[str, Any]:
    """A value, or lists of lists of it, as deep as images of a batch are."""
    shapes = [dict(element)]
    for _ in range(levels):
        shapes.append({"type": "array", "items": shapes[-1]})
    return {"anyOf": shapes}


def _element(info: Any, is_file: bool) -> dict[str, Any]:
    """What a JSON value must be to become an element of an input."""
    known = tensors.ELEMENTS[info.dtype]
    if known is tensors.STRING:
        return {"$ref": "#/components/schemas/File"} if is_file else TEXT
    if bool in known.types:
        return {"type": "boolean"}
    if known.between:
        least, most = known.between
        return {"type": "integer", "minimum": least, "maximum": most, "format": known.name}
    return {"type": "number", "minimum": -DOUBLE, "maximum": DOUBLE, "format": known.name}


def _written(alias: str, info: Any) -> dict[str, Any]:
    """What an element of an output is in JSON. NaN and Infinity stand bare, which is no JSON, as TF Serving has it."""
    known = tensors.ELEMENTS[info.dtype]
    if known is tensors.STRING:
        return {"$ref": "#/components/schemas/Base64"} if alias.endswith(tensors.BYTES_SUFFIX) else {"type": "string"}
    if bool in known.types:
        return {"type": "boolean"}
    return {"type": "integer" if known.between else "number", "format": known.name}


def _described(schema: dict[str, Any], kind: str | None) -> dict[str, Any]:
    """With what serving.answers says of an output of that kind."""
    if kind not in answers.kinds():
        return schema
    said = importlib.import_module(type(answers.kind(kind)).__module__).__doc__ or ""
    return {**schema, "title": kind, "description": " ".join(said.partition("\n\n")[0].split())}


def _gives(name: str, card: Mapping[str, Any]) -> Mapping[str, str]:
    """The kinds of a signature's outputs. A card has those of one end for all ends of a function."""
    gives = card.get("gives") or {}
    for known in (name, *(name.removesuffix(f"_{end}") for end in ("image_bytes", "pixels", "text"))):
        if known in gives:
            return gives[known]
    return gives.get(DEFAULT_SIGNATURE, {}) if name in ("image_bytes", "pixels", "text") else {}


def _sizes(info: Any) -> list[int]:
    return [dim.size for dim in info.tensor_shape.dim]


def _is_rank(info: Any, rank: int) -> bool:
    """Whether it may have that rank."""
    return info.tensor_shape.unknown_rank or len(_sizes(info)) == rank


def _has_batch(info: Any) -> bool:
    return info.tensor_shape.unknown_rank or bool(_sizes(info))


def _size(infos: Sequence[Any] | Any) -> dict[str, int]:
    """How many rows there may be."""
    fixed = {sizes[0] for sizes in map(_sizes, infos) if sizes and sizes[0] >= 0}
    return {"minItems": max(fixed), "maxItems": min(fixed)} if fixed else {"minItems": 1}
