"""The artifacts that Trainer's tests train on, and a model."""

import pytest

from tests.cheaper import eager  # noqa: F401
from tests.components import digits


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    """See tests.components.conftest."""
    return digits.artifacts(tmp_path_factory)


@pytest.fixture(scope="session")
def classifier(tmp_path_factory):
    """See tests.components.conftest."""
    return digits.trained(tmp_path_factory, "classifier", digits.MLP, materialized=False)
