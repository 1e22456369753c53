"""Keys of a search's space: a dotted path of the config, and where it stands several times, each time under another condition, a #
and a word that tells these entries apart: train.optimizer.learning_rate and train.optimizer.learning_rate#sgd."""

from collections.abc import Mapping
from typing import Any

MARK = "#"


def path_of(key: str) -> str:
    """The dotted path of the config that an entry is of."""
    return key.partition(MARK)[0]


def by_path(values: Mapping[str, Any]) -> dict[str, Any]:
    """What entries of a space hold, by dotted path: of those that are drawn together no two are of one."""
    return {path_of(key): value for key, value in values.items()}
