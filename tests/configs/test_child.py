"""What a process of another one's says of its end, and with what code."""

import gc
import json
import os
import subprocess
import sys

import pytest

from configs import child
from configs.errors import HubelError, UsageError, from_json

LOG = "The log has the whole story."
WORK = """
import sys, threading, time
from configs import child
from configs.errors import HubelError, UsageError

def work(request, send):
    send({"event": "begun", "of": request["of"]})
    threading.Thread(target=time.sleep, args=(600,)).start()  # as libraries have them
    if "full" in request:
        sys.stderr.close()
        sys.stderr = open("/dev/full", "w", buffering=1)
    exec(request["does"])
    return 75

child.serve(work)
"""


def served(**request) -> tuple[int, list[dict], str]:
    """The exit code of a process that does `request`, its events and what else it said."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(writing)],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(writing,), text=True,
    )  # fmt: skip
    os.close(writing)
    process.stdin.write(json.dumps({"of": 3, **request}) + "\n")
    process.stdin.flush()
    with os.fdopen(reading) as events:
        told = [json.loads(line) for line in events]
    code = process.wait()
    with process.stderr as stderr:
        said = stderr.read()
    process.stdin.close()
    return code, told, said


def test_what_was_done_ends_with_its_own_code_whatever_threads_there_are():
    assert served(does="") == (75, [{"event": "begun", "of": 3}], "")


@pytest.mark.parametrize(
    ("does", "expected"),
    [
        ("raise UsageError('wrong', 'mend it')", UsageError("wrong", "mend it")),
        ("raise HubelError('failed', log='x')", HubelError("failed", log="x")),
        ("[][1]", HubelError("IndexError: list index out of range", LOG)),
        ("send({1j: 2})", HubelError("TypeError: keys must be str, int, float, bool or None, not complex", LOG)),
    ],
)
def test_what_it_raises_is_said_and_is_its_code(does, expected):
    code, [_, failure], said = served(does=does)
    error = from_json(failure)
    assert (type(error), error.as_json()) == (type(expected), expected.as_json())
    assert code == expected.exit_code
    assert said.startswith("Traceback")


def test_a_full_disk_under_the_log_does_not_keep_the_failure_from_being_said():
    code, [_, failure], _ = served(does="raise UsageError('wrong', 'mend it')", full=True)
    assert (code, failure["error"]["message"]) == (2, "wrong")


@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "SystemExit"])
def test_one_that_is_ended_says_no_failure_and_is_gone_in_spite_of_its_threads(raised):
    code, events, said = served(does=f"raise {raised}")
    assert (code, len(events)) == (1, 1)
    assert raised in said


def test_while_it_imports_nobody_looks_for_circles_and_afterwards_not_at_what_is_there():
    def failing():
        with child.importing():
            looking.append(gc.isenabled())
            raise ImportError

    before, looking = gc.get_freeze_count(), []
    try:
        with pytest.raises(ImportError):
            failing()
        assert [*looking, gc.isenabled()] == [False, True]
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
