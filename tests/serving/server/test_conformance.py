"""The table of what TF Serving answers, over REST and gRPC."""

import pytest

from tests.serving.server import answering, conformance


@pytest.mark.parametrize("row", conformance.REST, ids=lambda row: row.case)
def test_a_request_is_answered_as_tf_serving_answers_it(addresses, row):
    answering.check_rest(addresses, row)


@pytest.mark.parametrize("row", conformance.GRPC, ids=lambda row: row.case)
def test_a_call_is_answered_as_tf_serving_answers_it(addresses, row):
    answering.check_grpc(addresses, row)


@pytest.mark.parametrize("rows", [conformance.REST, conformance.GRPC], ids=["REST", "gRPC"])
def test_cases_have_names_of_their_own(rows):
    cases = [row.case for row in rows]
    assert len(cases) == len(set(cases))


def test_every_case_of_the_table_is_asked():
    rows = [*conformance.REST, *conformance.GRPC]
    assert {int(row.case.split()[0]) for row in rows if row.case[0].isdigit()} == set(range(1, 41))
