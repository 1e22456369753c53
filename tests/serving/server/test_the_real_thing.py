"""The table of what TF Serving answers, asked of TF Serving: where its binary is on PATH, or Docker answers."""

import pytest

from serving import real_server
from serving.deployment import server
from tests.serving.server import answering, conformance

ROWS = {"REST": (conformance.REST, answering.check_rest), "gRPC": (conformance.GRPC, answering.check_grpc)}


@pytest.fixture(scope="module")
def real(config, tmp_path_factory):
    """Where both ends of TF Serving answer, for both models; it answers metrics too."""
    tf_serving = real_server.find(fetch=True) or pytest.skip(real_server.ABSENT)
    folder = tmp_path_factory.mktemp("tf_serving")
    (folder / server.MONITORING).write_text(server.monitoring_config())
    flags = [f"--monitoring_config_file={folder / server.MONITORING}"]
    with real_server.running(tf_serving, config, folder / "log", flags, [folder]) as address:
        yield answering.Addresses(*(int(where.rpartition(":")[2]) for where in (address.rest, address.grpc)))


@pytest.mark.tf_serving
@pytest.mark.parametrize("protocol", list(ROWS))
def test_tf_serving_answers_as_the_table_says(real, protocol):
    rows, check = ROWS[protocol]
    wrong = {}
    for row in rows:
        try:
            check(real, row)
        except AssertionError as error:
            wrong[row.case] = str(error)
    assert not wrong
