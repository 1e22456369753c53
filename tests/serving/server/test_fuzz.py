"""What nobody would send over gRPC, to every method: each has an answer that TF Serving could give. Bodies: rest/test_fuzz.py."""

from benchmarks import serving_fuzz
from tests.serving.server import half_plus_two
from tests.serving.server.rest.asking import SECONDS, Client

PNG = b"\x89PNG\r\n\x1a\n"


def test_any_message_has_an_answer(addresses):
    signatures = {"serving_default": "x", "regress_x_to_y": "inputs", "classify_x_to_y": "inputs"}
    strategy = serving_fuzz.messages(half_plus_two.NAME, PNG, signatures)
    told = serving_fuzz.over_grpc(addresses.grpc, strategy, 400, seed=0, slowest=SECONDS)
    assert told["failures"] == []
    assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND"} <= set(told["codes"])
    assert Client(addresses.rest).answered(f"/v1/models/{half_plus_two.NAME}:predict", {"instances": [1.0]}) == {
        "predictions": [2.5]
    }
