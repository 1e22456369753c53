"""Wrong labels that were planted, and how many of them a report by folds finds: 2 % of a config's labels, changed by chance.

    .venv/bin/hubel run digits_lenet5 --workspace DIR
    .venv/bin/python -m benchmarks.wrong_labels --workspace DIR [--config digits_lenet5] [--seeds 1] [--folds 5]

Labels are changed in a copy of the examples of the config's newest run, and folds of that copy trained on. Results go to
benchmarks/results/wrong_labels.csv: precision and recall of the list, and precision down to where 80 % of the planted are caught.
"""

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import record
from components import examples, keys
from components.reporter import folds, recorded, wrong_labels
from components.reporter.material import Material
from components.reporter.sections.wrong_labels import training_of
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace

SHARE = 0.02
CAUGHT = 0.8


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--config", default="digits_lenet5")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--folds", type=int, default=5)
    asked = parser.parse_args()
    place = Workspace.at(asked.workspace)
    run = runs.named(place, asked.config)
    training = training_of(Material(recorded.of_run(place.metadata, run.config, run.run), metadata=place.metadata))
    with tempfile.TemporaryDirectory(prefix="hubel-benchmark-") as scratch:
        for seed in range(asked.seeds):
            told = measured(training, asked.folds, seed, Path(scratch) / f"planted-{seed}")
            row = {"config": run.config, "folds": asked.folds, "seed": seed, **told, **record.circumstances()}
            print(json.dumps(row), flush=True)
            record.add("wrong_labels", [row], ["config", "folds", "seed", "machine"])


def measured(training: folds.Training, many: int, seed: int, folder: Path) -> dict[str, Any]:
    """Figures of one planting."""
    planted = plant(training.examples, folder / "examples", seed)
    begun = time.monotonic()
    of = folds.out_of_sample(dataclasses.replace(training, examples=folder / "examples"), many, folder / "state")
    return {"images": len(of.ids), "planted": len(planted), **figures(of, planted), "seconds": round(time.monotonic() - begun)}


def plant(source: Path, copy: Path, seed: int) -> set[str]:
    """Copy an Examples artifact with SHARE of its labels changed to another one. Returns the ids of those images."""
    import tensorflow as tf

    held = []
    for split in keys.SPLITS:
        files = sorted(str(path) for path in (source / f"Split-{split}").glob("*"))
        held += [(split, example) for example in examples.parsed(examples.records_of(files).as_numpy_iterator())]
    labels = [example.features.feature[keys.LABEL].int64_list.value for _, example in held]
    classes, generator = 1 + max(label[0] for label in labels), np.random.default_rng(seed)
    wrong = generator.choice(len(held), round(SHARE * len(held)), replace=False)
    for place in wrong.tolist():
        labels[place][0] = int((labels[place][0] + generator.integers(1, classes)) % classes)
    for split in keys.SPLITS:
        (copy / f"Split-{split}").mkdir(parents=True)
        with tf.io.TFRecordWriter(str(copy / f"Split-{split}" / "planted.gz"), "GZIP") as writer:
            for own, example in held:
                if own == split:
                    writer.write(example.SerializeToString())
    return {examples.values(held[place][1], keys.EXAMPLE_ID)[0].decode() for place in wrong}


def figures(of: folds.OutOfSample, planted: set[str]) -> Mapping[str, float]:
    """Precision and recall of the list, and the precision down to where CAUGHT of the planted are caught."""
    doubts = wrong_labels.doubts(of.targets, of.probabilities)
    hits = sum(of.ids[place] in planted for place in doubts.places)
    is_planted = np.isin([of.ids[place] for place in np.argsort(doubts.margins, kind="stable")], sorted(planted))
    many = int(np.argmax(np.cumsum(is_planted) >= CAUGHT * len(planted))) + 1
    return {
        "listed": len(doubts.places),
        "precision": round(hits / len(doubts.places), 3),
        "recall": round(hits / len(planted), 3),
        "precision_at_recall_0.8": round(float(is_planted[:many].mean()), 3),
    }


if __name__ == "__main__":
    main()
