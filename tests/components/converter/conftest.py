"""Conversion in this process, which has TensorFlow; what runs the files is started as hubel starts it: it imports none."""

import pytest

from tests.cheaper import conversion_is_here


@pytest.fixture(autouse=True, scope="package")
def converted_here():
    with conversion_is_here() as start:
        yield start
