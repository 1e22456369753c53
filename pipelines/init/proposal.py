"""From what was found in examples to a config for them, for `hubel init`. Plain data in, YAML out; nothing heavy.

What depends on the kind of input is a file a kind in pipelines/init/kinds.
"""

import glob
import math
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from components import keys
from components.example_gen import changes, listing, paired, sources
from configs import words
from configs.errors import UsageError
from configs.schema.data import DataConfig
from configs.schema.reading import Reading
from pipelines.init import remarks, segmentation
from pipelines.init.kinds import Plan, kind_of
from pipelines.init.places import IMAGES
from pipelines.init.writing import RANKED, comment, flow  # noqa: F401
from pipelines.workspace.layout import Workspace

SHARES = ((0.1, 0.2), (0.2, 0.2), (0.3, 0.3), (0.4, 0.3))  # of validation and test: usual, for classes of few examples, others
NORMAL = 1000  # normal images, below which a larger share of them is for the threshold
CLASSES_SHOWN = 20
MANY = 2  # examples of a class in the mean, below which there are too many classes
COMMON = ("train", "table", "labels", "data", "metadata", "index")  # names of tables that say nothing of what they are of
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
        raise UsageError(f"There is no {path}.", "Name a folder of images or texts, a CSV file of them, TFRecords, or tfds:NAME.")
    raise UsageError(
        f"{path} is neither a folder, nor a CSV file, nor TFRecords.",
        f"Name one of them, or say what it is: {', '.join(f'{s}:PATH' for s in sources.schemes() if s != 'tfds')}.",
    )


def _is_tfrecord(name: str) -> bool:
    return any(suffix in os.path.basename(name).lower() for suffix in TFRECORD)


def name_of(source: str) -> str:
    """A valid RunConfig.name: what the source says that its data is called, or its file, and of one of a common name the folder."""
    module, rest = sources.module_of(source), source.partition(":")[2]
    path = Path(rest)
    if hasattr(module, "called"):
        base = module.called(rest)
    else:
        base = path.parent.name if path.stem.lower() in COMMON and path.parent.name else path.stem
    plain = unicodedata.normalize("NFKD", base).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).strip("_.-")[:60].strip("_.-")
    return f"images_{name}" if name.isdigit() else name or "images"


def read_by(
    source: str,
    labels: Sequence[str],
    image: str | None,
    images: str | None,
    text: str | None = None,
    mask: str | None = None,
) -> dict[str, Any]:
    """The keys of `data` for columns and a folder that were named; a label called null is none. Raises UsageError for a source that
    is no table, unless it is a pattern of masks that was named."""
    label = labels[0] if len(labels) == 1 else list(labels)
    features = {kind: name for kind, name in (("image", image), ("text", text), ("label", label)) if name}
    if label == "null":
        features["label"] = None
    if mask and text:
        raise UsageError("--text is of texts, and --mask is of images.", "Name what the model is to read.")
    if source.startswith("folder:") and mask:
        paired.check_pattern(mask)
    if source.startswith("folder:") and (features or images):
        raise UsageError(
            "--label, --image, --text and --images are of a table; a folder has no columns.", "Name the CSV file as PATH."
        )
    if text and (image or images):
        raise UsageError("--text is of texts, and --image and --images are of images.", "Name what the model is to read.")
    if images and not source.startswith("csv:"):
        raise UsageError("--images is of a CSV file, whose paths start there.", "Leave it out.")
    if images and not os.path.isdir(os.path.expanduser(images)):
        raise UsageError(f"--images {images}: there is no such folder.", "Name the folder that the table's paths start from.")
    features |= {keys.MASK: mask} if mask else {}
    folder = os.path.abspath(os.path.expanduser(images)) if images else None
    return ({"features": features} if features else {}) | ({"images": folder} if folder else {})


def pictures_of(source: str, survey: Mapping[str, Any]) -> str | None:
    """The source of the pictures alone, where the only other class of a folder is that of their masks and they are called images;
    otherwise None: what looks like masks of a class may be a class."""
    masks, counted = survey.get("masks"), [label for label, count in survey["classes"].items() if count]
    others = [label for label in counted if masks is None or label not in masks["folders"]]
    if masks is None or len(survey["splits"]) > 1 or len(others) != 1 or len(counted) == 1:
        return None
    if not IMAGES.fullmatch(others[0]):
        return None
    return f"{source}/{others[0]}"


@dataclass
class Proposal:
    """A config's text, and what a person should know about the images, a sentence each."""

    text: str
    notes: list[str] = field(default_factory=list)


def at_hand(survey: Mapping[str, Any], place: Workspace) -> dict[str, Any]:
    """What this machine and workspace have that a proposal may use: further arguments of `propose`."""
    return kind_of(survey).at_hand(survey, place)


def propose(
    name: str, source: str, survey: Mapping[str, Any], file: str, read: Mapping[str, Any] = MappingProxyType({}), **at_hand: Any
) -> Proposal:
    """Write a config for what `pipelines.data_sets.survey.look` found.

    Args:
        file: as `hubel run` will be told.
        read: further keys of `data` that say how the source was read: features, images.
        at_hand: of the function of that name; what is left out is not there.

    Raises:
        UsageError: where there is nothing to train on.
    """
    kind, noun = kind_of(survey), remarks.noun(survey)
    sound = survey["sampled"] - sum(survey["damaged"].values())
    if not sound:
        raise UsageError(f"There is no sound {noun} in {source}: {_reasons(survey)}.", "Check the files.")
    counted = {label: count for label, count in survey["classes"].items() if count}
    several = survey.get("labels") or {}  # classes that an example may have several of
    is_labelled, inliers = len(counted) > 1 or bool(several), inliers_of(survey) if kind.LEARNS_ALONE else []
    if not is_labelled and not kind.LEARNS_ALONE:
        raise _nothing_to_learn(source, survey, counted)
    left_out = [] if inliers or not is_labelled else remarks.untrained(survey)
    _check_told_apart(source, survey, [label for label in counted if label not in left_out], left_out)
    used = _used(survey, left_out, inliers) if is_labelled else remarks.by_split(survey)
    _check_own(source, survey, used, left_out)
    counted = {label: count for label, count in counted.items() if label not in left_out}
    data, remark = _data(source, survey, counted, inliers, used)
    if is_labelled and not inliers and len(counted) < len(survey["classes"]):
        data["classes"] = list(counted)
    if several:
        read = {**read, "features": {**read.get("features", {}), keys.LABELS: list(several)}}
    if chosen := survey.get("features"):
        read = {**read, "features": {**chosen, **read.get("features", {})}}
    if masked := survey.get("mask"):
        read = {**read, **segmentation.meaning(source, masked)}
    body, about = kind.body(survey, Plan(is_labelled, several or counted, inliers), **at_hand)
    notes = [
        *remarks.about_several(survey),
        *remarks.of(survey, counted, inliers, left_out),
        *remarks.about_splits(survey, used, data, is_labelled and not inliers),
        *about,
    ]
    lines = [
        *comment(summary(survey, source)),
        *comment(notes),
        "#",
        f"#   hubel run {file}",
        "#",
        f"name: {flow(name)}",
        *comment(remark),
        f"data: {flow({**data, **read})}",
        *body,
    ]
    return Proposal("\n".join(lines) + "\n", notes)


def _nothing_to_learn(source: str, survey: Mapping[str, Any], counted: Mapping[str, int]) -> UsageError:
    """For examples of one class, or none, of a kind that has to be told apart."""
    noun = remarks.noun(survey)
    has = f"{noun}s of one class alone, {next(iter(counted))}" if counted else f"{noun}s without labels"
    unused = remarks.listed((survey.get("columns") or {}).get("unused") or [], remarks.COLUMNS_SHOWN)
    return UsageError(
        f"{source} has {has}, and what is learned of {noun}s is which class they are of.",
        "Name the column of the classes: --label." + (f" Not used: {unused}." if unused else ""),
    )


def inliers_of(survey: Mapping[str, Any]) -> list[str]:
    """The only class to train on, in a list, where the test split has others too, as MVTec AD has it; otherwise none."""
    by_split = survey.get("by_split", {})
    train, test = ({name for name, count in by_split.get(split, {}).items() if count} for split in (keys.TRAIN, keys.TEST))
    return sorted(train) if len(train) == 1 and test > train else []


def _used(survey: Mapping[str, Any], left_out: Sequence[str], inliers: Sequence[str]) -> dict[str, int]:
    """{hubel's split: examples of the source's own split} that a run uses: with a label, and of a class that is learned."""
    used = {}
    for split, by_class in survey.get("by_split", {}).items():
        learned = inliers if inliers and split != keys.TEST else set(by_class) - set(left_out)
        used[split] = sum(count for name, count in by_class.items() if name in learned)
    return used or remarks.by_split(survey)


def _check_told_apart(source: str, survey: Mapping[str, Any], learned: Sequence[str], left_out: Sequence[str]) -> None:
    """Raise UsageError where one class is trained on, and the others cannot be tested beside it."""
    if len(learned) != 1 or not left_out:
        return
    [name] = learned
    where = [split for split, by_class in survey["by_split"].items() if any(by_class.get(other) for other in left_out)]
    advice = (
        f"For a detector of what is not {name}, put images of {name} beside the others into test. For a classifier, put images of "
        "every class into train."
    )
    raise UsageError(
        f"{source} has {name} alone to train on, and {remarks.listed(left_out)} in {' and '.join(where)} only: no classifier can "
        "learn that, and no detector be measured, which takes test images of both.",
        " ".join(filter(None, [remarks.twins(survey), advice])),
    )


def _check_own(source: str, survey: Mapping[str, Any], used: Mapping[str, int], left_out: Sequence[str]) -> None:
    """Raise UsageError where a split that the source has itself would have no example."""
    for split, there in remarks.by_split(survey).items():
        if used.get(split) or not there:
            continue
        noun = remarks.noun(survey)
        some = words.count(there, f"{split} {noun}")
        if not sum(survey["by_split"][split].values()):
            otherwise = "" if split == keys.TRAIN else f", or leave them out: a run carves a {split} split where there is none"
            raise UsageError(f"Of {source} the {some} {'has' if there == 1 else 'have'} no label.", f"Label them{otherwise}.")
        strange = [name for name in left_out if survey["by_split"][split].get(name)] or list(survey["by_split"][split])
        twins = remarks.twins(survey)
        raise UsageError(
            f"Of {source} none of the {some} can be used: no training {noun} has the class {remarks.listed(strange)}.",
            " ".join(filter(None, [twins, "Call a class the same in every split."])),
        )


def summary(survey: Mapping[str, Any], source: str) -> list[str]:
    """What was found, in a few lines."""
    noun = remarks.noun(survey)
    splits = ", ".join(f"{count:,} {name}" for name, count in survey["splits"].items())
    lines = [f"{source}: {words.count(survey['images'], noun)}" + (f" ({splits})" if len(survey["splits"]) > 1 else "")]
    if survey["classes"]:
        shown = list(survey["classes"].items())[:CLASSES_SHOWN]
        more = f", and {len(survey['classes']) - len(shown)} more" if len(survey["classes"]) > len(shown) else ""
        lines.append(f"{words.classes(len(survey['classes']))}: {', '.join(f'{label}: {count:,}' for label, count in shown)}{more}")
        if survey["unlabelled"]:
            lines.append(f"{words.count(survey['unlabelled'], noun)} without a label")
    elif several := survey.get("labels"):
        shown = list(several.items())[:CLASSES_SHOWN]
        more = f", and {len(several) - len(shown)} more" if len(several) > len(shown) else ""
        lines.append(
            f"{words.classes(len(several))}, several {remarks.a(survey)}: {', '.join(f'{n}: {c:,}' for n, c in shown)}{more}"
        )
        if survey["unlabelled"]:
            lines.append(f"{words.count(survey['unlabelled'], noun)} without a label")
    else:
        lines.append("no labels")
    lines += kind_of(survey).sampled(survey)
    lines.append(_reasons(survey) if survey["damaged"] else "none of these is damaged")
    if survey.get("changes"):
        lines.append(f"of these {changes.listed(survey['changes'])}")
    if survey.get("passed_over"):
        lines.append(f"passed over: {listing.words(survey['passed_over'])}")
    return lines


def _data(source, survey, counted, inliers, used) -> tuple[dict, list[str]]:
    """The slice `data`, and why it is not the default."""
    noun = remarks.noun(survey)
    data: dict[str, Any] = {"source": source} | ({"inliers": inliers} if inliers else {})
    own, remark = keys.SPLIT_WORDS.keys() & set(map(str.lower, survey["splits"])), []
    is_thin = bool(counted) and min(counted.values()) < remarks.FEW and not own
    shares = _shares(source, survey, counted, used, SHARES[is_thin])
    if shares != SHARES[0]:
        data |= dict(zip(("validation", "test"), shares, strict=True))
        whose = f"some classes have few {noun}s" if is_thin else f"there are few {noun}s"
        remark.append(f"larger shares than usual, because {whose}")
    if inliers and keys.VALIDATION not in remarks.used(survey).values() and survey["by_split"][keys.TRAIN][inliers[0]] < NORMAL:
        data |= {"validation": 0.2}
        remark.append("a larger share than usual, because the threshold is a quantile of the validation images' scores")
    white = changes.white_for(survey.get("peak", -1), Reading())
    if white is not None:
        data["white"] = white
        remark.append(f"white: no 16-bit value that was seen is above {survey['peak']}")
    aside = min(1.0, math.ceil(150 * remarks.aside_share(survey)) / 100)  # the sample may have had fewer than there are
    if aside > DataConfig().max_quarantined:
        data["max_quarantined"] = aside
        what = f"damaged {noun}s" if survey["damaged"] else "images whose masks cannot be used"
        remark.append(f"max_quarantined lets the {what} pass; repair or remove them, and take it out")
    return data, remark


def _shares(source, survey, counted, used, wanted: tuple[float, float]) -> tuple[float, float]:
    """Of validation and test: the wanted ones, or the next larger ones that leave no split empty. Raises UsageError for none."""
    noun = remarks.noun(survey)
    carved = [plan for plan in survey.get("carved", ()) if (plan["validation"], plan["test"]) >= wanted]
    kept = {split: count for split, count in used.items() if split != keys.TRAIN}  # of these nothing is carved
    usable = [plan for plan in carved if all({**plan["images"], **kept}.values())]
    if carved and not usable:
        empty = next(split for split, count in {**carved[0]["images"], **kept}.items() if not count)
        pool, column = used[keys.TRAIN], (survey.get("columns") or {}).get("label")
        why = f"A hash of {remarks.a(survey)}'s name says which split it falls into; the only {noun} of a class is trained on."
        advice, classes = f"Add {noun}s. {why}", ""
        if len(counted) * MANY > pool:
            classes = f": {_of_column(column)} {len(counted):,} classes, most of few {noun}s"
        if classes and column:
            advice = (
                f"{why} Where the column is no class but a number, or an id, name another with --label; --label null learns "
                "without labels. data.stratify: false in a config of your own carves whatever the class."
            )
        raise UsageError(f"{source} has too few {noun}s to carve a split of {empty} from ({pool:,}){classes}.", advice)
    return (usable[0]["validation"], usable[0]["test"]) if usable else wanted


def _of_column(column: str | list[str] | None) -> str:
    if not column:
        return "they are of"
    return f"the column {column} has" if isinstance(column, str) else f"the columns {', '.join(column)} have"


def _reasons(survey) -> str:
    aside = sum(survey["damaged"].values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in survey["damaged"].items())
    return f"{aside} of {survey['sampled']:,} {'is' if aside == 1 else 'are'} damaged ({reasons})"
