"""Which request a path is, as TF Serving's http_rest_api_util.cc reads it, and what an error is in HTTP."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import orjson

from serving.server.status import ServingError

HTTP_STATUS = {  # http_server.cc, ToHTTPStatusCode; whatever is not here is 500
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
TIMED_OUT, TOO_LARGE = 408, 413  # of HTTP itself; TF Serving has neither
PREDICT, CLASSIFY, REGRESS, STATUS, METADATA = "predict", "classify", "regress", "status", "metadata"
LARGEST = 2**63 - 1  # of a version

# Of the raw path, with its query, before anything is decoded. RE2's classes are ASCII's; [^/:] takes line ends as Python's does.
_API = re.compile(r"/v1/.*", re.IGNORECASE | re.ASCII)
_VERSION_OR_LABEL = r"(?:(?:/versions/(?P<version>\d+))|(?:/labels/(?P<label>[^/:]+)))?"
_ASKS = re.compile(rf"/v1/models/(?P<name>[^/:]+){_VERSION_OR_LABEL}:(?P<verb>classify|regress|predict)", re.IGNORECASE | re.ASCII)
_LOOKS = re.compile(rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION_OR_LABEL}(?:/(?P<verb>metadata))?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Call:
    """What a request asks for. At most one of `version` and `label` is given."""

    verb: str  # PREDICT, CLASSIFY, REGRESS, STATUS or METADATA
    name: str
    version: int | None = None
    label: str | None = None


def is_api(raw_path: str) -> bool:
    """Whether TF Serving's API has to do with a path; any other is not there."""
    return bool(_API.fullmatch(raw_path))


def call(method: str, raw_path: str) -> Call:
    """What a request of the API asks for.

    Args:
        raw_path: the request's target as it was sent, percent-encoded, with its query, of which `is_api` is true.

    Raises:
        ServingError: INVALID_ARGUMENT, for whatever is no request of TF Serving's.
    """
    match = {"POST": _ASKS, "GET": _LOOKS}[method].fullmatch(raw_path) if method in ("POST", "GET") else None
    malformed = ServingError("INVALID_ARGUMENT", f"Malformed request: {method} {raw_path}")
    if not match:
        raise malformed
    version = number(match["version"]) if match["version"] else None
    if not match["name"]:
        raise ServingError("INVALID_ARGUMENT", "Missing model name in request.")
    verb = match["verb"] or STATUS
    if verb not in (PREDICT, CLASSIFY, REGRESS, STATUS, METADATA):  # the pattern takes :PREDICT, what handles it does not
        raise malformed
    return Call(verb, _decoded(match["name"]), version, _decoded(match["label"]) if match["label"] else None)


class Refusal(ServingError):
    """A request that HTTP has a status for and TF Serving has not."""

    def __init__(self, code: str, message: str, status: int):
        super().__init__(code, message)
        self.status = status

    def __reduce__(self):
        return type(self), (self.code, self.message, self.status)


def http_status(error: ServingError) -> int:
    """The status of a response to a request that has no answer."""
    return error.status if isinstance(error, Refusal) else HTTP_STATUS.get(error.code, 500)


def error_body(message: str) -> bytes:
    """The content of that response: JSON."""
    return orjson.dumps({"error": message.encode("utf-8", "surrogateescape").decode("utf-8", "replace")})


def number(digits: str) -> int:
    """The version that digits of a path are. Raises ServingError INVALID_ARGUMENT for one beyond 64 bits, and for what is none."""
    significant = digits.lstrip("0") or "0"
    if not (significant.isascii() and significant.isdigit()) or len(significant) > len(str(LARGEST)) or int(significant) > LARGEST:
        raise ServingError("INVALID_ARGUMENT", f"Failed to convert version: {digits} to numeric.")
    return int(significant)


def _decoded(part: str) -> str:
    return unquote_to_bytes(part.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
