"""Feature maps: what each layer makes of an image; Yosinski, Clune, Nguyen, Fuchs & Lipson 2015, "Understanding neural networks
through deep visualization", ICML workshop, section 2. Values without a grid stand in rows of ROW."""

import numpy as np

from keras_models.explain.base import IMAGES, Answer, Asked, Strip, Tile
from keras_models.explain.network import Network

ORDER = 20
TITLE = "Feature maps"
PAPER = "Yosinski, Clune, Nguyen, Fuchs & Lipson 2015"
TELLS = "What is kept of an image from layer to layer, where, and by how many maps; maps of one value are dead for this image."
HIDES = "What a map means, and whether anything after it makes use of it."
NEEDS = frozenset({IMAGES})
MAPS = 16  # of a layer, the most varied first
LAYERS = 12  # spread evenly over the network where it has more
ROW = 32  # values without a grid in a row


def paths_of(network: Network) -> list[str]:
    """The layers that are worth a look: whatever computes, not what rearranges or only normalises pixels."""
    paths, before = [], None
    for path, part in network.parts.items():
        kind = type(part.operation).__name__
        worth = bool(part.shape) and None not in part.shape and len(part.shape) in (1, 3)
        if worth and path not in (next(iter(network.parts)), "normalize") and kind not in IDLE:
            if before and network.parts[before].shape == part.shape and not hasattr(part.operation, "kernel"):
                paths.pop()  # what an activation or a sum makes of a layer stands for it
            paths.append(path)
            before = path
    return paths


IDLE = (
    "Flatten",
    "Reshape",
    "Dropout",
    "ZeroPadding2D",
    "InfinitePadding2D",
    "Identity",
    "Rescaling",
    "Normalization",
    "InputLayer",
)


def show(network: Network, asked: Asked) -> Answer:
    """See base."""
    every = [network.find(asked.layer)] if asked.layer else paths_of(network)
    places = sorted({*np.linspace(0, len(every) - 1, min(LAYERS, len(every))).round().astype(int).tolist()})
    paths = [every[place] for place in places]
    values = network.values(asked.images, paths)
    strips, figures = [], []
    for place, image in enumerate(asked.images):
        tiles = [Tile("the image", image[None], "pixels")]
        for path in paths:
            given = values[path][place]
            maps, numbers = _maps(given) if given.ndim == 3 else (given[None, None, :], [None])
            if asked.unit is not None and given.ndim == 3:
                maps, numbers = given[..., network.check_unit(path, asked.unit)][None], [asked.unit]
            kind = "signed" if (given < 0).any() else "strength"
            shown = maps if given.ndim == 3 else _rows(given)[None]
            shape = " x ".join(map(str, given.shape))
            tiles.append(
                Tile(f"{network.short(path)}, {shape}", shown[..., None], kind, [f"{n}" for n in numbers if n is not None])
            )
            figures.append(
                {
                    "image": asked.called[place] if asked.called else f"image {place}",
                    "layer": network.short(path),
                    "units": given.shape[-1],
                    "off": int((np.ptp(given.reshape(-1, given.shape[-1]), axis=0) == 0).sum())
                    if given.ndim == 3
                    else int((given == 0).sum()),
                    "least": float(given.min()),
                    "largest": float(given.max()),
                }
            )
        strips.append(Strip(asked.called[place] if asked.called else f"image {place}", tiles))
    notes = [f"Of a layer with more than {MAPS} maps those that vary most; each map has its own scale. Off are maps of one value."]
    if len(paths) < len(every):
        notes.append(f"{len(paths)} of {len(every)} layers, spread over the network; --layer shows any.")
    return Answer(strips, figures, notes)


def _maps(given):
    """[height, width, maps] -> the most varied, [n, height, width], in their order, and their numbers."""
    varied = given.reshape(-1, given.shape[-1]).std(0)
    numbers = sorted(np.argsort(-varied, kind="stable")[:MAPS].tolist())
    return np.moveaxis(given[..., numbers], -1, 0), numbers


def _rows(given):
    rows = -(-len(given) // ROW)
    wide = min(ROW, len(given))
    return np.pad(given, (0, rows * wide - len(given))).reshape(rows, wide)
