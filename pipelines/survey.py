"""Looking at the images of a source, for `hubel init`. Runs in the worker process."""

import io
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components import progress
from components.example_gen import pictures, sources
from components.example_gen.records import share
from components.example_gen.sources import Contents, Raw
from configs import words
from configs.schema import DataConfig
from pipelines.carving import Carving

SAMPLE = 1000  # images that are decoded, at most about this many
TOLD = 2000  # images between two words of progress
THUMBNAIL = 64  # px; enough to see whether an image has colours
GREY = 4  # of 255: how much the channels of a grey JPEG may differ


def look(source: str, datasets: str) -> dict[str, Any]:
    """Count all images and decode a sample of them, chosen by hash of their ids.

    Returns:
        {splits: {the source's own name: images}, classes: {name: images} (empty without labels), unlabelled: images without a
        label, images, sampled, damaged: {reason: images of the sample}, height and width: [least, median, most] px of the sample
        or None, channels: {as encoded: images}, grey: whether no sampled image has a colour, carved: see pipelines.carving}.

    Raises:
        UsageError: where the data is not there.
    """
    data = DataConfig(source=source)
    located = sources.locate(data, Path(datasets))
    module = sources.module_of(source)
    contents = module.contents(located.address)
    total = _total(contents)
    if total is None:
        total = sum(1 for _ in _images(module, located, contents))
    most = min(1.0, SAMPLE / max(total, 1))
    splits, labels, seen = Counter(dict.fromkeys(contents.shards, 0)), Counter(), _Seen()
    carving = Carving(contents.shards, bool(contents.class_names))
    for number, (split, raw) in enumerate(_images(module, located, contents)):
        if number % TOLD == 0:
            progress.emit("step", what=f"Looking at {words.count(total, 'image')}", done=number, of=total)
        splits[split] += 1
        labels[raw.label] += 1
        carving.add(split, raw)
        if share(raw.image_id, b"init") <= most:
            seen.add(raw)
    return {
        "splits": dict(splits),
        "classes": {name: labels[label] for label, name in enumerate(contents.class_names)},
        "unlabelled": labels[None],
        "images": sum(splits.values()),
        "carved": carving.tried(),
        **seen.facts(),
    }


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
        self._is_grey = True

    def add(self, raw: Raw) -> None:
        """Decode one image."""
        try:
            picture = pictures.read(raw.image())
        except pictures.Damaged as error:
            self._damaged[str(error)] += 1
            return
        except OSError:
            self._damaged["unreadable"] += 1
            return
        self._heights.append(picture.height)
        self._widths.append(picture.width)
        self._channels[picture.channels] += 1
        self._is_grey = self._is_grey and (picture.channels < 3 or _is_grey(picture.encoded))

    def facts(self) -> dict[str, Any]:
        """See `look`."""
        return {
            "sampled": len(self._heights) + sum(self._damaged.values()),
            "damaged": dict(self._damaged.most_common()),
            "height": _spread(self._heights),
            "width": _spread(self._widths),
            "channels": {str(channels): count for channels, count in sorted(self._channels.items())},
            "grey": self._is_grey,
        }


def _is_grey(encoded: bytes) -> bool:
    """Whether an image that is stored in colours has none."""
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(encoded)) as opened:
        opened.draft("RGB", (THUMBNAIL, THUMBNAIL))
        image = opened.convert("RGB")
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    pixels = np.asarray(image, np.int16)
    return int(np.ptp(pixels, axis=2).max()) <= GREY


def _spread(values: list[int]) -> list[int] | None:
    return [min(values), int(statistics.median(values)), max(values)] if values else None
