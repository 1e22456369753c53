"""Masks and boxes of TFDS data sets."""

import io

import numpy as np
import pytest
from PIL import Image

from components import keys, targets
from components.example_gen import tfds, tfrecord
from configs.errors import UsageError


@pytest.fixture(scope="module")
def streets(tmp_path_factory):
    """Three pictures with masks and objects."""
    import tensorflow_datasets as library

    features = library.features

    class Streets(library.core.GeneratorBasedBuilder):
        VERSION = library.core.Version("1.0.0")

        def _info(self):
            thing = {"bbox": features.BBoxFeature(), "label": features.ClassLabel(names=["car", "tree"])}
            kinds = {
                "view": features.Image(shape=(4, 8, 3)),
                "truth": features.LabeledImage(labels=["road", "sky"], shape=(4, 8, 1)),
                "things": features.Sequence(thing),
            }
            return self.dataset_info_from_configs(features=features.FeaturesDict(kinds))

        def _split_generators(self, manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for number in range(3):
                things = [{"bbox": features.BBox(0.25, 0.5, 1.0, 0.75), "label": n % 2} for n in range(number)]
                mask = np.full((4, 8, 1), number % 2, np.uint8)
                yield number, {"view": np.full((4, 8, 3), number, np.uint8), "truth": mask, "things": things}

    folder = tmp_path_factory.mktemp("streets")
    Streets(data_dir=str(folder)).download_and_prepare()
    return folder


def test_masks_and_boxes_are_read_with_the_names_of_their_classes(streets):
    located = tfds.locate("streets", streets, {"mask": "truth", "objects": "things"})
    contents = tfds.contents(located.address)
    assert contents.targets == {keys.MASK: ["road", "sky"], keys.OBJECTS: ["car", "tree"]}
    assert contents.class_names == []
    seen = set()
    for raw in (raw for shard in contents.shards["train"] for raw in tfds.images(located.address, shard)):
        number = int(np.array(Image.open(io.BytesIO(raw.encoded())))[0, 0, 0])
        mask = targets.of(keys.MASK).checked(raw.targets[keys.MASK](), 4, 8, contents.targets[keys.MASK])
        assert mask[1] == (number % 2,)
        boxes = targets.of(keys.OBJECTS).checked(raw.targets[keys.OBJECTS](), 4, 8, contents.targets[keys.OBJECTS])
        assert boxes == [(1.0, 4.0, 4.0, 6.0, n % 2) for n in range(number)]
        seen.add(number)
    assert seen == {0, 1, 2}


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ({"objects": "truth"}, "objects: truth does not fit"),
        ({"mask": "view", "image": "view"}, "mask: view does not fit"),
        ({"labels": ["a", "b"]}, "names labels"),
    ],
)
def test_what_is_no_such_target_is_refused_before_anything_starts(streets, features, words):
    with pytest.raises(UsageError, match=words):
        tfds.locate("streets", streets, features)


def test_tfrecords_have_no_boxes_that_are_read():
    with pytest.raises(UsageError, match="names objects"):
        tfrecord._named("x", {"image", "boxes"}, {"objects": "boxes"}, "image")


@pytest.mark.parametrize(
    ("box", "words"),
    [((0, 0, 0, 5, 0), "without an area"), ((0, 0, 9, 5, 0), "leaves the image"), ((0, 0, 2, 2, 5), "class that there is none of")],
)
def test_a_box_that_does_not_fit_its_image_says_why(box, words):
    with pytest.raises(ValueError, match=words):
        targets.of(keys.OBJECTS).checked([box], 4, 8, ["car"])


def test_a_box_that_rounding_put_outside_is_cut_off():
    assert targets.of(keys.OBJECTS).checked([(-0.5, 1, 4.5, 8.9, 0)], 4, 8, []) == [(0, 1, 4, 8, 0)]


def test_a_jpeg_is_no_mask():
    held = io.BytesIO()
    Image.fromarray(np.zeros((4, 8), np.uint8)).save(held, "JPEG")
    with pytest.raises(ValueError, match="JPEG"):
        targets.of(keys.MASK).checked(held.getvalue(), 4, 8, [])
