"""Here the other process is what is tested."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def parity_is_forked():
    """It is started as hubel starts it."""
