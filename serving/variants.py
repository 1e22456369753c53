"""What a served model was converted to: files in its folder, and what its card says of them."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CARD = "assets.extra/hubel.json"
FOLDER = "assets.extra/variants"


def of(version: Path) -> list[Mapping[str, Any]]:
    """As the card of a version's folder has them (components.converter.verdict.Variant), those that lie there; none where it has
    no card, or one that cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((version / CARD).read_text()).get("variants", [])
        return [variant for variant in told if (version / FOLDER / variant["file"]).is_file()]
    return []
