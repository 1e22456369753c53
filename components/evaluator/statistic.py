"""What figures of the test split are made of: numbers of single images, from which come the figure, its interval, and whether the
difference between two models is more than noise.

Images are columns of equal length, by name: those of Judge.each, `label` (-1 where there is none), and `id`, a hash of the image's
id.
"""

import abc
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from components import keys
from components.evaluator import intervals
from components.evaluator.intervals import Interval
from components.evaluator.psnr import decibels

ID = "id"

SEVERAL = "Welch's t-test of seeds, bootstrap of images and seeds"
LEAST = 20  # images, for the bootstrap to say whether a difference is noise

Rows = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Difference:
    """Between the figures of two models, the first minus the second: on the same images, or on others of the same kind.

    p: chance of as large a difference, either way, between models that are equally good. test: what says so.
    """

    value: float
    interval: Interval | None
    p: float
    test: str

    def negated(self) -> "Difference":
        """Of the second from the first."""
        return replace(self, value=-self.value, interval=self.interval and (-self.interval[1], -self.interval[0]))

    @property
    def is_noise(self) -> bool:
        """Whether equally good models would often differ as much."""
        return not self.p < 1 - intervals.LEVEL

    @property
    def words(self) -> str:
        """Such as "within noise (McNemar's test, p = 0.36)"."""
        shown = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return f"{'within' if self.is_noise else 'more than'} noise ({self.test}, {shown})"


class Statistic(abc.ABC):
    """One figure. Subclasses are frozen dataclasses."""

    @property
    @abc.abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Those that it reads."""

    @abc.abstractmethod
    def weighted(self, rows: Rows, weights: np.ndarray) -> np.ndarray:
        """The figure of images that count `weights`, float64 [k, N], as much each: float [k]; no number where there is none."""

    def value(self, rows: Rows) -> float:
        """The figure of these images."""
        return float(self.weighted(rows, np.ones((1, count(rows))))[0])

    def interval(self, rows: Rows) -> Interval | None:
        """Of 95 %; None where so few images give none."""
        return intervals.percentiles(self._resampled(rows))

    def difference(self, ours: Rows, theirs: Rows) -> Difference | None:
        """Paired where both have the same images, which then have to be in the same order; see `paired`.

        None of so few images that nothing can be said; here of less than LEAST, of which the bootstrap claims too much.
        """
        if min(count(ours), count(theirs)) < LEAST:
            return None
        value = self.value(ours) - self.value(theirs)
        if not is_paired(ours, theirs):
            apart = self._resampled(ours)[: self._least(ours, theirs)]
            return _bootstrap(value, apart - self._resampled(theirs, seed=1)[: len(apart)], "bootstrap of other images")
        return _bootstrap(
            value,
            intervals.resampled(lambda weights: self.weighted(ours, weights) - self.weighted(theirs, weights), count(ours)),
            "paired bootstrap",
        )

    def difference_of_several(self, ours: Sequence[Rows], theirs: Sequence[Rows]) -> Difference | None:
        """Between the mean figures of trainings that differ in their seed alone, of two kinds: images and seeds are resampled.

        Of few seeds the bootstrap knows too little (of two, half of all resamples have one of them twice), so Welch's t-test of the
        trainings' figures has to agree: the larger p of both stands, and the wider interval. None with less than two trainings of a
        kind, and of less than LEAST images.

        Args:
            ours, theirs: of each training, all in the same order of the same images; see `is_paired`.
        """
        if min(len(ours), len(theirs)) < 2 or count(ours[0]) < LEAST:
            return None
        generator = np.random.default_rng(intervals.SEED)

        def means(trainings: Sequence[Rows], weights: np.ndarray) -> np.ndarray:
            figures = np.stack([self.weighted(rows, weights) for rows in trainings], 1)
            drawn = generator.integers(0, len(trainings), (len(weights), len(trainings)))
            return np.take_along_axis(figures, drawn, 1).mean(1)

        def apart(weights: np.ndarray) -> np.ndarray:
            return means(ours, weights) - means(theirs, weights)

        our_figures, their_figures = (np.array([self.value(rows) for rows in arm]) for arm in (ours, theirs))
        of_seeds = _welch(float(our_figures.mean() - their_figures.mean()), our_figures, their_figures)
        of_both = _bootstrap(of_seeds.value, intervals.resampled(apart, count(ours[0])), SEVERAL)
        known = [difference.interval for difference in (of_seeds, of_both) if difference.interval]
        widest = max(known, key=lambda ends: ends[1] - ends[0], default=None)
        return replace(of_both, p=max(of_seeds.p, of_both.p), interval=widest)

    def _least(self, *models: Rows) -> int:
        return min(intervals.resamples(count(rows)) for rows in models)

    def _resampled(self, rows: Rows, seed: int = intervals.SEED) -> np.ndarray:
        return intervals.resampled(lambda weights: self.weighted(rows, weights), count(rows), seed)


def count(rows: Rows) -> int:
    """How many images there are."""
    return len(next(iter(rows.values()))) if rows else 0


def paired(ours: Rows, theirs: Rows) -> tuple[Rows, Rows]:
    """Both in the order of their ids where they have the same images, each once; otherwise as they are."""
    if ID not in ours or ID not in theirs:
        return ours, theirs
    orders = [np.argsort(rows[ID], kind="stable") for rows in (ours, theirs)]
    a, b = (rows[ID][order] for rows, order in zip((ours, theirs), orders, strict=True))
    if not np.array_equal(a, b) or (a[1:] == a[:-1]).any():
        return ours, theirs
    return tuple({name: column[order] for name, column in rows.items()} for rows, order in zip((ours, theirs), orders, strict=True))


def is_paired(ours: Rows, theirs: Rows) -> bool:
    """Whether both have the same images in the same order."""
    return ID in ours and ID in theirs and np.array_equal(ours[ID], theirs[ID])


def _bootstrap(value: float, differences: np.ndarray, test: str) -> Difference:
    known = differences[np.isfinite(differences)]
    beyond = min(np.sum(known <= 0), np.sum(known >= 0)) if len(known) else np.inf
    return Difference(value, intervals.percentiles(known), float(min(1.0, 2 * (beyond + 1) / (len(known) + 1))), test)


def _welch(value: float, ours: np.ndarray, theirs: np.ndarray) -> Difference:
    """Welch 1947, Biometrika 34: of two samples, at least two numbers each."""
    from scipy import stats

    if not ours.std() + theirs.std():
        return Difference(value, None, float(not value), "Welch's t-test")
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # that all are nearly the same
        tested = stats.ttest_ind(ours, theirs, equal_var=False)
    low, high = tested.confidence_interval(intervals.LEVEL)
    return Difference(value, (float(low), float(high)), float(tested.pvalue), "Welch's t-test")


@dataclass(frozen=True)
class Mean(Statistic):
    """Over images, of a column, or of what `change` makes of it. least: what none can be below (0 of a loss), nor its interval."""

    column: str
    change: Callable[[np.ndarray], np.ndarray] | None = None
    least: float | None = None

    @property
    def columns(self):
        return (self.column,)

    def values(self, rows: Rows) -> np.ndarray:
        """Of each image: float64 [N]."""
        values = rows[self.column].astype(np.float64)
        return values if self.change is None else self.change(values)

    def weighted(self, rows, weights):
        return weights @ self.values(rows) / weights.sum(1)

    def interval(self, rows):
        ends = intervals.mean(self.values(rows))
        return ends if ends is None or self.least is None else (max(ends[0], self.least), ends[1])

    def difference(self, ours, theirs):
        """Student's paired t-test, or Welch's of other images; None of less than two, or of what is not finite."""
        from scipy import stats

        our_values, their_values = self.values(ours), self.values(theirs)
        if min(len(our_values), len(their_values)) < 2 or not (np.isfinite(our_values).all() and np.isfinite(their_values).all()):
            return None
        value = float(our_values.mean() - their_values.mean())
        if not is_paired(ours, theirs):
            return _welch(value, our_values, their_values)
        apart = our_values - their_values
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # that all pairs differ by nearly the same
            p = float(stats.ttest_rel(our_values, their_values).pvalue) if apart.std() else float(not value)
        return Difference(value, intervals.mean(apart), p, "paired t-test")


@dataclass(frozen=True)
class Decibels(Mean):
    """Over images, of the peak signal-to-noise ratio of a squared error."""

    change: Callable[[np.ndarray], np.ndarray] | None = decibels


@dataclass(frozen=True)
class StandardError(Statistic):
    """Of the mean over images of a column: its deviation / sqrt(images)."""

    column: str

    @property
    def columns(self):
        return (self.column,)

    def weighted(self, rows, weights):
        values, images = rows[self.column].astype(np.float64), weights.sum(1)
        centred = values - values.mean()
        squares = weights @ np.square(centred) / images
        variance = squares - np.square(weights @ centred / images)
        variance[variance < 8 * np.finfo(np.float64).eps * squares] = 0  # of equal values rounding is left
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.sqrt(variance / (images - 1))


@dataclass(frozen=True)
class Share(Mean):
    """Of images whose column is 1; all others have 0."""

    def interval(self, rows):
        return intervals.share(int(self.values(rows).sum()), count(rows))

    def difference(self, ours, theirs):
        """Paired by McNemar's exact test: 1947, Psychometrika 12(2); of the images on which the two differ, each wins half. Of
        other images by Fisher's exact test, with the interval of Newcombe 1998, Statistics in Medicine 17(8), method 10. None of no
        image."""
        from scipy import stats

        if not min(count(ours), count(theirs)):
            return None
        our_hits, their_hits = self.values(ours) > 0, self.values(theirs) > 0
        a, b = float(our_hits.mean()), float(their_hits.mean())
        if is_paired(ours, theirs):
            wins, losses = int(np.sum(our_hits & ~their_hits)), int(np.sum(their_hits & ~our_hits))
            if not wins + losses:
                return Difference(0.0, None, 1.0, "McNemar's test")
            p = float(stats.binomtest(wins, wins + losses).pvalue)
            return Difference(a - b, intervals.mean(our_hits * 1.0 - their_hits), p, "McNemar's test")
        (low, high), (least, most) = self.interval(ours), self.interval(theirs)
        interval = a - b - math.hypot(a - low, most - b), a - b + math.hypot(high - a, b - least)
        tested = stats.fisher_exact([[int(hit.sum()), int((~hit).sum())] for hit in (our_hits, their_hits)])
        return Difference(a - b, interval, float(tested.pvalue), "Fisher's exact test")


@dataclass(frozen=True)
class MacroF1(Statistic):
    """Mean over the classes that occur of 2 TP / (2 TP + FP + FN). predicted: the column of the class that is."""

    predicted: str = "predicted"

    @property
    def columns(self):
        return (keys.LABEL, self.predicted)

    def interval(self, rows):
        """Where every image is right, or every one wrong, no resample differs: Wilson's of as many images, as of the accuracy."""
        value, images = self.value(rows), count(rows)
        if images > 1 and value in (0.0, 1.0):
            return intervals.share(round(value * images), images)
        return super().interval(rows)

    def weighted(self, rows, weights):
        label, predicted = rows[keys.LABEL], rows[self.predicted].astype(np.int64)
        classes, places = np.unique(np.concatenate([label, predicted]), return_inverse=True)
        of_label, of_predicted = places[: len(label)], places[len(label) :]
        sizes = intervals.by_place(weights, of_label, len(classes)) + intervals.by_place(weights, of_predicted, len(classes))
        hits = intervals.by_place(weights * (label == predicted), of_label, len(classes))
        occurs = sizes > 0
        return np.divide(2 * hits, sizes, out=np.zeros_like(sizes), where=occurs).sum(1) / np.maximum(occurs.sum(1), 1)


@dataclass(frozen=True)
class MeanRatio(Statistic):
    """Mean over classes of the sum of `part` by the sum of `whole`, of the classes whose whole is not 0, such as the mean
    intersection over union; the columns of class k are `part/k` and `whole/k`, or, where `classes` is not given, `part` and `whole`
    have a number for each, [N, K]."""

    part: str
    whole: str
    classes: int | None = None

    @property
    def columns(self):
        if self.classes is None:
            return (self.part, self.whole)
        return tuple(f"{name}/{number}" for name in (self.part, self.whole) for number in range(self.classes))

    def weighted(self, rows, weights):
        columns = np.concatenate([rows[name].astype(np.float64).reshape(len(rows[name]), -1) for name in self.columns], 1)
        parts, wholes = np.split(weights @ columns, 2, axis=1)
        there = wholes > 0
        ratios = np.divide(parts, wholes, out=np.zeros_like(parts), where=there)
        with np.errstate(invalid="ignore"):
            return ratios.sum(1) / there.sum(1)


@dataclass(frozen=True)
class Auroc(Statistic):
    """Of a score, for label 1 against label 0."""

    score: str

    @property
    def columns(self):
        return (keys.LABEL, self.score)

    def value(self, rows):
        from components.evaluator import detection

        return detection.auroc(*_labelled(rows, self.score))

    def interval(self, rows):
        return intervals.auroc(*_labelled(rows, self.score))

    def weighted(self, rows, weights):
        positive, negative, starts = _ranked(rows, self.score, weights)
        up, down = (np.add.reduceat(part, starts, axis=1) for part in (positive, negative))  # by score
        below = np.cumsum(down, axis=1) - down / 2
        with np.errstate(invalid="ignore"):
            return (up * below).sum(1) / (up.sum(1) * down.sum(1))


@dataclass(frozen=True)
class AveragePrecision(Statistic):
    """Of a score: the mean of the precision over all places in the ranking where an image of label 1 stands."""

    score: str

    @property
    def columns(self):
        return (keys.LABEL, self.score)

    def interval(self, rows):
        """Where no image is ranked wrongly, no resample differs: that of the AUROC, which is 1 too. None with less than two images
        of a kind."""
        label, score = _labelled(rows, self.score)
        if min(np.sum(label == 1), np.sum(label == 0)) < 2:
            return None
        return intervals.auroc(label, score) if self.value(rows) == 1 else super().interval(rows)

    def weighted(self, rows, weights):
        positive, negative, starts = _ranked(rows, self.score, weights)
        up, down = (np.add.reduceat(part, starts, axis=1)[:, ::-1] for part in (positive, negative))  # from the largest score
        hits, all_ = np.cumsum(up, axis=1), np.cumsum(up + down, axis=1)
        precision = np.divide(hits, all_, out=np.zeros_like(hits), where=all_ > 0)
        with np.errstate(invalid="ignore"):
            return (precision * up).sum(1) / up.sum(1)


def _labelled(rows: Rows, column: str) -> tuple[np.ndarray, np.ndarray]:
    known = rows[keys.LABEL] >= 0
    return rows[keys.LABEL][known], rows[column][known]


def _ranked(rows: Rows, score: str, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of label 1 and of label 0 from the smallest score on, and where each score begins."""
    order = np.argsort(rows[score], kind="stable")
    label, sorted_ = rows[keys.LABEL][order], rows[score][order]
    starts = np.flatnonzero(np.r_[True, sorted_[1:] != sorted_[:-1]])
    return weights[:, order] * (label == 1), weights[:, order] * (label == 0), starts


@dataclass(frozen=True)
class Decision(Statistic):
    """One of detection.DECISIONS, of a column that is 1 for what was found and 0 otherwise."""

    figure: str
    decision: str

    @property
    def columns(self):
        return (keys.LABEL, self.decision)

    def weighted(self, rows, weights):
        from components.evaluator import detection

        with np.errstate(invalid="ignore"):
            return np.array([detection.DECISIONS[self.figure](counts) for counts in self._counts(rows, weights)], np.float64)

    def interval(self, rows):
        """Wilson's, of what was found or of what was to be found; of a number of images, of the share of their label."""
        from components.evaluator import detection

        [counts] = self._counts(rows, np.ones((1, count(rows)))).astype(int)
        if self.figure == "precision":
            return intervals.share(counts[1, 1], counts[:, 1].sum())
        if self.figure == "recall":
            return intervals.share(counts[1, 1], counts[1].sum())
        hits = int(detection.DECISIONS[self.figure](counts))
        of = int(counts[1].sum() if self.figure in ("true_positives", "false_negatives") else counts[0].sum())
        share = intervals.share(hits, of)
        return share and (of * share[0], of * share[1])

    def _counts(self, rows: Rows, weights: np.ndarray) -> np.ndarray:
        """[k, label, decision]."""
        label, decision = rows[keys.LABEL], rows[self.decision]
        cells = [weights[:, (label == a) & (decision == b)].sum(1) for a in (0, 1) for b in (0, 1)]
        return np.stack(cells, 1).reshape(-1, 2, 2)
