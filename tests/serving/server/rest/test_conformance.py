"""The table of what TF Serving answers, over REST."""

import math

import numpy as np
import pytest

from serving.server.servable import Servable
from tests.serving.server import conformance, half_plus_two


def same(told, wanted) -> bool:
    """Equality by which NaN is NaN, and floats have the precision of the models'."""
    if isinstance(wanted, list):
        return isinstance(told, list) and len(told) == len(wanted) and all(map(same, told, wanted))
    if isinstance(wanted, dict):
        return isinstance(told, dict) and told.keys() == wanted.keys() and all(same(told[key], wanted[key]) for key in wanted)
    if isinstance(wanted, float) and isinstance(told, float):
        return (math.isnan(told) and math.isnan(wanted)) or np.float32(told) == np.float32(wanted)
    return type(told) is type(wanted) and told == wanted


@pytest.mark.parametrize("row", conformance.REST, ids=lambda row: row.case)
def test_a_case_is_answered_as_tf_serving_answers_it(client, row):
    answer = client.ask(row.method, row.path, row.content, **row.headers)
    assert answer.status == row.status, answer.content
    if row.json is not None:
        assert answer.headers["content-type"].startswith("application/json")
        assert same(answer.json, row.json), answer.json
    elif row.path.lower().startswith("/v1/") and row.status != 200 and row.method != "OPTIONS":
        assert row.said in answer.error
    else:
        assert row.said in answer.content.decode()


def test_cases_have_names_of_their_own():
    cases = [row.case for row in conformance.REST]
    assert len(cases) == len(set(cases))
    assert {int(case.split()[0]) for case in cases if case[0].isdigit()} == {*range(1, 39), 40}


def test_metadata_is_the_models_own(client, models):
    """Case 37: the JSON of the SavedModel's signatures, of each field, whether set or not."""
    answer = client.ask("GET", f"{conformance.MODEL}/metadata").json
    assert answer["model_spec"] == {"name": half_plus_two.NAME, "signature_name": "", "version": "123"}
    assert list(answer["metadata"]) == ["signature_def"]
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"] == {
        "inputs": {
            "x": {
                "dtype": "DT_FLOAT",
                "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": False},
                "name": "x:0",
            }
        },
        "outputs": {
            "y": {
                "dtype": "DT_FLOAT",
                "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": False},
                "name": "y:0",
            }
        },
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }
    loaded = Servable(half_plus_two.NAME, 123, models / half_plus_two.NAME / "123")
    loaded.close()
    assert set(signatures) == set(loaded.signatures)
    versioned = client.ask("GET", f"{conformance.MODEL}/labels/{half_plus_two.LABEL}/metadata")
    assert versioned.json == answer
