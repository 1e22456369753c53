"""Images of codes on the way from one to another, and along single units."""

import numpy as np

from components.codes import activity, ways
from components.reporter import strips
from components.tasks.reconstruction.names import DECODE
from components.tasks.reconstruction.variational import GENERATE
from components.tasks.reports.reconstruction.looked import Looked
from reports.run.blocks import Picture, Pictures, Section

ORDER = 50
WAYS, STEPS = 8, 7
UNITS = 8
REACH = 3.0  # standard deviations of the prior, either way


def section(looked: Looked) -> Section | None:
    codes = looked.codes
    if DECODE not in looked.signatures or len(codes) < 2:
        return None
    pairs = ways.pairs(codes, looked.sample.labels, WAYS)
    is_prior = GENERATE in looked.signatures
    how = "along the great circle, which keeps the length of codes" if is_prior else "along the straight line"
    about = f"Codes between those of two test images, {how}, and what the decoder makes of them."
    strip = [_way(looked, first, second, is_prior) for first, second in pairs]
    blocks = [Pictures(strip, f"An image, {STEPS} steps from its code to that of the other, the other image")]
    if is_prior:
        blocks.append(_units(looked))
    return Section("interpolations", "Interpolations", about, blocks)


def _way(looked: Looked, first: int, second: int, spherical: bool) -> Picture:
    between = ways.between(looked.codes[first], looked.codes[second], np.linspace(0, 1, STEPS), spherical)
    seen = looked.sample.seen
    ends = looked.class_of(first), looked.class_of(second)
    caption = f"{ends[0]} to {ends[1]}" if all(ends) else ""
    alt = f"From {looked.named(first)} to {looked.named(second)}: the image, {STEPS} steps between the codes, the other image"
    return strips.strip([seen[first], *looked.decoded(between), seen[second]], alt, caption)


def _units(looked: Looked) -> Pictures:
    """What single units do to the mean image's code."""
    units = activity.of_units(looked.codes)
    order = np.argsort(-units.variance, kind="stable")[:UNITS]
    values = np.linspace(-REACH, REACH, STEPS + 2)
    pictures = []
    for unit in order:
        made = looked.decoded(ways.along(units.mean, int(unit), values.tolist()))
        pictures.append(strips.strip(made, f"Unit {unit} from {-REACH:g} to {REACH:g}, the others at their mean", f"unit {unit}"))
    caption = (
        f"One unit from {-REACH:g} to {REACH:g}, deviations of the prior, the others at their mean: the {len(order)} that vary most"
    )
    return Pictures(pictures, caption, more=looked.codes.shape[1] - len(order))
