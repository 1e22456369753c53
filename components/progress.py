"""What a component tells the person who waits. Whoever runs the pipeline listens; nobody has to."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

_listeners: list[Callable[[dict[str, Any]], None]] = []


def listen(listener: Callable[[dict[str, Any]], None]) -> None:
    """Send every later event to `listener`, in the order of emission."""
    _listeners.append(listener)


@contextlib.contextmanager
def listening(listener: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """As `listen`, while the block lasts."""
    listen(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def emit(event: str, **values: Any) -> None:
    """Tell the listeners, if any. `values` are JSON."""
    for listener in _listeners:
        listener({"event": event, **values})
