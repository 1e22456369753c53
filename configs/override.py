"""Slices with other values at dotted paths, as a search chooses them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError

from configs.errors import UsageError
from configs.schema.base import Slice
from configs.schema.model import ModelConfig
from configs.schema.train import OptimizerConfig, ScheduleConfig
from configs.sentences import sentence
from configs.trees import merge, nested, without_renamed

SliceT = TypeVar("SliceT", bound=Slice)
MODEL_NAME = "model.name"
DEFAULT_NAMES = MappingProxyType(
    {
        path: kind.model_fields["name"].default
        for path, kind in {
            ("model",): ModelConfig,
            ("train", "optimizer"): OptimizerConfig,
            ("train", "schedule"): ScheduleConfig,
        }.items()
    }
)


def override(config: SliceT, values: Mapping[str, Any]) -> SliceT:
    """The config, or a slice of one, with dotted paths replaced and validated anew; see `changed`. Raises UsageError."""
    tree = changed(config.model_dump(mode="json", exclude_unset=True), values)
    try:
        return type(config).model_validate(tree)
    except ValidationError as error:
        raise UsageError(f"{'; '.join(sentence(e, tree, type(config)) for e in error.errors(include_url=False))}.") from None


def changed(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A config's tree with dotted paths replaced; nothing else changes, but what a renamed mapping held.

    A mapping is merged over what is there, and as with `extends` starts anew where it has another name. A name alone, such as
    train.optimizer.name, takes nothing away; but that of another model takes the options, which are the old one's. Paths are
    replaced from the top down, whatever their order.
    """
    for dotted, value in sorted(values.items(), key=lambda pair: pair[0].count(".")):
        change = nested(dotted.split("."), value)
        if isinstance(value, Mapping) or dotted == MODEL_NAME:
            tree = without_renamed(tree, change, DEFAULT_NAMES)
        tree = merge(tree, change)
    return dict(tree)
