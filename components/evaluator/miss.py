"""A bound that a figure did not keep: in words for a person, and as data for what is said about it."""

import dataclasses
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Miss:
    """One reason against a model.

    `of`: a bound of the config (threshold), what the task compared it with (comparison), or the last blessed model (change).
    `value` and `bound` are None where there is none; of a change, `value` is the change. `slice`: as "label=3"; "" for all images.
    """

    text: str
    metric: str
    of: Literal["threshold", "comparison", "change"]
    value: float | None = None
    bound: float | None = None
    slice: str = ""

    def as_json(self) -> dict:
        """All but the text."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name != "text"}
