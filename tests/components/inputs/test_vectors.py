"""Files of words' vectors, as others write them."""

import re

import numpy as np
import pytest

from components.inputs import vectors
from configs.errors import UsageError

GLOVE = "the 0.5 -1 2e-1\n, 1 2 3\nrain 4 5 6.25\nat name@domain.com 7 8 9\n\u00e4quator 1 1 1\n"


def file_of(folder, text):
    path = folder / "words.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        GLOVE,
        f"5 3\n{GLOVE}",
        f"5 3\n{GLOVE}".replace("\n", " \n"),  # as word2vec ends a line
        GLOVE.replace("\n", "\r\n").replace(" ", "\t").replace("at\tname", "at name"),
        f"\ufeff{GLOVE}",
    ],
    ids=["glove", "word2vec", "spaces", "tabs", "byte order mark"],
)
def test_rows_of_the_words_asked_for_are_kept_in_their_order(text, tmp_path):
    path = file_of(tmp_path, text)
    got = vectors.read(path, ["rain", "snow", "\u00e4quator", "the", "at"])
    assert vectors.dimensions(path) == 3
    assert got.values.dtype == np.float32
    np.testing.assert_array_equal(got.values, np.float32([[4, 5, 6.25], [0, 0, 0], [1, 1, 1], [0.5, -1, 0.2], [0, 0, 0]]))
    assert got.is_known.tolist() == [True, False, True, True, False]
    assert got.repeated == 0


def test_of_a_word_that_stands_twice_the_first_row_counts(tmp_path):
    got = vectors.read(file_of(tmp_path, "a 1 2\nb 3 4\na 5 6\nc 1 1\nc 2 2\n"), ["a", "b"])
    assert (got.values.tolist(), got.repeated) == ([[1, 2], [3, 4]], 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the 1 2\nrain 3\n", "line 2 of {} has 1 numbers, and the vectors of this file 2"),
        ("the 1 2\nsnow 3 4 5\n", "line 2 of {} has 3 numbers, and the vectors of this file 2"),
        ("the 1 2\nnew york 5\nrain 1 2", "line 2 of {} has 'york' where a finite number stands"),
        ("the 1 2\n\nrain 1 2\n", "line 2 of {} has 0 numbers"),
        ("the 1 2\nrain 1 x\n", "line 2 of {} has 'x' where a finite number stands"),
        ("the 1 2\nrain nan 1\n", "line 2 of {} has 'nan' where a finite number stands"),
        ("the 1 2\nrain 1 1e39\n", "line 2 of {} has '1e39' where a finite number stands"),
        ("3 2\nthe 1 2\nrain 1 2\n", "has 2 rows, and its first line says 3"),
        ("fog 1 2\n", "has none of the 3 words"),
        ("a word\n", "line 1 of {} has 'word' where a finite number stands"),
        ("", "line 1 of {} has 0 numbers, and a vector 1 to 4,096"),
        ("2 9999\nthe 1\n", "line 1 of {} has 9,999 numbers, and a vector 1 to 4,096"),
        (b"\x1f\x8b\x08\x00\x00", "line 1 of {} has 0 numbers"),
        (b"2 3\nthe \x00\x00\x80?\x01\x02\x03\x04\xff\xfe", "line 2 of {} has 1 numbers"),
        ("the 1 2\n" + "x" * 300_000, "line 2 of {} has more than 262,144 bytes"),
    ],
)
def test_a_damaged_file_is_refused_with_the_line(text, words, tmp_path):
    path = file_of(tmp_path, text)
    with pytest.raises(UsageError, match=re.escape(words.format(path))) as caught:
        vectors.read(path, ["the", "rain", "new"])
    assert caught.value.hint


def test_bounds_hold_before_anything_is_kept(tmp_path, monkeypatch):
    path = file_of(tmp_path, GLOVE)
    for name, least, words in (
        ("MAX_ROWS", 2, "more than 2 lines"),
        ("MAX_VALUES", 2, "1 words of 3 numbers take"),
        ("MAX_DIMENSIONS", 2, "has 3 numbers, and a vector 1 to 2"),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(vectors, name, least)
            with pytest.raises(UsageError, match=words):
                vectors.read(path, ["rain"])
    monkeypatch.setattr("components.inputs.beside.MAX_BYTES", 10)
    with pytest.raises(UsageError, match="more than 10 bytes"):
        vectors.dimensions(path)
    with pytest.raises(UsageError, match=r"there is no file .*gone\.txt"):
        vectors.dimensions(str(tmp_path / "gone.txt"))
