"""Parameters and figures of trials as a person writes them. Nothing heavy."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol


class Measured(Protocol):
    """What has a figure: see tuner.records.TrialRecord."""

    value: float | None
    spread: float | None

    @property
    def has_value(self) -> bool: ...


def short_names(paths: Collection[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Path -> as few of its last parts as tell it from the others, and from what else stands beside them; a `name` is always
    somebody's."""
    names = {}
    for path in paths:
        parts = path.split(".")
        tails = (".".join(parts[-count:]) for count in range(2 if parts[-1] == "name" else 1, len(parts) + 1))
        names[path] = next(
            (
                tail
                for tail in tails
                if tail not in taken and sum(other == tail or other.endswith(f".{tail}") for other in paths) == 1
            ),
            path,
        )
    return names


def judged_by(objective: Sequence[Mapping[str, Any]]) -> str:
    """Such as "val_loss (min)" and "2 x val_loss (min) + val_accuracy (max)", of {name, direction, weight} each."""
    weights = [part.get("weight", 1) if len(objective) > 1 else 1 for part in objective]
    return " + ".join(
        f"{'' if weight == 1 else f'{weight:g} x '}{part['name']} ({part['direction']})"
        for weight, part in zip(weights, objective, strict=True)
    )


def shown(value: Any) -> str:
    """A value as a person writes it in a config; numbers to four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def without_defaults(path: str, value: Any) -> Any:
    """A parameter's value without the keys of mappings that are at their defaults; a `name` stays."""
    if not isinstance(value, Mapping) and not (isinstance(value, list) and any(isinstance(item, Mapping) for item in value)):
        return value
    from pydantic import ValidationError

    from configs.schema.run import RunConfig  # takes longer than all else
    from configs.trees import nested

    *above, key = path.split(".")
    try:
        tree = RunConfig.model_validate(nested(["name"], "a") | nested([*above, key], value)).model_dump(
            mode="json", exclude_defaults=True
        )
    except ValidationError:  # it goes with other keys alone
        return value
    for part in (*above, key):
        tree = tree.get(part, {}) if isinstance(tree, Mapping) else {}
    return _kept(value, tree)


def _kept(value: Any, telling: Any) -> Any:
    """Of a value what `telling` has of it, in the value's own order."""
    if isinstance(value, Mapping):
        told = telling if isinstance(telling, Mapping) else {}
        return {key: _kept(inner, told.get(key)) for key, inner in value.items() if key in told or key == "name"}
    if isinstance(value, list) and isinstance(telling, list) and len(value) == len(telling):
        return [_kept(*pair) for pair in zip(value, telling, strict=True)]
    return value


def value_of(trial: Measured) -> str:
    """A trial's figure, with the spread where it was trained several times; nothing where it has none."""
    if not trial.has_value:
        return ""
    return f"{trial.value:.4f}" + (f" ± {trial.spread:.4f}" if trial.spread is not None else "")
