"""How many images of each class are carved into validation and test, so that the shares hold in every class and in sum."""

import itertools
from collections.abc import Hashable, Mapping, Sequence

from components.example_gen.records import share

ROUNDING = 1e-9  # images; 0.29 * 100 is less than 29


def dealt(sizes: Mapping[Hashable, Sequence[int]], shares: tuple[float, float], kept: int = 1) -> dict[Hashable, tuple[int, int]]:
    """How many of each class's ids go into validation, from the first on, and how many of the next ones into test.

    Each class is rounded by itself. What the sum then has too much of a share, or lacks, is dealt over the classes in the order of
    a hash, an id each: taken from those that were rounded up, given to those that were rounded down, and what is still lacking to
    whichever class can spare an id. So the sum is off by less than an id, and a class too where the others can spare theirs.

    Args:
        sizes: images of each id, in the order in which ids are carved, by class.
        shares: of the images, for validation and for test; 0 for what is not carved.
        kept: ids of a class that stay where they are, to train on. With any, a split that is carved gets an id if there is one.
    """
    return _Deal(sizes, shares, kept).counts()


class _Deal:
    """What is dealt so far: `_ids` and `_images` hold [validation, test] of each class, `_total` of all."""

    def __init__(self, sizes, shares, kept):
        self._sizes, self._shares = sizes, shares
        self._whole = {label: sum(each) for label, each in sizes.items()}
        self._most = {label: max(0, len(each) - kept) for label, each in sizes.items()}
        self._order = sorted(sizes, key=lambda label: share(str(label).encode(), b"deal"))
        self._ids = {label: self._rounded(label) for label in sizes}
        self._images = {label: self._held(label) for label in sizes}
        self._total = [sum(images[split] for images in self._images.values()) for split in (0, 1)]
        self._carved = [split for split in (0, 1) if shares[split]]
        self._wanted = [share * sum(self._whole.values()) for share in shares]
        self._take()
        self._give(self._is_below)
        if kept:
            self._fill()
        self._give(lambda label, split: True)

    def counts(self) -> dict[Hashable, tuple[int, int]]:
        """See `dealt`."""
        return {label: (first, second) for label, (first, second) in self._ids.items()}

    def _rounded(self, label) -> list[int]:
        first, second = (round(self._whole[label] * share) for share in self._shares)
        ends = list(itertools.accumulate(self._sizes[label]))
        within, both = (min(self._most[label], sum(end <= images for end in ends)) for images in (first, first + second))
        return [within, both - within]

    def _held(self, label) -> list[int]:
        first, second = self._ids[label]
        return [sum(self._sizes[label][:first]), sum(self._sizes[label][first : first + second])]

    def _change(self, label, split: int, by: int) -> None:
        self._ids[label][split] += by
        before, self._images[label] = self._images[label], self._held(label)
        self._total = [total - old + new for total, old, new in zip(self._total, before, self._images[label], strict=True)]

    def _lacking(self, split: int) -> float:
        return self._wanted[split] - self._total[split]

    def _is_below(self, label, split: int) -> bool:
        return self._images[label][split] < self._shares[split] * self._whole[label] - ROUNDING

    def _is_above(self, label, split: int) -> bool:
        return self._images[label][split] > self._shares[split] * self._whole[label] + ROUNDING

    def _free(self, label) -> int:
        return self._most[label] - sum(self._ids[label])

    def _take(self) -> None:
        for label, split in itertools.product(self._order, self._carved):
            first, second = self._ids[label]
            if self._ids[label][split] and self._is_above(label, split):
                last = self._sizes[label][first + second - 1 if split else first - 1]
                if last <= ROUNDING - self._lacking(split):
                    self._change(label, split, -1)

    def _give(self, may) -> None:
        """An id to each class in turn, for the split that lacks most of its share, until no id fits."""
        is_given = True
        while is_given:
            is_given = False
            for label in self._order:
                if self._free(label) <= 0:
                    continue
                size = self._sizes[label][sum(self._ids[label])]
                fitting = [split for split in self._carved if size <= self._lacking(split) + ROUNDING and may(label, split)]
                if fitting:
                    self._change(label, max(fitting, key=lambda split: self._lacking(split) / self._shares[split]), 1)
                    is_given = True

    def _fill(self) -> None:
        """One id to a split that has none, of the class that has most to spare, or from the other split."""
        for split in self._carved:
            if self._total[split] or not self._order:
                continue
            label = max(self._order, key=self._free)
            if self._free(label) <= 0:
                label = max(self._order, key=lambda label: self._ids[label][1 - split])
                if sum(ids[1 - split] for ids in self._ids.values()) < 2:
                    continue
                self._change(label, 1 - split, -1)
            self._change(label, split, 1)
