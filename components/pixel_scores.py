"""Maps of anomalies held against masks, in the graph that is served: what is kept of an image is how many of its pixels have which
score. docs/anomalies.md has the figures that are made of it.

A map is resized to its mask, in the image's own size, and never the mask to the map.
"""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from components import targets

# Shares of the normal pixels below an edge between bins: dense where a false positive rate of up to 0.3 is decided.
_BODY = np.concatenate([np.linspace(0, 0.7, 96, endpoint=False), np.linspace(0.7, 0.99, 160, endpoint=False)])
SHARES = np.concatenate([_BODY, 1 - np.geomspace(1e-2, 1e-5, 96)])
ABOVE = np.geomspace(1, 1e3, 160)[1:]  # edges above all of these pixels, as multiples of the largest score
LEAST = 1e-12  # stands for the largest score where all are 0
COUNTS = NORMAL, DEFECT, OVERLAP = "normal_pixels", "defect_pixels", "region_overlap"  # what is kept of each bin
REGIONS = "regions"
_OF_IMAGE = 1024  # quantiles that are kept of an image's map
NEIGHBOURS = [(y, x) for y in (0, 1, 2) for x in (0, 1, 2) if (y, x) != (1, 1)]  # in a grid with a border of 1 px


def edges(maps: Iterable[np.ndarray]) -> np.ndarray:
    """Edges between bins of scores, from maps of normal images: float32, ascending, at most 512 of them.

    Quantiles of all pixels, of 1,024 quantiles of each image, so that memory is 4 KB an image; above the largest, geometric steps
    up to a thousand times as much.

    Args:
        maps: of each image what lies inside it, float32 [any], at least 0.
    """
    ranks, kept, largest = np.linspace(0, 1, _OF_IMAGE), [], 0.0
    for map_ in maps:
        kept.append(np.quantile(map_, ranks).astype(np.float32))
        largest = max(largest, float(kept[-1][-1]))
    body = np.quantile(np.concatenate(kept), SHARES)
    return np.unique(np.concatenate([body, max(largest, LEAST) * np.r_[1.0, ABOVE]]).astype(np.float32))


def counted(map_: tf.Tensor, frame: tf.Tensor, encoded: tf.Tensor, at: np.ndarray) -> dict[str, tf.Tensor]:
    """What is kept of one image.

    Args:
        map_: float32 [height, width], scores in the model's input.
        frame: float32 [6], see components.transform.placement.frame.
        encoded: string scalar, the mask as records have it, of the image's own size: 0 is normal, targets.VOID counts for nothing,
            and any other value is a defect.
        at: float32 [bins - 1], as of `edges`; a score on an edge is of the bin above it.

    Returns:
        float32 [bins] each: `normal_pixels` and `defect_pixels`, how many have a score in each bin; `region_overlap`, of the share
        that a defect pixel is of its region, the sums; and float32 scalar `regions`, how many the mask has: Bergmann et al. 2019,
        CVPR, section 5.2, connected with 8 neighbours, as in their code.
    """
    mask = tf.io.decode_png(encoded, 1)[..., 0]
    is_defect = (mask > 0) & (mask != targets.VOID)
    own = own_size(map_, frame, tf.shape(mask))
    bins = tf.searchsorted(tf.constant(at), tf.reshape(own, [-1]), side="right")
    bins = tf.reshape(bins, tf.shape(mask))
    many = len(at) + 1

    def by_bin(chosen, weights=None):
        """In float64: float32 stands still at 2^24 pixels, and loses a hundredth of the shares of a region of a million."""
        chosen = tf.boolean_mask(bins, chosen)
        weights = tf.ones_like(chosen, tf.float64) if weights is None else weights
        return tf.cast(tf.ensure_shape(tf.math.unsorted_segment_sum(weights, chosen, many), [many]), tf.float32)

    sizes, regions = sizes_of_regions(is_defect)
    return {
        NORMAL: by_bin(mask == 0),
        DEFECT: by_bin(is_defect),
        OVERLAP: by_bin(is_defect, 1.0 / tf.cast(sizes, tf.float64)),
        REGIONS: tf.cast(regions, tf.float32),
    }


def own_size(map_: tf.Tensor, frame: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """A map of the model's input in an image's own frame, bilinear between the centres of pixels and constant beyond the outermost
    of the image; 0 where `resize: crop` has cut the image off.

    Args:
        map_: float32 [height, width]. frame: float32 [6]. size: int32 [2], height and width in px.

    Returns:
        float32 [size].
    """
    sides = tf.cast(tf.shape(map_), tf.float32)

    def places(axis):
        factor, shift = frame[2 + axis], frame[4 + axis]
        at = (tf.range(tf.cast(size[axis], tf.float32)) + 0.5) * factor + shift - 0.5
        first, last = tf.maximum(shift, 0.0), tf.minimum(shift + frame[axis] * factor, sides[axis]) - 1.0
        is_seen = (at > -0.5 - 1e-3) & (at < sides[axis] - 0.5 + 1e-3)
        at = tf.clip_by_value(at, first, tf.maximum(last, first))
        before = tf.cast(tf.floor(at), tf.int32)
        return before, tf.minimum(before + 1, tf.shape(map_)[axis] - 1), at - tf.floor(at), tf.cast(is_seen, tf.float32)

    top, below, down, high = places(0)
    left, beside, right, wide = places(1)
    rows = tf.gather(map_, top) * (1 - down)[:, None] + tf.gather(map_, below) * down[:, None]
    values = tf.gather(rows, left, axis=1) * (1 - right) + tf.gather(rows, beside, axis=1) * right
    return values * high[:, None] * wide


def sizes_of_regions(is_defect: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Connected components of a mask, with 8 neighbours: FastSV, Zhang, Azad & Hu 2020, SIAM PP, algorithm 2, a number of rounds
    that grows with the logarithm of the pixels.

    Args:
        is_defect: bool [height, width].

    Returns:
        int32 [pixels], of each pixel that is of a defect, row by row, how many its region has; and int32 scalar, the regions.
    """
    at = tf.cast(tf.where(is_defect), tf.int32)
    many = tf.shape(at)[0]
    own = tf.range(many)
    numbered = tf.tensor_scatter_nd_update(tf.fill(tf.shape(is_defect) + 2, -1), at + 1, own)
    around = tf.stack([tf.gather_nd(numbered, at + offset) for offset in NEIGHBOURS], 1)
    around = tf.where(around < 0, own[:, None], around)

    def round_(parents, grand, _):
        hooked = tf.reduce_max(tf.gather(grand, around), 1)
        parents = tf.tensor_scatter_nd_max(parents, parents[:, None], hooked)
        parents = tf.maximum(tf.maximum(parents, hooked), grand)
        after = tf.gather(parents, parents)
        return parents, after, tf.reduce_any(after != grand)

    unknown = (tf.TensorShape([None]), tf.TensorShape([None]), tf.TensorShape([]))
    _, labels, _ = tf.while_loop(lambda *state: state[2], round_, (own, own, many > 0), unknown)
    sizes = tf.math.unsorted_segment_sum(tf.ones_like(labels), labels, many)
    return tf.gather(sizes, labels), tf.reduce_sum(tf.cast(sizes > 0, tf.int32))
