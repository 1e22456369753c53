"""The page of a detector that is held against masks: as that of `anomaly`, and first how its maps rank pixels."""

import numpy as np

from components import keys
from components.evaluator.localization import COLUMNS, FIGURES, LIMIT, Curves
from components.reporter import strips
from components.tasks.anomaly import ANOMALIES, MAP, SCORE
from components.tasks.reports import anomaly
from components.tasks.reports.reconstruction.looked import Looked
from reports import distributions
from reports.run.blocks import Missing, Picture, Pictures, Section, Table
from serving.answers.heat import colours

SHOWN = 8  # images of defects at either end of the scores
POINTS = 200  # of a curve


class Report(anomaly.Report):
    """Around the report of the task within."""

    def sections(self, material):
        looked = Looked(material)

        def pixels():
            return _pixels(looked)

        yield pixels
        yield from super().sections(material)


def _pixels(looked: Looked) -> Section:
    about = f"How the maps rank the pixels of {looked.words()}, each map resized to its image's own mask."
    blocks: list = []
    rows = looked.material.each
    if rows and set(COLUMNS) <= rows.keys() and np.sum(rows[keys.LABEL] == 1) and np.sum(rows["regions"]):
        blocks += _curves(looked, rows)
    else:
        blocks.append(Missing("the curves of pixels", "No mask of a test image has a defect, or Evaluator kept nothing of them."))
    named = [[name.replace("_", " "), looked.figure(name)] for name in FIGURES if looked.figure(name)]
    if named:
        blocks.append(Table(("figure", "test split"), named, "Figures of pixels, over all test images"))
    defects = np.flatnonzero(looked.kinds == 1)
    if len(defects):
        ordered = defects[np.argsort(-looked.each[SCORE][defects], kind="stable")]
        chosen = ordered if len(ordered) <= 2 * SHOWN else np.r_[ordered[:SHOWN], ordered[-SHOWN:]]
        caption = "An image, its mask and its map: the defects with the highest scores and those with the lowest"
        blocks.append(Pictures(_pictures(looked, chosen), caption, more=len(ordered) - len(chosen)))
    return Section("pixels", "Where defects are", about, blocks)


def _curves(looked: Looked, rows) -> list:
    sums = [np.asarray(rows[name], np.float64).sum(0) for name in COLUMNS]
    curves = Curves.of(*sums)
    rate, hits = (np.r_[0.0, part / part[-1]] for part in (curves.alarms, curves.hits))
    overlap = np.r_[0.0, curves.overlap / curves.regions]
    within = rate <= LIMIT
    return [
        distributions.roc(
            "pixel-roc",
            "ROC of pixels",
            "The share of the pixels of defects that is above a threshold, by that of all other pixels. The area under the curve "
            f"is {looked.figure('pixel_auroc')}.",
            _thinned(rate, hits),
            None,
            "",
        ),
        distributions.roc(
            "pixel-overlap",
            "Overlap of regions",
            f"The mean over {int(curves.regions):,} regions of the share that is above a threshold, up to a false positive rate of "
            f"{LIMIT:g}. The area, divided by that, is {looked.figure('aupro')}.",
            _thinned(rate[within], overlap[within]),
            None,
            "",
            "mean overlap",
        ),
    ]


def _thinned(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    places = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).round().astype(int))
    return list(zip(x[places].tolist(), y[places].tolist(), strict=True))


def _pictures(looked: Looked, rows: np.ndarray) -> list[Picture]:
    told, masks = looked.ask(ANOMALIES, rows), looked.sample.targets[keys.MASK]
    pictures = []
    for at, row in enumerate(rows.tolist()):
        mask = np.where((masks[row] > 0) & (masks[row] != 255), 255.0, 0.0)
        score = float(told[SCORE][at])
        alt = f"{looked.named(row)}, its mask and where the model finds it strange: score {score:.4g}"
        caption = " \N{MIDDLE DOT} ".join(word for word in (looked.class_of(row), f"{score:.3g}") if word)
        pictures.append(strips.strip([looked.sample.seen[row], mask, colours(told[MAP][at])], alt, caption))
    return pictures
