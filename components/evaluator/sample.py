"""Some rows of a stream, evenly by position, in bounded memory and without knowing how many will come."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np


def evenly(
    batches: Iterable[Sequence[np.ndarray]], most: int, change: Callable[..., Sequence[np.ndarray]] = lambda *arrays: arrays
) -> list[np.ndarray]:
    """Every row, every second, every fourth, ...: the first of these that is at most `most` rows.

    Args:
        batches: of arrays that have the same rows, [N, ...] each.
        change: what is kept of rows, such as their codes; asked for those alone that may stay, about
            most * (1 + log2(rows / most) / 2) in all.

    Returns:
        The arrays of what is kept; none where there is no row.
    """
    step, seen, kept = 1, 0, []
    for batch in batches:
        wanted = np.arange(-seen % step, len(batch[0]), step)
        seen += len(batch[0])
        if len(wanted) == 0:
            continue
        found = change(*(array[wanted] for array in batch))
        kept = [np.concatenate(pair) for pair in zip(kept, found, strict=True)] if kept else list(found)
        while len(kept[0]) > most:
            step *= 2
            kept = [array[::2] for array in kept]
    return kept
