"""What TFDS has prepared, read from the JSON files that it leaves: takes milliseconds, imports nothing heavy."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.example_gen.tfds import VERSION

INFO = "dataset_info.json"
DIGITS = {  # what hubel's own data set will be once it is prepared, which takes no archive and no network
    "name": "digits",
    "version": "1.0.0",
    "source": "tfds:digits",
    "splits": {"train": 1797},
    "classes": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "bytes": 0,
    "folder": None,
    "error": None,
}


def listed(datasets: Path) -> list[dict[str, Any]]:
    """A `row` of every data set under a workspace's datasets/, by name; `digits` is always one of them."""
    rows = [row(folder, datasets) for folder in _folders(datasets)]
    own = [] if any(held["name"] == DIGITS["name"] for held in rows) else [DIGITS]
    return sorted(rows + own, key=lambda held: (held["name"], held["version"]))


def row(folder: Path, datasets: Path) -> dict[str, Any]:
    """What a prepared data set holds, as JSON.

    Args:
        folder: datasets/NAME[/CONFIG]/VERSION.

    Returns:
        {name (with its config), version, source (as data.source takes it), splits: {name: images}, classes: names of the label,
        empty without one, bytes on disk, folder, error: what is wrong with it or None}.
    """
    name = folder.parent.relative_to(datasets).as_posix()
    held = {"name": name, "version": folder.name, "source": f"tfds:{name}", "splits": {}, "classes": []}
    held["bytes"] = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    held |= {"folder": str(folder), "error": None}
    try:
        info = json.loads((folder / INFO).read_text())
        held["splits"] = {split["name"]: sum(map(int, split.get("shardLengths", ()))) for split in info["splits"]}
        held["classes"] = _classes(folder, info)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        held["error"] = f"its JSON files cannot be read ({type(error).__name__})"
    return held


def _folders(datasets: Path) -> Iterator[Path]:
    """Folders of versions; what TFDS has staged and not finished is none."""
    for pattern in (f"*/*/{INFO}", f"*/*/*/{INFO}"):
        for path in datasets.glob(pattern):
            if VERSION.fullmatch(path.parent.name):
                yield path.parent


def _classes(folder: Path, info: dict[str, Any]) -> list[str]:
    """Names of the class label that a source would take; numbers where the data set has no names."""
    features = json.loads((folder / "features.json").read_text())["featuresDict"]["features"]
    labels = {name: feature["classLabel"] for name, feature in features.items() if "classLabel" in feature}
    keyed = {item.get("featureKey") for item in info.get("supervisedKeys", {}).get("tuple", {}).get("items", ())}
    wanted = [name for name in labels if name in keyed] or list(labels)
    if len(wanted) != 1:
        return []
    named = folder / f"{wanted[0]}.labels.txt"
    if named.is_file():
        return [line for line in named.read_text(encoding="utf-8").split("\n") if line]
    return [str(number) for number in range(int(labels[wanted[0]].get("numClasses", 0)))]
