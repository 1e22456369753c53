"""A second version is asked what the first has answered: what differs is told, and nothing of it reaches who asked."""

import contextlib
import json
import logging
import random
import threading
import time

import numpy as np
import pytest

from serving.server import shadow
from serving.server.metrics import Metrics
from serving.server.observed import Observed
from serving.server.shadow import Shadow, Spec
from serving.server.status import ServingError
from serving.statistics.measures import About
from tests.slower import PATIENCE, times_slower

X = {"x": np.array([[1.0, 2.0], [4.0, 3.0]])}


class Model:
    """A servable whose answer is its input plus something."""

    def __init__(self, version, plus=0.0, error=None, wait=0.0, name="m"):
        self.name, self.version, self.folder, self.signatures = name, version, "/nowhere", {"serving_default": None}
        self.plus, self.error, self.wait, self.asked, self.threads = plus, error, wait, 0, set()

    def run(self, signature_name, feeds, outputs=None, deadline=None):
        self.asked += 1
        self.threads.add(threading.current_thread().name)
        time.sleep(self.wait)
        if self.error is not None:
            raise self.error
        return {"y": feeds["x"] + self.plus}

    def run_several(self, asked, feeds, deadline=None):
        self.run("", feeds)
        return {name: dict.fromkeys(outputs, feeds["x"] + self.plus) for name, outputs in asked.items()}


class Loaded:
    """What a Manager is to a shadow: versions by number, one with a label."""

    def __init__(self, *models, canary=None):
        self.models, self.canary, self.held = {(model.name, model.version): model for model in models}, canary, 0

    @contextlib.contextmanager
    def lease(self, name, version=None, label=None):
        number = self.canary if label else version
        if (name, number) not in self.models:
            raise ServingError("NOT_FOUND", f"no version {number}")
        self.held += 1
        try:
            yield self.models[name, number]
        finally:
            self.held -= 1


def settled(kept, requests):
    """Its only pair, once so many requests have an outcome."""
    end = time.monotonic() + PATIENCE
    while sum(sum(pair["requests"].values()) for pair in kept.summary()) < requests and time.monotonic() < end:
        time.sleep(0.01)
    [pair] = kept.summary()
    return pair


SECOND = Spec(1.0, "m", "m", 2)


@pytest.mark.parametrize(
    ("plus", "outcome", "disagreeing", "largest"),
    [
        (0.0, "agrees", 0, 0.0),
        (1e-7, "agrees", 0, 1e-7),
        (0.5, "differs", 0, 0.5),
        (np.array([[3.0, 0.0], [0, 0]]), "differs", 1, 3.0),
    ],
)
def test_differences_are_told_by_decision_and_by_number(plus, outcome, disagreeing, largest, caplog):
    first, second, metrics = Model(1), Model(2, plus), Metrics()
    kept = Shadow(Loaded(first, second), [SECOND], metrics)
    with caplog.at_level(logging.INFO):
        answered = Observed(first, [kept]).run("", X)
        pair = settled(kept, 1)
        kept.close()
    assert (answered["y"] == X["x"]).all()
    assert (pair["version"], pair["shadow"], pair["requests"], pair["rows"]) == (1, 2, {outcome: 1}, 2)
    assert pair["disagreeing"] == disagreeing
    assert pair["largest_difference"]["y"] == pytest.approx(largest)
    assert set(pair["ms"]) == {"answered", "shadow"}
    lines = [json.loads(record.message) for record in caplog.records if record.message.startswith('{"difference"')]
    assert len(lines) == (outcome == "differs")
    assert f':hubel:serving:shadow_count{{model="m",outcome="{outcome}"}} 1' in metrics.page()
    assert second.threads == {"shadow"}


def test_several_signatures_at_once_are_one_request_of_the_shadow_too(caplog):
    first, second = Model(1), Model(2, np.array([[3.0, 0.0], [0, 0]]))
    kept = Shadow(Loaded(first, second), [SECOND], Metrics())
    with caplog.at_level(logging.INFO):
        Observed(first, [kept]).run_several({"a": ["y"], "b": ["z"]}, X)
        pair = settled(kept, 1)
        kept.close()
    assert (pair["requests"], pair["rows"], pair["disagreeing"], second.asked) == ({"differs": 1}, 2, 1, 1)
    assert pair["largest_difference"] == {"a/y": 3.0, "b/z": 3.0}
    assert '"signature": "a, b"' in caplog.text


def test_a_shadow_that_fails_reaches_nobody_and_is_counted(caplog):
    first, second = Model(1), Model(2, error=ServingError("INTERNAL", "broken"))
    kept = Shadow(Loaded(first, second), [SECOND], Metrics())
    observed = Observed(first, [kept])
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            assert (observed.run("", X)["y"] == X["x"]).all()
        pair = settled(kept, 5)
        second.error = RuntimeError("worse")
        assert (observed.run("", X)["y"] == X["x"]).all()
        settled_all = time.monotonic() + PATIENCE
        while sum(sum(pair["requests"].values()) for pair in kept.summary()) < 6 and time.monotonic() < settled_all:
            time.sleep(0.01)
        kept.close()
    assert pair["requests"] == {"failed": 5}
    assert "INTERNAL: broken" in caplog.text
    assert "worse" in caplog.text
    assert sum(pair["requests"].get("failed", 0) for pair in kept.summary()) == 6


def test_under_load_answers_are_right_and_do_not_wait_and_what_is_too_much_is_dropped():
    takes = 0.05 * times_slower()
    first, second = Model(1), Model(2, plus=1.0, wait=takes)
    loaded = Loaded(first, second)
    kept = Shadow(loaded, [SECOND], Metrics())
    observed, wrong, took = Observed(first, [kept]), [], []

    def client(number):
        for place in range(50):
            x, start = np.array([[float(number), float(place)]]), time.perf_counter()
            if not (observed.run("", {"x": x})["y"] == x).all():
                wrong.append((number, place))
            took.append(time.perf_counter() - start)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert np.median(took) < takes / 2
    kept.close()
    counts = [pair["requests"] for pair in kept.summary()]
    assert sum(sum(each.values()) for each in counts) == 800
    assert sum(each.get("dropped", 0) for each in counts) >= 800 - shadow.WAITING - 40
    assert (kept._waiting, kept._held, loaded.held) == (0, 0, 0)


def test_a_share_of_requests():
    first, second = Model(1), Model(2)
    kept = Shadow(Loaded(first, second), [Spec(0.25, "m", "m", 2)], Metrics(), random.Random(0))
    observed = Observed(first, [kept])
    for _ in range(400):
        observed.run("", X)
    kept.close()
    assert 70 <= sum_of(kept) <= 130


def test_a_label_is_followed_through_promotion_and_unloading(caplog):
    first, second, third = Model(1), Model(2), Model(3, plus=9.0)
    loaded = Loaded(first, second, third, canary=2)
    kept = Shadow(loaded, [Spec(1.0, label="canary")], Metrics())

    def outcome(servable):
        before = sum_of(kept)
        Observed(servable, [kept]).run("", X)
        end = time.monotonic() + PATIENCE
        while sum_of(kept) == before and time.monotonic() < end:
            time.sleep(0.01)

    with caplog.at_level(logging.INFO):
        outcome(first)
        loaded.canary = None  # promoted
        outcome(second)
        outcome(second)
        loaded.canary = 3  # pushed
        outcome(second)
        outcome(third)  # which answers those who name no version
        kept.close()
    told = {(pair["version"], pair["shadow"]): pair["requests"] for pair in kept.summary()}
    assert told == {(1, 2): {"agrees": 1}, (2, None): {"unavailable": 2}, (2, 3): {"differs": 1}, (3, 3): {"itself": 1}}
    assert caplog.text.count("until it is there") == 1
    assert caplog.text.count("is there again") == 1


def sum_of(kept):
    return sum(sum(pair["requests"].values()) for pair in kept.summary())


def test_who_asks_a_shadow_itself_is_not_asked_about():
    hidden = Model(2, name="m.shadow")
    kept = Shadow(Loaded(hidden), [Spec(1.0, "m", "m.shadow", 2), Spec(1.0, label="canary")], Metrics())
    Observed(hidden, [kept]).run("", X)
    kept.close()
    assert kept.summary() == []


ABOUT = About({"serving_default": {"p": "probabilities", "c": "names", "a": "is_anomaly", "d": "decisions", "n": "number"}})


@pytest.mark.parametrize(
    ("first", "second", "disagreeing", "largest"),
    [
        ({"p": [[0.1, 0.9]]}, {"p": [[0.9, 0.1]]}, 1, {"p": 0.8}),
        ({"c": np.array([[b"a", b"b"]], object)}, {"c": np.array([[b"a", b"c"]], object)}, 0, {}),
        ({"c": np.array([[b"a"]], object)}, {"c": np.array([[b"b"]], object)}, 1, {}),
        ({"a": [True, False], "n": [0.0, 1.0]}, {"a": [True, True], "n": [0.0, 2.0]}, 1, {"a": 1.0, "n": 1.0}),
        ({"d": [[True, False]] * 3}, {"d": [[True, False], [True, True], [False, False]]}, 2, {"d": 1.0}),
        ({"n": [np.nan, 1.0]}, {"n": [np.nan, 1.0]}, 0, {"n": 0.0}),
        ({"n": [1.0]}, {"n": [np.nan]}, 0, {"n": np.inf}),
        ({"p": [[0.1, 0.9]]}, {"p": [[0.1, 0.8, 0.1]]}, 0, {"p": np.inf}),
    ],
)
def test_what_differs(first, second, disagreeing, largest):
    arrays = [{name: np.asarray(value) for name, value in answers.items()} for answers in (first, second)]
    told = shadow.differences(ABOUT, *({"serving_default": answers} for answers in arrays))
    assert told == (disagreeing, pytest.approx(largest))
    json.dumps(shadow.plain(told[1]), allow_nan=False)
