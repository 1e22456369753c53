"""The artifacts that Trainer's tests train on, and a model."""

from tests.cheaper import eager  # noqa: F401
from tests.components.conftest import artifacts, classifier  # noqa: F401
