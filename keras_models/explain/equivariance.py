"""Equivariance and invariance: shift the image and see whether the maps shift with it and the answer stays. Lenc & Vedaldi
2015, "Understanding image representations by measuring their equivariance and equivalence", CVPR; Zhang 2019, "Making
convolutional networks shift-invariant again", ICML, which has what strides take away of it.

A map is equivariant where f(shift x) = shift f(x): compared where both have values, for a shift by a whole number of the map's
strides. What comes in at the side has the colour of the background.
"""

import numpy as np

from keras_models import arithmetic
from keras_models.explain import feature_maps
from keras_models.explain.base import IMAGES, Answer, Asked, Strip, Tile, Unsuited
from keras_models.explain.network import BACKGROUND, Network, background

ORDER = 70
TITLE = "Equivariance and invariance"
PAPER = "Lenc & Vedaldi 2015; Zhang 2019"
TELLS = "Whether maps move with what they show, and how far an image may be shifted before the answer changes."
HIDES = "Turns, sizes and all other changes; and whether what was moved out of the image mattered."
NEEDS = frozenset({IMAGES})
SHIFTS = (1, 2, 4)  # px to the right and to the left, those that are at most a quarter of the width
LAYERS = 6


def shifted(images: np.ndarray, by: int) -> np.ndarray:
    """Moved to the right by so many px, to the left where that is negative; what comes in is background."""
    made = np.broadcast_to(background(images), images.shape).copy()
    width = images.shape[2]
    made[:, :, max(by, 0) : width + min(by, 0)] = images[:, :, max(-by, 0) : width - max(by, 0)]
    return made


def strides(network: Network) -> dict[str, int]:
    """Path -> px of the image between one value and the next to the right, of layers of maps of which that is a whole number."""
    rows = {row["name"]: row["stride"] for row in arithmetic.layer_table(network.model)}
    return {
        path: rows[path][1]
        for path, part in network.parts.items()
        if part.has_maps and rows.get(path) and isinstance(rows[path][1], int) and rows[path][1] > 0
    }


def difference(network: Network, images: np.ndarray, path: str, by: int, stride: int) -> float | None:
    """Of maps of shifted images from shifted maps, as a share of the maps' own size, where both have values; 0: equivariant,
    None where nothing is left or all is 0.

    Args:
        by: px, a multiple of `stride`.
    """
    values = network.values(np.concatenate([images, shifted(images, by)]), [path])[path]
    before, after = np.split(values, 2)
    places, width = by // stride, values.shape[2]
    if abs(places) >= width:
        return None
    moved = after[:, :, max(places, 0) : width + min(places, 0)]
    same = before[:, :, max(-places, 0) : width - max(places, 0)]
    size = np.sqrt(np.mean(np.square(same - same.mean())))
    return float(np.sqrt(np.mean(np.square(moved - same))) / size) if size else None


def show(network: Network, asked: Asked) -> Answer:
    """See base. Raises Unsuited for a network that has neither maps nor an answer."""
    known, images = strides(network), asked.images
    if asked.layer:
        named = network.find(asked.layer)
        if named not in known:
            raise Unsuited(
                f"{network.short(named)} of {network.model.name} has no maps with a stride that is known.", "Name another --layer."
            )
        paths = [named]
    else:
        every = [path for path in feature_maps.paths_of(network) if path in known]
        paths = (
            [every[place] for place in sorted({*np.linspace(0, len(every) - 1, min(LAYERS, len(every))).astype(int).tolist()})]
            if every
            else []
        )
    if not paths and not network.is_classifier:
        raise Unsuited(
            f"{network.model.name} has no maps that could move, and no class that could stay.", "Feature maps shows its layers."
        )
    side = network.shape[1]
    strips, figures, notes = [], [], [f"What comes in at the side has {BACKGROUND}."]
    for path in paths:
        stride = known[path]
        by = stride * max(1, round(2 / stride))
        if by > side // 2:
            notes.append(f"{network.short(path)} is left out: its stride of {stride} px is more than half the image.")
            continue
        figures.append({"what": network.short(path), "shift": by, "off by": difference(network, images, path, by, stride)})
        strips.append(_maps(network, asked, path, by))
    if network.is_classifier:
        by = [each for each in SHIFTS if each <= side // 4] or [1]
        strips.append(_answers(network, asked, by, figures))
    notes.append("“off by” is how far the maps of the shifted image are from the shifted maps, as a share of their deviation.")
    if len(images) and network.is_classifier:
        notes.append("“same answer” is the share of the images whose largest output stays.")
    return Answer(strips, figures, notes)


def _maps(network, asked, path, by):
    image = asked.images[:1]
    pair = np.concatenate([image, shifted(image, by)])
    values = network.values(pair, [path])[path]
    unit = asked.unit if asked.unit is not None else int(values[0].reshape(-1, values.shape[-1]).std(0).argmax())
    network.check_unit(path, unit)
    maps = values[..., unit]
    kind = "signed" if (maps < 0).any() else "strength"
    about = asked.name_of(network, path, unit)
    return Strip(
        f"{about}, shifted by {by} px",
        [
            Tile("the image", pair[:1], "pixels"),
            Tile("its map", maps[:1, ..., None], kind),
            Tile("the image shifted", pair[1:], "pixels"),
            Tile("its map", maps[1:, ..., None], kind),
        ],
    )


def _answers(network, asked, by, figures):
    """Add the share of answers that stay; the strip is of the first image."""
    images, path = asked.images, network.output
    before, tiles = network.values(images, [path])[path].argmax(-1), []
    for shift in sorted([-each for each in by] + [0, *by]):
        moved = shifted(images, shift)
        after = network.values(moved, [path])[path]
        name = asked.name_of(network, path, int(after[0].argmax()))
        tiles.append(Tile(f"{shift:+d} px: {name}", moved[:1], "pixels"))
        if shift:
            figures.append({"what": "the answer", "shift": shift, "same answer": float((after.argmax(-1) == before).mean())})
    return Strip("The answer for the first image, shifted", tiles)
