"""Intervals against textbook formulas, against each other, and by how often they hold what they are of."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.evaluator import intervals

SAMPLES = 1_000  # simulated: 95 % of them are within 1.5 points with a chance of 0.97


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_has_wilson_s_interval(of):
    hits, images = of
    z, p = 1.959963984540054, hits / images
    center = (p + z**2 / (2 * images)) / (1 + z**2 / images)
    half = z / (1 + z**2 / images) * math.sqrt(p * (1 - p) / images + z**2 / (4 * images**2))
    low, high = intervals.share(hits, images)
    assert (low, high) == (pytest.approx(center - half, abs=1e-12), pytest.approx(center + half, abs=1e-12))
    assert 0 <= low <= p <= high <= 1


def test_a_share_that_was_tabulated():
    """Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263 and 0 of 20."""
    assert intervals.share(81, 263) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    assert intervals.share(0, 20) == (pytest.approx(0, abs=5e-5), pytest.approx(0.1611, abs=5e-5))


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40))
def test_a_mean_has_student_s_interval(values):
    interval = intervals.mean(np.array(values))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95) if len(set(values)) > 1 else (np.mean(values),) * 2
    assert interval == pytest.approx(tuple(expected), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, np.nan], [1.0, np.inf]])
def test_of_too_few_or_of_no_numbers_there_is_no_interval(values):
    assert intervals.mean(np.array(values)) is None
    assert intervals.share(0, 0) is None
    assert intervals.percentiles(np.array([np.nan])) is None


def covered(draw, truth) -> float:
    """How many of the simulated intervals hold the truth."""
    ends = (draw(np.random.default_rng(seed)) for seed in range(SAMPLES))
    return np.mean([low <= truth <= high for low, high in ends])


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_wilson_s_interval_holds_the_share_in_95_of_100_samples(share):
    assert covered(lambda g: intervals.share(int(g.binomial(60, share)), 60), share) == pytest.approx(0.95, abs=0.03)


def test_student_s_interval_holds_the_mean_in_95_of_100_samples():
    assert covered(lambda g: intervals.mean(g.gamma(4.0, 0.5, 30)), 2.0) == pytest.approx(0.95, abs=0.025)


def scored(g, positive=25, negative=35):
    """Labels and scores of two normals, one apart: their AUROC is Phi(1 / sqrt(2))."""
    labels = np.repeat([1, 0], [positive, negative])
    return labels, g.normal(labels.astype(float))


def test_delong_s_interval_holds_the_area_in_95_of_100_samples():
    assert covered(lambda g: intervals.auroc(*scored(g)), stats.norm.cdf(1 / math.sqrt(2))) == pytest.approx(0.95, abs=0.025)


def test_delong_s_interval_is_close_to_the_bootstrap_s():
    from components.evaluator.statistic import Auroc

    labels, scores = scored(np.random.default_rng(3), 150, 250)
    rows = {"label": labels, "score": scores}
    resampled = intervals.resampled(lambda weights: Auroc("score").weighted(rows, weights), 400)
    assert intervals.auroc(labels, scores) == pytest.approx(intervals.percentiles(resampled), abs=0.006)


def test_delong_s_deviation_is_that_of_the_definition():
    """DeLong et al. 1988, equations 4 to 6, pair by pair; ties count half."""
    labels, scores = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0]), np.array([3.0, 2, 5, 2, 1, 2, 0, 2.5, 4])
    x, y = scores[labels == 1], scores[labels == 0]
    kernel = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    area = kernel.mean()
    deviation = math.sqrt(kernel.mean(1).var(ddof=1) / len(x) + kernel.mean(0).var(ddof=1) / len(y))
    ends = [math.log(area / (1 - area)) + sign * 1.959963984540054 * deviation / (area * (1 - area)) for sign in (-1, 1)]
    assert intervals.auroc(labels, scores) == pytest.approx(tuple(1 / (1 + math.exp(-end)) for end in ends))


def test_a_ranking_without_an_error_is_not_certain():
    assert intervals.auroc(np.array([1] * 5 + [0] * 9), np.arange(14, 0, -1.0)) == intervals.share(5, 5)
    assert intervals.auroc(np.array([0] * 5 + [1] * 9), np.arange(14, 0, -1.0)) == intervals.share(0, 5)
    assert intervals.auroc(np.array([1, 0, 0]), np.arange(3.0)) is None


def test_resamples_have_as_many_images_each_and_are_the_same_each_time():
    seen = []
    resampled = intervals.resampled(lambda weights: seen.append(weights) or weights[:, 0], 50)
    assert resampled.shape == (1_000,)
    assert all((weights.sum(1) == 50).all() for weights in seen)
    np.testing.assert_array_equal(resampled, intervals.resampled(lambda weights: weights[:, 0], 50))
    assert resampled.mean() == pytest.approx(1.0, abs=0.1)
    assert resampled.var() == pytest.approx(49 / 50, rel=0.2)


def test_more_images_get_fewer_resamples_and_no_more_memory(monkeypatch):
    assert [intervals.resamples(images) for images in (1, 20_000, 50_000, 10**6)] == [1_000, 1_000, 400, 200]
    monkeypatch.setattr(intervals, "AT_ONCE", 1_000)
    sizes = []
    intervals.resampled(lambda weights: sizes.append(weights.size) or weights[:, 0], 300)
    assert max(sizes) <= 1_000


def test_a_figure_is_a_number_and_keeps_its_interval():
    figure = intervals.of_share(np.array([True, True, False, True]))
    assert figure == 0.75
    assert pickle.loads(pickle.dumps(figure)).interval == figure.interval == intervals.share(3, 4)  # noqa: S301 our own
    assert intervals.of_mean(np.array([1.0, 2.0, 4.0])).interval == intervals.mean(np.array([1.0, 2.0, 4.0]))
