"""Images: how large, how many channels, whether they have colours, a ground, or more than a person sees; a sheet of them."""

import io
import statistics
from collections import Counter

import numpy as np

from components import progress
from components.example_gen import pictures
from configs import policies
from pipelines.data_sets import sheets
from pipelines.data_sets.seen import base

THUMBNAIL = 64  # px; enough to see whether an image has colours
GREY = 4  # of 255: how much the channels of a grey JPEG may differ
PLAIN = 16  # of 255: how much the edge of a thumbnail may differ where there is nothing but ground
HANDFUL = 16  # colours


class Seen(base.Seen):
    """What the decoded images have in common."""

    def __init__(self, kind):
        super().__init__(kind)
        self._heights, self._widths, self._channels = [], [], Counter()
        self._is_grey, self._grounds = True, []
        self._changes, self._peak = Counter(), -1

    def read(self, raw):
        """A components.example_gen.pictures.Picture."""
        picture = pictures.read(raw)
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

    def is_flat(self, read):
        return _is_flat(read.encoded)

    def as_json(self):
        """See pipelines.data_sets.survey.look."""
        sizes = list(zip(self._heights, self._widths, strict=True))
        return {
            **super().as_json(),
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


class Preview(base.Preview):
    """A contact sheet and a page: each image as it is served and as augmentation makes it."""

    def __init__(self, kind, cfg, task):
        from components.transform.augment import steps as augment

        super().__init__(kind, cfg, task)
        self.steps = policies.expand(cfg.augment, cfg.transform.channels)
        augment.check(self.steps, task.targets)

    def made(self, looked, samples, notes):
        progress.emit("step", what="Augmenting", done=0, of=None)
        samples = samples if self.steps else 0
        shown = sheets.seen(self.cfg, self.steps, looked.chosen, looked.contents, samples, self.task)
        page = sheets.page(self.cfg, self.steps, shown, sheets.colours(looked.chosen, looked.contents), " ".join(notes))
        return base.Made({"png": sheets.contact(shown), "html": page.encode()}, {}, notes)


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
