"""`transform.text`: from a text to the ids of its tokens."""

from typing import Literal

from pydantic import Field

from configs.schema.base import Slice

MAX_TOKENS = 65_536  # of a text
MAX_VOCABULARY = 1_000_000


class TextConfig(Slice):
    """How texts become ids of tokens, for models that read texts."""

    unit: Literal["word", "character"] = Field(
        "word", description="what a token is: a word or a sign between words, or a character (of scripts that part no words)"
    )
    length: int = Field(64, gt=0, le=MAX_TOKENS, description="tokens that a model sees; of a longer text the first ones")
    vocabulary: int = Field(
        20_000, gt=0, le=MAX_VOCABULARY, description="at most this many tokens are known, the most frequent of the training split"
    )
    min_count: int = Field(1, gt=0, description="a token that stands less often in the training split is not known")
    lower: bool = Field(True, description="upper and lower case are one")
    vectors: str | None = Field(
        None, description="file of words' vectors, as text of GloVe, word2vec or fastText, that the network starts from; null: none"
    )
