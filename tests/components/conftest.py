"""Artifacts of one tiny classifier and one tiny autoencoder, made once: digits, an epoch, exported."""

import pytest

from tests.components import digits
from tests.once import made_once


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    """Examples, Schema and TransformGraph of the digits; see tests.components.digits."""
    return digits.artifacts(tmp_path_factory)


@pytest.fixture(scope="session")
def classifier(artifacts, tmp_path_factory):
    """Folder of a Model artifact, not to be changed: an MLP after an epoch on raw images."""
    return _trained(tmp_path_factory, "classifier", artifacts, digits.MLP, materialized=False)


@pytest.fixture(scope="session")
def autoencoder(artifacts, tmp_path_factory):
    """Folder of a Model artifact, not to be changed: a convolutional autoencoder after an epoch on stored images."""
    return _trained(tmp_path_factory, "autoencoder", artifacts, digits.AUTOENCODER, materialized=True)


def _trained(factory, name, artifacts, tree, materialized):
    from components.trainer.component import run_fn

    examples = artifacts.transformed if materialized else artifacts.examples

    def train(folder):
        run_fn(digits.fn_args(folder, examples, artifacts.transform, artifacts.schema, digits.trainer_slice(tree), materialized))

    return made_once(factory, name, train) / "model"
