"""Examples of the same content that lie in two splits, or have two labels, as ExampleGen wrote them down."""

import json
from pathlib import Path
from typing import Any

DUPLICATES, CONTRADICTIONS = "duplicates", "contradictions"  # folders beside the Examples


def leakage(folder: Path) -> dict[str, Any] | None:
    """Of the Examples in a folder: {images: how many have the pixels of one in another split, folder, first: [{split, id}, two of
    them]}; None without any."""
    return _alike(folder / DUPLICATES, "split")


def contradictions(folder: Path) -> dict[str, Any] | None:
    """Of the Examples in a folder: {images: how many have the pixels of one with another label, folder, first: [{split, id, labels:
    places of classes}, two of them]}; None without any."""
    return _alike(folder / CONTRADICTIONS, "labels")


def _alike(folder: Path, differs: str) -> dict[str, Any] | None:
    groups = [line["images"] for line in lines(folder)]
    if not groups:
        return None
    first, *others = groups[0]
    other = next(image for image in others if image[differs] != first[differs])
    return {"images": sum(map(len, groups)), "folder": str(folder), "first": [first, other]}


def lines(folder: Path) -> list[dict[str, Any]]:
    """What the *.jsonl files of a folder hold, in an order that does not depend on who wrote them."""
    rows = [line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    return [json.loads(line) for line in sorted(rows)]
