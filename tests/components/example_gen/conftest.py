"""The digits as TFDS prepares them, once."""

import pytest

from components.example_gen import tfds


@pytest.fixture(scope="session")
def datasets(tmp_path_factory):
    """A workspace's folder of data sets in which `digits` is prepared."""
    folder = tmp_path_factory.mktemp("datasets")
    tfds.locate("digits", folder, {})
    return folder
