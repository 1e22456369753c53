"""What methods have in common that say of each pixel how much it mattered to a unit: whose answer, what is drawn, what is
doubted."""

from collections.abc import Callable, Sequence

import numpy as np

from keras_models.explain import sanity
from keras_models.explain.base import Answer, Asked, Strip, Tile, Unsuited
from keras_models.explain.network import Network, Target

CASCADED = 3  # images of which the check of randomised weights is made, the first


def target_of(network: Network, asked: Asked, images: np.ndarray) -> Target:
    """The unit that is asked about, or for each image the class that it is taken for.

    Raises:
        Unsuited: for a network that tells no classes apart, of which no unit is named.
    """
    path = network.find(asked.layer) if asked.layer else network.output
    if asked.unit is not None:
        return Target(path, np.full(len(images), network.check_unit(path, asked.unit)))
    if not network.is_classifier and not asked.layer:
        inner = network.narrowest()
        raise Unsuited(
            f"{network.model.name} decides nothing about an image, so there is no answer to explain.",
            f"Name a unit: --layer {network.short(inner) if inner else 'LAYER'} --unit 0.",
        )
    values = network.values(images, [path])[path]
    return Target(path, values.reshape(len(values), -1, values.shape[-1]).max(1).argmax(-1))


def answer(
    network: Network,
    asked: Asked,
    attribute: Callable[[Network, np.ndarray, Target], np.ndarray],
    are_shares: bool,
    notes: Sequence[str] = (),
    drawn: Callable[[np.ndarray], np.ndarray] = lambda attribution: attribution.sum(-1, keepdims=True),
    kind: str = "signed",
) -> Answer:
    """The answer of an attribution, with its sanity figures.

    Args:
        attribute: network, images float32 [N, height, width, channels] and target -> the same shape.
        are_shares: as of sanity.infidelity.
        drawn: what is shown of an attribution, as of Tile; kind: of what kind that is.
    """
    images = asked.images
    target = target_of(network, asked, images)
    attributions = attribute(network, images, target)

    def again(images, target):
        return attribute(network, images, target)

    few = slice(0, CASCADED)
    cascade = list(sanity.cascade(network, again, images[few], attributions[few], target.part(few), asked.seed))
    strips, figures = [], []
    for place, (image, attribution) in enumerate(zip(images, attributions, strict=True)):
        mine, about = target.part([place]), asked.name_of(network, target.path, int(target.units[place]))
        called = asked.called[place] if asked.called else f"image {place}"
        strips.append(
            Strip(
                called, [Tile("the image", image[None], "pixels"), Tile(f"for {about}", drawn(attribution)[None], kind, over=image)]
            )
        )
        if asked.judged is not None and place >= asked.judged:
            continue
        judged = sane(network, again, image, attribution, mine, are_shares, asked.seed)
        figures.append({"image": called, "explained": about, **judged, "randomised": cascade[-1][1] if cascade else None})
    return Answer(strips, figures, [*notes, *said(network, cascade, len(images[few]))])


def sane(
    network: Network,
    attribute: sanity.Attribute,
    image: np.ndarray,
    attribution: np.ndarray,
    target: Target,
    are_shares: bool,
    seed: int,
) -> dict[str, float | None]:
    """The figures of one image, as of sanity."""
    return {
        "infidelity": sanity.infidelity(network, image, attribution, target, are_shares, seed),
        "sensitivity": sanity.sensitivity(attribute, image, attribution, target, seed),
    }


def said(network: Network, cascade: Sequence[tuple[str, float]], images: int) -> list[str]:
    """Sentences on what is left with shuffled weights, of sanity.cascade and so many images."""
    if not cascade:
        return ["It has no learned weights, so there is no check of randomised ones."]
    steps = ", ".join(f"{network.short(path)} {alike:.2f}" for path, alike in cascade)
    of = f"mean of {images} images" if images > 1 else "of the first image"
    told = [f"Likeness to itself with the weights shuffled down to a layer (Spearman's rank correlation, {of}): {steps}."]
    if cascade[-1][1] > sanity.ALIKE:
        told.append(
            "Beware: with all weights shuffled the picture is much the same, so it shows the image more than what was learned."
        )
    return told
