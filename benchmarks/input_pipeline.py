"""From a folder of PNGs to training batches: images a second, peak memory and bytes on disk, at 6,000 and at 60,000 images.

    .venv/bin/python -m benchmarks.input_pipeline --data DIR

DIR/archives/mnist holds MNIST's four files; its training images are written as PNGs, a folder a class. Measured in a process each:

    ingest    hubel's ExampleGen, StatisticsGen, SchemaGen, ExampleValidator and Transform over that folder, images stored
    layouts   bytes on disk of an image as it is stored (uint8) and of the same records with its values as a list of floats, both of
              MNIST and with noise in the place of the pixels, which gzip cannot shrink
    hubel     training batches of 64 as Trainer gets them from there, without augmentation: first epoch, and later ones
    tf.data   a hand-written tf.data pipeline over the same PNGs, decoded in parallel, cached, shuffled, batched, prefetched
    keras     keras.utils.image_dataset_from_directory over the same PNGs

Ratios are images a second of hubel's training batches to the others' in the same round. Every figure is a row of
benchmarks/results/input_pipeline.csv.
"""

import argparse
import contextlib
import gzip
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import record

SIZES = (6_000, 60_000)
BATCH, SIDE, LARGE, LATER = 64, 28, 128, 2  # images a batch, px, px of large pictures, epochs after the first
WEIGHED = 6_000  # images whose layouts are compared, at most


def mnist(archives: Path, part: str):
    """Images, uint8 [N, 28, 28], and labels, uint8 [N], of "train" or "t10k"; Fashion-MNIST's files have the same names."""
    import numpy as np

    with gzip.open(archives / f"{part}-images-idx3-ubyte.gz") as file:
        _, images, height, width = struct.unpack(">4I", file.read(16))
        pixels = np.frombuffer(file.read(), np.uint8).reshape(images, height, width)
    with gzip.open(archives / f"{part}-labels-idx1-ubyte.gz") as file:
        return pixels, np.frombuffer(file.read(), np.uint8, offset=8)


def write_pngs(archives: Path, folder: Path, count: int) -> None:
    """The first `count` training images of MNIST as folder/LABEL/NUMBER.png."""
    from PIL import Image

    pixels, labels = mnist(archives, "train")
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
    for index in range(count):
        Image.fromarray(pixels[index]).save(folder / str(labels[index]) / f"{index:05d}.png")


def _config(folder: Path, assignments: Sequence[str] = ()):
    """Greys of MNIST as they are; colours of larger pictures at LARGE px."""
    from PIL import Image

    from configs import load

    is_large = Image.open(next(folder.glob("*/*"))).width > SIDE
    side, channels = (LARGE, 3) if is_large else (SIDE, 1)

    sizes = (
        f"transform={{height: {side}, width: {side}, channels: {channels}, resize: stretch, normalize: unit, materialize: true}}"
    )
    always = ["name=input", f"data.source=folder:{folder}", sizes, "augment=[]", f"train.batch_size={BATCH}"]
    return load.load("digits_lenet5", [*always, *assignments])


def ingest(folder: Path, work: Path) -> dict:
    """Run every stage before Trainer; `work` becomes the workspace."""
    from components.example_gen import sources
    from pipelines.orchestration import local, pipeline, settled
    from pipelines.workspace import starts
    from pipelines.workspace.layout import Workspace

    class TrainingComes(Exception):
        """All that is measured here is done."""

    def before(node):
        if node == "Trainer":
            raise TrainingComes

    def after(result):
        results[result.name] = result
        if not result.cached:
            stages[result.name] = {"seconds": result.seconds, "mib": _peak()}

    cfg, place = _config(folder), Workspace.at(str(work))
    start, results, stages = time.monotonic(), {}, {}
    data = sources.locate(cfg.data, place.datasets)
    built = pipeline.build(settled.of(cfg, place, starts.find(cfg.model, cfg.transfer, cfg.transform, place), data))
    with contextlib.suppress(TrainingComes):
        local.run(built, before, after)
    stored = Path(results["Transform"].outputs["transformed_examples"][0][0])
    return {
        "seconds": time.monotonic() - start,
        "bytes": sum(path.stat().st_size for path in stored.rglob("*") if path.is_file()),
        "stages": stages,
    }


def told(stages: dict[str, dict[str, float]]) -> str:
    """Stages in a line."""
    return ", ".join(f"{name} {cost['seconds']:.1f} s, peak {cost['mib']:.0f} MiB" for name, cost in stages.items())


def layouts(folder: Path, work: Path) -> dict:
    """Bytes an image of records as `ingest` stored them and as lists of floats: of the images, and of noise."""
    import numpy as np
    import tensorflow as tf

    from components import keys

    random, zipped = np.random.default_rng(0), tf.io.TFRecordOptions(compression_type="GZIP")
    kinds = [(content, layout) for content in ("images", "noise") for layout in ("uint8", "floats")]
    files = {kind: work / f"{'-'.join(kind)}.gz" for kind in kinds}
    with contextlib.ExitStack() as stack:
        writers = {kind: stack.enter_context(tf.io.TFRecordWriter(str(file), zipped)) for kind, file in files.items()}
        [stored] = (work / "pipelines/input/Transform/transformed_examples").iterdir()
        records = tf.data.TFRecordDataset(sorted(map(str, stored.glob("Split-*/*"))), "GZIP").take(WEIGHED)
        written = 0
        for serialized in records.as_numpy_iterator():
            written += 1
            example = tf.train.Example.FromString(serialized)
            pixels = tf.io.parse_tensor(example.features.feature[keys.PIXELS].bytes_list.value[0], tf.uint8).numpy()
            for content, values in (("images", pixels), ("noise", random.integers(0, 256, pixels.shape, np.uint8))):
                made = {
                    "uint8": tf.train.Feature(bytes_list=tf.train.BytesList(value=[tf.io.serialize_tensor(values).numpy()])),
                    "floats": tf.train.Feature(float_list=tf.train.FloatList(value=values.ravel())),
                }
                for layout, feature in made.items():
                    example.features.feature[keys.PIXELS].CopyFrom(feature)
                    writers[content, layout].write(example.SerializeToString())
    return {"bytes": {f"{content} as {layout}": files[content, layout].stat().st_size / written for content, layout in kinds}}


def _peak() -> float:
    """The most memory that this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _epochs(first, later) -> dict:
    """Images a second of one pass over `first`, and of LATER passes over `later` after that."""
    rates = {}
    for name, batches in (("first", first), ("later", later)):
        start, count = time.monotonic(), 0
        for images, _ in batches:
            count += int(images.shape[0])
        rates[name] = count / (time.monotonic() - start)
    return rates


def opened(folder: Path, work: Path, assignments: Sequence[str] = ()):
    """(TrainerSlice, Data) of what `ingest` stored in the workspace `work`."""
    import tensorflow_transform as tft

    from components.trainer.data import open_data
    from configs.schema.slices.trainer import TrainerSlice

    cfg = _config(folder, assignments)
    [stored] = (work / "pipelines/input/Transform/transformed_examples").iterdir()
    [graph] = (work / "pipelines/input/Transform/transform_graph").iterdir()
    cut = TrainerSlice(**{name: getattr(cfg, name) for name in TrainerSlice.model_fields})
    files = [[str(stored / f"Split-{split}" / "*")] for split in ("train", "validation")]
    return cut, open_data(*files, tft.TFTransformOutput(str(graph)), [str(i) for i in range(10)], ["label"], True, cut)


def hubel(folder: Path, work: Path) -> dict:
    """Training batches as Trainer gets them."""
    _, data = opened(folder, work)
    return _epochs(data.training(0, 1), data.training(1, 1 + LATER))


def tf_data(folder: Path, work: Path) -> dict:
    """What one writes by hand after TensorFlow's guide to data performance."""
    import tensorflow as tf

    files = tf.data.Dataset.list_files(str(folder / "*/*.png"), shuffle=False)

    def read(path):
        label = tf.strings.to_number(tf.strings.split(path, os.sep)[-2], tf.int64)
        return tf.ensure_shape(tf.io.decode_png(tf.io.read_file(path), channels=1), (SIDE, SIDE, 1)), label

    images = files.map(read, num_parallel_calls=tf.data.AUTOTUNE).cache()
    batches = (
        images.shuffle(len(files)).batch(BATCH).map(lambda x, y: (tf.cast(x, tf.float32), y), num_parallel_calls=tf.data.AUTOTUNE)
    )
    batches = batches.prefetch(tf.data.AUTOTUNE)
    return _epochs(batches, batches.repeat(LATER))


def keras_directory(folder: Path, work: Path) -> dict:
    """Keras's own."""
    import keras

    batches = keras.utils.image_dataset_from_directory(
        str(folder), color_mode="grayscale", image_size=(SIDE, SIDE), batch_size=BATCH, verbose=False
    )
    return _epochs(batches, batches.repeat(LATER))


KINDS = {"ingest": ingest, "layouts": layouts, "hubel": hubel, "tf.data": tf_data, "keras": keras_directory}


def measured(kind: str, folder: Path, work: Path) -> dict:
    """What one kind finds in a process of its own, and the most memory that it held."""
    command = [sys.executable, "-m", "benchmarks.input_pipeline", "--kind", kind, "--folder", str(folder), "--work", str(work)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("HUBEL_TEST_DATA"))
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.kind:
        from components.compat import beam

        beam.install()
        figures = KINDS[asked.kind](asked.folder, asked.work)
        print("\n" + json.dumps({**figures, "mib": _peak()}), flush=True)
        os._exit(0)
    archives = Path(asked.data or "") / "archives/mnist"
    if not archives.is_dir():
        parser.error(f"{archives} is not there; name its folder with --data or HUBEL_TEST_DATA")
    measured_at = record.circumstances()
    print(f"{os.cpu_count()} cores, load {measured_at['load']}; batches of {BATCH}")
    peaks: dict[str, list[float]] = {}
    for size in asked.sizes:
        with tempfile.TemporaryDirectory(prefix="hubel-input-") as scratch:
            folder, work = Path(scratch) / "pngs", Path(scratch) / "workspace"
            write_pngs(archives, folder, size)
            by_kind = {kind: measured(kind, folder, work) for kind in KINDS}
        record.add("input_pipeline", [{**row, **measured_at} for row in rows_of(size, by_kind)], keys=("images", "what", "figure"))
        stored = by_kind["ingest"]["bytes"] / size
        print(f"{size} images: ingest {by_kind['ingest']['seconds']:.0f} s: {told(by_kind['ingest']['stages'])}")
        print(f"  stored {stored:.0f} bytes an image, {stored / SIDE**2:.2f} of uint8 raw")
        for layout, weight in by_kind["layouts"]["bytes"].items():
            print(f"  {layout:<17} {weight:.0f} bytes an image, {weight / SIDE**2:.2f} of uint8 raw")
        for kind, figures in by_kind.items():
            peaks.setdefault(kind, []).append(figures["mib"])
            if "first" in figures:
                ratios = " and ".join(f"{by_kind['hubel'][when] / figures[when]:.2f}" for when in ("first", "later"))
                rates = f"first epoch {figures['first']:>7.0f}, later {figures['later']:>7.0f} images a second"
                print(f"  {kind:<8} {rates}; hubel/{kind} {ratios}; peak {figures['mib']:.0f} MiB")
            else:
                print(f"  {kind:<8} peak {figures['mib']:.0f} MiB")
    for kind, values in peaks.items():
        print(f"peak memory of {kind}: {values[-1] / values[0]:.2f} from {asked.sizes[0]} to {asked.sizes[-1]} images")


def rows_of(size: int, by_kind: dict[str, dict]) -> list[dict]:
    """A row for each figure: images, what was measured, which figure of it, its value."""
    figures = {
        **by_kind["ingest"]["stages"],
        "stored": {"bytes": by_kind["ingest"]["bytes"] / size},
        **{layout: {"bytes": weight} for layout, weight in by_kind.get("layouts", {}).get("bytes", {}).items()},
        **{
            kind: {name: value for name, value in of_kind.items() if name in ("seconds", "first", "later", "mib")}
            for kind, of_kind in by_kind.items()
        },
    }
    return [
        {"images": size, "what": what, "figure": name, "value": f"{value:.1f}"}
        for what, of_what in figures.items()
        for name, value in of_what.items()
    ]


if __name__ == "__main__":
    main()
