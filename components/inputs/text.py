"""Texts: int32 ids of tokens [N, length], parted, looked up and cut by the same graph at both ends.

0 is padding, 1 a token that is not in the vocabulary; the others count from 2, the most frequent first. The vocabulary is that of
the training split, by TFT; it stands on the card, in `learned`.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components import examples, keys
from components.inputs import base, vectors
from components.inputs.beside import VECTORS, located
from components.inputs.storing.text import MAX_BYTES
from components.transform import lengths
from configs.errors import HubelError, UsageError
from configs.schema.text import TextConfig
from configs.schema.transform import TransformConfig

PADDING, UNKNOWN, FIRST = 0, 1, 2  # ids; the vocabulary's begin with FIRST
VOCABULARY = "vocabulary"  # file among the assets of Transform's graph; key of Card.learned
EMPTY = b"49d0cd50-04bb-48c0-bc6f-5b575dce351a"  # the one word that TFT writes where there is none
LENGTHS = "lengths"  # key of Card.learned
OF_WORDS = "vectors"  # what a builder may take, and key of Card.learned
NAMED = 5  # words without a vector that a person is told
MANY_CUT = 0.1  # share of the training texts above which a person is told that they are cut
NO_WORD = r"([^\pL\pM\pN_'\x{2019}\s])"  # RE2's
JOINED = {"word": " ", "character": ""}  # what stands between tokens that are read as a text again


class Input(base.Input):
    """See components.inputs.base. A builder gets `length`, and `vocabulary_size`, padding and unknown counted; with
    transform.text.vectors also `vectors`, float32 [vocabulary_size, dimensions]: of each id, 0 where it has none."""

    feature = keys.TEXT
    transformed = layer = keys.TOKENS
    dtype = "int32"
    options = frozenset({"text"})

    def check(self, model, crops):
        if crops:
            raise UsageError(f"export.crops cuts images, and {model} reads text.", "Take export.crops out.")

    def asks(self, transform):
        return {OF_WORDS: VECTORS} if asked(transform).vectors is not None else {}

    def shape(self, transform):
        """(tokens,)."""
        return (asked(transform).length,)

    def stand_in(self, transform, many):
        """The vocabulary is taken to be as large as it may be."""
        config = asked(transform)
        size = FIRST + config.vocabulary
        given = _for_builder(config, size)
        if config.vectors is not None:
            given[OF_WORDS] = np.random.default_rng(0).standard_normal((size, vectors.dimensions(config.vectors)), np.float32)
        ids = np.random.default_rng(0).integers(0, size, (many, config.length), dtype=np.int32)
        return base.StandIn({"input_shape": (config.length,), **given}, ids)

    def prepare(self, raw, config):
        """The feature is int64 [N, length]."""
        text = asked(config.transform)
        parts = tokens(raw, text)
        lengths.save(parts.row_lengths(), text.length)
        vocabulary = tft.vocabulary(parts, top_k=text.vocabulary, frequency_threshold=text.min_count, vocab_filename=VOCABULARY)
        ids = tft.apply_vocabulary(parts, vocabulary, default_value=UNKNOWN - FIRST) + FIRST
        return {self.transformed: _padded(ids, text)}

    def parsed(self, value, transform):
        return tf.ensure_shape(tf.cast(value, tf.int32), self.shape(transform))

    def bytes_of(self, transform):
        return 4 * asked(transform).length

    def learned(self, graph, transform):
        """Raises HubelError for an empty vocabulary, and as components.inputs.vectors.read."""
        words = [word.decode() for word in graph.vocabulary_by_name(VOCABULARY) if word != EMPTY]
        text, seen = asked(transform), lengths.read(graph)
        if not words:
            raise HubelError(
                f"No {text.unit} stands {text.min_count} times in the training split.", "Lower transform.text.min_count."
            )
        told = {"texts": seen.texts, "tokens": seen.tokens, "longest": seen.longest, "cut": seen.cut}
        builder, learned = _for_builder(text, FIRST + len(words)), {VOCABULARY: words, LENGTHS: told}
        if text.vectors is not None:
            builder[OF_WORDS], learned[OF_WORDS] = _vectors(text.vectors, words)
        return {"builder": builder, "learned": learned}

    def doubts(self, transform, info):
        seen, text = info.learned[LENGTHS], asked(transform)
        told = _without_vector(info.learned[OF_WORDS]) if OF_WORDS in info.learned else []
        if seen["cut"] <= MANY_CUT * seen["texts"]:
            return told
        return [
            *told,
            f"{seen['cut']:,} of {seen['texts']:,} training texts have more than transform.text.length = {text.length} tokens (the "
            f"longest {seen['longest']:,}); what is beyond is not seen.",
        ]

    def check_initial(self, earlier, learned):
        """An id is a row of the first layer's weights, and by another vocabulary another token's."""
        before, now = earlier.get(VOCABULARY, []), learned[VOCABULARY]
        if before != now:
            same = sum(map(str.__eq__, before, now))
            raise UsageError(
                f"model.initial has learned other tokens than the training split has: {len(before):,} there, {len(now):,} here, of "
                f"which {same:,} have the same id; its weights would be those of other tokens.",
                "Start from a model of the same texts and the same transform.text, or take model.initial out.",
            )

    def first_layer(self, transform, info):
        return {"kind": "none"}

    def seen(self, raw, card):
        return _looked_up(raw, card)

    def ends(self, card):
        """Ids of tokens alone."""

        def seen(texts):
            return [_looked_up(tf.ensure_shape(texts, [None]), card)]

        tables = [_table(tuple(card.learned[VOCABULARY]))]
        return {keys.TEXT_END: base.End(tf.TensorSpec([None], tf.string, name=keys.TEXT_END), seen, tables)}

    def samples(self, records, card):
        texts = [examples.values(example, self.feature)[0] for example in examples.parsed(records)]
        if not texts:
            raise HubelError("There is no test text to validate the model with.", "Give the test split at least one text.")
        sent = tf.constant(texts)
        return base.Samples({keys.TEXT_END: [sent]}, {keys.TEXT_END: [[_looked_up(sent, card)]]})

    def warmup(self, values, card):
        """The tokens that the model knows of a text, put together again."""
        words = card.learned[VOCABULARY]
        known = [words[number - FIRST] for number in values.numpy().tolist() if number >= FIRST]
        return {keys.TEXT_END: tf.constant([JOINED[asked(card.transform).unit].join(known)])}


def asked(transform: TransformConfig) -> TextConfig:
    """What the config says of texts."""
    return transform.text or TextConfig()


@tf.autograph.experimental.do_not_convert
def tokens(texts: tf.Tensor, config: TextConfig) -> tf.RaggedTensor:
    """string [N] -> string [N, (tokens)].

    What is no UTF-8 is U+FFFD for each part that is none; ExampleGen sets such texts aside. A word is a run of letters, marks,
    digits, `_` and apostrophes; every other character that is no space is a token by itself. Of characters, each is a token; a run
    of spaces is one space.
    """
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")
    texts = tf.strings.lower(texts, "utf-8") if config.lower else texts
    texts = tf.strings.strip(tf.strings.regex_replace(texts, r"[\s\pZ]+", " "))
    if config.unit == "character":
        return tf.strings.unicode_split(texts, "UTF-8")
    return tf.strings.split(tf.strings.regex_replace(texts, NO_WORD, r" \1 "))


def _for_builder(config: TextConfig, vocabulary_size: int) -> dict[str, Any]:
    return {"length": config.length, "vocabulary_size": vocabulary_size}


def _vectors(path: str, words: Sequence[str]) -> tuple[np.ndarray, dict[str, Any]]:
    """float32 [FIRST + words, dimensions], 0 of padding, of what is not known and of words without a vector; and what of it stands
    on the card."""
    of_words = vectors.read(path, words)
    without = [word for word, is_known in zip(words, of_words.is_known, strict=True) if not is_known]
    table = np.concatenate([np.zeros((FIRST, of_words.values.shape[1]), np.float32), of_words.values])
    told = {
        "file": located(path).name,
        "dimensions": table.shape[1],
        "words": len(words),
        "without": len(without),
        "such_as": without[:NAMED],
        "repeated": of_words.repeated,
    }
    return table, told


def _without_vector(told: Mapping[str, Any]) -> list[str]:
    """Sentences on the words that have none, and on the file's rows that did not count."""
    without, repeated, file = told["without"], told["repeated"], told["file"]
    such = ", ".join(map(repr, told["such_as"]))
    few = f" ({such}{', ...' if without > len(told['such_as']) else ''})"
    return [
        *([f"{without:,} of {told['words']:,} words have no vector in {file} and start at 0{few}."] if without else []),
        *([f"{file} has {repeated:,} rows of words that had one before; the first counts."] if repeated else []),
    ]


def _padded(ids: tf.RaggedTensor, config: TextConfig) -> tf.Tensor:
    return ids.to_tensor(PADDING, shape=[None, config.length])


def _looked_up(texts: tf.Tensor, card) -> tf.Tensor:
    """string [N] -> int32 [N, length]; an empty text has no token. Raises tf.errors.InvalidArgumentError for one that ExampleGen
    sets aside as too large."""
    config = asked(card.transform)
    ids = _table(tuple(card.learned[VOCABULARY])).lookup(tokens(_bounded(texts), config))
    return tf.cast(_padded(ids, config), tf.int32)


def _bounded(texts: tf.Tensor) -> tf.Tensor:
    sizes = tf.strings.length(texts)
    told = tf.constant(f"a text has at most {MAX_BYTES:,} bytes; these have:")
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(sizes <= MAX_BYTES), [told, sizes])]):
        return tf.identity(texts)


@functools.lru_cache(maxsize=8)  # whoever asks for a table has to hold it: with it goes what its graph looks up in
def _table(words: tuple[str, ...]) -> tf.lookup.StaticHashTable:
    with tf.init_scope():
        ids = tf.range(FIRST, FIRST + len(words), dtype=tf.int64)
        return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant(words), ids), UNKNOWN)
