"""Models that lie there as a push leaves them."""

import pytest

from tests.serving.deployment import models as pushed


@pytest.fixture
def models(tmp_path):
    """Folder of a digits_lenet5 whose version 1 is stable and 2 a canary."""
    folder = tmp_path / "models"
    for version in (1, 2):
        pushed.push(folder, "digits_lenet5", version)
    return folder
