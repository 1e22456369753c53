"""Examples of a split that have a label, and what a model answered about them: what sections share, whatever the labels are."""

import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from components import keys
from components.reporter import seen
from components.reporter.material import Absent, Material
from components.reporter.reading import Answers
from reports.run.blocks import Picture, Pictures, Table


@dataclass(frozen=True, kw_only=True)
class Labelled(abc.ABC):
    """Of N examples.

    ids: of each. labels: axis 0 N. probabilities: float64 [N, K]. names: of K classes. total: how many the split has; unlabelled:
    how many of those that were asked about have no label. given: what the model gets of each, [N, ...].
    """

    target: ClassVar[str]  # of components.keys
    columns: ClassVar[tuple[str, str, str]]  # of a table of examples that are not seen

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
    def of(cls, material: Material, split: str = keys.TEST) -> Self:
        """Raises Absent where there is no model, no such split, or no label; HubelError of answers that are no finite numbers."""
        material.artifact("model")
        answers = material.answers if split == keys.TEST else material.asked(split)
        if answers is None:
            raise Absent(f"There are no examples of the {split} split.")
        targets = answers.sample.targets[cls.target]
        known = np.flatnonzero((targets.reshape(len(targets), -1) >= 0).all(1))
        if not len(known):
            raise Absent(f"No example of the {split} split has a label.")
        probabilities = answers.outputs[material.judge.prediction_key][known]
        seen.check_finite(probabilities)
        return cls(
            split=split,
            reads=material.reads,
            ids=[answers.ids[place] for place in known],
            probabilities=probabilities.astype(np.float64),
            names=material.class_names,
            total=answers.sample.total,
            unlabelled=len(targets) - len(known),
            given=answers.sample.seen[known],
            **cls.held(answers, known),
        )

    @classmethod
    @abc.abstractmethod
    def held(cls, answers: Answers, known: np.ndarray) -> dict[str, np.ndarray]:
        """`labels`, and what else a subclass has of the examples at these places, int64 [N]."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def words(self) -> str:
        """What was asked about, such as "359 test images"; where that is not all of it, of how many."""
        return seen.asked_about(self.reads, self.split, len(self), self.total, self.unlabelled)

    @abc.abstractmethod
    def shown(self, place: int, caption: str | None = None) -> Picture | None:
        """An example as the model gets it, marked where the answer is wrong; None of a kind that is not seen."""

    @abc.abstractmethod
    def row(self, place: int) -> list[str]:
        """The same as a row of `columns`."""

    def gallery(
        self,
        places: Sequence[int],
        title: str,
        most: int,
        captions: Sequence[str | None] | None = None,
        key: str = "",
        folded: bool = False,
        more: int = 0,
    ) -> Pictures | Table:
        """Pictures of at most so many examples, the first ones; of a kind that is not seen a table of their ids.

        Args:
            captions: of each; None: what `shown` says.
            more: of the same that are not among `places`.
        """
        chosen, more = list(places)[:most], max(0, len(places) - most) + more
        pictures = [self.shown(place, captions[at] if captions else None) for at, place in enumerate(chosen)]
        if None in pictures:
            return Table(self.columns, [self.row(place) for place in chosen], title, more, key, folded)
        return Pictures(pictures, title, more, key, folded)
