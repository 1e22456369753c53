"""Whether an attribution is to be believed: three figures, each from its paper.

Infidelity and sensitivity: Yeh, Hsieh, Suggala, Inouye & Ravikumar 2019, "On the (in)fidelity and sensitivity of explanations",
NeurIPS, definitions 2.1 and 3.1. Randomised weights: Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim 2018, "Sanity checks for
saliency maps", NeurIPS, section 3, cascading from the last layer down.

Differs on purpose: infidelity is of squares that become background (their square removal), at the best scale of the
attribution, which they allow, and is given as a share of what it would be of an attribution that says nothing; weights are
randomised by shuffling those of each layer, so that their distribution stays.
"""

from collections.abc import Callable, Iterator

import numpy as np
import scipy.stats

from keras_models import compat
from keras_models.explain.network import Network, Target, background, scores

Attribute = Callable[[np.ndarray, Target], np.ndarray]  # images, target -> float32 [N, height, width, channels]
SQUARES = 64  # removed, of each image
SIDES = (1 / 8, 1 / 2)  # of the image's shorter side: the smallest and the largest square
RADIUS = 0.02 * 255  # steps of a pixel by which an image is changed at most
CHANGES = 6  # changed images
STAGES = 6  # of the cascade, at most: layers are shuffled in groups where there are more
ALIKE = 0.5  # rank correlation above which a picture is said not to depend on the weights


def infidelity(
    network: Network, image: np.ndarray, attribution: np.ndarray, target: Target, are_shares: bool, seed: int = 0
) -> float | None:
    """How much of what removing squares changes an attribution does not foresee: 0 is all foreseen, 1 none; None where nothing
    changes.

    Args:
        image, attribution: float32 [height, width, channels].
        target: of one image.
        are_shares: the attribution says of each pixel how much of the value is its own; else it is a gradient, to be multiplied
            by how far a pixel is from the background.
    """
    draw, away = np.random.default_rng(seed), image - background(image[None])[0]
    masks = np.stack([_square(image.shape, draw) for _ in range(SQUARES)])
    values = scores(network, np.concatenate([image[None], image - masks * away]), target.repeated(SQUARES + 1))
    changes = (values[0] - values[1:]).astype("float64")
    foreseen = np.tensordot(masks, attribution if are_shares else attribution * away, 3).astype("float64")
    all_changes, all_foreseen = np.sum(changes**2), np.sum(foreseen**2)
    if not all_changes:
        return None
    scale = max(0.0, np.dot(changes, foreseen) / all_foreseen) if all_foreseen else 0.0
    return float(np.sum((scale * foreseen - changes) ** 2) / all_changes)


def _square(shape, draw):
    height, width, _ = shape
    least, most = (max(1, round(share * min(height, width))) for share in SIDES)
    side = draw.integers(least, most + 1)
    top, left = draw.integers(height - side + 1), draw.integers(width - side + 1)
    mask = np.zeros((height, width, 1), "float32")
    mask[top : top + side, left : left + side] = 1
    return mask


def sensitivity(attribute: Attribute, image: np.ndarray, attribution: np.ndarray, target: Target, seed: int = 0) -> float | None:
    """How far an attribution moves at most, as a share of its own length, when no pixel moves by more than RADIUS: the largest of
    CHANGES random changes. None of an attribution of zeros."""
    length = np.linalg.norm(attribution)
    if not length:
        return None
    moves = np.random.default_rng(seed).uniform(-RADIUS, RADIUS, (CHANGES, *image.shape)).astype("float32")
    moved = attribute(np.clip(image + moves, 0, 255), target.repeated(CHANGES))
    return float(max(np.linalg.norm(each - attribution) for each in moved) / length)


def cascade(
    network: Network, attribute: Attribute, images: np.ndarray, attributions: np.ndarray, target: Target, seed: int = 0
) -> Iterator[tuple[str, float]]:
    """Shuffle the weights of the target's layer and of those before it, the last first, and see what is left of an attribution.

    Yields:
        The first of the layers that are shuffled by then, and the mean over the images of Spearman's rank correlation of
        the sizes of the attribution and of what it was; 0 where it is the same everywhere. Once the generator ends, all weights
        are as before.
    """
    layers = network.weighted(target.path)[::-1]
    draw, kept = np.random.default_rng(seed), [(layer, layer.get_weights()) for _, layer in layers]
    try:
        for some in np.array_split(np.arange(len(layers)), min(STAGES, len(layers))) if layers else ():
            for place in some:
                layer = layers[place][1]
                learned = {id(variable) for variable in compat.own_trainable_variables(layer)}
                shuffled = [
                    draw.permutation(values.ravel()).reshape(values.shape) if id(variable) in learned else values
                    for variable, values in zip(layer.weights, layer.get_weights(), strict=True)
                ]
                layer.set_weights(shuffled)
            made = attribute(images, target)
            yield layers[some[-1]][0], float(np.mean([_alike(*pair) for pair in zip(made, attributions, strict=True)]))
    finally:
        for layer, weights in kept:
            layer.set_weights(weights)


def _alike(made, before):
    sizes = [np.abs(each).sum(-1).ravel() for each in (made, before)]
    return 0.0 if any(np.ptp(size) == 0 for size in sizes) else float(scipy.stats.spearmanr(*sizes).statistic)
