"""A served folder without TensorFlow: a SavedModel's signatures, and the card beside it."""

import json
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from configs.errors import HubelError, first_line
from serving import protos

FILE = "saved_model.pb"
CARD = Path("assets.extra", "hubel.json")


def signatures(folder: Path) -> dict[str, Any]:
    """SignatureDef by name, in the order of the names. Raises HubelError for a damaged SavedModel."""
    try:
        written = protos.message("tensorflow.SavedModel").FromString((folder / FILE).read_bytes())
        return dict(sorted(written.meta_graphs[0].signature_def.items()))
    except (DecodeError, OSError, IndexError) as error:
        said = f": {first_line(error)}" if isinstance(error, OSError) else ""
        raise HubelError(
            f"The SavedModel {folder} is damaged: {FILE} cannot be read{said}.", "Push it again, or name another version."
        ) from None


def card(folder: Path) -> dict[str, Any]:
    """The card that hubel wrote, as its JSON; empty of a model that has none. Raises HubelError for one that cannot be read."""
    try:
        written = json.loads((folder / CARD).read_bytes())
        if not isinstance(written, dict):
            raise ValueError("it holds no object")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise HubelError(
            f"The card of the SavedModel {folder} ({CARD}) cannot be read: {first_line(error)}.",
            "Push it again, or name another version.",
        ) from None
    return written
