"""`tune`: the search for better values before the training."""

import math
from typing import Literal

from pydantic import Field, field_validator, model_validator

from configs.schema.base import Named, Slice


class Distribution(Slice):
    """What one dotted path is drawn from: `{choices: [...]}`, or `{min, max}` with `step` or `sampling: log`."""

    choices: list[str | int | float | bool] | None = Field(None, min_length=1)
    min: int | float | None = None
    max: int | float | None = None
    step: int | float | None = Field(None, gt=0)
    sampling: Literal["linear", "log"] = "linear"

    @field_validator("choices")
    @classmethod
    def _of_one_kind(cls, choices):
        kinds = {type(choice) for choice in choices or ()}
        if kinds == {int, float}:
            return [float(choice) for choice in choices]
        if len(kinds) > 1:
            raise ValueError(f"choices must be of one kind; got {', '.join(sorted(kind.__name__ for kind in kinds))}")
        return choices

    @model_validator(mode="after")
    def _choices_or_range(self):
        if (self.choices is None) == (self.min is None or self.max is None):
            raise ValueError("give either choices, or both min and max")
        if self.choices is None and not self.min < self.max:
            raise ValueError(f"min must be below max; got {self.min} and {self.max}")
        if self.sampling == "log" and (self.min or 0) <= 0:
            raise ValueError("log sampling needs a min above 0")
        if self.sampling == "log" and (self.step or 2) <= 1:
            raise ValueError(f"with log sampling a step multiplies, so it must be above 1; got {self.step}")
        if self.is_whole and self.step is not None and self.step != int(self.step):
            raise ValueError(f"a range of whole numbers needs a whole step; got {self.step}")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether it draws whole numbers from a range."""
        return isinstance(self.min, int) and isinstance(self.max, int)

    @property
    def examples(self) -> list:
        """Values that the key must accept: every choice, or a range's ends and, in a range of fractions, one of those."""
        if self.choices is not None:
            return self.choices
        return [self.min, self.max] + ([] if self.is_whole else [math.nextafter(self.min, self.max)])


class TuneConfig(Slice):
    enabled: bool = False
    algorithm: Literal["random", "bayesian", "hyperband"] = "hyperband"
    trials: int | None = Field(None, gt=0, description="how many to try; null: 10, or as many as hyperband's brackets need")
    epochs: int | None = Field(None, gt=0, description="epochs a trial; null: train.epochs")
    minutes: float | None = Field(None, gt=0, description="start no new trial after this long")
    workers: Literal[1] = Field(1, description="processes that try at the same time")
    space: Named[Distribution] = Field({}, description="dotted path of this file -> what it is drawn from")
