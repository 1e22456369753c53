"""`tune`: the search for better values before the training."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, WrapSerializer, WrapValidator, field_validator, model_validator

from configs.schema.base import Named, Slice

AUTO = "auto"
EPSILON = 1e-8  # what rounding may take from the last of a range's steps
LEAST_HYPERBAND_EPOCHS = 3  # with a factor of 3 fewer give one bracket without halving, which is a random search


class Distribution(Slice):
    """What one dotted path is drawn from: `{choices: [...]}`, or `{min, max}` with `step` or `sampling`; `when`: not always."""

    choices: list[JsonValue] | None = Field(
        None,
        min_length=1,
        description="try one of these: numbers of one kind, texts, true and false, null, lists (`[[300, 100], [200]]`) or whole "
        "mappings (`[{name: adam}, {name: sgd, momentum: 0.9}]`), which change the config as --set would",
    )
    min: int | float | None = Field(None, description="least value; of whole numbers where min and max both are")
    max: int | float | None = Field(None, description="greatest value")
    step: int | float | None = Field(
        None, gt=0, description="distance between the values that may be tried; with log and reverse_log, their ratio"
    )
    sampling: Literal["linear", "log", "reverse_log"] = Field(
        "linear",
        description="log: as many draws from 0.001 to 0.01 as from 0.01 to 0.1; reverse_log: as dense near max as log is near min, "
        "such as for a momentum",
    )
    default: JsonValue = Field(
        None,
        description="what it is while others are tried, and in grid search first; null: the config's own value where it is among "
        "those that are tried, else the first choice, or min",
    )
    when: Named[JsonValue] = Field(
        {},
        description="other paths of the space -> the value, or a list of values, that they must have for this one to be drawn at "
        "all; of a path whose choices are mappings also a key of them, such as `{train.optimizer.name: sgd}`",
    )

    @field_validator("choices")
    @classmethod
    def _of_one_kind(cls, choices):
        kinds = {type(choice) for choice in choices or () if isinstance(choice, bool | int | float | str)}
        if kinds == {int, float}:
            choices = [float(choice) if isinstance(choice, int) else choice for choice in choices]
        elif len(kinds) > 1:
            raise ValueError(f"choices must be of one kind; got {', '.join(sorted(kind.__name__ for kind in kinds))}")
        texts = [json.dumps(choice, sort_keys=True) for choice in choices or ()]
        if again := [text for text in texts if texts.count(text) > 1]:
            raise ValueError(f"each choice may stand once; {again[0]} stands {texts.count(again[0])} times")
        return choices

    @model_validator(mode="after")
    def _choices_or_range(self):
        if (self.choices is None) == (self.min is None or self.max is None):
            raise ValueError("give either choices, or both min and max")
        if self.choices is not None:
            if given := [key for key in ("min", "max", "step", "sampling") if key in self.model_fields_set and self._differs(key)]:
                raise ValueError(f"{given[0]} is of a range, and these are choices; give one of them")
            return self
        if not self.min < self.max:
            raise ValueError(f"min must be below max; got {self.min} and {self.max}")
        if self.sampling != "linear" and self.min <= 0:
            raise ValueError(f"{self.sampling} sampling needs a min above 0")
        if self.sampling != "linear" and (self.step or 2) <= 1:
            raise ValueError(f"with {self.sampling} sampling a step multiplies, so it must be above 1; got {self.step}")
        if self.is_whole and self.step is not None and self.step != int(self.step):
            raise ValueError(f"a range of whole numbers needs a whole step; got {self.step}")
        return self

    @model_validator(mode="after")
    def _default_among_them(self):
        if self.default is not None and not self.has(self.default):
            raise ValueError(f"the default {self.default!r} is outside of what may be tried")
        return self

    def _differs(self, key: str) -> bool:
        return getattr(self, key) != type(self).model_fields[key].default

    @property
    def is_whole(self) -> bool:
        """Whether it draws whole numbers from a range."""
        return isinstance(self.min, int) and isinstance(self.max, int)

    @property
    def steps(self) -> list | None:
        """Every value that can be drawn, in rising order for a range; None of a range with too many to tell apart."""
        if self.choices is not None:
            return self.choices
        step = 1 if self.is_whole and self.step is None and self.sampling == "linear" else self.step
        if step is None:
            return None
        if self.sampling == "linear":
            values = [self.min + at * step for at in range(math.floor((self.max - self.min) / step + EPSILON) + 1)]
        else:
            ratios = [math.pow(step, at) for at in range(math.floor(math.log(self.max / self.min, step) + EPSILON) + 1)]
            values = [self.min * ratio for ratio in ratios]
            if self.sampling == "reverse_log":
                values = [self.max + self.min - value for value in reversed(values)]
        return [int(value) for value in values] if self.is_whole else values

    def has(self, value: Any) -> bool:
        """Whether it can be drawn."""
        if self.choices is not None:
            return any(same(value, choice) for choice in self.choices)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if self.steps is not None:
            return any(math.isclose(value, step, rel_tol=1e-9, abs_tol=1e-12) for step in self.steps)
        return self.min <= value <= self.max and (not self.is_whole or value == int(value))

    @property
    def first(self) -> Any:
        """What it is while others are tried: the default, or where none is given the first choice, or min."""
        if self.default is not None:
            return self.default
        return self.steps[0] if self.steps is not None else self.min

    @property
    def examples(self) -> list:
        """Values that the key must accept: every choice, or a range's ends, least first, between them one of its fractions."""
        if self.choices is not None:
            return self.choices
        if self.steps is not None:
            return [self.steps[0], self.steps[-1]][: len(self.steps)]
        return [self.min, *([] if self.is_whole else [math.nextafter(self.min, self.max)]), self.max]


def same(value: Any, other: Any) -> bool:
    """Whether two JSON values are the same: numbers by value, so that 1 is 1.0, and neither is true."""
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return value.keys() == other.keys() and all(same(value[key], other[key]) for key in value)
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return len(value) == len(other) and all(map(same, value, other))
    return value == other


class ObjectiveConfig(Slice):
    name: str = Field(min_length=1, description="a validation figure that the task logs, such as val_accuracy, val_mse, val_elbo")
    direction: Literal["min", "max"] | None = Field(None, description="which is better, less or more; null: what the task says")
    weight: float = Field(1.0, gt=0, description="of several: what it counts in their sum")


def _listed(value: Any) -> Any:
    value = [value] if isinstance(value, str | Mapping | ObjectiveConfig) else value
    return [{"name": item} if isinstance(item, str) else item for item in value] if isinstance(value, list) else value


def _auto_or(value: Any, checked: Callable) -> Any:
    return value if value == AUTO else checked(value)


Space = Annotated[
    Named[Distribution],
    WrapValidator(_auto_or, json_schema_input_type=Literal["auto"] | Named[Distribution]),
    WrapSerializer(_auto_or),
]


class TuneConfig(Slice):
    enabled: bool = False
    algorithm: Literal["random", "grid", "bayesian", "hyperband"] = Field(
        "hyperband",
        description="keras-tuner's: random; grid: every combination, of a range without steps ten values; bayesian: a Gaussian "
        "process says what is tried next; hyperband: many trials of few epochs, the best third goes on (Li et al. 2018)",
    )
    objective: Annotated[list[ObjectiveConfig] | None, BeforeValidator(_listed)] = Field(
        None,
        min_length=1,
        description="what is searched for: a name, such as val_accuracy, a mapping, or a list of these, whose weighted sum it is; "
        "null: val_loss",
    )
    trials: int | None = Field(
        None, gt=0, description="how many to try; null: 10, all of a grid, or as many as hyperband's brackets need"
    )
    epochs: int | None = Field(None, gt=0, description="epochs a trial, of hyperband the most; null: train.epochs")
    total_epochs: int | None = Field(None, gt=0, description="start no new trial once all have had so many epochs together")
    minutes: float | None = Field(
        None, gt=0, description="start no new trial after this long, and end the one that runs after its epoch"
    )
    executions: int = Field(1, gt=0, le=100, description="trainings a trial, each with a seed of its own; its figure is their mean")
    pruning: Literal["auto", "none", "median"] = Field(
        "auto",
        description="median: end a trial whose figure is worse than the median of the earlier ones at the same epoch; auto: "
        "median, and none for hyperband, which does so itself",
    )
    workers: int = Field(1, gt=0, le=256, description="processes that try at the same time")
    warm_start: str | None = Field(
        None, min_length=1, description="an earlier search, whose trials count as tried where they lie in this space"
    )
    space: Space = Field(
        {},
        description="dotted path of this file -> what it is drawn from; auto: what the model's own record and its family say is "
        "worth a search",
    )

    @property
    def is_auto(self) -> bool:
        """Whether the model says what is searched."""
        return self.space == AUTO

    @field_validator("objective")
    @classmethod
    def _each_once(cls, objective):
        names = [asked.name for asked in objective or ()]
        if again := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"each figure may stand once; {again[0]} stands {names.count(again[0])} times")
        return objective

    @model_validator(mode="after")
    def _possible(self):
        if self.epochs is not None:
            self.check_epochs(self.epochs, "tune.epochs")
        return self

    def check_epochs(self, epochs: int, key: str) -> None:
        """Raise ValueError where a search with trials of so many epochs cannot be; `key` says where they are from."""
        if not self.enabled:
            return
        if self.algorithm == "hyperband" and epochs < LEAST_HYPERBAND_EPOCHS:
            raise ValueError(
                f"hyperband compares trials after 1 and after 3 epochs, and {key} is {epochs}; make it {LEAST_HYPERBAND_EPOCHS} or "
                "more, or take another tune.algorithm"
            )
        if self.total_epochs is not None and self.total_epochs < epochs:
            raise ValueError(f"total_epochs of {self.total_epochs} is less than the {epochs} of one trial ({key})")
