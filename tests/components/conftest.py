"""Artifacts of one tiny classifier and one tiny autoencoder, made once: digits, an epoch or two, exported."""

from types import SimpleNamespace

import pytest

from components import keys
from tests.components import digits


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    """Examples, Schema and TransformGraphs of the digits; see tests.components.digits."""
    folder = tmp_path_factory.mktemp("artifacts")
    schema = digits.write_schema(folder / "schema.pbtxt")
    return SimpleNamespace(
        folder=folder,
        schema=schema,
        examples=digits.write_examples(folder / "examples"),
        transformed=folder / "transformed",
        transform=digits.write_transform(folder / "transform", schema, digits.MLP, [keys.LABEL], folder / "transformed"),
        unlabelled_transform=digits.write_transform(folder / "unlabelled", schema, digits.AUTOENCODER, []),
    )


@pytest.fixture(scope="session")
def classifier(artifacts, tmp_path_factory):
    """Folder of a Model artifact: an MLP after an epoch."""
    from components.trainer.component import run_fn

    run = tmp_path_factory.mktemp("classifier")
    args = digits.fn_args(run, artifacts.examples, artifacts.transform, artifacts.schema, digits.trainer_slice(digits.MLP))
    run_fn(args)
    return run / "model"


@pytest.fixture(scope="session")
def autoencoder(artifacts, tmp_path_factory):
    """Folder of a Model artifact: a convolutional autoencoder after an epoch."""
    from components.trainer.component import run_fn

    run = tmp_path_factory.mktemp("autoencoder")
    config = digits.trainer_slice(digits.AUTOENCODER)
    run_fn(digits.fn_args(run, artifacts.examples, artifacts.unlabelled_transform, artifacts.schema, config))
    return run / "model"
