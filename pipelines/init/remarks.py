"""What a person should know of images before a network learns them, a sentence each, for `hubel init`. Plain data; nothing heavy.

`survey` is what pipelines.data_sets.survey.look finds.
"""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from components import keys
from components.example_gen import changes, labels, listing
from configs import words
from configs.schema.data import DataConfig
from configs.schema.reading import Reading

IMBALANCE = 3  # times the rarest class, from which on it is pointed out
FEW = 10  # images of a class, below which it is pointed out
CLASSES_SHOWN, COLUMNS_SHOWN = 5, 12
_SEVERAL = {"several": "have several", "one": "have one", "none": "have none"}


def of(survey: Mapping[str, Any], counted: Mapping[str, int], inliers: Sequence[str], left_out: Sequence[str] = ()) -> list[str]:
    """What will make training harder, or is not read, a sentence each. counted: images of the classes that are learned; left_out:
    those classes that data.classes leaves out."""
    doubts = changes.doubts(survey.get("changes", {}), survey.get("peak", -1), Reading())
    notes = [*_about_columns(survey), *_about_read_classes(survey), *_about_places(survey)]
    notes += [f"Of the {noun(survey)}s that were decoded, {doubt}." for doubt in doubts]
    if inliers:
        notes.append(
            f"train has {inliers[0]} alone, and test has {listed([name for name in counted if name not in inliers])} besides: the "
            "config is for a detector that learns what is normal."
        )
        return [*notes, *_about_damage(survey), *_about_masks(survey)]
    if len(counted) == 1:
        notes.append("All images are of one class, so there is nothing to tell apart: the config is for an autoencoder.")
    if len(counted) > 1:
        least, most = min(counted, key=counted.get), max(counted, key=counted.get)
        if counted[most] >= IMBALANCE * counted[least]:
            notes.append(
                f"{most} has {counted[most] / counted[least]:.1f} times the {noun(survey)}s of {least}: "
                f"consider data.downsample: {IMBALANCE}, or train.class_weight: balanced."
            )
        few = [label for label, count in counted.items() if count < FEW]
        if few:
            some = f"{least} has only {words.count(counted[least], noun(survey))}"
            if len(few) > 1:
                some = f"{len(few)} of {len(counted)} classes have fewer than {FEW} {noun(survey)}s, such as {least} "
                some += f"with {counted[least]}"
            notes.append(f"{some}: what is learned and measured of {'it' if len(few) == 1 else 'them'} will mean little.")
        if survey["unlabelled"]:
            notes.append(_about_missing_labels(survey))
    empty = [label for label, count in survey["classes"].items() if not count]
    if empty:
        notes.append(
            f"No {noun(survey)} has the class {listed(empty)}" + (": data.classes leaves it out." if len(counted) > 1 else ".")
        )
    if left_out:
        notes.append(
            f"No training {noun(survey)} has the class {listed(left_out)}: nothing can be learned of it, so data.classes leaves "
            "it out."
        )
    if alike := twins(survey):
        notes.append(alike)
    return [*notes, *_about_damage(survey), *_about_masks(survey)]


def noun(survey: Mapping[str, Any]) -> str:
    """What an example is called."""
    return survey.get("noun", "image")


def about_several(survey: Mapping[str, Any]) -> list[str]:
    """Where images may have several classes: how many have, and classes that no image has, or all."""
    if not survey.get("labels"):
        return []
    counts = survey["several"]
    parts = [f"{counts[kind]:,} {what}" for kind, what in _SEVERAL.items() if counts.get(kind)]
    notes = [
        f"Each of these columns is a class that {a(survey)} may have beside others: of the {noun(survey)}s {', '.join(parts)}."
    ]
    if survey["unlabelled"]:
        notes.append(_about_missing_labels(survey))
    known = sum(counts.values()) - counts.get("unknown", 0)
    if empty := [name for name, count in survey["labels"].items() if not count]:
        notes.append(
            f"No {noun(survey)} has the class {listed(empty)}: a run will refuse that; leave its column out of "
            "data.features.labels."
        )
    if always := [name for name, count in survey["labels"].items() if count == known]:
        notes.append(f"All {noun(survey)}s have the class {listed(always)}, so there is nothing to learn of it.")
    return notes


def a(survey: Mapping[str, Any]) -> str:
    """The noun with its article."""
    return f"{'an' if noun(survey) == 'image' else 'a'} {noun(survey)}"


def _about_missing_labels(survey) -> str:
    why = survey.get("without_label", {})
    reasons, doubt = f" ({labels.reasons(why)})" if why else "", labels.doubt(why)
    some = words.count(survey["unlabelled"], noun(survey)) + (" has" if survey["unlabelled"] == 1 else " have")
    return f"{some} no label{reasons}: a run counts and leaves out what has none" + (f"; {doubt}." if doubt else ".")


def _about_damage(survey) -> list[str]:
    if not survey["damaged"]:
        return []
    return [f"{100 * damaged_share(survey):.1f} % of the {noun(survey)}s are damaged; a run sets them aside and names them."]


def untrained(survey: Mapping[str, Any]) -> list[str]:
    """Classes of which only other splits than train have images."""
    by_split = survey.get("by_split", {})
    train = by_split.get(keys.TRAIN, {})
    return [] if len(by_split) < 2 else [name for name, count in survey["classes"].items() if count and not train.get(name)]


def twins(survey: Mapping[str, Any]) -> str:
    """A sentence on classes whose names differ by no more than capitals and blanks; empty without any."""
    alike: dict[str, list[str]] = {}
    for name, count in survey["classes"].items():
        if count:
            alike.setdefault(" ".join(unicodedata.normalize("NFC", name).casefold().split()), []).append(name)
    pairs = [" and ".join(map(repr, names)) for names in alike.values() if len(names) > 1]
    return f"{listed(pairs)} differ by capitals or blanks alone: if they are one class, give it one name." if pairs else ""


def _by_content(survey) -> list[str]:
    """Names of what is read that only what it holds told; a pattern of masks is none."""
    return [name for key, name in survey.get("features", {}).items() if key != keys.MASK]


def _about_columns(survey) -> list[str]:
    columns = survey.get("columns")
    chosen = [f"{name} is taken for the {noun(survey)} by what it holds." for name in _by_content(survey)]
    if not columns or not columns["unused"]:
        return chosen
    unused = listed(columns["unused"], COLUMNS_SHOWN)
    label = columns.get(keys.LABELS) or columns["label"]
    label = label if isinstance(label, str) else ", ".join(label or ["none"])
    read = survey.get("reads", "image")
    told = f"The {noun(survey)} is {columns[read]}, the label {label}. Not used: {unused}. --{read} and --label name others."
    return [*chosen, told]


def _about_read_classes(survey) -> list[str]:
    if not survey.get("classes_read"):
        return []
    return [
        f"Which classes there are only reading all {noun(survey)}s tells: a run checks data.classes and data.inliers in its "
        "first stage."
    ]


def _about_masks(survey) -> list[str]:
    aside = survey.get("passed_over", {}).get(listing.MASKS)
    if not aside:
        return []
    are = f"{words.count(aside, 'mask')} of other images {'is' if aside == 1 else 'are'}"
    learns = [f'"{pattern}"' for pattern, _ in survey.get("patterns", ())]
    return [f"{are} left out" + (f"; --mask {' or --mask '.join(learns)} learns from them." if learns else ".")]


def _about_places(survey) -> list[str]:
    notes, masks, below = [], survey.get("masks"), survey.get("below")
    if masks:
        notes.append(
            f"{masks['images']:,} images look like masks of others, such as {masks['such as']}. A run would take them for "
            "pictures: move them to a folder outside."
        )
    if below:
        notes.append(
            f"The classes have {below['folders']:,} folders below them, such as {below['such as']}. A class is the upper folder; "
            "to learn the lower ones, name an upper folder as PATH, or list the images in a table with the columns path and label."
        )
    return notes


def about_splits(survey: Mapping[str, Any], images: Mapping[str, int], data: Mapping[str, Any], is_classified: bool) -> list[str]:
    """Which splits are carved from what, and what as many test images can tell. images: those of each split that a run uses."""
    ours = used(survey)
    own = set(ours.values()) if keys.TRAIN in survey["splits"] else set()
    share = {split: data.get(split, DataConfig.model_fields[split].default) for split in (keys.VALIDATION, keys.TEST)}
    made = {split: round(images[keys.TRAIN] * share[split]) for split in share}
    for plan in survey.get("carved", ()):  # to the image
        if all(plan[split] == share[split] for split in share):
            made = plan["images"]
    missing, notes = [split for split in share if split not in own], []
    if own and missing:
        aside = " and ".join(f"{made[split]:,} ({100 * share[split]:g} %)" for split in missing)
        notes.append(
            f"The data has no {' and no '.join(missing)} split: a run sets {aside} of the {images[keys.TRAIN]:,} training "
            f"{noun(survey)}s aside for {'it' if len(missing) == 1 else 'them'}, the same ones each time."
        )
    elif not own and len(ours) > 1:
        notes.append(
            f"The data has {' and '.join(f'a {split} split' for split in ours)} and no train split: a run puts all {noun(survey)}s "
            "together and divides them anew into the three, the same way each time."
        )
    tested = images[keys.TEST] if keys.TEST in own else made[keys.TEST]
    if is_classified and tested:
        some = words.count(tested, f"test {noun(survey)}")
        some += "" if keys.TEST in own else f" ({100 * tested / images[keys.TRAIN]:.0f} %)"
        known = f"an accuracy measured on so many is known to +- {half_width(tested):.2f} (95 %)"
        notes.append(f"{some}: {_about_figures(survey, tested) if survey.get('labels') else known}.")
    return notes


def _about_figures(survey: Mapping[str, Any], tested: int) -> str:
    """Where examples may have several classes: what the figures of each class rest on."""
    has = {name: count for name, count in survey["labels"].items() if count}
    rarest = min(has, key=has.get, default=None)
    rest_on = "AUROC and F1 of a class rest on those that have it and on those that have not"
    several = sum(survey["several"].values()) - survey["several"].get("unknown", 0)
    return rest_on if rarest is None else f"{rest_on}; {rarest} has about {round(has[rarest] * tested / several):,}"


def used(survey: Mapping[str, Any]) -> dict[str, str]:
    """Source split -> hubel's, as components.example_gen.splits says."""
    return survey.get("used") or dict.fromkeys(survey["splits"], keys.TRAIN)


def by_split(survey: Mapping[str, Any]) -> dict[str, int]:
    """{hubel's split: examples of the source's own}, whether or not they have a label."""
    counted: dict[str, int] = {}
    for name, split in used(survey).items():
        counted[split] = counted.get(split, 0) + survey["splits"][name]
    return {split: counted[split] for split in keys.SPLITS if split in counted}


def listed(names: Sequence[str], most: int = CLASSES_SHOWN) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def half_width(images: int) -> float:
    """Of Wilson's interval of 95 % of a share that is measured on so many images, where it is widest: at one half."""
    z = NormalDist().inv_cdf(0.975)
    return z / (2 * math.sqrt(images + z**2))


def damaged_share(survey: Mapping[str, Any]) -> float:
    """Of the sample."""
    return sum(survey["damaged"].values()) / survey["sampled"]


def aside_share(survey: Mapping[str, Any]) -> float:
    """Of the sample: what is damaged, and sound images whose mask cannot be used."""
    return damaged_share(survey) + sum((survey.get("mask") or {}).get("aside", {}).values()) / survey["sampled"]
