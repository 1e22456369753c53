"""Scores in order."""

import math

from reports import scores


def test_what_is_no_number_stands_last_and_what_is_infinite_first():
    rows = [{"file": "a", "anomaly_score": 0.5}, {"file": "b", "error": "damaged"}, {"file": "c", "anomaly_score": math.nan}]
    rows += [{"file": "d", "anomaly_score": math.inf}, {"file": "e", "anomaly_score": 0.5}, {"file": "f", "anomaly_score": 2.0}]
    assert [row["file"] for row in scores.ranked(rows)] == ["d", "f", "a", "e", "b", "c"]
