"""What `hubel doctor` looks at: this machine and this installation, in about a second and without importing TensorFlow."""

import ctypes.util
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from configs.packages import PACKAGES
from pipelines.workspace.layout import MIN_FREE

ROOT = Path(__file__).parents[2]  # the checkout, or site-packages
LOCK = ROOT / "requirements.lock"
GLIBC_OF_LOCK, GLIBC_OF_TFX = (2, 28), (2, 39)
SPACIOUS = 5 * 2**30  # bytes: a data set, a few runs' artifacts and models

# Where the system tells of itself; tests put other folders in their place.
NVIDIA_CARDS = Path("/proc/driver/nvidia/gpus")
DEVICES = Path("/dev")
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Check:
    """One finding. ok: True, False (`remedy` says what to do), or None for a note that stops nothing."""

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""


def examine(workspace: str) -> list[Check]:
    """Every check, in the order in which mending them makes sense. Leaves nothing behind in the workspace."""
    installed = _installed()
    return [
        _python(),
        _system(),
        _packages(installed),
        *_farmhash(installed),
        _names(),
        _keras(installed),
        _keras_settings(),
        _writable(workspace),
        _disk(workspace),
        _gpu(installed),
        _size(),
    ]


def _python() -> Check:
    running = ".".join(map(str, sys.version_info[:3]))
    if tuple(sys.version_info[:2]) == (3, 11):
        return Check("Python", True, f"{running} at {sys.executable}")
    return Check(
        "Python", False, f"{running} at {sys.executable}; hubel needs 3.11.", "Install Python 3.11 and run `make setup` again."
    )


def _system() -> Check:
    remedy = "Use Debian 10, Ubuntu 20.04 or newer on x86_64, or a container of one."
    system = f"{platform.system()} {platform.machine()}"
    if system != "Linux x86_64":
        return Check("system", False, f"{system}; TFX has packages for Linux on x86_64 only.", remedy)
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):
        libc = ""
    version = tuple(map(int, re.findall(r"\d+", libc)[:2]))
    if version < GLIBC_OF_LOCK:
        return Check("system", False, f"{system}, {libc or 'no glibc'}; the packages need glibc 2.28.", remedy)
    if version < GLIBC_OF_TFX:
        meaning = "TFX's own ml-metadata and TFDV need 2.39, so the older two of requirements.lock serve"
    else:
        meaning = "new enough for TFX's own ml-metadata and TFDV, and for those of requirements.lock"
    return Check("system", True, f"{system}, {libc}: {meaning}")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed() -> dict[str, str]:
    """Canonical name -> version of what this Python can import; the first on the path wins, as it does in imports."""
    versions: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        versions.setdefault(_canonical(_header(distribution, "Name")), _header(distribution, "Version"))
    return versions


def _header(distribution: importlib.metadata.Distribution, key: str) -> str:
    """Of the metadata; `distribution.metadata` parses all of it, which takes ten times as long for two hundred packages."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    line = re.search(rf"^{key}: *(\S+)", text, re.MULTILINE)
    return line[1] if line else ""


def _packages(installed: dict[str, str]) -> Check:
    """Against hubel's own ranges, and against requirements.lock where there is one."""
    try:
        asked = [Requirement(text) for text in importlib.metadata.requires("hubel") or ()]
    except importlib.metadata.PackageNotFoundError:
        return Check("packages", False, "hubel itself is not installed in this Python.", f"Run `make setup` in {ROOT}.")
    asked = [requirement for requirement in asked if requirement.marker is None or requirement.marker.evaluate({"extra": ""})]
    locked = _locked()
    missing = {_canonical(requirement.name) for requirement in asked} | set(locked)
    missing -= set(installed) | {"pyfarmhash"}
    wrong = [
        f"{requirement.name} {installed[_canonical(requirement.name)]} (needs {requirement.specifier})"
        for requirement in asked
        if _canonical(requirement.name) in installed
        and not requirement.specifier.contains(installed[_canonical(requirement.name)], prereleases=True)
    ]
    if missing or wrong:
        parts = [f"missing: {_listed(sorted(missing))}"] * bool(missing) + [f"unfit: {_listed(wrong)}"] * bool(wrong)
        remedy = f"Run `rm -rf .venv; make setup` in {ROOT}." if locked else "Run `pip install --force-reinstall hubel`."
        return Check("packages", False, f"{'; '.join(parts)}.", remedy)
    if not locked:
        return Check("packages", True, f"all {len(asked)} fit; no requirements.lock beside {ROOT / 'pipelines'} to compare with")
    other = [f"{name} {installed[name]} (lock: {pin})" for name, pin in locked.items() if installed.get(name, pin) != pin]
    if other:
        remedy = f"Run `rm -f .venv/.ready; make setup` in {ROOT}."  # without the stamp that says that all is done
        return Check("packages", None, f"they fit, but {len(other)} differ from requirements.lock: {_listed(other)}.", remedy)
    return Check("packages", True, f"all {len(locked)} exactly as in requirements.lock")


def _locked() -> dict[str, str]:
    """Canonical name -> version; empty where hubel was installed from a wheel."""
    text = LOCK.read_text(encoding="utf-8") if LOCK.is_file() else ""
    return {_canonical(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)}


def _listed(items: list[str], most: int = 6) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def _farmhash(installed: dict[str, str]) -> Iterator[Check]:
    """Says something only where pyfarmhash is missing: components.compat.tfdv then stands in for it."""
    if "pyfarmhash" not in installed:
        remedy = f"Run `apt install g++ python3.11-dev`, then `{sys.executable} -m pip install pyfarmhash`."
        yield Check("pyfarmhash", None, "not installed, for want of a C++ compiler at set-up; a slower stand-in serves.", remedy)


def _names() -> Check:
    """hubel's packages have names that others may use too; an import must find ours."""
    names = [name for name in PACKAGES if (ROOT / name).is_dir()]
    foreign = {name: place for name in names if (place := _place(name)) != (ROOT / name).resolve()}
    owners = {name: owner for name, owner in _owners(names) if name not in foreign}
    if not foreign and not owners:
        return Check("names", True, f"{', '.join(names)} come from {ROOT}")
    clashes = [f"{name} comes from {place or 'nowhere'}" for name, place in foreign.items()]
    clashes += [f"{name} is also written by the package {owner}" for name, owner in owners.items()]
    remedy = "Uninstall that package and install hubel again, or take that folder off PYTHONPATH and start elsewhere."
    return Check("names", False, f"{'; '.join(clashes)}, not from {ROOT} alone.", remedy)


def _place(name: str) -> Path | None:
    """Folder (or file) that an import of a top-level name would load."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    return Path(spec.origin).resolve() if spec.origin else None


def _owners(names: list[str]) -> Iterator[tuple[str, str]]:
    """(our name, other distribution) for each distribution that installs files under our name beside or over ours."""
    for distribution in importlib.metadata.distributions():
        if Path(distribution.locate_file("")).resolve() == ROOT.resolve() and (name := _header(distribution, "Name")) != "hubel":
            record = "\n" + (distribution.read_text("RECORD") or "")
            yield from ((ours, name) for ours in names if f"\n{ours}/__init__.py," in record)


def _keras(installed: dict[str, str]) -> Check:
    version = installed.get("keras", "none")
    if int(re.match(r"\d*", version)[0] or 0) < 3:
        return Check(
            "Keras", False, f"Keras {version}; hubel needs Keras 3.", "Run `make setup`, or `pip install 'keras>=3.15,<4'`."
        )
    if os.environ.get("TF_USE_LEGACY_KERAS") in ("true", "True", "1"):
        remedy = "hubel itself does not mind; in your own code write `import keras`, or unset the variable."
        return Check("Keras", None, f"{version}, but TF_USE_LEGACY_KERAS makes `tf.keras` Keras 2.", remedy)
    return Check(
        "Keras", True, f"{version}; write `import keras`: `tf.keras` becomes Keras 2 once tensorflow_transform is imported"
    )


def _keras_settings() -> Check:
    """~/.keras/keras.json and variables that silently change every Keras program of this user."""
    file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    wanted = {"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32"}
    try:
        said = dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
    except (OSError, TypeError, ValueError) as error:
        return Check("Keras settings", False, f"{file} cannot be read: {error}.", f"Remove {file}; Keras writes a new one.")
    if os.environ.get("KERAS_BACKEND"):
        said = {**said, "backend": os.environ["KERAS_BACKEND"]}
    wrong = [f"{key} is {said[key]} and must be {value}" for key, value in wanted.items() if said.get(key, value) != value]
    wrong += [f"{name} is set" for name in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH") if os.environ.get(name)]
    if wrong:
        return Check("Keras settings", False, f"{'; '.join(wrong)}.", f"Change {file}, or unset the KERAS_ variables.")
    return Check("Keras settings", True, ", ".join(wanted.values()))


def _existing(workspace: str) -> Path:
    """The workspace, or the nearest folder above it that is there already."""
    path = Path(workspace).expanduser().absolute()
    # os.path.exists is False where one may not look; Path.exists raises there.
    return next(parent for parent in (path, *path.parents) if os.path.exists(parent))


def _writable(workspace: str) -> Check:
    place = _existing(workspace)
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"hubel")
    except OSError as error:
        remedy = "Name another with --workspace or HUBEL_WORKSPACE, or mend its permissions."
        return Check("workspace", False, f"{place} cannot be written to: {error.strerror}.", remedy)
    path = Path(workspace).expanduser().absolute()
    return Check("workspace", True, f"{path} can be written to" if path == place else f"{path} can be made in {place}")


def _disk(workspace: str) -> Check:
    place = _existing(workspace)
    free = shutil.disk_usage(place).free
    detail = f"{free / 2**30:.1f} GiB free at {place}"
    remedy = "Free some, such as with `hubel gc`, or name a workspace on another disk with --workspace."
    if free < MIN_FREE:
        return Check("disk", False, f"{detail}; a run is refused below {MIN_FREE / 2**20:.0f} MiB.", remedy)
    if free < SPACIOUS:
        return Check("disk", None, f"{detail}: little; data sets and artifacts of a few runs take about 5.", remedy)
    return Check("disk", True, detail)


def _gpu(installed: dict[str, str]) -> Check:
    cards = _cards()
    if not cards:
        return Check("GPU", None, "none found: training runs on the CPU")
    named = ", ".join(cards)
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return Check(
            "GPU", None, f"{named}, hidden by CUDA_VISIBLE_DEVICES: training runs on the CPU", "Unset CUDA_VISIBLE_DEVICES."
        )
    wanted = [Requirement(text) for text in importlib.metadata.requires("tensorflow") or ()] if "tensorflow" in installed else []
    cuda = [requirement for requirement in wanted if requirement.marker and "and-cuda" in str(requirement.marker)]
    is_installed = cuda and all(_canonical(requirement.name) in installed for requirement in cuda)
    if not is_installed and not ctypes.util.find_library("cudnn"):
        remedy = f"Run `{sys.executable} -m pip install 'tensorflow[and-cuda]=={installed.get('tensorflow', '2.21.0')}'`."
        return Check("GPU", None, f"{named}, but without CUDA's libraries: training runs on the CPU.", remedy)
    return Check("GPU", True, named)


def _cards() -> list[str]:
    """Model names of the NVIDIA cards that this process may open."""
    if next(DEVICES.glob("nvidia[0-9]*"), None):
        models = (re.search(r"Model:\s*(.+)", file.read_text()) for file in sorted(NVIDIA_CARDS.glob("*/information")))
        if names := [model[1].strip() for model in models if model]:
            return names
    if command := shutil.which("nvidia-smi"):  # WSL and some containers have no /proc entry
        try:
            listed = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            return []
        return re.findall(r"^GPU \d+: (.+?)(?: \(UUID.*)?$", listed.stdout, re.MULTILINE) if listed.returncode == 0 else []
    return []


def _size() -> Check:
    """Cores and memory that this process may use, a container's limits included."""
    cores: float = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    quota = re.match(r"(\d+) (\d+)", _text(CGROUP / "cpu.max"))
    if quota:
        cores = min(cores, int(quota[1]) / int(quota[2]))
    if limit := re.match(r"\d+", _text(CGROUP / "memory.max")):
        memory = min(memory, int(limit[0]))
    return Check("size", None, f"{cores:g} cores, {memory / 2**30:.1f} GiB of memory")


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
