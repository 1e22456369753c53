"""CI must not pass by skipping: tests/conftest.py turns a skip whose needs are there into a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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


@pytest.fixture
def outcomes(tmp_path):
    """Runs TESTS under the real conftest and settings. Returns {test: outcome} for the needs that are there."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_some.py").write_text(TESTS)
    (tmp_path / "tests/conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / "data").mkdir()
    (tmp_path / "bin").mkdir()

    def run(*, ci, data, browser):
        if browser:
            (tmp_path / "bin/chromium").write_text("#!/bin/sh\n")
            (tmp_path / "bin/chromium").chmod(0o755)
        env = {k: v for k, v in os.environ.items() if k not in ("HUBEL_CI", "HUBEL_TEST_DATA")} | {"PATH": str(tmp_path / "bin")}
        env |= {"HUBEL_CI": "1"} if ci else {}
        env |= {"HUBEL_TEST_DATA": str(tmp_path / "data")} if data else {}
        command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--color=no"]
        lines = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60).stdout.splitlines()
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
