"""The artifacts that Trainer's tests train on."""

import pytest

from tests.components import digits


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    """See tests.components.conftest."""
    return digits.artifacts(tmp_path_factory)
