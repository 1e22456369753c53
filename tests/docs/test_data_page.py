"""docs/data.md shows what was measured."""

import re

from benchmarks import own_images, record


def test_the_table_of_own_images_is_that_of_the_rows():
    [(_, shown, _)] = re.findall(own_images.TABLE, own_images.PAGE.read_text(encoding="utf-8"))
    assert shown == own_images.table()


def test_every_row_is_of_a_known_source_and_counts_add_up():
    rows = record.rows("own_images")
    assert rows
    assert {row["name"] for row in rows} <= set(own_images.SOURCES)
    for row in rows:
        assert 0 < int(row["test_images"]) < int(row["images"])
        assert row["measure"] in own_images.FIGURES


def test_rows_of_the_same_key_are_replaced_and_others_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    record.add("made", [{"name": "a", "figure": 1}, {"name": "b", "figure": 2}], keys=("name",))
    record.add("made", [{"name": "a", "figure": 3}], keys=("name",))
    assert sorted((row["name"], row["figure"]) for row in record.rows("made")) == [("a", "3"), ("b", "2")]
    assert record.rows("other") == []
