"""Which tests run: CI must not pass by skipping, whole runs wait to be asked for, and what time was too short for is listed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import conftest

ROOT = Path(__file__).parents[2]
PYTEST = (sys.executable, "-m", "pytest", "-p", "pytest_timeout", "-p", "no:cacheprovider", "--color=no")
FEW_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # the others take longer to load than these tests to run
TESTS = """
import pytest

@pytest.mark.shared_data
def test_by_hand():
    pytest.skip("not today")

@pytest.mark.shared_data
@pytest.mark.skipif(True, reason="by mark")
def test_by_mark():
    pass

@pytest.mark.browser
def test_browser(chromium):
    pytest.skip("not today either")

@pytest.mark.shared_data
def test_with_data(shared_data):
    pass

@pytest.mark.shared_data
@pytest.mark.xfail
def test_expected():
    assert False

def test_unmarked():
    pytest.skip("may always be skipped")
"""
WHOLE = """
import time

import pytest

@pytest.mark.whole
def test_first():
    time.sleep(1)

@pytest.mark.whole
@pytest.mark.shared_data
def test_second():
    pass

def test_short():
    pass
"""


def _lay(folder: Path, tests: str) -> None:
    """A project of these tests alone, under the real conftest and settings, and a folder of data."""
    (folder / "tests").mkdir()
    (folder / "tests/test_some.py").write_text(tests)
    (folder / "tests/conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (folder / "data").mkdir()


@pytest.fixture
def outcomes(tmp_path):
    """Runs TESTS under the real conftest and settings. Returns {test: outcome} for the needs that are there."""
    _lay(tmp_path, TESTS)
    (tmp_path / "bin").mkdir()

    def run(*, ci, data, browser):
        if browser:
            (tmp_path / "bin/chromium").write_text("#!/bin/sh\n")
            (tmp_path / "bin/chromium").chmod(0o755)
        env = {k: v for k, v in os.environ.items() if k not in ("HUBEL_CI", "HUBEL_TEST_DATA")}
        env |= {"PATH": str(tmp_path / "bin"), **FEW_PLUGINS}
        env |= {"HUBEL_CI": "1"} if ci else {}
        env |= {"HUBEL_TEST_DATA": str(tmp_path / "data")} if data else {}
        command = [*PYTEST, "-v"]
        lines = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600).stdout.splitlines()
        seen = [line.split("::")[1].split()[:2] for line in lines if line.startswith("tests/test_some.py::") and "%]" in line]
        return {name.removeprefix("test_"): outcome for name, outcome in seen}

    return run


def test_a_skip_fails_where_its_needs_are_there(outcomes):
    assert outcomes(ci=True, data=True, browser=True) == {
        "by_hand": "FAILED",
        "by_mark": "ERROR",
        "browser": "FAILED",
        "with_data": "PASSED",
        "expected": "XFAIL",
        "unmarked": "SKIPPED",
    }


@pytest.mark.parametrize(("ci", "data", "passed"), [(True, False, "SKIPPED"), (False, True, "PASSED")], ids=["no-needs", "not-ci"])
def test_elsewhere_a_skip_stays_one(outcomes, ci, data, passed):
    seen = outcomes(ci=ci, data=data, browser=False)
    assert (seen["by_hand"], seen["by_mark"], seen["browser"]) == ("SKIPPED", "SKIPPED", "SKIPPED")
    assert seen["with_data"] == passed


def whole(folder: Path, *options) -> str:
    """What pytest says last, in a CI that has data."""
    command = [*PYTEST, *options]
    env = {**os.environ, "HUBEL_CI": "1", "HUBEL_TEST_DATA": str(folder / "data"), **FEW_PLUGINS}
    return subprocess.run(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=600
    ).stdout


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ((), "1 passed, 2 deselected"),
        (("--whole",), "3 passed"),
    ],
    ids=" ".join,
)
def test_whole_runs_wait_to_be_asked_for(options, counts, tmp_path):
    _lay(tmp_path, WHOLE)
    assert counts in whole(tmp_path, *options).splitlines()[-1]


def test_who_asks_for_whole_runs_alone_imports_no_other_file(tmp_path):
    _lay(tmp_path, WHOLE)
    (tmp_path / "tests/test_other.py").write_text("raise RuntimeError('imported')\n")
    assert "2 passed, 1 deselected" in whole(tmp_path, "--whole", "-m", "whole").splitlines()[-1]


def test_a_file_names_the_marker_that_its_tests_have(tmp_path):
    _lay(tmp_path, "from tests.marks import apart\n\n@apart\ndef test_first():\n    pass\n")
    (tmp_path / "tests/marks.py").write_text("import pytest\n\napart = pytest.mark.whole\n")
    (tmp_path / "tests/__init__.py").touch()
    assert "test_first is marked whole, and its file says nothing of pytest.mark.whole" in whole(tmp_path)


def test_what_time_was_too_short_for_is_listed_and_fails_nothing(tmp_path):
    _lay(tmp_path, WHOLE)
    said = whole(tmp_path, "--whole", "-m", "whole", "--seconds", "0.9").splitlines()
    assert "1 passed, 1 skipped, 1 deselected" in said[-1]
    at = next(number for number, line in enumerate(said) if " 1 tests were not reached " in line)
    assert "tests/test_some.py::test_second" in said[at + 1 :]


def test_files_that_are_to_start_first_are_there():
    assert [name for name in conftest.LONG if not (ROOT / "tests" / name).is_file()] == []
