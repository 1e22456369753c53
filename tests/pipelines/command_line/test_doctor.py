"""Each check of the doctor, healthy and ill; the illness is put into what it reads, never into what it says."""

import functools
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from pipelines.command_line import doctor


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Runs all checks, once, and returns the one of a name, or None; what a test puts wrong comes before."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("TF_USE_LEGACY_KERAS", "KERAS_BACKEND", "KERAS_MAX_EPOCHS", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)

    @functools.cache
    def examined(workspace):
        return doctor.examine(str(workspace))

    def called(name, workspace=tmp_path / "workspace"):
        checks = examined(workspace)
        assert all(c.remedy for c in checks if c.ok is False), "each failure says what to do"
        return next((c for c in checks if c.name == name), None)

    return called


def test_a_healthy_installation(check, tmp_path):
    names = ("Python", "system", "names", "Keras", "Keras settings", "workspace")
    assert {name: check(name).ok for name in names} == dict.fromkeys(names, True)
    assert list(tmp_path.iterdir()) == []


def test_it_is_quick_and_imports_nothing_heavy():
    script = (
        "import sys; from pipelines.command_line.doctor import examine; examine('.'); "
        "print(*{m.split('.')[0] for m in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600, check=True)
    assert not {"tensorflow", "keras", "tfx", "apache_beam", "numpy"} & set(done.stdout.split())


def test_python(check, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 12, 1, "final", 0))
    assert check("Python").ok is False
    assert "3.12.1" in check("Python").detail


@pytest.mark.parametrize(
    ("libc", "ok", "said"),
    [
        ("glibc 2.27", False, "need glibc 2.28"),
        (None, False, "no glibc"),
        ("glibc 2.28", True, "requirements.lock serve"),
        ("glibc 2.39", True, "new enough"),
    ],
)
def test_glibc(check, monkeypatch, libc, ok, said):
    monkeypatch.setattr(os, "confstr", lambda name: libc)
    assert check("system").ok is ok
    assert said in check("system").detail


def test_another_machine(check, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert check("system").ok is False


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """Writes the lock that the doctor reads."""
    monkeypatch.setattr(doctor, "LOCK", tmp_path / "requirements.lock")
    return lambda text: doctor.LOCK.write_text(text)


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Puts a distribution's metadata in front of what is installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def add(name, version, record="", requires=()):
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        asks = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{asks}")
        (info / "RECORD").write_text(record)
        return folder

    return add


def test_packages_as_locked(check, lock):
    lock(
        f"# comment\nclick=={importlib.metadata.version('click')}\n    # via tfx\nPyYAML=={importlib.metadata.version('pyyaml')}\n"
    )
    assert check("packages") == doctor.Check("packages", True, "all 2 exactly as in requirements.lock")


def test_a_missing_package(check, lock):
    lock("no-such-package==1.0\n")
    assert check("packages").ok is False
    assert "missing: no-such-package" in check("packages").detail


def test_a_package_that_differs_but_fits_is_a_note(check, lock):
    lock("click==8.1.0\n")
    assert check("packages").ok is None
    assert "(lock: 8.1.0)" in check("packages").detail
    assert "make setup" in check("packages").remedy


def test_a_package_out_of_range(check, distribution):
    distribution("tfx", "1.15.0")
    assert check("packages").ok is False
    assert "tfx 1.15.0 (needs <1.22,>=1.21)" in check("packages").detail


def test_without_a_lock_the_ranges_count(check, lock):
    assert check("packages").ok is True
    assert "no requirements.lock" in check("packages").detail


def test_hubel_not_installed(check, monkeypatch):
    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert check("packages").ok is False
    assert "make setup" in check("packages").remedy


def test_pyfarmhash_missing_is_a_note(check, lock, monkeypatch):
    lock("pyfarmhash==0.3.2\n")
    without = [d for d in importlib.metadata.distributions() if d.metadata["Name"] != "pyfarmhash"]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: iter(without))
    assert check("pyfarmhash").ok is None
    assert "pip install pyfarmhash" in check("pyfarmhash").remedy
    assert check("packages").ok is True


def test_a_package_of_our_name_from_elsewhere(check, monkeypatch, tmp_path):
    (tmp_path / "elsewhere/serving").mkdir(parents=True)
    (tmp_path / "elsewhere/serving/__init__.py").touch()
    monkeypatch.delitem(sys.modules, "serving", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    assert check("names").ok is False
    assert f"serving comes from {tmp_path / 'elsewhere/serving'}" in check("names").detail


def test_a_module_of_our_name_from_elsewhere(check, monkeypatch, tmp_path):
    (tmp_path / "tuner.py").touch()
    monkeypatch.delitem(sys.modules, "tuner", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert f"tuner comes from {tmp_path / 'tuner.py'}" in check("names").detail


def test_another_distribution_that_wrote_into_our_folder(check, distribution, monkeypatch):
    folder = distribution("configs-of-others", "1.0", record="configs/__init__.py,,\n")
    (folder / "configs").mkdir()
    (folder / "configs/__init__.py").touch()
    monkeypatch.setattr(doctor, "ROOT", folder)
    for name in [name for name in sys.modules if name.split(".")[0] == "configs"]:
        monkeypatch.delitem(sys.modules, name)
    assert check("names").ok is False
    assert "configs is also written by the package configs-of-others" in check("names").detail


def test_keras_2(check, distribution):
    distribution("keras", "2.15.0")
    assert check("Keras").ok is False


@pytest.mark.parametrize(("value", "ok"), [("1", None), ("true", None), ("0", True)])
def test_legacy_keras_in_the_environment(check, monkeypatch, value, ok):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)
    assert check("Keras").ok is ok
    assert "import keras" in check("Keras").detail + check("Keras").remedy


@pytest.mark.parametrize("setting", [{"backend": "jax"}, {"image_data_format": "channels_first"}, {"floatx": "float16"}])
def test_keras_json(check, tmp_path, setting):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras/keras.json").write_text(json.dumps(setting))
    assert check("Keras settings").ok is False
    assert f"{next(iter(setting))} is {next(iter(setting.values()))}" in check("Keras settings").detail


@pytest.mark.parametrize("text", ["{", "[1]", "null"])
def test_broken_keras_json(check, tmp_path, text):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras/keras.json").write_text(text)
    assert "cannot be read" in check("Keras settings").detail


@pytest.mark.parametrize(("name", "value"), [("KERAS_BACKEND", "torch"), ("KERAS_MAX_EPOCHS", "1")])
def test_keras_variables(check, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert check("Keras settings").ok is False


@pytest.mark.parametrize("parent", ["a_file", "/proc/1"])
def test_a_workspace_that_cannot_be_written(check, tmp_path, parent):
    (tmp_path / "a_file").touch()
    writable = check("workspace", tmp_path / parent / "workspace")
    assert writable.ok is False
    assert "cannot be written to" in writable.detail


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("free", "ok"), [(6 * 2**30, True), (4 * 2**30, None), (50 * 2**20, False)])
def test_disk(check, monkeypatch, free, ok):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2**40, 0, free))
    assert check("disk").ok is ok
    assert f"{free / 2**30:.1f} GiB" in check("disk").detail
    assert bool(check("disk").remedy) is (ok is not True)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without a GPU and without limits, to be added to."""
    for name in ("NVIDIA_CARDS", "DEVICES", "CGROUP"):
        monkeypatch.setattr(doctor, name, tmp_path / name)
        (tmp_path / name).mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def put_card_in(machine: Path):
    (machine / "NVIDIA_CARDS/0000:01:00.0").mkdir()
    (machine / "NVIDIA_CARDS/0000:01:00.0/information").write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 0\n")
    (machine / "DEVICES/nvidia0").touch()


def test_no_gpu(check, machine):
    assert check("GPU") == doctor.Check("GPU", None, "none found: training runs on the CPU")


@pytest.mark.parametrize(("installed", "ok"), [(True, True), (False, None)])
def test_a_gpu_needs_the_libraries_that_tensorflow_names(check, machine, distribution, installed, ok):
    put_card_in(machine)
    distribution("tensorflow", "2.21.0", requires=['some-cudnn>=9; extra == "and-cuda"'])
    if installed:
        distribution("some-cudnn", "9.1")
    assert check("GPU").ok is ok
    assert "NVIDIA H100 80GB HBM3" in check("GPU").detail
    assert ("tensorflow[and-cuda]" in check("GPU").remedy) is not installed


def test_a_hidden_gpu(check, machine, monkeypatch):
    put_card_in(machine)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert "hidden" in check("GPU").detail


def test_a_gpu_of_the_host_alone(check, machine):
    put_card_in(machine)
    (machine / "DEVICES/nvidia0").unlink()
    assert "none found" in check("GPU").detail


@pytest.mark.parametrize(("code", "said"), [(0, "NVIDIA A2,"), (9, "none found")])
def test_a_gpu_that_only_nvidia_smi_knows(check, machine, code, said):
    program = machine / "bin/nvidia-smi"
    program.write_text(f'#!/bin/sh\necho "GPU 0: NVIDIA A2 (UUID: GPU-1)"\nexit {code}\n')
    program.chmod(0o755)
    assert said in check("GPU").detail


def test_limits_of_a_container(check, machine):
    (machine / "CGROUP/cpu.max").write_text("50000 100000\n")
    (machine / "CGROUP/memory.max").write_text(f"{2**29}\n")
    assert check("size") == doctor.Check("size", None, "0.5 cores, 0.5 GiB of memory")


def test_no_limits(check, machine):
    (machine / "CGROUP/cpu.max").write_text("max 100000\n")
    (machine / "CGROUP/memory.max").write_text("max\n")
    assert check("size").detail.startswith(f"{len(os.sched_getaffinity(0))} cores")
