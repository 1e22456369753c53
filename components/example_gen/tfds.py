"""Source `tfds:NAME[/CONFIG][:VERSION]`: any prepared TFDS data set of images or texts, with labels or without.

Data is looked for in the workspace's datasets/ first, then where TFDS keeps its own. Only hubel's `digits` is prepared on the
way, because it ships inside scikit-learn: nothing else can be had without a network.
"""

import functools
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components import keys
from components.example_gen import digest, sources
from components.example_gen.sources import Contents, Located, Raw
from configs.errors import HubelError, UsageError, first_line
from configs.paths import workspace_default

READS = ("image", "text")
TARGETS = (keys.MASK, keys.OBJECTS)  # keys of data.features that name further ones, beside images
NONE = -1  # the label that means none in TFDS
_DIGITS_VERSION = "1.0.0"
VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")  # the name of a version's folder; TFDS stages under another one
_WANTED = {
    "image": "an image has to be Image",
    "text": "a text Text",
    "label": "a label ClassLabel or a whole number",
    "id": "an id text or a whole number",
    keys.MASK: "a mask an Image of one channel",
    keys.OBJECTS: "objects a Sequence with a BBoxFeature",
}
_NAME = re.compile(r"(?P<name>[a-z0-9_]+)(/(?P<config>[A-Za-z0-9_.-]+))?(:(?P<version>[0-9]+\.[0-9]+\.[0-9]+))?")


def check(rest: str, datasets: Path) -> None:
    """See components.example_gen.sources."""
    name, config, version = parsed(rest)
    roots = _roots(datasets)
    folder = prepared(roots, name, config, version)
    if folder is not None:
        check_complete(folder)
    elif _is_own_digits(name, config, version):
        remains = datasets / name / _DIGITS_VERSION
        if remains.exists():
            raise _damaged(remains, "dataset_info.json is missing")
    else:
        raise UsageError(
            f"The TFDS data set '{rest}' is not prepared: looked in {' and '.join(map(str, roots))}.",
            f"Prepare it with: hubel datasets prepare {rest} --from DIR{_workspace_flag(datasets)}   (DIR holds its archives as "
            "their publisher names them; without --from they are downloaded)",
        )


def called(rest: str) -> str:
    """The data set's name, and its variant's."""
    return rest.partition(":")[0]


def is_prepared(rest: str, datasets: Path) -> bool:
    """See components.example_gen.sources."""
    return prepared(_roots(datasets), *parsed(rest)) is not None


def locate(rest: str, datasets: Path, features: Mapping[str, str], reads: str = "image") -> Located:
    """See components.example_gen.sources."""
    check(rest, datasets)
    wanted = parsed(rest)
    folder = prepared(_roots(datasets), *wanted)
    if folder is None:
        _prepare_digits(datasets)
        folder = prepared([datasets], *wanted)
    builder = _builder(str(folder))
    names = _class_names(builder, _named(builder, features, reads).label)
    address = {"folder": str(folder), "features": dict(features)} | ({"reads": reads} if reads != "image" else {})
    return Located(address, _digest(folder, datasets), names)


def holds(rest: str, features: Mapping[str, Any], images: str | None = None, datasets: Path = Path()) -> str:
    """The kind of what a prepared data set is of, where nobody says it: texts where data.features names theirs, or where it has
    Text and no Image."""
    import tensorflow_datasets as tfds

    if "image" in features or "text" in features:
        return "image" if "image" in features else "text"
    folder = prepared(_roots(datasets), *parsed(rest))
    there = [] if folder is None else _builder(str(folder)).info.features.values()
    is_text, is_image = (any(isinstance(feature, kind) for feature in there) for kind in (tfds.features.Text, tfds.features.Image))
    return "text" if is_text and not is_image else "image"


def held(rest: str, datasets: Path) -> str | None:
    """See components.example_gen.sources."""
    folder = prepared(_roots(datasets), *parsed(rest))
    return folder and _digest(folder, datasets)


def terms(rest: str, datasets: Path) -> dict[str, str]:
    """See components.example_gen.sources. TFDS keeps them in dataset_info.json."""
    folder = prepared(_roots(datasets), *parsed(rest))
    if folder is None:
        return {}
    try:
        info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # whoever reads the data says what is wrong with it
    told = {"licence": (info.get("redistributionInfo") or {}).get("license"), "citation": info.get("citation")}
    return {name: text.strip() for name, text in told.items() if isinstance(text, str) and text.strip()}


def _digest(folder: Path, datasets: Path) -> str:
    return digest.of_files([path for path in folder.iterdir() if path.is_file()], folder, datasets / ".digests.json")


def contents(address: Mapping[str, Any]) -> Contents:
    """See components.example_gen.sources. The image and label features are found from the data set's FeaturesDict.

    A label that is a plain number is read once of all images: its values are the classes, and part of each shard.
    """
    builder = _builder(address["folder"])
    named, splits = _of_address(builder, address), builder.info.splits
    label = named.label
    names = _class_names(builder, label)
    values = _values(builder, label) if names is None else None
    more = [] if values is None else [values]
    return Contents(
        [str(value) for value in values] if names is None else names,
        {name: [[name, shard, *more] for shard in range(info.num_shards)] for name, info in splits.items()},
        {name: info.num_examples for name, info in splits.items()},
        {target: _names(builder.info.features[feature]) for target, feature in named.targets.items()},
    )


def images(address: Mapping[str, Any], shard: Sequence[Any]) -> Iterator[Raw]:
    """See components.example_gen.sources. Images are as they are stored; an id is the shard's name and the place in it, unless
    data.features names another."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    split, number, *values = shard
    builder = _builder(address["folder"])
    named = _of_address(builder, address)
    encoded = [*([named.read] if address.get("reads", "image") == "image" else []), *filter(None, [named.targets.get(keys.MASK)])]
    parts = _parts(builder.info.features[named.targets[keys.OBJECTS]]) if keys.OBJECTS in named.targets else None
    places = {value: place for of_label in values for place, value in enumerate(of_label)}
    dataset = builder.as_dataset(
        split=tfds.core.ReadInstruction(split, from_=number, to=number + 1, unit="shard"),
        decoders=tfds.decode.PartialDecoding(
            dict.fromkeys(filter(None, [named.read, named.label, named.id, *named.targets.values()]), True),
            decoders=dict.fromkeys(encoded, tfds.decode.SkipDecoding()),
        ),
        read_config=tfds.ReadConfig(add_tfds_id=True, interleave_cycle_length=1),
        shuffle_files=False,
    )
    try:
        for row in tfds.as_numpy(dataset):
            known = int(row[named.label]) if named.label else NONE
            label = None if known == NONE else places[known] if values else known
            read, example_id = functools.partial(bytes, row[named.read]), _id(row[named.id or "tfds_id"])
            yield Raw(read, example_id, label, _targets(row, named.targets, parts), str(NONE))
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
        raise _damaged(Path(address["folder"]), first_line(error)) from None


def _targets(row: Mapping[str, Any], named: Mapping[str, str], parts: tuple[str, str | None] | None) -> dict[str, Callable]:
    """What reads the further targets of an image. parts: those of _parts."""
    from components.targets import Shares

    values: dict[str, Callable] = {}
    if keys.MASK in named:
        values[keys.MASK] = functools.partial(bytes, row[named[keys.MASK]])
    if parts:
        objects, (box, category) = row[named[keys.OBJECTS]], parts
        classes = objects[category] if category else [0] * len(objects[box])
        rows = [(*map(float, place), int(number)) for place, number in zip(objects[box], classes, strict=True)]
        values[keys.OBJECTS] = functools.partial(Shares, rows)
    return values


def _parts(feature) -> tuple[str, str | None] | None:
    """Of a Sequence of objects, the names of their boxes and of their ClassLabel, None without one; None of another feature."""
    import tensorflow_datasets as tfds

    inner = getattr(feature, "feature", None)
    if not isinstance(feature, tfds.features.Sequence) or not isinstance(inner, tfds.features.FeaturesDict):
        return None
    boxes, classes = (
        [name for name, part in inner.items() if isinstance(part, kind)]
        for kind in (tfds.features.BBoxFeature, tfds.features.ClassLabel)
    )
    return (boxes[0], classes[0] if classes else None) if len(boxes) == 1 and len(classes) < 2 else None


def _names(feature) -> list[str]:
    """Of the classes of a mask or of objects, empty where they have none."""
    parts = _parts(feature)
    held = feature if parts is None else feature.feature[parts[1]] if parts[1] else None
    return list(getattr(held, "names", None) or [])


def _class_names(builder, label: str | None) -> list[str] | None:
    """None where labels are plain numbers, which only reading tells."""
    if label is None:
        return []
    feature = builder.info.features[label]
    return None if _is_number(feature) else list(feature.names or [])


def _id(value) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _values(builder, label: str) -> list[int]:
    """The numbers that stand for classes, in order."""
    import tensorflow_datasets as tfds

    numbers = set()
    for split in builder.info.splits:
        rows = builder.as_dataset(split=split, decoders=tfds.decode.PartialDecoding({label: True}))
        numbers |= {int(row[label]) for row in tfds.as_numpy(rows)}
    return sorted(numbers - {NONE})


def _builder(folder: str):
    import tensorflow_datasets as tfds

    try:
        return tfds.builder_from_directory(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(Path(folder), f"TFDS cannot read what it says of itself ({type(error).__name__})") from None


class _Named(NamedTuple):
    """Names of the features that are read."""

    read: str
    label: str | None
    id: str | None
    targets: Mapping[str, str]


def _of_address(builder, address: Mapping[str, Any]) -> _Named:
    return _named(builder, address["features"], address.get("reads", "image"))


def _named(builder, given: Mapping[str, str], reads: str) -> _Named:
    """The one feature of what is read, the class label if there is one; `given` ones first. Raises UsageError for names that do not
    fit."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    sources.refuse_targets(given, f"the TFDS data set {builder.info.full_name}", TARGETS if reads == "image" else (), reads)
    if several := next((what for what in ("label", keys.MASK) if isinstance(given.get(what), list)), None):
        raise UsageError(
            f"data.features.{several} is a list, and the TFDS data set {builder.info.full_name} is no table.",
            f"Name one feature: data.features: {{{several}: NAME}}",
        )
    is_unlabelled = "label" in given and given["label"] is None
    given = {what: name for what, name in given.items() if name is not None}
    unknown = [name for name in given.values() if name not in features]
    if unknown:
        raise UsageError(
            f"The TFDS data set {builder.info.full_name} has no feature {', '.join(unknown)}.",
            f"It has: {', '.join(sorted(features))}.",
        )
    pictures = [name for name, feature in features.items() if isinstance(feature, tfds.features.Image)]
    labels = [name for name, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)]
    numbers = [name for name, feature in features.items() if _is_number(feature)]
    texts = [name for name, feature in features.items() if isinstance(feature, tfds.features.Text)]
    fitting = {"image": pictures, "text": texts, "label": [*labels, *numbers], "id": [*texts, *labels, *numbers]}
    fitting[keys.MASK] = [name for name in pictures if features[name].shape[-1] == 1]
    fitting[keys.OBJECTS] = [name for name, feature in features.items() if _parts(feature)]
    for what, name in given.items():
        if name not in fitting[what]:
            raise UsageError(
                f"data.features: {what}: {name} does not fit: that feature of {builder.info.full_name} is "
                f"{type(features[name]).__name__}, and {_WANTED[what]}.",
                f"Those that fit: {', '.join(sorted(fitting[what])) or 'none'}.",
            )
    further = {target: given[target] for target in TARGETS if target in given}
    readable = [name for name in fitting[reads] if name not in (further.get(keys.MASK), given.get("id"))]
    keyed = builder.info.supervised_keys or ()
    readable = [given[reads]] if reads in given else [name for name in readable if name in keyed] or readable
    labels = [given["label"]] if "label" in given else [name for name in labels if name in keyed] or labels
    if len(readable) != 1 or len(labels) > 1:
        raise UsageError(
            f"The TFDS data set {builder.info.full_name} has {reads} features {readable} and labels {labels}.",
            f"Name those to use: data.features: {{{reads}: NAME, label: NAME}}",
        )
    return _Named(readable[0], labels[0] if labels and not is_unlabelled else None, given.get("id"), further)


def _is_number(feature) -> bool:
    """Whether it is one whole number an image, and no ClassLabel."""
    import numpy as np
    import tensorflow_datasets as tfds

    is_scalar = isinstance(feature, tfds.features.Tensor) and feature.shape == ()
    return is_scalar and not isinstance(feature, tfds.features.ClassLabel) and np.issubdtype(feature.np_dtype, np.integer)


def parsed(rest: str) -> tuple[str, str | None, str | None]:
    """Name, config and version."""
    match = _NAME.fullmatch(rest)
    if not match:
        raise UsageError(f"'tfds:{rest}' is not tfds:NAME[/CONFIG][:VERSION].", "For example: tfds:digits, tfds:mnist:3.0.1")
    return match["name"], match["config"], match["version"]


def _roots(datasets: Path) -> list[Path]:
    return [datasets, Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()]


def _workspace_flag(datasets: Path) -> str:
    """What a command needs to find this folder, where that is not the default workspace's."""
    is_default = Path(workspace_default()).expanduser().resolve() == datasets.parent
    return "" if is_default else f" --workspace {shlex.quote(str(datasets.parent))}"


def _is_own_digits(name: str, config: str | None, version: str | None) -> bool:
    return name == "digits" and config is None and version in (None, _DIGITS_VERSION)


def prepared(roots: list[Path], name: str, config: str | None, version: str | None) -> Path | None:
    """Folder of the version asked for, or of the highest one, in the first root that has any."""
    for root in roots:
        base = root / name / config if config else root / name
        versions = [p.parent for p in base.glob(f"{version or '*'}/dataset_info.json") if VERSION.fullmatch(p.parent.name)]
        if versions:
            return max(versions, key=lambda p: [int(part) for part in p.name.split(".")])
    return None


def _prepare_digits(datasets: Path) -> None:
    from components.example_gen.digits import Digits

    Digits(data_dir=str(datasets)).download_and_prepare()


def check_complete(folder: Path) -> None:
    """Raise HubelError where a file that dataset_info.json counts is missing or shorter than a record's header."""
    try:
        info = json.loads((folder / "dataset_info.json").read_text())
        for split in info["splits"]:
            shards = split["shardLengths"]
            for index in range(len(shards)):
                pattern = f"*-{split['name']}.*-{index:05d}-of-{len(shards):05d}"
                if not any(p.stat().st_size > 0 for p in folder.glob(pattern)):
                    raise _damaged(folder, f"{pattern} is missing or empty")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, f"dataset_info.json cannot be read ({type(error).__name__})") from None


def _damaged(folder: Path, what: str) -> HubelError:
    return HubelError(f"The prepared data set in {folder} is damaged: {what}.", f"Delete {folder} and prepare it again.")
