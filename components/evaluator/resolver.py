"""The model that a candidate is compared with: the last blessed *other* one.

TFX's LatestBlessedModelStrategy finds the candidate itself on the second run, which re-runs Evaluator for nothing and
makes the comparison one of a model with itself.
"""

import os

from tfx.dsl.components.common import resolver
from tfx.types import standard_artifacts

from components.trainer.card import Card

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
            if question and model.id in blessings and model.id not in candidates and _question(model) == question:
                return {**input_dict, "model": [model], "model_blessing": [blessings[model.id]]}
        return {**input_dict, "model": [], "model_blessing": []}


def _question(model: standard_artifacts.Model) -> tuple | None:
    """Task and classes; None where the artifact's files are gone."""
    if not os.path.isdir(model.uri):
        return None
    try:
        card = Card.read(model.uri)
    except (OSError, ValueError):
        return None
    return card.task, tuple(card.class_names)
