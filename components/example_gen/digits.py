"""The digits that ship inside scikit-learn, as a TFDS builder: real images with no download."""

import numpy as np
import tensorflow_datasets as tfds

from components.example_gen import citations

_DESCRIPTION = """\
1,797 handwritten digits of 13 writers, scanned, and counted down from 32x32 bitmaps to 8x8 cells of 0 to 16 black points.
This is the test part of UCI's set (its 3,823 training images are not in scikit-learn), so it has one split; hubel carves
validation and test from it by hash of the image's id. Cells are scaled to 0..255.
"""


class Digits(tfds.core.GeneratorBasedBuilder):
    """TFDS data set `digits`: image uint8 [8, 8, 1], label 0..9, one split `train` of 1,797 images."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "All 1,797 images of sklearn.datasets.load_digits."}

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 1), encoding_format="png"),
                    "label": tfds.features.ClassLabel(
                        names=["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
                    ),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
            citation=citations.DIGITS,
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        from sklearn.datasets import load_digits

        digits = load_digits()
        for index, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
            pixels = np.round(image * (255 / 16)).astype(np.uint8)[..., None]
            yield index, {"image": pixels, "label": int(label)}
