"""Texts as a person gives them to `predict`: typed, lines of a file, a column of a table."""

import types

import numpy as np
import pytest

from configs.errors import UsageError
from pipelines.verbs.asking import text
from pipelines.verbs.asking.by_name import asking_of


def test_typed_ones_come_first_then_files_in_order(tmp_path):
    lines, table = tmp_path / "a.txt", tmp_path / "b.CSV"
    lines.write_text("Rain\n\n  \nSnow\n", encoding="utf-8")
    table.write_text('text;note\n"Bread; butter";x\nTea;y\n', encoding="utf-8")
    assert text.texts([str(table), str(lines)], ["typed"], None) == [
        ("typed", None, None),
        ("Bread; butter", str(table), 2),
        ("Tea", str(table), 3),
        ("Rain", str(lines), 1),
        ("Snow", str(lines), 4),
    ]
    assert [asked.text for asked in text.texts([str(table)], [], "note")] == ["x", "y"]


def test_a_line_ends_where_an_editor_ends_it_and_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffRain\r\nSnow\u2028and\x0cwind\nSun".encode())
    told = [(asked.text, asked.line) for asked in text.texts([str(tmp_path / "a.txt")], [], None)]
    assert told == [("Rain", 1), ("Snow\u2028and\x0cwind", 2), ("Sun", 3)]


@pytest.mark.parametrize(
    ("files", "column", "words"),
    [
        ([], None, "There is no text"),
        (["missing.txt"], None, "cannot be read: No such file"),
        (["bad.txt"], None, "is not UTF-8"),
        (["bad.txt"], "text", "--column text is of a table"),
        (["table.csv"], "nowhere", "no column 'nowhere'"),
        (["table.csv"], None, "no column of texts"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, files, column, words):
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=words) as caught:
        text.texts([str(tmp_path / name) for name in files], [], column)
    assert caught.value.hint


def test_one_that_training_would_have_set_aside_fails_alone(monkeypatch):
    asking = asking_of("text")
    monkeypatch.setattr(type(asking), "batch", 2)
    sent = []

    def signature(text):
        sent.append(text.numpy().tolist())
        import tensorflow as tf

        return {"length": tf.strings.length(text)}

    card = types.SimpleNamespace(predicts="serving_default", learned={"vocabulary": ["rain"]})
    served = types.SimpleNamespace(card=card, of_end=lambda name, end: {"text": signature}[end])
    asked = [text.Asked(typed) for typed in ("Rain", " ", "Tea\udc80", "Snow", "Hail")]
    answered = list(asking.answers(served, asked))
    assert [answer.row for answer in answered] == [
        {"text": "Rain"},
        {"text": " ", "error": "empty"},
        {"text": "Tea\udc80", "error": "not UTF-8"},
        {"text": "Snow"},
        {"text": "Hail"},
    ]
    assert [int(answer.outputs["length"]) for answer in answered if "error" not in answer.row] == [4, 4, 4]
    assert sent == [[b"Rain"], [b"Snow"], [b"Hail"]]
    assert np.isscalar(answered[0].outputs["length"]) or answered[0].outputs["length"].shape == ()
