"""What all tests share: the data sets that lie outside the repository, and the rule that CI skips nothing it could run."""

import gc
import os
import shutil
from pathlib import Path

# Test processes share the machine: with a pool of threads each, as for one program alone, two cores spend half as much time again.
# Before anything imports TensorFlow or NumPy; processes that tests start inherit it.
for _pool in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")

gc.set_threshold(50_000)  # as pipelines/startup has it, for the same imports

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("hubel", deadline=None)  # machines differ, and so does what else they do
settings.load_profile("hubel")


def _shared_data() -> Path | None:
    folder = os.environ.get("HUBEL_TEST_DATA")
    return Path(folder) if folder and Path(folder).is_dir() else None


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


NEEDS = {"shared_data": _shared_data, "browser": _chromium}  # marker -> what it needs, None where it is not there


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of prepared data sets; mark the test shared_data."""
    return _shared_data() or pytest.skip("HUBEL_TEST_DATA names no folder of data sets")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; mark the test browser."""
    return _chromium() or pytest.skip("no chromium on PATH")


# Files that take a minute and more. A file is one process's, so the others would wait for one that starts last.
LONG = (
    "pipelines/test_autoencoders.py",
    "pipelines/test_run.py",
    "pipelines/test_generative_models.py",
    "pipelines/test_without_labels.py",
    "pipelines/test_interrupted.py",
    "pipelines/test_bad_input.py",
    "keras_models/test_contract.py",
    "pipelines/test_own_images.py",
    "components/trainer/test_every_model.py",
    "components/trainer/test_transfer.py",
    "pipelines/test_experiment.py",
)


def pytest_collection_modifyitems(items):
    root = Path(__file__).parent
    order = {root / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(LONG)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if os.environ.get("HUBEL_CI") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        there = [name for name, find in NEEDS.items() if item.get_closest_marker(name) and find()]
        if there:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: skipped, although CI has what {' and '.join(there)} needs: {call.excinfo.value}"
    return report
