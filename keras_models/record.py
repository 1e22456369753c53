"""One frozen record per named model; importing a family's file fills in its own.

What it says is literals, so that `catalogue` reads it from the source without importing Keras; a test compares the two.
Adding a model is adding one file to a sub-package of families (`classifiers/`, `autoencoders/`, `segmenters/`), nothing else.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

CLASSIFICATION = "classification"
RECONSTRUCTION = "reconstruction"
SEGMENTATION = "segmentation"
# kinds of output; keras_models.usable says what they promise
LOGITS, IMAGE, CODED_IMAGE, PIXEL_LOGITS = "logits", "image", "coded_image", "pixel_logits"
# what models give, by the task's family, unless they say otherwise
OF_TASK = {CLASSIFICATION: LOGITS, RECONSTRUCTION: CODED_IMAGE, SEGMENTATION: PIXEL_LOGITS}


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of a model without building it, or importing Keras."""

    name: str
    task: str  # key of components/tasks, e.g. "classification"
    params: int | None  # exact trainable count with build()'s defaults; 0 where nothing is trained by gradient, None where unknown
    tiny: Mapping[str, Any]  # arguments of the seconds-on-CPU twin; they go over what the name fixes
    paper: str
    year: int | None
    aliases: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # keyword arguments of the builder that this name fixes
    reads: str = "image"  # kind of its input: key of components/inputs
    gives: str | None = None  # kind of its output, of keras_models.usable; None: that of its task's models
    space: Mapping[str, Any] = field(default_factory=dict)  # option -> what a search draws it from, as `register` says
    module: str  # dotted path of the builder's file, for fingerprints of the source
    input_shape: tuple[int, ...] | None = None  # (height px, width px, channels) that the builder takes by default, if it has one

    @property
    def family(self) -> str:
        """Name of the builder's file."""
        return self.module.rpartition(".")[2]

    @property
    def output(self) -> str | None:
        """Kind of what it gives; None where nothing is known."""
        return self.gives or OF_TASK.get(self.task.partition(".")[0])

    @property
    def is_shipped(self) -> bool:
        """Whether it is one of ours, not a person's own."""
        return self.module.startswith(f"{__package__}.")


@dataclass(frozen=True, kw_only=True)
class ModelEntry(Record):
    """The record of one name and its builder."""

    build: Callable[..., Any]  # keyword arguments -> uncompiled functional keras.Model

    def record(self) -> Record:
        """The same without the builder."""
        return Record(**{f.name: getattr(self, f.name) for f in fields(Record)})


ENTRIES: dict[str, ModelEntry] = {}


def register(
    name: str,
    *,
    task: str,
    params: int | None,
    tiny: Mapping,
    paper: str,
    year: int,
    aliases: Iterable[str] = (),
    options=None,
    gives: str | None = None,
    reads: str = Record.reads,
    space: Mapping[str, Mapping] | None = None,
):
    """Decorate a builder with its record; every argument must be a literal. Decorators stack: several names may share a builder.

    Args:
        space: what is worth a search: option -> a distribution, as tune.space has them. A `when` names options; of one that is not
            searched it says with which of the config's values the entry is, None for a config that does not say. None: that of the
            decorator below, without the options that this name fixes.

    Raises:
        ValueError: if the name or an alias is taken; says by which builder.
    """

    def add(build):
        searched = dict(getattr(build, "space", {}) if space is None else space)
        entry = ModelEntry(
            name=name,
            build=build,
            task=task,
            params=params,
            tiny=dict(tiny),
            paper=paper,
            year=year,
            aliases=tuple(aliases),
            options=dict(options or {}),
            reads=reads,
            gives=gives,
            space=searched,
            module=build.__module__,
            input_shape=default_input(build),
        )
        claim(entry, ENTRIES, lambda held: f"{held.build.__qualname__} in {held.module}")
        ENTRIES[name] = entry
        build.task, build.gives, build.reads, build.space = task, gives, reads, searched
        return build

    return add


def default_input(build) -> tuple[int, ...] | None:
    """The shape of an image that a builder takes by default, (height px, width px, channels); None where it has none."""
    parameter = inspect.signature(build).parameters.get("input_shape")
    return parameter.default if parameter and isinstance(parameter.default, tuple) else None


def claim(new: Record, taken: Mapping[str, Record], holder: Callable[[Any], str]) -> None:
    """Raise ValueError where a name or an alias is taken; `holder` says by what."""
    held = {called: record for record in taken.values() for called in (record.name, *record.aliases)}
    for called in (new.name, *new.aliases):
        if called in held:
            raise ValueError(f"{called!r} already names {holder(held[called])}")
