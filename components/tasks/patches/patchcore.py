"""A memory of patches of normal images, and how far the patches of an image are from it: PatchCore, Roth et al. 2022, CVPR.

Differs on purpose: maps keep their channels, which the authors' code pools to 1,024; the first patch of the memory is drawn, where
their code begins with the one that is farthest from ten others.
"""

import numpy as np

from components import progress
from components.tasks.patches import shared
from configs.errors import HubelError

PROJECTED = 128  # numbers that a patch is projected to while the memory is chosen, as in the authors' code
MOST_BYTES = 2**32  # of the training images' patches, which are held until the memory is chosen


class Task(shared.Patches):
    """Models have a PatchMemory."""

    def learn(self, head, features):
        held, size = [], 0
        for batch in features:
            held.append(batch.reshape(-1, batch.shape[-1]))
            size += batch.nbytes
            if size > MOST_BYTES:
                raise HubelError(
                    f"The training images' patches take more than {MOST_BYTES / 2**30:.0f} GiB.",
                    "Take coarser maps or fewer channels (transfer.layers), or fewer images (data.limit).",
                )
        patches = np.concatenate(held)
        progress.emit("note", text=f"choosing {head.patches:,} of {len(patches):,} patches")
        head.hold(patches[coreset(projected(patches, PROJECTED, head.seed), head.patches, head.seed)])

    def scored(self, head, maps, inside):
        return head.both(maps, inside)


def projected(patches: np.ndarray, length: int, seed: int) -> np.ndarray:
    """Rows at random in `length` numbers, which keeps their distances, nearly; as they are where they have no more.

    float32 [N, channels] -> float32 [N, length]: Gaussian, as sklearn.random_projection.GaussianRandomProjection.
    """
    channels = patches.shape[1]
    if channels <= length:
        return patches
    directions = np.random.default_rng(seed).normal(0, length**-0.5, (channels, length)).astype(np.float32)
    return patches @ directions


def coreset(rows: np.ndarray, many: int, seed: int) -> np.ndarray:
    """Places of rows of which each is chosen because it is the farthest from those before it: the greedy solution of the k-centre
    problem, algorithm 1; at most twice as far from all as the best (Gonzalez 1985, Theoretical Computer Science 38).

    Args:
        rows: float32 [N, length]. many: how many, at most N. seed: of the first one.

    Returns:
        int64 [many], each place once.
    """
    rows = rows - rows.mean(0)  # squares of what is far from 0 would leave no digits for differences
    squares = np.einsum("nk,nk->n", rows, rows)
    places = np.empty(many, np.int64)
    places[0] = np.random.default_rng(seed).integers(len(rows))
    least = np.full(len(rows), np.inf, np.float32)
    for number in range(many):
        if number:
            places[number] = np.argmax(least)
        at = places[number]
        np.minimum(least, squares - 2 * (rows @ rows[at]) + squares[at], out=least)
        least[at] = -np.inf
    return places
