"""Detectors of anomalies, judged as what they are around, and by score and decision where the data says which test images are
anomalies (data.inliers)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from components import keys, pooling
from components.evaluator import detection, intervals
from components.evaluator.intervals import Figure
from components.evaluator.statistic import Auroc, AveragePrecision, Decision
from components.tasks.anomaly import DECISION, MAP, SCORE
from components.tasks.judges.around import Around
from components.tasks.judges.base import Comparison, Metric
from components.tasks.judges.reconstruction.principal import principal
from components.tasks.reconstruction.names import FIGURES
from components.trainer.card import Card
from components.transform import placement

LESS = ("false_positives", "false_negatives")
OF_BOTH = (*detection.RANKINGS, "precision")  # of what is found and what is not; a label's images are all of one kind

_RANKINGS = {"auroc": Auroc, "average_precision": AveragePrecision}
_STATISTICS = {"Ranking": lambda figure, output: _RANKINGS[figure](output), "Decision": Decision}


def _metric(kind: str, figure: str, output: str) -> Metric:
    better, of_label = "less" if figure in LESS else "more", figure not in OF_BOTH
    config, is_count = {"figure": figure, "output": output}, figure in detection.COUNTS
    statistic = _STATISTICS[kind](figure, output)
    return Metric(kind, better, module=detection.__name__, config=config, of_label=of_label, is_count=is_count, statistic=statistic)


class Judge(Around):
    """Around the judge of a task whose models have maps."""

    label_key = keys.ANOMALY

    @property
    def converted(self):
        return (*detection.RANKINGS, *detection.DECISIONS, *(name for name in ("mse", "psnr") if name in self.inner.metrics))

    @property
    def may_lose(self):
        return {"auroc": 0.01, **self.inner.may_lose}

    def asked(self, pixels, card):
        """As they are: a score is of an image without noise, whatever the inner task puts on."""
        return pixels

    def answered(self, outputs, pixels, labels):
        error = outputs[MAP].reshape(len(pixels), -1).mean(1, dtype=np.float64).astype(np.float32)
        return {SCORE: outputs[SCORE], DECISION: outputs[DECISION].astype(np.float32), "mse": error}

    @property
    def metrics(self):
        of_scores = {name: _metric("Ranking", name, SCORE) for name in detection.RANKINGS}
        of_scores |= {name: _metric("Decision", name, DECISION) for name in detection.DECISIONS}
        return {**of_scores, **self.inner.metrics}

    @property
    def compared(self):
        return ("auroc", *self.inner.compared)

    def compare(self, model, card, images):
        kinds = _of_test(images, keys.ANOMALY)
        known = kinds >= 0
        if len(set(kinds[known])) < 2:  # nothing to part from something else
            return self.inner.compare(model, card, images)
        components = self.inner.components(model, card)
        name = principal(images, components).name
        errors = _of_principal(components, card, images)
        size = f"the same code size of {components}" if self.inner.has_code else f"{components} components"
        words = f"the error of {name} with {size}, fitted on the training split"
        area = detection.auroc(kinds[known], errors[known])
        return [Comparison("auroc", area, words, "pca_auroc", yields=True, each={SCORE: errors})]

    def measure_labels(self, model, card, images):
        """And of each label that is no inlier, how its images alone rank among the inliers."""
        by_label = self.inner.measure_labels(model, card, images)
        kinds, labels = _of_test(images, keys.ANOMALY), _of_test(images, keys.LABEL)
        strange = np.unique(labels[(kinds == 1) & (labels >= 0)])
        if not strange.size or not (kinds == 0).any():
            return by_label
        of_principal = _of_principal(self.inner.components(model, card), card, images)
        ranked = {"auroc": _served_scores(model, card, images), "pca_auroc": of_principal}
        for label in strange:
            chosen = (kinds == 0) | (labels == label)
            figures = {name: _area(kinds[chosen], scores[chosen]) for name, scores in ranked.items()}
            finite = {name: figure for name, figure in figures.items() if np.isfinite(figure)}
            by_label[int(label)] = {**finite, **by_label.get(int(label), {})}
        return by_label


def _area(kinds: np.ndarray, scores: np.ndarray) -> Figure:
    return Figure(detection.auroc(kinds, scores), intervals.auroc(kinds, scores))


def _of_test(images: Callable[[str], tf.data.Dataset], name: str) -> np.ndarray:
    """What the test images are labelled with, int64 [N]."""
    return np.concatenate([targets[name] for _, targets in images(keys.TEST).as_numpy_iterator()])


def _of_principal(components: int, card: Card, images: Callable[[str], tf.data.Dataset]) -> np.ndarray:
    """The scores of the test images by PCA with so many components: float32 [N]. Its errors are pooled as the model's."""
    exact, scores = principal(images, components), []
    for pixels, targets in images(keys.TEST).as_numpy_iterator():
        unit = pixels / 255.0
        made = exact.images(exact.codes(unit)).reshape(unit.shape)
        errors = np.square(unit - made).mean(3, keepdims=True, dtype=np.float64).astype(np.float32)
        inside = placement.inside(placement.of_targets(targets, len(pixels), card.transform), *unit.shape[1:3])
        scores.append(pooling.pooled(tf.constant(errors), inside, card.anomaly).numpy())
    return np.concatenate(scores)


def _served_scores(model: Path, card: Card, images: Callable[[str], tf.data.Dataset]) -> np.ndarray:
    """What the SavedModel answers about the test images: float32 [N]."""
    answer = tf.saved_model.load(str(model)).signatures[f"{FIGURES}_{keys.PIXELS}"]
    scores = []
    for pixels, targets in images(keys.TEST).as_numpy_iterator():
        scores.append(np.empty(len(pixels), np.float32))
        for rows, bare in _without_bars(pixels, placement.of_targets(targets, len(pixels), card.transform).numpy()):
            scores[-1][rows] = answer(pixels=tf.constant(bare))[SCORE].numpy()
    return np.concatenate(scores)


def _without_bars(pixels: np.ndarray, placed: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Groups of a batch: which images, and these without what was put around them, which `fit` puts there again as it was."""
    places, groups = np.unique(placed, axis=0, return_inverse=True)
    for group, (top, left, height, width) in enumerate(places):
        rows = groups.reshape(-1) == group
        yield rows, pixels[rows, top : top + height, left : left + width]
