"""Texts: how many tokens they have, by the graph that a model's texts are parted by; a table of them."""

import statistics
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from components import keys
from configs.schema.text import TextConfig
from pipelines.data_sets.seen import base

LENGTHS = (16, 32, 64, 128, 256, 512)  # tokens that a config may propose
WIDEST = 5000  # characters of a text that are shown
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
        counts, lengths = _parted(self._texts, TextConfig(unit=unit))
        once = sum(count == 1 for count in counts.values())
        return {
            **super().as_json(),
            "unit": unit,
            "tokens": _spread(lengths),
            "cut": {str(length): float(np.mean(np.array(lengths) > length)) if lengths else 0.0 for length in LENGTHS},
            "known": len(counts) - once,
            "once": once,
        }


class Preview(base.Preview):
    """A table: each text, and what a model sees of it. Of an example: `tokens`, how many it has; `cut`, how many of these are
    beyond transform.text.length; `text`, as it is; `seen`, the others before they are looked up. Of the last two WIDEST characters
    are shown."""

    measured = 20_000
    columns = ("classes", "tokens", "cut", "text")

    def about(self, looked):
        """{lengths: {texts: measured, tokens: [least, median, most] of a text, length: transform.text.length, cut: texts that are
        longer, beyond: tokens that are not seen for it, of: tokens in all}, vocabulary: {different: tokens, known: those that
        the config's vocabulary has, unknown: how many times others stand}}."""
        from components.inputs.text import asked

        text, texts = asked(self.cfg.transform), [stored.encoded for stored in looked.measured]
        counts, many = _parted(texts, text)
        beyond = [max(0, number - text.length) for number in many]
        known = [count for _, count in counts.most_common(text.vocabulary) if count >= text.min_count]
        lengths = {
            "texts": len(many),
            "tokens": _spread(many),
            "length": text.length,
            "cut": sum(number > 0 for number in beyond),
            "beyond": sum(beyond),
            "of": sum(many),
        }
        vocabulary = {"different": len(counts), "known": len(known), "unknown": sum(many) - sum(known)}
        notes = [_about_lengths(lengths, looked.counts.examples[keys.TRAIN]), _about_words(vocabulary, lengths, text)]
        return {"lengths": lengths, "vocabulary": vocabulary}, notes

    def examples(self, looked):
        import tensorflow as tf

        from components.inputs.text import JOINED, asked, tokens

        text = asked(self.cfg.transform)
        parts = tokens(tf.constant([example.stored.encoded for example in looked.chosen]), text).to_list()
        rows = []
        for example, of_text in zip(looked.chosen, parts, strict=True):
            seen = JOINED[text.unit].join(token.decode() for token in of_text[: text.length])
            measures = {"tokens": len(of_text), "cut": max(0, len(of_text) - text.length)}
            whole = example.stored.encoded.decode()
            rows.append({**self.row(example, looked), **measures, "text": _shortened(whole), "seen": _shortened(seen)})
        return rows


def _about_lengths(lengths: Mapping[str, Any], all_texts: int) -> str:
    least, median, longest = lengths["tokens"]
    of_all = f" of {all_texts:,}" if all_texts > lengths["texts"] else ""
    size = f"{least:,} to {longest:,} tokens, the median {median:,}"
    share, most = lengths["cut"] / lengths["texts"], lengths["length"]
    cut = f"{lengths['cut']:,} ({share:.1%}) have more than transform.text.length = {most:,}"
    beyond = f": {lengths['beyond']:,} of {lengths['of']:,} tokens are not seen" if lengths["cut"] else ""
    return f"{lengths['texts']:,}{of_all} training texts were measured: {size}; {cut}{beyond}."


def _about_words(vocabulary: Mapping[str, int], lengths: Mapping[str, Any], text: TextConfig) -> str:
    rule = f"at most {text.vocabulary:,}" + (f" that stand {text.min_count:,} times or more" if text.min_count > 1 else "")
    known = f"They have {vocabulary['different']:,} different tokens, of which {vocabulary['known']:,} are known ({rule})"
    return f"{known}; the others are {vocabulary['unknown'] / max(1, lengths['of']):.1%} of what stands there."


def _shortened(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}... and {len(text) - WIDEST:,} more characters"


def _spread(values: list[int]) -> list[int] | None:
    return [min(values), int(statistics.median(values)), max(values)] if values else None


def _parted(texts: list[bytes], config: TextConfig) -> tuple[Counter, list[int]]:
    """How often each token stands, and how many each text has."""
    import tensorflow as tf

    from components.inputs.text import tokens

    if not texts:
        return Counter(), []
    parts = tokens(tf.constant(texts), config)
    return Counter(parts.flat_values.numpy().tolist()), parts.row_lengths().numpy().tolist()
