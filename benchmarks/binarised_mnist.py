"""MNIST in black and white, as TFRecords: each pixel white with its grey value as the probability, drawn once with a fixed seed.

Salakhutdinov & Murray 2008, "On the quantitative analysis of deep belief networks", ICML, section 5. Burda et al. 2016 draw the
training images anew each epoch.
"""

from pathlib import Path

from benchmarks import turned_mnist


def binarised(image, split: str, random):
    """Grey to 0 and 255."""
    import numpy as np
    from PIL import Image

    grey = np.asarray(image) / 255
    return Image.fromarray(np.where(random.random(grey.shape) < grey, 255, 0).astype(np.uint8))


def write(archives: Path, folder: Path) -> None:
    """train, validation and test.tfrecord in a folder, which appears when all of them are there."""
    turned_mnist.write(archives, folder, binarised)


def test_images(folder: Path):
    """float32 [10000, 28, 28, 1] in 0..255."""
    import numpy as np
    import tensorflow as tf

    def decoded(record):
        features = tf.train.Example.FromString(record).features.feature
        return tf.io.decode_png(features["image/encoded"].bytes_list.value[0]).numpy()

    records = tf.data.TFRecordDataset(str(folder / "test.tfrecord")).as_numpy_iterator()
    return np.stack([decoded(record) for record in records]).astype(np.float32)
