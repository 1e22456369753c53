"""Requests put together into one run of a graph, by TF Serving's batching parameters, greedily: what waits is taken as soon as a
thread is free, so a single client waits for nobody. Where several ask at once, a free thread gives those that were just answered a
moment to ask again. A batch that fails is asked request by request: a bad one fails alone."""

import collections
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from configs.errors import UsageError, first_line
from serving.server.servable import DEFAULT_SIGNATURE, Servable, expire
from serving.server.status import ServingError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parameters:
    """TF Serving's BatchingParameters; defaults are those of its SharedBatchScheduler but for the timeout.

    Attributes:
        max_batch_size: rows of a batch.
        batch_timeout_micros: how long a thread that is free waits for a batch to fill; 0: for those alone who were just answered,
            which is greedy.
        max_enqueued_batches: how many may wait, for each model; what comes then is refused.
        num_batch_threads: batches that run at once; 0 for as many as there are cores.
        allowed_batch_sizes: sizes that batches are padded to, ascending, the last max_batch_size; empty for any.
        pad_variable_length_inputs: whether rows of different lengths go into one batch, padded with their first value.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 0
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False


NUMBERS = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
IGNORED = ("thread_pool_name",)


def read(path: Path) -> Parameters:
    """The parameters of a file in TF Serving's form: `max_batch_size { value: 32 }`, a field a line.

    Raises:
        UsageError: where it cannot be read, or says what a scheduler cannot do.
    """
    from google.protobuf import text_format

    try:
        message = text_format.Parse(path.read_text(encoding="utf-8"), _message())
    except OSError as error:
        raise UsageError(
            f"The file {path} cannot be read: {error.strerror or error}.", "Check the path of --batching-file."
        ) from None
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The file {path} holds no batching parameters: {first_line(error).rstrip('.')}.",
            "It is TF Serving's BatchingParameters as text, such as `max_batch_size { value: 32 }`.",
        ) from None
    given: dict[str, Any] = {name: getattr(message, name).value for name in NUMBERS if message.HasField(name)}
    given["allowed_batch_sizes"] = tuple(message.allowed_batch_sizes)
    given["pad_variable_length_inputs"] = message.pad_variable_length_inputs
    parameters = Parameters(**given)
    _check(parameters, path)
    return parameters


def _check(parameters: Parameters, path: Path) -> None:
    wrong = ""
    sizes = parameters.allowed_batch_sizes
    for name, least in (("max_batch_size", 1), ("batch_timeout_micros", 0), ("max_enqueued_batches", 1), ("num_batch_threads", 0)):
        if getattr(parameters, name) < least:
            wrong = f"{name} is {getattr(parameters, name)}; it is at least {least}"
    if sizes and (list(sizes) != sorted(set(sizes)) or sizes[0] < 1):
        wrong = f"allowed_batch_sizes {list(sizes)} do not ascend from 1 or more"
    elif sizes and sizes[-1] != parameters.max_batch_size:
        wrong = f"the last of allowed_batch_sizes, {sizes[-1]}, is not max_batch_size, {parameters.max_batch_size}"
    if wrong:
        raise UsageError(f"In {path} {wrong}.", "TF Serving refuses it too.")


def _message():
    """An empty BatchingParameters. tensorflow-serving-api lacks session_bundle_config.proto, so the message is described here."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

    name, package = "session_bundle_config_batching.proto", "hubel.tensorflow.serving"
    pool = descriptor_pool.Default()
    try:
        described = pool.FindMessageTypeByName(f"{package}.BatchingParameters")
    except KeyError:
        file = descriptor_pb2.FileDescriptorProto(
            name=name, package=package, syntax="proto3", dependency=[wrappers_pb2.DESCRIPTOR.name]
        )
        kind = file.message_type.add(name="BatchingParameters")
        integer, text, flag = ".google.protobuf.Int64Value", ".google.protobuf.StringValue", descriptor_pb2.FieldDescriptorProto
        for number, field_name in enumerate(NUMBERS, 1):
            kind.field.add(name=field_name, number=number, label=1, type=flag.TYPE_MESSAGE, type_name=integer)
        kind.field.add(name="thread_pool_name", number=5, label=1, type=flag.TYPE_MESSAGE, type_name=text)
        kind.field.add(name="allowed_batch_sizes", number=6, label=3, type=flag.TYPE_INT64)
        kind.field.add(name="pad_variable_length_inputs", number=7, label=1, type=flag.TYPE_BOOL)
        pool.AddSerializedFile(file.SerializeToString())
        described = pool.FindMessageTypeByName(f"{package}.BatchingParameters")
    return message_factory.GetMessageClass(described)()


PATIENCE = 1.0, 0.02  # of the s that the last batch ran, and s at most: how long a request waits for others that are expected
FORGOTTEN = 0.2  # of how many are expected, what goes with each batch where fewer ask
CROWDS = 128  # kinds of requests of which it is known how many ask: a client chooses outputs


@dataclass
class Crowd:
    """How many ask for one kind of thing.

    Attributes:
        inside: rows that wait or run. expected: rows that are inside once all who ask have asked. seconds: that the last batch ran.
    """

    inside: int = 0
    expected: float = 0.0
    seconds: float = 0.0

    def come(self, rows: int) -> None:
        """So many rows begin to wait."""
        self.inside += rows
        self.expected = max(self.expected, self.inside)

    def go(self, rows: int, seconds: float) -> None:
        """So many have run, for so long."""
        self.expected = max(self.inside, (1 - FORGOTTEN) * self.expected + FORGOTTEN * self.inside)
        self.inside -= rows
        self.seconds = seconds


@dataclass(eq=False)
class Request:
    """One request that waits."""

    feeds: dict[str, np.ndarray]
    rows: int
    deadline: float | None
    since: float = field(default_factory=time.monotonic)
    waits: Any = field(default_factory=threading.Lock)  # held until it is answered; an Event costs ten times that
    answer: dict[str, np.ndarray] | None = None
    error: BaseException | None = None

    def __post_init__(self):
        self.waits.acquire()

    def is_answered(self) -> bool:
        return self.answer is not None or self.error is not None

    def end(self, answer: dict[str, np.ndarray] | None = None, error: BaseException | None = None) -> None:
        """Whoever waits has one of both."""
        self.answer, self.error = answer, error
        self.waits.release()


class Queue:
    """Requests of one kind that wait. `full` is told where a thread gathers them and there are enough."""

    def __init__(self, crowd: Crowd, lock):
        self.crowd, self.full = crowd, threading.Condition(lock)
        self.requests: collections.deque[Request] = collections.deque()
        self.rows, self.wanted = 0, 0  # wanted: rows that a thread gathers; 0 where none does

    def add(self, request: Request) -> None:
        self.requests.append(request)
        self.rows += request.rows
        self.crowd.come(request.rows)

    def take(self, most: int) -> list[Request]:
        """The first ones, of so many rows."""
        batch, rows = [], 0
        while self.requests and rows + self.requests[0].rows <= most:
            batch.append(self.requests.popleft())
            rows += batch[-1].rows
        self.rows -= rows
        return batch


class Batching:
    """A Servable whose requests run together. Has its attributes, `run`, `run_several` and `close`; what asks several
    signatures at once runs by itself."""

    def __init__(
        self,
        servable: Servable,
        parameters: Parameters,
        on_batch: Callable[[str, int, Sequence[float]], None] = lambda name, rows, waited: None,
        on_retry: Callable[[str], None] = lambda name: None,
    ):
        """
        Args:
            on_batch: told of each batch: model, rows, and s that each of its requests waited. on_retry: of each batch that failed.
        """
        import os

        self._servable, self._parameters, self._on_batch, self._on_retry = servable, parameters, on_batch, on_retry
        self._queues: dict[tuple, Queue] = {}  # (signature, outputs, dtypes and shapes of rows) -> who waits; none is empty
        self._crowds: dict[tuple, Crowd] = {}
        self._waiting = 0  # rows
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)  # told of a queue that nobody gathers
        self._closed = False
        count = parameters.num_batch_threads or os.cpu_count() or 1
        self._threads = [
            threading.Thread(target=self._work, name=f"batch-{servable.name}-{servable.version}-{place}", daemon=True)
            for place in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._servable, name)

    def run(
        self,
        signature_name: str,
        feeds: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
    ) -> dict[str, np.ndarray]:
        """As Servable.run, with others where it can be: each input has rows, as many as the others, and no more than a batch.

        Raises:
            ServingError: UNAVAILABLE where too many wait, DEADLINE_EXCEEDED for what waited too long, else as Servable.run.
        """
        arrays = {alias: np.asarray(array) for alias, array in feeds.items()}
        key = self._key(signature_name or DEFAULT_SIGNATURE, arrays, outputs)
        if key is None:
            return self._servable.run(signature_name, feeds, outputs, deadline)
        request = Request(arrays, len(next(iter(arrays.values()))), deadline)
        with self._lock:
            if self._closed:
                raise ServingError("UNAVAILABLE", "The model is being unloaded.")
            limit = self._parameters.max_batch_size * self._parameters.max_enqueued_batches
            if self._waiting + request.rows > limit:
                raise ServingError(
                    "UNAVAILABLE",
                    "The batch scheduling queue to which this task was submitted is full; currently "
                    f"{self._waiting} rows are enqueued and max_enqueued_batches is {self._parameters.max_enqueued_batches}",
                )
            if (queue := self._queues.get(key)) is None:
                queue = self._queues[key] = Queue(self._crowd(key), self._lock)
            queue.add(request)
            self._waiting += request.rows
            if not queue.wanted:
                self._ready.notify()
            elif queue.rows >= queue.wanted:
                queue.full.notify()
        with request.waits:
            pass
        if request.error is not None:
            raise request.error
        return request.answer

    def close(self) -> None:
        """Answer what waits, then close the Servable."""
        with self._lock:
            self._closed = True
            self._ready.notify_all()
            for queue in self._queues.values():
                queue.full.notify_all()
        for thread in self._threads:
            thread.join()
        self._servable.close()

    def _key(self, name: str, arrays: Mapping[str, np.ndarray], outputs: Sequence[str] | None) -> tuple | None:
        """What requests of one batch have in common; None for one that goes alone."""
        signature = self._servable.signatures.get(name)
        if signature is None or not arrays or set(arrays) != set(signature.inputs):
            return None  # the Servable has the words for it, or defaults
        lengths = {array.shape[0] if array.ndim else 0 for array in arrays.values()}
        if len(lengths) != 1 or not 0 < min(lengths) <= self._parameters.max_batch_size:
            return None
        kinds = []
        for alias in sorted(arrays):
            array = arrays[alias]
            shape = (array.ndim,) if self._parameters.pad_variable_length_inputs else array.shape[1:]
            kinds.append((alias, "O" if array.dtype.kind in "OSU" else array.dtype.str, shape))
        return name, tuple(outputs or ()), tuple(kinds)

    def _crowd(self, key: tuple) -> Crowd:
        if key not in self._crowds:
            if len(self._crowds) >= CROWDS:
                del self._crowds[next(iter(self._crowds))]
            self._crowds[key] = Crowd()
        return self._crowds[key]

    def _work(self) -> None:
        """A thread: take what waits, run it, until closed and empty."""
        while True:
            with self._lock:
                self._ready.wait_for(lambda: self._closed or any(not queue.wanted for queue in self._queues.values()))
                free = [key for key, queue in self._queues.items() if not queue.wanted]
                if not free:
                    return  # what is gathered by others is theirs
                key = min(free, key=lambda key: self._queues[key].requests[0].since)
                crowd, batch = self._queues[key].crowd, self._take(key)
            start = time.monotonic()
            try:
                self._answer(key, batch)
            except BaseException as error:  # nobody may wait for ever
                log.exception("A batch of %s failed", self._servable.name)
                for request in batch:
                    if not request.is_answered():
                        request.end(error=error)
            with self._lock:
                crowd.go(sum(request.rows for request in batch), time.monotonic() - start)

    def _take(self, key: tuple) -> list[Request]:
        """A batch off a queue, once it is full or has waited; with the lock held."""
        queue, parameters = self._queues[key], self._parameters
        wait, wanted = parameters.batch_timeout_micros / 1e6, parameters.max_batch_size
        if not wait:
            share, most = PATIENCE
            wait = min(share * queue.crowd.seconds, most)
            wanted = min(wanted, math.ceil(queue.crowd.expected / len(self._threads)))  # each thread has its part of the crowd
        left = queue.requests[0].since + wait - time.monotonic()
        if left > 0 and queue.rows < wanted:
            queue.wanted = wanted
            queue.full.wait_for(lambda: self._closed or queue.rows >= wanted, left)
            queue.wanted = 0
        batch = queue.take(parameters.max_batch_size)
        self._waiting -= sum(request.rows for request in batch)
        if queue.requests:
            self._ready.notify()
        else:
            del self._queues[key]
        return batch

    def _answer(self, key: tuple, batch: list[Request]) -> None:
        started, live = time.monotonic(), []
        for request in batch:
            try:
                expire(request.deadline)
                live.append(request)
            except ServingError as error:
                request.end(error=error)
        if not live:
            return
        name, outputs, _ = key
        self._on_batch(self._servable.name, sum(request.rows for request in live), [started - request.since for request in live])
        if len(live) > 1 or self._parameters.allowed_batch_sizes:
            try:
                answers = self._together(name, outputs, live)
            except ServingError:
                self._on_retry(self._servable.name)
            else:
                for request, answer in zip(live, answers, strict=True):
                    request.end(answer)
                return
        for request in live:
            try:
                request.end(self._servable.run(name, request.feeds, outputs, request.deadline))
            except BaseException as error:
                request.end(error=error)

    def _together(self, name: str, outputs: tuple[str, ...], batch: list[Request]) -> list[dict[str, np.ndarray]]:
        """Answers of a batch, in order. Raises ServingError where it fails as a whole, or an output has no row for each input's."""
        rows = sum(request.rows for request in batch)
        size = next((size for size in self._parameters.allowed_batch_sizes if size >= rows), rows)
        feeds = {alias: self._stacked([request.feeds[alias] for request in batch], size) for alias in batch[0].feeds}
        answered = self._servable.run(name, feeds, outputs)
        for alias, array in answered.items():
            if not array.ndim or len(array) != size:
                raise ServingError("FAILED_PRECONDITION", f"Batched output {alias} has shape {array.shape} for {size} rows")
        answers, start = [], 0
        for request in batch:
            answers.append({alias: array[start : start + request.rows] for alias, array in answered.items()})
            start += request.rows
        return answers

    def _stacked(self, arrays: list[np.ndarray], size: int) -> np.ndarray:
        if self._parameters.pad_variable_length_inputs:
            shape = np.max([array.shape[1:] for array in arrays], axis=0, initial=0)
            arrays = [_padded(array, shape) for array in arrays]
        stacked = np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
        missing = size - len(stacked)
        return np.concatenate([stacked, np.repeat(stacked[:1], missing, axis=0)]) if missing else stacked


def _padded(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Rows made as large as `shape` with their array's first value, as TF Serving does."""
    if tuple(shape) == array.shape[1:]:
        return array
    padded = np.full((len(array), *shape), array.flat[0] if array.size else (b"" if array.dtype == object else 0), array.dtype)
    padded[tuple(slice(length) for length in array.shape)] = array
    return padded
