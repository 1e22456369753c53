"""Augmentation by name: what is known of a domain as a list of steps, each written as in a config."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from configs.schema.augment import BATCH_ONLY, COLOR_ONLY, AugmentStep, Border, Policy
from configs.schema.export import Crops

_SMALL_MOVES = (
    {"translate": {"height": 0.1, "width": 0.1}},
    {"rotate": {"degrees": 10}},
    {"shear": {"degrees": 10}},
    {"zoom": {"factor": 0.1}},
    {"elastic": {"alpha": 0.02}},
)
_LIGHT = ({"brightness": {"share": 0.1}}, {"contrast": {"factor": 0.2}})
_COLORS = ({"saturation": {"factor": 0.2}}, {"hue": {"degrees": 10}})

POLICIES = {
    "none": (),
    "digits": _SMALL_MOVES,  # never flipped: a mirrored 2 is no digit, and a 6 turned by half is a 9
    "letters": _SMALL_MOVES,  # never flipped: b, d, p and q are one shape
    "photos": ({"crop": {"share": 0.125}}, {"flip": {"horizontal": True}}, *_LIGHT, *_COLORS),  # AlexNet's 224 px of 256
    "objects": (  # small pictures with the thing in the middle: CIFAR's 4 px of 32
        {"translate": {"height": 0.125, "width": 0.125}},
        {"flip": {"horizontal": True}},
        {"rotate": {"degrees": 10}},
        *_LIGHT,
        *_COLORS,
    ),
    "cells": ({"flip": {"horizontal": True, "vertical": True}}, {"rotate": {"degrees": 180}}, *_LIGHT),  # no way is up
}

UPRIGHT = 90  # degrees that a digit may be turned by and still be itself
DIGITS = (set("0123456789"), {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"})


def expand(steps: Sequence[AugmentStep], channels: int) -> list[AugmentStep]:
    """The steps with each policy replaced by its own, whose moves get the policy's border; for grey images without those that need
    colour."""
    expanded = []
    for step in steps:
        name, parameters = step.operation
        expanded += _of_policy(parameters) if name == "policy" else [step]
    return [step for step in expanded if channels > 1 or step.operation[0] not in COLOR_ONLY]


def _of_policy(policy: Policy) -> list[AugmentStep]:
    border = {key: getattr(policy, key) for key in Border.model_fields if key in policy.model_fields_set}
    steps = []
    for tree in POLICIES[policy.name]:
        [(name, parameters)] = tree.items()
        moves = isinstance(AugmentStep.model_validate(tree).operation[1], Border)
        steps.append(AugmentStep.model_validate({name: {**parameters, **border} if moves else parameters}))
    return steps


class Schedule(NamedTuple):
    """Which expanded steps are written once, for `copies` epochs, and which are done anew on the batches of every epoch."""

    written: list[AugmentStep]
    copies: int
    live: list[AugmentStep]


def schedule(steps: Sequence[AugmentStep]) -> Schedule:
    """Expanded steps apart: those before `copies`, up to the first that needs its batch, and the others."""
    counts = [step.copies for step in steps if step.operation[0] == "copies"]
    written = list(itertools.takewhile(lambda step: step.operation[0] not in ("copies", *BATCH_ONLY), steps)) if counts else []
    live = [step for step in steps[len(written) :] if step.operation[0] != "copies"]
    return Schedule(written, counts[0] if written else 0, live)


def doubts(steps: Sequence[AugmentStep], class_names: Sequence[str], crops: Crops | None = None) -> list[str]:
    """What a person should be told about expanded steps, and about the crops that answers are averaged over, before they train on
    classes of these names; usually nothing."""
    if not class_names or not any({name.lower() for name in class_names} <= digits for digits in DIGITS):
        return []
    doubted = []
    for name, parameters in (step.operation for step in steps):
        if name == "flip" and (parameters.horizontal or parameters.vertical):
            doubted.append("augment flips digits: a mirrored 2 is no digit. The policy `digits` never flips.")
        if name == "rotate" and parameters.degrees > UPRIGHT:
            doubted.append(f"augment turns digits by up to {parameters.degrees:g} degrees: a 6 upside down is a 9.")
    if crops and crops.reflect:
        doubted.append("export.crops mirrors digits, and averages over what it is told of them: set export.crops.reflect to false.")
    return doubted
