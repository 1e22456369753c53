"""Files beside the data that a network starts from. Light: asked for before anything starts."""

from pathlib import Path

from configs.errors import UsageError

VECTORS = "transform.text.vectors"
MAX_BYTES = 2**34  # of a file; 2.2 million words of 300 numbers take 5.6e9


def located(path: str) -> Path:
    """The file of vectors, absolute. Raises UsageError where there is none, or it is larger than any that is read."""
    file = Path(path).expanduser().resolve()
    if not file.is_file():
        raise UsageError(f"{VECTORS}: there is no file {file}.", "Give the path of a file of vectors as text, or null.")
    if file.stat().st_size > MAX_BYTES:
        raise UsageError(f"{VECTORS}: {file} has more than {MAX_BYTES:,} bytes.", "Keep the more frequent words' rows alone.")
    return file
