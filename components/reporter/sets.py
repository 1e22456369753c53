"""What a model that says of each class by itself whether an image has it answered about a split: arrays, and pictures."""

from dataclasses import dataclass

import numpy as np

from components import keys
from components.evaluator.multilabel import DECISIONS, cross_entropy
from components.reporter import seen
from components.reporter.classified import share
from components.reporter.labelled import Labelled
from reports.run.blocks import Picture


@dataclass(frozen=True, kw_only=True)
class Sets(Labelled):
    """labels: bool [N, K]. decisions: bool [N, K]."""

    target = keys.LABELS
    columns = ("id", "has", "answered")

    decisions: np.ndarray

    @classmethod
    def held(cls, answers, known):
        return {"labels": answers.sample.targets[cls.target][known] > 0, "decisions": answers.outputs[DECISIONS][known] > 0}

    @property
    def loss(self) -> np.ndarray:
        """float64 [N]: the cross-entropy of each image, as Evaluator has it."""
        return cross_entropy(self.labels, self.probabilities, self.decisions)

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

    def row(self, place: int) -> list[str]:
        return [self.ids[place], self._named(self.labels[place]), self._named(self.decisions[place])]
