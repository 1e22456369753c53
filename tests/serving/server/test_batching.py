"""Requests that run together answer as they would alone."""

import threading
import time

import numpy as np
import pytest

from configs.errors import UsageError
from serving.server import batching, model_config
from serving.server.batching import Batching, Parameters
from serving.server.status import ServingError
from tests.slower import PATIENCE


class Held:
    """A Servable whose runs wait until they are let go, and are counted."""

    def __init__(self, servable):
        self.servable, self.let, self.rows, self.is_closed = servable, threading.Event(), [], False
        self.name, self.version, self.signatures = servable.name, servable.version, servable.signatures

    def run(self, name, feeds, outputs=None, deadline=None):
        self.rows.append(len(next(iter(feeds.values()))))
        self.let.wait(20)
        return self.servable.run(name, feeds, outputs, deadline)

    def close(self):
        self.is_closed = True


def feeds(*values):
    return {"x": np.array(values, np.float32)[:, None]}


def ask(batched, answers, key, *arguments, **named):
    def call():
        try:
            answers[key] = batched.run(*arguments, **named)
        except ServingError as error:
            answers[key] = error

    thread = threading.Thread(target=call)
    thread.start()
    return thread


def queued(batched, rows):
    until = time.monotonic() + PATIENCE
    while batched._waiting < rows and time.monotonic() < until:
        time.sleep(0.001)
    assert batched._waiting == rows


@pytest.fixture
def held(servable):
    return Held(servable)


def batches(held, requests, **parameters):
    """Answers of requests that wait behind one that is being run, and what the Servable was asked."""
    batched, answers = Batching(held, Parameters(num_batch_threads=1, **parameters)), {}
    threads = [ask(batched, answers, "first", "", feeds(0))]
    while not held.rows:
        time.sleep(0.001)
    for key, request in enumerate(requests):
        threads.append(ask(batched, answers, key, *request))
    queued(batched, sum(len(next(iter(request[1].values()))) for request in requests))
    held.let.set()
    for thread in threads:
        thread.join(20)
    batched.close()
    return answers, held.rows


def test_what_waits_runs_together_and_a_single_request_waits_for_nobody(held):
    answers, rows = batches(held, [("", feeds(2 * place, 2 * place + 1)) for place in range(8)])
    assert rows == [1, 16]
    for place in range(8):
        assert answers[place]["y"].ravel().tolist() == [place + 2, place + 2.5]


def test_a_batch_is_no_larger_than_allowed_and_padded_to_what_is(held):
    answers, rows = batches(held, [("", feeds(place)) for place in range(6)], max_batch_size=4, allowed_batch_sizes=(1, 4))
    assert rows == [1, 4, 4]
    assert [answers[place]["y"].shape for place in range(6)] == [(1, 1)] * 6


def test_different_signatures_dtypes_and_widths_do_not_meet(held):
    example = np.array([b""], object)
    requests = [("", feeds(1)), ("regress_x_to_y", {"inputs": example}), ("", {"x": np.float32([[1, 2]])}), ("", feeds(3))]
    answers, rows = batches(held, requests)
    assert sorted(rows) == [1, 1, 1, 2]
    assert answers[2]["y"].tolist() == [[2.5, 3.0]]
    assert answers[1]["outputs"].tolist() == [[2.0]]


def test_a_bad_request_fails_alone(held):
    bad, good = np.array([b"no example"], object), np.array([b""], object)
    requests = [("regress_x_to_y", {"inputs": value}) for value in (good, bad, good)]
    answers, rows = batches(held, requests)
    assert rows == [1, 3, 1, 1, 1]
    assert answers[1].code == "INVALID_ARGUMENT"
    assert answers[0]["outputs"].tolist() == answers[2]["outputs"].tolist() == [[2.0]]


def test_what_does_not_fit_goes_alone_with_the_servables_words(servable):
    batched = Batching(servable, Parameters(max_batch_size=4, num_batch_threads=1))
    assert batched.run("", feeds(*range(5)))["y"].shape == (5, 1)
    assert batched.run("", {"x": np.float32(2)})["y"] == 3
    assert batched.run("", {"x": np.zeros((0, 1), np.float32)})["y"].shape == (0, 1)
    for arguments, code in ((("none", feeds(1)), "FAILED_PRECONDITION"), (("", {"q": np.float32([1])}), "INVALID_ARGUMENT")):
        with pytest.raises(ServingError, match=code):
            batched.run(*arguments)
    with pytest.raises(ServingError, match="DEADLINE_EXCEEDED"):
        batched.run("", feeds(1), deadline=time.monotonic())
    with pytest.raises(ServingError, match="Type mismatch"):
        batched.run("", {"x": np.array([[1]], np.int32)})
    assert batched.warmup is servable.warmup


def test_a_full_queue_refuses_as_tf_serving_does(held):
    batched, answers = Batching(held, Parameters(max_batch_size=2, max_enqueued_batches=1, num_batch_threads=1)), {}
    threads = [ask(batched, answers, 0, "", feeds(0))]
    while not held.rows:
        time.sleep(0.001)
    threads.append(ask(batched, answers, 1, "", feeds(1, 2)))
    queued(batched, 2)
    with pytest.raises(ServingError, match=r"UNAVAILABLE: The batch scheduling queue .* is full"):
        batched.run("", feeds(3))
    held.let.set()
    for thread in threads:
        thread.join()
    assert answers[1]["y"].ravel().tolist() == [2.5, 3.0]
    batched.close()
    assert held.is_closed
    with pytest.raises(ServingError, match="UNAVAILABLE"):
        batched.run("", feeds(1))


def test_with_a_timeout_a_batch_waits_to_be_full(held):
    held.let.set()
    batched, answers = Batching(held, Parameters(max_batch_size=3, batch_timeout_micros=200_000_000, num_batch_threads=1)), {}
    start = time.monotonic()
    threads = [ask(batched, answers, place, "", feeds(place)) for place in range(3)]
    for thread in threads:
        thread.join()
    assert held.rows == [3]
    assert time.monotonic() - start < 100
    batched.close()


def test_those_who_were_just_answered_are_waited_for_and_a_single_client_is_not(servable, monkeypatch):
    monkeypatch.setattr(batching, "PATIENCE", (1000.0, 10.0))  # so long that what is seen is no chance
    held = Held(servable)
    batched, answers = Batching(held, Parameters(num_batch_threads=1)), {}
    threads = [ask(batched, answers, "first", "", feeds(0))]
    while not held.rows:
        time.sleep(0.001)
    threads += [ask(batched, answers, place, "", feeds(place)) for place in range(4)]
    queued(batched, 4)
    held.let.set()
    for thread in threads:
        thread.join(20)
    assert held.rows == [1, 4]
    again = []
    for place in range(5):  # as many as ever asked at once, one after the other
        again.append(ask(batched, answers, f"again {place}", "", feeds(place)))
        time.sleep(0.02)
    for thread in again:
        thread.join(20)
    assert held.rows == [1, 4, 5]
    assert [answers[f"again {place}"]["y"].item() for place in range(5)] == [2, 2.5, 3, 3.5, 4]
    batched.close()
    alone = Batching(held, Parameters(num_batch_threads=1))
    start = time.monotonic()
    for place in range(5):
        assert alone.run("", feeds(place))["y"].item() == place / 2 + 2
    assert time.monotonic() - start < 5
    alone.close()


def test_what_waits_for_others_is_answered_when_the_model_is_unloaded(servable, monkeypatch):
    monkeypatch.setattr(batching, "PATIENCE", (1000.0, 60.0))
    held = Held(servable)
    batched, answers = Batching(held, Parameters(num_batch_threads=1)), {}
    threads = [ask(batched, answers, place, "", feeds(place)) for place in range(3)]
    queued_or_run = time.monotonic() + 10
    while sum(held.rows) + batched._waiting < 3 and time.monotonic() < queued_or_run:
        time.sleep(0.001)
    held.let.set()
    for thread in threads:
        thread.join(20)
    last = ask(batched, answers, "last", "", feeds(8))  # two more are expected
    queued(batched, 1)
    start = time.monotonic()
    batched.close()
    last.join(20)
    assert answers["last"]["y"].item() == 6
    assert time.monotonic() - start < 20


def test_a_crowd_that_went_away_is_forgotten():
    crowd = batching.Crowd()
    for _ in range(3):
        crowd.come(32)
        crowd.go(32, 0.01)
        assert crowd.expected == 32
    for _ in range(20):
        crowd.come(1)
        crowd.go(1, 0.001)
    assert 1 <= crowd.expected < 1.5
    assert (crowd.inside, crowd.seconds) == (0, 0.001)


def test_rows_of_different_lengths_are_padded_where_that_is_asked_for():
    arrays = [np.array([[1, 2]]), np.array([[3]])]
    shape = np.max([array.shape[1:] for array in arrays], axis=0)
    assert [batching._padded(array, shape).tolist() for array in arrays] == [[[1, 2]], [[3, 3]]]


def test_parameters_are_tf_servings_file(tmp_path):
    path = tmp_path / "batching.txt"
    path.write_text(
        "max_batch_size { value: 32 }\nbatch_timeout_micros { value: 1000 }\nmax_enqueued_batches { value: 100 }\n"
        'num_batch_threads { value: 4 }\nthread_pool_name { value: "x" }\nallowed_batch_sizes: 8\nallowed_batch_sizes: 32\n'
        "pad_variable_length_inputs: true\n"
    )
    assert batching.read(path) == Parameters(32, 1000, 100, 4, (8, 32), True)
    path.write_text("")
    assert batching.read(path) == Parameters()
    for text, said in (
        ("max_batch_size: 3", "no batching parameters"),
        ("nothing { value: 1 }", "no batching parameters"),
        ("max_batch_size { value: 0 }", "max_batch_size is 0"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: 2", "is not max_batch_size"),
        ("max_batch_size { value: 2 } allowed_batch_sizes: [2, 2]", "do not ascend"),
    ):
        path.write_text(text)
        with pytest.raises(UsageError, match=said):
            batching.read(path)
    with pytest.raises(UsageError, match="cannot be read"):
        batching.read(tmp_path / "none")


@pytest.mark.parametrize("read", [batching.read, model_config.read])
def test_what_a_parser_says_of_a_file_ends_as_one_sentence(read, tmp_path):
    (tmp_path / "a.txt").write_text("nonsense {")
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "a.txt")
    assert 'has no field named "nonsense".' in caught.value.message
    assert not caught.value.message.endswith("..")
