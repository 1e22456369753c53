"""What is counted, under TF Serving's names and in its exposition: paths with colons, microseconds, buckets of powers of 1.8.

Names of its own begin with `:hubel:`. For units and labels see tensorflow_serving/servables/tensorflow/util.cc and
util/prometheus_exporter.cc.
"""

import bisect
import contextlib
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from serving.server.status import ServingError

PATH = "/monitoring/prometheus/metrics"
CONTENT_TYPE = "text/plain"
LATENCY = [10 * 1.8**power for power in range(33)]  # µs, to about 20 minutes
COUNTS = [float(2**power) for power in range(15)]
UNKNOWN_MODEL = ""  # whose name is none of ours: a client must not be able to make series without end


class Counter:
    """Numbers that grow, by the values of labels."""

    kind = "counter"

    def __init__(self, name: str, *labels: str):
        self.name, self.labels = name, labels
        self._values: dict[tuple[str, ...], int] = {}
        self._lock = threading.Lock()

    def add(self, *values: str, by: int = 1) -> None:
        """Count, for these values of the labels."""
        with self._lock:
            self._values[values] = self._values.get(values, 0) + by

    def value(self, *values: str) -> int:
        """What was counted."""
        with self._lock:
            return self._values.get(values, 0)

    def total(self) -> int:
        """What was counted for all values of the labels."""
        with self._lock:
            return sum(self._values.values())

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it."""
        with self._lock:
            points = sorted(self._values.items())
        for values, number in points:
            yield f"{self.name}{{{_labels(self.labels, values)}}} {number}"


class Gauge(Counter):
    """Numbers that are set."""

    kind = "gauge"

    def put(self, number: float, *values: str) -> None:
        """Set it, for these values of the labels."""
        with self._lock:
            self._values[values] = number


class Histogram:
    """Distributions, by the values of labels."""

    kind = "histogram"

    def __init__(self, name: str, *labels: str, limits: Sequence[float] = LATENCY):
        self.name, self.labels, self._limits = name, labels, limits
        self._points: dict[tuple[str, ...], tuple[list[int], list[float]]] = {}  # -> how many below each limit and above, [sum]
        self._lock = threading.Lock()

    def add(self, number: float, *values: str) -> None:
        """Put in a number, for these values of the labels."""
        place = bisect.bisect_right(self._limits, number)
        with self._lock:
            counts, total = self._points.setdefault(values, ([0] * (len(self._limits) + 1), [0.0]))
            counts[place] += 1
            total[0] += number

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it."""
        with self._lock:
            points = [(values, counts[:], total[0]) for values, (counts, total) in sorted(self._points.items())]
        for values, counts, total in points:
            labels = _labels(self.labels, values)
            before = f"{labels}," if labels else ""
            for limit, below in zip(
                [*(f"{limit:.6g}" for limit in self._limits), "+Inf"], itertools.accumulate(counts), strict=True
            ):
                yield f'{self.name}_bucket{{{before}le="{limit}"}} {below}'
            yield f"{self.name}_sum{{{labels}}} {total:.6g}"
            yield f"{self.name}_count{{{labels}}} {sum(counts)}"


class Metrics:
    """All that one server counts. May be used by many threads at once."""

    def __init__(self, is_model: Callable[[str], bool] = lambda name: True):
        """Args: is_model: whether a name is a model's; others are counted together."""
        self._is_model = is_model
        self.requests = Counter(":tensorflow:serving:request_count", "model_name", "status")
        self.latency = Histogram(":tensorflow:serving:request_latency", "model_name", "API", "entrypoint")
        self.runtime_latency = Histogram(":tensorflow:serving:runtime_latency", "model_name", "API", "runtime")
        self.examples = Counter(":tensorflow:serving:request_example_count_total", "model")
        self.example_counts = Histogram(":tensorflow:serving:request_example_counts", "model", limits=COUNTS)
        self.loads = Counter(":tensorflow:cc:saved_model:load_attempt_count", "model_path", "status")
        self.load_latency = Counter(":tensorflow:cc:saved_model:load_latency", "model_path")
        self.warmup_latency = Histogram(":tensorflow:serving:model_warmup_latency", "model_path", "status")
        self.queuing = Histogram(":tensorflow:serving:batching_session:queuing_latency")
        self.batches = Counter(":tensorflow:serving:batching_session:wrapped_run_count")
        self.batch_sizes = Histogram(":hubel:serving:batch_size", "model", limits=COUNTS)
        self.retried = Counter(":hubel:serving:batch_retried_count", "model")
        self.in_flight = Gauge(":hubel:serving:requests_in_flight", "entrypoint")
        self.refused = Counter(":hubel:serving:refused_count", "entrypoint", "reason")
        self.shadowed = Counter(":hubel:serving:shadow_count", "model", "outcome")
        self.shadow_latency = Histogram(":hubel:serving:shadow_latency", "model", "side")
        self.statistics = Gauge(":hubel:serving:statistics_requests", "model", "version", "state")
        self.means = Gauge(":hubel:serving:last_hour_mean", "model", "version", "feature")
        self.shares = Gauge(":hubel:serving:last_hour_share", "model", "version", "feature", "name")

    @contextlib.contextmanager
    def request(self, model: str, api: str, entrypoint: str) -> Iterator[None]:
        """Count a request and how long it took; one that raises ServingError by its code.

        Args:
            api: such as "Predict". entrypoint: "REST" or "GRPC".
        """
        start, status = time.perf_counter(), "OK"
        try:
            yield
        except ServingError as error:
            status = error.code
            raise
        except BaseException:
            status = "INTERNAL"
            raise
        finally:
            model = model if self._is_model(model) else UNKNOWN_MODEL
            self.requests.add(model, status)
            self.latency.add((time.perf_counter() - start) * 1e6, model, api, entrypoint)

    @contextlib.contextmanager
    def runtime(self, model: str, api: str) -> Iterator[None]:
        """Time a run of a graph that succeeds."""
        start = time.perf_counter()
        yield
        self.runtime_latency.add((time.perf_counter() - start) * 1e6, model, api, "TF1")

    def count_examples(self, model: str, number: int) -> None:
        """Count the tf.Examples of a request."""
        self.examples.add(model, by=number)
        self.example_counts.add(number, model)

    def loaded(self, folder: str, status: str, seconds: float) -> None:
        """Count an attempt to load a version."""
        self.loads.add(folder, "success" if status == "OK" else "fail")
        self.load_latency.add(folder, by=round(seconds * 1e6))

    def warmed(self, servable) -> None:
        """Count a version's warm-up."""
        if servable.warmup.requests:
            self.warmup_latency.add(servable.warmup.seconds * 1e6, servable.folder, "OK")

    def page(self) -> str:
        """What is answered at PATH."""
        lines = []
        for metric in sorted(self._all(), key=lambda metric: metric.name):
            if points := list(metric.lines()):
                lines += [f"# TYPE {metric.name} {metric.kind}", *points]
        return "\n".join(lines) + "\n"

    def value_of(self, name: str) -> int | None:
        """The sum of a counter over all labels, by TF's name, as /tensorflow/serving/request_count; None where there is none."""
        plain = re.sub(r"[^a-zA-Z0-9_]", ":", name)
        return next((metric.total() for metric in self._all() if metric.name == plain and type(metric) is Counter), None)

    def _all(self) -> list:
        return [metric for metric in vars(self).values() if isinstance(metric, (Counter, Histogram))]


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
