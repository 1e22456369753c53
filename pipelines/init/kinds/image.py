"""Images: a classifier, a detector of what is not normal, or an autoencoder, by how many, how large and of what they are."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.init import few_images
from pipelines.init.few_images import Source
from pipelines.init.kinds import Plan
from pipelines.init.writing import batch_of, bound, comment, epochs_of, flow
from pipelines.workspace.layout import Workspace

LEARNS_ALONE = True  # without classes to tell apart: autoencoders and detectors do

SIDES = (28, 32, 64, 96, 128, 224)  # px
LARGEST = 128  # px: beyond, two cores need hours
LARGEST_CODED = 64  # px: a code of a few numbers says nothing about finer detail
SMALL = 32  # px, up to which networks for small images suit
PIXELS = 6e7  # an epoch's, that two cores get through in half a minute with the networks below
LENET_CLASSES = 84  # the units of its last layer but one
SMOOTHED = 21 / 256  # side of the square that errors are averaged over, as a share of the image's: Zavrtanik et al. 2021
CODE, FILTERS = 64, [16, 32, 64]  # of a detector
DETECTED = 0.6  # AUROC
NUMBERS = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
HANDED = {"left", "right", "up", "down", "clockwise", "counterclockwise"}  # a mirror changes what these mean


def at_hand(found: Mapping[str, Any], place: Workspace) -> dict[str, Any]:
    """Networks whose features can be had here: of ImageNet, and the newest pushed one."""
    return {"imagenet": few_images.imagenet(), "pushed": few_images.pushed(place, 1 if found["grey"] else 3)}


def sampled(found: Mapping[str, Any]) -> list[str]:
    """Lines on masks, and on what the sample looks like."""
    lines = _about_masks(found)
    if found["height"]:
        low, median, most = (f"{w}x{h}" for w, h in zip(found["width"], found["height"], strict=True))
        size = f"{low} px" if low == most else f"{low} to {most} px, the median {median}"
        colour = "grey" if found["grey"] else "in colour"
        lines.append(f"of {found['sampled']:,} that were decoded: {size} (width x height), {colour}")
    return lines


def _about_masks(found) -> list[str]:
    masks, aside = found.get("masks"), found.get("left_out")
    if aside:
        return [f"beside them {aside['images']:,} masks in {', '.join(aside['folders'])}, which nothing learns from yet"]
    if not masks:
        return []
    return [f"{masks['images']:,} of the images look like masks of others, such as {masks['such as']}"]


def body(
    found: Mapping[str, Any], plan: Plan, imagenet: Source | None = None, pushed: Source | None = None
) -> tuple[list[str], list[str]]:
    """See pipelines.init.kinds."""
    is_classified = plan.is_labelled and not plan.inliers
    side = _side(found, LARGEST if plan.is_labelled else LARGEST_CODED)
    features = imagenet if is_classified and _is_few(found) else None
    sides = (features.height, features.width) if features else (side, side)
    transform, why = _transform(found, sides, plan.is_labelled, plan.inliers)
    lines = [
        *comment([f"the size that {features.source} learned from"] if features else _about_size(found, side)),
        *comment(why),
        f"transform: {flow(transform)}",
    ]
    if features:
        return [*lines, *_transferred(found, plan.counted, features)], []
    if plan.inliers:
        return [*lines, *_detector(found, side)], []
    return [*lines, *(_classifier(found, plan.counted, side, pushed) if plan.is_labelled else _autoencoder(found))], []


def _side(found, largest: int = LARGEST) -> int:
    """px: the nearest of SIDES to the median, no larger than `largest` and what a CPU bears."""
    median = max(found["height"][1], found["width"][1])
    nearest = min(SIDES, key=lambda side: abs(math.log(side / median)))
    bearable = [side for side in SIDES if side <= largest and (side <= 32 or found["images"] * side**2 <= PIXELS)]
    return min(nearest, max(bearable))


def _about_size(found, side: int) -> list[str]:
    median = max(found["height"][1], found["width"][1])
    if min(SIDES, key=lambda s: abs(math.log(s / median))) > side:
        return [
            f"{side} px, although the images are larger (median {median}), so that training takes minutes without a GPU;",
            "with one, or with patience, try more: --set transform.height=224 --set transform.width=224",
        ]
    return [f"the nearest usual size to the images' median of {median} px; smaller trains faster"]


def _transform(found, sides: Sequence[int], is_labelled: bool, inliers) -> tuple[dict, list[str]]:
    """The slice `transform`, and why images are brought to its size like that."""
    resize, why, oblong = "fit", [], found.get("oblong", 0.0)
    if _is_photo(found) and not inliers:
        resize = "crop"
        why = [
            f"crop: the middle of each photo; {100 * oblong:.0f} % of it are cut in the mean, and fit would fill as much with black"
        ]
    elif inliers and oblong >= 0.01:
        why = [
            "fit: what is wrong may lie at an edge, which crop would cut; the black bars beside the image are left out of the score"
        ]
    return {
        "height": sides[0],
        "width": sides[1],
        "channels": 1 if found["grey"] else 3,
        "resize": resize,
        "normalize": "per_channel" if is_labelled and not inliers else "unit",
    }, why


def _is_photo(found) -> bool:
    """Colours up to the edge, where drawings, scans and cut-out things have nothing but their ground."""
    return not found["grey"] and found.get("plain", 0) < 0.5


def _is_few(found) -> bool:
    """Photos, and too few for a network of their own."""
    return _is_photo(found) and found["images"] < few_images.FEW and max(found["height"][1], found["width"][1]) > SMALL


def _classifier(found, counted, side: int, pushed: Source | None) -> list[str]:
    steps, why = _augment(found, list(counted))
    model, train, because = _network(found, len(counted), side)
    return [
        *comment(why),
        f"augment: {flow(steps)}",
        *comment(because),
        "# `hubel list models` has others",
        *comment(_about_transfer(found, pushed)),
        f"model: {flow(model)}",
        f"train: {flow(train)}",
        *bound(found, counted),
    ]


def _about_transfer(found, pushed: Source | None) -> list[str]:
    """How to take another network's features, which this machine cannot do at once."""
    if not _is_few(found):
        return []
    lines = [
        f"{found['images']:,} photos are few: features that another network learned mostly do better than a network of one's own.",
        "ImageNet's are fetched on first use, from the internet. Where that can be, these take the place of model and transform:",
        '  transfer: {source: "keras.applications:MobileNetV2"}',
        "  transform: {height: 128, width: 128, channels: 3, resize: crop}",
    ]
    if pushed:
        size = f"transform.height: {pushed.height}, transform.width: {pushed.width}"
        lines.append(f"a model that was pushed here has features too: transfer: {{source: {flow(pushed.source)}}}, with {size}")
    return lines


def _transferred(found, counted, features: Source) -> list[str]:
    steps, why = _augment(found, list(counted))
    train = {
        "epochs": 2 * epochs_of(found),
        "batch_size": batch_of(found),
        "optimizer": {"learning_rate": 3e-3},
        "schedule": {"name": "cosine"},
        "early_stopping": {"patience": 20},
    }
    return [
        *comment(why),
        f"augment: {flow(steps)}",
        f"# {found['images']:,} photos are few: a new head on a network of ImageNet, whose weights are on this machine",
        f"transfer: {flow({'source': features.source})}",
        f"train: {flow(train)}",
        *bound(found, counted),
    ]


def _detector(found, side: int) -> list[str]:
    window = 2 * int(side * SMOOTHED / 2) + 1
    train = {
        "epochs": 3 * epochs_of(found),
        "batch_size": batch_of(found),
        "optimizer": {"learning_rate": 1e-3},
        "schedule": {"name": "cosine"},
        "early_stopping": {"patience": 20},
    }
    return [
        "# an autoencoder of what is normal: it makes little of what it has not seen",
        f"model: {flow({'name': 'conv_autoencoder', 'options': {'code_size': CODE, 'filters': FILTERS}})}",
        f"train: {flow(train)}",
        f"# the largest mean error over {window}x{window} px, so that a small defect counts; mean is for what changes all",
        f"anomaly: {flow({'pooling': 'smoothed_max', 'window': window})}",
        "# modest: 0.5 is guessing; slices: each kind of defect by itself among the normal images",
        f"evaluate: {flow({'thresholds': {'auroc': {'min': DETECTED}}, 'slices': {'label': {}}})}",
    ]


def _network(found, classes: int, side: int) -> tuple[dict, dict, list[str]]:
    """The slices `model` and `train`, and why."""
    epochs, batch = epochs_of(found), batch_of(found)
    if found["grey"] and side <= SMALL and classes <= LENET_CLASSES:
        train = {"epochs": epochs, "batch_size": batch, "early_stopping": {"patience": 5}}
        return {"name": "lenet5"}, train, ["LeNet-5 was made for grey images of this size"]
    name, width, depth = ("resnet20", 0.5, 20) if side <= SMALL else ("resnet18", 0.25, 18)
    kind = "colours" if not found["grey"] else f"{classes} classes" if side <= SMALL else f"{side} px"
    train = {
        "epochs": epochs,
        "batch_size": batch,
        "optimizer": {"name": "sgd", "learning_rate": 0.1 * batch / 64, "momentum": 0.9, "weight_decay": 1e-4},
        "schedule": {"name": "cosine", "warmup_epochs": 1},
        "early_stopping": {"patience": epochs // 2},
    }
    why = [
        f"{kind} ask for more than LeNet-5: a residual network of {depth} layers, {width:g} times as wide as published,",
        "which two cores train in minutes; with a GPU, or with patience: --set model.options.width=1",
    ]
    return {"name": name, "options": {"width": width}}, train, why


def _autoencoder(found) -> list[str]:
    code = max(2, min(32, found["images"] // 50))
    train = {
        "epochs": 3 * epochs_of(found),
        "batch_size": batch_of(found),
        "optimizer": {"learning_rate": 3e-3},
        "schedule": {"name": "cosine"},
        "early_stopping": {"patience": 20},
    }
    return [
        "# mirrored too, so that it learns what such images have in common rather than these by heart",
        f"augment: {flow([{'flip': {}}])}",
        f"# an autoencoder: it is judged by PCA with as many numbers as its code has ({code}), fitted on the same images",
        f"model: {flow({'name': 'conv_autoencoder', 'options': {'code_size': code}})}",
        f"train: {flow(train)}",
    ]


def _augment(found, labels: list[str]) -> tuple[list, list[str]]:
    """Mild steps, and why these."""
    border, of_ground = _border(found)
    steps = [{"translate": {"height": 0.1, "width": 0.1, **border}}, {"rotate": {"degrees": 10, **border}}]
    signs = [label for label in labels if len(label) == 1 or label.isdigit() or label.lower() in NUMBERS]
    if 2 * len(signs) >= len(labels):
        return steps, ["digits and letters are never flipped: that makes others of them, or none", *of_ground]
    words = {word for label in labels for word in re.split(r"[^a-z]+", label.lower())}
    if found["grey"] or words & HANDED:
        why = "not flipped: of these images a mirrored one may mean something else; add {flip: {}} if it does not"
        return steps, [why, *of_ground]
    zoom = {"zoom": {"factor": 0.1, **border}}
    return [{"flip": {}}, *steps, zoom], ["mirrored too; take {flip: {}} out if that changes the class", *of_ground]


def _border(found) -> tuple[dict, list[str]]:
    """The keys of moves that go on with a ground of one colour, and why; nothing where there is none."""
    ground = found.get("ground")
    if ground is None:
        return {}, []
    value = round(sum(ground) / len(ground)) if found["grey"] else ground
    border = {"border": "constant", **({"value": value} if any(ground) else {})}
    return border, ["on a ground of one colour, what moves in from outside is that colour: a mirror image would bring strokes in"]
