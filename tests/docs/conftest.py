"""What makes the pages' examples cheap."""

from tests.cheaper import beam_remembers, parity_is_forked  # noqa: F401
