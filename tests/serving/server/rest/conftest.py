"""A server of half_plus_two and kinds on a port of this machine, for all tests of this folder."""

import pytest

from serving.server.rest.end import RestEnd, RestSettings
from tests.serving.server.rest.asking import Client


@pytest.fixture(scope="session")
def client(manager, metrics):
    """Who asks the server."""
    end = RestEnd(manager, metrics, RestSettings(port=0))
    end.start()
    yield Client(end.port)
    assert end.stop(5).wait(20)


@pytest.fixture
def serving(manager, metrics):
    """Starts a server with other settings -> who asks it."""
    ends = []

    def start(api_key=None, models=manager, counts=metrics, **settings) -> Client:
        ends.append(RestEnd(models, counts, RestSettings(port=0, **settings), api_key))
        ends[-1].start()
        return Client(ends[-1].port, ends[-1])

    yield start
    for end in ends:
        assert end.stop(5).wait(20)
