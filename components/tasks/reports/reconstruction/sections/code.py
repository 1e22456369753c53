"""How the numbers of codes are spread, and which of them do the work."""

import numpy as np

from components.codes import activity
from components.codes.limits import LEAST, SHARE
from components.reporter import histograms
from components.tasks.reconstruction.names import ACTIVE
from components.tasks.reconstruction.sparse import FIGURE, TARGET
from components.tasks.reports.reconstruction.looked import Looked
from reports import distributions
from reports.distributions import Rule
from reports.run.blocks import Prose, Section, Table

ORDER = 30
BOXES = 40  # units that have a box of their own
OWN = {  # names of figures of an image's code -> what they are
    "sparsity": "sparsity (Hoyer)", "rate": "mean activity of a unit", "kl": "KL divergence from the prior, nats",
    "jacobian_norm": "norm of the encoder's Jacobian", "objective": "objective of sparse coding",
    "prediction": "squared distance of the predicted code from the optimal one",
}  # fmt: skip


def section(looked: Looked) -> Section | None:
    codes = looked.codes
    units = activity.of_units(codes)
    return Section("code", "The code", _about(looked, units), [*_spread(looked, units), *_activity(looked, codes, units)])


def _about(looked: Looked, units: activity.Units) -> str:
    return f"Each image becomes {len(units.mean):,} numbers. Seen are the codes of {looked.words()}."


def _spread(looked: Looked, units: activity.Units) -> list:
    order = np.argsort(-units.variance, kind="stable")
    boxed = order[:BOXES]
    left_out = f" The {len(order) - len(boxed):,} that vary least are left out." if len(order) > len(boxed) else ""
    names = ("low", "q25", "middle", "q75", "high")
    rows = [{"name": str(unit), **dict(zip(names, units.quantiles[:, unit].tolist(), strict=True))} for unit in boxed]
    about = f"Of each unit, those that vary most first: the median, the middle half, and 90 % of the images.{left_out}"
    blocks = [distributions.boxes("code-units", "Values of single units", about, rows, "unit", "value")]
    if len(order) > BOXES or "kl" in looked.each:
        about = "The variance of each unit over the images, the largest first."
        rules = []
        if "kl" in looked.each:
            many = int((units.variance > LEAST).sum())
            figure = looked.figure("active_units") or f"{many}"
            about += f" Units above {LEAST:g} are active in the sense of Burda et al. 2016: {figure} of {len(order):,}."
            rules = [Rule(LEAST, f"{LEAST:g}")]
        names = [f"unit {unit}" for unit in order]
        blocks.append(
            distributions.ranked(
                "code-variance", "Variance of units", about, units.variance[order], names, "unit, by rank", "variance", rules
            )
        )
    return blocks


def _activity(looked: Looked, codes: np.ndarray, units: activity.Units) -> list:
    is_active = activity.is_active(codes)
    many = looked.each.get(ACTIVE, is_active.sum(1))
    rule = (
        "in the sense of the model's own figure"
        if ACTIVE in looked.each
        else f"above {SHARE:.0%} of the largest number of its code"
    )
    total, dead = codes.shape[1], int(units.dead.sum())
    target = [Rule(looked.card.calibrated[TARGET], "target")] if looked.card.calibrated.get(FIGURE) == ACTIVE else []
    about = f"How many of the {total:,} units are active in an image, {rule}."
    blocks = [
        distributions.histogram(
            "active-units",
            "Active units",
            about,
            histograms.of_whole_numbers(np.rint(many).astype(int)),
            "active units",
            rules=target,
        )
    ]
    order = np.argsort(-units.active, kind="stable")
    about = f"The share of images in which each unit is active, above {SHARE:.0%} of the largest; {dead:,} of {total:,} never are."
    names = [f"unit {unit}" for unit in order]
    blocks.append(
        distributions.ranked("unit-use", "Use of units", about, units.active[order], names, "unit, by rank", "share of images")
    )
    rows = [["active units of an image", f"{many.mean():.4g}", f"{np.median(many):.4g}", f"{many.min():.4g} to {many.max():.4g}"]]
    for name, words in OWN.items():
        if name in looked.each:
            of = looked.each[name]
            rows.append(
                [words, looked.figure(name) or f"{of.mean():.4g}", f"{np.median(of):.4g}", f"{of.min():.4g} to {of.max():.4g}"]
            )
    blocks.append(
        Table(("figure of a code", "mean", "median", "from the least to the largest"), rows, "Activity and sparsity of codes")
    )
    if "sparsity" in looked.each:
        rows = histograms.of_groups({"": looked.each["sparsity"]})
        about = "Hoyer's sparsity of each code: 0 where all its numbers are equally far from 0, 1 where all but one are 0."
        blocks.append(distributions.histogram("sparsity", "Sparsity", about, rows, "sparsity"))
    if dead:
        blocks.append(
            Prose(f"{dead:,} of {total:,} units are active in none of these images: the code could be smaller by as many.")
        )
    return blocks
