"""The order of training images is a function of (seed, epoch); validation is always the same and never augmented."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components import keys
from components.inputs import input_of
from components.inputs.image import Moments
from components.tasks.by_name import task_of
from components.trainer.data import DataInfo, open_data
from components.trainer.epochs import augmentation
from configs import policies
from configs.errors import UsageError
from configs.schema.augment import AugmentStep
from tests.components import digits

ROTATE = [{"rotate": {"degrees": 20}}]


def opened(artifacts, materialized=True, root=None, targets=(keys.LABEL,), mix=None, **changes):
    graph = tft.TFTransformOutput(str(artifacts.transform))
    config = digits.trainer_slice({**digits.MLP, "train": {"epochs": 4, "batch_size": 32}}, **changes)
    root = root or (artifacts.transformed if materialized else artifacts.examples)
    train, validation = ([str(root / f"Split-{split}" / "*")] for split in (keys.TRAIN, keys.VALIDATION))
    return open_data(train, validation, graph, digits.NAMES, targets, materialized, config, mix)


def batches(dataset) -> list:
    return [(images.numpy(), {name: values.numpy() for name, values in targets.items()}) for images, targets in dataset]


def same(batches, others) -> bool:
    return len(batches) == len(others) and all(
        np.array_equal(a, b) and a.dtype == b.dtype and s.keys() == t.keys() and all(np.array_equal(s[k], t[k]) for k in s)
        for (a, s), (b, t) in zip(batches, others, strict=True)
    )


def labels(batches) -> np.ndarray:
    return np.concatenate([targets[keys.LABEL] for _, targets in batches])


def originals(split) -> np.ndarray:
    return digits.images()[0][list(digits.rows(split))].astype(np.float32)


def test_raw_and_materialised_images_give_the_same_batches(artifacts):
    raw, stored = (opened(artifacts, materialized, augment=ROTATE) for materialized in (False, True))
    assert raw.info == stored.info
    assert same(batches(raw.training(0, 2)), batches(stored.training(0, 2)))
    assert same(batches(raw.validation), batches(stored.validation))
    assert same(batches(raw.plain), batches(stored.plain))


def test_the_facts_are_those_of_the_training_split(artifacts):
    info = opened(artifacts).info
    train = originals(keys.TRAIN).astype(np.float64)
    assert (info.input_shape, info.train_images, info.class_names) == ((8, 8, 1), 240, digits.NAMES)
    assert info.of_input.mean == pytest.approx([train.mean()], rel=1e-6)
    assert info.of_input.variance == pytest.approx([train.var()], rel=1e-6)
    assert info.for_builder() == {"input_shape": (8, 8, 1), "num_classes": 10}


def test_an_epoch_has_every_image_once_in_batches_of_the_size_asked_for(artifacts):
    data = opened(artifacts, train={"batch_size": 100})
    epoch = batches(data.training(0, 1))
    assert data.steps == len(epoch) == 3
    assert [len(images) for images, _ in epoch] == [100, 100, 40]
    flat = np.concatenate([images for images, _ in epoch]).reshape(240, -1)
    assert flat.dtype == np.float32
    assert np.array_equal(np.unique(flat, axis=0), np.unique(originals(keys.TRAIN).reshape(240, -1), axis=0))


def test_the_order_is_that_of_the_seed(artifacts):
    first = batches(opened(artifacts, augment=ROTATE).training(0, 2))
    assert same(first, batches(opened(artifacts, augment=ROTATE).training(0, 2)))
    other = batches(opened(artifacts, augment=ROTATE, seed=1).training(0, 2))
    assert not np.array_equal(labels(first), labels(other))


def test_the_order_does_not_depend_on_who_read_before(artifacts):
    data = opened(artifacts, augment=ROTATE)
    first = batches(data.training(0, 3))
    batches(data.training(1, 2))
    assert same(first, batches(data.training(0, 3)))


@pytest.mark.parametrize("seed", [0, 7])
def test_the_order_does_not_depend_on_the_seed_of_the_process(artifacts, seed):
    first = batches(opened(artifacts, seed=3).training(0, 1))
    tf.random.set_seed(seed)
    assert same(first, batches(opened(artifacts, seed=3).training(0, 1)))


def test_every_epoch_has_an_order_and_an_augmentation_of_its_own(artifacts):
    plain = batches(opened(artifacts).training(0, 4))
    orders = [labels(plain[epoch * 8 : epoch * 8 + 8]).tobytes() for epoch in range(4)]
    assert len(set(orders)) == 4
    turned = batches(opened(artifacts, augment=ROTATE).training(0, 2))
    sums = [sorted(np.concatenate([images for images, _ in turned[e : e + 8]]).sum((1, 2, 3)).round(1)) for e in (0, 8)]
    assert sums[0] != sums[1]


@pytest.mark.parametrize("steps", [[], ROTATE], ids=["plain", "augmented"])
def test_going_on_at_an_epoch_gives_exactly_the_batches_of_that_epoch(artifacts, steps):
    whole = batches(opened(artifacts, augment=steps).training(0, 4))
    assert same(whole[16:], batches(opened(artifacts, augment=steps).training(2, 4)))
    assert batches(opened(artifacts, augment=steps).training(4, 4)) == []


def test_validation_and_plain_are_never_shuffled_and_never_augmented(artifacts):
    data = opened(artifacts, augment=ROTATE)
    for dataset, split in ((data.validation, keys.VALIDATION), (data.plain, keys.TRAIN)):
        first = batches(dataset)
        batches(data.training(0, 1))
        assert same(first, batches(dataset))
        assert np.array_equal(np.concatenate([images for images, _ in first]), originals(split))
        assert np.array_equal(labels(first), digits.images()[1][list(digits.rows(split))])


def test_what_fits_into_memory_is_read_once(artifacts, tmp_path):
    root = tmp_path / "transformed"
    shutil.copytree(artifacts.transformed, root)
    data = opened(artifacts, root=root)
    first = batches(data.training(0, 1))
    kept = batches(data.validation)
    shutil.rmtree(root)
    assert same(first, batches(data.training(0, 1)))
    assert same(kept, batches(data.validation))


def displacement(some) -> int:
    """How far before its place in the files an image may come: shuffling with a buffer of n lets it come n - 1 places earlier."""
    files = [image.tobytes() for image in originals(keys.TRAIN)]
    assert len(set(files)) == len(files)
    places = [files.index(image.tobytes()) for images, _ in some for image in images]
    assert sorted(places) == list(range(len(files)))
    return max(place - at for at, place in enumerate(places))


BYTES = 8 * 8  # of an image


@pytest.mark.parametrize(
    ("limits", "buffer"), [({"SHUFFLE": 50, "CACHE_BYTES": 239 * BYTES}, 50), ({"CACHE_BYTES": 60 * BYTES}, 60)]
)
def test_what_does_not_fit_is_shuffled_in_a_buffer_of_bounded_bytes_and_resumable(artifacts, monkeypatch, limits, buffer):
    for name, value in limits.items():
        monkeypatch.setattr(f"components.trainer.epochs.{name}", value)
    whole = batches(opened(artifacts).training(0, 2))
    assert not np.array_equal(labels(whole[:8]), labels(whole[8:]))
    assert same(whole[8:], batches(opened(artifacts).training(1, 2)))
    assert buffer / 2 < displacement(whole[:8]) < buffer


def test_images_larger_than_the_memory_for_them_are_read_one_by_one(artifacts, monkeypatch):
    monkeypatch.setattr("components.trainer.epochs.CACHE_BYTES", BYTES - 1)
    assert displacement(batches(opened(artifacts).training(0, 1))) == 0


@pytest.mark.parametrize(("limit", "kept"), [(60 * BYTES, True), (60 * BYTES - 1, False)])
def test_validation_is_kept_in_memory_where_it_fits_whatever_training_needs(artifacts, tmp_path, monkeypatch, limit, kept):
    monkeypatch.setattr("components.trainer.epochs.CACHE_BYTES", limit)
    root = tmp_path / "transformed"
    shutil.copytree(artifacts.transformed, root)
    data = opened(artifacts, root=root)
    first = batches(data.validation)
    shutil.rmtree(root / f"Split-{keys.VALIDATION}")
    if kept:
        assert same(first, batches(data.validation))
    else:
        with pytest.raises(tf.errors.NotFoundError):
            batches(data.validation)


def test_a_large_validation_split_is_not_kept_because_training_is(artifacts, tmp_path, monkeypatch):
    monkeypatch.setattr("components.trainer.epochs.CACHE_BYTES", 100 * BYTES)
    root = tmp_path / "transformed"
    for split, of in ((keys.TRAIN, keys.VALIDATION), (keys.VALIDATION, keys.TRAIN)):  # 60 and 240 images
        shutil.copytree(artifacts.transformed / f"Split-{of}", root / f"Split-{split}")
    data = opened(artifacts, root=root)
    train = batches(data.training(0, 1))
    batches(data.validation)
    shutil.rmtree(root)
    assert same(train, batches(data.training(0, 1)))
    with pytest.raises(tf.errors.NotFoundError):
        batches(data.validation)


def test_data_without_labels_has_no_targets(artifacts):
    data = opened(artifacts, targets=())
    assert all(targets == {} for _, targets in batches(data.training(0, 1)))


def test_a_policy_augments_as_its_steps_do(artifacts):
    named = batches(opened(artifacts, augment="digits").training(0, 1))
    steps = [step.model_dump() for step in policies.expand(digits.trainer_slice(digits.MLP, augment="digits").augment, 1)]
    assert same(named, batches(opened(artifacts, augment=steps).training(0, 1)))
    assert same(batches(opened(artifacts, augment="none").training(0, 1)), batches(opened(artifacts).training(0, 1)))


def test_noise_leaves_the_clean_pixels_among_the_targets_of_training_alone(artifacts):
    turned = batches(opened(artifacts, augment=ROTATE).training(0, 1))
    data = opened(artifacts, augment=[*ROTATE, {"mask": {"share": 0.5}}])
    for (images, targets), (expected, _) in zip(batches(data.training(0, 1)), turned, strict=True):
        black = (images == 0).mean()
        assert np.array_equal(targets[keys.CLEAN], expected)  # a step at the end leaves the draws of those before it
        assert np.array_equal(images[images > 0], targets[keys.CLEAN][images > 0])
        assert black > (targets[keys.CLEAN] == 0).mean() + 0.1
    for dataset in (data.validation, data.plain):
        assert all(set(targets) == {keys.LABEL} for _, targets in batches(dataset))


def test_the_clean_pixels_are_those_of_the_same_steps_without_noise(artifacts):
    noisy = batches(opened(artifacts, augment=[{"gaussian_noise": {"stddev": 0.2}}]).training(0, 1))
    plain = batches(opened(artifacts).training(0, 1))
    for (images, targets), (expected, _) in zip(noisy, plain, strict=True):
        assert np.array_equal(targets[keys.CLEAN], expected)
        assert np.abs(images - expected).mean() > 10


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_training_sees_mixed_labels_and_validation_sees_classes(artifacts, name):
    data = opened(artifacts, mix=task_of("classification").mix, augment=[{name: {"alpha": 1}}])
    plain = batches(opened(artifacts).training(0, 1))
    for (images, targets), (own, classes) in zip(batches(data.training(0, 1)), plain, strict=True):
        mixed, one_hot = targets[keys.LABEL], np.eye(10, dtype=np.float32)[classes[keys.LABEL]]
        assert mixed.dtype == np.float32
        assert np.allclose(mixed.sum(1), 1, atol=1e-5)
        other, before = np.roll(one_hot, 1, 0), np.roll(own, 1, 0)
        kept = (mixed * one_hot).sum(1) * (1 - (one_hot * other).sum(1))
        if name == "mixup":
            differ = (one_hot * other).sum(1) == 0
            expected = kept[:, None, None, None] * own + (1 - kept[:, None, None, None]) * before
            assert np.allclose(images[differ], expected[differ], atol=1e-2)
        else:
            assert ((images == own) | (images == before)).all()
    for dataset in (data.validation, data.plain):
        assert all(targets[keys.LABEL].dtype == np.int64 for _, targets in batches(dataset))


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_is_refused_where_the_task_has_nothing_to_mix(artifacts, name):
    with pytest.raises(UsageError, match="mixup and cutmix"):
        opened(artifacts, mix=task_of("reconstruction").mix, augment=[{name: {}}])


def test_colours_come_from_the_covariance_of_the_training_split(artifacts):
    step = AugmentStep(pca_color={"stddev": 0.5})
    info = DataInfo((2, 2, 3), [], 1, Moments(covariance=np.diag([0.0, 0.0, 900.0]).tolist()))
    rows = {keys.PIXELS: np.full((1, 2, 2, 3), 100, np.uint8)}
    images, _ = augmentation([step], input_of("image"), [], None, info)(rows, tf.constant([[0.9, 0.9, 0.9]]))
    assert np.allclose(images[..., :2], 100)
    assert np.abs(images[..., 2] - 100).min() > 5
