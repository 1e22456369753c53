"""Events for whoever waits."""

import pytest

from components import progress


@pytest.fixture
def events(monkeypatch):
    monkeypatch.setattr(progress, "_listeners", [])
    heard = []
    progress.listen(heard.append)
    return heard


def test_nobody_has_to_listen(monkeypatch):
    monkeypatch.setattr(progress, "_listeners", [])
    assert progress.emit("epoch", epoch=1) is None


def test_every_listener_hears_every_event_in_order(events):
    again = []
    progress.emit("first")
    progress.listen(again.append)
    progress.emit("second", number=2)
    assert events == [{"event": "first"}, {"event": "second", "number": 2}]
    assert again == events[1:]
