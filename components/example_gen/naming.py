"""Whether the classes of what a task learns from have names, and the line of a config that gives them where they have none."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components import targets as kinds
from components.example_gen import sources
from components.example_gen.sources import Contents
from components.inputs.storing import Damaged
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig

LOOKED_AT = 20  # images of a shard, for what their targets hold


def check(
    data: DataConfig,
    address: Mapping[str, Any],
    contents: Contents,
    targets: Sequence[str],
    least: int,
    model: str,
    error: type[HubelError] = UsageError,
) -> None:
    """Raise an error where a model tells classes apart, and those of what it learns from have no names, or too few.

    Args:
        data, contents: of sources.opened.
        targets: further ones than the label that the model learns from.
        least: classes that it tells apart, 0 for none.
        model: what is said of it.
    """
    names = next((contents.targets[name] for name in targets if contents.targets.get(name)), [])
    if not targets or len(names) >= least:
        return
    has = f"one of it has a name, {names[0]!r}" if names else "none of its classes has a name"
    line = kinds.of(targets[0]).unnamed(list(_values(data, address, contents, targets[0])))
    raise error(
        f"{model[:1].upper()}{model[1:]} tells at least {least} classes of {targets[0]} apart, and in {data.source} {has}.",
        f"Name them: {line}",
    )


def _values(data: DataConfig, address: Mapping[str, Any], contents: Contents, target: str) -> Iterator[Any]:
    """Some of a source's values of a target, those that can be read."""
    for shard in itertools.islice((shard for shards in contents.shards.values() for shard in shards), 1):
        for raw in itertools.islice(sources.images_of(data, address, shard), LOOKED_AT):
            with contextlib.suppress(Damaged, OSError, KeyError):
                yield raw.targets[target]()
