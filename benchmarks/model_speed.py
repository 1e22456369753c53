"""Images a second of every classifier at its default input, inference and training, as CSVs in the order of timm's columns.

    .venv/bin/python -m benchmarks.model_speed [NAME ...]

Writes benchmarks/results/infer-HARDWARE.csv and train-HARDWARE.csv, each model's rows as soon as they are known; the same command
goes on with the models that have none, and a NAME is measured anew. A model that would not fit into the memory that is free, or is
not through in --seconds, has a row that says so in `note`.

A step is one call of the graph on a batch of noise: inference, or forward, backward and SGD with momentum, auxiliary heads
included. Figures are the fastest step's, after one that is not counted, since other work can only slow it down; `load` is the
machine's average over the minute in which the model was measured. gmacs are 10^9 multiply-adds of one image
(keras_models.arithmetic), param_count is in millions.
"""

import argparse
import csv
import itertools
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import keras_models
from benchmarks.record import machine
from configs import atomic
from keras_models.record import CLASSIFICATION

RESULTS = Path(__file__).with_name("results")
SMALL, LARGE = (64, 64), 4  # (px, images a batch up to that), images a batch beyond
STEPS, SECONDS = (3, 50), 2.0  # least and most steps, and how long to go on between them
SPARE = 2**29  # bytes that TensorFlow takes by itself
COLUMNS = ("samples_per_sec", "step_time", "batch_size", "img_size", "gmacs")
MODES = ("infer", "train")


def measure(name: str) -> None:
    """Print a JSON line of figures, and one for each mode; in a process of its own, whose memory goes with it."""
    import keras
    import numpy as np
    import tensorflow as tf

    from components.tasks.classification import accuracy, cross_entropy
    from keras_models import arithmetic, auxiliary
    from keras_models.parameters import total_params, without_weights

    entry = keras_models.get(name)
    with without_weights():
        empty = keras_models.build(entry, {}, {})
    totals = arithmetic.totals(arithmetic.layer_table(empty))
    assert total_params(empty) == entry.params, f"{name} has {total_params(empty):,} parameters"
    side = entry.input_shape[0]
    batch = SMALL[1] if side <= SMALL[0] else LARGE
    _say(batch=batch, side=side, gmacs=totals["multiply_adds"] / 1e9)
    # forward and backward keep each activation and its gradient; training also a gradient and a momentum of each weight
    needed = SPARE + 16 * entry.params + 2 * batch * totals["activation_bytes"]
    if needed > _free():
        _say(note=f"needs about {needed / 2**30:.1f} GiB of memory")
        return
    model = keras_models.build(entry, {}, {})
    random = np.random.default_rng(0)
    images = tf.constant(random.standard_normal((batch, *entry.input_shape), dtype=np.float32))
    labels = tf.constant(random.integers(0, model.output_shape[-1], batch))
    infer = tf.function(lambda x: model(x, training=False))
    _say(infer=_step(lambda: infer(images).numpy()))
    learner = auxiliary.learner(model)
    learner.compile(keras.optimizers.SGD(1e-4, 0.9), loss=cross_entropy, metrics=[keras.metrics.MeanMetricWrapper(accuracy)])
    learner.optimizer.build(learner.trainable_variables)
    train = tf.function(learner.train_step)
    _say(train=_step(lambda: train((images, labels))["loss"].numpy()))


def _step(call) -> float:
    """Seconds of the fastest call."""
    call()
    times, start = [], time.perf_counter()
    while len(times) < STEPS[0] or (len(times) < STEPS[1] and time.perf_counter() - start < SECONDS):
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    return min(times)


def _free() -> int:
    """Bytes of memory that can be had."""
    return 1024 * int(re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())[1])


def _say(**figures) -> None:
    print(json.dumps(figures), flush=True)


def measured(name: str, seconds: float) -> dict:
    """What a process found about one model, with a note where it did not find everything."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.model_speed", "--measure", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    note = ""
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        note = f"not through after {seconds:.0f} s"
    if process.returncode > 0:
        raise SystemExit(f"{name}: python -m benchmarks.model_speed --measure {name} ends with {process.returncode}")
    if process.returncode < 0 and not note:
        note = f"ended by signal {-process.returncode}, as for want of memory"
    figures = {"note": note, "load": os.getloadavg()[0]}
    for line in said.splitlines():
        figures |= json.loads(line)
    return figures


def row(name: str, mode: str, figures: dict) -> dict[str, str]:
    """A model's line in one of the tables."""
    seconds = figures.get(mode)
    figures = {
        "samples_per_sec": f"{figures['batch'] / seconds:.2f}" if seconds else "",
        "step_time": f"{1000 * seconds:.3f}" if seconds else "",
        "batch_size": figures.get("batch", ""),
        "img_size": figures.get("side", ""),
        "gmacs": f"{figures['gmacs']:.4g}" if "gmacs" in figures else "",
    }
    params = f"{keras_models.catalog()[name].params / 1e6:.6g}"
    known = {f"{mode}_{column}": figures[column] for column in COLUMNS}
    note = "" if seconds else figures["note"]
    return {"model": name, **known, "param_count": params, "load": f"{figures['load']:.1f}", "note": note}


def table(mode: str) -> Path:
    """Where the rows of one mode are."""
    return RESULTS / f"{mode}-{re.sub(r'[^a-z0-9.]+', '-', machine().lower()).strip('-')}.csv"


def rows(mode: str) -> dict[str, dict[str, str]]:
    """Those that are there, by model."""
    if not table(mode).is_file():
        return {}
    with table(mode).open(newline="") as file:
        return {line["model"]: line for line in csv.DictReader(file)}


def save(mode: str, kept: dict[str, dict[str, str]]) -> None:
    """The fastest first, as timm has them; those without figures last."""
    ordered = sorted(kept.values(), key=lambda line: -float(line[f"{mode}_samples_per_sec"] or 0))
    RESULTS.mkdir(exist_ok=True)
    with atomic.replacing(table(mode)) as stage, stage.open("w", newline="") as file:
        names = ["model", *(f"{mode}_{column}" for column in COLUMNS), "param_count", "load", "note"]
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(ordered)


def main() -> None:
    """Measure what is missing, or named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of `hubel list models`; those without a row")
    parser.add_argument("--seconds", type=float, default=150, help="for one model")
    parser.add_argument("--minutes", type=float, help="begin no model after so many; ends with exit code 1 if any is left")
    parser.add_argument("--measure", metavar="NAME", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure)
        return
    classifiers = [name for name, record in keras_models.catalog().items() if record.task == CLASSIFICATION]
    if unknown := set(asked.names) - set(classifiers):
        parser.error(f"there is no classifier {', '.join(sorted(unknown))}")
    done = set(rows("infer")) & set(rows("train"))
    wanted = asked.names or [name for name in classifiers if name not in done]
    start = time.monotonic()
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    for left, name in zip(itertools.count(len(wanted), -1), wanted, strict=False):
        if asked.minutes and time.monotonic() - start > 60 * asked.minutes:
            raise SystemExit(f"{left} models are left; the same command goes on")
        figures = measured(name, asked.seconds)
        for mode in MODES:
            save(mode, {**rows(mode), name: row(name, mode, figures)})
        told = ", ".join(f"{mode} {figures['batch'] / figures[mode]:.1f}" for mode in MODES if mode in figures)
        print(f"{name:<18} {told} images a second {figures['note']}", flush=True)


if __name__ == "__main__":
    main()
