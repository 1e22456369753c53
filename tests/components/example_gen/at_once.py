"""Sources are checked while a person waits."""

import subprocess
import sys

from tests.slower import times_slower

CHECK = """
import sys, time
from pathlib import Path
from components.example_gen import sources
start, said = time.process_time(), "nothing"
try:
    sources.check(sys.argv[1], Path(sys.argv[2]))
except Exception as error:
    said = type(error).__name__
print(said, "tensorflow" in sys.modules, time.process_time() - start)
"""


def assert_checked_at_once(source: str, datasets, said: str = "nothing") -> None:
    """A new process checks a source in a second, without TensorFlow, and has `said`: the name of an exception, or nothing."""
    code = [sys.executable, "-c", CHECK, source, str(datasets)]
    done = subprocess.run(code, capture_output=True, text=True, timeout=600, check=True)
    *told, seconds = done.stdout.split()
    assert told == [said, "False"]
    assert float(seconds) < times_slower()
