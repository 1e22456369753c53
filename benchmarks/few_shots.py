"""Digits 5 to 9 from a few images each: nearest neighbours, a regression and fine-tuning on the features of a network that learned
0 to 4, beside nearest neighbours on the pixels. Accuracy on test images of 5 to 9, mean and range over draws of the images.

    hubel run digits_zero_to_four
    .venv/bin/python -m benchmarks.few_shots

Trainer's own functions on arrays; images, splits and sizes are those of `digits_transfer`.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components import keys
from components.example_gen import records, sources
from components.example_gen.splits import Plan, used
from components.tasks.by_name import task_of
from components.trainer import shots, training
from components.trainer.data import Data, DataInfo
from components.transform import pixels
from configs import load
from configs.paths import workspace_default
from configs.schema.run import RunConfig
from configs.schema.slices.trainer import TrainerSlice
from pipelines.orchestration import settled
from pipelines.workspace import origins
from pipelines.workspace.layout import Workspace

REGRESSION = {"head": "logistic_regression", "layer": "flatten"}
KINDS = {
    "nearest, pixels": {"head": "nearest_neighbours", "layer": "pixels", "maps": "flatten"},
    "nearest, `f6`": {"head": "nearest_neighbours"},
    "nearest, `flatten`": {"head": "nearest_neighbours", "layer": "flatten"},
    "regression, `flatten`": REGRESSION,
    "fine-tuned from `c3`": {**REGRESSION, "fine_tune": {"from": "c3", "epochs": 30, "learning_rate": 3e-4}},
}
TRAIN = {"epochs": 100, "optimizer": {"learning_rate": 1e-2}, "early_stopping": None, "schedule": None}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", default=workspace_default())
    parser.add_argument("--draws", type=int, default=5)
    asked = parser.parse_args()
    place = Workspace.at(asked.workspace)
    plain = load.load("digits_transfer", ["evaluate.change={}"])
    images = _images(plain, place)
    print(f"| images a class | {' | '.join(KINDS)} |\n|---|{'---|' * len(KINDS)}")
    for count in (1, 5, 20):
        cells = []
        for kind in KINDS.values():
            scores = [_accuracy(_config(plain, count, seed, kind), place, images) for seed in range(asked.draws)]
            cells.append(f"{statistics.mean(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})")
        print(f"| {count} | {' | '.join(cells)} |", flush=True)


def _config(plain: RunConfig, count: int, seed: int, kind: dict) -> RunConfig:
    tree = plain.model_dump(mode="json")
    tree |= {"seed": seed, "transfer": {"source": plain.transfer.source, "shots": count, **kind}, "train": TRAIN}
    return RunConfig.model_validate(tree)


def _images(cfg: RunConfig, place: Workspace) -> dict[str, list]:
    """Split -> (id, float32 pixels as Transform makes them, label) of every image."""
    located = sources.locate(cfg.data, place.datasets)
    data, contents = sources.opened(cfg.data, located.address)
    plan = Plan(used(contents.shards))
    by_split = {split: [] for split in keys.SPLITS}
    for name, shards in contents.shards.items():
        for shard in shards:
            for raw in sources.images_of(data, located.address, shard):
                seen = pixels.from_bytes(tf.constant([raw.encoded()]), cfg.transform)[0]
                by_split[plan.split_of(name, raw, data)].append((raw.example_id, np.float32(seen), raw.label))
    return by_split


def _accuracy(cfg: RunConfig, place: Workspace, images: dict[str, list]) -> float:
    origin = origins.locate(cfg.transfer.source, cfg.transform, place)
    handed_on = settled.with_origin(cfg, origin)
    slice_ = TrainerSlice(**{name: getattr(handed_on, name) for name in TrainerSlice.model_fields})
    data = _data(slice_, images)
    keras.utils.set_random_seed(cfg.seed)
    model = training.build(training.entry_of({"origin": origin.as_json()}, slice_), data, slice_)
    phases = training.phases_of(task_of("classification"), slice_, model)
    with tempfile.TemporaryDirectory() as scratch:
        training.train_in_phases(phases, model, data, slice_, Path(scratch) / "state")
    _, seen, labels = zip(*images[keys.TEST], strict=True)
    return float(np.mean(np.argmax(model.predict(np.stack(seen), verbose=0), 1) == labels))


def _data(cfg: TrainerSlice, images: dict[str, list]) -> Data:
    by_id = {image_id: (seen, label) for image_id, seen, label in images[keys.TRAIN]}
    examples = [records.example(b"", image_id, label) for image_id, (_, label) in by_id.items()]
    chosen = shots.chosen(tf.data.Dataset.from_tensor_slices(examples), cfg.transfer.shots, cfg.seed)
    parsed = [tf.train.Example.FromString(row.numpy()).features.feature for row in chosen]
    rows = [by_id[row[keys.EXAMPLE_ID].bytes_list.value[0]] for row in parsed]

    def batches(pairs):
        seen, labels = zip(*pairs, strict=True)
        return tf.data.Dataset.from_tensor_slices((np.stack(seen), {keys.LABEL: np.int64(labels)})).batch(cfg.train.batch_size)

    plain = batches(rows)
    known = DataInfo((32, 32, 1), ["five", "six", "seven", "eight", "nine"], len(rows))
    steps = -(-len(rows) // cfg.train.batch_size)
    validation = batches([(seen, label) for _, seen, label in images[keys.VALIDATION]])
    return Data(known, steps, lambda first, epochs: plain.repeat(epochs - first), plain, validation)


if __name__ == "__main__":
    main()
