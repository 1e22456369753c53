"""What a classifier answered about a split, for the sections of its report: arrays, and pictures of its images."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from components import keys
from components.reporter import seen
from components.reporter.material import Absent, Material
from reports.run.blocks import Picture, Pictures, Table


@dataclass(frozen=True)
class Classified:
    """Examples of a split that have a label, and what the model answered.

    ids: N of them. labels: int64 [N]. probabilities: float64 [N, K]. names: K. total: how many the split has; unlabelled: how many
    of those that were asked about have no label. given: what the model gets of each, [N, ...].
    """

    split: str
    reads: str
    ids: Sequence[str]
    labels: np.ndarray
    probabilities: np.ndarray
    names: Sequence[str]
    total: int
    unlabelled: int
    given: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, material: Material, split: str = keys.TEST) -> "Classified":
        """Raises Absent where there is no model, no such split, or no label."""
        material.artifact("model")
        answers = material.answers if split == keys.TEST else material.asked(split)
        if answers is None:
            raise Absent(f"There are no examples of the {split} split.")
        known = np.flatnonzero(answers.labels >= 0)
        if not len(known):
            raise Absent(f"No example of the {split} split has a label.")
        probabilities = answers.outputs[material.judge.prediction_key]
        seen.check_finite(probabilities[known])
        return cls(
            split,
            material.reads,
            [answers.ids[place] for place in known],
            answers.labels[known],
            probabilities[known].astype(np.float64),
            material.class_names,
            answers.sample.total,
            len(answers.labels) - len(known),
            answers.sample.seen[known],
        )

    def __len__(self) -> int:
        return len(self.ids)

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

    @property
    def words(self) -> str:
        """What was asked about, such as "359 test images"; where that is not all of it, of how many."""
        return seen.asked_about(self.reads, self.split, len(self), self.total, self.unlabelled)

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

    def gallery(self, places: Sequence[int], caption: str, most: int, **options) -> Pictures | Table:
        """Pictures of at most so many images, the first ones; of a kind that is not seen a table of their ids. options: key,
        folded, more."""
        places, more = list(places)[:most], max(0, len(places) - most) + options.pop("more", 0)
        pictures = [self.shown(place) for place in places]
        if None in pictures:
            rows = [[self.ids[place], self.names[self.labels[place]], self.said(place)] for place in places]
            return Table(["id", "label", "taken for"], rows, caption, more, **options)
        return Pictures(pictures, caption, more, **options)


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
