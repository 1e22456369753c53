"""The deconvnet: Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", ECCV, section 2.1 and figure 1;
Zeiler, Taylor & Fergus 2011, ICCV. Of a unit's strongest place all other activations are set to zero, and the layers are gone
back through: unpooling puts each value where the maximum was (its switch), what comes back is rectified, and filters are used
transposed.

All of these are gradients but rectifying, so they are computed as such: of maximum pooling the gradient is unpooling by
switches, of a convolution the transposed one, without its bias. What the paper has not is passed back linearly: average
pooling, sums and batch normalisation by their gradients; local response normalisation, as there, is left out, and activations
other than ReLU are passed as they come, for such features need not be positive.
"""

import numpy as np
import tensorflow as tf

from keras_models.explain import attribution, backwards, sanity
from keras_models.explain.base import IMAGES, Answer, Asked, Strip, Tile
from keras_models.explain.network import Network, Target, gradients

ORDER = 40
TITLE = "Deconvnet"
PAPER = "Zeiler & Fergus 2014"
TELLS = "Which pattern of this image excites a unit: what its strongest place saw, projected back to pixels."
HIDES = "What the unit is not excited by; edges of the image come back whatever was learned, as its randomised weights show."
NEEDS = frozenset({IMAGES})
UNITS = 4  # of the layer, the strongest in the first image, where none is named
RULE = backwards.rule(lambda made, coming: tf.nn.relu(coming), lambda made, coming: coming)


def attribute(network: Network, images: np.ndarray, target: Target) -> np.ndarray:
    """What comes back to the pixels, float32 [N, height, width, channels], of the unit's value at its strongest place; of 1
    where that is not above 0.

    Raises:
        Unsuited: where nothing comes back to the image.
    """
    return gradients(network, images, target, RULE, lambda value: tf.where(value > 0, value, tf.ones_like(value)))


def show(network: Network, asked: Asked) -> Answer:
    """See base. Raises Unsuited where there are no maps and no layer is named."""
    path = network.find(asked.layer) if asked.layer else network.maps()
    if asked.unit is not None:
        units = [network.check_unit(path, asked.unit)]
    else:
        first = network.values(asked.images[:1], [path])[path]
        units = np.argsort(-first.reshape(-1, first.shape[-1]).max(0), kind="stable")[:UNITS].tolist()
    images, strips, figures, few = asked.images, [], [], slice(0, attribution.CASCADED)

    def again(images, target):
        return attribute(network, images, target)

    targets = [Target(path, np.full(len(images), unit)) for unit in units]
    made = [again(images, target) for target in targets]
    cascades = [
        list(sanity.cascade(network, again, images[few], back[few], target.part(few), asked.seed))
        for target, back in zip(targets, made, strict=True)
    ]
    for place, image in enumerate(images):
        called = asked.called[place] if asked.called else f"image {place}"
        tiles = [Tile("the image", image[None], "pixels")]
        for target, back, cascade in zip(targets, made, cascades, strict=True):
            about = asked.name_of(network, path, int(target.units[0]))
            tiles.append(Tile(about, back[place][None], "signed"))
            judged = attribution.sane(network, again, image, back[place], target.part([place]), False, asked.seed)
            figures.append({"image": called, "explained": about, **judged, "randomised": cascade[-1][1] if cascade else None})
        strips.append(Strip(called, tiles))
    kinds = sorted(set(backwards.activations(network).values()) - {*backwards.RECTIFIERS})
    notes = [f"Of {', '.join(kinds)} what comes back is passed as it comes: the paper has ReLU alone."] if kinds else []
    units_of = network.parts[path].units
    if asked.unit is None and units_of > len(units):
        notes.append(f"The {len(units)} of {network.short(path)}'s {units_of} units that are strongest in the first image.")
    return Answer(strips, figures, [*notes, *attribution.said(network, cascades[0], len(images[few]))])
