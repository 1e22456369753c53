"""MNIST turned by up to 90 degrees either way, as Jaderberg et al. 2015 have it (section 4.1, R), as TFRecords.

    .venv/bin/python -m benchmarks.turned_mnist --data DIR turned_mnist

DIR/archives/mnist holds MNIST's four files. Each image of validation (the last 5,000 of the training images) and of test is turned
once, by an angle drawn uniformly with a fixed seed, with black around; those of train stay upright, for
`augment: [{rotate: {degrees: 90, border: constant}}]` to turn anew every epoch.
"""

import argparse
import io
import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.input_pipeline import mnist

SEED, DEGREES, VALIDATION = 0, 90, 5_000


def turned(image, split: str, random):
    """Images of train as they are."""
    from PIL import Image

    return image if split == "train" else image.rotate(random.uniform(-DEGREES, DEGREES), Image.Resampling.BILINEAR)


def write(archives: Path, folder: Path, change: Callable = turned) -> None:
    """train, validation and test.tfrecord in a folder, which appears when all of them are there.

    Args:
        change: PIL image, split, numpy Generator -> PIL image.
    """
    import numpy as np
    import tensorflow as tf
    from PIL import Image

    from components.example_gen.records import example
    from configs import atomic

    training, test = mnist(archives, "train"), mnist(archives, "t10k")
    splits = {
        "train": [values[:-VALIDATION] for values in training],
        "validation": [values[-VALIDATION:] for values in training],
        "test": test,
    }
    random = np.random.default_rng(SEED)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(folder) as stage:
        stage.mkdir()
        for split, (images, labels) in splits.items():
            with tf.io.TFRecordWriter(str(stage / f"{split}.tfrecord")) as file:
                for index, (pixels, label) in enumerate(zip(images, labels, strict=True)):
                    encoded = io.BytesIO()
                    change(Image.fromarray(pixels), split, random).save(encoded, "PNG")
                    file.write(example(encoded.getvalue(), f"{split}/{index}".encode(), int(label)))


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("HUBEL_TEST_DATA"))
    parser.add_argument("folder", type=Path, help="is made")
    asked = parser.parse_args()
    archives = Path(asked.data or "") / "archives/mnist"
    if not archives.is_dir():
        parser.error(f"{archives} is not there; name its folder with --data or HUBEL_TEST_DATA")
    if asked.folder.exists():
        parser.error(f"{asked.folder} is there already")
    write(archives, asked.folder)


if __name__ == "__main__":
    main()
