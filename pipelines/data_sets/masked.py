"""What the masks of a sample have in them, for `hubel init`: values, pixels, files that make one, and what sets an image aside."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from components import keys, map_values
from components.example_gen import pictures
from components.example_gen.sources import Raw
from components.inputs.storing import Damaged


class Masked:
    """Masks, added one by one."""

    def __init__(self, names: Sequence[str]):
        """names: of their classes, as the source has them; empty where only a config says what values mean."""
        self.names = list(names)
        self._pixels, self._in_masks, self._counted, self._aside = Counter(), Counter(), Counter(), Counter()
        self._masks = self._without = self._palettes = self._several = 0

    def add(self, raw: Raw, picture: pictures.Picture) -> None:
        """The mask of a sound image, if it has one."""
        if keys.MASK not in raw.targets:
            self._without += 1
            return
        turn = pictures.orientation_of(raw.encoded()) if pictures.TURNED in picture.changes else 1
        try:
            value = raw.targets[keys.MASK]()
            size = picture.width, picture.height
            if self.names:
                mask = map_values.mask(keys.MASK, value, size, self.names, None, turn)
                counts, counted = dict(enumerate(mask.pixels)), mask.counted
            elif isinstance(value, map_values.Parts):
                self._several += 1
                counts, counted = map_values.united(keys.MASK, value, size, turn)
            else:
                opened = map_values.opened(keys.MASK, value, size, turn)
                counts = map_values.values_in(opened.values)
                counted = {map_values.TURNED: 1} if opened.is_turned else {}
                self._palettes += opened.is_palette
        except (Damaged, ValueError) as error:
            self._aside[str(error)] += 1
            return
        except OSError:
            self._aside["unreadable"] += 1
            return
        self._masks += 1
        self._pixels.update(counts)
        self._in_masks.update(value for value, count in counts.items() if count)
        self._counted.update(dict.fromkeys(counted, 1))

    def as_json(self) -> dict[str, Any]:
        """{masks: how many are sound, without: images that have none, aside: {reason: masks}, values: {value: pixels}, in_masks:
        {value: masks}, palette: whether all hold places of palettes, several: masks that several files make, counted: {what of
        components.map_values: masks}, names: of the values, where the source has them}."""
        return {
            "masks": self._masks,
            "without": self._without,
            "aside": dict(self._aside.most_common()),
            "values": {str(value): self._pixels[value] for value in sorted(self._pixels)},
            "in_masks": {str(value): self._in_masks[value] for value in sorted(self._in_masks)},
            "palette": self._masks > 0 and self._palettes == self._masks,
            "several": self._several,
            "counted": dict(self._counted),
            "names": self.names,
        }
