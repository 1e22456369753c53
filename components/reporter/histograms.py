"""How often values are where, of plain arrays."""

from collections.abc import Mapping

import numpy as np

MOST_BINS = 60


def of_groups(groups: Mapping[str, np.ndarray], most: int = MOST_BINS) -> list[dict]:
    """Rows {group, low, high, count} of the bins that are not empty, between the same edges for each group.

    Bins are as wide as Freedman & Diaconis 1981 have them over all finite values, at most `most`; what is not finite is in none.
    """
    groups = {name: values[np.isfinite(values)].astype(np.float64) for name, values in groups.items()}
    everything = np.concatenate(list(groups.values())) if groups else np.empty(0)
    if not everything.size:
        return []
    edges = np.histogram_bin_edges(everything, min(most, _bins(everything)))
    return [row for name, values in groups.items() for row in _rows(values, edges, group=name)]


def of_whole_numbers(values: np.ndarray, most: int = MOST_BINS) -> list[dict]:
    """Rows {low, high, count} of whole numbers [N]: a bin for each, half a unit either way; wider ones where there would be more
    than `most`."""
    low, high = int(values.min()), int(values.max())
    width = -(-(high - low + 1) // most)
    return _rows(values, np.arange(low, high + width + 1, width) - 0.5)


def _rows(values: np.ndarray, edges: np.ndarray, **others: str) -> list[dict]:
    counts, _ = np.histogram(values, edges)
    bins = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    return [{**others, "low": low, "high": high, "count": count} for low, high, count in bins if count]


def _bins(values: np.ndarray) -> int:
    """How many; at least Sturges's number. A few far values ask for millions, which are not made."""
    spread, sturges = float(np.ptp(values)), int(np.ceil(np.log2(len(values)))) + 1
    if not spread:
        return 1
    width = 2 * float(np.subtract(*np.percentile(values, [75, 25]))) / len(values) ** (1 / 3)
    return max(sturges, int(min(np.ceil(spread / width), MOST_BINS))) if width else sturges
