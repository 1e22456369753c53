"""Slices with other values at dotted paths, as a search chooses them."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from configs.errors import UsageError
from configs.schema.base import Slice
from configs.sentences import sentence
from configs.trees import merged, nested

SliceT = TypeVar("SliceT", bound=Slice)


def override(config: SliceT, values: Mapping[str, Any]) -> SliceT:
    """The config, or a slice of one, with dotted paths replaced and validated anew; nothing else changes. Raises UsageError."""
    changes = (nested(dotted.split("."), value) for dotted, value in values.items())
    tree = merged(config.model_dump(mode="json", exclude_unset=True), changes)
    try:
        return type(config).model_validate(tree)
    except ValidationError as error:
        raise UsageError(f"{'; '.join(sentence(e, tree, type(config)) for e in error.errors(include_url=False))}.") from None
