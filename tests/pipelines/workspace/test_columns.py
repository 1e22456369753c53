"""Columns of a table of runs: which there are, what a run has in each, and their order."""

import pytest

from configs.errors import UsageError
from pipelines.workspace import columns
from pipelines.workspace.runs import RunRecord

RECORDS = [
    RunRecord(
        "r1", "a", "2026-01-01", "done", 9.5, True, metrics={"accuracy": 0.9}, intervals={"accuracy": [0.8, 0.95]}, version=2
    ),
    RunRecord("r2", "b", "2026-01-02", "failed", 10.0, reason="No\n room"),
    RunRecord("r10", "b", "2026-01-03", "not blessed", 100.0, False, metrics={"accuracy": 0.5, "loss": float("nan")}, version=10),
    RunRecord("r3", "a", "2026-01-04", "done", 1.0, True, metrics={"accuracy": 0.95, "loss": 2.0}),
]


def order(name, descending=False):
    return [record.run for record in columns.ordered(RECORDS, name, descending)]


def test_figures_and_their_intervals_are_columns():
    assert columns.names(RECORDS)[-4:] == ["accuracy", "accuracy_low", "accuracy_high", "loss"]
    told = [columns.value(RECORDS[0], name) for name in ("accuracy", "accuracy_low", "accuracy_high", "loss", "outcome")]
    assert told == [0.9, 0.8, 0.95, None, "done"]
    assert columns.value(RECORDS[1], "reason") == "No room"


def test_numbers_are_ordered_by_size_and_who_has_none_is_last_both_ways():
    assert order("accuracy") == ["r10", "r1", "r3", "r2"]
    assert order("accuracy", True) == ["r3", "r1", "r10", "r2"]
    assert order("loss", True) == ["r3", "r1", "r2", "r10"]
    assert order("seconds") == ["r3", "r1", "r2", "r10"]
    assert order("version", True) == ["r10", "r1", "r2", "r3"]


def test_texts_are_ordered_as_people_count_and_equal_ones_stay():
    assert order("run") == ["r1", "r2", "r3", "r10"]
    assert order("config") == ["r1", "r3", "r2", "r10"]
    assert order("config", True) == ["r2", "r10", "r1", "r3"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("acuracy", "There is no column 'acuracy'; did you mean 'accuracy'?"),
        ("run,xyzzy", "There is no column 'xyzzy'."),
        (" , ", "--columns names no column."),
        ("run,status,outcome", "--columns names outcome twice."),
    ],
)
def test_a_column_that_there_is_not_is_told_with_those_there_are(asked, message):
    with pytest.raises(UsageError) as error:
        columns.chosen(asked, RECORDS)
    assert error.value.message == message
    if "twice" not in message:
        assert error.value.hint == f"There are: {', '.join(columns.names(RECORDS))}."
