"""The description of the endpoints: it is OpenAPI 3.1, and what it says of each request and answer is so.

openapi_3.1.json is the OpenAPI Initiative's schema of descriptions, 2022-10-07 (Apache License 2.0).
"""

import copy
import json
from pathlib import Path

import jsonschema
import pytest
from jsonschema.validators import Draft202012Validator as Validator

from components import keys
from serving import saved_model
from serving.server.access import ApiKey
from serving.server.rest import folders, openapi
from tests.serving.server.rest.asking import Client

SCHEMA = json.loads(Path(__file__).with_name("openapi_3.1.json").read_text())
JSON = "application/json"


@pytest.fixture(scope="module")
def pushed_client(served):
    return Client(served.ports["rest"])


@pytest.fixture(scope="module")
def described(pushed_client):
    """What a server of pushed models says."""
    return pushed_client.ask("GET", openapi.DESCRIPTION).json


@pytest.fixture(scope="module")
def of_kinds(client):
    """What one of half_plus_two and kinds says."""
    return client.ask("GET", openapi.DESCRIPTION).json


def resolver(description, ref: str):
    """A validator of a schema of the description."""
    return Validator({"$ref": ref, "components": description["components"]})


def operations(description):
    return [(path, method, op) for path, item in description["paths"].items() for method, op in item.items()]


def of(description, key: str, which: str):
    return resolver(description, f"#/components/schemas/{key}.{which}")


def test_it_is_openapi(described, of_kinds):
    for description in (described, of_kinds):
        jsonschema.validate(description, SCHEMA, cls=Validator)
        for schema in description["components"]["schemas"].values():
            Validator.check_schema(schema)
        names = [op["operationId"] for _, _, op in operations(description)]
        assert len(names) == len(set(names))
        asked = json.dumps(description)
        for ref in {part.split('"')[0] for part in asked.split('"$ref": "#/')[1:]}:
            place = description
            for key in ref.split("/"):
                place = place[key]
    broken = copy.deepcopy(described)
    del broken["info"]["title"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA, cls=Validator)


@pytest.mark.parametrize("which", [pytest.param("described", marks=pytest.mark.whole), "of_kinds"])
def test_every_example_is_answered_as_it_says(which, request, pushed_client, client):
    description, asked = request.getfixturevalue(which), {"described": pushed_client, "of_kinds": client}[which]
    count = 0
    for path, method, op in operations(description):
        if method == "post" and "{" not in path:
            for key, example in op["requestBody"]["content"][JSON].get("examples", {}).items():
                of(description, key, "request").validate(example["value"])
                answer = asked.ask("POST", path, example["value"])
                assert answer.status == 200, (key, answer.content)
                of(description, key, "response").validate(answer.json)
                count += 1
    assert count == {"described": 51, "of_kinds": 2 + 2}[which]


def test_every_signature_that_rest_can_ask_is_in_it(described, of_kinds, pushed_models):
    for name in ("classifier", "autoencoder", "texts"):
        signatures = saved_model.signatures(pushed_models / name / "1")
        body = described["paths"][f"/v1/models/{name}:predict"]["post"]["requestBody"]["content"][JSON]
        told = {ref["$ref"].split("/")[-1].split(".")[1] for ref in body["schema"]["anyOf"]}
        assert told == {signature for signature in signatures if signature != "__saved_model_init_op"}
        assert len(body["examples"]) == len(body["schema"]["anyOf"])  # of pushed models each has one
    told = [
        ref["$ref"].split("/")[-1]
        for ref in of_kinds["paths"]["/v1/models/kinds:predict"]["post"]["requestBody"]["content"][JSON]["schema"]["anyOf"]
    ]
    rows = {ref.split(".")[1] for ref in told if ".rows." in ref}
    columns = {ref.split(".")[1] for ref in told if ".columns." in ref}
    assert columns - rows == {"scalar"} or "scalar" in columns  # of no batch
    assert "halves" not in columns
    assert "none" not in columns
    assert set(of_kinds["paths"]) >= {"/v1/models/half_plus_two:classify", "/v1/models/half_plus_two:regress"}
    assert "/v1/models/kinds:classify" not in of_kinds["paths"]


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("half_plus_two.serving_default.rows", {"instances": [["x"]]}),
        ("half_plus_two.serving_default.rows", {"instances": []}),
        ("half_plus_two.serving_default.rows", {"instances": [[1.0]], "inputs": [[1.0]]}),
        ("half_plus_two.serving_default.rows", {"instances": [[1.0], {"x": [1.0]}]}),
        ("half_plus_two.serving_default.rows", {"instances": [{"x": [1.0], "z": 1}]}),
        ("half_plus_two.serving_default.rows", {"instances": [[True]]}),
        ("half_plus_two.serving_default.rows", {"signature_name": "none", "instances": [[1.0]]}),
        ("half_plus_two.serving_default.columns", {"inputs": {"z": [[1.0]]}}),
        ("kinds.integers.columns", {"signature_name": "integers", "inputs": [3_000_000_000]}),
        ("kinds.integers.columns", {"signature_name": "integers", "inputs": [1.5]}),
        ("kinds.pair.rows", {"signature_name": "pair", "instances": [1.0]}),
        ("kinds.texts.rows", {"signature_name": "texts", "instances": [{"b64": "%%"}]}),
        ("kinds.texts.rows", {"signature_name": "texts", "instances": [{"b64": "YQ==", "k": 1}]}),
        ("kinds.texts.columns", {"signature_name": "texts", "inputs": [None]}),
        ("half_plus_two.regress_x_to_y.regress", {"signature_name": "regress_x_to_y", "examples": []}),
        ("half_plus_two.regress_x_to_y.regress", {"signature_name": "regress_x_to_y", "examples": [{"x": {"y": 1}}]}),
        ("half_plus_two.regress_x_to_y.regress", {"signature_name": "regress_x_to_y", "examples": [[1.0]]}),
    ],
)
def test_what_a_schema_refuses_the_server_refuses(of_kinds, client, key, body):
    model, _, form = key.split(".")
    verb = form if form in ("classify", "regress") else "predict"
    assert not of(of_kinds, key, "request").is_valid(body)
    assert client.ask("POST", f"/v1/models/{model}:{verb}", body).status == 400


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("half_plus_two.serving_default.rows", {"instances": [[1], [2.5]], "more": {}}),
        ("half_plus_two.serving_default.rows", {"signature_name": "", "instances": [{"x": [1]}]}),
        ("half_plus_two.serving_default.columns", {"signature_name": "serving_default", "inputs": {"x": [[1]], "z": None}}),
        ("kinds.pair.rows", {"signature_name": "pair", "instances": [{"x": 1, "s": "é"}, {"x": 2, "s": {"b64": "YQ"}}]}),
        ("kinds.texts.columns", {"signature_name": "texts", "inputs": [{"b64": " Y\nW I= "}, {"b64": ""}, {"b64": "YQ.."}]}),
        ("kinds.integers.rows", {"signature_name": "integers", "instances": [-(2**31)]}),
        ("kinds.scalar.columns", {"signature_name": "scalar", "inputs": [1e300]}),
        ("half_plus_two.regress_x_to_y.regress", {"signature_name": "regress_x_to_y", "context": {"x": 1.5}, "examples": [{}]}),
        (
            "half_plus_two.regress_x_to_y.regress",
            {"signature_name": "regress_x_to_y", "examples": [{"x": [1.5]}, {"z": ["a", "b"]}]},
        ),
    ],
)
def test_what_a_schema_takes_is_answered_as_it_says(of_kinds, client, key, body):
    model, _, form = key.split(".")
    of(of_kinds, key, "request").validate(body)
    answer = client.ask("POST", f"/v1/models/{model}:{form if form in ('classify', 'regress') else 'predict'}", body)
    assert answer.status == 200, answer.content
    of(of_kinds, key, "response").validate(answer.json)


def test_what_is_looked_at_is_as_it_says(described, pushed_client, served, pushed_models):
    for path, method, op in operations(described):
        if method == "get":
            filled = path
            for parameter in op.get("parameters", []):
                filled = filled.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
            answer = pushed_client.ask("GET", filled)
            assert answer.status == 200, (path, answer.content)
            ((content_type, content),) = op["responses"]["200"]["content"].items()
            assert answer.headers["content-type"].startswith(content_type)
            if content_type == JSON:
                resolver(described, content["schema"]["$ref"]).validate(answer.json)
    card = json.loads((pushed_models / "classifier" / "1" / keys.CARD_IN_EXPORT).read_text())
    assert pushed_client.ask("GET", "/models/classifier/card").json == card
    refused = {"none": 404, "classifier/versions/9": 404, f"classifier/versions/{2**64}": 400, "classifier/labels/none": 400}
    for wrong, status in refused.items():
        answer = pushed_client.ask("GET", f"/models/{wrong}/card")
        assert (answer.status, list(answer.json)) == (status, ["error"])


def test_of_folders_it_is_what_the_server_says(described, pushed_models):
    """But for where it is, and labels, which a config gives."""
    models = [
        folders.of_model(name, str(pushed_models / name), None, ("stable",)) for name in ("autoencoder", "classifier", "texts")
    ]
    assert json.loads(json.dumps(openapi.describe(models, needs_key=False))) == described


def test_names_and_kinds_are_of_the_card(described):
    schema = described["components"]["schemas"]["classifier.image_bytes.rows.response"]
    row = schema["properties"]["predictions"]["items"]["properties"]
    assert {name: part["title"] for name, part in row.items()} == {
        "classes": "names",
        "probabilities": "probabilities",
        "scores": "scores",
    }
    assert (row["probabilities"]["minItems"], row["probabilities"]["maxItems"]) == (10, 10)
    assert str(saved_model.CARD) == keys.CARD_IN_EXPORT


def test_an_api_key_is_wanted_where_the_server_wants_it(serving):
    asked = serving(ApiKey("a key"))
    assert asked.ask("GET", openapi.DESCRIPTION).status == 401
    description = asked.ask("GET", openapi.DESCRIPTION, x_api_key="a key").json
    assert description["security"] == [{"key": []}, {"bearer": []}]
    assert description["paths"]["/livez"]["get"]["security"] == [{}]


def test_names_stay_apart(pushed_models):
    model = folders.of_model("a.b-c", str(pushed_models / "texts"), 1)
    other = folders.of_model("a-b.c", str(pushed_models / "texts"), 1)
    odd = folders.of_model("an odd/{name}?", str(pushed_models / "texts" / "1"), 0)
    description = openapi.describe([model, other, odd])
    jsonschema.validate(description, SCHEMA, cls=Validator)
    assert "/v1/models/an%20odd%2F%7Bname%7D%3F:predict" in description["paths"]
    assert len({key for key in description["components"]["schemas"] if key.endswith("text.rows.request")}) == 3
