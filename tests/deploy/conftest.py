"""A model to deploy."""

import pytest

from tests import conftest
from tests.serving.deployment.models import push


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Folder of a digits_lenet5 with a stable version and a canary, and of one with a name that is odd everywhere."""
    place = tmp_path_factory.mktemp("deployed") / "models"
    for version in (1, 2):
        push(place, "digits_lenet5", version)
    push(place, 'My "odd" {Model}.1', 1)
    return place


@pytest.fixture
def has_promtool():
    """For tests that start it; mark them promtool."""
    return conftest._promtool() or pytest.skip("no promtool on PATH")


@pytest.fixture
def docker_compose():
    """For tests that ask Compose; mark them compose."""
    return conftest._compose() or pytest.skip("no docker on PATH that has the plugin compose")
