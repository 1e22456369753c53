"""Requests to a signature, many at a time: what one of them cannot be answered with is said of that one alone."""

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from serving.client.errors import plain

MAX_BYTES = 64 * 2**20  # of a file, and about as much of a request


class Unreadable(Exception):
    """A file that cannot be used; its text is what is wrong with it."""


def read(path: Path) -> bytes:
    """What the file holds. Raises Unreadable for an empty one, one of more than MAX_BYTES, or none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable(f"larger than {MAX_BYTES / 2**20:.0f} MiB")
        encoded = path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    if not encoded:
        raise Unreadable("empty file")
    return encoded


class Refused(Exception):
    """A request that a model does not answer; its text is why."""


class Answering(abc.ABC):
    """What answers requests, wherever it is."""

    most_bytes = MAX_BYTES  # of one request, about

    @abc.abstractmethod
    def answer(self, columns: Mapping[str, list]) -> Mapping[str, Any]:
        """Outputs by name, NumPy arrays of a batch, of the inputs by name, a value for each example. Raises Refused."""


class OfSignature(Answering):
    """A signature of a loaded SavedModel."""

    def __init__(self, function: Callable):
        self._function = function

    def answer(self, columns):
        import tensorflow as tf

        try:
            outputs = self._function(**{name: tf.constant(values) for name, values in columns.items()})
            return {name: value.numpy() for name, value in outputs.items()}
        except tf.errors.OpError as error:
            raise Refused(words(error.message)) from None


def asked(
    function: Callable | Answering, requests: Iterable[tuple[Any, Mapping[str, Any] | str]], most: int
) -> Iterator[tuple[Any, Mapping[str, Any], str | None]]:
    """What a signature says of each, in order: (what was asked about, outputs by name, what is wrong).

    One request for up to `most`, or as many as hold MAX_BYTES; where it fails, one for each.

    Args:
        function: a signature, or what answers in the place of one.
        requests: what is asked about, and its value of each argument, or what is wrong with it. Outputs of one are as NumPy
            arrays without the first axis; none where something is wrong.
    """
    answering = function if isinstance(function, Answering) else OfSignature(function)

    def ask(batch: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        arrays = answering.answer({name: [request[name] for request in batch] for name in batch[0]}) if batch else {}
        return [{name: value[place] for name, value in arrays.items()} for place in range(len(batch))]

    for batch in _batches(requests, most, answering.most_bytes):
        try:
            together = iter(ask([request for _, request in batch if not isinstance(request, str)]))
        except Refused:
            together = None
        for example, request in batch:
            if isinstance(request, str):
                yield example, {}, request
                continue
            try:
                outputs = next(together) if together else ask([request])[0]
            except Refused as error:
                yield example, {}, str(error)
            else:
                yield example, outputs, None


def _batches(requests, most: int, most_bytes: int) -> Iterator[list[tuple[Any, Mapping[str, Any] | str]]]:
    batch, held = [], 0
    for example, request in requests:
        batch.append((example, request))
        if not isinstance(request, str):
            held += sum(len(value) for value in request.values() if isinstance(value, bytes))
        if len(batch) == most or held >= most_bytes:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def words(said: str) -> str:
    """What TensorFlow says is wrong, without where in the graph."""
    if "Unknown image file format" in said:
        return "not an image that TensorFlow decodes"
    where = ("Graph execution error", "Detected at", "<stack traces", " ", "\t")
    lines = [line for line in plain(said).splitlines() if line and not line.startswith(where)]
    return (lines or ["an error without words"])[0][:200]
