"""A server of models as they are pushed, over both protocols, for all that asks one."""

import pytest

from serving.server import model_config
from serving.server.server import Server, Settings
from tests.serving import pushed


@pytest.fixture(scope="session")
def pushed_models(tmp_path_factory):
    """Folder of the models of tests.serving.pushed."""
    return pushed.folder(tmp_path_factory)


@pytest.fixture(scope="session")
def served(pushed_models):
    """A server of these, with the label stable, whose ports are `served.ports`."""
    config = model_config.of_models({name: str(pushed_models / name) for name in ("classifier", "autoencoder", "texts")})
    for entry in config.model_config_list.config:
        entry.version_labels["stable"] = 1
    server = Server(Settings(rest_port=0, grpc_port=0, poll=0))
    server.start(config)
    yield server
    server.stop()
