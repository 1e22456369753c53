"""Masks: what their values mean, and a network that says of each pixel which class it is of, for `hubel init`. Plain data; light.

`masked` is what pipelines.data_sets.masked found in a sample.
"""

import itertools
import math
from collections.abc import Mapping
from typing import Any

from components import map_values
from configs import words
from configs.errors import UsageError
from pipelines.init.writing import batch_of, comment, epochs_of, flow

BACKGROUND, OBJECT = "background", "object"
STRAY = 0.001  # of all pixels, which values beside the classes have at most together
APART = 32  # grey levels between classes, from which on what lies between is a stray
SOME = 0.1  # of the masks, in which a stray value is at most
RARE = 0.01  # of the pixels, below which a class is pointed out
SHOWN = 12  # classes in a line
LEVELS, FILTERS = 4, 16  # of a U-Net
LARGEST = 96  # px a side: beyond, two cores need hours
SIDES = (32, 48, 64, 96, 128)
MARGIN = 0.3  # of what lies between the baseline's mean IoU and 1, that a model has to make up


def classes(masked: Mapping[str, Any]) -> tuple[dict[int, str], dict[int, int]]:
    """(value -> name of the classes, value -> pixels of what is none).

    The background is 0, the class beside it alone an object, others are called after their values. Strays are greys that a few
    masks have between classes that lie APART; 255 is of no class where the others are 0, 1, 2 and so on, as PASCAL VOC has it.
    """
    pixels = {int(value): count for value, count in masked["values"].items() if count}
    if masked["names"]:
        return dict(enumerate(masked["names"])), {}
    strays = (
        {} if masked["palette"] else _strays(pixels, {int(of): many for of, many in masked["in_masks"].items()}, masked["masks"])
    )
    main = sorted(pixels.keys() - strays.keys())
    if len(main) > 2 and main[-1] == map_values.VOID and main[:-1] == list(range(main[0], main[0] + len(main) - 1)):
        main = main[:-1]
    if len(main) == 2 and main[0] == 0:
        return {0: BACKGROUND, main[1]: OBJECT}, strays
    return {value: BACKGROUND if value == 0 else f"value_{value}" for value in main}, strays


def _strays(pixels: Mapping[int, int], in_masks: Mapping[int, int], masks: int) -> dict[int, int]:
    ordered = sorted(pixels, key=lambda value: pixels[value])
    total, taken, strays = sum(pixels.values()), 0, {}
    for value in ordered:
        taken += pixels[value]
        if taken > STRAY * total or in_masks[value] > max(1, SOME * masks):
            break
        strays[value] = pixels[value]
    main = sorted(pixels.keys() - strays.keys())
    gaps = [after - before for before, after in itertools.pairwise(main)]
    return strays if gaps and min(gaps) >= APART else {}


def meaning(source: str, masked: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of `data` that say what values of masks are. Raises UsageError where they tell nothing apart."""
    names, strays = classes(masked)
    there = [name for value, name in names.items() if masked["values"].get(str(value))]
    if len(there) < 2:
        aside = ", ".join(f"{count} {reason}" for reason, count in masked["aside"].items())
        has = f"one class throughout, {there[0]}" if there else f"no class{f' ({aside})' if aside else ''}"
        raise UsageError(
            f"The masks of {source} that were read are of {has}: there is nothing to tell apart.",
            "Give masks of several classes, or name others: --mask.",
        )
    if masked["names"]:
        return {}
    read: dict[str, Any] = {"mask_classes": names}
    if strays:
        read["mask_snap"] = max(min(abs(value - other) for other in names) for value in strays)
    return read


def shares(masked: Mapping[str, Any]) -> dict[str, float]:
    """Class -> its share of the pixels that are of one."""
    names, _ = classes(masked)
    pixels = {name: masked["values"].get(str(value), 0) for value, name in names.items()}
    return {name: count / max(1, sum(pixels.values())) for name, count in pixels.items()}


def sampled(survey: Mapping[str, Any]) -> list[str]:
    """Lines on the masks of a sample."""
    masked = survey["mask"]
    told = [f"{name}: {share:.1%}" for name, share in shares(masked).items()]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    several = f", {masked['several']:,} of them of several files" if masked["several"] else ""
    aside = sum(masked["aside"].values())
    lines = [f"masks of {masked['masks']:,} of these{several}; pixels {', '.join(told[:SHOWN])}{more}"]
    if aside:
        reasons = ", ".join(f"{count} {reason}" for reason, count in masked["aside"].items())
        lines.append(f"{words.count(aside, 'further mask')} cannot be used ({reasons})")
    return lines


def notes(survey: Mapping[str, Any]) -> list[str]:
    """What a person should know of them, a sentence each."""
    masked, told = survey["mask"], list(survey.get("notes", ()))
    told = [f"{text}." for text in told]
    if masked["without"] and not told:
        told.append(f"{words.count(masked['without'], 'image')} of the sample without a mask: a run leaves out and counts them.")
    if aside := sum(masked["aside"].values()):
        reasons = ", ".join(f"{count} {reason}" for reason, count in masked["aside"].items())
        told.append(f"{words.count(aside, 'mask')} of the sample cannot be used ({reasons}); a run sets their images aside.")
    if others := survey.get("patterns"):
        listed = ", ".join(f'"{pattern}" ({words.count(images, "image")})' for pattern, images in others)
        named = survey["features"]["mask"]
        told.append(f'Masks are read from "{named}". Others would do too: {listed}; --mask names one of them.')
    names, strays = classes(masked)
    if not masked["names"]:
        what = "places of a palette" if masked["palette"] else "grey values"
        listed = ", ".join(f"{value}: {name}" for value, name in [*names.items()][:SHOWN])
        told.append(f"The masks' values are {what}: {listed}. Call them by what they are in data.mask_classes.")
    if strays:
        listed, many = ", ".join(map(str, sorted(strays)[:SHOWN])), words.count(sum(strays.values()), "pixel")
        told.append(
            f"A few masks have other values, in {many}: {listed}. data.mask_snap takes them for the nearest class and counts them."
        )
    unknown = {int(value) for value in masked["values"]} - names.keys() - strays.keys()
    if map_values.VOID in unknown:
        told.append(f"{map_values.VOID} is taken for pixels of no class; where it is one, name it in data.mask_classes.")
    if overlapping := masked["counted"].get(map_values.OVERLAPPING):
        told.append(
            f"In {words.count(overlapping, 'mask')} several files have the same pixels; the larger value stands there, of classes "
            "the later one."
        )
    if turned := masked["counted"].get(map_values.TURNED):
        told.append(f"{words.count(turned, 'mask')} {'is' if turned == 1 else 'are'} turned as the EXIF tags of the image say.")
    of = shares(masked)
    if rare := {name: share for name, share in of.items() if share < RARE}:
        listed = ", ".join(f"{name} ({share:.2%})" for name, share in sorted(rare.items(), key=lambda item: item[1])[:SHOWN])
        told.append(f"Of few pixels: {listed}. What is learned and measured of so little will mean little; a loss may weigh it.")
    return told


def side_of(survey: Mapping[str, Any]) -> int:
    """px of the model's input: the nearest of SIDES to the images' median, no larger than LARGEST."""
    median = max(survey["height"][1], survey["width"][1])
    return min((side for side in SIDES if side <= LARGEST), key=lambda side: abs(math.log(side / median)))


def body(survey: Mapping[str, Any]) -> list[str]:
    """The lines of a config below `data`."""
    side, of = side_of(survey), shares(survey["mask"])
    median = max(survey["height"][1], survey["width"][1])
    why = (
        f"{side} px, although the images are larger (median {median}), so that training takes minutes without a GPU"
        if median > side
        else f"the nearest usual size to the images' median of {median} px"
    )
    levels = [FILTERS * 2**level for level in range(LEVELS if side >= 64 else LEVELS - 1)]
    transform = {"height": side, "width": side, "channels": 1 if survey["grey"] else 3, "resize": "fit", "normalize": "per_channel"}
    train = {
        "epochs": epochs_of(survey),
        "batch_size": min(16, batch_of(survey)),
        "optimizer": {"name": "adam", "learning_rate": 2e-3},
        "schedule": {"name": "cosine"},
        "early_stopping": {"patience": 12},
    }
    options = {"padding": "same", "filters": levels, "dropout": 0.25, "batch_norm": True}
    baseline = max(of.values()) / len(of)
    least = math.floor(100 * (baseline + MARGIN * (1 - baseline))) / 100
    return [
        *comment([why]),
        f"transform: {flow(transform)}",
        "# mirrored and turned a little; a mask follows its image. Take {flip: {}} out where a mirrored image means something else",
        f"augment: {flow([{'flip': {}}, {'rotate': {'degrees': 10}}])}",
        f"# U-Net of {len(levels)} levels; twice the filters learn more, and take four times as long",
        f"model: {flow({'name': 'unet', 'options': options})}",
        f"train: {flow(train)}",
        f"# modest: the most frequent class everywhere would reach {baseline:.2f}; raise it once you know what can be reached",
        f"evaluate: {flow({'thresholds': {'mean_iou': {'min': least}}})}",
    ]
