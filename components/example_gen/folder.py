"""Source `folder:PATH`: image files as they lie in folders, a sub-folder a class, or all in one place without labels.

What of it is a split or a class says components.example_gen.layouts, which files are images components.example_gen.listing, which
of these are masks of others, and are passed over, components.example_gen.masks. An image's id is its path below PATH.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.example_gen import classes, files, layouts, listing, masks
from components.example_gen.layouts import Layout
from components.example_gen.sources import Contents, Located, Raw
from configs.errors import UsageError

TAKES = ("masks",)


def check(rest: str, datasets: Path) -> None:
    """See components.example_gen.sources. Looks for one image a class, not for all."""
    layouts.read(layouts.Tree(files.absolute(rest)))


def locate(rest: str, datasets: Path, features: Mapping[str, str], masks: str | None = None) -> Located:
    """See components.example_gen.sources. A folder has no features to name; `masks` is that of DataConfig."""
    root = files.absolute(rest)
    if features:
        raise UsageError(f"data.features names {', '.join(features)}, but a folder has no features.", "Remove data.features.")
    address = {"path": root} | ({"masks": masks} if masks else {})
    listed, passed_over = _listed(address)
    every = [path for by_class in listed.values() for paths in by_class.values() for path in paths]
    return Located(address, files.digested(root, every, datasets), _class_names(listed), passed_over)


def contents(address: Mapping[str, Any]) -> Contents:
    """See components.example_gen.sources. Class names are those of the folders."""
    listed, _ = _listed(address)
    names = _class_names(listed)
    labels = {name: label for label, name in enumerate(names)}
    rows = {
        split: [files.File(path, labels.get(name)) for name, paths in by_class.items() for path in paths]
        for split, by_class in listed.items()
    }
    return files.contents(names, rows)


def images(address: Mapping[str, Any], shard: str) -> Iterator[Raw]:
    """See components.example_gen.sources."""
    return files.images(address["path"], shard)


def _class_names(listed: Layout) -> list[str]:
    return classes.in_order(name for by_class in listed.values() for name in by_class if name)


def _listed(address: Mapping[str, Any]) -> tuple[Layout, Counter]:
    """Split -> class -> paths of all images below the root; and what was passed over."""
    root = address["path"]
    tree = layouts.Tree(root)
    layout = layouts.read(tree)
    passed_over = tree.beside({folder for by_class in layout.values() for folder in by_class.get("", ())})
    images = {
        split: {
            name: [path for folder in folders for path in listing.images(root, folder, passed_over, name != "")]
            for name, folders in by_class.items()
        }
        for split, by_class in layout.items()
    }
    if "masks" in address:
        return images, passed_over
    every = [path for by_class in images.values() for paths in by_class.values() for path in paths]
    of_classes = {folder for by_class in layout.values() for folders in by_class.values() for folder in folders}
    aside = masks.beside(root, every, of_classes)
    passed_over[listing.MASKS] += len(aside)
    kept = {
        split: {name: [path for path in paths if path not in aside] for name, paths in by_class.items()}
        for split, by_class in images.items()
    }
    return kept, +passed_over
