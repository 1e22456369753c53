"""From what was found in images to a config for them, for `hubel init`. Plain data in, YAML out; nothing heavy."""

import glob
import json
import math
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from components import keys
from components.example_gen import changes, listing, sources
from configs import words
from configs.errors import UsageError, printable
from configs.schema.data import DataConfig
from configs.schema.reading import Reading
from pipelines.init import few_images, remarks
from pipelines.init.few_images import Source
from pipelines.init.places import IMAGES

SIDES = (28, 32, 64, 96, 128, 224)  # px
LARGEST = 128  # px: beyond, two cores need hours
LARGEST_CODED = 64  # px: a code of a few numbers says nothing about finer detail
SMALL = 32  # px, up to which networks for small images suit
PIXELS = 6e7  # an epoch's, that two cores get through in half a minute with the networks below
LENET_CLASSES = 84  # the units of its last layer but one
SHARES = ((0.1, 0.2), (0.2, 0.2), (0.3, 0.3), (0.4, 0.3))  # of validation and test: usual, for classes of few images, others
NORMAL = 1000  # normal images, below which a larger share of them is for the threshold
SMOOTHED = 21 / 256  # side of the square that errors are averaged over, as a share of the image's: Zavrtanik et al. 2021
CODE, FILTERS = 64, [16, 32, 64]  # of a detector
DETECTED = 0.6  # AUROC
RANKED = 0.6  # mean of the classes' AUROC
CLASSES_SHOWN = 20
MANY = 2  # images of a class in the mean, below which there are too many classes
NUMBERS = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
HANDED = {"left", "right", "up", "down", "clockwise", "counterclockwise"}  # a mirror changes what these mean
TFRECORD = (".tfrecord", ".tfrecords", ".tfrec")


def source_of(path: str) -> str:
    """`data.source` for a path as it was typed; one that names a scheme stays as it is.

    Raises:
        UsageError: where nothing is there, or nothing that a source reads.
    """
    scheme = path.partition(":")[0]
    if scheme in sources.schemes() and not os.path.exists(path):
        return path
    if not path.isprintable():
        raise UsageError(f"{path!r} cannot be written into a config.", "Rename it: letters and digits of any language will do.")
    whole = os.path.abspath(os.path.expanduser(path))
    if os.path.isdir(whole):
        records = [name for name in os.listdir(whole) if _is_tfrecord(name)]
        return f"tfrecord:{glob.escape(whole)}/*.tfrec*" if records else f"folder:{whole}"
    if whole.lower().endswith((".csv", ".tsv")) and os.path.isfile(whole):
        return f"csv:{whole}"
    if _is_tfrecord(whole) and (os.path.isfile(whole) or glob.glob(whole)):
        return f"tfrecord:{whole}"
    if not os.path.exists(whole):
        raise UsageError(f"There is no {path}.", "Name a folder of images, a CSV file, TFRecords, or tfds:NAME.")
    raise UsageError(
        f"{path} is neither a folder, nor a CSV file, nor TFRecords.",
        f"Name one of them, or say what it is: {', '.join(f'{s}:PATH' for s in sources.schemes() if s != 'tfds')}.",
    )


def _is_tfrecord(name: str) -> bool:
    return any(suffix in os.path.basename(name).lower() for suffix in TFRECORD)


def name_of(source: str) -> str:
    """A valid RunConfig.name: of the folder, of the folder that a file lies in, or of the data set."""
    scheme, _, rest = source.partition(":")
    if scheme == "tfds":
        base = rest.partition(":")[0]
    else:
        path = Path(rest)
        base = path.name if scheme == "folder" else path.parent.name or path.stem
    plain = unicodedata.normalize("NFKD", base).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).strip("_.-")[:60].strip("_.-")
    return f"images_{name}" if name.isdigit() else name or "images"


def read_by(source: str, labels: Sequence[str], image: str | None, images: str | None) -> dict[str, Any]:
    """The keys of `data` for columns and a folder that were named; a label called null is none. Raises UsageError for a source that
    is no table."""
    label = labels[0] if len(labels) == 1 else list(labels)
    features = {kind: name for kind, name in (("image", image), ("label", label)) if name}
    if label == "null":
        features["label"] = None
    if source.startswith("folder:") and (features or images):
        raise UsageError("--label, --image and --images are of a table, and a folder has no columns.", "Name the CSV file as PATH.")
    if images and not source.startswith("csv:"):
        raise UsageError("--images is of a CSV file, whose paths start there.", "Leave it out.")
    if images and not os.path.isdir(os.path.expanduser(images)):
        raise UsageError(f"--images {images}: there is no such folder.", "Name the folder that the table's paths start from.")
    folder = os.path.abspath(os.path.expanduser(images)) if images else None
    return ({"features": features} if features else {}) | ({"images": folder} if folder else {})


def pictures_of(source: str, found: Mapping[str, Any]) -> str | None:
    """The source of the pictures alone, where the only other class of a folder is that of their masks and they are called images;
    otherwise None: what looks like masks of a class may be a class."""
    masks, counted = found.get("masks"), [label for label, count in found["classes"].items() if count]
    others = [label for label in counted if masks is None or label not in masks["folders"]]
    if masks is None or len(found["splits"]) > 1 or len(others) != 1 or len(counted) == 1:
        return None
    if not IMAGES.fullmatch(others[0]):
        return None
    return f"{source}/{others[0]}"


@dataclass
class Proposal:
    """A config's text, and what a person should know about the images, a sentence each."""

    text: str
    notes: list[str] = field(default_factory=list)


def propose(
    name: str,
    source: str,
    found: Mapping[str, Any],
    file: str,
    read: Mapping[str, Any] = MappingProxyType({}),
    imagenet: Source | None = None,
    pushed: Source | None = None,
) -> Proposal:
    """Write a config for what `pipelines.data_sets.survey.look` found.

    Args:
        file: as `hubel run` will be told.
        read: further keys of `data` that say how the source was read: features, images.
        imagenet, pushed: whose features can be had here, of pipelines.init.few_images.

    Raises:
        UsageError: where there is nothing to train on.
    """
    sound = found["sampled"] - sum(found["damaged"].values())
    if not sound:
        raise UsageError(f"There is no sound image in {source}: {_reasons(found)}.", "Check the files.")
    counted = {label: count for label, count in found["classes"].items() if count}
    several = found.get("labels") or {}  # classes that an image may have several of
    is_labelled, inliers = len(counted) > 1 or bool(several), inliers_of(found)
    left_out = [] if inliers or not is_labelled else remarks.untrained(found)
    _check_told_apart(source, found, [label for label in counted if label not in left_out], left_out)
    images = _used_images(found, left_out, inliers) if is_labelled else remarks.images(found)
    _check_own(source, found, images, left_out)
    counted = {label: count for label, count in counted.items() if label not in left_out}
    side = _side(found, LARGEST if is_labelled else LARGEST_CODED)
    features = imagenet if is_labelled and not inliers and _is_few(found) else None
    data, remark = _data(source, found, counted, inliers, images)
    if is_labelled and not inliers and len(counted) < len(found["classes"]):
        data["classes"] = list(counted)
    if several:
        read = {**read, "features": {**read.get("features", {}), keys.LABELS: list(several)}}
    notes = [
        *remarks.about_several(found),
        *remarks.of(found, counted, inliers, left_out),
        *remarks.about_splits(found, images, data, is_labelled and not inliers),
    ]
    if features:
        body = _transferred(found, several or counted, features)
    elif inliers:
        body = _detector(found, side)
    elif is_labelled:
        body = _classifier(found, several or counted, side, pushed)
    else:
        body = _autoencoder(found)
    sides = (features.height, features.width) if features else (side, side)
    transform, why = _transform(found, sides, is_labelled, inliers)
    lines = [
        *_comment(summary(found, source)),
        *_comment(notes),
        "#",
        f"#   hubel run {file}",
        "#",
        f"name: {_flow(name)}",
        *_comment(remark),
        f"data: {_flow({**data, **read})}",
        *_comment([f"the size that {features.source} learned from"] if features else _about_size(found, side)),
        *_comment(why),
        f"transform: {_flow(transform)}",
        *body,
    ]
    return Proposal("\n".join(lines) + "\n", notes)


def inliers_of(found: Mapping[str, Any]) -> list[str]:
    """The only class to train on, in a list, where the test split has others too, as MVTec AD has it; otherwise none."""
    by_split = found.get("by_split", {})
    train, test = ({name for name, count in by_split.get(split, {}).items() if count} for split in (keys.TRAIN, keys.TEST))
    return sorted(train) if len(train) == 1 and test > train else []


def _used_images(found: Mapping[str, Any], left_out: Sequence[str], inliers: Sequence[str]) -> dict[str, int]:
    """{hubel's split: images of the source's own split} that a run uses: with a label, and of a class that is learned."""
    used = {}
    for split, by_class in found.get("by_split", {}).items():
        learned = inliers if inliers and split != keys.TEST else set(by_class) - set(left_out)
        used[split] = sum(count for name, count in by_class.items() if name in learned)
    return used or remarks.images(found)


def _check_told_apart(source: str, found: Mapping[str, Any], learned: Sequence[str], left_out: Sequence[str]) -> None:
    """Raise UsageError where one class is trained on, and the others cannot be tested beside it."""
    if len(learned) != 1 or not left_out:
        return
    [name] = learned
    where = [split for split, by_class in found["by_split"].items() if any(by_class.get(other) for other in left_out)]
    advice = (
        f"For a detector of what is not {name}, put images of {name} beside the others into test. For a classifier, put images of "
        "every class into train."
    )
    raise UsageError(
        f"{source} has {name} alone to train on, and {remarks.listed(left_out)} in {' and '.join(where)} only: no classifier can "
        "learn that, and no detector be measured, which takes test images of both.",
        " ".join(filter(None, [remarks.twins(found), advice])),
    )


def _check_own(source: str, found: Mapping[str, Any], used: Mapping[str, int], left_out: Sequence[str]) -> None:
    """Raise UsageError where a split that the source has itself would have no image."""
    for split, there in remarks.images(found).items():
        if used.get(split) or not there:
            continue
        some = words.count(there, f"{split} image")
        if not sum(found["by_split"][split].values()):
            otherwise = "" if split == keys.TRAIN else f", or leave them out: a run carves a {split} split where there is none"
            raise UsageError(f"Of {source} the {some} {'has' if there == 1 else 'have'} no label.", f"Label them{otherwise}.")
        strange = [name for name in left_out if found["by_split"][split].get(name)] or list(found["by_split"][split])
        twins = remarks.twins(found)
        raise UsageError(
            f"Of {source} none of the {some} can be used: no training image has the class {remarks.listed(strange)}.",
            " ".join(filter(None, [twins, "Call a class the same in every split."])),
        )


def summary(found: Mapping[str, Any], source: str) -> list[str]:
    """What was found, in a few lines."""
    splits = ", ".join(f"{count:,} {name}" for name, count in found["splits"].items())
    lines = [f"{source}: {words.count(found['images'], 'image')}" + (f" ({splits})" if len(found["splits"]) > 1 else "")]
    if found["classes"]:
        shown = list(found["classes"].items())[:CLASSES_SHOWN]
        more = f", and {len(found['classes']) - len(shown)} more" if len(found["classes"]) > len(shown) else ""
        lines.append(f"{words.classes(len(found['classes']))}: {', '.join(f'{label}: {count:,}' for label, count in shown)}{more}")
        if found["unlabelled"]:
            lines.append(f"{words.count(found['unlabelled'], 'image')} without a label")
    elif several := found.get("labels"):
        shown = list(several.items())[:CLASSES_SHOWN]
        more = f", and {len(several) - len(shown)} more" if len(several) > len(shown) else ""
        lines.append(f"{words.classes(len(several))}, several an image: {', '.join(f'{n}: {c:,}' for n, c in shown)}{more}")
        if found["unlabelled"]:
            lines.append(f"{words.count(found['unlabelled'], 'image')} without a label")
    else:
        lines.append("no labels")
    lines += _about_masks(found)
    if found["height"]:
        low, median, most = (f"{w}x{h}" for w, h in zip(found["width"], found["height"], strict=True))
        size = f"{low} px" if low == most else f"{low} to {most} px, the median {median}"
        colour = "grey" if found["grey"] else "in colour"
        lines.append(f"of {found['sampled']:,} that were decoded: {size} (width x height), {colour}")
    lines.append(_reasons(found) if found["damaged"] else "none of these is damaged")
    if found.get("changes"):
        lines.append(f"of these {changes.listed(found['changes'])}")
    if found.get("passed_over"):
        lines.append(f"passed over: {listing.words(found['passed_over'])}")
    return lines


def _about_masks(found) -> list[str]:
    masks, aside = found.get("masks"), found.get("left_out")
    if aside:
        return [f"beside them {aside['images']:,} masks in {', '.join(aside['folders'])}, which nothing learns from yet"]
    if not masks:
        return []
    return [f"{masks['images']:,} of the images look like masks of others, such as {masks['such as']}"]


def _reasons(found) -> str:
    aside = sum(found["damaged"].values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in found["damaged"].items())
    return f"{aside} of {found['sampled']:,} {'is' if aside == 1 else 'are'} damaged ({reasons})"


def _data(source, found, counted, inliers, images) -> tuple[dict, list[str]]:
    """The slice `data`, and why it is not the default."""
    data: dict[str, Any] = {"source": source} | ({"inliers": inliers} if inliers else {})
    own, remark = keys.SPLIT_WORDS.keys() & set(map(str.lower, found["splits"])), []
    is_thin = bool(counted) and min(counted.values()) < remarks.FEW and not own
    shares = _shares(source, found, counted, images, SHARES[is_thin])
    if shares != SHARES[0]:
        data |= dict(zip(("validation", "test"), shares, strict=True))
        whose = "some classes have few images" if is_thin else "there are few images"
        remark.append(f"larger shares than usual, because {whose}")
    if inliers and keys.VALIDATION not in remarks.used(found).values() and found["by_split"][keys.TRAIN][inliers[0]] < NORMAL:
        data |= {"validation": 0.2}
        remark.append("a larger share than usual, because the threshold is a quantile of the validation images' scores")
    white = changes.white_for(found.get("peak", -1), Reading())
    if white is not None:
        data["white"] = white
        remark.append(f"white: no 16-bit value that was seen is above {found['peak']}")
    aside = min(1.0, math.ceil(150 * remarks.damaged_share(found)) / 100)  # the sample may have had fewer than there are
    if aside > DataConfig().max_quarantined:
        data["max_quarantined"] = aside
        remark.append("max_quarantined lets the damaged images pass; repair or remove them, and take it out")
    return data, remark


def _shares(source, found, counted, images, wanted: tuple[float, float]) -> tuple[float, float]:
    """Of validation and test: the wanted ones, or the next larger ones that leave no split empty. Raises UsageError for none."""
    carved = [one for one in found.get("carved", ()) if (one["validation"], one["test"]) >= wanted]
    kept = {split: count for split, count in images.items() if split != keys.TRAIN}  # of these nothing is carved
    usable = [one for one in carved if all({**one["images"], **kept}.values())]
    if carved and not usable:
        empty = next(split for split, count in {**carved[0]["images"], **kept}.items() if not count)
        pool, column = images[keys.TRAIN], (found.get("columns") or {}).get("label")
        why = "A hash of an image's name says which split it falls into; the only image of a class is trained on."
        advice, classes = f"Add images. {why}", ""
        if len(counted) * MANY > pool:
            classes = f": {_of_column(column)} {len(counted):,} classes, most of few images"
        if classes and column:
            advice = (
                f"{why} Where the column is no class but a number, or an id, name another with --label; --label null learns "
                "without labels. data.stratify: false in a config of your own carves whatever the class."
            )
        raise UsageError(f"{source} has too few images to carve a split of {empty} from ({pool:,}){classes}.", advice)
    return (usable[0]["validation"], usable[0]["test"]) if usable else wanted


def _of_column(column: str | list[str] | None) -> str:
    if not column:
        return "they are of"
    return f"the column {column} has" if isinstance(column, str) else f"the columns {', '.join(column)} have"


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
        *_comment(why),
        f"augment: {_flow(steps)}",
        *_comment(because),
        "# `hubel list models` has others",
        *_comment(_about_transfer(found, pushed)),
        f"model: {_flow(model)}",
        f"train: {_flow(train)}",
        *_bound(found, counted),
    ]


def _bound(found, counted) -> list[str]:
    if found.get("labels"):
        bound = _flow({"thresholds": {"macro_auroc": {"min": RANKED}}})
        return ["# modest: 0.5 is guessing; raise it once you know what can be reached", f"evaluate: {bound}"]
    most = max(counted.values()) / sum(counted.values())
    bound = min(0.99, math.ceil(100 * (most + 0.2 * (1 - most))) / 100)
    return [
        f"# modest: always naming the most frequent class would reach {most:.2f}; raise it once you know what can be reached",
        "# slices: the figures of each class by itself",
        f"evaluate: {_flow({'thresholds': {'accuracy': {'min': bound}}, 'slices': {'label': {}}})}",
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
        lines.append(f"a model that was pushed here has features too: transfer: {{source: {_flow(pushed.source)}}}, with {size}")
    return lines


def _transferred(found, counted, features: Source) -> list[str]:
    steps, why = _augment(found, list(counted))
    train = {
        "epochs": 2 * _epochs(found),
        "batch_size": _batch(found),
        "optimizer": {"learning_rate": 3e-3},
        "schedule": {"name": "cosine"},
        "early_stopping": {"patience": 20},
    }
    return [
        *_comment(why),
        f"augment: {_flow(steps)}",
        f"# {found['images']:,} photos are few: a new head on a network of ImageNet, whose weights are on this machine",
        f"transfer: {_flow({'source': features.source})}",
        f"train: {_flow(train)}",
        *_bound(found, counted),
    ]


def _detector(found, side: int) -> list[str]:
    window = 2 * int(side * SMOOTHED / 2) + 1
    train = {
        "epochs": 3 * _epochs(found),
        "batch_size": _batch(found),
        "optimizer": {"learning_rate": 1e-3},
        "schedule": {"name": "cosine"},
        "early_stopping": {"patience": 20},
    }
    return [
        "# an autoencoder of what is normal: it makes little of what it has not seen",
        f"model: {_flow({'name': 'conv_autoencoder', 'options': {'code_size': CODE, 'filters': FILTERS}})}",
        f"train: {_flow(train)}",
        f"# the largest mean error over {window}x{window} px, so that a small defect counts; mean is for what changes all",
        f"anomaly: {_flow({'pooling': 'smoothed_max', 'window': window})}",
        "# modest: 0.5 is guessing; slices: each kind of defect by itself among the normal images",
        f"evaluate: {_flow({'thresholds': {'auroc': {'min': DETECTED}}, 'slices': {'label': {}}})}",
    ]


def _network(found, classes: int, side: int) -> tuple[dict, dict, list[str]]:
    """The slices `model` and `train`, and why."""
    epochs, batch = _epochs(found), _batch(found)
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
        "epochs": 3 * _epochs(found),
        "batch_size": _batch(found),
        "optimizer": {"learning_rate": 3e-3},
        "schedule": {"name": "cosine"},
        "early_stopping": {"patience": 20},
    }
    return [
        "# mirrored too, so that it learns what such images have in common rather than these by heart",
        f"augment: {_flow([{'flip': {}}])}",
        f"# an autoencoder: it is judged by PCA with as many numbers as its code has ({code}), fitted on the same images",
        f"model: {_flow({'name': 'conv_autoencoder', 'options': {'code_size': code}})}",
        f"train: {_flow(train)}",
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


def _epochs(found) -> int:
    return 40 if found["images"] < 2_000 else 20 if found["images"] < 20_000 else 10


def _batch(found) -> int:
    return 16 if found["images"] < 500 else 32 if found["images"] < 5_000 else 64


def _comment(lines: list[str]) -> list[str]:
    return [f"# {printable(line)}" for line in lines]


def _flow(value: Any) -> str:
    """Flow-style YAML in one line; text in double quotes where it needs any."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", value) and yaml.safe_load(value) == value  # not so: no, null
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
