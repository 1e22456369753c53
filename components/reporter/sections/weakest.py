"""Parts of the test split, by what images are like, in which the model does worse than in the rest."""

from typing import TYPE_CHECKING

import numpy as np

from components import keys
from components.evaluator import per_image
from components.evaluator.statistic import ID, Mean, Rows, Share
from components.reporter import seen, weakest
from components.reporter.material import Material
from reports.run.blocks import Prose, Section, Table

if TYPE_CHECKING:
    from components.tasks.judges.base import Judge

ORDER = 60
OF_EVALUATIONS = True
SHOWN = 12  # parts, the weakest first


def section(material: Material) -> Section | None:
    """None of a kind of input that measures nothing, and of a task none of whose figures is a mean over images."""
    material.artifact("evaluation")
    sample = material.examples(keys.TEST)
    if sample is None:
        return None
    properties = seen.properties(material.reads, sample.seen, sample.sizes)
    rows = material.each
    figure = _figure(material.judge, rows)
    if not properties or figure is None:
        return None
    name, values, better, is_share = figure
    at = {per_image.digest(example.encode()): place for place, example in enumerate(sample.ids)}
    known = np.isfinite(values) | is_share
    kept = [(row, at[number]) for row, number in enumerate(rows[ID].tolist()) if number in at and known[row]]
    ours, theirs = (np.array([pair[side] for pair in kept], int) for side in (0, 1))
    here = {called: of[theirs] for called, of in properties.items()}
    bins = max(2, min(weakest.BINS, len(kept) // weakest.LEAST))
    if is_share:
        search = weakest.of_hits(here, values[ours] > 0, bins)
    else:
        search = weakest.of_errors(here, values[ours] if better == "less" else -values[ours], bins)
    return Section(
        "weakest", "Weakest slices", _about(material, search, name, len(kept), bins), [*_blocks(search, name, is_share, better)]
    )


def _figure(judge: "Judge", rows: Rows) -> tuple[str, np.ndarray, str, bool] | None:
    """What the judge says of each image, or else the first metric that is a mean over images of a number that Evaluator kept of
    each: its name, the numbers, which way is better, and whether these are hits."""
    if rows and (own := judge.of_images(rows)) is not None:
        return *own, "more", False
    for name, metric in judge.metrics.items():
        of = metric.statistic or Mean(name)
        if isinstance(of, Mean) and set(of.columns) <= rows.keys():
            return name, of.values(rows), metric.better, isinstance(of, Share)
    return None


def _about(material: Material, search: weakest.Search, name: str, images: int, bins: int) -> str:
    noun = seen.noun(material.reads)
    return (
        f"{images:,} {keys.TEST} {noun}s, parted by each property into up to {bins} parts of about as many; {name} of each part is "
        f"held against that of all others. {len(search.parts)} parts were looked at: chance and intervals are corrected for that."
    )


def _blocks(search: weakest.Search, name: str, is_share: bool, better: str):
    weak, sign = search.weak, 1 if is_share or better == "less" else -1
    if not search.parts:
        yield Prose(f"No part has {weakest.LEAST} images, with as many in the rest: of so few nothing can be told.")
    elif weak:
        yield Prose(
            "Worse than the rest by more than chance: "
            + "; ".join(
                f"{part.name} {_range(part)} ({name} {sign * part.value:.4g}, rest {sign * part.rest:.4g})" for part in weak
            )
            + "."
        )
    else:
        yield Prose("No part is worse than the rest by more than chance.")
    if search.parts:
        rows = [
            [f"{part.name} {_range(part)}", f"{part.images:,}", f"{sign * part.value:.4g}", _interval(part, sign),
             f"{sign * part.rest:.4g}", "<0.001" if part.p < 0.001 else f"{part.p:.3f}"]
            for part in search.parts[:SHOWN]
        ]  # fmt: skip
        columns = ["part", "images", name, "interval", "the rest", "chance (Holm)"]
        yield Table(columns, rows, "The weakest parts first", max(0, len(search.parts) - SHOWN))
    if search.passed_over:
        yield Prose("Not looked at: " + "; ".join(f"{called}, {why}" for called, why in search.passed_over.items()) + ".")
    if search.small:
        yield Prose(f"{search.small} parts have fewer than {weakest.LEAST} images, or the rest has.")


def _range(part: weakest.Part) -> str:
    return f"{part.low:.4g} to {part.high:.4g}" if part.low < part.high else f"{part.low:.4g}"


def _interval(part: weakest.Part, sign: int) -> str:
    if part.interval is None:
        return ""
    low, high = sorted(sign * end for end in part.interval)
    return f"{low:.4g} to {high:.4g}"
