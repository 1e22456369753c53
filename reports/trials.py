"""Parameters and figures of trials as a person writes them. Nothing heavy."""

import json
from collections.abc import Collection
from typing import Any, Protocol


class Measured(Protocol):
    """What has a figure: see tuner.records.TrialRecord."""

    value: float | None
    spread: float | None

    @property
    def has_value(self) -> bool: ...


def short_names(paths: Collection[str]) -> dict[str, str]:
    """Path -> as few of its last parts as tell it from the others."""
    names = {}
    for path in paths:
        parts = path.split(".")
        tails = (".".join(parts[-count:]) for count in range(1, len(parts) + 1))
        names[path] = next(
            (tail for tail in tails if sum(other == tail or other.endswith(f".{tail}") for other in paths) == 1), path
        )
    return names


def shown(value: Any) -> str:
    """A value as a person writes it in a config; numbers to four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def value_of(trial: Measured) -> str:
    """A trial's figure, with the spread where it was trained several times; nothing where it has none."""
    if not trial.has_value:
        return ""
    return f"{trial.value:.4f}" + (f" ± {trial.spread:.4f}" if trial.spread is not None else "")
