"""TFMA metrics of our own against NumPy and scikit-learn."""

import functools
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import f1_score
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from components.evaluator import metrics

KEY = metric_types.MetricKey(name="figure")
CONFIG = config_pb2.EvalConfig(model_specs=[config_pb2.ModelSpec(label_key="label")])


def figure(combiner, batches) -> float:
    """A batch is an accumulator of its own; they are merged in two steps, as Beam may."""
    made = []
    for batch in batches:
        accumulator = combiner.create_accumulator()
        for element in batch:
            accumulator = combiner.add_input(accumulator, element)
        made.append(accumulator)
    merged = combiner.merge_accumulators([combiner.merge_accumulators(made[:2]), *made[2:]])
    return combiner.extract_output(merged)[KEY]


def confusion():
    [computation] = metrics.MacroF1("figure").computations(eval_config=CONFIG)
    return computation.combiner


def element(label, probabilities):
    return metric_types.StandardMetricInputs(label=np.array([label]), prediction=np.array(probabilities, np.float32))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40), st.integers(1, 4))
def test_macro_f1_is_scikit_learn_s(pairs, parts):
    elements = [element(label, np.eye(5)[predicted] * 0.5 + 0.1) for label, predicted in pairs]
    labels, predicted = zip(*pairs, strict=True)
    expected = f1_score(labels, predicted, average="macro")
    assert figure(confusion(), [elements[part::parts] for part in range(parts)]) == pytest.approx(expected)


def test_macro_f1_of_nothing_is_no_number():
    assert np.isnan(figure(confusion(), [[], []]))
    combiner = confusion()
    assert np.isnan(combiner.extract_output(combiner.merge_accumulators([]))[KEY])


def mean():
    [computation] = metrics.MeanOfOutput("score", "figure").computations()
    return computation.combiner


def psnr():
    [computation] = metrics.MeanPsnr("score", "figure").computations()
    return computation.combiner


def scored(value):
    return SimpleNamespace(prediction={"score": np.array([value], np.float32), "other": np.array([9.0])})


@given(st.lists(st.floats(0, 100, width=32), min_size=1, max_size=30), st.integers(1, 4))
def test_the_mean_of_an_output_is_numpy_s(values, parts):
    elements = [scored(value) for value in values]
    assert figure(mean(), [elements[part::parts] for part in range(parts)]) == pytest.approx(np.mean(values), abs=1e-6)


@given(st.lists(st.floats(2**-30, 1, width=32), min_size=1, max_size=30))
def test_psnr_is_the_mean_of_decibels_not_the_decibels_of_the_mean(errors):
    elements = [scored(error) for error in errors]
    assert figure(psnr(), [elements[:3], elements[3:]]) == pytest.approx(np.mean(-10 * np.log10(errors)), abs=1e-4)


def test_a_perfect_image_has_a_finite_psnr():
    assert figure(psnr(), [[scored(0.0)]]) == pytest.approx(120)


def standard_error():
    [computation] = metrics.StandardErrorOfOutput("score", "figure").computations()
    return computation.combiner


@given(st.lists(st.floats(0, 100, width=32), min_size=2, max_size=30), st.integers(1, 4))
def test_the_standard_error_of_a_mean_is_scipy_s(values, parts):
    elements = [scored(1e4 + value) for value in values]
    expected = stats.sem(np.float32(1e4) + np.array(values, np.float32))
    assert figure(standard_error(), [elements[part::parts] for part in range(parts)]) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_one_image_has_no_standard_error():
    assert np.isnan(figure(standard_error(), [[scored(1.0)], []]))


@pytest.mark.parametrize("combiner", [mean, psnr, standard_error])
def test_a_mean_of_nothing_is_no_number(combiner):
    assert np.isnan(figure(combiner(), [[], []]))
    made = combiner()
    assert np.isnan(made.extract_output(made.merge_accumulators([]))[KEY])


def test_outputs_are_found_below_a_model_s_name():
    [computation] = metrics.MeanOfOutput("score", "figure").computations(model_names=["candidate"])
    both = SimpleNamespace(prediction={"candidate": {"score": np.array([3.0])}, "baseline": {"score": np.array([5.0])}})
    combiner = computation.combiner
    [value] = combiner.extract_output(combiner.add_input(combiner.create_accumulator(), both)).values()
    assert value == 3.0


def active():
    [computation] = metrics.ActiveUnits("codes", "figure").computations()
    return computation.combiner


def coded(code):
    return SimpleNamespace(prediction={"codes": np.asarray(code, np.float32)})


@given(st.integers(1, 4), st.integers(2, 30))
def test_active_units_are_those_whose_means_vary(parts, many):
    deviations = np.array([0.0, 0.05, 0.09, 0.11, 3.0])
    codes = 100 + np.resize([-1.0, 1.0], many)[:, None] * deviations
    elements = [coded(code) for code in codes]
    expected = (codes.astype(np.float32).astype(np.float64).var(0) > 0.01).sum()
    assert figure(active(), [elements[part::parts] for part in range(parts)]) == expected
    assert many % 2 or expected == 2


def units(codes, parts=3) -> tuple[float, list[float]]:
    """The figure and its interval."""
    combiner = active()
    made = [
        functools.reduce(combiner.add_input, map(coded, codes[part::parts]), combiner.create_accumulator()) for part in range(parts)
    ]
    computed = combiner.extract_output(combiner.merge_accumulators([combiner.merge_accumulators(made[:2]), *made[2:]]))
    value, interval = computed.values()
    return value, json.loads(interval)


@pytest.mark.parametrize("many", [40, 500])
def test_the_interval_of_active_units_is_of_those_that_are_close_to_the_bound(many):
    codes = 5 + np.random.default_rng(0).normal(0, [0.01, 0.1, 0.1, 0.1, 0.1, 3.0], (many, 6))
    value, (low, high) = units(codes)
    assert 1 <= low <= value <= high <= 5
    assert low < high
    assert units(5 + np.resize([-1.0, 1.0], (many, 1)) * [0.01, 3.0]) == (1.0, [1.0, 1.0])


def test_active_units_of_many_images_take_no_more_memory():
    combiner = active()
    accumulator = combiner.create_accumulator()
    sizes = []
    for code in np.random.default_rng(0).normal(size=(300, 2)):
        accumulator = combiner.add_input(accumulator, coded(code))
        sizes.append(len(pickle.dumps(accumulator)))
    assert len(accumulator) == combiner.GROUPS
    assert sizes[-1] == pytest.approx(sizes[combiner.GROUPS - 1], rel=0.01)


def test_active_units_of_nothing_are_no_number():
    assert np.isnan(figure(active(), [[], []]))
    assert units([])[1] == [None, None]
