"""Models for the server's tests, exported once a session, and a server of them."""

import pytest

from serving.server import loading, model_config
from serving.server.grpc_end import GrpcEnd, GrpcSettings
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.rest.end import RestEnd, RestSettings
from tests.serving.server import half_plus_two, kinds
from tests.serving.server.answering import Addresses


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Folder of half_plus_two/123, which nobody writes into."""
    base = tmp_path_factory.mktemp("served") / half_plus_two.NAME
    base.mkdir()
    half_plus_two.build(base, warmup=3)
    return base.parent


@pytest.fixture(scope="session")
def servable(models):
    """That version, loaded."""
    loaded = loading.load(half_plus_two.NAME, half_plus_two.VERSION, models / half_plus_two.NAME / str(half_plus_two.VERSION))
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def config(models, tmp_path_factory):
    """A ModelServerConfig of both models, the label too."""
    base = tmp_path_factory.mktemp("kinds") / kinds.NAME
    base.mkdir()
    kinds.build(base)
    config = model_config.of_models({half_plus_two.NAME: str(models / half_plus_two.NAME), kinds.NAME: str(base)})
    config.model_config_list.config[0].version_labels[half_plus_two.LABEL] = half_plus_two.VERSION
    return config


@pytest.fixture(scope="session")
def manager(config):
    """Of both models; nobody changes it."""
    manager = Manager(poll=0)
    manager.start(config)
    yield manager
    manager.stop()


@pytest.fixture(scope="session")
def metrics(manager):
    return Metrics(manager.has)


@pytest.fixture(scope="session")
def addresses(manager, metrics):
    """Where both ends of a server of both models answer."""
    rest, grpc = RestEnd(manager, metrics, RestSettings(port=0)), GrpcEnd(manager, metrics, GrpcSettings(port=0))
    rest.start()
    grpc.start()
    yield Addresses(rest.port, grpc.port)
    for ended in [rest.stop(5), grpc.stop(5)]:
        assert ended.wait(20)
