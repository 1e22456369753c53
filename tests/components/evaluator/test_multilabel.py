"""Figures of images that may have several classes, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from components import keys
from components.evaluator import multilabel
from components.evaluator.intervals import Figure
from components.evaluator.multilabel import DECISIONS, LABELS, PROBABILITIES, STATISTICS

GENERATOR = np.random.default_rng(0)
LABEL = (GENERATOR.random((200, 4)) < [0.5, 0.2, 0.7, 0.1]).astype(np.int64)
SCORE = np.clip(LABEL * 0.3 + GENERATOR.random((200, 4)) * 0.7, 0, 1).astype(np.float32)
ROWS = {LABELS: LABEL.astype(np.float32), PROBABILITIES: SCORE, DECISIONS: (SCORE > 0.5).astype(np.float32)}
EXPECTED = {
    "macro_auroc": roc_auc_score(LABEL, SCORE, average="macro"),
    "micro_auroc": roc_auc_score(LABEL, SCORE, average="micro"),
    "macro_f1": f1_score(LABEL, SCORE > 0.5, average="macro"),
    "micro_f1": f1_score(LABEL, SCORE > 0.5, average="micro"),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_a_figure_is_scikit_learn_s_and_stands_within_its_interval(name):
    value, (low, high) = STATISTICS[name].value(ROWS), STATISTICS[name].interval(ROWS)
    assert value == pytest.approx(EXPECTED[name], abs=1e-9)
    assert low < value < high
    assert high - low < 0.3


@pytest.mark.parametrize("name", STATISTICS)
def test_a_weight_is_how_often_an_image_counts(name):
    weights = GENERATOR.integers(0, 3, (5, 200)).astype(np.float64)
    weighted = STATISTICS[name].weighted(ROWS, weights)
    for row, value in zip(weights, weighted, strict=True):
        repeated = {column: np.repeat(values, row.astype(int), axis=0) for column, values in ROWS.items()}
        assert value == pytest.approx(STATISTICS[name].value(repeated), abs=1e-12)


def test_many_pairs_are_ranked_in_parts(monkeypatch):
    weights = GENERATOR.integers(0, 3, (7, 200)).astype(np.float64)
    whole = STATISTICS["micro_auroc"].weighted(ROWS, weights)
    monkeypatch.setattr(multilabel, "AT_ONCE", 1700)
    np.testing.assert_array_equal(STATISTICS["micro_auroc"].weighted(ROWS, weights), whole)


def test_a_class_of_one_kind_alone_has_no_area_and_macro_is_of_the_others():
    rows = {name: values.copy() for name, values in ROWS.items()}
    rows[LABELS][:, 1], rows[LABELS][:, 3], rows[DECISIONS][:, 3] = 1, 0, 0
    assert STATISTICS["macro_auroc"].value(rows) == pytest.approx(
        roc_auc_score(LABEL[:, [0, 2]], SCORE[:, [0, 2]], average="macro")
    )
    [first, all_have_it, _, nobody] = multilabel.of_classes(rows)
    assert set(first) == {"auroc", "f1"}
    assert set(all_have_it) == {"f1"}
    assert nobody == {}, "neither there nor found"
    none = {LABELS: np.zeros((3, 2)), DECISIONS: np.zeros((3, 2)), PROBABILITIES: np.zeros((3, 2))}
    assert all(np.isnan(statistic.value(none)) for statistic in STATISTICS.values())


def test_each_class_has_its_figures_with_intervals():
    for place, figures in enumerate(multilabel.of_classes(ROWS)):
        assert figures["auroc"] == pytest.approx(roc_auc_score(LABEL[:, place], SCORE[:, place]))
        assert figures["f1"] == pytest.approx(f1_score(LABEL[:, place], SCORE[:, place] > 0.5))
        for figure in figures.values():
            assert isinstance(figure, Figure)
            assert figure.interval[0] < figure < figure.interval[1]


def test_what_is_always_right_has_an_interval_too():
    right = {LABELS: LABEL, DECISIONS: LABEL, PROBABILITIES: LABEL.astype(np.float32)}
    for statistic in STATISTICS.values():
        assert statistic.value(right) == 1
        low, high = statistic.interval(right)
        assert 0.9 < low < high == 1


def test_what_is_said_of_an_image_is_scikit_learn_s_in_the_mean():
    decisions = SCORE > 0.5
    assert multilabel.subset_accuracy(LABEL, SCORE, decisions).mean() == pytest.approx(accuracy_score(LABEL, decisions))
    losses = [log_loss(LABEL[:, place], SCORE[:, place].astype(float)) for place in range(4)]
    clipped = np.clip(SCORE, 1e-7, 1 - 1e-7)
    expected = -np.mean(np.where(LABEL > 0, np.log(clipped), np.log1p(-clipped)))
    assert multilabel.cross_entropy(LABEL, SCORE, decisions).mean() == pytest.approx(expected, rel=1e-4)
    assert multilabel.cross_entropy(LABEL, np.clip(SCORE, 0.01, 0.99), decisions).mean() == pytest.approx(np.mean(losses), rel=0.2)


@pytest.mark.parametrize("figure", [*STATISTICS, *multilabel.PER_IMAGE])
def test_tfma_computes_the_same_from_parts(figure):
    from tensorflow_model_analysis.metrics import metric_types

    key = metric_types.MetricKey(name=figure)
    combiner = multilabel._Sets(key, figure)
    parts = []
    for part in (slice(0, 90), slice(90, 91), slice(91, 200)):
        accumulator = combiner.create_accumulator()
        for label, score, decision in zip(LABEL[part], SCORE[part], SCORE[part] > 0.5, strict=True):
            outputs = {PROBABILITIES: score, DECISIONS: decision}
            element = metric_types.StandardMetricInputs({"labels": label, "predictions": outputs})
            accumulator = combiner.add_input(accumulator, element)
        parts.append(accumulator)
    [value] = combiner.extract_output(combiner.merge_accumulators(parts)).values()
    columns = (LABEL, SCORE, SCORE > 0.5)
    expected = EXPECTED.get(figure) or multilabel.PER_IMAGE[figure](*columns).mean()
    assert value == pytest.approx(expected, abs=1e-6)
    [nothing] = combiner.extract_output(combiner.create_accumulator()).values()
    assert np.isnan(nothing)


def test_rows_of_single_images_hold_as_many_numbers_as_there_are_classes():
    from tensorflow_model_analysis import constants
    from tensorflow_model_analysis.metrics import metric_types

    from components.evaluator import per_image

    combiner = per_image._Rows(metric_types.MetricKey(name="per_image"), "multilabel")
    parts = []
    for place in range(3):
        outputs = {PROBABILITIES: SCORE[place], DECISIONS: SCORE[place] > 0.5}
        features = {keys.EXAMPLE_ID: np.array([b"%d" % place])}
        element = metric_types.StandardMetricInputs(
            {"labels": LABEL[place], "predictions": outputs, constants.FEATURES_KEY: features}
        )
        parts.append(combiner.add_input(combiner.create_accumulator(), element))
    [packed] = combiner.extract_output(combiner.merge_accumulators(parts)).values()
    rows = per_image._unpacked(packed)
    np.testing.assert_array_equal(rows[LABELS], LABEL[:3])
    np.testing.assert_allclose(rows[PROBABILITIES], SCORE[:3])
    assert rows[keys.LABEL].tolist() == [-1] * 3
    assert rows["subset_accuracy"].shape == (3,)
