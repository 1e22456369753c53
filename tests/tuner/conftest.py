"""The artifacts that Trainer's tests train on."""

from tests.components.conftest import artifacts

__all__ = ["artifacts"]
