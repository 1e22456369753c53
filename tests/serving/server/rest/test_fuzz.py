"""Bodies and paths that nobody thought of: each has an answer that TF Serving could give, and the server lives on."""

import http.client
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.server import half_plus_two, kinds
from tests.serving.server.conformance import MODEL, PREDICT
from tests.serving.server.rest.asking import SECONDS

STATUSES = {200, 400, 404, 501}
SIGNATURES = [
    "serving_default",
    "echo",
    "pair",
    "integers",
    "texts",
    "uneven",
    "scalar",
    "halves",
    "none",
    "image",
    "classify_x_to_y",
]
ALIASES = ["x", "s", "pixels", "b64", "inputs", "", "\udcff"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([{"b64": "YQ=="}, {"b64": "%"}, {"b64": None}, {}]),
)
VALUES = st.recursive(
    LEAVES,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.sampled_from(ALIASES), part, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(
    st.sampled_from(["instances", "inputs", "examples", "context", "signature_name"]), VALUES, max_size=4
).flatmap(lambda document: st.sampled_from(SIGNATURES).map(lambda name: {"signature_name": name, **document}) | st.just(document))
CUTS = st.tuples(st.floats(0, 1), st.binary(max_size=3), st.integers(0, 3))  # where, what is put in, how much goes


def written(document, cut) -> bytes:
    """A document's bytes, changed at one place where that is asked for."""
    content = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogateescape")
    if cut is None:
        return content
    place = int(cut[0] * len(content))
    return content[:place] + cut[1] + content[place + cut[2] :]


@pytest.fixture(scope="module")
def connection(client):
    """A connection that is kept."""
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=SECONDS)
    yield connection
    connection.close()


def asked(connection, method: str, path: str, content: bytes) -> tuple[int, bytes]:
    connection.request(method, path, content)
    response = connection.getresponse()
    return response.status, response.read()


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([half_plus_two.NAME, kinds.NAME]),
    st.sampled_from(["predict", "predict", "predict", "classify", "regress"]),
    st.builds(written, DOCUMENTS, st.none() | CUTS) | st.binary(max_size=20),
)
def test_any_body_has_an_answer(connection, name, verb, content):
    status, told = asked(connection, "POST", f"/v1/models/{name}:{verb}", content)
    assert status in STATUSES, told
    if status != 200:
        assert list(json.loads(told)) == ["error"]
    status, told = asked(connection, "POST", PREDICT, b'{"instances": [1.0]}')
    assert (status, told) == (200, b'{"predictions":[2.5]}')


@settings(max_examples=100)
@given(
    st.sampled_from(["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126)),
)
def test_any_path_has_an_answer(connection, method, text):
    for path in (f"/v1/models/{text}", f"{MODEL}/{text}", f"{MODEL}{text}", f"/{text}"):
        status, _ = asked(connection, method, path, b"")
        assert status in STATUSES, path
