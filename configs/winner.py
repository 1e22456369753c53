"""The config that trains what a search chose, as YAML: it extends that of the search, and has only what is another there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from configs import load
from configs.override import changed, override
from configs.schema.run import RunConfig

SEARCH = "tune"


def text(config: str, assignments: Sequence[str], values: Mapping[str, Any], about: str = "") -> str:
    """YAML that `hubel run` trains without a search.

    Args:
        config: a shipped config's name, or a path, which is written in full.
        assignments: `--set` of the search; those of the search itself fall away.
        values: dotted path -> value, as the search chose them.
        about: a comment on top.
    """
    kept = [each for each in assignments if each.strip() != SEARCH and not each.strip().startswith((f"{SEARCH}.", f"{SEARCH}="))]
    target = override(load.load(config, kept), values)
    file = load.find(config)
    base = config if file.parent == load.SHIPPED else str(file.resolve())
    tree = next(
        (tree for tree in _candidates(config, kept, values, target) if _same(load.load(config, changes=[tree]), target)), None
    )
    whole = {"extends": base, **tree} if tree is not None else without_search(target)
    return "".join(f"# {line}\n" for line in about.splitlines()) + yaml.safe_dump(whole, sort_keys=False, allow_unicode=True)


def without_search(config: RunConfig) -> dict[str, Any]:
    """All keys that a config was given, but those of a search."""
    return {key: value for key, value in load.written(config).items() if key != SEARCH}


def _candidates(config: str, kept: Sequence[str], values: Mapping[str, Any], target: RunConfig) -> Iterator[dict[str, Any]]:
    """Trees to merge over the config: what was set, and then with the topics whole that were changed, since another name of an
    optimizer or the like takes away what the config says of the old one."""
    switch = {SEARCH: {"enabled": False}} if load.load(config, kept).tune.enabled else {}
    least = changed(load.assigned(kept), values)
    yield {**least, **switch}
    given = without_search(target)
    yield {**{topic: given[topic] for topic in least if topic in given}, **switch}


def _same(made: RunConfig, target: RunConfig) -> bool:
    return made.model_dump(exclude={SEARCH}) == target.model_dump(exclude={SEARCH})
