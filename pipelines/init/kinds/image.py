"""Images: a classifier, a detector of what is not normal, or an autoencoder, by how many, how large and of what they are."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.init import few_images, segmentation
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


def at_hand(survey: Mapping[str, Any], place: Workspace) -> dict[str, Any]:
    """Networks whose features can be had here: of ImageNet, and the newest pushed one."""
    return {"imagenet": few_images.imagenet(), "pushed": few_images.pushed(place, 1 if survey["grey"] else 3)}


def sampled(survey: Mapping[str, Any]) -> list[str]:
    """Lines on masks, and on what the sample looks like."""
    lines = segmentation.sampled(survey) if survey.get("mask") else _about_masks(survey)
    if survey["height"]:
        low, median, most = (f"{w}x{h}" for w, h in zip(survey["width"], survey["height"], strict=True))
        size = f"{low} px" if low == most else f"{low} to {most} px, the median {median}"
        colour = "grey" if survey["grey"] else "in colour"
        lines.append(f"of {survey['sampled']:,} that were decoded: {size} (width x height), {colour}")
    return lines


def _about_masks(survey) -> list[str]:
    masks, aside = survey.get("masks"), survey.get("left_out")
    if aside:
        return [f"beside them {aside['images']:,} masks in {', '.join(aside['folders'])}, which are left out"]
    if not masks:
        return []
    return [f"{masks['images']:,} of the images look like masks of others, such as {masks['such as']}"]


def body(
    survey: Mapping[str, Any], plan: Plan, imagenet: Source | None = None, pushed: Source | None = None
) -> tuple[list[str], list[str]]:
    """See pipelines.init.kinds."""
    if survey.get("mask"):
        return segmentation.body(survey), segmentation.notes(survey)
    is_classified = plan.is_labelled and not plan.inliers
    side = _side(survey, LARGEST if plan.is_labelled else LARGEST_CODED)
    features = imagenet if is_classified and _is_few(survey) else None
    sides = (features.height, features.width) if features else (side, side)
    transform, why = _transform(survey, sides, plan.is_labelled, plan.inliers)
    lines = [
        *comment([f"the size that {features.source} learned from"] if features else _about_size(survey, side)),
        *comment(why),
        f"transform: {flow(transform)}",
    ]
    if features:
        return [*lines, *_transferred(survey, plan.counted, features)], []
    if plan.inliers:
        return [*lines, *_detector(survey, side)], []
    return [*lines, *(_classifier(survey, plan.counted, side, pushed) if plan.is_labelled else _autoencoder(survey))], []


def _side(survey, largest: int = LARGEST) -> int:
    """px: the nearest of SIDES to the median, no larger than `largest` and what a CPU bears."""
    median = max(survey["height"][1], survey["width"][1])
    nearest = min(SIDES, key=lambda side: abs(math.log(side / median)))
    bearable = [side for side in SIDES if side <= largest and (side <= 32 or survey["images"] * side**2 <= PIXELS)]
    return min(nearest, max(bearable))


def _about_size(survey, side: int) -> list[str]:
    median = max(survey["height"][1], survey["width"][1])
    if min(SIDES, key=lambda s: abs(math.log(s / median))) > side:
        return [
            f"{side} px, although the images are larger (median {median}), so that training takes minutes without a GPU;",
            "with one, or with patience, try more: --set transform.height=224 --set transform.width=224",
        ]
    return [f"the nearest usual size to the images' median of {median} px; smaller trains faster"]


def _transform(survey, sides: Sequence[int], is_labelled: bool, inliers) -> tuple[dict, list[str]]:
    """The slice `transform`, and why images are brought to its size like that."""
    resize, why, oblong = "fit", [], survey.get("oblong", 0.0)
    if _is_photo(survey) and not inliers:
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
        "channels": 1 if survey["grey"] else 3,
        "resize": resize,
        "normalize": "per_channel" if is_labelled and not inliers else "unit",
    }, why


def _is_photo(survey) -> bool:
    """Colours up to the edge, where drawings, scans and cut-out things have nothing but their ground."""
    return not survey["grey"] and survey.get("plain", 0) < 0.5


def _is_few(survey) -> bool:
    """Photos, and too few for a network of their own."""
    return _is_photo(survey) and survey["images"] < few_images.FEW and max(survey["height"][1], survey["width"][1]) > SMALL


def _classifier(survey, counted, side: int, pushed: Source | None) -> list[str]:
    steps, why = _augment(survey, list(counted))
    model, train, because = _network(survey, len(counted), side)
    return [
        *comment(why),
        f"augment: {flow(steps)}",
        *comment(because),
        "# `hubel list models` has others",
        *comment(_about_transfer(survey, pushed)),
        f"model: {flow(model)}",
        f"train: {flow(train)}",
        *bound(survey, counted),
    ]


def _about_transfer(survey, pushed: Source | None) -> list[str]:
    """How to take another network's features, which this machine cannot do at once."""
    if not _is_few(survey):
        return []
    lines = [
        f"{survey['images']:,} photos are few: features that another network learned mostly do better than a network of one's own.",
        "ImageNet's are fetched on first use, from the internet. Where that can be, these take the place of model and transform:",
        '  transfer: {source: "keras.applications:MobileNetV2"}',
        "  transform: {height: 128, width: 128, channels: 3, resize: crop}",
    ]
    if pushed:
        size = f"transform.height: {pushed.height}, transform.width: {pushed.width}"
        lines.append(f"a model that was pushed here has features too: transfer: {{source: {flow(pushed.source)}}}, with {size}")
    return lines


def _transferred(survey, counted, features: Source) -> list[str]:
    steps, why = _augment(survey, list(counted))
    train = {
        "epochs": 2 * epochs_of(survey),
        "batch_size": batch_of(survey),
        "optimizer": {"learning_rate": 3e-3},
        "schedule": {"name": "cosine"},
        "early_stopping": {"patience": 20},
    }
    return [
        *comment(why),
        f"augment: {flow(steps)}",
        f"# {survey['images']:,} photos are few: a new head on a network of ImageNet, whose weights are on this machine",
        f"transfer: {flow({'source': features.source})}",
        f"train: {flow(train)}",
        *bound(survey, counted),
    ]


def _detector(survey, side: int) -> list[str]:
    window = 2 * int(side * SMOOTHED / 2) + 1
    return [
        "# an autoencoder of what is normal: it makes little of what it has not seen",
        f"model: {flow({'name': 'conv_autoencoder', 'options': {'code_size': CODE, 'filters': FILTERS}})}",
        f"train: {flow(_reconstructing(survey, 1e-3))}",
        f"# the largest mean error over {window}x{window} px, so that a small defect counts; mean is for what changes all",
        f"anomaly: {flow({'pooling': 'smoothed_max', 'window': window})}",
        "# modest: 0.5 is guessing; slices: each kind of defect by itself among the normal images",
        f"evaluate: {flow({'thresholds': {'auroc': {'min': DETECTED}}, 'slices': {'label': {}}})}",
    ]


def _network(survey, classes: int, side: int) -> tuple[dict, dict, list[str]]:
    """The slices `model` and `train`, and why."""
    epochs, batch = epochs_of(survey), batch_of(survey)
    if survey["grey"] and side <= SMALL and classes <= LENET_CLASSES:
        train = {"epochs": epochs, "batch_size": batch, "early_stopping": {"patience": 5}}
        return {"name": "lenet5"}, train, ["LeNet-5 was made for grey images of this size"]
    name, width, depth = ("resnet20", 0.5, 20) if side <= SMALL else ("resnet18", 0.25, 18)
    kind = "colours" if not survey["grey"] else f"{classes} classes" if side <= SMALL else f"{side} px"
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


def _reconstructing(survey, learning_rate: float) -> dict:
    """The slice `train` of an autoencoder."""
    return {
        "epochs": 3 * epochs_of(survey),
        "batch_size": batch_of(survey),
        "optimizer": {"learning_rate": learning_rate},
        "schedule": {"name": "cosine"},
        "early_stopping": {"patience": 20},
    }


def _autoencoder(survey) -> list[str]:
    code = max(2, min(32, survey["images"] // 50))
    return [
        "# mirrored too, so that it learns what such images have in common rather than these by heart",
        f"augment: {flow([{'flip': {}}])}",
        f"# an autoencoder: it is judged by PCA with as many numbers as its code has ({code}), fitted on the same images",
        f"model: {flow({'name': 'conv_autoencoder', 'options': {'code_size': code}})}",
        f"train: {flow(_reconstructing(survey, 3e-3))}",
    ]


def _augment(survey, labels: list[str]) -> tuple[list, list[str]]:
    """Mild steps, and why these."""
    border, of_ground = _border(survey)
    steps = [{"translate": {"height": 0.1, "width": 0.1, **border}}, {"rotate": {"degrees": 10, **border}}]
    signs = [label for label in labels if len(label) == 1 or label.isdigit() or label.lower() in NUMBERS]
    if 2 * len(signs) >= len(labels):
        return steps, ["digits and letters are never flipped: that makes others of them, or none", *of_ground]
    words = {word for label in labels for word in re.split(r"[^a-z]+", label.lower())}
    if survey["grey"] or words & HANDED:
        why = "not flipped: of these images a mirrored one may mean something else; add {flip: {}} if it does not"
        return steps, [why, *of_ground]
    zoom = {"zoom": {"factor": 0.1, **border}}
    return [{"flip": {}}, *steps, zoom], ["mirrored too; take {flip: {}} out if that changes the class", *of_ground]


def _border(survey) -> tuple[dict, list[str]]:
    """The keys of moves that go on with a ground of one colour, and why; nothing where there is none."""
    ground = survey.get("ground")
    if ground is None:
        return {}, []
    value = round(sum(ground) / len(ground)) if survey["grey"] else ground
    border = {"border": "constant", **({"value": value} if any(ground) else {})}
    return border, ["on a ground of one colour, what moves in from outside is that colour: a mirror image would bring strokes in"]
