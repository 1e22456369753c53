"""Observers hear of what was answered, and nothing that they do reaches a client."""

import logging

import numpy as np
import pytest

from serving.server.observed import Observed
from serving.server.status import ServingError


class Doubling:
    name, version, signatures = "m", 3, {"serving_default": None}

    def run(self, signature_name, feeds, outputs=None, deadline=None):
        if "x" not in feeds:
            raise ServingError("INVALID_ARGUMENT", "no x")
        return {"y": 2 * feeds["x"]}

    def run_several(self, asked, feeds, deadline=None):
        return {name: self.run(name, feeds) for name in asked}


class Listening:
    def __init__(self, fails=False):
        self.told, self.fails = [], fails

    def offer(self, servable, feeds, answers, seconds):
        told = {signature: arrays["y"].tolist() for signature, arrays in answers.items()}
        self.told.append((servable.version, feeds["x"].tolist(), told, seconds >= 0))
        if self.fails:
            raise RuntimeError("broken")


def test_observers_hear_of_what_was_answered_and_of_nothing_else():
    listening = Listening()
    observed = Observed(Doubling(), [listening])
    assert observed.run("", {"x": np.array([1, 2])})["y"].tolist() == [2, 4]
    with pytest.raises(ServingError):
        observed.run("", {})
    observed.unobserved.run("", {"x": np.array([7])})
    assert listening.told == [(3, [1, 2], {"serving_default": [2, 4]}, True)]
    assert observed.version == 3


def test_of_several_signatures_observers_hear_as_of_one_request():
    listening = Listening()
    asked = {"serving_default": ["y"], "again": ["y"]}
    assert set(Observed(Doubling(), [listening]).run_several(asked, {"x": np.array([1])})) == set(asked)
    assert listening.told == [(3, [1], {"serving_default": [2], "again": [2]}, True)]


def test_an_observer_that_fails_reaches_no_client_and_is_logged_once(caplog):
    broken, listening = Listening(fails=True), Listening()
    observed = Observed(Doubling(), [broken, listening])
    with caplog.at_level(logging.ERROR):
        answers = [observed.run("", {"x": np.array([place])})["y"].tolist() for place in range(3)]
    assert answers == [[0], [2], [4]]
    assert len(listening.told) == len(broken.told) == 3
    assert len([record for record in caplog.records if "observer" in record.message]) == 1
