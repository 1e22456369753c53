"""Which classes a model finds in images, misses and adds, and what its probabilities are worth: sections of a run's page."""

import functools

import numpy as np

from components.reporter import calibration, classes, earlier
from components.reporter import classifier_charts as drawn
from components.reporter.classified import with_interval
from components.reporter.material import Material
from components.reporter.sets import Sets
from components.tasks.multilabel import THRESHOLDS
from components.tasks.reports import base
from components.tasks.reports.classification import CURVES, RANKED, ROWS
from reports.charts import SERIES
from reports.run.blocks import Block, Cell, Missing, Prose, Section, Table

OF_CLASS = 8  # images that a class shows, of those missed and of those added
SHOWN = 12  # classes that show images, those of the lowest F1
WORST = 36  # images


class Report(base.Report):
    """Of models that answer each class by itself."""

    def sections(self, material):
        of = functools.cache(lambda: Sets.of(material))
        yield lambda: of_classes(of(), material.card.calibrated.get(THRESHOLDS))
        yield lambda: mistakes(of())
        yield lambda: calibrated(of())
        if not material.judged:  # the last blessed model was not asked about this data
            yield lambda: since(material)


def of_classes(of: Sets, thresholds=None) -> Section:
    """Of each class what is missed and what is added, its figures, and how it ranks images."""
    hits, sizes, taken = (part.sum(0).tolist() for part in (of.labels & of.decisions, of.labels, of.decisions))
    figures = [classes.OfClass(*counts) for counts in zip(hits, sizes, taken, strict=True)]
    listed = sorted(classes.weakest_classes(figures, ROWS), key=lambda number: (figures[number].harmonic, number))
    ranks = len(of.names) <= RANKED
    curves = {number: _curves(of, number) for number in listed} if ranks else {}
    galleries: list[Block] = []
    rows = []
    for rank, number in enumerate(listed):
        own, cells = figures[number], []
        for what, wrong, sign in (("missed", of.labels & ~of.decisions, -1), ("added", of.decisions & ~of.labels, 1)):
            places = np.flatnonzero(wrong[:, number])
            key = f"{what}-{number}" if rank < SHOWN and len(places) else ""
            cells.append(Cell(f"{len(places):,}", None, key))
            if key:
                places = places[np.argsort(-sign * of.probabilities[places, number], kind="stable")]
                captions = [of.of_class(place, number) for place in places]
                title = f"{of.names[number]}, {what} ({len(places):,}), the surest first"
                galleries.append(of.gallery(places, title, OF_CLASS, captions, key, folded=True))
        roc, precision = curves.get(number, (None, None))
        ranked = [with_interval(roc.area if roc else None), with_interval(precision.area if precision else None)] if ranks else []
        texts = [with_interval(figure) for figure in (own.precision, own.recall, own.f1)]
        threshold = [f"{thresholds[number]:.3f}"] if thresholds else []
        rows.append([of.names[number], f"{own.images:,}", *cells, *texts, *ranked, *threshold])
    columns = ["class", "images", "missed", "added", "precision", "recall", "F1"]
    columns += [*(["AUROC", "average precision"] if ranks else []), *(["threshold"] if thresholds else [])]
    with_images = sum(figure.images > 0 for figure in figures)
    table = Table(columns, rows, "Figures of each class, the lowest F1 first", with_images - len(listed))
    blocks: list[Block] = [table, *galleries]
    if absent := [figure for figure in figures if not figure.images]:
        taken = sum(figure.predicted for figure in absent)
        mistaken = f"; {taken:,} answers are of these" if taken else ""
        blocks.append(Prose(f"{len(absent):,} of {len(figures):,} classes are in no image here{mistaken}."))
    drawn_of = classes.weakest_classes(figures, len(SERIES))
    for place, (key, title, about, x, y) in enumerate(CURVES):
        known = {of.names[number]: curves[number][place] for number in drawn_of if curves.get(number, (None, None))[place]}
        if known:
            some = "" if len(drawn_of) == with_images else f" The {len(drawn_of)} classes of the lowest F1."
            blocks.append(drawn.curves(key, title, about + some, x, y, known, diagonal=place == 0))
    if not ranks:
        blocks.append(Missing("the ROC and precision-recall curves", f"They are drawn of at most {RANKED:,} classes."))
    about = (
        f"{of.words}. A class is there where its probability is above its threshold, which was chosen on the validation split. In "
        "brackets what other test images might have given, in 95 of 100 cases. A number leads to its images."
    )
    return Section("by-class", "Figures by class", about, blocks)


def _curves(of: Sets, number: int):
    pair = of.labels[:, number], of.probabilities[:, number]
    return classes.roc(*pair), classes.precision_recall(*pair)


def mistakes(of: Sets) -> Section:
    """Images whose set is wrong, those of the most cross-entropy first."""
    loss, wrong = of.loss, np.flatnonzero((of.labels != of.decisions).any(1))
    places = wrong[np.argsort(-loss[wrong], kind="stable")]
    about = f"{of.words}: of {len(of) - len(wrong):,} the set of classes is right, of {len(wrong):,} it is not."
    if not len(wrong):
        return Section("mistakes", "The worst mistakes", about, [Prose("There is none.")])
    gallery = of.gallery(places, "Those of the largest loss first", WORST)
    return Section("mistakes", "The worst mistakes", about, [gallery])


def calibrated(of: Sets) -> Section:
    """Whether of all pairs of image and class that are given a probability as many are there."""
    probabilities, there = of.probabilities.ravel(), of.labels.ravel()
    error = calibration.error(probabilities, there)
    chance = calibration.error_of_chance(probabilities)
    words = (
        f"The calibration error over all pairs of image and class is {error:.4f}. A perfectly calibrated model would have up to "
        f"{chance:.4f} on as many pairs that have nothing to do with each other, so "
        + ("this one is not told from calibrated." if error <= chance else "this one is not calibrated.")
    )
    chart = drawn.reliability(
        "reliability", "Reliability",
        "Pairs of image and class by their probability, with 95 % intervals. On the dashed line a class is there as often as its "
        "probability says; below it, less often.", {"as it is": calibration.reliability(probabilities, there)},
    )  # fmt: skip
    return Section("calibration", "Calibration", f"{of.words}, {len(of.names):,} classes each.", [Prose(words), chart])


def since(material: Material) -> Section:
    """How many sets the last blessed model has otherwise."""
    title, both = "Against the last blessed model", earlier.rows(material)
    if both is None:
        words = "There is none before this one that was judged on the same images. evaluate.change asks for one to be."
        return Section("earlier", title, "", [Prose(words)])
    ours, theirs = (rows["subset_accuracy"] > 0 for rows in both)
    counts = [("right before and now", ours & theirs), ("wrong before, right now", ours & ~theirs),
              ("right before, wrong now", theirs & ~ours), ("wrong before and now", ~ours & ~theirs)]  # fmt: skip
    rows = [[words, f"{int(of.sum()):,}"] for words, of in counts]
    before, now = int(theirs.sum()), int(ours.sum())
    about = f"Of the same {len(ours):,} test images it had the whole set of {before:,} right, this one of {now:,}."
    return Section("earlier", title, about, [Table(["before and now", "images"], rows, "Images that changed sides")])
