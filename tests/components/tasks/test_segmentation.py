"""A class for each pixel: what is counted, what is learned, and how a network of the middle is asked."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from components import targets
from components.evaluator.statistic import count
from components.tasks.judges.by_name import judge_of
from components.tasks.segmentation import VOID_MASKS, VOID_PIXELS, counts, logits
from configs.errors import UsageError
from keras_models import building, get
from keras_models.pixel_losses import CrossEntropy
from keras_models.segmenters.unet import unet

CLASSES = 4


@pytest.fixture(scope="module")
def labelled() -> tuple[np.ndarray, np.ndarray]:
    """Masks and answers, [N, 6, 5]: of 5 images with pixels of no class, one of nothing else; class 3 is in none."""
    draw = np.random.default_rng(0)
    truth, made = draw.integers(0, 3, (2, 5, 6, 5))
    truth[0], truth[1, :2] = targets.VOID, targets.VOID
    return truth, made


def rows_of(truth, made):
    """What Evaluator keeps."""
    outputs = {name: np.asarray(value) for name, value in counts(tf.constant(made), tf.constant(truth), CLASSES).items()}
    each = [judge_of("segmentation").each({name: value[at] for name, value in outputs.items()}, -1) for at in range(len(truth))]
    return {name: np.array([row[name] for row in each]) for name in each[0]}


def test_figures_are_those_of_one_confusion_matrix_of_all_pixels(labelled):
    truth, made = labelled
    known = truth != targets.VOID
    rows = rows_of(truth, made)
    figures = {name: metric.statistic.value(rows) for name, metric in judge_of("segmentation").metrics.items()}
    assert count(rows) == 5
    assert figures["mean_iou"] == pytest.approx(jaccard_score(truth[known], made[known], average="macro"))
    matrix = confusion_matrix(truth[known], made[known], labels=range(CLASSES))
    np.testing.assert_array_equal(rows["intersection"].sum(0), np.diag(matrix))
    np.testing.assert_array_equal(rows["union"].sum(0), matrix.sum(0) + matrix.sum(1) - np.diag(matrix))
    assert rows["union"].sum(0)[3] == 0, "a class that is in neither is left out"
    assert figures["pixel_accuracy"] == pytest.approx(accuracy_score(truth[known], made[known]))
    assert figures[VOID_PIXELS] == pytest.approx(1 - known.mean())
    assert figures[VOID_MASKS] == pytest.approx(1 / 5)
    per_image = np.mean([jaccard_score(truth[at].ravel(), made[at].ravel(), average="macro") for at in (2, 3, 4)])
    assert figures["mean_iou"] != pytest.approx(per_image, rel=1e-3), "another figure"
    low, high = judge_of("segmentation").metrics["mean_iou"].statistic.interval(rows)
    assert low < figures["mean_iou"] < high


def test_what_is_left_out_is_said():
    judge = judge_of("segmentation")
    assert not judge.remarks(None, {VOID_PIXELS: 0.0, VOID_MASKS: 0.0})
    (told,) = judge.remarks(None, {VOID_PIXELS: 0.175, VOID_MASKS: 0.1})
    said = "17.5% of the pixels of test masks are of no class, and 10.0% of the masks altogether"
    assert told == f"{said}; mean_iou and pixel_accuracy leave them out."


def test_cross_entropy_is_of_pixels_that_are_of_a_class_and_of_the_middle():
    draw = np.random.default_rng(1)
    given, truth = draw.normal(size=(2, 4, 3, CLASSES)).astype("float32"), draw.integers(0, CLASSES, (2, 8, 5, 1))
    truth[0, 3, 2], truth[1, 2:4] = targets.VOID, targets.VOID
    inside = truth[:, 2:6, 1:4, 0]
    probabilities = np.exp(given) / np.exp(given).sum(-1, keepdims=True)
    known = np.argwhere(inside != targets.VOID)
    expected = np.mean([-np.log(probabilities[tuple(at)][inside[tuple(at)]]) for at in known])
    assert len(known) < inside.size
    assert float(CrossEntropy()(truth, given)) == pytest.approx(expected, rel=1e-5)
    assert float(CrossEntropy()(np.full_like(truth, targets.VOID), given)) == 0


def test_a_network_of_the_middle_is_asked_for_all_of_an_image_as_in_one_large_pass():
    """Parts of an image, mirrored at its edges, together are what the same weights answer for the mirrored image at once."""
    keras.utils.set_random_seed(0)
    options = {"num_classes": 3, "filters": (2, 3), "activation": "elu", "dropout": 0.0}
    small = unet((32, 36, 1), **options)
    assert small.output_shape[1:3] == (16, 20)
    large = unet((48, 52, 1), **options)
    assert large.output_shape[1:3] == (32, 36)
    large.set_weights(small.get_weights())
    pixels = np.random.default_rng(0).random((2, 32, 36, 1), "float32")
    mirrored = np.pad(pixels, [(0, 0), (8, 8), (8, 8), (0, 0)], "reflect")
    np.testing.assert_allclose(logits(small, tf.constant(pixels)), large(mirrored), rtol=1e-5, atol=1e-6)


def test_an_output_that_is_no_map_of_classes_is_refused():
    def built(*shape):
        def build(input_shape, num_classes):
            image = keras.Input(input_shape)
            return keras.Model(image, keras.layers.Reshape(shape)(keras.layers.Flatten()(image)))

        entry = building.replace(get("unet"), build=build, name="own")
        return building.build(entry, {"input_shape": (4, 4, 2), "num_classes": 2}, {})

    assert built(4, 4, 2).output_shape == (None, 4, 4, 2)
    for shape, said in (((4, 8, 1), r"shape must be \(height, width, 2\)"), ((2, 8, 2), "as large or smaller"), ((32,), "a logit")):
        with pytest.raises(UsageError, match=said):
            built(*shape)
