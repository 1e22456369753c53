"""hubel's tuner beside keras-tuner used by hand and Optuna: trials an hour, CPU seconds a trial, and the best that each comes to.

    .venv/bin/python -m benchmarks.tuner --optuna-python PATH

All search one space for a perceptron on scikit-learn's digits, whose trainings are short and leave a core idle, with one thread a
process (--threads):

    speed    in rounds that interleave: `keras_tuner.RandomSearch` over arrays in memory (benchmarks/tuner_by_hand.py) in one
             process, `hubel tune` with one worker, and with two. Without pruning or early stopping, so that each trial is as many
             epochs; of a seed all three try the same values, which is checked.
    search   `hubel tune --algorithm bayesian` and Optuna's TPE, each with its median pruner, for as many trials, over --seeds: at
             the same time, one a core, Optuna from when hubel's first trial begins. Left out without --optuna-python.

PATH is a Python that has optuna, and TensorFlow and Keras of requirements.lock: hubel's own with PYTHONPATH=DIR, after
`pip install --no-deps --target DIR optuna alembic sqlalchemy colorlog Mako`. Unless the networks have as many parameters as
hubel's, nothing is timed.

Timed is what is between the first trial's begin and the last one's end; of several workers, while all of them have a trial. That
hubel opens its data, and starts a worker anew that has grown, is inside of that. Imports, what the pipeline has in its cache and
the search's page are not, and are shown apart as `startup_seconds`. Ratios of the first part are over keras-tuner by hand, of the
second over Optuna, in the same round or seed. Aimed at are 0.95 with one worker, 1.6 with two, and a best figure not worse than
Optuna's.

Rows go to benchmarks/results/tuner.csv, in place of those of the same part and tuner on the same machine, and from there into the
table of docs/tuning.md. `best` is the least validation loss, its mean over rounds or seeds; `difference` is what it is above that
of keras-tuner or Optuna, with an interval of 95 % (t).
"""

import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import commands, record

NAME = "tuner_benchmark"
CONFIG = """
name: {name}
extends: digits_mlp
train: {{epochs: {epochs}, optimizer: {{name: adam}}, schedule: null, early_stopping: null}}
tune:
  enabled: true
  space:
    train.optimizer.learning_rate: {{min: 1.0e-4, max: 1.0e-1, sampling: log}}
    train.batch_size: {{choices: [32, 64, 128]}}
    model.options.hidden: {{choices: [[50], [100], [200], [100, 50]]}}
"""
HIDDEN = [50]  # of the network whose parameters are counted
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
APART = 1000  # between seeds: keras-tuner's random search takes further ones for each value
BY_HAND, OPTUNA = "keras-tuner by hand", "Optuna"
WORKERS = {"hubel, 1 worker": 1, "hubel, 2 workers": 2}
AIMS = {"hubel, 1 worker": 0.95, "hubel, 2 workers": 1.6}  # of trials an hour, over those by hand
KEYS = ("part", "tuner", "machine", "threads")
PAGE = record.ROOT / "docs/tuning.md"


class Searched(NamedTuple):
    """One search: trials an hour, CPU seconds a trial, the best value, seconds of startup, and the values of each trial."""

    pace: float
    cpu: float
    best: float
    startup: float
    values: list


class Meter:
    """CPU seconds of a process and of all that it starts, over time, until it ends."""

    def __init__(self, process: int):
        self._process, self._moments, self._spent = process, [time.time()], [0.0]
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        import psutil

        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._process)
            while True:
                spent = 0.0
                for process in (root, *root.children(recursive=True)):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        spent += sum(process.cpu_times()[:4])  # with those of children that it has waited for
                self._moments.append(time.time())
                self._spent.append(max(spent, self._spent[-1]))  # one that ends between two looks is counted a little later
                time.sleep(0.1)

    def between(self, begin: float, end: float) -> float:
        """Of time.time()."""
        import numpy as np

        first, last = np.interp([begin, end], self._moments, self._spent)
        return float(last - first)


class ByHand:
    """A process of benchmarks/tuner_by_hand.py, which stays for all rounds."""

    def __init__(self, python: str, library: str, arrays: Path, epochs: int, params: int, environment: Mapping[str, str]):
        script, started = str(Path(__file__).with_name("tuner_by_hand.py")), time.monotonic()
        self._process = subprocess.Popen(
            [python, script, library, str(arrays), str(epochs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **environment},
        )
        self._meter = Meter(self._process.pid)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{python} cannot import {library} with Keras and TensorFlow")
        told = json.loads(line)
        self._startup, self.library = time.monotonic() - started, told["library"]
        if told["params"] != params:
            self.end()
            raise SystemExit(f"{library}'s network has {told['params']:,} parameters and hubel's {params:,}")

    def search(self, trials: int, seed: int) -> Searched:
        """To its end."""
        self._process.stdin.write(json.dumps({"trials": trials, "seed": seed}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.library} ended in a search")
        told = json.loads(line)
        cpu = self._meter.between(told["begin"], told["end"]) / told["trials"]
        return Searched(3600 * told["trials"] / (told["end"] - told["begin"]), cpu, told["best"], self._startup, told["values"])

    def end(self) -> None:
        """Let the process go."""
        self._process.stdin.close()
        self._process.wait()


class Hubel:
    """`hubel tune` in a workspace that has all but trials already."""

    def __init__(self, place: Path, epochs: int, environment: Mapping[str, str]):
        self._config, self._workspace, self._environment = place / f"{NAME}.yaml", place / "workspace", environment
        self._epochs = epochs
        self._config.write_text(CONFIG.format(name=NAME, epochs=epochs))

    def search(self, trials: int, seed: int, workers: int = 1, algorithm: str = "random", pruning: str = "none") -> Searched:
        """To its end."""
        given = [f"seed={seed}", f"tune.pruning={pruning}"]
        given += [f"tune.epochs={self._epochs}"] if workers > 1 else []  # else it is the search of one worker, and over already
        sets = itertools.chain.from_iterable(("--set", word) for word in given)
        words = ["tune", str(self._config), "--trials", str(trials), "--algorithm", algorithm, "--workers", str(workers), *sets]
        meters, started = list[Meter](), time.time()
        answer = commands.ask(
            [*words, "--workspace", str(self._workspace)], self._environment, lambda process: meters.append(Meter(process))
        )
        tried = sorted(answer.value["trials"], key=lambda trial: trial["id"])
        if failed := [trial["reason"] for trial in tried if trial["status"] == "failed"]:
            raise SystemExit(f"{len(failed)} trials failed: {failed[0]}")
        if any(trial["started"] < started for trial in tried):
            raise SystemExit(f"trials of seed {seed} with {workers} workers are of an earlier search")
        begin, end, amount = paced(tried)
        return Searched(
            3600 * amount / (end - begin),
            meters[0].between(begin, end) / amount,
            answer.value["value"],
            answer.wall - (max(_end(trial) for trial in tried) - min(trial["started"] for trial in tried)),
            [trial["values"] for trial in tried],
        )

    def begun(self) -> int:
        """How many trials there are, of all searches."""
        return len(list(self._workspace.glob(f"tuning/{NAME}/*/trials/*.json")))

    def arrays(self, file: Path) -> int:
        """Write what its trials read as arrays. Returns how many weights the network has."""
        [folder] = self._workspace.glob(f"tuning/{NAME}/*")
        command = [sys.executable, "-m", "benchmarks.tuner", "--arrays", str(folder), str(file)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
        return int(done.stdout.splitlines()[-1])


def _end(trial: Mapping) -> float:
    return trial["started"] + trial["seconds"]


def paced(trials: Sequence[Mapping]) -> tuple[float, float, float]:
    """From when all workers have a trial until the first of them has no further one, and how many trials ran in that time, parts of
    trials among them.

    Args:
        trials: {worker, started: seconds since 1970, seconds} each.
    """
    workers = {trial["worker"] for trial in trials}
    of_each = [[trial for trial in trials if trial["worker"] == worker] for worker in workers]
    begin = max(min(trial["started"] for trial in own) for own in of_each)
    end = min(max(map(_end, own)) for own in of_each)
    return begin, end, sum(max(0.0, min(_end(t), end) - max(t["started"], begin)) / t["seconds"] for t in trials)


def write_arrays(folder: Path, file: Path) -> int:
    """What the trials of a study's folder read, as a .npz. Returns how many weights the network has."""
    import numpy as np

    import keras_models
    from components.tasks.by_name import task_of
    from components.trainer import training
    from configs.override import override
    from configs.schema.slices.trainer import TrainerSlice
    from tuner import study

    given = study.given(folder)
    cfg = override(TrainerSlice.model_validate_json(given.custom_config["slice"]), {"model.options.hidden": HIDDEN})
    entry = keras_models.get(cfg.model.name)
    data = training.data_of(given, cfg, task_of(entry.task), entry.reads)
    held = {}
    for split, batches in (("train", data.plain), ("validation", data.validation)):
        images, targets = zip(*batches.as_numpy_iterator(), strict=True)
        held[f"{split}_images"] = np.concatenate(images)
        held[f"{split}_labels"] = np.concatenate([each["label"] for each in targets])
    np.savez(file, **held)
    return sum(int(np.prod(variable.shape)) for variable in training.build(entry, data, cfg).trainable_variables)


def speeds(hubel: Hubel, by_hand: ByHand, rounds: int, trials: int) -> dict[str, list[Searched]]:
    """Tuner -> its search of each round."""
    by_tuner: dict[str, list[Searched]] = {name: [] for name in (BY_HAND, *WORKERS)}
    for number in range(rounds):
        seed = number * APART
        by_tuner[BY_HAND].append(by_hand.search(trials, seed))
        for name, workers in WORKERS.items():
            by_tuner[name].append(hubel.search(trials, seed, workers))
        rates = [sorted(map(_rate, searches[-1].values)) for searches in by_tuner.values()]
        if any(other != rates[0] for other in rates[1:]):
            raise SystemExit(f"the tuners did not try the same values: {rates}")
        told = ", ".join(f"{name} {searches[-1].pace:.0f}" for name, searches in by_tuner.items())
        print(f"round {number}: trials an hour: {told}", flush=True)
    return by_tuner


def _rate(values: Mapping) -> float:
    return next(value for path, value in values.items() if path.endswith("rate"))


def searches(hubel: Hubel, optuna: ByHand, seeds: int, trials: int) -> dict[str, list[Searched]]:
    """Tuner -> its search with each seed."""
    by_tuner: dict[str, list[Searched]] = {"hubel, bayesian": [], OPTUNA: []}
    for number in range(seeds):
        theirs: list[Searched] = []
        seed, there, is_over = (1 + number) * APART, hubel.begun(), threading.Event()

        def beside(seed=seed, there=there, theirs=theirs, is_over=is_over):
            while hubel.begun() == there and not is_over.is_set():
                time.sleep(0.05)
            theirs.append(optuna.search(trials, seed))

        other = threading.Thread(target=beside)
        other.start()
        try:
            by_tuner["hubel, bayesian"].append(hubel.search(trials, seed, 1, "bayesian", "median"))
        finally:
            is_over.set()
            other.join()
        by_tuner[OPTUNA] += theirs
        told = ", ".join(f"{name} {came_to[-1].best:.4f}" for name, came_to in by_tuner.items())
        print(f"seed {seed}: least validation loss: {told}", flush=True)
    return by_tuner


def rows_of(part: str, by_tuner: Mapping[str, Sequence[Searched]], beside: str) -> list[dict[str, str]]:
    """Rows of the CSV, without where and when.

    Args:
        beside: the tuner that ratios are over.
    """
    from components.evaluator import intervals

    made = []
    for name, own in by_tuner.items():
        paces, works = ([mine[at] / other[at] for mine, other in zip(own, by_tuner[beside], strict=True)] for at in (0, 1))
        above = [mine.best - other.best for mine, other in zip(own, by_tuner[beside], strict=True)]
        low, high = intervals.mean(above) or (None, None)
        made.append(
            {
                "part": part,
                "tuner": name,
                "searches": len(own),
                "trials": len(own[0].values),
                "trials_an_hour": f"{statistics.median(each.pace for each in own):.0f}",
                "cpu_seconds": f"{statistics.median(each.cpu for each in own):.2f}",
                "ratio": f"{statistics.median(paces):.2f}",
                "ratio_min": f"{min(paces):.2f}",
                "ratio_max": f"{max(paces):.2f}",
                "cpu_ratio": f"{statistics.median(works):.2f}",
                "startup_seconds": f"{statistics.median(each.startup for each in own):.1f}",
                "best": f"{statistics.fmean(each.best for each in own):.4f}",
                "difference": _number(statistics.fmean(above)),
                "difference_low": _number(low),
                "difference_high": _number(high),
            }
        )
    return made


def _number(value: float | None) -> str:
    """Without a minus before 0; "" for None."""
    return "" if value is None else f"{round(value, 4) + 0.0:.4f}"


def table() -> str:
    """The rows as the page shows them."""
    columns = [
        "part",
        "tuner",
        "searches x trials",
        "trials an hour",
        "ratio",
        "CPU s a trial",
        "ratio",
        "startup, s",
        "best val_loss",
    ]
    lines = []
    for row in record.rows("tuner"):
        ratio = f"{row['ratio']} ({row['ratio_min']} to {row['ratio_max']})"
        best = row["best"]
        if row["part"] == "search" and row["tuner"] != OPTUNA:
            within = f" ({row['difference_low']} to {row['difference_high']})" if row["difference_low"] else ""
            best += f", {row['difference']}{within} above"
        cells = [row["part"], row["tuner"], f"{row['searches']} x {row['trials']}", row["trials_an_hour"], ratio]
        lines.append([*cells, row["cpu_seconds"], row["cpu_ratio"], row["startup_seconds"], best])
    return record.as_table(columns, lines)


def main() -> None:
    """Measure, print, and write rows and table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--optuna-python", help="a Python that has optuna, keras and tensorflow")
    parser.add_argument("--rounds", type=int, default=3, help="of the part on speed; 0 leaves it out")
    parser.add_argument("--seeds", type=int, default=5, help="of the part on what is found; 0 leaves it out")
    parser.add_argument("--trials", type=int, default=10, help="a search of the part on speed")
    parser.add_argument("--search-trials", type=int, default=18, help="a search of the other part, half of them drawn at random")
    parser.add_argument("--epochs", type=int, default=15, help="a trial")
    parser.add_argument("--threads", type=int, default=1, help="of TensorFlow, a process")
    parser.add_argument("--arrays", nargs=2, type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.arrays:
        print(f"\n{write_arrays(*asked.arrays)}", flush=True)
        os._exit(0)  # threads of TensorFlow would keep the process for seconds
    measured_at = {"epochs": asked.epochs, "threads": asked.threads, **record.circumstances()}
    environment = dict.fromkeys(THREADS, str(asked.threads)) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hubel-tuner-") as scratch, contextlib.ExitStack() as stack:
        place = Path(scratch)
        hubel, arrays = Hubel(place, asked.epochs, environment), place / "arrays.npz"
        hubel.search(1, APART * 10**3)  # has the pipeline up to Transform run
        params = hubel.arrays(arrays)
        print(f"{measured_at['machine']}, load {measured_at['load']}; trials of {asked.epochs} epochs, prepared", flush=True)

        def started(python: str, library: str) -> ByHand:
            process = ByHand(python, library, arrays, asked.epochs, params, environment)
            stack.callback(process.end)
            print(process.library, flush=True)
            return process

        parts = []
        if asked.rounds:
            measured = speeds(hubel, started(sys.executable, "keras_tuner"), asked.rounds, asked.trials)
            parts.append(("speed", measured, BY_HAND))
        if asked.optuna_python and asked.seeds:
            measured = searches(hubel, started(asked.optuna_python, "optuna"), asked.seeds, asked.search_trials)
            parts.append(("search", measured, OPTUNA))
    for part, measured, beside in parts:
        rows = [row | measured_at for row in rows_of(part, measured, beside)]
        for row in rows:
            over = f"{row['ratio']} ({row['ratio_min']} to {row['ratio_max']}) of {beside}'s"
            line = f"{row['tuner']:<20}{row['trials_an_hour']:>6} trials an hour, {over}; {row['cpu_seconds']} CPU s a trial, "
            line += f"{row['cpu_ratio']}; best {row['best']}, {row['difference']} above"
            if part == "speed" and (aim := AIMS.get(row["tuner"])):
                line += f"; aim of {aim} {'reached' if float(row['ratio']) >= aim else 'missed'}"
            print(line, flush=True)
        record.add("tuner", rows, KEYS)
    record.show(PAGE, "tuner", table())
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
