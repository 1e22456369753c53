"""`evaluate`: what a model must reach on the test split before it is pushed."""

from typing import Annotated

from pydantic import Field, model_validator

from configs.schema.base import Named, Slice


class Threshold(Slice):
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _a_bound(self):
        if self.min is None and self.max is None:
            raise ValueError("a threshold needs min, max or both")
        return self


class SliceThresholds(Slice):
    min_count: int = Field(50, gt=0, description="test images below which a slice is reported but not judged")
    thresholds: Named[Threshold] = Field({}, description="metric -> bound that each slice of enough images must keep")


class Change(Slice):
    max_drop: float | None = Field(None, ge=0, description="for metrics where more is better")
    max_rise: float | None = Field(None, ge=0, description="for metrics where less is better")

    @model_validator(mode="after")
    def _one_direction(self):
        if (self.max_drop is None) == (self.max_rise is None):
            raise ValueError("give max_drop or max_rise, one of the two")
        return self


class EvaluateConfig(Slice):
    thresholds: Named[Threshold] = Field({}, description="metric -> bound over the whole test split")
    slices: Named[SliceThresholds] = Field({}, description="feature -> what holds for each of its values")
    change: Named[Change] = Field({}, description="metric -> how much worse than the last blessed other model it may be")
    margins: Named[Annotated[float, Field(gt=-1)]] = Field(
        {},
        description="metric that the task compares with something -> how much worse it may be, as a share of that; below 0: how "
        "much better it has to be; not given: 0.01 for linear autoencoders, 0.05 for sparse coding, 0 otherwise",
    )
