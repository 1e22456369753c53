"""Texts: UTF-8, as they are; what a model sees of them is the graph's work (components.inputs.text)."""

import hashlib
import unicodedata

from components import keys
from components.inputs import storing

MAX_BYTES = 2**20  # of one text; the served graph cuts it to the model's length anyway


class Storage(storing.Storage):
    """Bytes of UTF-8."""

    noun, alike = "text", "have the words of"
    feature = keys.TEXT
    numbers = (keys.TEXT_CHARACTERS, keys.TEXT_WORDS)
    endings = frozenset((".txt",))
    taken = ()
    given_as = "--text TEXT"

    def store(self, raw, data):
        """`numbers` and `measures`: characters, and words as whitespace parts them. Texts whose words are the same, whatever stands
        between them, are duplicates.

        Raises:
            Damaged: "empty", "not UTF-8" or "too large".
        """
        if len(raw) > MAX_BYTES:
            raise storing.Damaged("too large")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise storing.Damaged("not UTF-8") from None
        words = unicodedata.normalize("NFC", text).split()
        if not words:
            raise storing.Damaged("empty")
        content = hashlib.sha256("\n".join(words).encode()).digest()[:16]
        numbers = {keys.TEXT_CHARACTERS: len(text), keys.TEXT_WORDS: len(words)}
        return storing.Stored(raw, numbers, {"characters": len(text), "words": len(words)}, content)
