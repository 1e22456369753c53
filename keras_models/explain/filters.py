"""Filters of the first layer that has any, as pictures: Krizhevsky, Sutskever & Hinton 2012, figure 3; Zeiler & Fergus 2014,
figure 6.

A filter of a first convolution has the image's channels, so it is one; so has a dense layer's unit, laid out as the image. What
stands before, such as a normalisation, is linear in a pixel but for images normalised one by one, and is left out.
"""

import numpy as np

from keras_models.explain.base import Answer, Asked, Strip, Tile, Unsuited
from keras_models.explain.network import Network

ORDER = 10
TITLE = "First-layer filters"
PAPER = "Krizhevsky, Sutskever & Hinton 2012, figure 3"
TELLS = "What the first layer looks for: edges and blobs where it learned, noise where it did not, nothing where a filter is dead."
HIDES = "What deeper layers make of it."
NEEDS = frozenset()
SHOWN = 128  # filters


def kernels(network: Network, path: str) -> np.ndarray | None:
    """float32 [units, rows, columns, channels] of a layer that multiplies pixels, or maps; None of one that does not."""
    operation, (height, width, channels) = network.parts[path].operation, network.shape
    kernel = getattr(operation, "kernel", None)
    if kernel is None:
        return None
    values = np.asarray(kernel, "float32")
    if values.ndim == 4 and values.shape[2] == channels:  # depthwise, too: a filter for each channel
        return np.moveaxis(values, -1, 0)
    if values.ndim == 3:  # one channel each
        return np.moveaxis(values, -1, 0)[..., None]
    if values.ndim == 2 and values.shape[0] == height * width * channels:
        return values.T.reshape(-1, height, width, channels)
    return None


def show(network: Network, asked: Asked) -> Answer:
    """See base. Raises Unsuited where the first layer with weights has no filters that can be seen."""
    named = [network.find(asked.layer)] if asked.layer else [path for path, part in network.parts.items() if _multiplies(part)]
    if not named:
        raise Unsuited(
            f"{network.model.name} multiplies no pixel by a weight.", "Activation maximisation shows what its units answer."
        )
    path, made = named[0], kernels(network, named[0])
    if made is None:
        raise Unsuited(
            f"{network.short(path)} of {network.model.name} has no filters over the image's {network.shape[2]} channels.",
            "Activation maximisation shows what its units look for.",
        )
    if asked.unit is not None:
        if not 0 <= asked.unit < len(made):
            raise Unsuited(
                f"There is no unit {asked.unit}: {network.short(path)} has filters 0 to {len(made) - 1}.", "Give another --unit."
            )
        made, numbers = made[asked.unit : asked.unit + 1], [asked.unit]
    else:
        numbers = list(range(len(made)))
    shown = made[:SHOWN]
    sizes = np.sqrt(np.square(made).mean((1, 2, 3)))
    called = [f"{number}" for number in numbers[:SHOWN]]
    rows, columns = made.shape[1:3]
    where = f"{network.short(path)}: {len(made)} filters of {rows} x {columns} px"
    figures = [{"layer": network.short(path), "filters": len(made), "dead": int((sizes < 0.01 * sizes.max()).sum())}]
    notes = [f"{len(made) - SHOWN} more are not shown."] if len(made) > SHOWN else []
    notes.append("Each filter has its own scale; 0 is white, over colours grey. Dead: less than a hundredth of the largest's size.")
    return Answer([Strip(where, [Tile(where, shown, "signed", called)])], figures, notes)


def _multiplies(part):
    return getattr(part.operation, "kernel", None) is not None
