"""Augmented copies: each is the training split as its epoch would draw it, with ids and labels as they were."""

import shutil
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.types import standard_artifacts
from tfx.types.artifact_utils import decode_split_names, encode_split_names

from components import keys, spec
from components.compat.beam import RUNNER
from components.trainer.data import open_data
from components.transform.augment import steps as augment
from components.transform.copies import Executor
from configs import policies
from configs.schema.run import RunConfig
from configs.schema.slices.copies import CopiesSlice
from tests.components import digits

STEPS = [{"elastic": {"alpha": 0.05}}, {"brightness": {"share": 0.2}}, {"copies": 2}]
ROUNDING = 0.5 + 1e-3  # copies are bytes


def made(folder: Path, artifacts, steps=STEPS) -> Path:
    """Runs the executor over the digits that Transform has stored."""
    given, graph, out = standard_artifacts.Examples(), standard_artifacts.TransformGraph(), standard_artifacts.Examples()
    given.uri, graph.uri, out.uri = str(artifacts.transformed), str(artifacts.transform), str(folder)
    given.split_names = encode_split_names(list(keys.SPLITS))
    config = RunConfig.model_validate({**digits.MLP, "augment": steps})
    plan = policies.schedule(policies.expand(config.augment, config.transform.channels))
    slice_ = CopiesSlice(seed=config.seed, transform=config.transform, steps=plan.written, copies=plan.copies)
    Executor().Do(
        {"examples": [given], "transform_graph": [graph]}, {"augmented_examples": [out]}, {spec.SLICE: slice_.model_dump_json()}
    )
    assert decode_split_names(out.split_names) == [keys.TRAIN, keys.VALIDATION, keys.COPIES]
    return folder


@pytest.fixture(scope="module")
def written(artifacts, tmp_path_factory):
    return made(tmp_path_factory.mktemp("copies") / "examples", artifacts)


def rows(pattern: str) -> list[tuple]:
    """(id, label, pixels) of every record."""
    parsed = []
    for record in tf.data.TFRecordDataset(sorted(tf.io.gfile.glob(pattern)), "GZIP").as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        pixels = tf.io.parse_tensor(features[keys.PIXELS].bytes_list.value[0], tf.uint8).numpy()
        parsed.append((features[keys.EXAMPLE_ID].bytes_list.value[0], features[keys.LABEL].int64_list.value[0], pixels))
    return parsed


def data(root: Path, artifacts, steps, copies=None):
    config = digits.trainer_slice({**digits.MLP, "train": {"batch_size": 32}}, augment=steps)
    train, validation = ([str(root / f"Split-{split}" / "*")] for split in (keys.TRAIN, keys.VALIDATION))
    graph = tft.TFTransformOutput(str(artifacts.transform))
    return open_data(train, validation, graph, digits.NAMES, (keys.LABEL,), True, config, None, copies)


def from_copies(written, artifacts, steps=STEPS):
    return data(written, artifacts, steps, str(written / "Split-copies" / "*"))


@pytest.mark.parametrize("copy", [0, 1])
def test_a_copy_is_what_its_epoch_would_draw(written, copy):
    train, copied = rows(f"{written}/Split-train/*"), rows(f"{written}/Split-copies/copy-{copy:04d}/*")
    assert [row[:2] for row in copied] == [row[:2] for row in train]
    steps = policies.schedule(RunConfig.model_validate({**digits.MLP, "augment": STEPS}).augment).written
    numbers = [augment.draw(steps, 0, tf.constant(copy, tf.int64), row[0], (8, 8, 1)) for row in train]
    expected = augment.apply(steps, tf.cast(np.stack([row[2] for row in train]), tf.float32), tf.stack(numbers))
    assert np.abs(np.stack([row[2] for row in copied]).astype(float) - expected).max() <= ROUNDING


def test_copies_differ_and_the_originals_stay(written, artifacts):
    first, second = (rows(f"{written}/Split-copies/copy-{copy:04d}/*") for copy in (0, 1))
    assert not np.array_equal([row[2] for row in first], [row[2] for row in second])
    for split in (keys.TRAIN, keys.VALIDATION):
        for path in (written / f"Split-{split}").iterdir():
            assert path.read_bytes() == (artifacts.transformed / f"Split-{split}" / path.name).read_bytes()


def test_the_same_config_writes_the_same_bytes(written, artifacts, tmp_path):
    again = made(tmp_path / "examples", artifacts)
    assert [row[2].tobytes() for row in rows(f"{again}/Split-copies/*/*")] == [
        row[2].tobytes() for row in rows(f"{written}/Split-copies/*/*")
    ]


def test_training_on_copies_sees_what_training_without_them_would(written, artifacts):
    stored = from_copies(written, artifacts)
    drawn = data(artifacts.transformed, artifacts, STEPS[:-1])
    for (images, targets), (others, wanted) in zip(stored.training(0, 2), drawn.training(0, 2), strict=True):
        assert np.array_equal(targets[keys.LABEL], wanted[keys.LABEL])
        assert np.abs(images - others).max() <= ROUNDING
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(stored.plain, drawn.plain, strict=True))
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(stored.validation, drawn.validation, strict=True))


def test_after_the_last_copy_comes_the_first_in_another_order(written, artifacts):
    stored = from_copies(written, artifacts)
    first, third = ([image.tobytes() for images, _ in stored.training(at, at + 1) for image in images.numpy()] for at in (0, 2))
    assert first != third
    assert sorted(first) == sorted(third)


def test_what_stands_after_copies_is_drawn_every_epoch(written, artifacts):
    stored = from_copies(written, artifacts, [*STEPS, {"mask": {"share": 0.5}}])
    masked, clean = [], []
    for at in (0, 2):
        pairs = list(stored.training(at, at + 1))
        masked.append(sorted(image.tobytes() for images, _ in pairs for image in images.numpy()))
        clean.append(sorted(image.tobytes() for _, targets in pairs for image in targets[keys.CLEAN].numpy()))
    assert clean[0] == clean[1]
    assert masked[0] != masked[1]


def flipped(artifacts, tmp_path, name, of):
    """Copies of the digits that are flipped or not, with a target that `of` makes of the pixels: (pixels, what is stored) each."""
    with_target = tmp_path / "transformed"
    for split in keys.SPLITS:
        folder = with_target / f"Split-{split}"
        folder.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(folder / "transformed-0.gz"), "GZIP") as writer:
            for image_id, label, pixels in rows(f"{artifacts.transformed}/Split-{split}/*"):
                example = tf.train.Example()
                for feature, value in {
                    keys.EXAMPLE_ID: image_id,
                    keys.PIXELS: tf.io.serialize_tensor(pixels).numpy(),
                    name: tf.io.serialize_tensor(of(pixels)).numpy(),
                }.items():
                    example.features.feature[feature].bytes_list.value.append(value)
                example.features.feature[keys.LABEL].int64_list.value.append(label)
                writer.write(example.SerializeToString())
    graph = shutil.copytree(artifacts.transform, tmp_path / "graph")
    schema = next(graph.glob("transformed_metadata/schema.pbtxt"))
    text = schema.read_text()
    start = text.index("feature {", 0)
    blocks = [block for block in text[start:].split("feature {") if f'"{keys.PIXELS}"' in block]
    schema.write_text(text + "feature {" + blocks[0].replace(f'"{keys.PIXELS}"', f'"{name}"'))
    given = type(artifacts)(**{**vars(artifacts), "transformed": with_target, "transform": graph})
    made(tmp_path / "copies", given, [{"flip": {"horizontal": True}}, {"copies": 1}])
    for record in tf.data.TFRecordDataset(
        sorted(tf.io.gfile.glob(f"{tmp_path}/copies/Split-copies/*/*")), "GZIP"
    ).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        yield (
            tf.io.parse_tensor(features[keys.PIXELS].bytes_list.value[0], tf.uint8).numpy(),
            features[name].bytes_list.value[0],
        )


def test_masks_move_with_their_images_and_keep_their_values(artifacts, tmp_path):
    """A target that is a map itself, here the image's own ink."""
    for pixels, stored in flipped(artifacts, tmp_path, keys.MASK, lambda pixels: (pixels > 127).astype(np.uint8)):
        assert np.array_equal(tf.io.parse_tensor(stored, tf.uint8), pixels > 127)


def around(pixels) -> tuple:
    """The smallest box around the ink: top, left, bottom, right."""
    rows_, columns = (np.flatnonzero((pixels > 127).any((axis, 2))) for axis in (1, 0))
    return rows_[0], columns[0], rows_[-1] + 1, columns[-1] + 1


def test_boxes_move_with_their_images(artifacts, tmp_path):
    seen = list(flipped(artifacts, tmp_path, keys.OBJECTS, lambda pixels: np.array([[*around(pixels), 4]], np.float32)))
    assert len(seen) == 240
    for pixels, stored in seen:
        np.testing.assert_allclose(tf.io.parse_tensor(stored, tf.float32), [[*around(pixels), 4]], atol=1e-4)


def test_a_lost_worker_s_shard_is_written_anew(written, artifacts, tmp_path):
    """Beam may run a bundle twice: the file is then replaced, not added to."""
    from components.transform.copies import WriteCopy

    config = RunConfig.model_validate({**digits.MLP, "augment": STEPS})
    slice_ = CopiesSlice(seed=0, transform=config.transform, steps=config.augment[:2], copies=2)
    shard = str(min((written / "Split-train").iterdir()))
    with beam.Pipeline(RUNNER) as pipeline:
        twice = pipeline | beam.Create([(1, shard), (1, shard)])
        _ = twice | beam.ParDo(WriteCopy(slice_, str(artifacts.transform), str(tmp_path)))
    assert len(rows(f"{tmp_path}/copy-0001/*")) == len(rows(shard))
