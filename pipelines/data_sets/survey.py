"""Looking at the images of a source, for `hubel init`. Runs in the worker process."""

import io
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from components import keys, progress
from components.example_gen import pictures, sources, splits
from components.example_gen.records import share
from components.example_gen.sources import Contents, Raw
from components.example_gen.write import NO_LABEL
from configs import words
from configs.errors import UsageError
from configs.schema.data import DataConfig
from pipelines.data_sets.carving import Carving
from pipelines.init.places import Places

SAMPLE = 1000  # images that are decoded, at most about this many
TOLD = 2000  # images between two words of progress
THUMBNAIL = 64  # px; enough to see whether an image has colours
GREY = 4  # of 255: how much the channels of a grey JPEG may differ
PLAIN = 16  # of 255: how much the edge of a thumbnail may differ where there is nothing but ground
HANDFUL = 16  # colours
COLUMNS = "With `hubel init`: --image COLUMN, --label COLUMN (null: none), --images DIR."


def look(
    source: str, datasets: str, features: Mapping[str, Any] = MappingProxyType({}), images: str | None = None
) -> dict[str, Any]:
    """Count all images and decode a sample of them, chosen by hash of their ids.

    Args:
        features, images: as of DataConfig.

    Returns:
        {splits: {the source's own name: images}, used: {the source's split: hubel's}, classes: {name: images} (empty without
        labels), classes_read: whether reading all images alone told them, by_split: {hubel's split: {class: images}} (empty so
        too), unlabelled: images without a label, without_label: {why: images} of these where others have one, images, passed_over:
        {ending: files beside the images}, carved: see
        pipelines.data_sets.carving, and of the sample: sampled: how many, damaged: {reason: images}, changes and peak: as of
        components.example_gen.summary, height and width: [least, median, most] px or None, channels: {as encoded: images}, grey:
        whether none has a colour, plain: the share whose edge is of one colour, ground: that colour [red, green, blue], 0..255,
        where at least half have nearly the same, or None, oblong: by what share of the longer side the other one is shorter, in
        the mean. Of a table, columns: see components.example_gen.csv; of a folder,
        masks and below: see pipelines.init.places; None where there are none. Where images may have several classes, labels: {name:
        images} in the order of the columns, empty otherwise, and several: {unknown, none, one, several: images}}.

    Raises:
        UsageError: where the data is not there.
    """
    module = sources.module_of(source)
    if hasattr(module, "several") and (columns := module.several(source.partition(":")[2], features)):
        features = {**features, keys.LABELS: columns}
    data = DataConfig(source=source, features=features, **({"images": images} if images else {}))
    try:
        located = sources.locate(data, Path(datasets))
    except UsageError as error:
        raise UsageError(error.message, f"{error.hint} {COLUMNS}" if source.startswith("csv:") else error.hint) from None
    contents = module.contents(located.address)
    total = _total(contents)
    if total is None:
        total = sum(1 for _ in _images(module, located, contents))
    most = min(1.0, SAMPLE / max(total, 1))
    counts, seen, places = {split: Counter() for split in contents.shards}, _Seen(), Places()
    names, is_folder = list(contents.class_names), source.startswith("folder:")
    carving = Carving(contents.shards, bool(names))
    missing, of_class, several = Counter(), Counter(), Counter()
    columns = contents.targets.get(keys.LABELS, [])
    for number, (split, raw) in enumerate(_images(module, located, contents)):
        if number % TOLD == 0:
            progress.emit("step", what=f"Looking at {words.count(total, 'image')}", done=number, of=total)
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
            picture = seen.add(raw)
            if is_folder and picture is not None:
                places.seen(raw.example_id, _is_flat(picture.encoded))
    labels = sum(counts.values(), Counter())
    return {
        "splits": {split: found.total() for split, found in counts.items()},
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
        "columns": module.columns(located.address) if hasattr(module, "columns") else None,
        "masks": places.masks() if is_folder else None,
        "below": places.below() if is_folder else None,
    }


def _by_split(counts: Mapping[str, Counter], names: Sequence[str]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter] = {}
    for split, ours in splits.used(counts).items():
        found.setdefault(ours, Counter()).update(counts[split])
    return {split: {name: labels[label] for label, name in enumerate(names)} for split, labels in found.items()} if names else {}


def _total(contents: Contents) -> int | None:
    counts = [contents.counts.get(split) for split in contents.shards]
    return None if None in counts else sum(counts)


def _images(module, located, contents: Contents) -> Iterator[tuple[str, Raw]]:
    for split, shards in contents.shards.items():
        for shard in shards:
            for raw in module.images(located.address, shard):
                yield split, raw


class _Seen:
    """What the decoded images have in common."""

    def __init__(self):
        self._heights, self._widths, self._channels, self._damaged = [], [], Counter(), Counter()
        self._is_grey, self._grounds = True, []
        self._changes, self._peak = Counter(), -1

    def add(self, raw: Raw) -> pictures.Picture | None:
        """Decode one image; None where that cannot be done."""
        try:
            picture = pictures.read(raw.encoded())
        except pictures.Damaged as error:
            self._damaged[str(error)] += 1
            return None
        except OSError:
            self._damaged["unreadable"] += 1
            return None
        self._changes.update(picture.changes)
        self._peak = max(self._peak, picture.peak)
        self._heights.append(picture.height)
        self._widths.append(picture.width)
        self._channels[picture.channels] += 1
        pixels = _thumbnail(picture.encoded)
        self._is_grey = self._is_grey and (picture.channels < 3 or int(np.ptp(pixels, axis=2).max()) <= GREY)
        edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        if int(np.ptp(edge, axis=0).max()) <= PLAIN:
            self._grounds.append(np.median(edge, axis=0))
        return picture

    def as_json(self) -> dict[str, Any]:
        """See `look`."""
        sizes = list(zip(self._heights, self._widths, strict=True))
        return {
            "sampled": len(self._heights) + sum(self._damaged.values()),
            "damaged": dict(self._damaged.most_common()),
            "changes": dict(sorted(self._changes.items())),
            "peak": self._peak,
            "height": _spread(self._heights),
            "width": _spread(self._widths),
            "channels": {str(channels): count for channels, count in sorted(self._channels.items())},
            "grey": self._is_grey,
            "plain": len(self._grounds) / max(1, len(self._heights)),
            "ground": self._ground(),
            "oblong": statistics.fmean(1 - min(h, w) / max(h, w) for h, w in sizes) if sizes else 0.0,
        }

    def _ground(self) -> list[int] | None:
        if not self._grounds:
            return None
        usual = np.median(self._grounds, axis=0)
        alike = np.abs(self._grounds - usual).max(1) <= PLAIN
        return [round(float(value)) for value in usual] if 2 * alike.sum() >= len(self._heights) else None


def _is_flat(encoded: bytes) -> bool:
    """Whether an image that no JPEG is has but a handful of colours, as masks have."""
    from PIL import Image

    with Image.open(io.BytesIO(encoded)) as opened:
        return opened.format == "PNG" and opened.getcolors(HANDFUL) is not None


def _thumbnail(encoded: bytes) -> np.ndarray:
    """int16 [height, width, 3], at most THUMBNAIL px a side."""
    from PIL import Image

    with Image.open(io.BytesIO(encoded)) as opened:
        opened.draft("RGB", (THUMBNAIL, THUMBNAIL))
        image = opened.convert("RGB")
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return np.asarray(image, np.int16)


def _spread(values: list[int]) -> list[int] | None:
    return [min(values), int(statistics.median(values)), max(values)] if values else None
