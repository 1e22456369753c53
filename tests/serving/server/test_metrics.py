"""What is counted is told as TF Serving's exporter tells it."""

import pytest

from serving.server.metrics import Metrics
from serving.server.status import ServingError


def test_the_page():
    metrics = Metrics(is_model=lambda name: name == 'm"\\')
    with metrics.request('m"\\', "Predict", "REST"):
        pass
    for name in ('m"\\', "any other", "and one more"):
        with pytest.raises(ServingError), metrics.request(name, "Predict", "GRPC"):
            raise ServingError("NOT_FOUND", "")
    metrics.count_examples("m", 3)
    metrics.in_flight.put(2, "REST")
    lines = metrics.page().splitlines()
    assert "# TYPE :tensorflow:serving:request_count counter" in lines
    assert ':tensorflow:serving:request_count{model_name="m\\"\\\\",status="OK"} 1' in lines
    assert ':tensorflow:serving:request_count{model_name="",status="NOT_FOUND"} 2' in lines
    assert "# TYPE :tensorflow:serving:request_latency histogram" in lines
    assert ':tensorflow:serving:request_latency_count{model_name="m\\"\\\\",API="Predict",entrypoint="REST"} 1' in lines
    assert ':tensorflow:serving:request_example_counts_bucket{model="m",le="2"} 0' in lines
    assert ':tensorflow:serving:request_example_counts_bucket{model="m",le="4"} 1' in lines
    assert ':tensorflow:serving:request_example_counts_bucket{model="m",le="+Inf"} 1' in lines
    assert ':hubel:serving:requests_in_flight{entrypoint="REST"} 2' in lines
    assert not any("runtime_latency" in line for line in lines)
    assert metrics.page().endswith("\n")


def test_buckets_are_cumulative_and_in_microseconds():
    metrics = Metrics()
    with metrics.runtime("m", "Predict"):
        pass
    counts = [int(line.split()[-1]) for line in metrics.page().splitlines() if "runtime_latency_bucket" in line]
    assert len(counts) == 34
    assert counts == sorted(counts)
    assert counts[-1] == 1
    assert ':tensorflow:serving:runtime_latency_bucket{model_name="m",API="Predict",runtime="TF1",le="18"}' in metrics.page()


def test_counters_by_tfs_names():
    metrics = Metrics()
    metrics.loaded("/m/1", "OK", 0.5)
    metrics.loaded("/m/2", "NOT_FOUND", 0.5)
    assert metrics.value_of("/tensorflow/cc/saved_model/load_attempt_count") == 2
    assert metrics.value_of("/tensorflow/serving/request_count") == 0
    assert metrics.value_of("/tensorflow/serving/none") is None
