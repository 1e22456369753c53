"""By time: nothing is counted twice or lost but what has left a window, and a file holds it all."""

import json

import numpy as np
import pytest

from configs.errors import HubelError
from serving.statistics import measures, written
from serving.statistics.measures import About
from serving.statistics.windows import DAY, HOUR, MINUTES, Windows
from serving.statistics.written import Statistics

NOW = 1_800_000_000.0
PIXELS = {"pixels": np.zeros((1, 4, 4, 1), np.float32)}


def asked(kept: Windows, now: float) -> None:
    kept.at(now).add(About({}), "pixels", PIXELS, {})


def test_windows_hold_each_request_once():
    kept, times = Windows(), [NOW + second for second in range(0, 2 * DAY, 97)]
    for time in times:
        asked(kept, time)
    last = times[-1]
    assert kept.since().requests == len(times)
    for window in (HOUR, 6 * HOUR, DAY):
        within = sum(time > last - window for time in times)
        length = MINUTES if window == HOUR else HOUR
        assert within <= kept.since(last - window).requests <= within + length / 97 + 1
    assert len(kept.minutes) <= HOUR / MINUTES + 1
    assert len(kept.hours) <= 26
    assert Windows.of_json(json.loads(json.dumps(kept.as_json()))).as_json() == kept.as_json()


def test_a_clock_that_is_put_back_loses_nothing():
    kept = Windows()
    for time in (NOW, NOW - 7200, NOW + 1):
        asked(kept, time)
    assert kept.since().requests == 3


def test_a_file_is_what_was_kept_and_one_of_tfdv_lies_beside_it(tmp_path):
    from tensorflow_metadata.proto.v0 import statistics_pb2

    statistics = Statistics("digest", since=NOW, seen=9, passed_over=8)
    asked(statistics.windows, NOW)
    statistics.write(tmp_path / "m" / "1")
    again = Statistics.read(tmp_path / "m" / "1")
    assert (again.model, again.since, again.seen, again.passed_over) == ("digest", NOW, 9, 8)
    assert again.windows.as_json() == statistics.windows.as_json()
    [dataset] = statistics_pb2.DatasetFeatureStatisticsList.FromString((tmp_path / "m/1" / written.PROTO).read_bytes()).datasets
    assert dataset.num_examples == 1
    assert {"/".join(feature.path.step) for feature in dataset.features} == set(again.windows.since().features)
    assert Statistics.read(tmp_path / "none") is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "model": "m"}'])
def test_a_damaged_file_is_a_sentence(tmp_path, content):
    (tmp_path / written.FILE).write_text(content)
    with pytest.raises(HubelError, match="cannot be read"):
        Statistics.read(tmp_path)


def test_what_tfdv_reads_has_what_numpy_says():
    from serving.statistics import proto

    values = np.random.default_rng(0).normal(100, 20, 500).clip(0, 255)
    measured = measures.Measured()
    measured._numbers(measures.BRIGHTNESS).add(values)
    measured._names(measures.CLASS).add([{"a": 1.0}] * 300 + [{"b": 1.0}] * 200)
    measured.examples = 500
    by_name = {"/".join(feature.path.step): feature for feature in proto.dataset_of(measured, "served").features}
    numbers = by_name[measures.BRIGHTNESS].num_stats
    assert (numbers.mean, numbers.std_dev) == pytest.approx((values.mean(), values.std()))
    assert (numbers.min, numbers.max) == pytest.approx((values.min(), values.max()))
    assert [len(histogram.buckets) for histogram in numbers.histograms] == [proto.CELLS, proto.QUANTILES]
    assert [(top.value, top.frequency) for top in by_name[measures.CLASS].string_stats.top_values] == [("a", 300.0), ("b", 200.0)]
