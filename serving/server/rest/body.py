"""The bytes of a request, bounded: how many, with those of all others, how many they may inflate to, how slowly they may come."""

import asyncio
import contextlib
import threading
import zlib
from collections.abc import AsyncIterable, Iterator
from dataclasses import dataclass

from serving.server.rest.document import invalid
from serving.server.rest.urls import TIMED_OUT, TOO_LARGE, Refusal
from serving.server.status import ServingError

PIECE = 2**20  # bytes that are inflated at once


@dataclass(frozen=True)
class Pace:
    """How slowly a body may come: s in all, and how many bytes get it a second more."""

    seconds: float
    slowest: int

    def of(self, count: int) -> float:
        """s for so many bytes."""
        return self.seconds + count / self.slowest


class Budget:
    """Bytes that all bodies together may hold. May be used by many threads."""

    def __init__(self, limit: int):
        self._limit, self._used, self._lock = limit, 0, threading.Lock()

    @contextlib.contextmanager
    def share(self) -> Iterator["Share"]:
        """What a request takes of it, given back when the block ends."""
        share = Share(self)
        try:
            yield share
        finally:
            self.take(-share.taken)

    def take(self, count: int) -> None:
        """Raises ServingError UNAVAILABLE where that is more than is left."""
        with self._lock:
            if count > 0 and self._used + count > self._limit:
                raise ServingError("UNAVAILABLE", "The server holds as many bytes of requests as it may; try again later.")
            self._used += count


class Share:
    """What a request has taken of a budget."""

    def __init__(self, budget: Budget):
        self._budget, self.taken = budget, 0

    def take(self, count: int) -> None:
        """As Budget.take."""
        self._budget.take(count)
        self.taken += count


async def read(chunks: AsyncIterable[bytes], length: int | None, limit: int, share: Share, pace: Pace) -> bytes:
    """A body as it was sent.

    Args:
        length: that its header says.
        limit: bytes.

    Raises:
        ServingError: a Refusal for a body that is too large or too slow, UNAVAILABLE where others hold too many bytes.
    """
    if length is not None and length > limit:
        raise too_large(limit)
    content, loop = bytearray(), asyncio.get_running_loop()
    start = loop.time()
    try:
        async with asyncio.timeout(pace.of(0)) as clock:
            async for chunk in chunks:
                if len(content) + len(chunk) > limit:
                    raise too_large(limit)
                share.take(len(chunk))
                content += chunk
                clock.reschedule(start + pace.of(len(content)))
    except TimeoutError:
        said = f"The body came too slowly: {len(content)} bytes in {loop.time() - start:.0f} s"
        raise Refusal("DEADLINE_EXCEEDED", said, TIMED_OUT) from None
    return bytes(content)


def inflated(content: bytes, limit: int, share: Share) -> bytes:
    """What a body of gzip holds.

    Raises:
        ServingError: INVALID_ARGUMENT where it is none; a Refusal where it holds more than `limit` bytes, once it does.
    """
    gzip, parts, size, rest = zlib.decompressobj(wbits=31), [], 0, content
    try:
        while rest and not gzip.eof:
            part = gzip.decompress(rest, PIECE)
            size += len(part)
            if size > limit:
                raise too_large(limit)
            share.take(len(part))
            parts.append(part)
            rest = gzip.unconsumed_tail
    except zlib.error:
        raise invalid("The body is not gzip, which its Content-Encoding says") from None
    if not gzip.eof:
        raise invalid("The body of gzip is cut short")
    return b"".join(parts)


def too_large(limit: int) -> Refusal:
    return Refusal("RESOURCE_EXHAUSTED", f"The body is larger than {limit} bytes", TOO_LARGE)
