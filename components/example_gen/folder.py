"""Source `folder:PATH`: files of an image each as they lie in folders, a sub-folder a class, or all in one place without labels; or
files of a text each, which end in .txt.

What of it is a split or a class says components.example_gen.layouts, which files are images components.example_gen.listing, which
of these are masks of others, and are passed over, components.example_gen.masks; where data.features has a pattern of masks, they
are learned from, as components.example_gen.paired says, and where it has a folder of ground truth beside train and test, as
components.example_gen.ground_truth says. An image's id is its path below PATH.
"""

import contextlib
import functools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from components import inputs, keys
from components.example_gen import classes, files, ground_truth, layouts, listing, masks, paired
from components.example_gen.layouts import Layout
from components.example_gen.sources import Contents, Located, Raw
from configs.errors import UsageError
from configs.schema.data import DataConfig

READS = ("image", "text")
TAKES = ("masks",)
TEXT = "text"
TRUTH = "truth"  # in an address: the folder of masks
BOM = b"\xef\xbb\xbf"  # before a text that some editors wrote


def check(rest: str, datasets: Path) -> None:
    """See components.example_gen.sources. Looks for one image or text a class, not for all; whether masks beside images are to be
    learned from, only `locate` knows."""
    root = files.absolute(rest)
    if holds(rest) == inputs.DEFAULT and not paired.may_be(root):
        layouts.read(layouts.Tree(root))


def check_values(data: DataConfig) -> None:
    """Raise UsageError for keys that say what values of masks mean, where their layout says it."""
    asked = [name for name in ("mask_classes", "mask_ignore") if getattr(data, name) is not None]
    if asked and ground_truth.folder_of(data.features.get(keys.MASK)):
        raise UsageError(
            f"In a folder of ground truth any value but 0 is a defect's, and data.{' and data.'.join(asked)} would not be read.",
            f"Take {'them' if asked[1:] else 'it'} out, or name masks by a pattern (data.features.mask; docs/segmentation.md).",
        )


def holds(rest: str, features: Mapping[str, Any] = MappingProxyType({}), images: str | None = None, datasets: Path = Path()) -> str:
    """The kind of what a folder is of, where nobody says it: texts where it has no image, and folders of texts that are classes."""
    root = files.absolute(rest)
    if os.path.isdir(root) and next(listing.images(root, "", Counter()), None) is None:
        with contextlib.suppress(UsageError):
            if any(name for by_class in layouts.read(layouts.Tree(root, TEXT)).values() for name in by_class):
                return TEXT
    return inputs.DEFAULT


def called(rest: str) -> str:
    """The folder's name."""
    return Path(rest).name


def locate(
    rest: str, datasets: Path, features: Mapping[str, str], masks: str | None = None, reads: str = inputs.DEFAULT
) -> Located:
    """See components.example_gen.sources. A folder has nothing to name but a pattern of masks; `masks` is that of DataConfig."""
    root = files.absolute(rest)
    if masks and reads != inputs.DEFAULT:
        raise UsageError("data.masks is of images, and the model reads texts.", "Take data.masks out.")
    if others := sorted(set(features) - {keys.MASK}):
        raise UsageError(f"data.features names {', '.join(others)}, but a folder has no features.", "Remove data.features.")
    truth = ground_truth.folder_of(features.get(keys.MASK))
    if features.get(keys.MASK) is not None:  # null: none, over what a config extends
        if masks or reads != inputs.DEFAULT:
            strange = f"data.masks: {masks} takes masks for images" if masks else f"the model reads {reads}s"
            raise UsageError(f"data.features.mask says which files are masks, and {strange}.", "Take one of them out.")
        if not truth:
            return paired.locate(root, features[keys.MASK], datasets)
    address = {"path": root} | ({"masks": masks} if masks else {}) | ({"reads": reads} if reads != inputs.DEFAULT else {})
    listed, passed_over = _listed(address)
    every = [path for by_class in listed.values() for paths in by_class.values() for path in paths]
    if truth:
        address |= {TRUTH: truth}
        ground_truth.check(root, truth, listed)
        pairs, lone = ground_truth.paired(root, truth, listed)
        read = [path for path in pairs.values() if path is not None]
        passed_over = passed_over - Counter({listing.MASKS: len(read) + lone}) + Counter({paired.LONE: lone})
        every += read
    return Located(address, files.digested(root, every, datasets), _class_names(listed), passed_over)


def contents(address: Mapping[str, Any]) -> Contents:
    """See components.example_gen.sources. Class names are those of the folders."""
    if paired.PATTERN in address:
        return paired.contents(address)
    listed, _ = _listed(address)
    names = _class_names(listed)
    labels = {name: label for label, name in enumerate(names)}
    truth = address.get(TRUTH)
    pairs = ground_truth.paired(address["path"], truth, listed)[0] if truth else {}
    rows = {
        split: [
            files.File(path, labels.get(name), targets={keys.MASK: pairs[path]} if path in pairs else None)
            for name, paths in by_class.items()
            for path in paths
        ]
        for split, by_class in listed.items()
    }
    contents = files.contents(names, rows)
    return replace(contents, targets={keys.MASK: []}) if truth else contents


def images(address: Mapping[str, Any], shard: str) -> Iterator[Raw]:
    """See components.example_gen.sources."""
    every = (ground_truth if TRUTH in address else files).images(address["path"], shard)
    if address.get("reads", inputs.DEFAULT) == inputs.DEFAULT:
        return every
    return (raw._replace(encoded=functools.partial(_unmarked, raw.encoded)) for raw in every)


def _unmarked(read: Callable[[], bytes]) -> bytes:
    """A text without the mark before it."""
    return read().removeprefix(BOM)


def _class_names(listed: Layout) -> list[str]:
    return classes.in_order(name for by_class in listed.values() for name in by_class if name)


def _listed(address: Mapping[str, Any]) -> tuple[Layout, Counter]:
    """Split -> class -> paths of all images below the root; and what was passed over."""
    root, reads = address["path"], address.get("reads", inputs.DEFAULT)
    tree = layouts.Tree(root, reads)
    layout = layouts.read(tree)
    passed_over = tree.beside({folder for by_class in layout.values() for folder in by_class.get("", ())})
    images = {
        split: {
            name: [path for folder in folders for path in listing.images(root, folder, passed_over, name != "", reads=reads)]
            for name, folders in by_class.items()
        }
        for split, by_class in layout.items()
    }
    if "masks" in address or reads != inputs.DEFAULT:
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
