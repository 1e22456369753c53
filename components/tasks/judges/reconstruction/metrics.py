"""Metrics of what the signature `figures` says of each image."""

from typing import Literal

from components.evaluator.statistic import Decibels, Mean
from components.tasks.judges.base import Metric


def mean_of(output: str, better: Literal["more", "less"]) -> Metric:
    """The mean over images of what the signature `figures` says of each; not there where it says nothing."""
    return Metric("MeanOfOutput", better, module="components.evaluator.metrics", config={"output": output}, statistic=Mean(output))


def psnr_of(output: str) -> Metric:
    """The mean over images of the peak signal-to-noise ratio of an output that is a squared error."""
    statistic = Decibels(output)
    return Metric("MeanPsnr", "more", module="components.evaluator.metrics", config={"output": output}, statistic=statistic)
