"""Texts: how many tokens they have, by the graph that a model's texts are parted by."""

import statistics
from collections import Counter

import numpy as np

from configs.schema.text import TextConfig
from pipelines.data_sets.seen import base

LENGTHS = (16, 32, 64, 128, 256, 512)  # tokens that a config may propose
UNPARTED = 15  # characters of a word in the mean, from which on words are not what a script parts


class Seen(base.Seen):
    """As of base, with `unit`: what a token had better be; and, of tokens as that and TextConfig part them, `tokens`: [least,
    median, most] of a text, or None, `cut`: {length: the share of texts that are longer}, `known`: how many different ones stand
    at least twice, `once`: how many do not."""

    def __init__(self, kind):
        super().__init__(kind)
        self._texts: list[bytes] = []

    def read(self, raw):
        self._texts.append(super().read(raw).encoded)
        return self._texts[-1]

    def as_json(self):
        texts = [text.decode() for text in self._texts]
        characters, words = (sum(len(part(text)) for text in texts) for part in ("".join, str.split))
        unit = "character" if words and characters / words > UNPARTED else "word"
        counts, lengths = _parted(self._texts, unit)
        once = sum(count == 1 for count in counts.values())
        return {
            **super().as_json(),
            "unit": unit,
            "tokens": [min(lengths), int(statistics.median(lengths)), max(lengths)] if lengths else None,
            "cut": {str(length): float(np.mean(np.array(lengths) > length)) if lengths else 0.0 for length in LENGTHS},
            "known": len(counts) - once,
            "once": once,
        }


def _parted(texts: list[bytes], unit: str) -> tuple[Counter, list[int]]:
    """How often each token stands, and how many each text has."""
    import tensorflow as tf

    from components.inputs.text import tokens

    if not texts:
        return Counter(), []
    parts = tokens(tf.constant(texts), TextConfig(unit=unit))
    return Counter(parts.flat_values.numpy().tolist()), parts.row_lengths().numpy().tolist()
