"""The config that trains what a search chose, as YAML: it extends that of the search, and says what was set and what was found."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from configs import load
from configs.errors import UsageError
from configs.override import DEFAULT_NAMES, override
from configs.schema.run import RunConfig
from configs.space import at
from configs.trees import merge, nested

SEARCH = "tune"
WIDTH = 120  # characters of a line of YAML


def text(config: str, assignments: Sequence[str], values: Mapping[str, Any], about: str = "", beside: Path | None = None) -> str:
    """YAML that `hubel run` trains without a search.

    `load.load` makes of it what `override` makes of the config and the values, `tune` aside: what a mapping of another name takes
    away there, it takes away here. Where that cannot be said over the config, it is written whole, and extends nothing.

    Args:
        config: a shipped config's name, or a path.
        assignments: `--set` of the search; those of the search itself fall away.
        values: dotted path -> value, as the search chose them; those too that the config has are written.
        about: a comment on top.
        beside: the folder that the file will lie in; from there the path of a config is written that lies in it, below it, or above
            it, so that the two can be moved together. None: a path is written in full.
    """
    kept = [each for each in assignments if each.strip() != SEARCH and not each.strip().startswith((f"{SEARCH}.", f"{SEARCH}="))]
    target = override(load.load(config, kept), values)
    file, own = load.find(config), load.load(config)
    base, wanted = without_search(own), without_search(target)
    changes = _difference(base, wanted, target.model_dump(mode="json"), ())
    for dotted, value in values.items():
        keys = dotted.split(".")
        if not any(isinstance(at(base, keys[:length]), list) for length in range(1, len(keys))):
            changes = merge(nested(keys, value), changes)
    said = next((tree for tree in _unsearched(changes, own) if _is_said(config, tree, target)), None)
    whole = {"extends": _extended(config, file, beside), **said} if said is not None else wanted
    head = "".join(f"# {line}\n" for line in about.splitlines())
    return head + yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=None)


def without_search(config: RunConfig) -> dict[str, Any]:
    """All keys that a config was given, but those of a search."""
    return {key: value for key, value in load.written(config).items() if key != SEARCH}


def _difference(base: Any, wanted: Any, full: Any, path: tuple[str, ...]) -> Any:
    """What has to be merged over a tree to come to another one, as `load` merges.

    Args:
        full: what is wanted with every key that has a default.
    """
    if not (isinstance(base, Mapping) and isinstance(wanted, Mapping)):
        return wanted
    default = DEFAULT_NAMES.get(path)
    if path and base.get("name", default) != wanted.get("name", default):
        return wanted  # the old one's keys fall away
    differing = {key: value for key, value in wanted.items() if key not in base or base[key] != value}
    gone = {key: full[key] for key in base if key not in wanted and key in full}
    return {**{key: _difference(base.get(key), value, full[key], (*path, key)) for key, value in differing.items()}, **gone}


def _unsearched(changes: dict[str, Any], own: RunConfig) -> Iterator[dict[str, Any]]:
    """The changes, and that nothing is searched; then also without the config's own space, which may not go with what was found."""
    switch = {"enabled": False} if own.tune.enabled else {}
    yield {**changes, **({SEARCH: switch} if switch else {})}
    yield {**changes, SEARCH: {**switch, "space": {} if own.tune.is_auto else dict.fromkeys(own.tune.space)}}


def _is_said(config: str, changes: Mapping[str, Any], target: RunConfig) -> bool:
    """Whether a config with these changes is what is wanted."""
    with contextlib.suppress(UsageError):  # of its space
        made = load.load(config, changes=[changes])
        return made.model_dump(mode="json", exclude={SEARCH}) == target.model_dump(mode="json", exclude={SEARCH})
    return False


def _extended(config: str, file: Path, beside: Path | None) -> str:
    """How the config is named in the file: a shipped one by its name, if nothing beside the file has it; others by their path."""
    if file.parent == load.SHIPPED and not (beside and os.path.exists(beside / config)):
        return config
    file, folder = file.resolve(), beside.resolve() if beside else None
    together = folder is not None and file.parent != load.SHIPPED and _holds(file.parent, folder)
    return os.path.relpath(file, folder) if together else str(file)


def _holds(folder: Path, other: Path) -> bool:
    """Whether either folder is in the other; the root of all, which holds any two, does not count."""
    return Path(os.path.commonpath([folder, other])) in {folder, other} - {Path(folder.anchor)}
