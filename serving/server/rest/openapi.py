"""An OpenAPI 3.1 description of the REST endpoints, from models' signatures and cards. TensorFlow is not needed for it.

Of each model the requests and answers of its signatures (schemas.py) and an example of each (samples.py). Not in it are HTTP's own
refusals, and 400 for any path below /v1/ that is none of these.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from serving.server import metrics
from serving.server.access import API_KEY
from serving.server.rest import samples, schemas

VERSION = "3.1.0"
LIVE, READY, MODELS, DESCRIPTION, CARD = "/livez", "/readyz", "/models", "/openapi.json", "card"
JSON = "application/json"
REFUSALS = {  # what a status says, as TF Serving's codes become statuses; 408 and 413 are HTTP's own
    400: "What was asked is wrong: the JSON, the signature, an input, its shape or type, or an unknown label (INVALID_ARGUMENT,"
    " FAILED_PRECONDITION, OUT_OF_RANGE).",
    401: "A valid API key is needed (UNAUTHENTICATED).",
    404: "There is no such model or version, or it has no card (NOT_FOUND).",
    408: "The body came too slowly.",
    413: "The body is larger than the server takes.",
    429: "There is no memory for it (RESOURCE_EXHAUSTED).",
    501: "A kernel or a type that there is none for (UNIMPLEMENTED).",
    503: "The server answers as many requests as it may, is about to end, or has no labels yet; try again later (UNAVAILABLE).",
    504: "There was no answer in time (DEADLINE_EXCEEDED).",
}
ASKED, LOOKED, TOLD = (400, 401, 404, 408, 413, 429, 501, 503, 504), (400, 401, 404, 503, 504), (400, 401, 404)
ABOUT = """TF Serving's REST API of these models. A body may be gzip. NaN, Infinity and -Infinity stand bare in JSON, both ways.

Shapes are the signatures'; rows of a request have one shape, also where a size is free. An integer is written without a fraction:
1.0 is refused where an int is wanted, as TF Serving does."""


@dataclass(frozen=True)
class Model:
    """What is described.

    Attributes:
        versions: that answer, the one whose signatures these are first.
        signatures: SignatureDef by name.
        card: as serving.saved_model.card has it; empty of a model that has none.
    """

    name: str
    versions: Sequence[int]
    signatures: Mapping[str, Any]
    card: Mapping[str, Any] = field(default_factory=dict)
    labels: Sequence[str] = ()


def describe(models: Iterable[Model], url: str = "/", needs_key: bool | None = None) -> dict[str, Any]:
    """The description, as JSON.

    Args:
        url: of the server. needs_key: whether it wants an API key; None: it may.
    """
    models = sorted(models, key=lambda model: model.name)
    components = dict(schemas.COMPONENTS)
    paths: dict[str, Any] = {}
    for model in models:
        paths |= _of_model(model, components)
    return {
        "openapi": VERSION,
        "info": {"title": ", ".join(model.name for model in models) or "no model", "version": "1", "description": ABOUT},
        "servers": [{"url": url}],
        "tags": [{"name": model.name, "description": _said(model)} for model in models] + [{"name": "server"}],
        "paths": paths | _of_server(),
        "components": {
            "schemas": components | _SCHEMAS,
            "responses": {str(status): _refusal(said) for status, said in REFUSALS.items()},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": API_KEY},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [*([] if needs_key else [{}]), *([{"key": []}, {"bearer": []}] if needs_key is not False else [])],
    }


def _said(model: Model) -> str:
    card = model.card
    if not card:
        return f"Version {model.versions[0]}." if model.versions else ""
    version = f"Version {model.versions[0]}: " if model.versions else ""
    return f"{version}{card.get('architecture')}, trained for {card.get('task')}, reads {card.get('reads', 'image')}."


def _of_model(model: Model, components: dict[str, Any]) -> dict[str, Any]:
    """The paths of a model; what its requests and answers are goes into `components`."""
    path, paths = f"/v1/models/{quote(model.name, safe='')}", {}
    version = {
        "name": "version",
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
        **({"example": model.versions[0]} if model.versions else {}),
    }
    label = {
        "name": "label",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[^/:]+$"},
        **({"example": model.labels[0]} if model.labels else {}),
    }
    places = (("", "", []), ("/versions/{version}", "Version", [version]), ("/labels/{label}", "Label", [label]))
    asks = {verb: _forms(verb, model, components) for verb in ("predict", "classify", "regress")}
    for place, named, parameters in places:
        of_model = {"tags": [model.name], **({"parameters": parameters} if parameters else {})}
        key = f"{_key(model.name)}{named}"
        paths[f"{path}{place}"] = {"get": {**of_model, **_look("Status of its versions", f"status{key}", "Status", TOLD)}}
        looked = _look("Signatures", f"metadata{key}", "Metadata", LOOKED)
        paths[f"{path}{place}/metadata"] = {"get": {**of_model, **looked}}
        card = _look("The card that hubel wrote beside the model; TF Serving has no such path", f"card{key}", "Card", LOOKED)
        paths[f"{MODELS}/{quote(model.name, safe='')}{place}/{CARD}"] = {"get": {**of_model, **card}}
        for verb, asked in asks.items():
            if asked:
                paths[f"{path}{place}:{verb}"] = {"post": {**of_model, "operationId": f"{verb}{key}", **asked}}
    return paths


def _forms(verb: str, model: Model, components: dict[str, Any]) -> dict[str, Any] | None:
    """The operation of a verb; None where no signature is for it."""
    requests, responses, examples = [], [], {}
    for name, signature in sorted(model.signatures.items()):
        for form in getattr(schemas, verb)(name, signature, model.card):
            key = f"{_key(model.name)}.{_key(name)}.{form.name}"
            title = f"{name}, {form.name}" if verb == "predict" else name
            components[f"{key}.request"] = {"title": title, **form.request}
            components[f"{key}.response"] = {"title": title, **form.response}
            requests.append(_ref(f"{key}.request"))
            responses.append(_ref(f"{key}.response"))
            value = samples.request(form.name, name, signature, model.card)
            if value is not None:
                examples[key] = {"summary": title, "value": value}
    if not requests:
        return None
    body = {"schema": _any_of(requests), **({"examples": examples} if examples else {})}
    return {
        "summary": f"{verb.capitalize()}, by a signature",
        "requestBody": {"required": True, "content": {JSON: body}},
        "responses": {"200": _answer(_any_of(responses)), **_refusals(ASKED)},
    }


def _of_server() -> dict[str, Any]:
    """What is there whatever the models are; TF Serving has the metrics alone."""
    text = {"description": "Prometheus's text format", "content": {metrics.CONTENT_TYPE: {"schema": {"type": "string"}}}}
    ready = _answer(_ref("Ready"))
    probe = {"tags": ["server"], "security": [{}]}
    return {
        LIVE: {
            "get": {
                **probe,
                "operationId": "live",
                "summary": "Whether the process answers",
                "responses": {"200": _answer(_ref("Live"))},
            }
        },
        READY: {
            "get": {
                **probe,
                "operationId": "ready",
                "summary": "Whether each model has a version that answers",
                "responses": {"200": ready, "503": ready},
            }
        },
        MODELS: {"get": {"tags": ["server"], **_look("Each version, its state and its warm-up", "models", "Models", (401,))}},
        DESCRIPTION: {"get": {"tags": ["server"], **_look("This description", "description", "Description", (401, 503, 504))}},
        metrics.PATH: {
            "get": {
                "tags": ["server"],
                "operationId": "metrics",
                "summary": "Metrics; 404 where they are switched off",
                "responses": {"200": text, **_refusals((401,)), "404": {"description": "Metrics are switched off."}},
            }
        },
    }


def _look(summary: str, operation: str, schema: str, refusals: Iterable[int]) -> dict[str, Any]:
    return {"operationId": operation, "summary": summary, "responses": {"200": _answer(_ref(schema)), **_refusals(refusals)}}


def _answer(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": "The answer", "content": {JSON: {"schema": schema}}}


def _refusal(said: str) -> dict[str, Any]:
    return {"description": said, "content": {JSON: {"schema": _ref("Error")}}}


def _refusals(statuses: Iterable[int]) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _any_of(refs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return dict(refs[0]) if len(refs) == 1 else {"anyOf": list(refs)}


def _key(name: str) -> str:
    """A name as a component's, of which no two names are the same."""
    return re.sub(r"[^A-Za-z0-9_]", lambda match: f"-{ord(match[0]):x}-", name)


def _closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_TEXT, _FLAG, _COUNT, _SECONDS = (
    {"type": "string"},
    {"type": "boolean"},
    {"type": "integer", "minimum": 0},
    {"type": "number", "minimum": 0},
)
_STATES = {"type": "string", "enum": ["UNKNOWN", "START", "LOADING", "AVAILABLE", "UNLOADING", "END"]}
_DIMENSIONS = {"type": "array", "items": _closed(size=_TEXT, name=_TEXT)}
_TENSORS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {"dtype": _TEXT, "tensor_shape": _closed(dim=_DIMENSIONS, unknown_rank=_FLAG), "name": _TEXT},
        "required": ["dtype"],
    },
}
_SIGNATURE = _closed(inputs=_TENSORS, outputs=_TENSORS, method_name=_TEXT, defaults={"type": "object"})
_STATUS = _closed(version=_TEXT, state=_STATES, status=_closed(error_code=_TEXT, error_message=_TEXT))
_WARMUP = {**_closed(requests=_COUNT, seconds=_SECONDS), "additionalProperties": True}
_LABELS = {"type": "array", "items": _TEXT}
_MODEL = {
    **_closed(model=_TEXT, version=_COUNT, state=_STATES, error=_TEXT, labels=_LABELS, seconds=_SECONDS, warmup=_WARMUP),
    "required": ["model", "version", "state", "error", "labels"],  # the others once it is loaded
    "additionalProperties": True,
}
_SCHEMAS = {
    "Status": _closed(model_version_status={"type": "array", "items": _STATUS}),
    "Metadata": _closed(
        model_spec=_closed(name=_TEXT, signature_name=_TEXT, version=_TEXT),
        metadata=_closed(signature_def=_closed(signature_def={"type": "object", "additionalProperties": _SIGNATURE})),
    ),
    "Live": _closed(live={"const": True}),
    "Ready": _closed(ready=_FLAG),
    "Models": _closed(models={"type": "array", "items": _MODEL}),
    "Card": {"type": "object", "description": "assets.extra/hubel.json"},
    "Description": {"type": "object", "description": "OpenAPI 3.1"},
}
