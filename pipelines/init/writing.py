"""Lines of a config, and what of it is the same whatever is read, for `hubel init`. Plain data in, YAML out; nothing heavy."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import yaml

from configs.errors import printable

RANKED = 0.6  # mean of the classes' AUROC


def bound(survey, counted) -> list[str]:
    if survey.get("labels"):
        bound = flow({"thresholds": {"macro_auroc": {"min": RANKED}}})
        return ["# modest: 0.5 is guessing; raise it once you know what can be reached", f"evaluate: {bound}"]
    most = max(counted.values()) / sum(counted.values())
    bound = min(0.99, math.ceil(100 * (most + 0.2 * (1 - most))) / 100)
    return [
        f"# modest: always naming the most frequent class would reach {most:.2f}; raise it once you know what can be reached",
        "# slices: the figures of each class by itself",
        f"evaluate: {flow({'thresholds': {'accuracy': {'min': bound}}, 'slices': {'label': {}}})}",
    ]


def epochs_of(survey) -> int:
    return 40 if survey["images"] < 2_000 else 20 if survey["images"] < 20_000 else 10


def batch_of(survey) -> int:
    return 16 if survey["images"] < 500 else 32 if survey["images"] < 5_000 else 64


def comment(lines: list[str]) -> list[str]:
    return [f"# {printable(line)}" for line in lines]


def flow(value: Any) -> str:
    """Flow-style YAML in one line; text in double quotes where it needs any."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", value) and yaml.safe_load(value) == value  # not so: no, null
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
