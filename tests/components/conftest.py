"""Artifacts of one tiny classifier and one tiny autoencoder, made once: digits, an epoch, exported."""

import pytest

from tests.cheaper import beam_remembers, eager, no_saved_model, parity_is_forked  # noqa: F401
from tests.components import digits


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    """Examples, Schema and TransformGraph of the digits; see tests.components.digits."""
    return digits.artifacts(tmp_path_factory)


@pytest.fixture(scope="session")
def classifier(tmp_path_factory):
    """Folder of a Model artifact: an MLP after an epoch on raw images."""
    return digits.trained(tmp_path_factory, "classifier", digits.MLP, materialized=False)


@pytest.fixture(scope="session")
def autoencoder(tmp_path_factory):
    """Folder of a Model artifact: a convolutional autoencoder after an epoch on stored images."""
    return digits.trained(tmp_path_factory, "autoencoder", digits.AUTOENCODER, materialized=True)
