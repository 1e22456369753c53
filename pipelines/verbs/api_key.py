"""The API key of a server, as a person gives it to who serves and who asks: never as an argument, which others see."""

import os
from pathlib import Path

from configs.errors import UsageError

KEY = "HUBEL_SERVE_API_KEY"


def read(path: str | None) -> str | None:
    """What the file holds; without one the environment's, None where that has none. Raises UsageError for a file without a key."""
    if path is None:
        return os.environ.get(KEY) or None
    try:
        key = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"The file {path} of the API key cannot be read: {said}.", "Check --api-key-file.") from None
    if not key:
        raise UsageError(f"The file {path} of the API key is empty.", "Put a key into it, or leave out --api-key-file.")
    return key
