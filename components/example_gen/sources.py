"""Finding the file that reads a source: `SCHEME:REST` is read by components/example_gen/SCHEME.py.

A source module offers four functions; the last two run in Beam's workers too:
    check(rest, datasets): raises at once, importing nothing heavy, where the data is not there or visibly damaged.
    locate(rest, datasets, features) -> Located: prepares what needs no network, and digests what the data holds. `features` is
        data.features: names of the source's own features or columns, where they cannot be guessed. What the module names in TAKES,
        further keys of DataConfig, it gets as keywords. One that has other things than images to read names their kinds
        (components.inputs) in READS, and gets the kind that is asked for as the keyword `reads`.
    contents(address) -> Contents: what there is to read, as shards.
    images(address, shard) -> iterator of Raw: one shard's images, always in the same order, one at a time. A Raw stays good:
        whoever drew it may read it and its targets later, in any order and more than once, while the iterator goes on and after it
        has ended. So what it reads is bound to it (functools.partial), not to a variable of the loop or a file open meanwhile.
One that prepares data in `locate` has a fifth:
    is_prepared(rest, datasets) -> bool: whether `locate` would find it as it is.
One whose `locate` imports what takes seconds has a sixth, which imports nothing heavy:
    held(rest, datasets) -> str | None: the digest of `locate`; None where that would prepare the data first.
One of which some keys of DataConfig that say how values are read would not be read has a check of its own:
    check_values(data): raises UsageError for them.
One that is no file after which its data can be called has another:
    called(rest) -> str: what the data is called, for the name of a config.
One whose data says under which terms it may be used has one more, which imports nothing heavy:
    terms(rest, datasets) -> {licence, citation}: as far as it says so.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

from components import inputs, keys
from components.example_gen import classes, digest
from configs import by_name
from configs.errors import UsageError
from configs.schema.data import DataConfig

OF_SOME = ("images", "missing_markers", "masks")  # keys of DataConfig that only some sources take
_FUNCTIONS = {"check", "locate", "contents", "images"}


@dataclass(frozen=True)
class Located:
    """A source that is there. `address` is all that its other functions need, as JSON values; `digest` is of what it holds;
    `class_names` are those of Contents, None where only reading the images tells, and so is `unlabelled`: how many images have no
    label although others do, by why. `passed_over` counts the files beside the images, by their ending or by what they are
    (components.example_gen.listing); `notes` are sentences that a person is told before anything starts."""

    address: Mapping[str, Any]
    digest: str
    class_names: Sequence[str] | None = None
    passed_over: Mapping[str, int] = field(default_factory=dict)
    unlabelled: Mapping[str, int] | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Contents:
    """What a source holds.

    class_names stand in the order of the labels and are empty for unlabelled data; shards are JSON values by source split, each
    small enough for one worker; counts are images by source split, None where nobody knows without reading; targets are the further
    ones that Raw has, each with the names of its classes, none where they have none (components.targets has the kinds).
    """

    class_names: Sequence[str]
    shards: Mapping[str, Sequence[Any]]
    counts: Mapping[str, int | None] = field(default_factory=dict)
    targets: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def labelled(self) -> str | None:
        """The target that images have a label by; None where the source has no labels."""
        from components import targets as kinds  # imports TensorFlow

        return keys.LABEL if self.class_names else next((name for name in self.targets if kinds.of(name).is_label), None)


class Raw(NamedTuple):
    """One example as a source has it. `encoded` reads its bytes whenever it is called (OSError where it cannot): what they are a
    kind of components.inputs knows. `example_id` is stable between runs, `label` an index into the class names or None, `targets`
    read what else is known of it, by name, as components.targets takes it (OSError too, pictures.Damaged for what is no such
    value), `why` says why there is no label.
    """

    encoded: Callable[[], bytes]
    example_id: bytes
    label: int | None
    targets: Mapping[str, Callable[[], Any]] = MappingProxyType({})
    why: str | None = None

    @property
    def known(self) -> set[str]:
        """The targets that the image has."""
        return {*self.targets, *([] if self.label is None else [keys.LABEL])}


CAPTIONS = "text"  # the key of data.features that names them, beside images
TARGETS = {keys.LABELS: keys.LABELS, CAPTIONS: keys.CAPTIONS, keys.MASK: keys.MASK, keys.OBJECTS: keys.OBJECTS}


def refuse_targets(features: Mapping[str, Any], source: str, takes: Sequence[str] = (), reads: str = inputs.DEFAULT) -> None:
    """Raise UsageError where data.features names a further target, such as a mask, that a source cannot have. takes: keys of
    TARGETS, which are those of data.features -> further targets."""
    for name in sorted(set(features) - {reads, "label", "id", *takes}):
        raise UsageError(f"data.features names {name}, and {source} has none that hubel reads.", f"Take {name} out.")


def schemes() -> list[str]:
    """Every scheme there is: the files beside this one that have the four functions."""
    return by_name.names([str(Path(__file__).parent)], _FUNCTIONS)


def module_of(source: str) -> ModuleType:
    """The module that reads a source. Raises UsageError for an unknown scheme."""
    scheme = source.partition(":")[0]
    if scheme not in schemes():
        raise UsageError(
            f"Unknown data source {source!r}.", f"A source starts with one of: {', '.join(s + ':' for s in schemes())}"
        )
    return importlib.import_module(f"components.example_gen.{scheme}")


def check(source: str, datasets: Path) -> None:
    """Raise what `locate` would, as far as that can be said in milliseconds."""
    module_of(source).check(source.partition(":")[2], datasets)


def locate(data: DataConfig, datasets: Path, reads: str = inputs.DEFAULT) -> Located:
    """Find a source's data, preparing it where that needs no network.

    Args:
        datasets: the workspace's folder of prepared data.
        reads: kind of input that is to be read; see components.inputs.

    Raises:
        UsageError: where the data is not there, or has none of data.features, data.classes, data.inliers; the hint says what to do.
        HubelError: where it is damaged.
    """
    module = module_of(data.source)
    _check_kind(module, data, reads)
    if hasattr(module, "check_values"):
        module.check_values(data)
    taken = _taken(module, data) | ({"reads": reads} if reads != inputs.DEFAULT else {})
    located = module.locate(data.source.partition(":")[2], datasets, data.features, **taken)
    if located.class_names is not None:
        classes.resolved(data, located.class_names)
        _check_labelled(data, located.class_names)
    return located


def _check_labelled(data: DataConfig, class_names: Sequence[str]) -> None:
    """Raise UsageError for what deals with images by their label, where they have none."""
    asked = [f"data.downsample: {data.downsample:g}"] if data.downsample is not None else []
    asked += ["data.stratify: true"] if data.stratify is True else []
    if asked and not class_names:
        deals = f"deal{'' if len(asked) > 1 else 's'} with images by their label"
        raise UsageError(
            f"{' and '.join(asked)} {deals}, and {data.source} has none.", f"Take {'them' if asked[1:] else 'it'} out."
        )


def _check_kind(module: ModuleType, data: DataConfig, reads: str) -> None:
    """Raise UsageError where the source does not have what is to be read, or data.features names something else."""
    noun = inputs.storage_of(reads).noun
    if reads not in _readable(module):
        having = ", ".join(f"{scheme}:" for scheme in schemes() if reads in _readable(module_of(f"{scheme}:")))
        raise UsageError(
            f"{data.source} holds {' and '.join(f'{kind}s' for kind in _readable(module))}, and the model reads {noun}s.",
            f"Sources of {noun}s are: {having}.",
        )
    for other in sorted(set(inputs.kinds()) & set(data.features) - {reads, *(TARGETS if reads == inputs.DEFAULT else ())}):
        raise UsageError(f"data.features.{other} is set, and the model reads {noun}s.", f"Take data.features.{other} out.")
    if isinstance(named := data.features.get(reads), list):
        several = f"data.features.{reads} names {len(named)} columns, and a model of {noun}s reads one."
        raise UsageError(several, "Name one of them.")


def _readable(module: ModuleType) -> Sequence[str]:
    """Kinds of input that a source may hold."""
    return getattr(module, "READS", (inputs.DEFAULT,))


def _taken(module: ModuleType, data: DataConfig) -> dict[str, Any]:
    """Further keys of the slice that the source takes. Raises UsageError for one that is set and that it does not take."""
    takes = getattr(module, "TAKES", ())
    for name in OF_SOME:
        if name not in takes and getattr(data, name) is not None:
            raise UsageError(f"data.{name} is set, and {data.source} has no use for it.", f"Take data.{name} out.")
    return {name: getattr(data, name) for name in takes}


def planned(data: DataConfig, datasets: Path, reads: str = inputs.DEFAULT) -> Located:
    """As `locate`, but nothing is written: what would have to be prepared is like no data that was there before."""
    module, rest = module_of(data.source), data.source.partition(":")[2]
    if hasattr(module, "is_prepared") and not module.is_prepared(rest, datasets):
        module.check(rest, datasets)
        return Located({}, "")
    with digest.unremembered():
        return locate(data, datasets, reads)


def held(data: DataConfig, datasets: Path, reads: str = inputs.DEFAULT) -> tuple[str, Mapping[str, int]] | None:
    """`digest` and `passed_over` as `locate` would find them, importing nothing heavy; None where it would prepare the data first.

    Raises:
        UsageError, HubelError: as `locate`, though not of what only reading an image or a record tells.
    """
    module = module_of(data.source)
    if hasattr(module, "held"):
        digested = module.held(data.source.partition(":")[2], datasets)
        return None if digested is None else (digested, {})
    located = locate(data, datasets, reads)
    return located.digest, located.passed_over


def terms(source: str, datasets: Path) -> dict[str, str]:
    """{licence, citation} of the data, as far as the data itself says so."""
    module = module_of(source)
    return module.terms(source.partition(":")[2], datasets) if hasattr(module, "terms") else {}


def opened(data: DataConfig, address: Mapping[str, Any]) -> tuple[DataConfig, Contents]:
    """The slice with label numbers in the place of class names, and what the source holds of `data.classes`, with the names that
    the config gives to classes of further targets.

    Raises:
        UsageError: for a class that it does not have.
    """
    from components import targets as kinds  # imports TensorFlow

    whole = module_of(data.source).contents(address)
    whole = replace(whole, targets={name: list(kinds.of(name).named(data, of)) for name, of in whole.targets.items()})
    data = classes.resolved(data, whole.class_names)
    _check_labelled(data, whole.class_names)
    if data.classes is None:
        return data, whole
    return data, replace(whole, class_names=[whole.class_names[label] for label in data.classes], counts={})


def images_of(data: DataConfig, address: Mapping[str, Any], shard: Any) -> Iterator[Raw]:
    """One shard's images of `data.classes`, labels counted anew. `data` is that of `opened`."""
    every = module_of(data.source).images(address, shard)
    if data.classes is None:
        return every
    labels = {label: place for place, label in enumerate(data.classes)}
    return (raw._replace(label=labels[raw.label]) for raw in every if raw.label in labels)
