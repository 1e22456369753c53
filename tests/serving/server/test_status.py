import pickle

import grpc
import pytest

from serving.server.status import CODES, NAMES, ServingError


def test_codes_are_grpcs():
    assert {code.name: code.value[0] for code in grpc.StatusCode} == CODES
    assert NAMES[5] == "NOT_FOUND"


def test_an_error_has_a_code_of_these():
    error = ServingError("NOT_FOUND", "Servable not found")
    assert (error.code, error.message, str(error)) == ("NOT_FOUND", "Servable not found", "NOT_FOUND: Servable not found")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 our own
    assert (copy.code, copy.message) == (error.code, error.message)
    with pytest.raises(ValueError, match="no code"):
        ServingError("404", "x")
