"""What of a training's config stands in TensorBoard's HParams: what a search could change, and what else is not as by default."""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from configs.schema.slices.trainer import TrainerSlice

SEARCHED = ("seed", "model", "transfer", "train")  # topics all of whose values are told


def of(cfg: TrainerSlice, entry) -> dict[str, str | bool | int | float]:
    """Dotted path -> value; what is null is left out, and of an empty list or mapping there is nothing to say.

    Args:
        entry: keras_models.ModelEntry of the network; what its `space` says is worth a search stands here as it was built with.
    """
    tree = cfg.model_dump(mode="json", exclude_defaults=True, exclude={"name", "reading"})
    whole = cfg.model_dump(mode="json", include=set(SEARCHED))
    options = {**_built_with(entry), **whole["model"]["options"]} if cfg.transfer is None else {}
    whole["model"] = {**whole["model"], "options": options} if cfg.transfer is None else None
    return dict(_leaves({**tree, **whole}))


def _built_with(entry) -> dict[str, Any]:
    """The options of its space, by default."""
    parameters = inspect.signature(entry.build).parameters
    defaults = {name: parameters[name].default for name in entry.space if name in parameters}
    given = {**defaults, **{name: value for name, value in entry.options.items() if name in entry.space}}
    return {name: value for name, value in given.items() if value is not inspect.Parameter.empty}


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str | bool | int | float]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        elif isinstance(value, str | bool | int | float):
            yield f"{above}{key}", value
        elif value:
            yield f"{above}{key}", json.dumps(value)
