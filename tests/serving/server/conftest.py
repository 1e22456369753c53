"""Models for the server's tests, exported once a session."""

import pytest

from serving.server import loading
from tests.serving.server import half_plus_two


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
