"""What a run costs beside TFX's own image example: wall seconds, CPU seconds and lines of terminal, cold and cached.

    HUBEL_TEST_DATA=DIR .venv/bin/python -m benchmarks.pipeline_overhead

hubel runs `digits_lenet5` as it is shipped (1,797 images, LeNet-5, 15 epochs, every stage but Tuner). TFX runs the pipeline of
tfx.examples.mnist inside the installed package on the 1,000 records of its own data file, DIR/raw/tfx_mnist/mnist.tfrecord:
784 scaled floats into dense layers, 5,000 steps; no Resolver, no InfraValidator. Both run in processes of their own, in an
empty folder each, twice; the ratio is hubel / TFX of the same round.

One thing is changed in the example: it runs on LocalDagRunner with Beam's in-memory runner, as hubel does, because its own
choice (BeamDagRunner, two worker processes) fails on this stack: a spawned worker cannot import TFDV.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = """
import os, absl.logging
from tfx.examples.mnist import mnist_pipeline_native_keras as example
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
absl.logging.set_verbosity(absl.logging.INFO)
LocalDagRunner().run(example._create_pipeline(
    pipeline_name=example._pipeline_name, pipeline_root=example._pipeline_root, data_root=example._data_root,
    module_file=example._module_file, serving_model_dir=example._serving_model_dir, metadata_path=example._metadata_path,
    beam_pipeline_args=['--runner=FnApiRunner']))
"""


@dataclass(frozen=True)
class Cost:
    """One run of one command."""

    wall: float
    cpu: float
    lines: int

    def __truediv__(self, other: "Cost") -> tuple[float, float]:
        return self.wall / other.wall, self.cpu / other.cpu


def cost(command: list[str], environment: dict[str, str], log: Path) -> Cost:
    """Run a command; its terminal goes to `log`. Raises where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with log.open("wb") as terminal:
        subprocess.run(command, env={**os.environ, **environment}, stdout=terminal, stderr=subprocess.STDOUT, check=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, len(log.read_bytes().splitlines()))


def tfx_home(home: Path, records: Path) -> None:
    """The folders that the example expects below HOME."""
    from importlib.util import find_spec

    source = Path(find_spec("tfx").origin).parent / "examples/mnist"
    (home / "mnist/data").mkdir(parents=True)
    shutil.copyfile(records, home / "mnist/data/mnist.tfrecord")
    shutil.copyfile(source / "mnist_utils_native_keras.py", home / "mnist/mnist_utils_native_keras.py")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("HUBEL_TEST_DATA"), help="folder with raw/tfx_mnist/mnist.tfrecord")
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    records = Path(asked.data or ".") / "raw/tfx_mnist/mnist.tfrecord"
    if not records.is_file():
        parser.error(f"{records} is not there; name its folder with --data or HUBEL_TEST_DATA")
    startup = Path(__file__).parents[1] / "pipelines/process/startup"
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':<16}{'wall s':>9}{'CPU s':>9}{'lines':>8}")
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory(prefix="hubel-benchmark-") as scratch:
            home = Path(scratch)
            tfx_home(home, records)
            tfx = ([sys.executable, "-c", EXAMPLE], {"HOME": str(home), "PYTHONPATH": str(startup)})
            hubel = ([sys.executable, "-m", "pipelines.command_line.cli", "run", "--workspace", str(home / "workspace")], {})
            for state in ("cold", "cached"):
                theirs = cost(*tfx, home / "tfx.log")
                ours = cost(*hubel, home / "hubel.log")
                for name, spent in (("TFX", theirs), ("hubel", ours)):
                    print(f"{name + ' ' + state:<16}{spent.wall:>9.1f}{spent.cpu:>9.1f}{spent.lines:>8}")
                wall, cpu = ours / theirs
                print(f"{'ratio ' + state:<16}{wall:>9.2f}{cpu:>9.2f}", flush=True)


if __name__ == "__main__":
    main()
