"""Figures of classes against scikit-learn's, and the curves against what they are of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from components.evaluator import intervals
from components.reporter import classes


def answers(seed: int, images: int = 200, many: int = 5):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, many, images)
    logits = generator.normal(0, 1.2, (images, many)) + 2 * np.eye(many)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


@given(st.integers(0, 1000), st.integers(1, 120), st.integers(2, 6))
def test_figures_of_classes_are_scikit_learn_s(seed, images, many):
    labels, probabilities = answers(seed, images, many)
    predicted = probabilities.argmax(1)
    precision, recall, f1, sizes = metrics.precision_recall_fscore_support(
        labels, predicted, labels=range(many), zero_division=np.nan
    )
    for number, figures in enumerate(classes.of_classes(labels, predicted, many)):
        assert figures.images == sizes[number]
        for ours, theirs in ((figures.precision, precision), (figures.recall, recall), (figures.f1, f1)):
            assert (ours is None) == np.isnan(theirs[number])
            if ours is not None:
                assert float(ours) == pytest.approx(theirs[number])
                assert ours.interval[0] - 1e-12 <= ours <= ours.interval[1] + 1e-12


def test_the_interval_of_f1_is_about_that_of_the_bootstrap():
    labels, probabilities = answers(3, 1500, 3)
    predicted = probabilities.argmax(1)
    for number, figures in enumerate(classes.of_classes(labels, predicted, 3)):
        of, taken = labels == number, predicted == number

        def f1(weights, of=of, taken=taken):
            return 2 * (weights @ (of & taken)) / (weights @ of + weights @ taken)

        low, high = intervals.percentiles(intervals.resampled(f1, len(labels)))
        assert figures.f1.interval == (pytest.approx(low, abs=0.012), pytest.approx(high, abs=0.012))


@given(st.integers(0, 1000), st.integers(1, 100))
def test_cells_are_the_confusion_matrix_and_know_their_images(seed, images):
    labels, probabilities = answers(seed, images)
    predicted, matrix = probabilities.argmax(1), np.zeros((5, 5), int)
    cells = classes.cells(labels, predicted)
    for (label, taken), places in cells.items():
        matrix[label, taken] = len(places)
        assert (labels[places] == label).all()
        assert (predicted[places] == taken).all()
        assert places.tolist() == sorted(places)
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(labels, predicted, labels=range(5)))
    assert [*cells] == sorted(cells)


def test_ten_thousand_classes_take_no_matrix():
    labels = np.arange(10_000)
    cells = classes.cells(labels, (labels + 1) % 10_000)
    assert len(cells) == 10_000
    assert classes.cells(labels[:0], labels[:0]) == {}


def test_curves_have_scikit_learn_s_areas_and_lie_on_its_curves():
    labels, probabilities = answers(4, 3000)
    is_class, score = labels == 2, probabilities[:, 2]
    roc, precision = classes.roc(is_class, score), classes.precision_recall(is_class, score)
    assert float(roc.area) == pytest.approx(metrics.roc_auc_score(is_class, score))
    assert roc.area.interval[0] < roc.area < roc.area.interval[1]
    assert float(precision.area) == pytest.approx(metrics.average_precision_score(is_class, score))
    x, y, _ = metrics.roc_curve(is_class, score)
    assert set(zip(roc.x, roc.y, strict=True)) <= set(zip(x, y, strict=True))
    assert ((roc.x[0], roc.y[0]), (roc.x[-1], roc.y[-1])) == ((0, 0), (1, 1))
    for curve in (roc, precision):
        assert len(curve.x) <= classes.POINTS + 2
        assert (np.diff(curve.x) >= 0).all()
    assert metrics.auc(roc.x, roc.y) == pytest.approx(roc.area, abs=0.005)


@pytest.mark.parametrize("is_class", [np.zeros(4, bool), np.ones(4, bool)])
def test_of_one_kind_there_is_no_ranking(is_class):
    assert classes.roc(is_class, np.arange(4.0)) is None
    assert (classes.precision_recall(is_class, np.arange(4.0)) is None) == (not is_class.any())


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.7, 0.9, 0.99]), st.booleans()), min_size=1, max_size=40))
def test_abstention_is_counted_by_hand(images):
    confidence, is_right = np.array([c for c, _ in images]), np.array([hit for _, hit in images])
    curve = classes.abstention(confidence, is_right)
    assert [*curve.threshold] == sorted(set(confidence.tolist()))
    for threshold, coverage, answered, accuracy in zip(
        curve.threshold, curve.coverage, curve.answered, curve.accuracy, strict=True
    ):
        hits = [hit for c, hit in images if c >= threshold]
        assert (answered, coverage, accuracy) == (len(hits), pytest.approx(len(hits) / len(images)), pytest.approx(np.mean(hits)))
    assert (curve.coverage[0], curve.interval.shape) == (1, (len(curve.coverage), 2))


def test_the_area_is_0_of_a_model_that_is_right_and_thins_no_end_away():
    confidence = np.random.default_rng(0).random(5000)
    assert classes.abstention(confidence, np.ones(5000, bool)).area == 0
    curve = classes.abstention(confidence, confidence > 0.3)
    assert len(curve.coverage) <= classes.POINTS + 2
    assert (curve.coverage[0], curve.answered[-1], curve.accuracy[-1]) == (1, 1, 1)
    assert curve.accuracy[0] == pytest.approx(np.mean(confidence > 0.3))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.sampled_from([0.01, 0.5, 0.9, 1.0]))
def test_as_many_are_answered_as_were_asked_for(confidence, coverage):
    confidence = np.array(confidence)
    lowest, images, hits = classes.answered_at(confidence, np.ones(len(confidence), bool), coverage)
    assert images >= coverage * len(confidence) - 1e-6
    assert images == hits == (confidence >= lowest).sum()
    assert (confidence > lowest).sum() < coverage * len(confidence)


def test_images_that_changed_sides():
    won, lost = classes.changed_sides(np.array([True, True, False, False]), np.array([True, False, True, False]))
    assert (won.tolist(), lost.tolist()) == ([1], [2])


def test_the_worst_mistakes_are_the_surest():
    labels = np.array([0, 1, 0, 1])
    probabilities = np.array([[0.4, 0.6], [0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
    assert classes.worst(labels, probabilities).tolist() == [1, 3, 0]


def test_the_weakest_classes_stand_in_their_order():
    figures = [classes.OfClass(9, 10, 10), classes.OfClass(1, 10, 10), classes.OfClass(0, 0, 3), classes.OfClass(5, 10, 10)]
    assert classes.weakest_classes(figures, 2) == [1, 3]
    assert classes.weakest_classes(figures, 9) == [0, 1, 3]
