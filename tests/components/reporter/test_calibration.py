"""Calibration against its definition written out, scikit-learn's curve and loss, and temperatures that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from sklearn import metrics
from sklearn.calibration import calibration_curve

from components import temperature
from components.reporter import calibration


def answers(seed: int, images: int = 400, classes: int = 5, sharper: float = 1.0):
    """Labels drawn from a model's own probabilities, and these at the temperature 1 / sharper."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (images, classes))
    honest = special.softmax(logits, axis=1)
    labels = (honest.cumsum(1) > generator.random((images, 1))).argmax(1)
    return labels, special.softmax(sharper * logits, axis=1)


def test_the_error_of_a_case_by_hand():
    """Ten bins: 0.95 twice, one right: |0.5 - 0.95|; 0.62 and 0.68 right: |1 - 0.65|; weights 2/4 each."""
    confidence, is_right = np.array([0.95, 0.95, 0.62, 0.68]), np.array([True, False, True, True])
    assert calibration.error(confidence, is_right, 10) == pytest.approx(0.5 * 0.45 + 0.5 * 0.35)


@given(st.integers(0, 1000), st.integers(1, 30))
def test_the_error_is_its_definition_s(seed, many):
    labels, probabilities = answers(seed, 80)
    confidence, is_right = probabilities.max(1), probabilities.argmax(1) == labels
    total = 0.0
    for number in range(many):
        inside = [n for n, c in enumerate(confidence) if number / many < c <= (number + 1) / many]
        if inside:
            total += abs(np.mean(is_right[inside]) - np.mean(confidence[inside])) * len(inside) / len(labels)
    assert calibration.error(confidence, is_right, many) == pytest.approx(total, abs=1e-9)


def test_bins_are_scikit_learn_s():
    labels, probabilities = answers(1)
    confidence, is_right = probabilities.max(1), probabilities.argmax(1) == labels
    bins = calibration.reliability(confidence, is_right)
    accuracy, mean = calibration_curve(is_right, confidence, n_bins=calibration.BINS)
    assert [part.accuracy for part in bins] == pytest.approx(accuracy.tolist())
    assert [part.confidence for part in bins] == pytest.approx(mean.tolist())
    assert sum(part.images for part in bins) == len(labels)
    assert all(part.interval[0] <= part.accuracy <= part.interval[1] for part in bins)


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_the_ends_of_the_range_are_in_a_bin(confidence):
    [part] = calibration.reliability(np.array([confidence]), np.array([True]))
    assert part.images == 1


def test_chance_makes_an_error_that_a_calibrated_model_has():
    """Of 20 honest models one is above it, about; of overconfident ones each."""
    above = {1.0: 0, 2.5: 0}
    for sharper in above:
        for seed in range(40):
            labels, probabilities = answers(seed, 300, sharper=sharper)
            confidence, is_right = probabilities.max(1), probabilities.argmax(1) == labels
            above[sharper] += calibration.error(confidence, is_right) > calibration.error_of_chance(confidence)
    assert above[1.0] <= 6
    assert above[2.5] == 40


@pytest.mark.parametrize("sharper", [0.5, 1.0, 3.0])
def test_the_temperature_is_what_the_logits_were_made_sharper_by(sharper):
    labels, probabilities = answers(2, 20_000, sharper=sharper)
    fitted = temperature.fit(labels, probabilities)
    assert fitted == pytest.approx(sharper, rel=0.05)
    mended = temperature.at(probabilities, fitted)
    np.testing.assert_array_equal(mended.argmax(1), probabilities.argmax(1))
    confidence, is_right = mended.max(1), mended.argmax(1) == labels
    assert calibration.error(confidence, is_right) < 0.02


def test_no_other_temperature_has_less_loss():
    labels, probabilities = answers(5, 500, sharper=2.0)
    least = temperature.fit(labels, probabilities)
    loss = metrics.log_loss(labels, temperature.at(probabilities, least), labels=range(5))
    grid = np.geomspace(*temperature.RANGE, 400)
    losses = [metrics.log_loss(labels, temperature.at(probabilities, value), labels=range(5)) for value in grid]
    assert loss <= min(losses) + 1e-9


def test_where_all_is_right_only_the_range_holds_the_temperature():
    held = temperature.held_by_nothing(temperature.fit(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]])))
    assert held == "too few of them are wrong"
    assert temperature.held_by_nothing(1.0) == ""


def test_a_served_probability_of_0_breaks_nothing():
    labels, probabilities = np.array([0, 1, 1]), np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], np.float32)
    value = temperature.fit(labels, probabilities)
    assert np.isfinite(temperature.at(probabilities, value)).all()
    assert np.isfinite(calibration.cross_entropy(labels, probabilities))


def test_losses_are_scikit_learn_s():
    labels, probabilities = answers(7)
    assert calibration.cross_entropy(labels, probabilities) == pytest.approx(metrics.log_loss(labels, probabilities))
    binary = probabilities[:, :2] / probabilities[:, :2].sum(1, keepdims=True)
    assert calibration.brier(labels % 2, binary) == pytest.approx(2 * metrics.brier_score_loss(labels % 2, binary[:, 1]))
