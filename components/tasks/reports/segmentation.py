"""Where masks and answers differ, and how well each class is found: sections of a run's page."""

import functools

import numpy as np

from components import keys
from components.evaluator import overlap
from components.evaluator.overlap import DICE, IOU
from components.map_values import VOID
from components.reporter.classified import with_interval
from components.reporter.masked import NO_CLASS, WRONG, Masked, swatch
from components.reporter.material import Material
from components.tasks.reports import base
from reports.run.blocks import Block, Cell, Pictures, Prose, Section, Table

WORST = 24  # images
COLOURS = 24  # classes whose colours are told
ROWS = 100  # classes in the table of figures
MATRIX = 24  # classes up to which all are in a matrix; of more, the pairs that are confused most
PAIRS = 40  # of these
NAMED = 12  # classes that a sentence names


class Report(base.Report):
    """Of models that answer a class for each pixel."""

    def sections(self, material):
        of = functools.cache(lambda: Masked.of(material))
        yield lambda: masks(of())
        yield lambda: of_classes(of(), material)
        yield lambda: confusion(of())


def masks(of: Masked) -> Section:
    """The images of the lowest IoU: image, mask, answer, and where they differ."""
    known = np.flatnonzero(~np.isnan(of.overlap))
    worst = known[np.argsort(of.overlap[known], kind="stable")]
    about = (
        f"{of.words}, each judged by itself: the mean over the classes that its mask or its answer has of intersection over union. "
        f"From left to right the image, its mask, the answer, and in colour where the two differ. What is {of.names[of.ground]} is "
        "left as it is."
    )
    blocks: list[Block] = []
    if without := len(of) - len(known):
        blocks.append(Prose(f"Of {without:,} of them the mask is of no class throughout: they are not judged."))
    shown = [of.shown(int(place)) for place in worst[:WORST]]
    blocks.append(Pictures(shown, "The lowest IoU first", len(worst) - len(shown)))
    there = [number for number in of.colours if _pixels(of, number)]
    colours = [swatch(of.colours[number], of.names[number]) for number in there[:COLOURS]]
    colours += [swatch(WRONG, "mask and answer differ")]
    colours += [swatch(NO_CLASS, "of no class")] if (of.truth == VOID).any() else []
    blocks.append(Pictures(colours, "What the colours say", max(0, len(there) - COLOURS)))
    return Section("masks", "The worst images", about, blocks)


def _pixels(of: Masked, number: int) -> int:
    """That masks or answers have of a class."""
    return int(of.matrix[number].sum() + of.matrix[:, number].sum())


def of_classes(of: Masked, material: Material | None = None) -> Section:
    """IoU and Dice of each class, over all pixels, and how much of masks and answers it is."""
    figures = overlap.of_classes(of.intersection, of.union)
    known = sorted((number for number, own in enumerate(figures) if own), key=lambda number: (figures[number][IOU], number))
    total, sides = max(1, int(of.matrix.sum())), (of.matrix.sum(1), of.matrix.sum(0))
    rows = [
        [of.names[number], *(with_interval(figures[number][name]) for name in (IOU, DICE)),
         *(f"{100 * side[number] / total:.2f} %" for side in sides)]
        for number in known[:ROWS]
    ]  # fmt: skip
    columns = ["class", "IoU", "Dice", "of masks", "of answers"]
    blocks: list[Block] = [
        Table(columns, rows, "Each class, the lowest IoU first, and its shares of pixels", max(0, len(known) - ROWS))
    ]
    if absent := [of.names[number] for number, own in enumerate(figures) if not own]:
        named = ", ".join(absent[:NAMED]) + (", ..." if len(absent) > NAMED else "")
        many = f"{len(absent):,} of {len(figures):,} classes"
        blocks.append(Prose(f"{many} are in no mask and no answer, and in no figure: {named}."))
    if share_of_void := float(of.void.mean()):
        left_out = f"{share_of_void:.1%} of the masks' pixels are of no class, or of bars beside images"
        blocks.append(Prose(f"{left_out}: they are in no figure and no share."))
    mean = ((material and material.evaluation) or {}).get(keys.METRICS, {}).get("mean_iou")
    about = f"Over all pixels of {len(of.intersection):,} test images together"
    about += "; shares are of " + of.words if len(of) < len(of.intersection) else ""
    about += f". The mean IoU is {mean:.4f}" if mean is not None else ""
    about += ". In brackets what other test images might have given, in 95 of 100 cases."
    return Section("by-class", "Figures by class", about, blocks)


def confusion(of: Masked) -> Section:
    """Which class's pixels are taken for which, in shares of the masks'."""
    sizes = of.matrix.sum(1)
    shares = np.divide(of.matrix, sizes[:, None], out=np.zeros(of.matrix.shape), where=sizes[:, None] > 0)
    known = int(sizes.sum())
    about = f"{of.words}, {known:,} pixels that are of a class. Shares are of the pixels that masks have of a class. "
    there = [number for number in range(len(of.names)) if _pixels(of, number)]
    if len(there) <= MATRIX:
        about += "A row is a class of masks, a column what its pixels were answered with."
        table = _matrix(of, there, shares)
    else:
        about += "The pairs confused most come first."
        table = _pairs(of, shares)
    return Section("confusion", "Confusion of pixels", about, [table])


def _matrix(of: Masked, there: list[int], shares: np.ndarray) -> Table:
    rows = []
    for number in there:
        row = [Cell(of.names[number])]
        for taken in there:
            many, part = int(of.matrix[number, taken]), float(shares[number, taken])
            about = f"{many:,} pixels of {of.names[number]} answered {of.names[taken]}" if many else ""
            row.append(Cell(f"{100 * part:.1f} %" if many else "", float(np.sqrt(part)) if many else None, "", about))
        rows.append(row)
    columns = ["mask", *(of.names[number] for number in there)]
    return Table(columns, rows, "Of the pixels of each class, the shares that were answered with each", len(of.names) - len(there))


def _pairs(of: Masked, shares: np.ndarray) -> Table:
    wrong = of.matrix * (1 - np.eye(len(of.names), dtype=np.int64))
    ranked = np.argsort(-wrong, axis=None, kind="stable")[: int((wrong > 0).sum())]
    rows = []
    for at in ranked[:PAIRS]:
        truth, made = divmod(int(at), len(of.names))
        rows.append([of.names[truth], of.names[made], f"{wrong[truth, made]:,}", f"{100 * shares[truth, made]:.2f} %"])
    caption = f"Of {len(of.names):,} classes, the pairs that are confused most"
    return Table(["mask", "answer", "pixels", "share of the class"], rows, caption, max(0, len(ranked) - PAIRS))
