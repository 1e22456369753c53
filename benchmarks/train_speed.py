"""Images a second of Trainer's inner loop, beside Keras's and PyTorch's on arrays in memory.

    .venv/bin/python -m benchmarks.train_speed --data DIR [--torch-python PATH]

DIR/archives/mnist holds MNIST's four files. LeNet-5 and ResNet-20 learn digits of 28x28 px in batches of 64, by the same Adam:

    Trainer   the task's `fit` on what hubel's pipeline stored of a folder of PNGs, with Trainer's callbacks
    fit       a bare `model.fit` of the same model, its normalisation included, on NumPy arrays of the same images
    PyTorch   the loop of benchmarks/train_speed_torch.py in the Python of --torch-python, on a tensor of the same images

Timed is what is between an epoch's first batch and its last, without validation; an epoch before it goes uncounted. Rounds
interleave, ratios are of one round, and figures are medians. Unless PyTorch's network has as many parameters as hubel's, nothing is
timed. Aimed at is a Trainer of at least 0.95 of the speed of fit, and of PyTorch's.

`ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2` before the command holds all three to what an older processor has.

Rows go to benchmarks/results/train_speed.csv, in place of those of the same model and loop on the same machine; `ratio` is
Trainer's speed over that loop's, `load` the machine's average over the minute before the model.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks import record
from benchmarks.input_pipeline import BATCH, measured, opened, write_pngs

EPOCHS = {"lenet5": 6, "resnet20": 1}  # timed ones a round
RATE = 1e-3
KEYS = ("model", "loop", "machine")  # of a row
AIMS = {"fit": 0.95, "PyTorch": 1.0}  # of Trainer's speed over that loop's


class Cost(NamedTuple):
    """Seconds an image."""

    wall: float
    cpu: float


class Loops:
    """What is compared, by name: functions that train for one round of so many timed epochs."""

    def __init__(self, name: str, epochs: int, folder: Path, work: Path, torch: str | None):
        import numpy as np

        import keras_models
        from components.tasks.by_name import task_of
        from components.trainer import training
        from keras_models import auxiliary

        self._cfg, self._data = opened(
            folder, work, [f"model.name={name}", f"train.epochs={1 + epochs}", _optimizer(), "train.schedule=null"]
        )
        self._name, self._work, self._entry = name, work, keras_models.get(name)
        self._task = task_of(self._entry.task)
        batches = list(self._data.plain.as_numpy_iterator())
        self._images = np.concatenate([pixels for pixels, _ in batches])
        self._labels = np.concatenate([targets["label"] for _, targets in batches])
        self._pair = [np.asarray(part) for part in self._task.pair(self._images, {"label": self._labels})]
        self._bare = auxiliary.learner(training.build(self._entry, self._data, self._cfg))
        self._task.compile(self._bare, self._adam)
        self.params = sum(int(np.prod(variable.shape)) for variable in self._bare.trainable_variables)
        self.of: dict[str, Callable[[], Cost]] = {"Trainer": self._trainer, "fit": self._fit}
        if torch:
            self._torch = self._started(torch)
            self.of["PyTorch"] = self._pytorch

    def _adam(self, variables=None):
        import keras

        return keras.optimizers.Adam(RATE)

    def _trainer(self) -> Cost:
        import keras

        from components.trainer import training
        from components.trainer.progress import EpochProgress
        from components.trainer.resume import Resume

        model, clock = training.build(self._entry, self._data, self._cfg), _clock()
        with tempfile.TemporaryDirectory(dir=self._work) as state:
            callbacks = [EpochProgress(), Resume(Path(state), None), keras.callbacks.TerminateOnNaN(), clock]
            self._task.fit(model, self._data, self._cfg.train, 0, callbacks)
        return self._cost(clock.epochs)

    def _fit(self) -> Cost:
        clock = _clock()
        self._bare.fit(*self._pair, BATCH, self._cfg.train.epochs, verbose=0, callbacks=[clock])
        return self._cost(clock.epochs)

    def _pytorch(self) -> Cost:
        self._torch.stdin.write(f"{self._cfg.train.epochs}\n")
        self._torch.stdin.flush()
        return self._cost(json.loads(self._torch.stdout.readline()))

    def _started(self, torch: str) -> subprocess.Popen:
        import numpy as np

        np.savez(self._work / "arrays.npz", images=self._images.astype(np.uint8), labels=self._labels)
        script = str(Path(__file__).with_name("train_speed_torch.py"))
        command = [torch, script, self._name, str(self._work / "arrays.npz"), str(BATCH), str(RATE)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        theirs = json.loads(process.stdout.readline())
        if theirs != self.params:
            process.kill()
            raise SystemExit(f"{self._name}: PyTorch's network has {theirs:,} parameters and hubel's {self.params:,}")
        return process

    @property
    def images(self) -> int:
        """How many an epoch has."""
        return len(self._images)

    def _cost(self, epochs) -> Cost:
        """Of all epochs but the first."""
        wall, cpu = (sum(epoch[which] for epoch in epochs[1:]) for which in (0, 1))
        images = len(self._images) * (len(epochs) - 1)
        return Cost(wall / images, cpu / images)

    def end(self) -> None:
        """Let PyTorch's process go."""
        if "PyTorch" in self.of:
            self._torch.stdin.close()
            self._torch.wait()


def _optimizer() -> str:
    return f"train.optimizer={{name: adam, learning_rate: {RATE}}}"


def _clock():
    """A callback whose `epochs` are (wall, CPU) seconds of each epoch's batches."""
    import keras

    class Clock(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.epochs = []

        def on_epoch_begin(self, epoch, logs=None):
            self._start, self._running = (time.perf_counter(), time.process_time()), True

        def on_test_begin(self, logs=None):
            self._stop()

        def on_epoch_end(self, epoch, logs=None):
            self._stop()

        def _stop(self):
            if self._running:
                wall, cpu = self._start
                self.epochs.append((time.perf_counter() - wall, time.process_time() - cpu))
                self._running = False

    return Clock()


def compared(name: str, epochs: int, folder: Path, work: Path, torch: str | None, rounds: int) -> list[dict]:
    """Measure one network and print; returns its rows of the CSV."""
    measured_at = record.circumstances()
    loops = Loops(name, epochs, folder, work, torch)
    by_kind: dict[str, list[Cost]] = {kind: [] for kind in loops.of}
    for _ in range(rounds):
        for kind, train in loops.of.items():
            by_kind[kind].append(train())
    loops.end()
    print(f"{name}: {loops.params:,} parameters{', in PyTorch as well' if 'PyTorch' in loops.of else ''}", flush=True)
    made = [{"model": name, "loop": kind, **figures(by_kind["Trainer"], costs)} for kind, costs in by_kind.items()]
    for row in made:
        row |= {"batch_size": BATCH, "rounds": rounds, **measured_at}
        epochs_a_minute = 60 * float(row["images_per_sec"]) / loops.images
        line = f"{name:<18}{row['loop']:<9}{row['images_per_sec']:>8} images a second, {epochs_a_minute:>6.1f} epochs a minute"
        line += f"{row['cpu_ms']:>9} ms of CPU an image"
        if aim := AIMS.get(row["loop"]):
            verdict = "reached" if float(row["ratio"]) >= aim else "missed"
            line += f"; Trainer/{row['loop']} {row['ratio']} ({row['ratio_min']} to {row['ratio_max']}), by CPU {row['cpu_ratio']}"
            line += f"; aim of {aim} {verdict}"
        print(line, flush=True)
    return made


def figures(ours: list[Cost], theirs: list[Cost]) -> dict[str, str]:
    """Of one loop, beside Trainer's of the same rounds."""
    wall, cpu = (statistics.median(cost[which] for cost in theirs) for which in (0, 1))
    speeds, works = ([b[which] / a[which] for a, b in zip(ours, theirs, strict=True)] for which in (0, 1))
    return {
        "images_per_sec": f"{1 / wall:.0f}",
        "cpu_ms": f"{1000 * cpu:.3f}",
        "ratio": f"{statistics.median(speeds):.3f}",
        "ratio_min": f"{min(speeds):.2f}",
        "ratio_max": f"{max(speeds):.2f}",
        "cpu_ratio": f"{statistics.median(works):.3f}",
    }


def main(networks: Mapping[str, int], about: str) -> None:
    """Measure and print: networks by name, and how many epochs of each are timed in a round."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("HUBEL_TEST_DATA"))
    parser.add_argument("--torch-python", help="a Python that has torch; without it there is no such line")
    parser.add_argument("--models", nargs="+", choices=networks, default=list(networks))
    parser.add_argument("--images", type=int, default=4_000, help="of which 7 in 10 are for training")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, help="keep the images here, for the next time")
    asked = parser.parse_args()
    archives = Path(asked.data or "") / "archives/mnist"
    if not archives.is_dir():
        parser.error(f"{archives} is not there; name its folder with --data or HUBEL_TEST_DATA")
    with tempfile.TemporaryDirectory(prefix="hubel-speed-") as scratch:
        place = asked.work or Path(scratch)
        folder, work = place / "pngs", place / "workspace"
        if not folder.is_dir():
            write_pngs(archives, folder, asked.images)
            measured("ingest", folder, work)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; batches of {BATCH}, medians of {asked.rounds} rounds")
        for name in asked.models:
            made = compared(name, networks[name], folder, work, asked.torch_python, asked.rounds)
            record.add("train_speed", made, KEYS)


if __name__ == "__main__":
    sys.exit(main(EPOCHS, __doc__))
