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
PROBABILITIES = "probabilities"  # kind of an output; see serving.answers
JUDGED = 3  # images of which Grad-CAM's sanity figures are computed: a run's page is to take no time
SEARCHED = 1_000  # test images that the rest of the methods search


def section(material: Material) -> Section | None:
    """None of a model that does not look at images. Raises Absent without a model."""
    material.artifact("model")
    try:
        network = Network(material.need("model"))
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
        worst = _worst(material, network)
        if len(worst):
            ten = Asked(
                images=pixels[worst], called=[called[place] for place in worst], classes=material.class_names, judged=JUDGED
            )
            yield Prose(f"The {len(worst)} of {len(pixels):,} test images whose class got the smallest share of the answer:")
            yield from _shown(grad_cam, network, ten)
        else:
            yield Missing(grad_cam.TITLE, "No test image has a class, or the model gives no probabilities: see `hubel visualize`.")
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


def _worst(material: Material, network: Network) -> np.ndarray:
    """Places of the test images whose own class has the smallest share of the answer, the smallest first; none where the model
    gives no probabilities, or no image has a label."""
    kinds = material.card.gives.get(material.card.predicts or "", {})
    names = [name for name, kind in kinds.items() if kind == PROBABILITIES]
    told = material.answers if names else None
    units = network.parts[network.output].units
    if told is None or told.outputs[names[0]].shape[1:] != (units,):
        return np.zeros(0, int)
    known = np.flatnonzero((told.labels >= 0) & (told.labels < units))
    return known[np.argsort(told.outputs[names[0]][known, told.labels[known]], kind="stable")[:WORST]]
