"""JSON as rapidjson takes it, with its words for what is wrong."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.server.rest import document
from serving.server.status import ServingError

TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | TEXT,
    lambda part: st.lists(part) | st.dictionaries(TEXT, part),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b" \n", "The document is empty. at offset: 2"),
        (b"\0{}", "The document is empty. at offset: 0"),
        (b"instances = [1, 2]", "Invalid value. at offset: 0"),
        (b'{"a": nul}', "Invalid value. at offset: 6"),
        (b'{"a": [-]}', "Invalid value. at offset: 7"),
        (b'{"a": [.5]}', "Invalid value. at offset: 7"),
        (b'{"a": 1,}', "Missing a name for object member. at offset: 8"),
        (b"{1: 2}", "Missing a name for object member. at offset: 1"),
        (b'{"a" 1}', "Missing a colon after a name of object member. at offset: 5"),
        (b'{"a": [1, {}] "b"}', "Missing a comma or } after an object member. at offset: 14"),
        (b'{"a]": [1, "}", [], 3 4]}', "Missing a comma or ] after an array element. at offset: 22"),
        (b'{"a": 1', "Missing a comma or } after an object member. at offset: 7"),
        (b'{"a": [01]}', "Missing a comma or ] after an array element. at offset: 8"),
        (b'{"a": [1.]}', "Miss fraction part in number. at offset: 8"),
        (b'{"a": [1e]}', "Miss exponent in number. at offset: 8"),
        (b'{"a": "b', "Missing a closing quotation mark in string. at offset: 6"),
        (b'{"a": "\\x"}', "Invalid escape character in string. at offset: 7"),
        (b'{"a": "\\u12g4"}', "Incorrect hex digit after \\u escape in string. at offset: 8"),
        (b'{"a": "\n"}', "Invalid encoding in string. at offset: 7"),
        (b'{"a": "\\ud800"}', "The surrogate pair in string is invalid. at offset: 7"),
        (b'{"a": "\\udc80"}', "The surrogate pair in string is invalid. at offset: 7"),
        ('{"é": 1e309}'.encode(), "Number too big to be stored in double. at offset: 7"),
        (b'{"a": ' + b"9" * 5000 + b"}", "Number too big to be stored in double. at offset: 6"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"[1, 2]", "Is not object"),
        (b"null", "JSON Value: null Is not object"),
        (b"NaN", "JSON Value: NaN Is not object"),
    ],
)
def test_what_is_no_document_is_told_in_rapidjsons_words(body, words):
    with pytest.raises(ServingError) as error:
        document.parse(body)
    assert error.value.code == "INVALID_ARGUMENT"
    assert words in error.value.message
    assert len(error.value.message) < 2 * document.SHOWN


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [Infinity, -Infinity, Inf, -Inf]}', [math.inf, -math.inf, math.inf, -math.inf]),
        (b'{"a": ["Inf, \\" -Inf", Inf]}', ['Inf, " -Inf', math.inf]),
        (b'{"a": [1]} and so on {', [1]),
        (b'{"a": [1]}\0', [1]),
        (b'\xef\xbb\xbf {"a": [1]}', [1]),
        (b'{"a": "\xff\xfe"}', "\udcff\udcfe"),
        (b'{"a": "\\ud83d\\ude00\\\\ud800"} x', "😀\\ud800"),
        (b'{"a": 18446744073709551615}', 2**64 - 1),
        (b'{"a": 18446744073709551616}', float(2**64)),
        (b'{"a": -9223372036854775809} ;', -float(2**63)),
        (b'{"a": 18446744073709551616} ;', float(2**64)),
        (b'{"a": 1, "a": 2}', 2),
    ],
)
def test_what_rapidjson_takes_is_taken(body, value):
    read = document.parse(body)["a"]
    assert read == value
    assert type(read) is type(value)


def test_nan_with_either_sign():
    assert all(map(math.isnan, document.parse(b'{"a": [NaN, -NaN]}')["a"]))


def test_bytes_that_are_no_utf8_come_back():
    assert document.utf8(document.parse(b'{"a": "\xff\xc3\xa9"}')["a"]) == b"\xff\xc3\xa9"


@settings(max_examples=40)
@given(JSON, st.binary(max_size=10))
def test_both_parsers_read_the_same(value, after):
    strict = json.dumps({"a": value}, ensure_ascii=False).encode()
    read = document.parse(strict)
    assert read == {"a": value}
    assert repr(document.parse(strict + b" ]" + after)) == repr(read)


@settings(max_examples=30)
@given(JSON)
def test_a_document_cut_short_is_refused(value):
    written = json.dumps({"a": value}).encode()
    for length in range(0, len(written), max(1, len(written) // 10)):
        with pytest.raises(ServingError, match="JSON Parse error"):
            document.parse(written[:length])


def test_a_value_in_a_message_is_cut():
    assert document.shown("x" * 10_000) == f'"{"x" * (document.SHOWN - 1)}...'
    assert len(document.shown([[0.5] * 100_000] * 100)) == document.SHOWN + 3
    deep = []
    for _ in range(900):
        deep = [deep]
    assert document.shown(deep).startswith("[")
