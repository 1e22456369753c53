"""Figures of a detector against scikit-learn, as TFMA computes them: part by part, of images that may lack a label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from tensorflow_model_analysis.metrics import metric_types

from components.evaluator import detection

LABELLED = st.lists(
    st.tuples(st.integers(0, 1), st.floats(0, 1e6, width=32), st.integers(0, 1)), min_size=2, max_size=40
)  # label, score, decision


def element(label, score, decision):
    outputs = {"anomaly_score": np.array([score], np.float32), "is_anomaly": np.array([decision], np.float32)}
    return metric_types.StandardMetricInputs(labels=None if label is None else np.array(label), predictions=outputs)


def figure(kind, name, output, elements, parts=3) -> float:
    """A part is an accumulator of its own; they are merged in two steps, as Beam may."""
    [computation] = kind(name, output, "figure").computations()
    combiner, made = computation.combiner, []
    for part in range(parts):
        accumulator = combiner.create_accumulator()
        for row in elements[part::parts]:
            accumulator = combiner.add_input(accumulator, row)
        made.append(accumulator)
    merged = combiner.merge_accumulators([combiner.merge_accumulators(made[:2]), *made[2:]])
    [value] = combiner.extract_output(merged).values()
    return value


def ranking(name, elements):
    return figure(detection.Ranking, name, "anomaly_score", elements)


def decision(name, elements):
    return figure(detection.Decision, name, "is_anomaly", elements)


@given(LABELLED, st.sampled_from([("auroc", "roc_auc_score"), ("average_precision", "average_precision_score")]))
def test_rankings_are_scikit_learn_s(rows, names):
    labels, scores, _ = zip(*rows, strict=True)
    value = ranking(names[0], [element([label], score, 0) for label, score, _ in rows])
    if len(set(labels)) == 1:
        assert np.isnan(value)
    else:
        expected = getattr(sklearn_metrics, names[1])(labels, np.array(scores, np.float32))
        assert value == pytest.approx(expected, abs=1e-12)


@given(LABELLED)
def test_decisions_are_scikit_learn_s(rows):
    labels, _, decisions = zip(*rows, strict=True)
    elements = [element([label], 0, decided) for label, _, decided in rows]
    (tn, fp), (fn, tp) = sklearn_metrics.confusion_matrix(labels, decisions, labels=[0, 1])
    counted = {"true_negatives": tn, "false_positives": fp, "false_negatives": fn, "true_positives": tp}
    assert {name: decision(name, elements) for name in counted} == counted
    for name, score in (("precision", sklearn_metrics.precision_score), ("recall", sklearn_metrics.recall_score)):
        expected = score(labels, decisions, zero_division=np.nan)
        assert decision(name, elements) == pytest.approx(expected, nan_ok=True)


def test_scores_beyond_one_and_close_to_each_other_are_ranked():
    scores = 1e-6 * np.arange(8)  # TFMA's bins are 1e-4 wide
    elements = [element([int(place > 3)], score, 0) for place, score in enumerate(scores)]
    assert ranking("auroc", elements) == 1.0
    assert ranking("auroc", [element([1 - int(place > 3)], 1e6 + place, 0) for place in range(8)]) == 0.0


@pytest.mark.parametrize("missing", [None, []], ids=["no such feature", "no value"])
def test_images_without_a_label_count_for_nothing(missing):
    known = [element([0], 1.0, 0), element([1], 2.0, 1)]
    unknown = [element(missing, 9.0, 1), element(missing, 0.0, 0)]
    assert ranking("auroc", known + unknown) == 1.0
    assert decision("precision", known + unknown) == 1.0
    assert all(np.isnan(ranking(name, unknown)) for name in detection.RANKINGS)
    assert all(np.isnan(decision(name, unknown)) for name in detection.DECISIONS)


def test_a_score_that_is_no_number_ranks_nothing():
    assert np.isnan(ranking("auroc", [element([0], np.nan, 0), element([1], 2.0, 1)]))


def test_outputs_are_found_below_a_model_s_name():
    ours = element([1], 2.0, 1)
    other = element([1], 3.0, 0)
    both = {"candidate": ours["predictions"], "baseline": other["predictions"]}
    [computation] = detection.Decision("recall", "is_anomaly", "recall").computations(model_names=["candidate"])
    shared = metric_types.StandardMetricInputs(labels=np.array([1]), predictions=both)
    combiner = computation.combiner
    [value] = combiner.extract_output(combiner.add_input(combiner.create_accumulator(), shared)).values()
    assert value == 1.0
