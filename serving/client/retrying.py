"""When one asks again: only what may be answered a moment later, after a time whose longest doubles and which is drawn at random
(exponential back-off with full jitter: Brooker 2015, AWS Architecture Blog), and never beyond the deadline of the whole."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from serving.client import errors
from serving.client.errors import ServerError

FIRST, MOST = 0.1, 5.0  # s: the longest before the first, and before any later try
T = TypeVar("T")


def ask(
    attempt: Callable[[float], T],
    address: str,
    end: float,
    retries: int,
    sleep: Callable[[float], None] = time.sleep,
    drawn: Callable[[float, float], float] = random.uniform,
) -> T:
    """What `attempt` returns, which is given the s that are left.

    Args:
        end: time.monotonic() at which all attempts must be over. retries: attempts after the first.

    Raises:
        ServerError: the last attempt's; DEADLINE_EXCEEDED where there was none in time.
    """
    start, last = time.monotonic(), None
    for number in range(retries + 1):
        left = end - time.monotonic()
        if left <= 0:
            raise last or errors.late(address, max(end - start, 0))
        try:
            return attempt(left)
        except ServerError as error:
            if not error.is_retried or number == retries:
                raise
            last = error
        pause = drawn(0, min(MOST, FIRST * 2**number))
        if time.monotonic() + pause >= end:
            raise last
        sleep(pause)
    raise AssertionError("an attempt returns or raises")
