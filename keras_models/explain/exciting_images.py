"""The images of a data set that excite a unit most, and what it sees of them: Zeiler & Fergus 2014, figure 2; Zhou, Khosla,
Lapedriza, Oliva & Torralba 2015, "Object detectors emerge in deep scene CNNs", ICLR. The patch is the receptive field of the
strongest place (keras_models.receptive); of a layer whose field is not known the whole image is shown."""

import numpy as np

from keras_models import arithmetic
from keras_models.explain.base import MANY, MOST, Answer, Asked, Strip, Tile
from keras_models.explain.network import BATCH, Network

ORDER = 30
TITLE = "What excites a unit"
PAPER = "Zeiler & Fergus 2014, figure 2"
TELLS = "What images that excite a unit have in common: what it may stand for, in this data."
HIDES = "What excites it that the data has not; and two things in one unit look like none."
NEEDS = frozenset({MANY})
BEST = 8  # images of a unit


def strongest(network: Network, images: np.ndarray, path: str) -> tuple[np.ndarray, np.ndarray]:
    """float32 [N, units], each unit's largest value in each image, and where: int [N, units, 2], row and column; 0 without a
    grid."""
    tops, places = [], []
    for first in range(0, len(images), BATCH):
        values = network.values(images[first : first + BATCH], [path])[path]
        width = values.shape[2] if values.ndim == 4 else 1
        flat = values.reshape(len(values), -1, values.shape[-1])
        at = flat.argmax(1)
        tops.append(np.take_along_axis(flat, at[:, None], 1)[:, 0])
        places.append(np.stack([at // width, at % width], -1))
    return np.concatenate(tops), np.concatenate(places)


def field(network: Network, path: str, row: int, column: int) -> tuple[int, int, int, int] | None:
    """First row, first column, last row and last column that a place sees of the image, px; they may stick out of it. None where
    that is not known, or it is the whole image."""
    known = next((line for line in arithmetic.layer_table(network.model) if line["name"] == path), None)
    if known is None or None in (known["receptive_field"], known["offset"], known["stride"]):
        return None
    starts = [
        offset + int(place * stride) for offset, place, stride in zip(known["offset"], (row, column), known["stride"], strict=True)
    ]
    ends = [start + size - 1 for start, size in zip(starts, known["receptive_field"], strict=True)]
    covers = all(start <= 0 and end >= side - 1 for start, end, side in zip(starts, ends, network.shape[:2], strict=True))
    return None if covers else (*starts, *ends)


def show(network: Network, asked: Asked) -> Answer:
    """See base."""
    path = network.find(asked.layer) if asked.layer else network.worth_a_search()
    tops, places = strongest(network, asked.many, path)
    if asked.unit is not None:
        units = [network.check_unit(path, asked.unit)]
    else:
        varied = np.argsort(-tops.std(0), kind="stable")
        units = sorted(varied[:MOST].tolist())
    strips, figures = [], []
    for unit in units:
        best = np.argsort(-tops[:, unit], kind="stable")[:BEST]
        about, tiles = asked.name_of(network, path, unit), []
        for number in best:
            image, value = asked.many[number], float(tops[number, unit])
            called = asked.many_called[number] if len(asked.many_called) else f"image {number}"
            tiles.append(
                Tile(f"{called}: {value:.3g}", image[None], "pixels", box=field(network, path, *places[number, unit].tolist()))
            )
        strips.append(Strip(about, tiles))
        off = float((tops[:, unit] <= 0).mean())
        figures.append(
            {"unit": about, "largest": float(tops[best[0], unit]), "median": float(np.median(tops[:, unit])), "off": off}
        )
    notes = [f"The {min(BEST, len(asked.many))} strongest of {len(asked.many):,} images; framed is what the strongest place sees."]
    if strips and strips[0].tiles[0].box is None:
        notes.append(f"A value of {network.short(path)} sees all of the image, or what it sees is not known, so nothing is framed.")
    total = network.parts[path].units
    if asked.unit is None and total > len(units):
        notes.append(f"{len(units)} of the {total} units of {network.short(path)}, those that vary most; --unit shows any.")
    notes.append("Off is the share of images in which the unit is nowhere above 0.")
    return Answer(strips, figures, notes)
