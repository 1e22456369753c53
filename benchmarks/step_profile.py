"""Where the CPU time of a training step goes, by TensorFlow operation: TensorFlow's own profiler over the steps of Trainer's loop.

    .venv/bin/python -m benchmarks.step_profile [--models lenet5 resnet20] [--steps 50]

The networks are those of benchmarks/train_speed.py, on random images of MNIST's shape, in batches of 64, compiled as the task does
with Adam. One thread computes, so that times of operations add up to the step's. Rows go to benchmarks/results/step_profile.csv:
milliseconds a step in an operation and its share of what all operations took; operations below a hundredth are summed as "rest".
"""

import argparse
import os
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks import record
from benchmarks.input_pipeline import BATCH

RATE = 1e-3
SHAPE, CLASSES = (28, 28, 1), 10
LEAST = 0.01
KEYS = ("model", "operation", "machine")


def traced(name: str, steps: int, folder: Path) -> Counter:
    """Nanoseconds in each type of operation, over so many steps after the first ones."""
    import keras
    import numpy as np
    import tensorflow as tf

    import keras_models
    from components.tasks.by_name import task_of
    from keras_models import auxiliary

    entry = keras_models.get(name)
    task = task_of(entry.task)
    learner = auxiliary.learner(keras_models.build(entry, {"input_shape": SHAPE, "num_classes": CLASSES}, {}))
    task.compile(learner, lambda variables=None: keras.optimizers.Adam(RATE))
    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, *SHAPE)).astype(np.float32)
    pair = [np.asarray(part) for part in task.pair(images, {"label": rng.integers(0, CLASSES, BATCH)})]
    batches = tf.data.Dataset.from_tensors(tuple(pair)).repeat()
    learner.fit(batches, steps_per_epoch=10, verbose=0)  # traces, and lets oneDNN make its primitives
    tf.profiler.experimental.start(str(folder))
    learner.fit(batches, steps_per_epoch=steps, verbose=0)
    tf.profiler.experimental.stop()
    return operations(folder)


def operations(folder: Path) -> Counter:
    """Nanoseconds by type of operation, read from a trace of the profiler: events of the host that name `node:Type`."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    took = Counter()
    [trace] = folder.rglob("*.xplane.pb")
    for plane in xplane_pb2.XSpace.FromString(trace.read_bytes()).planes:
        if not plane.name.startswith("/host:CPU"):
            continue
        for line in plane.lines:
            for event in line.events:
                node, _, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if node and kind.isidentifier() and not node.endswith(":"):
                    took[kind] += event.duration_ps / 1000
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["lenet5", "resnet20"])
    parser.add_argument("--steps", type=int, default=50)
    asked = parser.parse_args()
    for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ[threads] = "1"
    for name in asked.models:
        measured_at = record.circumstances()
        with tempfile.TemporaryDirectory(prefix="hubel-profile-") as folder:
            took = traced(name, asked.steps, Path(folder))
        whole = took.total()
        shown = {kind: spent for kind, spent in took.most_common() if spent >= LEAST * whole}
        shown["rest"] = whole - sum(shown.values())
        rows = []
        for kind, spent in shown.items():
            rows.append(
                {"model": name, "operation": kind, "ms_a_step": f"{spent / 1e6 / asked.steps:.3f}", "share": f"{spent / whole:.3f}"}
            )
            print(f"{name:<10}{kind:<44}{rows[-1]['ms_a_step']:>9} ms a step{float(rows[-1]['share']):>8.1%}", flush=True)
        record.add("step_profile", [row | measured_at for row in rows], KEYS)


if __name__ == "__main__":
    main()
