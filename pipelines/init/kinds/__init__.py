"""What `hubel init` proposes for a kind of input: one file a kind, found by its name. Plain data in; imports nothing heavy.

A kind named `x` is pipelines/init/kinds/x.py with

- LEARNS_ALONE: whether anything is learned of examples that are of no class, or all of one;
- at_hand(survey, workspace) -> further arguments of `body`: what this machine has that a proposal may use;
- sampled(survey) -> lines on what the sample looks like;
- body(survey, plan, **at_hand) -> lines of YAML from `transform` on, and sentences that a person should know.

`survey` is of pipelines.data_sets.survey.look.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from components import inputs
from configs import by_name
from configs.errors import UsageError


@dataclass(frozen=True)
class Plan:
    """What is to be learned: whether there are classes, how many examples each has, and the ones that alone are trained on."""

    is_labelled: bool
    counted: Mapping[str, int]
    inliers: Sequence[str]


def kind_of(survey: Mapping[str, Any]) -> ModuleType:
    """The module of what was found. Raises UsageError for a kind without one."""
    reads = survey.get("reads", inputs.DEFAULT)
    path = by_name.module(__name__, reads)
    if path is None:
        raise UsageError(f"`hubel init` has no config for models that read {reads}.", "docs/configuration.md has the keys of one.")
    return importlib.import_module(path)
