"""What of a config a search may change, and whether it accepts every value that would be tried."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from configs import space as spaces
from configs.entries import by_path, path_of
from configs.errors import UsageError
from configs.override import changed
from configs.schema.run import RunConfig
from configs.schema.tune import Distribution
from configs.sentences import sentence, short

SETTLED = "it is settled before the search starts"
AFTER = "nothing that a trial is judged by depends on it"
REASONS = {  # key -> why it cannot be searched
    "tune": "it is the search itself",
    "name": AFTER,
    "data": f"{SETTLED}: other images, or another split, and trials could not be compared",
    "transform": f"{SETTLED}: Transform would have to run again for each of its values; run the search once for each",
    "model.initial": f"{SETTLED}: its weights are looked up before",
    "model.members": f"{SETTLED}: they are models that are trained already",
    "anomaly": f"{AFTER}: what an anomaly is, is decided once the network is trained",
    "evaluate": f"{AFTER}: it is of the test split, which no search sees",
    "export": AFTER,
    "push": AFTER,
    "beam": AFTER,
    "card": AFTER,
}
IN_TRANSFER = {
    "model": "a config with transfer does not read it",
    "transfer.source": f"{SETTLED}: its weights are looked up before",
    "transfer.shots": f"{SETTLED}: other images, and trials could not be compared",
}
WITH_COPIES = {
    "augment": f"{SETTLED}: copies are written once, for all trials",
    "seed": f"{SETTLED}: copies are drawn by it, once for all trials",
}
TRANSFER = "transfer"
WHOLE = f"{SETTLED}: whether there is one decides what is looked up and built before; search its keys, such as transfer.layer"
EPOCHS = "train.epochs"
BEFORE = {"copies", "pca_color"}  # written by AugmentedCopies; of the covariance that Transform computes


def check(config: RunConfig, space: Mapping[str, Distribution], where: str) -> None:
    """Whether a config can be searched so, as far as the schema knows: which networks can be built, it does not.

    Args:
        space: of config.tune, or what its `auto` stands for.
        where: what messages name as the config.

    Raises:
        UsageError: for a path that cannot be searched, with the reason; a condition that never holds; a value, two that meet, or
            all least or greatest ones, that the schema refuses; and where it is to be searched, for a space of one point.
    """
    reasons = _reasons(config)
    for dotted, drawn in ((path_of(key), drawn) for key, drawn in space.items()):
        if dotted == TRANSFER:
            reasons |= {dotted: WHOLE}
        for named in [dotted, *(f"{dotted}.{path}" for choice in drawn.choices or () for path in _paths(choice))]:
            for key, reason in reasons.items():
                if f"{named}.".startswith(f"{key}."):
                    raise UsageError(
                        f"Config {where}: tune.space cannot search {named}: {reason}.",
                        "Search keys of model, train, augment or transfer.",
                    )
    if config.tune.enabled and all(len(drawn.examples) == 1 for drawn in space.values()):
        raise UsageError(
            f"Config {where}: tune.space {'has one point' if space else 'is empty'}, so there is nothing to search.",
            "Give a key of it several choices, or min and max; or set tune.enabled: false.",
        )
    given = config.model_dump(mode="json", exclude_unset=True)
    whole = spaces.with_defaults(space, config.model_dump(mode="json"))
    try:
        tried = [*_tried(whole)]
    except UsageError as error:
        raise UsageError(f"Config {where}: {error.message}", error.hint) from None
    for forced, values in tried:
        tree = changed(given, by_path(values))
        try:
            made = RunConfig.model_validate(tree)
        except ValidationError as error:
            keys = " with ".join(f"tune.space.{dotted}" for dotted in forced)
            problem = sentence(error.errors(include_url=False)[0], tree, RunConfig)
            hint = "Each value must be one the key accepts." if len(forced) == 1 else "Any two of their values must go together."
            if not set(values) <= set(forced):
                others = ", ".join(f"{dotted}: {short(value)}" for dotted, value in values.items() if dotted not in forced)
                hint += f" It was tried with {others}."
            raise UsageError(f"Config {where}: {keys}: {problem}.", hint) from None
        if before := _steps(made) ^ _steps(config):
            keys = " with ".join(f"tune.space.{dotted}" for dotted in forced)
            raise UsageError(
                f"Config {where}: {keys}: whether augment has {' and '.join(sorted(before))} is settled before the search starts.",
                "Have it in the config's own augmentation and in every choice, or in none.",
            )


def _steps(config: RunConfig) -> set[str]:
    """Steps of an augmentation for which something is computed or written before any training."""
    return {name for name, _ in (step.operation for step in config.augment)} & BEFORE


def _reasons(config: RunConfig) -> dict[str, str]:
    """Key -> why it cannot be searched in this config."""
    reasons = REASONS | (WITH_COPIES if config.copies else {}) | (IN_TRANSFER if config.transfer is not None else {TRANSFER: WHOLE})
    if config.tune.enabled and config.tune.epochs is not None:
        reasons[EPOCHS] = f"tune.epochs says how long a trial is: {config.tune.epochs}"
    elif config.tune.enabled and config.tune.algorithm == "hyperband":
        reasons[EPOCHS] = "hyperband decides how long a trial is"
    return reasons


def _paths(value: Any) -> Iterator[str]:
    """Dotted paths in a mapping that is a choice."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from (f"{key}.{path}" for path in _paths(inner))


def _tried(space: Mapping[str, Distribution]) -> Iterator[tuple[dict, dict]]:
    """What is set, and with it all values of a trial: each end and choice, each two that can meet, all least and greatest."""
    single = [spaces.forcing(space, dotted, value) for dotted, drawn in space.items() for value in drawn.examples]
    for forced in single:
        yield forced, spaces.completed(space, forced)
    owners = [dotted for dotted, drawn in space.items() for _ in drawn.examples]
    for (path, left), (other, right) in itertools.combinations(zip(owners, single, strict=True), 2):  # such as adam and a momentum
        values = spaces.completed(space, {**left, **right})
        meet = (key in values and spaces.same(values[key], value) for key, value in [*left.items(), *right.items()])
        if path != other and all(meet):
            yield {path: left[path], other: right[other]}, values
    for values in spaces.corners(space):
        yield values, values
