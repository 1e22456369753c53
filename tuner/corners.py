"""A search is tried before it begins: the network of each corner of its space is built, without data, weights or training.

Nothing here imports Keras; what builds is handed in.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from configs import searched
from configs import space as spaces
from configs.entries import by_path, path_of
from configs.errors import UsageError
from configs.override import override
from configs.schema.run import RunConfig
from configs.schema.tune import Distribution
from configs.sentences import as_written
from configs.words import count

SECONDS = 60.0  # that building may take; a network of the papers' sizes takes some tenths of one to three
BUILT_FROM = ("model", "transfer")  # what a network depends on; and on train.precision, and whether there is a train.pretrain


def prove(
    config: RunConfig,
    space: Mapping[str, Distribution],
    where: str,
    fits: Callable[[RunConfig], None],
    build: Callable[[RunConfig], None],
    seconds: float = SECONDS,
) -> list[str]:
    """Try a search: its paths and values by the schema, then its corners by what a training would ask of them.

    Args:
        space: of config.tune, or what its `auto` stands for.
        where: what messages name as the config.
        fits: raises UsageError for a config that its task, or the pipeline, cannot train; cheap. Asked of each corner.
        build: raises UsageError for a network that cannot be built. Asked once of each that differs, as long as there is time.
        seconds: that building may take.

    Returns:
        What a person should be told: how many networks there was no time for.

    Raises:
        UsageError: as searched.check, `fits` and `build`, with the values of the corner; a value that no network is built for is
            nowhere else found before its trial fails.
    """
    searched.check(config, space, where)
    whole = spaces.with_defaults(space, config.model_dump(mode="json"))
    corners, built, untried = list(spaces.corners(whole)), [], 0
    end = time.monotonic() + seconds
    for values in corners:
        corner = override(config, values)
        network = _network(corner)
        try:
            fits(corner)
            if network in built:
                continue
            if time.monotonic() > end:
                untried += 1
                continue
            build(corner)
        except UsageError as error:
            at = ", ".join(f"{dotted}: {as_written(value)}" for dotted, value in _telling(values, corners[0]).items())
            raise UsageError(f"Config {where}: tune.space with {at}: {error.message}", error.hint) from error
        built.append(network)
    of_space = f"{count(untried, 'network')} of the search's corners could not be tried within {seconds:g} s"
    return [f"{of_space}; a trial that cannot be built is counted as failed"] if untried else []


def _network(config: RunConfig) -> str:
    tree = config.model_dump(mode="json")
    parts = [tree[key] for key in BUILT_FROM]
    return json.dumps([parts, config.train.precision, config.train.pretrain is not None], sort_keys=True)


def _telling(values: Mapping[str, Any], usual: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a corner's values those that make it another than the usual one; all, where it is that."""
    return {key: value for key, value in values.items() if key not in usual or not spaces.same(value, usual[key])} or values


def notes(config: RunConfig, space: Mapping[str, Distribution]) -> list[str]:
    """What is assumed, or left out, in a search that can be made: said before it starts."""
    own, given = config.model_dump(mode="json"), config.model_dump(mode="json", exclude_unset=True)
    said = []
    for dotted, drawn in space.items():
        keys = path_of(dotted).split(".")
        if spaces.at(own, keys) is not None and not drawn.when and not _tries_own(config, space, dotted):
            known = spaces.at(given, keys)
            value = spaces.at(own, keys) if known is None else known
            said.append(f"the search does not try the config's own {dotted} of {as_written(value)}")
    if config.tune.algorithm == "grid":
        from tuner.space import points  # imports keras-tuner, which no other search needs here

        whole = points(spaces.with_defaults(space, own))
        asked = config.tune.trials
        if asked is not None and asked < whole:
            said.append(f"grid search tries the first {asked:,} of {whole:,} combinations: tune.trials is {asked}")
        else:
            said.append(f"grid search tries {count(whole, 'combination')}")
    return said


def _tries_own(config: RunConfig, space: Mapping[str, Distribution], dotted: str) -> bool:
    """Whether a trial can have at a path what the config has: a choice that is a mapping says a part, and keys below it may be
    drawn by themselves, of which a note of their own tells."""
    own, keys, drawn = config.model_dump(mode="json"), path_of(dotted).split("."), space[dotted]
    value = spaces.at(own, keys)
    if drawn.choices is None or drawn.has(value):
        return drawn.has(value)
    below = {path: spaces.at(own, path_of(path).split(".")) for path in space if path.startswith(f"{dotted}.")}
    allowed = spaces.conditions(space)
    for choice in drawn.choices:
        forced = spaces.forcing(space, dotted, choice)
        drawn_below = {path: of for path, of in below.items() if spaces.is_active(path, spaces.completed(space, forced), allowed)}
        trial = override(config, {**by_path({path: of for path, of in drawn_below.items() if of is not None}), dotted: choice})
        if spaces.same(spaces.at(trial.model_dump(mode="json"), keys), value):
            return True
    return False
