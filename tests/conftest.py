"""What all tests share: data sets outside the repository, which tests run when, and the rule that CI skips nothing it could run."""

import functools
import gc
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

# Test processes share the machine: with a pool of threads each, as for one program alone, two cores spend half as much time again.
# Before anything imports TensorFlow or NumPy; processes that tests start inherit it.
for _pool in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")

# What imports leave is no garbage, and a collection would look through a million objects: a ninth of what collecting tests takes.
gc.disable()

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("hubel", deadline=None)  # machines differ, and so does what else they do
settings.load_profile("hubel")


def _shared_data() -> Path | None:
    folder = os.environ.get("HUBEL_TEST_DATA")
    return Path(folder) if folder and Path(folder).is_dir() else None


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def _docker() -> str | None:
    program = shutil.which("docker")
    is_up = program and subprocess.run([program, "version"], capture_output=True, check=False, timeout=60).returncode == 0
    return program if is_up else None


def _compose() -> str | None:
    program = shutil.which("docker")
    is_there = program and subprocess.run([program, "compose", "version"], capture_output=True, check=False).returncode == 0
    return program if is_there else None


def _tf_serving():
    from serving import real_server

    return real_server.find()


def _hadolint() -> str | None:
    return shutil.which("hadolint", path=os.pathsep.join([f"{sys.prefix}/bin", os.environ.get("PATH", "")]))


def _promtool() -> str | None:
    return shutil.which("promtool")


NEEDS = {  # marker -> what it needs, None where it is not there
    "shared_data": _shared_data,
    "browser": _chromium,
    "docker": _docker,
    "compose": _compose,
    "tf_serving": _tf_serving,
    "hadolint": _hadolint,
    "promtool": _promtool,
}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of prepared data sets; mark the test shared_data."""
    return _shared_data() or pytest.skip("HUBEL_TEST_DATA names no folder of data sets")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; mark the test browser."""
    return _chromium() or pytest.skip("no chromium on PATH")


@pytest.fixture(autouse=True, scope="module")
def what_is_there_stays():
    """Garbage is looked for among what came since: keras.backend.clear_session does that, and each trial of a search does twice. It
    takes seconds where it looks at everything that TensorFlow's import leaves."""
    gc.collect()
    gc.freeze()


APART = ("whole", "every")  # markers of tests that run where they are asked for
NOT_REACHED = "not reached in the seconds that were given"
STARTED = pytest.StashKey[float]()

# The files that take longest, whole runs first. A file is one process's, so the others would wait for one that starts last.
LONG = (
    "pipelines/test_run.py",
    "pipelines/test_without_labels.py",
    "pipelines/test_tune.py",
    "docs/test_transcripts.py",
    "pipelines/test_generative_models.py",
    "pipelines/test_autoencoders.py",
    "docs/test_anomalies_page.py",
    "pipelines/test_interrupted.py",
    "tuner/test_search.py",
    "docs/test_examples.py",
    "serving/server/test_every_model.py",
    "tuner/test_trial.py",
    "components/trainer/test_export.py",
    "keras_models/test_contract.py",
    "components/infra_validator/test_servers.py",
    "pipelines/command_line/test_serve_commands.py",
    "components/tasks/test_anomaly.py",
    "components/infra_validator/test_parity.py",
    "components/trainer/test_every_model.py",
    "components/trainer/test_transfer.py",
    "components/trainer/test_jit.py",
    "pipelines/test_odd_images.py",
    "components/example_gen/test_component.py",
    "components/evaluator/test_component.py",
    "pipelines/test_experiment.py",
    "pipelines/test_reports.py",
    "components/reporter/test_folds.py",
    "serving/server/rest/test_openapi.py",
    "serving/server/playground/test_playground.py",
    "serving/client/test_client.py",
    "pipelines/verbs/test_evaluate.py",
    "pipelines/verbs/test_compare.py",
    "pipelines/verbs/test_remote.py",
    "pipelines/verbs/test_autoencoder_verbs.py",
    "pipelines/test_bad_input.py",
    "pipelines/init/test_init.py",
    "pipelines/init/test_several_labels.py",
    "pipelines/data_sets/test_datasets.py",
    "docs/test_texts_page.py",
    "docs/test_looking_inside_page.py",
    "components/tasks/reconstruction/test_sparse.py",
    "components/trainer/test_resume.py",
    "components/trainer/test_augmented_training.py",
    "components/transform/test_pixels.py",
    "components/converter/test_every_network.py",
    "pipelines/orchestration/test_closures.py",
    "tuner/test_oracle.py",
    "tuner/test_figures.py",
    "tuner/test_auto.py",
    "components/trainer/test_data.py",
)


def pytest_addoption(parser):
    parser.addoption("--whole", action="store_true", help="run also the tests that are marked whole")
    parser.addoption("--every", action="store_true", help="run also the tests that are marked every")
    parser.addoption("--seconds", type=float, help="start no test later than this after the first one; those are listed at the end")


def pytest_collection_finish():
    """Where tests run, imports are over."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    gc.enable()


def pytest_configure(config):
    config.stash[STARTED] = time.monotonic()


@functools.cache
def _names(path: Path, marker: str) -> bool:
    """Whether a file names a marker. Where it does not, none of its tests has it (`pytest_collection_modifyitems`)."""
    return f"mark.{marker}" in path.read_text(encoding="utf-8")


def pytest_ignore_collect(collection_path, config):
    """What is asked for by a marker alone needs no other files, and importing all of them takes 15 s in each process."""
    asked = config.getoption("markexpr")
    if asked in APART and config.getoption(asked) and collection_path.match("test_*.py") and not _names(collection_path, asked):
        return True
    return None


def pytest_collection_modifyitems(config, items):
    for item in items:
        if unnamed := [name for name in APART if item.get_closest_marker(name) and not _names(item.path, name)]:
            raise pytest.UsageError(f"{item.nodeid} is marked {unnamed[0]}, and its file says nothing of pytest.mark.{unnamed[0]}")
    root = Path(__file__).parent
    order = {root / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(LONG)))
    for name in APART:
        if not config.getoption(name):
            config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker(name)])
            items[:] = [item for item in items if not item.get_closest_marker(name)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    seconds = item.config.getoption("seconds")
    if seconds is not None and time.monotonic() - item.config.stash[STARTED] >= seconds:
        pytest.skip(NOT_REACHED)


def pytest_terminal_summary(terminalreporter):
    names = [report.nodeid for report in terminalreporter.getreports("skipped") if NOT_REACHED in str(report.longrepr)]
    if names:
        terminalreporter.section(f"{len(names)} tests were not reached")
        for name in names:
            terminalreporter.write_line(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    is_a_choice = report.skipped and not hasattr(report, "wasxfail") and NOT_REACHED not in str(report.longrepr)
    if os.environ.get("HUBEL_CI") == "1" and is_a_choice:
        there = [name for name, find in NEEDS.items() if item.get_closest_marker(name) and find()]
        if there:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: skipped, although CI has what {' and '.join(there)} needs: {call.excinfo.value}"
    return report
