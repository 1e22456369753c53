"""What a model that says of each class by itself whether an image has it answered about a split: arrays, and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from components import keys
from components.evaluator.multilabel import DECISIONS, PROBABILITIES, cross_entropy
from components.reporter import seen
from components.reporter.classified import share
from components.reporter.material import Absent, Material
from reports.run.blocks import Picture, Pictures, Table


@dataclass(frozen=True)
class Sets:
    """Examples of a split that have labels, and what the model answered.

    ids: N of them. labels: bool [N, K]. probabilities: float64 [N, K]. decisions: bool [N, K]. names: K. total: how many the split
    has; unlabelled: how many of those that were asked about have no labels. given: what the model gets of each, [N, ...].
    """

    split: str
    reads: str
    ids: Sequence[str]
    labels: np.ndarray
    probabilities: np.ndarray
    decisions: np.ndarray
    names: Sequence[str]
    total: int
    unlabelled: int
    given: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, material: Material, split: str = keys.TEST) -> "Sets":
        """Raises Absent where there is no model, no such split, or no label."""
        material.artifact("model")
        answers = material.answers if split == keys.TEST else material.asked(split)
        if answers is None:
            raise Absent(f"There are no examples of the {split} split.")
        labels = answers.sample.targets[keys.LABELS]
        known = np.flatnonzero((labels >= 0).all(1))
        if not len(known):
            raise Absent(f"No example of the {split} split has labels.")
        seen.check_finite(answers.outputs[PROBABILITIES][known])
        return cls(
            split,
            material.reads,
            [answers.ids[place] for place in known],
            labels[known] > 0,
            answers.outputs[PROBABILITIES][known].astype(np.float64),
            answers.outputs[DECISIONS][known] > 0,
            material.class_names,
            answers.sample.total,
            len(labels) - len(known),
            answers.sample.seen[known],
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def loss(self) -> np.ndarray:
        """float64 [N]: the cross-entropy of each image, as Evaluator has it."""
        return cross_entropy(self.labels, self.probabilities, self.decisions)

    @property
    def words(self) -> str:
        """What was asked about, such as "359 test images"; where that is not all of it, of how many."""
        return seen.asked_about(self.reads, self.split, len(self), self.total, self.unlabelled)

    def _named(self, row: np.ndarray) -> str:
        return ", ".join(self.names[number] for number in np.flatnonzero(row)) or "nothing"

    def shown(self, place: int, caption: str | None = None) -> Picture | None:
        """An image as the model gets it, marked where its set is not the label's; None of a kind that is not seen. caption: by
        default what it misses and what it adds."""
        missed, added = self.labels[place] & ~self.decisions[place], self.decisions[place] & ~self.labels[place]
        wrong = [f"{word} {self._named(of)}" for word, of in (("misses", missed), ("adds", added)) if of.any()]
        alt = f"{self.ids[place]}: has {self._named(self.labels[place])}, answered {self._named(self.decisions[place])}"
        text = caption or "; ".join(wrong) or self._named(self.labels[place])
        return seen.picture(self.reads, self.given[place], alt, text, "bad" if wrong else "")

    def of_class(self, place: int, number: int) -> str:
        """How sure a class is of an image."""
        return f"{self.names[number]} {share(self.probabilities[place, number])}"

    def gallery(self, places: Sequence[int], captions: Sequence[str | None], title: str, most: int, **options) -> Pictures | Table:
        """Pictures of at most so many images, the first ones; of a kind that is not seen a table of their ids. options: key,
        folded."""
        shown = list(zip(places, captions, strict=True))[:most]
        more = max(0, len(places) - most)
        pictures = [self.shown(place, caption) for place, caption in shown]
        if None in pictures:
            rows = [[self.ids[place], self._named(self.labels[place]), self._named(self.decisions[place])] for place, _ in shown]
            return Table(["id", "has", "answered"], rows, title, more, **options)
        return Pictures(pictures, title, more, **options)
