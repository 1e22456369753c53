"""The model that a candidate is compared with: the last blessed *other* one.

TFX's LatestBlessedModelStrategy finds the candidate itself on the second run, which re-runs Evaluator for nothing and
makes the comparison one of a model with itself.
"""

import os
from pathlib import Path
from typing import NamedTuple

from tfx.dsl.components.common import resolver
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.saved_model import signature_of
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from configs.errors import HubelError

CANDIDATE = "candidate"


class LatestBlessedOther(resolver.ResolverStrategy):
    """Inputs: `candidate` (Model of this run), `model` (all Models), `model_blessing` (all ModelBlessings)."""

    def resolve_artifacts(self, store, input_dict):
        """At most one Model and its blessing: the newest that is blessed, still there, and answers the same question."""
        candidates = {artifact.id for artifact in input_dict[CANDIDATE]}
        question = _question(input_dict[CANDIDATE][0]) if candidates else None
        blessings = {
            artifact.get_int_custom_property("current_model_id"): artifact
            for artifact in sorted(input_dict["model_blessing"], key=lambda a: a.id)
            if artifact.get_int_custom_property("blessed") == 1
        }
        for model in sorted(input_dict["model"], key=lambda a: a.id, reverse=True):
            is_other = question and model.id in blessings and model.id not in candidates
            if is_other and question.is_answered(_question(model)):
                return {**input_dict, "model": [model], "model_blessing": [blessings[model.id]]}
        return {**input_dict, "model": [], "model_blessing": []}


class _Question(NamedTuple):
    """What a model is asked: its kind of input, its task, the classes of each of its targets, and the outputs of the signature
    that the task's metrics read."""

    reads: str
    task: str
    classes: tuple[tuple[str, ...], ...]
    signature: str
    outputs: frozenset[str]

    def is_answered(self, other: "_Question | None") -> bool:
        """Whether a model that is asked the other question can be judged by this one: it may answer more."""
        return other is not None and self[:-1] == other[:-1] and self.outputs <= other.outputs


def _question(model: standard_artifacts.Model) -> _Question | None:
    """None where the artifact's files are gone or damaged, it has a task that there is no more, or lacks that task's signature."""
    if not os.path.isdir(model.uri):
        return None
    try:
        card = Card.read(model.uri)
        judge = judge_of(card.task)
        there = frozenset(signature_of(Path(path_utils.serving_model_path(model.uri)), judge.signature).outputs)
    except (OSError, ValueError, HubelError):
        return None
    options = (value for metric in judge.metrics.values() for value in metric.config.values())
    read = {judge.prediction_key, *(value for value in options if isinstance(value, str))}  # thresholds and the like name no output
    classes = (tuple(card.class_names), *((name, *of) for name, of in sorted(card.targets.items())))
    return _Question(card.reads, card.task, classes, judge.signature, there & read) if there else None
