"""Looking at the examples of a source, for `hubel init`. Runs in the worker process."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from components import inputs, keys, progress
from components.example_gen import files, mask_patterns, sources, splits
from components.example_gen.records import share
from components.example_gen.sources import Contents, Raw
from components.example_gen.write import NO_LABEL
from configs import words
from configs.errors import UsageError
from configs.schema.data import DataConfig
from pipelines.data_sets.carving import Carving
from pipelines.data_sets.masked import Masked
from pipelines.data_sets.seen.by_name import seen_of
from pipelines.init.places import Places

SAMPLE = 1000  # images that are decoded, at most about this many
TOLD = 2000  # images between two words of progress


def look(
    source: str, datasets: str, features: Mapping[str, Any] = MappingProxyType({}), images: str | None = None
) -> dict[str, Any]:
    """Count all examples and read a sample of them, chosen by hash of their ids.

    Args:
        features, images: as of DataConfig.

    Returns:
        {reads: the kind of input that the source holds, noun: what one is called, here an image, splits: {the source's own name:
        images}, used: {the source's split: hubel's}, classes: {name: images} (empty without labels), classes_read: whether reading
        all images alone told them, by_split: {hubel's split: {class: images}} (empty so too), unlabelled: images without a label,
        without_label: {why: images} of these where others have one, images, passed_over: {ending: files beside the images}, carved:
        see pipelines.data_sets.carving, and of the sample: sampled: how many, damaged: {reason: images}, and what
        pipelines.data_sets.seen has of the kind. Of images: changes and peak: as of components.example_gen.summary, height and
        width: [least, median, most] px or None, channels: {as encoded: images}, grey: whether none has a colour, plain: the share
        whose edge is of one colour, ground: that colour [red, green, blue], 0..255, where at least half have nearly the same, or
        None, oblong: by what share of the longer side the other one is shorter, in the mean. Of a table and of TFRecords, features:
        what data.features has to say besides, because it is known by what it holds alone; columns: see components.example_gen.csv;
        of a folder, masks and below: see pipelines.init.places; None where there are none. Where images may have several classes,
        labels: {name: images} in the order of the columns, empty otherwise, and several: {unknown, none, one, several: images}}.
        Where masks are to be learned, because the source has them or a folder's images have no other classes, mask: see
        pipelines.data_sets.masked, of the sample, otherwise None; patterns: what of a folder data.features.mask may be besides, a
        pattern and how many images have masks by it each; notes: sentences on images and masks without each other.

    Raises:
        UsageError: where the data is not there.
    """
    module, rest = sources.module_of(source), source.partition(":")[2]
    reads = module.holds(rest, features, images, Path(datasets)) if hasattr(module, "holds") else inputs.DEFAULT
    noun = inputs.storage_of(reads).noun
    more: Mapping[str, str] = {}
    try:
        if hasattr(module, "chosen"):
            more = module.chosen(rest, features, reads)
            features = {**features, **more}
        patterns = _patterns(source, features, reads)
        if patterns and len(patterns[0].classes) < 2:
            more = {**more, keys.MASK: patterns.pop(0).pattern}
            features = {**features, **more}
        if hasattr(module, "several") and (columns := module.several(rest, features, reads)):
            features = {**features, keys.LABELS: columns}
        data = DataConfig(source=source, features=features, **({"images": images} if images else {}))
        located = sources.locate(data, Path(datasets), reads)
    except UsageError as error:
        columns = f" {_named(source, error.details.get('label'))}" if hasattr(module, "columns") else ""
        raise UsageError(error.message, f"{error.hint}{columns}", **error.details) from None
    contents = module.contents(located.address)
    total = _total(contents)
    if total is None:
        total = sum(1 for _ in _images(module, located, contents))
    most = min(1.0, SAMPLE / max(total, 1))
    counts, seen, places = {split: Counter() for split in contents.shards}, seen_of(reads), Places()
    names, is_folder = list(contents.class_names), source.startswith("folder:")
    carving = Carving(contents.shards, bool(names))
    missing, of_class, several = Counter(), Counter(), Counter()
    columns = contents.targets.get(keys.LABELS, [])
    masked = Masked(contents.targets[keys.MASK]) if keys.MASK in contents.targets else None
    for number, (split, raw) in enumerate(_images(module, located, contents)):
        if number % TOLD == 0:
            progress.emit("step", what=f"Looking at {words.count(total, noun)}", done=number, of=total)
        counts[split][raw.label] += 1
        carving.add(split, raw)
        places.add(raw.example_id, None if raw.label is None else names[raw.label])
        if raw.label is None and names:
            missing[raw.why or NO_LABEL] += 1
        if columns:
            has = raw.targets[keys.LABELS]() if keys.LABELS in raw.targets else None
            several["unknown" if has is None else "none" if not any(has) else "one" if sum(has) == 1 else "several"] += 1
            of_class.update(name for name, is_on in zip(columns, has or (), strict=False) if is_on)
            if has is None:
                missing[raw.why or NO_LABEL] += 1
        if share(raw.example_id, b"init") <= most:
            read = seen.add(raw)
            if masked and read is not None:
                masked.add(raw, read)
            if is_folder and read is not None and (is_flat := seen.is_flat(read)) is not None:
                places.seen(raw.example_id, is_flat)
    labels = sum(counts.values(), Counter())
    return {
        "reads": reads,
        "noun": noun,
        "splits": {split: by_label.total() for split, by_label in counts.items()},
        "classes": {name: labels[label] for label, name in enumerate(names)},
        "unlabelled": several["unknown"] if columns else labels[None],
        "without_label": dict(missing.most_common()),
        "images": labels.total(),
        "carved": carving.tried(),
        "passed_over": dict(located.passed_over),
        **seen.as_json(),
        "used": splits.used(contents.shards),
        "by_split": _by_split(counts, names),
        "classes_read": located.class_names is None and bool(names),
        "labels": {name: of_class[name] for name in columns},
        "several": dict(several),
        "features": dict(more),
        "columns": module.columns(located.address) if hasattr(module, "columns") else None,
        "masks": places.masks() if is_folder and not masked else None,
        "below": places.below() if is_folder else None,
        "mask": masked.as_json() if masked else None,
        "patterns": [[each.pattern, each.images] for each in patterns],
        "notes": list(located.notes),
    }


def _patterns(source: str, features: Mapping[str, Any], reads: str) -> list[mask_patterns.Fitting]:
    """Of a folder of images of which nobody has said yet what its masks are."""
    scheme, _, rest = source.partition(":")
    if scheme != "folder" or reads != inputs.DEFAULT or keys.MASK in features:
        return []
    return mask_patterns.fitting(files.absolute(rest))


def _named(source: str, label: str | None) -> str:
    """How `hubel init` is told the columns of a table, or features of records. label: the likeliest, None for none."""
    scheme, _, table = source.partition(":")
    typed = f"`hubel init {shlex.quote(table)} --label {shlex.quote(label or 'COLUMN')}`"
    if scheme != "csv":
        return f"With {typed} (null: none); --image NAME or --text NAME says what is read."
    return f"With {typed}{'' if label == 'null' else ' (null: none)'}; --image COLUMN or --text COLUMN, --images DIR say the rest."


def _by_split(counts: Mapping[str, Counter], names: Sequence[str]) -> dict[str, dict[str, int]]:
    ours_by_label: dict[str, Counter] = {}
    for split, ours in splits.used(counts).items():
        ours_by_label.setdefault(ours, Counter()).update(counts[split])
    return (
        {split: {name: labels[label] for label, name in enumerate(names)} for split, labels in ours_by_label.items()}
        if names
        else {}
    )


def _total(contents: Contents) -> int | None:
    counts = [contents.counts.get(split) for split in contents.shards]
    return None if None in counts else sum(counts)


def _images(module, located, contents: Contents) -> Iterator[tuple[str, Raw]]:
    for split, shards in contents.shards.items():
        for shard in shards:
            for raw in module.images(located.address, shard):
                yield split, raw
