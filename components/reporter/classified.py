"""What a classifier answered about a split, for the sections of its report: arrays, and pictures of its images."""

import functools

import numpy as np

from components import keys
from components.reporter import seen
from components.reporter.labelled import Labelled
from reports.run.blocks import Picture


class Classified(Labelled):
    """labels: int64 [N]."""

    target = keys.LABEL
    columns = ("id", "label", "taken for")

    @classmethod
    def held(cls, answers, known):
        return {"labels": answers.labels[known]}

    @functools.cached_property
    def predicted(self) -> np.ndarray:
        """int64 [N], the most probable class."""
        return self.probabilities.argmax(1)

    @functools.cached_property
    def confidence(self) -> np.ndarray:
        """float64 [N], its probability."""
        return self.probabilities.max(1)

    @functools.cached_property
    def is_right(self) -> np.ndarray:
        """bool [N]."""
        return self.predicted == self.labels

    def said(self, place: int) -> str:
        """Of an image: what it was taken for, and how surely."""
        return f"{self.names[self.predicted[place]]} {share(self.confidence[place])}"

    def shown(self, place: int, caption: str | None = None) -> Picture | None:
        """An image as the model gets it, marked where it was mistaken; None of a kind that is not seen. caption: by default what it
        is labelled and, where that is another, taken for."""
        right, label = self.is_right[place], self.names[self.labels[place]]
        text = f"{label}, taken for {self.said(place)}" if not right else f"{label} {share(self.confidence[place])}"
        alt = f"{self.ids[place]}: labelled {label}, taken for {self.said(place)}"
        return seen.picture(self.reads, self.given[place], alt, caption or text, "" if right else "bad")

    def row(self, place: int) -> list[str]:
        return [self.ids[place], self.names[self.labels[place]], self.said(place)]


def share(value: float) -> str:
    """A probability as a person reads it; one that is nearly 0 or 1 is not rounded to that."""
    if 0 < value < 0.0005 or 0.9995 < value < 1:
        return "<0.1 %" if value < 0.5 else ">99.9 %"
    return f"{100 * value:.1f} %"


def with_interval(figure: float | None, digits: int = 3) -> str:
    """A figure and the ends of its interval, if it has one; "" for None."""
    if figure is None:
        return ""
    ends = getattr(figure, "interval", None)
    return f"{figure:.{digits}f}" + (f" ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})" if ends else "")
