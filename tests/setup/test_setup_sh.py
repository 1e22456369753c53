"""setup.sh with programs that only pretend, so that each way it can end takes milliseconds."""

import fcntl
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "cat", "chmod", "cksum", "cp", "dirname", "flock", "grep", "head", "mkdir", "rm", "sed", "tail", "tr")
LOCK = "numpy==2.4.6\npip==26.3\npyfarmhash==0.3.2\nsetuptools==84.2.1\n"

# Python as setup.sh uses it. What it was asked to install goes to $CALLS; what matches $BROKEN fails.
PYTHON = """#!/bin/sh
case "$*" in
  *sys.executable*) [ -n "$VERSION_311" ] && echo "$0"; exit 0 ;;
  *ensurepip*) [ -n "$ENSUREPIP" ] ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *"pip install"*)
    echo "$*" >>"$CALLS"
    for broken in $BROKEN; do
      case "$*" in *"$broken"*) echo "  ERROR: no $broken here"; exit 1 ;; esac
    done ;;
esac
"""
UV = """#!/bin/sh
case "$1" in
  venv) echo "uv $*" >>"$CALLS"; mkdir -p .venv/bin && printf '#!/bin/sh\\n' >.venv/bin/python && chmod +x .venv/bin/python ;;
  *) echo "uv $*" >>"$CALLS" ;;
esac
"""
UNAME = '#!/bin/sh\n[ "$1" = -s ] && echo Linux || echo "${MACHINE:-x86_64}"\n'
GETCONF = '#!/bin/sh\necho "${LIBC:-glibc 2.36}"\n'


class Checkout:
    """A folder with what setup.sh reads, and a PATH with nothing but what a test puts there."""

    def __init__(self, folder: Path):
        self.folder = folder / "a checkout"
        self.bin = folder / "bin"
        self.calls_file = folder / "calls"
        self.folder.mkdir()
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.program("uname", UNAME)
        self.program("getconf", GETCONF)
        shutil.copy(ROOT / "setup.sh", self.folder)
        (self.folder / "setup.py").write_text("")
        (self.folder / "requirements.lock").write_text(LOCK)

    def program(self, name: str, text: str):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def setup(self, **env: str):
        env = {"PATH": str(self.bin), "CALLS": str(self.calls_file), "VERSION_311": "1", "ENSUREPIP": "1", "BROKEN": ""} | env
        self.calls_file.write_text("")
        return subprocess.run(["sh", "setup.sh"], cwd=self.folder, env=env, capture_output=True, text=True, timeout=600)

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()

    def has(self, path: str) -> bool:
        return (self.folder / ".venv" / path).exists()


@pytest.fixture
def checkout(tmp_path):
    made = Checkout(tmp_path)
    made.program("python3.11", PYTHON)
    return made


def one_sentence(done) -> str:
    """What was said on stderr, which must be a line and no traceback; nothing on stdout."""
    assert (done.returncode, done.stdout) == (1, "")
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Setting up") and not line.startswith("Bringing")]
    assert len(lines) == 1
    assert lines[0].startswith("hubel: ")
    return lines[0]


def test_sets_up_and_is_then_instant(checkout):
    first = checkout.setup()
    assert (first.returncode, first.stdout) == (0, "")
    assert first.stderr == "Setting up .venv (a few minutes the first time) ...\n"
    assert [call.split()[-1] for call in checkout.calls] == [".venv/tools.txt", ".venv/packages.txt", "pyfarmhash==0.3.2", "."]
    assert (checkout.folder / ".venv/packages.txt").read_text() == LOCK.replace("pyfarmhash==0.3.2\n", "")
    again = checkout.setup()
    assert (again.returncode, again.stdout, again.stderr, checkout.calls) == (0, "", "", [])


@pytest.mark.parametrize("changed", ["requirements.lock", "setup.py", "setup.sh"])
def test_what_it_was_made_from_changed(checkout, changed):
    checkout.setup()
    with (checkout.folder / changed).open("a") as file:
        file.write("# changed\n")
    (checkout.folder / ".venv/kept").touch()
    assert checkout.setup().stderr == "Bringing .venv up to date ...\n"
    assert checkout.calls
    assert checkout.has("kept")


def test_a_moved_checkout_is_brought_up_to_date(checkout):
    checkout.setup()
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("elsewhere"))
    checkout.setup()
    assert checkout.calls


def test_an_interrupted_set_up_starts_over(checkout):
    checkout.setup()
    (checkout.folder / ".venv/.unfinished").touch()
    (checkout.folder / ".venv/half-written").touch()
    assert checkout.setup().returncode == 0
    assert checkout.calls
    assert not checkout.has("half-written")
    assert not checkout.has(".unfinished")


def test_a_vanished_python_starts_over(checkout):
    checkout.setup()
    (checkout.folder / ".venv/bin/python").unlink()
    assert "Setting up" in checkout.setup().stderr
    assert checkout.has("bin/python")


@pytest.mark.parametrize("broken", ["tools.txt", "packages.txt", "-e"])
def test_a_failed_install_names_the_log_and_never_counts_as_done(checkout, broken):
    said = one_sentence(checkout.setup(BROKEN=broken))
    assert f"ERROR: no {broken} here" in said
    log = said.split("all of it is in ")[1].split("; ")[0].removesuffix(". The next make starts over.")
    assert f"ERROR: no {broken} here" in Path(log).read_text()
    assert not checkout.has(".ready")
    assert "Setting up" in checkout.setup().stderr
    assert checkout.has(".ready")


def test_a_failed_update_leaves_no_stamp_of_before(checkout):
    checkout.setup()
    (checkout.folder / "requirements.lock").write_text(LOCK.replace("2.4.6", "2.4.7"))
    one_sentence(checkout.setup(BROKEN="packages.txt"))
    (checkout.folder / "requirements.lock").write_text(LOCK)
    checkout.setup()
    assert checkout.calls


def test_without_a_compiler_it_goes_on_and_says_so(checkout):
    done = checkout.setup(BROKEN="pyfarmhash")
    assert done.returncode == 0
    assert "pyfarmhash could not be built" in done.stderr
    assert "apt install g++" in done.stderr
    assert checkout.calls[-1].endswith("-e .")
    assert checkout.setup().stderr == ""


def test_no_python_3_11(checkout):
    said = one_sentence(checkout.setup(VERSION_311=""))
    assert "Python 3.11" in said
    assert "apt install python3.11" in said
    assert not (checkout.folder / ".venv").exists()


def test_no_python_at_all(checkout):
    (checkout.bin / "python3.11").unlink()
    assert "Python 3.11" in one_sentence(checkout.setup())


@pytest.mark.parametrize("name", ["python3", "python"])
def test_a_python_3_11_by_another_name(checkout, name):
    (checkout.bin / "python3.11").rename(checkout.bin / name)
    assert checkout.setup().returncode == 0


def test_python_without_ensurepip(checkout):
    assert "apt install python3.11-venv" in one_sentence(checkout.setup(ENSUREPIP=""))
    assert not (checkout.folder / ".venv").exists()


@pytest.mark.parametrize(("env", "base"), [({"ENSUREPIP": ""}, "{bin}/python3.11"), ({"VERSION_311": ""}, "3.11")])
def test_uv_needs_neither_ensurepip_nor_python(checkout, env, base):
    checkout.program("uv", UV)
    assert checkout.setup(**env).returncode == 0
    assert checkout.calls[0].endswith(f"--python {base.format(bin=checkout.bin)} .venv")
    assert "--no-deps" in checkout.calls[2]
    assert "--compile-bytecode -r .venv/packages.txt" in checkout.calls[2]


@pytest.mark.parametrize(
    ("env", "named"),
    [({"MACHINE": "aarch64"}, "aarch64"), ({"LIBC": "glibc 2.27"}, "glibc 2.27"), ({"LIBC": "no glibc"}, "no glibc")],
)
def test_a_system_without_packages(checkout, env, named):
    assert named in one_sentence(checkout.setup(**env))


def test_a_second_set_up_waits_for_the_first(checkout):
    with (checkout.folder / "setup.sh").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        threading.Timer(0.5, fcntl.flock, (file, fcntl.LOCK_UN)).start()
        done = checkout.setup()
    assert done.stderr.startswith("Another set-up of this folder is running")
    assert done.returncode == 0
