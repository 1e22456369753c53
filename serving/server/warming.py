"""Warm-up requests replayed and counted by signature; and each grown to the sizes that batches have."""

import collections
import logging
import time
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from tensorflow_serving.apis import prediction_log_pb2

from serving.server import inference
from serving.server.servable import DEFAULT_SIGNATURE, Replayed, Servable, Warmup
from serving.server.status import ServingError

CALLS: Mapping[str, Any] = {
    "predict_log": inference.predict,
    "classify_log": inference.classify,
    "regress_log": inference.regress,
    "multi_inference_log": inference.multi_inference,
}

log = logging.getLogger(__name__)


class Warming:
    """Use: `replay` each record of a file, `grow`, `done`."""

    def __init__(self, servable: Servable):
        self._servable, self._start = servable, time.monotonic()
        self._first: dict[tuple[str, tuple[str, ...]], Any] = {}  # (kind of log, signatures) -> its first request
        self._requests: collections.Counter[str] = collections.Counter()
        self._seconds: collections.Counter[str] = collections.Counter()
        self._sizes: dict[str, set[int]] = collections.defaultdict(set)

    def replay(self, record: bytes) -> None:
        """Run what a PredictionLog holds.

        Raises:
            ServingError: where it is none, or fails.
        """
        try:
            logged = prediction_log_pb2.PredictionLog.FromString(record)
        except ValueError as error:
            raise ServingError("INVALID_ARGUMENT", f"Failed to parse warmup record: {error}") from None
        kind = logged.WhichOneof("log_type")
        if kind not in CALLS:
            raise ServingError("UNIMPLEMENTED", f"Unsupported log_type for warmup: {kind}")
        request = getattr(logged, kind).request
        self._run(kind, request)
        self._first.setdefault((kind, _signatures(kind, request)), request)

    def grow(self, batch_sizes: Collection[int]) -> None:
        """Ask each signature with every number of rows that it was not asked with yet, the first row of its first request repeated.
        One that does not take so many stays as it is, and the log says so: a batch of it will be asked one by one."""
        for (kind, names), request in self._first.items():
            for size in batch_sizes:
                if all(size in self._sizes[name] for name in names):
                    continue
                grown = _grown(kind, request, size)
                if grown is None:
                    continue
                try:
                    self._run(kind, grown)
                except ServingError as error:
                    told = self._servable.name, self._servable.version, ", ".join(names), size, error.code, error.message
                    log.warning("%s version %s: %s does not take %s rows: %s: %s", *told)

    def done(self) -> Warmup:
        """What was replayed."""
        asked = {
            name: Replayed(self._requests[name], tuple(sorted(self._sizes[name])), self._seconds[name]) for name in self._sizes
        }
        with_inputs = (name for name, signature in self._servable.signatures.items() if signature.inputs)
        cold = tuple(name for name in with_inputs if name not in asked)
        return Warmup(sum(self._requests.values()), time.monotonic() - self._start, dict(sorted(asked.items())), cold)

    def _run(self, kind: str, request) -> None:
        start = time.monotonic()
        CALLS[kind](self._servable, request)
        seconds, names = time.monotonic() - start, _signatures(kind, request)
        for name in names:
            self._requests[name] += 1
            self._seconds[name] += seconds / len(names)
            self._sizes[name].add(_rows(kind, request))


def _signatures(kind: str, request) -> tuple[str, ...]:
    specs = [task.model_spec for task in request.tasks] if kind == "multi_inference_log" else [request.model_spec]
    return tuple(spec.signature_name or DEFAULT_SIGNATURE for spec in specs)


def _rows(kind: str, request) -> int:
    """Of a request's inputs; 0 where they have none."""
    if kind != "predict_log":
        return inference.count_examples(request.input)
    sizes = {tensor.tensor_shape.dim[0].size if tensor.tensor_shape.dim else 0 for tensor in request.inputs.values()}
    return sizes.pop() if len(sizes) == 1 else 0


def _grown(kind: str, request, size: int):
    """A request of `size` rows, each its first; None of one whose inputs have none, or not equally many: no batch takes it."""
    if not _rows(kind, request):
        return None
    grown = type(request)()
    grown.CopyFrom(request)
    if kind == "predict_log":
        for alias, tensor in request.inputs.items():
            rows = inference.array_of(tensor, alias)[:1]
            grown.inputs[alias].CopyFrom(inference.proto_of(np.repeat(rows, size, axis=0)))
        return grown
    examples = getattr(grown.input, grown.input.WhichOneof("kind")).examples
    first = examples[0]
    kept = type(first)()
    kept.CopyFrom(first)
    del examples[:]
    examples.extend([kept] * size)
    return grown
