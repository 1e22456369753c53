"""Limits of time that hold on other machines: of the processor, in the measure of what it does in a second; else in minutes."""

import functools
import time

PATIENCE = 300.0  # s that are waited for what comes at once where nothing else is done
REFERENCE = 0.011  # CPU seconds of `_work` on the machine where the limits were set


@functools.cache
def times_slower() -> float:
    """How many times longer this machine takes for plain Python than that one; at least 1."""
    return max(1.0, min(_work() for _ in range(5)) / REFERENCE)


def _work() -> float:
    """CPU seconds of a fixed piece of work."""
    start = time.process_time()
    sum(number * number % 7 for number in range(200_000))
    return time.process_time() - start
