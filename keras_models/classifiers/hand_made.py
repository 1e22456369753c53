"""Features made by hand before a linear classifier: what was done before filters were learned, and what learning has to beat.

`hand_made_filters`: banks of fixed filters. Hubel & Wiesel 1962, "Receptive fields, binocular interaction and functional
architecture in the cat's visual cortex", J. Physiol. 160, found cells that answer to oriented edges and lines, and proposed that
they add up the answers of cells before them, as the filter "vertical_line" does.

`hog`: Dalal & Triggs 2005, "Histograms of oriented gradients for human detection", CVPR; 3,780 values of the paper's window of
64x128 px. Differs on purpose: no square root of the pixels, no Gaussian weights in a block. Without `interpolate` votes go whole
to the nearest orientation and cell, and the values are those of scikit-image's `hog`.

`dense_sift`: Lowe 2004, "Distinctive image features from scale-invariant keypoints", IJCV 60(2), section 6.1, at the places of a
grid. Differs on purpose: descriptors are upright and of one size, nothing is smoothed before, and the order of values is
orientation, row, column.

All: the features are layers of the graph, in float32 under any precision, so that what is served computes what was trained on.
Logits are from one dense layer, which is multinomial logistic regression where cross-entropy is the loss; Dalal & Triggs have a
support vector machine.
"""

import inspect
from collections.abc import Mapping, Sequence

import keras
from keras import layers

from keras_models import filters as banks
from keras_models.checks import need_choice, need_count, need_flag, need_image, need_positive
from keras_models.convolutions import MOMENTUM
from keras_models.layers.block_normalization import NORMS, BlockNormalization
from keras_models.layers.fixed_filters import BORDERS, VALID, FixedFilters
from keras_models.layers.normalized_correlation import NormalizedCorrelation
from keras_models.layers.orientation_votes import OrientationVotes
from keras_models.record import register
from keras_models.room import Window, need_room

FIXED = {"dtype": "float32"}  # under any precision: squares and roots
POOLINGS = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}
RECTIFIERS = ("halves", "absolute", "positive")

# strokes, corners and a crossing, 5x5
PATTERNS = (
    ("..#..", "..#..", "..#..", "..#..", "..#.."),
    (".....", ".....", "#####", ".....", "....."),
    ("#....", ".#...", "..#..", "...#.", "....#"),
    ("....#", "...#.", "..#..", ".#...", "#...."),
    (".....", ".....", "..###", "..#..", "..#.."),
    (".....", ".....", "###..", "..#..", "..#.."),
    ("..#..", "..#..", "..###", ".....", "....."),
    ("..#..", "..#..", "###..", ".....", "....."),
    ("..#..", "..#..", "#####", "..#..", "..#.."),
)


@register(
    "hand_made_filters",
    task="classification",
    params=16_180,
    tiny={"input_shape": (8, 8, 1), "num_classes": 2},
    paper="Hubel & Wiesel 1962",
    year=1962,
    space={"pool": {"choices": [2, 4]}, "pooling": {"choices": ["average", "max"]}},
)
def hand_made_filters(
    input_shape=(28, 28, 1),
    num_classes=10,
    filters=("gaussian", "sobel", "oriented", "match", "vertical_line"),
    border="reflect",
    rectify="halves",
    pool=4,
    pooling="average",
):
    """Fixed filters over each channel, rectified, pooled, standardised, and a linear classifier.

    Args:
        filters: what to look for, each the name of one of FILTERS or {name: {argument: value}}.
        border: what lies around the image, one of layers.fixed_filters.BORDERS.
        rectify: what becomes of an answer to edges and patterns, which has a sign: "halves", its positive and its negative part as
            two maps; "absolute"; or "positive" alone.
        pool: side of the squares of which each map keeps one value, px; 1 for none.
        pooling: "average" or "max".

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for fewer than 2 classes, a side shorter than `pool`, no filter, an unknown one, or an argument that it
        does not have or take.
    """
    input_shape, wanted = need_image(input_shape), [_wanted(asked) for asked in _listed(filters)]
    need_count("num_classes", num_classes, 2)
    need_choice("border", border, BORDERS)
    need_choice("rectify", rectify, RECTIFIERS)
    need_choice("pooling", pooling, POOLINGS)
    need_room(input_shape, [Window("pool", need_count("pool", pool), pool)])
    image = keras.Input(input_shape, name="image")
    plain, signed = [], []
    for number, (name, arguments) in enumerate(wanted, 1):
        maps = FILTERS[name](image, f"{name}{number}", border, **arguments)
        (signed if name in SIGNED else plain).append(maps)
    x = _joined([*plain, *_rectified(signed, rectify)], "maps")
    if pool > 1:
        x = POOLINGS[pooling](pool, **FIXED, name="pool")(x)
    x = layers.Flatten(**FIXED, name="flatten")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, center=False, scale=False, **FIXED, name="standardize")(x)
    return _classified(image, x, num_classes, "hand_made_filters")


@register(
    "hog",
    task="classification",
    params=7_562,
    tiny={"input_shape": (8, 8, 1), "num_classes": 2, "cell": 2},
    paper="Dalal & Triggs 2005",
    year=2005,
    space={"orientations": {"choices": [6, 9, 12]}, "signed": {"choices": [False, True]}},
)
def hog(
    input_shape=(128, 64, 3),
    num_classes=2,
    orientations=9,
    signed=False,
    cell=8,
    block=2,
    norm="l2_hys",
    interpolate=True,
):
    """Histograms of oriented gradients and a linear classifier.

    Args:
        orientations: maps of votes, over half a turn, or over a whole one where `signed`.
        signed: whether dark to bright differs from bright to dark.
        cell: side of a cell, px; pixels right of and below the last whole cell count only where `interpolate`.
        block: side of a block, cells.
        norm: of a block, one of layers.block_normalization.NORMS.
        interpolate: whether votes are shared linearly between the nearest two orientations and four cells, as in the paper.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for fewer than 2 classes or 3 orientations, another norm, or an image smaller than a block.
    """
    input_shape = need_image(input_shape)
    need_count("num_classes", num_classes, 2)
    need_count("orientations", orientations, 3)
    need_flag("signed", signed)
    need_flag("interpolate", interpolate)
    need_choice("norm", norm, NORMS)
    need_room(input_shape, [Window("cells", need_count("cell", cell), cell), Window("blocks", need_count("block", block))])
    image = keras.Input(input_shape, name="image")
    x = OrientationVotes(orientations, signed, interpolate, **FIXED, name="votes")(image)
    x = _shared_cells(x, cell) if interpolate else layers.AveragePooling2D(cell, **FIXED, name="cells")(x)
    x = BlockNormalization(block, norm, **FIXED, name="blocks")(x)
    return _classified(image, layers.Flatten(**FIXED, name="flatten")(x), num_classes, "hog")


@register(
    "dense_sift",
    task="classification",
    params=20_490,
    tiny={"input_shape": (8, 8, 1), "num_classes": 2, "cell": 2},
    paper="Lowe 2004",
    year=2004,
    space={"orientations": {"choices": [4, 8, 12]}},
)
def dense_sift(input_shape=(28, 28, 1), num_classes=10, orientations=8, cell=4, step=4):
    """SIFT descriptors of 4 x 4 cells at every place of a grid, and a linear classifier.

    Args:
        orientations: values of a cell, over a whole turn.
        cell: side of a cell, px.
        step: distance of descriptors, px.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for fewer than 2 classes or 3 orientations, or an image smaller than 4 cells.
    """
    input_shape = need_image(input_shape)
    need_count("num_classes", num_classes, 2)
    need_count("orientations", orientations, 3)
    need_room(input_shape, [Window("descriptors", banks.SIFT_SIDE * need_count("cell", cell), need_count("step", step))])
    image = keras.Input(input_shape, name="image")
    x = OrientationVotes(orientations, signed=True, interpolate=True, origin=0, **FIXED, name="votes")(image)
    shares = banks.sift_shares(cell)
    x = FixedFilters(shares[:, :, None], VALID, (step, 1), **FIXED, name="rows")(x)
    x = FixedFilters(shares[:, None, :], VALID, (1, step), **FIXED, name="columns")(x)
    x = BlockNormalization(1, "l2_hys", **FIXED, name="descriptors")(x)
    return _classified(image, layers.Flatten(**FIXED, name="flatten")(x), num_classes, "dense_sift")


def _classified(image, features, num_classes, name):
    return keras.Model(image, layers.Dense(num_classes, dtype="float32", name="logits")(features), name=name)


def _shared_cells(x, cell):
    """Votes shared linearly between the four nearest cells; the scale is that of the mean over a cell."""
    share = banks.tent(cell) / cell
    x = layers.ZeroPadding2D(cell // 2, **FIXED, name="cells_pad")(x)
    x = FixedFilters(share[None, :, None], VALID, (cell, 1), **FIXED, name="cells_rows")(x)
    return FixedFilters(share[None, None, :], VALID, (1, cell), **FIXED, name="cells")(x)


# filters: (image, name, border, arguments) -> maps


def _uniform(image, name, border, size=3):
    """Mean of a square of `size` px."""
    return _filtered(image, name, border, banks.uniform(need_count("size", size)))


def _gaussian(image, name, border, sigma=1.0):
    """Gaussian mean, `sigma` px."""
    return _filtered(image, name, border, banks.gaussian(need_positive("sigma", sigma)))


def _sobel(image, name, border):
    """Sobel's derivatives along x and y."""
    return _filtered(image, name, border, banks.sobel())


def _oriented(image, name, border, orientations=4, sigma=1.0):
    """Edges in so many directions, `sigma` px wide."""
    kernels = banks.oriented(need_count("orientations", orientations), need_positive("sigma", sigma))
    return _filtered(image, name, border, kernels)


def _match(image, name, border, patterns=PATTERNS, normalized=True):
    """Correlation with patterns, lists of rows of numbers or texts of "#" and "."; of -1 to 1 where normalized."""
    patterns = _patterns(patterns)
    if need_flag("normalized", normalized):
        return NormalizedCorrelation(patterns, border, **FIXED, name=name)(image)
    return _filtered(image, name, border, banks.matching(patterns))


def _vertical_line(image, name, border, length=9, contrast=1.0, gaps=1):
    """Two stages: vertical edges, where a step of `contrast` or more counts as 1; then the mean of those in a column of `length`
    px, or 0 where more than `gaps` px of it are no edge."""
    if need_count("gaps", gaps, 0) >= need_count("length", length):
        raise ValueError(f"a line of {length} px must have fewer gaps; got {gaps}")
    edges = _filtered(image, f"{name}_edges", border, banks.vertical_edges(need_positive("contrast", contrast)))
    edges = layers.ReLU(max_value=1, **FIXED, name=f"{name}_edges_relu")(edges)
    lines = _filtered(edges, name, border, banks.column(length))
    return layers.ReLU(threshold=(length - gaps - 0.5) / length, **FIXED, name=f"{name}_relu")(lines)


FILTERS = {
    "uniform": _uniform,
    "gaussian": _gaussian,
    "sobel": _sobel,
    "oriented": _oriented,
    "match": _match,
    "vertical_line": _vertical_line,
}
SIGNED = ("sobel", "oriented", "match")  # to be rectified: the others are brightness, or are already


def _filtered(x, name, border, kernels):
    return FixedFilters(kernels, border, **FIXED, name=name)(x)


def _rectified(signed, how):
    """Maps of at least 0 from those with a sign, each a list of tensors."""
    if not signed:
        return []
    x = _joined(signed, "signed")
    positive = layers.ReLU(**FIXED, name="positive")(x)
    if how == "positive":
        return [positive]
    negative = layers.ReLU(**FIXED, name="negative")(layers.Rescaling(-1, **FIXED, name="minus")(x))
    return [positive, negative] if how == "halves" else [layers.Add(**FIXED, name="absolute")([positive, negative])]


def _joined(maps, name):
    return layers.Concatenate(**FIXED, name=name)(maps) if len(maps) > 1 else maps[0]


def _listed(filters):
    if not isinstance(filters, Sequence) or isinstance(filters, str) or not filters:
        raise ValueError(f"filters must be a list of at least one of {', '.join(FILTERS)}; got {filters!r}")
    for asked in filters:
        name = next(iter(asked)) if isinstance(asked, Mapping) and len(asked) == 1 else asked
        if not isinstance(name, str) or name not in FILTERS:
            raise ValueError(f"filters must be among {', '.join(FILTERS)}, or one of them with its arguments; got {filters!r}")
    return filters


def _wanted(asked):
    """(name, arguments) of an entry of `filters`."""
    name, arguments = next(iter(asked.items())) if isinstance(asked, Mapping) else (asked, {})
    if not isinstance(arguments, Mapping):
        raise ValueError(f"the arguments of filter {name} must be by name; got {arguments!r}")
    known = list(inspect.signature(FILTERS[name]).parameters)[3:]
    for argument in arguments:
        if argument not in known:
            raise ValueError(f"filter {name} has no argument {argument!r}; it has {', '.join(known) or 'none'}")
    return name, arguments


def _patterns(patterns):
    """Numbers (patterns, rows, columns)."""
    try:
        numbers = [[[_number(value) for value in row] for row in pattern] for pattern in patterns]
        sizes = {(len(pattern), len(row)) for pattern in numbers for row in pattern}
    except (KeyError, TypeError, ValueError):
        sizes = ()
    if len(sizes) != 1:
        raise ValueError(f"patterns must be rows of numbers, or texts of # and ., all of one size; got {patterns!r}")
    return numbers


def _number(value):
    return {"#": 1.0, ".": 0.0}[value] if isinstance(value, str) else float(value)
