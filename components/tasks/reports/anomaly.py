"""The page of a detector: its scores and its threshold, then what is shown of the autoencoder inside."""

import numpy as np

from components.reporter import classes, histograms, ranks, strips
from components.tasks.anomaly import ANOMALIES, CALIBRATED, DECISION, MAP, SCORE
from components.tasks.reconstruction.names import RECONSTRUCT
from components.tasks.reports import base
from components.tasks.reports.reconstruction.looked import Looked
from reports import distributions
from reports.distributions import Rule
from reports.run.blocks import Missing, Picture, Pictures, Prose, Section, Table
from serving.answers.heat import colours

KINDS = {0: "normal", 1: "anomaly", -1: "of no known kind"}
NEAREST = 16  # images on either side of the threshold, in all
WORST = 8  # images of each kind of error
FIGURES = (
    "auroc", "pca_auroc", "average_precision", "precision", "recall", "true_positives", "false_positives", "true_negatives",
    "false_negatives",
)  # fmt: skip


class Report(base.Report):
    """Around the report of a task whose models have maps."""

    is_around = True

    def __init__(self, inner: base.Report | None):
        self.inner = inner

    def sections(self, material):
        looked = Looked(material)

        def anomaly_scores():
            return _scores(looked)

        def threshold():
            return _threshold(looked)

        yield anomaly_scores
        yield threshold
        if self.inner is not None:
            yield from self.inner.sections(material)


def _at(looked: Looked) -> float:
    return looked.card.calibrated[CALIBRATED]["threshold"]


def _scores(looked: Looked) -> Section:
    scores, kinds, threshold = looked.each[SCORE], looked.kinds, _at(looked)
    above = scores > threshold
    quantile = looked.card.anomaly.quantile
    about = (
        f"The score, {looked.card.anomaly.score.replace('_', ' ')}, of {looked.words()}. An image above {threshold:.4g} is an "
        f"anomaly: below that lie {quantile:.1%} of the validation images."
    )
    groups = {KINDS[kind]: scores[kinds == kind] for kind in KINDS if (kinds == kind).any()}
    said = "How many test images have which score, and the threshold."
    rows = histograms.of_groups(groups if len(groups) > 1 else {"": scores})
    blocks: list = [distributions.histogram("scores", "Scores", said, rows, "anomaly score", rules=[Rule(threshold, "threshold")])]
    unknown = int((kinds < 0).sum())
    if unknown:
        blocks.append(
            Prose(f"Of {unknown:,} images nobody knows whether they are anomalies; {int(above[kinds < 0].sum()):,} are above.")
        )
    known = kinds >= 0
    curve = classes.roc(kinds[known] == 1, scores[known]) if known.any() else None
    if curve is None:
        why = (
            "The test images are all of one kind."
            if known.any()
            else "The data does not say which test images are anomalies (data.inliers)."
        )
        blocks.append(Missing("the ROC curve", why))
    else:
        marked = float(above[kinds == 0].mean()), float(above[kinds == 1].mean())
        said = (
            f"The share of anomalies that is found, by that of normal images taken for one. At the threshold {marked[1]:.1%} and "
        )
        said += f"{marked[0]:.1%}. The area under the curve is {looked.figure('auroc') or f'{curve.area:.4g}'}."
        points = list(zip(curve.x.tolist(), curve.y.tolist(), strict=True))
        blocks.append(distributions.roc("anomaly-roc", "ROC", said, points, marked, "threshold"))
    rows = [[name.replace("_", " ").replace("pca", "PCA's"), looked.figure(name)] for name in FIGURES if looked.figure(name)]
    if rows:
        blocks.append(Table(("figure", "test split"), rows, "Figures of the whole test split, as Evaluator has them"))
    return Section("anomaly-scores", "Anomaly scores", about, blocks)


def _threshold(looked: Looked) -> Section:
    scores, kinds, threshold = looked.each[SCORE], looked.kinds, _at(looked)
    rows = ranks.nearest(scores, threshold, NEAREST)
    made = ", its reconstruction and where it errs" if RECONSTRUCT in looked.signatures else " and where it is strange"
    how = f"An image{made}"
    about = f"What would change sides first were the threshold moved from {threshold:.4g}."
    blocks = [Pictures(_pictures(looked, rows), f"{how}: the nearest to the threshold, by score", more=len(scores) - len(rows))]
    above = scores > threshold
    missed = np.flatnonzero((kinds == 1) & ~above)
    alarms = np.flatnonzero((kinds == 0) & above)
    mistakes = (
        (missed, scores[missed], "anomalies that were missed"),
        (alarms, -scores[alarms], "normal images taken for anomalies"),
    )
    for wrong, order, words in mistakes:
        chosen = wrong[np.argsort(order, kind="stable")[:WORST]]
        if len(chosen):
            caption = f"{how}: {len(wrong):,} {words}, the farthest from the threshold first"
            blocks.append(Pictures(_pictures(looked, chosen.tolist()), caption, more=len(wrong) - len(chosen)))
    if not (kinds >= 0).any():
        highest = np.argsort(-scores, kind="stable")[:WORST]
        blocks.append(Pictures(_pictures(looked, highest.tolist()), f"{how}: the highest scores", more=len(scores) - len(highest)))
    return Section("threshold", "Around the threshold", about, blocks)


def _pictures(looked: Looked, rows: list[int]) -> list[Picture]:
    told = looked.ask(ANOMALIES, np.array(rows))
    made = looked.ask(RECONSTRUCT, np.array(rows))["images"] if RECONSTRUCT in looked.signatures else None
    pictures = []
    for at, row in enumerate(rows):
        kind, is_found = int(looked.kinds[row]), bool(told[DECISION][at])
        mark = "" if kind < 0 else "good" if is_found == (kind == 1) else "bad"
        said = "above" if is_found else "below"
        score = float(told[SCORE][at])
        beside = "its reconstruction and error" if made is not None else "where it is strange"
        alt = f"{looked.named(row)}, {KINDS[kind]}, {beside}: score {score:.4g}, {said} the threshold"
        words = ("" if kind < 0 else KINDS[kind], looked.class_of(row), f"{score:.3g}, {said}")
        caption, reconstruction = " · ".join(word for word in words if word), [] if made is None else [made[at]]
        pictures.append(strips.strip([looked.sample.seen[row], *reconstruction, colours(told[MAP][at])], alt, caption, mark))
    return pictures
