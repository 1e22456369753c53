"""So many rows of a stream, evenly spread by position, in bounded memory and without knowing how many will come."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

GOLDEN = np.uint64(11400714819323198485)  # 2**64 / the golden ratio, odd: Knuth 1998, TAOCP volume 3, section 6.4


def evenly(
    batches: Iterable[Sequence[np.ndarray]], most: int, change: Callable[..., Sequence[np.ndarray]] = lambda *arrays: arrays
) -> list[np.ndarray]:
    """Exactly `most` rows where there are as many, otherwise all; in the order of the stream.

    The row at place i is drawn by the fraction of i times the golden ratio, and the lowest ones stay. Of such a set the gaps have
    three lengths at most (Sós 1958), so it is spread evenly, and no period of the stream, such as classes in turns, falls in step.

    Args:
        batches: of arrays that have the same rows, [N, ...] each.
        change: what is kept of rows, such as their codes; asked for those alone that may stay, about
            most * (1 + log(rows / most)) in all.

    Returns:
        The arrays of what is kept; none where there is no row.
    """
    seen, kept, drawn = 0, [], np.zeros(0, np.uint64)
    for batch in batches:
        fresh = np.arange(seen, seen + len(batch[0]), dtype=np.uint64) * GOLDEN  # modulo 2**64
        seen += len(batch[0])
        every = np.concatenate([drawn, fresh])
        bound = np.partition(every, most - 1)[most - 1] if len(every) > most else np.uint64(2**64 - 1)
        wanted = np.flatnonzero(fresh <= bound)
        if len(wanted) == 0:
            continue
        changed = change(*(array[wanted] for array in batch))
        stay = drawn <= bound
        kept = [np.concatenate([old[stay], new]) for old, new in zip(kept, changed, strict=True)] if kept else list(changed)
        drawn = np.concatenate([drawn[stay], fresh[wanted]])
    return kept
