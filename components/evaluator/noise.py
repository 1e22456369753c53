"""Intervals of an evaluation's figures, and which differences between models are more than noise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from components import examples, keys
from components.evaluator import per_image, statistic
from components.evaluator.intervals import Figure, Interval
from components.evaluator.statistic import ID, Difference, Mean, Rows, Statistic
from components.tasks.judges.base import Comparison, Judge

NOTHING = MappingProxyType({})


def intervals(
    figures: Mapping[str, float], rows: Rows, judge: Judge, own: Mapping[str, Interval] = NOTHING
) -> dict[str, list[float]]:
    """Figure -> [low, high], of those that have an interval.

    Args:
        figures: by name; an intervals.Figure has its own.
        rows: of the images that they are of.
        own: what metrics handed over.
    """
    ends = {}
    for name, figure in figures.items():
        of = statistic_of(name, judge, rows)
        interval = figure.interval if isinstance(figure, Figure) else own.get(name) or (of and of.interval(rows))
        if interval is not None and None not in interval and np.isfinite(interval).all():
            ends[name] = [float(end) for end in interval]
    return ends


def statistic_of(name: str, judge: Judge, rows: Rows) -> Statistic | None:
    """What a metric is of rows; None where they lack what it is made of."""
    if name not in judge.metrics:
        return None
    of = judge.metrics[name].statistic or Mean(name)
    return of if set(of.columns) <= rows.keys() else None


def ids_of(files: Iterable[str]) -> np.ndarray:
    """Of the images of Examples, in their order: uint64 [N], as per_image has them."""
    return np.array([per_image.digest(image_id) for image_id in examples.ids_of(files)], np.uint64)


def intervals_of_others(comparisons: Iterable[Comparison], judge: Judge, ours: Rows, images: np.ndarray) -> dict[str, list[float]]:
    """As `intervals`, of the figures that comparisons name. Arguments as of `beside`."""
    ends = {}
    for comparison in comparisons:
        theirs = _rows(comparison, ours, images)
        of = statistic_of(comparison.metric, judge, theirs)
        interval = of.interval(theirs) if comparison.name and of else None
        if interval is not None:
            ends[comparison.name] = list(interval)
    return ends


@dataclass(frozen=True)
class Told:
    """A figure against another model's, in words, and the difference, or None where nothing says whether it is noise."""

    metric: str
    against: str
    difference: Difference | None
    words: str

    def as_json(self) -> dict:
        """{metric, against: in words, difference, interval: [low, high] or None, p, test, within_noise, words: of these}."""
        apart = self.difference
        interval = list(apart.interval) if apart.interval else None
        said = {"difference": apart.value, "interval": interval, "p": apart.p, "test": apart.test, "within_noise": apart.is_noise}
        return {"metric": self.metric, "against": self.against, **said, "words": apart.words}


def beside(comparison: Comparison, figures: Mapping[str, float], judge: Judge, ours: Rows, images: np.ndarray) -> Told:
    """The model against what its task compares it with.

    Args:
        comparison: of which `value` may have a margin; the difference is from what it is of, without that.
        ours: rows of the model.
        images: ids of the test images, in the order that comparisons have; see `ids_of`.
    """
    words = _against(comparison.metric, figures, comparison.value, comparison.words)
    return _told(
        comparison.metric, comparison.words, difference(comparison.metric, judge, ours, _rows(comparison, ours, images)), words
    )


def since(metric: str, figures: Mapping[str, float], judge: Judge, ours: Rows, earlier: Rows) -> Told:
    """The model against the last blessed other one."""
    against, of = "the last blessed other model", statistic_of(metric, judge, earlier)
    words = _against(metric, figures, of.value(earlier) if of else np.nan, against)
    return _told(metric, against, difference(metric, judge, ours, earlier), words)


def difference(metric: str, judge: Judge, ours: Rows, theirs: Rows) -> Difference | None:
    """Of a metric, between two models; None where the rows do not say, or where the figure of one is no number."""
    of = statistic_of(metric, judge, ours)
    if of is None or statistic_of(metric, judge, theirs) is None:
        return None
    return _known(of.difference(*statistic.paired(ours, theirs)))


def of_arms(metric: str, judge: Judge, ours: Sequence[Rows], theirs: Sequence[Rows], noun: str = "image") -> Difference | None:
    """Between two arms of an experiment, each trained once or with several seeds; None as of `difference`.

    Of arms that were judged on other images, and trained with several seeds, nothing is said, nor where one was trained once and
    the other several times. Where both were trained once, the test's name says that seeds are no part of it. `noun` is what a test
    example is called.
    """
    rows = [*ours, *theirs]
    statistics = [statistic_of(metric, judge, arm) for arm in rows]
    if not ours or not theirs or None in statistics:
        return None
    if len(rows) == 2:
        once = difference(metric, judge, *rows)
        return once and replace(once, test=f"{once.test} over test {noun}s alone")
    aligned = [statistic.paired(rows[0], arm) for arm in rows]
    if not all(statistic.is_paired(*pair) for pair in aligned):
        return None
    in_order = [arm for _, arm in aligned]
    several = _known(statistics[0].difference_of_several(in_order[: len(ours)], in_order[len(ours) :]))
    return several and replace(several, test=several.test.replace("images", f"{noun}s"))


def _known(apart: Difference | None) -> Difference | None:
    return apart if apart is not None and np.isfinite(apart.value) else None


def _against(metric: str, figures: Mapping[str, float], theirs: float, against: str) -> str:
    value = figures.get(metric, np.nan)
    if not np.isfinite(value):
        return f"{metric} is no number for this data"
    if not np.isfinite(theirs):
        return f"{metric} {value:.5f}, which is no number for this data of {against}"
    return f"{metric} {value:.5f} against {theirs:.5f} of {against}"


def _told(metric, against, apart, words):
    return Told(metric, against, apart, f"{words}: a difference {apart.words}" if apart else words)


def _rows(comparison: Comparison, ours: Rows, images: np.ndarray) -> Rows:
    """Of what a model is compared with, as far as is known."""
    if comparison.each is None:
        return {}
    if ID not in ours:
        return comparison.each
    labels = dict(zip(ours[ID].tolist(), ours[keys.LABEL].tolist(), strict=True))
    return {ID: images, keys.LABEL: np.array([labels.get(image, -1) for image in images.tolist()], np.int64), **comparison.each}


def rows_of(evaluation: str) -> Rows:
    """Of the whole test split, of an Evaluator's output in which one model was judged; none of an earlier hubel's."""
    tables, _ = per_image.read(evaluation)
    return tables.get((), {})
