"""A server of half_plus_two and kinds on a port of this machine, for all tests of this folder."""

import pytest

from serving.server import model_config
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.rest.end import RestEnd, RestSettings
from tests.serving.server import half_plus_two, kinds
from tests.serving.server.rest.asking import Client


@pytest.fixture(scope="session")
def manager(models, tmp_path_factory):
    """Of both models, the label too; nobody changes it."""
    base = tmp_path_factory.mktemp("kinds") / kinds.NAME
    base.mkdir()
    kinds.build(base)
    config = model_config.of_models({half_plus_two.NAME: str(models / half_plus_two.NAME), kinds.NAME: str(base)})
    config.model_config_list.config[0].version_labels[half_plus_two.LABEL] = half_plus_two.VERSION
    manager = Manager(poll=0)
    manager.start(config)
    yield manager
    manager.stop()


@pytest.fixture(scope="session")
def metrics(manager):
    return Metrics(manager.has)


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
