"""What the ids of a folder's images, which are their paths, say beyond their class: masks of others, folders below the classes."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from components.example_gen import masks
from components.example_gen.masks import EXACT, FLAT, FOLDER, IMAGES, MOST


class Places:
    """Ids, gathered one by one."""

    def __init__(self):
        self._stems: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))  # folder -> stem -> names
        self._is_flat: dict[str, bool] = {}
        self._below: dict[str, Counter] = defaultdict(Counter)  # class -> folder below it, "" for itself -> images

    def add(self, image_id: bytes, class_name: str | None) -> None:
        """An image's path below the source's folder."""
        path = PurePosixPath(image_id.decode(errors="replace"))
        self._stems[str(path.parent)][path.stem].append(path.name)
        if class_name is not None and class_name in path.parts[:-1]:
            self._below[class_name]["/".join(path.parts[path.parts.index(class_name) + 1 : -1])] += 1

    def seen(self, image_id: bytes, is_flat: bool) -> None:
        """Whether an image of the sample has a handful of colours and no more."""
        self._is_flat[image_id.decode(errors="replace")] = is_flat

    def masks(self) -> dict[str, Any] | None:
        """{images: how many are masks, by their names or, as namesakes of images of another ending or folder, by their few colours,
        such as: one of these, folders: names of those that hold masks alone}; None without any."""
        beside = [
            f"{folder}/{names[0]}".removeprefix("./")
            for folder, stems in self._stems.items()
            for stem, names in stems.items()
            if masks.image_of(stem, stems)
        ]
        shares = {folder: self._flat_share(folder) for folder in self._stems}  # once: each folder is held against all others
        folders = {
            folder: stems
            for folder, stems in self._stems.items()
            if self._is_of_masks(folder, shares) or self._is_flat_twin(folder, shares)
        }
        inside = [f"{folder}/{name}" for folder, stems in folders.items() for names in stems.values() for name in names]
        held = sorted({*beside, *inside, *self._flat_namesakes()})
        if not held:
            return None
        return {"images": len(held), "such as": held[0], "folders": sorted({PurePosixPath(folder).name for folder in folders})}

    def _is_of_masks(self, folder: str, shares: Mapping[str, float]) -> bool:
        """Whether it is called so, and most of its images have the name of one elsewhere: in a folder that is called images, or in
        any, where a mask's values survive in its files and those that were sampled are no photos. A class may be called mask, and
        classes may be numbered alike."""
        if not FOLDER.fullmatch(PurePosixPath(folder).name):
            return False
        own, others = self._stems[folder], {other: stems for other, stems in self._stems.items() if other != folder}
        if self._are_namesakes(own, (stems for other, stems in others.items() if IMAGES.fullmatch(PurePosixPath(other).name))):
            return True
        is_lossless = all(name.lower().endswith(EXACT) for names in own.values() for name in names)
        return is_lossless and shares[folder] >= MOST and self._are_namesakes(own, others.values())

    @staticmethod
    def _are_namesakes(own: Collection[str], folders: Iterable[Iterable[str]]) -> bool:
        others = {stem for stems in folders for stem in stems}
        return sum(stem in others or masks.image_of(stem, others) is not None for stem in own) >= MOST * len(own)

    def _is_flat_twin(self, folder: str, shares: Mapping[str, float]) -> bool:
        """Whether its images have few colours, and their namesakes in another folder, nearly all of which are there, have many; or
        that one is called images: drawings have few colours themselves."""
        own = self._stems[folder]
        return (
            shares[folder] >= FLAT
            and not IMAGES.fullmatch(PurePosixPath(folder).name)
            and any(
                other != folder
                and (1 - shares[other] >= FLAT or IMAGES.fullmatch(PurePosixPath(other).name))
                and len(own.keys() & stems.keys()) >= FLAT * len(own)
                for other, stems in self._stems.items()
            )
        )

    def _flat_share(self, folder: str) -> float:
        """Of those images of a folder that were sampled; 0.5, which says nothing, without any."""
        paths = (f"{folder}/{name}".removeprefix("./") for names in self._stems[folder].values() for name in names)
        told = [self._is_flat[path] for path in paths if path in self._is_flat]
        return sum(told) / len(told) if told else 0.5

    def _flat_namesakes(self) -> list[str]:
        """cat.png beside cat.jpg, where those that were sampled have few colours and the others many."""
        pairs = []
        for folder, stems in self._stems.items():
            for names in (names for names in stems.values() if len(names) == 2):
                paths = [f"{folder}/{name}".removeprefix("./") for name in names]
                pairs += [pair for pair in (paths, paths[::-1]) if pair[0].lower().endswith(EXACT) and self._may_be_flat(pair[0])]
        told = [self._is_flat[mask] and not self._is_flat.get(image, False) for mask, image in pairs if mask in self._is_flat]
        return [mask for mask, _ in pairs] if told and sum(told) >= FLAT * len(told) else []

    def _may_be_flat(self, path: str) -> bool:
        return self._is_flat.get(path, True)

    def below(self) -> dict[str, Any] | None:
        """{folders: how many lie below the classes, classes: of how many classes, such as: one of these}, where most classes have
        several folders below them; None otherwise."""
        several = {name: below for name, below in self._below.items() if len([folder for folder in below if folder]) > 1}
        if not several or 2 * len(several) < len(self._below):
            return None
        name, below = next(iter(sorted(several.items())))
        folders = sum(len([folder for folder in of if folder]) for of in several.values())
        return {"folders": folders, "classes": len(several), "such as": f"{name}/{min(filter(None, below))}"}
