"""Paths as TF Serving's patterns read them: raw, with the query."""

import json

import pytest

from serving.server.rest import urls
from serving.server.status import CODES, ServingError


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        ("POST", "/v1/models/m:predict", urls.Call("predict", "m")),
        ("POST", "/V1/Models/m:classify", urls.Call("classify", "m")),
        ("POST", "/v1/models/m/versions/12:regress", urls.Call("regress", "m", 12)),
        ("POST", "/v1/models/m/versions/0012:predict", urls.Call("predict", "m", 12)),
        ("POST", "/v1/models/m/labels/prod:predict", urls.Call("predict", "m", label="prod")),
        ("POST", "/v1/models/a%20b%2Fc%3A:predict", urls.Call("predict", "a b/c:")),
        ("POST", "/v1/models/m/labels/%C3%A9:predict", urls.Call("predict", "m", label="é")),
        ("POST", "/v1/models/50%:predict", urls.Call("predict", "50%")),
        ("GET", "/v1/models/m", urls.Call("status", "m")),
        ("GET", "/v1/models/m?x=1", urls.Call("status", "m?x=1")),
        ("GET", "/v1/models/m/versions/9223372036854775807", urls.Call("status", "m", 2**63 - 1)),
        ("GET", "/v1/models/m/labels/prod", urls.Call("status", "m", label="prod")),
        ("GET", "/v1/models/m/metadata", urls.Call("metadata", "m")),
        ("GET", "/v1/models/m/versions/3/metadata", urls.Call("metadata", "m", 3)),
        ("GET", "/v1/models/metadata", urls.Call("status", "metadata")),
    ],
)
def test_what_a_path_asks_for(method, path, call):
    assert urls.is_api(path)
    assert urls.call(method, path) == call


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models/m:predict"),
        ("POST", "/v1/models/m"),
        ("POST", "/v1/models/m/metadata"),
        ("POST", "/v1/models/m:PREDICT"),
        ("GET", "/v1/models/m/METADATA"),
        ("POST", "/v1/models/m:predict?x=1"),
        ("POST", "/v1/models/m:predict/"),
        ("POST", "/v1/models/m/versions/HELLO:regress"),
        ("POST", "/v1/models/m/versions/1/labels/prod:predict"),
        ("POST", "/v1/models/m/versions/-1:predict"),
        ("POST", "/v1/models/m/versions/١:predict"),
        ("POST", "/v1/models/:predict"),
        ("GET", "/v1/models/a/b"),
        ("GET", "/v1/"),
        ("PUT", "/v1/models/m:predict"),
        ("HEAD", "/v1/models/m"),
        ("DELETE", "/v1/models/m"),
    ],
)
def test_whatever_else_is_malformed(method, path):
    assert urls.is_api(path)
    with pytest.raises(ServingError) as error:
        urls.call(method, path)
    assert (error.value.code, error.value.message) == ("INVALID_ARGUMENT", f"Malformed request: {method} {path}")


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/models/m", "/statuspage", "*", "/models/v1/m", ""])
def test_what_the_api_has_nothing_to_do_with(path):
    assert not urls.is_api(path)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/versions/1"])
def test_a_name_is_missed(path):
    with pytest.raises(ServingError, match=r"Missing model name in request\."):
        urls.call("GET", path)


@pytest.mark.parametrize("digits", [str(2**63), str(2**64 - 1), "9" * 8000])
def test_a_version_has_64_bits(digits):
    with pytest.raises(ServingError) as error:
        urls.call("POST", f"/v1/models/m/versions/{digits}:predict")
    assert error.value.message == f"Failed to convert version: {digits} to numeric."


def test_each_code_has_a_status():
    """http_server.cc, ToHTTPStatusCode."""
    of_code = {code: urls.http_status(ServingError(code, "")) for code in CODES}
    said = dict.fromkeys(["INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"], 400)
    said |= {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "ABORTED": 409}
    said |= {"RESOURCE_EXHAUSTED": 429, "CANCELLED": 499, "UNIMPLEMENTED": 501, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504}
    said |= dict.fromkeys(["UNKNOWN", "INTERNAL", "DATA_LOSS", "OK"], 500)
    assert of_code == said


def test_an_error_is_told_as_json_whatever_it_says():
    assert json.loads(urls.error_body('no "m"\n\udcff')) == {"error": 'no "m"\n�'}
