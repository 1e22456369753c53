"""Inside the network: filters of its first layer, what layers make of three test images, where it looked at the ten that it is most
wrong about; the rest with `hubel report --full`."""

from collections.abc import Iterator

import numpy as np

from components import keys
from components.reporter import inside
from components.reporter.material import Material
from configs.errors import UsageError
from keras_models.explain import base, feature_maps, filters, grad_cam
from keras_models.explain.base import Asked, Unsuited
from keras_models.explain.network import Network
from reports.run.blocks import Block, Command, Missing, Prose, Section

ORDER = 75  # behind the layers
IMAGES, WORST = 3, 10
JUDGED = 3  # images of which Grad-CAM's sanity figures are computed: a run's page is to take no time
SEARCHED = 1_000  # test images that the rest of the methods search


def section(material: Material) -> Section | None:
    """See components.reporter.sections; None of what has no model that looks at images."""
    if material.model is None:
        return None
    try:
        network = Network(material.model)
    except Unsuited:
        return None
    about = (
        "Filters of the first layer, what each layer makes of test images, and where the network looked. "
        "Pictures suggest, they prove nothing: the figures say how far each is to be trusted."
    )
    return Section("inside", "Inside the network", about, list(_blocks(material, network)))


def _blocks(material: Material, network: Network) -> Iterator[Block]:
    sample = material.examples(keys.TEST)
    there = sample is not None and sample.seen.shape[1:] == network.shape
    pixels = sample.seen if there else np.zeros((0, *network.shape), "float32")
    called = _called(material, sample) if there else []
    asked = Asked(images=pixels[:IMAGES], called=called[:IMAGES], classes=material.class_names)
    yield from _shown(filters, network, asked)
    if not there:
        yield Missing("Maps of images", "The test split is not here, or the served graph takes several crops of each image.")
        return
    yield from _shown(feature_maps, network, asked)
    if network.is_classifier:
        worst = _worst(network, pixels, sample.labels)
        if len(worst):
            ten = Asked(
                images=pixels[worst], called=[called[place] for place in worst], classes=material.class_names, judged=JUDGED
            )
            yield Prose(f"The {len(worst)} of {len(pixels):,} test images whose class got the smallest share of the answer:")
            yield from _shown(grad_cam, network, ten)
        else:
            yield Missing(grad_cam.TITLE, "No test image has a label, so none is known to be wrong; `hubel visualize` shows any.")
    if not material.full:
        yield Prose("What excites units, images made for classes, the deconvnet and other attributions are drawn by")
        yield Command(f"hubel visualize {material.card.name}@{material.run}" if material.run else "hubel visualize RUN")
        return
    rest = Asked(
        images=pixels[:IMAGES],
        called=called[:IMAGES],
        many=pixels[:SEARCHED],
        many_called=called[:SEARCHED],
        classes=material.class_names,
    )
    for name in base.names():
        method = base.method(name)
        if method not in (filters, feature_maps):
            yield from _shown(method, network, rest)


def _shown(method, network: Network, asked: Asked) -> Iterator[Block]:
    try:
        answer = method.show(network, asked)
    except UsageError as error:
        yield Missing(method.TITLE, f"{error.message} {error.hint}".strip())
        return
    yield Prose(f"{method.TITLE} ({method.PAPER}). {method.TELLS} What it hides: {method.HIDES}")
    yield from inside.blocks(answer, method.TITLE)


def _called(material: Material, sample) -> list[str]:
    names = material.class_names
    labels = [names[label] if 0 <= label < len(names) else "" for label in sample.labels.tolist()]
    return [inside.called(name, label) for name, label in zip(sample.ids, labels, strict=True)]


def _worst(network: Network, pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Places of the images whose own class has the smallest share of the answer; of those with a label."""
    logits = network.values(pixels, [network.output])[network.output].astype("float64")
    known = np.flatnonzero((labels >= 0) & (labels < logits.shape[1]))
    shares = logits[known, labels[known]] - np.logaddexp.reduce(logits[known], axis=1)
    return known[np.argsort(shares, kind="stable")[:WORST]]
