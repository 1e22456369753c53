"""Which folders below a path are splits and which classes.

PATH/CLASS/..., PATH/SPLIT/CLASS/..., PATH/SPLIT/FILE or PATH/FILE, where SPLIT is a word of components.keys.SPLIT_WORDS
such as train, test_set or seg_train. Below a class images may lie in folders of any depth. What may well be another layout than it
looks like is refused, with the line to use.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from components import inputs
from components.example_gen import files, listing
from configs import words
from configs.errors import UsageError, printable

MASKS = frozenset(("ground_truth", "groundtruth", "mask", "masks"))  # folders beside those of splits, as MVTec AD has them
SHOWN = 5  # folders that a message names
_WRITE = {True: "Write its files as PNG or JPEG", False: "Write its files as .txt"}
Layout = dict[str, dict[str, list[str]]]  # split -> class, "" without labels -> folders below PATH, or images below it


class Level(NamedTuple):
    """What lies directly in a folder: its first image or None, the folders that may hold images, how many are hubel's own."""

    image: str | None
    folders: list[str]
    own: int


class Tree:
    """The folders below a root that its layout depends on, each looked at once."""

    def __init__(self, root: str, reads: str = inputs.DEFAULT):
        self.root, self.reads, self.noun = root, reads, inputs.storage_of(reads).noun
        self.masks: set[str] = set()
        self.imageless: list[str] = []  # folders beside those of classes without an image: they would be lost as classes
        self._levels: dict[str, Level] = {}
        self._first: dict[str, str | None] = {}
        self._bare: dict[str, Counter] = {}  # folders without an image -> what is in them
        self._above: list[str] = []  # folders of classes, of splits, or of images without classes

    def level(self, folder: str) -> Level:
        """Raises UsageError for a folder that may not be read."""
        if folder not in self._levels:
            inside = listing.entries(os.path.join(self.root, folder))
            folders = [entry for entry in inside if listing.is_folder(entry) and not entry.name.startswith(".")]
            others = [os.path.join(folder, entry.name) for entry in folders if not listing.is_workspace(entry.path)]
            image = next(listing.images(self.root, folder, Counter(), is_deep=False, reads=self.reads), None)
            self._levels[folder] = Level(image, others, len(folders) - len(others))
        return self._levels[folder]

    def image(self, folder: str) -> str | None:
        """The first image in a folder or below it."""
        if folder not in self._first:
            passed_over: Counter = Counter()
            self._first[folder] = next(listing.images(self.root, folder, passed_over, reads=self.reads), None)
            if self._first[folder] is None:
                self._bare[folder] = passed_over
        return self._first[folder]

    def below(self, folder: str) -> list[str]:
        """The folders in a folder that have images in them or below."""
        if folder not in self._above:
            self._above.append(folder)
        return [path for path in self.level(folder).folders if path not in self.masks and self.image(path)]

    def bare(self, folder: str) -> dict[str, Counter]:
        """The folders in a folder that have no image -> what is in them instead."""
        return {path: self._bare[path] for path in self.level(folder).folders if path in self._bare}

    def beside(self, listed: Collection[str]) -> Counter:
        """What is passed over outside of the classes and of the folders `listed`, whose files are counted with their images."""
        passed_over: Counter = Counter()
        for folder in self._above:
            if folder not in listed:
                self.count(folder, passed_over, is_deep=False)
            passed_over[listing.OWN] += self.level(folder).own
            for counts in (counts for path, counts in self.bare(folder).items() if path not in self._above):
                passed_over.update(counts)
        for folder in self.masks:
            passed_over[listing.MASKS] += self.count(folder, passed_over)
        return +passed_over

    def count(self, folder: str, passed_over: Counter, is_deep: bool = True) -> int:
        """How many images a folder has; what else it has is counted in passed_over."""
        return sum(1 for _ in listing.images(self.root, folder, passed_over, is_deep, reads=self.reads))

    @property
    def readable(self) -> str:
        """A sentence on files that are read."""
        of_images = ", and other files that hold such an image" if self.reads == inputs.DEFAULT else ""
        return f"hubel reads {', '.join(sorted(inputs.storage_of(self.reads).endings))}{of_images}."


def read(tree: Tree) -> Layout:
    """Folders of the images of each split and class. Raises UsageError for a folder that is no source."""
    root = tree.root
    if not os.path.isdir(root):
        raise UsageError(
            f"There is no folder {root}." if not os.path.exists(root) else f"{root} is no folder.",
            "data.source is folder:PATH; a relative PATH starts from the current directory.",
        )
    split_folders = _split_folders(tree)
    layout: Layout = {}
    for folder, split in split_folders.items() or [("", "all")]:
        by_class = _classes(tree, folder)
        if not by_class:
            there = f" ({listing.words(held)})" if (held := _held(tree, folder)) else ""
            carved = f"Put {tree.noun}s into it, or remove it: hubel carves a split that is missing. " if folder else ""
            where = os.path.join(root, folder) if folder else root
            raise UsageError(f"There is no {tree.noun} in {where}{there}.", carved + tree.readable)
        into = layout.setdefault(split, {})
        for name, folders in by_class.items():
            into.setdefault(name, []).extend(folders)
    _check_alike(tree, layout)
    _check_nesting(tree, layout)
    _check_imageless(tree, layout)
    return layout


def _held(tree: Tree, folder: str) -> Counter:
    passed_over: Counter = Counter()
    tree.count(folder, passed_over)
    return passed_over


def _split_folders(tree: Tree) -> dict[str, str]:
    """Sub-folders that are splits -> which; none where they are classes, one of which may be called train."""
    groups = files.splits_of(tree.level("").folders)
    if not groups:
        return {}
    if len(groups) > 1 and "" not in groups:
        several = [name for named in groups.values() for name in named]
        raise UsageError(
            f"{tree.root} has the splits of several sets side by side: {_named(several)}.",
            "Put them into folders of splits, such as train/cats and test/cats for cats_train and cats_test.",
        )
    splits = groups.get("") or next(iter(groups.values()))
    others = [path for path in tree.below("") if path not in splits and path.lower() not in MASKS]
    if others and len(splits) == 1 and tree.level(next(iter(splits))).image:
        return {}
    tree.masks = {path for path in tree.level("").folders if path.lower() in MASKS}
    beside = [*others, *filter(None, [tree.level("").image])]
    if beside:
        raise UsageError(
            f"{tree.root} has {beside[0]} beside the folder of a split, {next(iter(splits))}.",
            f"Move {beside[0]} into the folder of a split, or out of {tree.root}.",
        )
    return splits


def _classes(tree: Tree, folder: str) -> dict[str, list[str]]:
    """Class name, "" without labels -> folders of one level.

    Raises:
        UsageError: where images lie beside folders of images, or none of the files in a class's folder is one.
    """
    while folder and tree.level(folder).image is None and len(inner := tree.below(folder)) == 1:
        if os.path.basename(inner[0]).lower() != os.path.basename(folder).lower():
            break
        [folder] = inner  # such as seg_train/seg_train
    named: dict[str, list[str]] = {}
    for path in tree.below(folder):
        named.setdefault(_class_name(os.path.basename(path)), []).append(path)
    loose = tree.level(folder).image
    if loose and named:
        raise UsageError(
            f"In {tree.root} the {tree.noun} {loose} lies beside the folder of {tree.noun}s {next(iter(named.values()))[0]}.",
            f"Put every {tree.noun} into the folder of its class, or all of them into one place without classes.",
        )
    tree.imageless += [path for path, held in tree.bare(folder).items() if named and held.keys() != {listing.OWN}]
    return {"": [folder]} if loose else named


def _check_alike(tree: Tree, layout: Layout) -> None:
    labelled = [split for split, by_class in layout.items() if "" not in by_class]
    bare = [split for split, by_class in layout.items() if "" in by_class]
    if labelled and bare:
        raise UsageError(
            f"In {tree.root} the split {labelled[0]} has folders of classes and {bare[0]} has {tree.noun}s without a class.",
            f"Sort {bare[0]} into classes too, or move it elsewhere: hubel carves a split that is missing.",
        )


def _check_imageless(tree: Tree, layout: Layout) -> None:
    """Raise UsageError where a folder beside those of classes is without an image: what it is of would be no class, unsaid."""
    if not tree.imageless:
        return
    [path, *more] = tree.imageless
    held, name = _held(tree, path), _base(path)
    others = [split for split, by_class in layout.items() if name in by_class and split != "all"]
    but = f", but {listing.words(held)}" if held else ""
    also = f", and {name} is a class of {others[0]}" if others else ""
    further = f" So it is with {words.count(len(more), 'further folder')}: {_named(list(map(_class_name, more)))}." if more else ""
    has_files = held.keys() - {listing.HIDDEN, listing.OWN, listing.NO_FILE}
    raise UsageError(
        printable(f"In {tree.root} the folder {_class_name(path)} holds no {tree.noun}{but}{also}.{further}"),
        f"{_WRITE[tree.reads == inputs.DEFAULT]}, or, if it is no class, move it out of {tree.root}. {tree.readable}"
        if has_files
        else f"Put its {tree.noun}s into it, or remove it.",
    )


def _check_nesting(tree: Tree, layout: Layout) -> None:
    """Raise UsageError where what looks like classes is one level above them: all hold nothing but the same folders, or there is
    one, which holds only folders."""
    by_class: dict[str, list[str]] = {}
    for name, folders in ((name, folders) for by_name in layout.values() for name, folders in by_name.items()):
        by_class.setdefault(name, []).extend(folders)
    first = next(iter(by_class.values()))[0]
    if any(tree.level(folder).image for folders in by_class.values() for folder in folders):
        return
    inside = [{_base(path) for folder in folders for path in tree.level(folder).folders} for folders in by_class.values()]
    shown = _named(sorted(inside[0]))
    if len(by_class) == 1:
        while len(inner := tree.below(first)) == 1 and not tree.level(inner[0]).image:
            first = inner[0]
        shown = _named([_base(path) for path in inner])
        raise UsageError(
            f"{tree.root} has one folder of {tree.noun}s{' in each split' if 'all' not in layout else ''}, {first}, and that holds "
            f"only folders: {shown}.",
            f"If these are the classes: data.source=folder:{os.path.join(tree.root, first)}"
            if "all" in layout
            else f"If these are the classes, move them up, out of {_base(first)}.",
        )
    if len(inside[0]) > 1 and all(names == inside[0] for names in inside):
        are = f"{tree.root} has the folders {_named(list(by_class))}, and each of them holds the same ones: {shown}."
        alone = f" One of them alone is data.source=folder:{os.path.join(tree.root, first)}"
        if splits := files.splits_of(sorted(inside[0])):
            split = next(iter(next(iter(splits.values()))))
            raise UsageError(are, f"Splits stand above classes, as in {split}/{_base(first)}: turn them round.{alone}")
        raise UsageError(
            are,
            f"If {shown} are the classes, call the folders above train, validation and test. If not, name the {tree.noun}s and "
            f"their classes in a table: data.source=csv:PATH.{alone}",
        )


def _named(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _base(path: str) -> str:
    return _class_name(os.path.basename(path))


def _class_name(folder: str) -> str:
    """Valid text, composed alike whichever system wrote the name."""
    return unicodedata.normalize("NFC", os.fsencode(folder).decode(errors="replace"))
