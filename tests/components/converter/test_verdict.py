"""Answers of two models about the same images: what is no answer, how far they are apart, and what that costs."""

import numpy as np
import pytest
from scipy import stats

from components import keys
from components.converter import verdict
from components.converter.verdict import Cost
from components.tasks.judges.by_name import judge_of

RIGHT = {"probabilities": np.eye(3, dtype=np.float32)[np.arange(600) % 3] * 0.8 + 0.1}
LABELS = np.arange(600) % 3


def of(**answers):
    return verdict.wrong({name: np.asarray(value) for name, value in answers.items()}, RIGHT)


def test_what_is_no_answer_is_named():
    nan = RIGHT["probabilities"].copy()
    nan[299, 1] = np.inf
    assert of(**RIGHT) == ""
    assert of(codes=[1]) == "outputs are ['codes'] where ['probabilities'] were trained"
    assert of() == "outputs are [] where ['probabilities'] were trained"
    assert of(probabilities=RIGHT["probabilities"].astype(np.int8)) == "output probabilities is int8 instead of float32"
    assert of(probabilities=RIGHT["probabilities"][:, :2]) == "output probabilities has shape (600, 2) instead of (600, 3)"
    assert of(probabilities=nan) == "output probabilities is no number for test image 300 of 600, where the model gives one"
    assert verdict.wrong({"probabilities": nan}, {"probabilities": nan}) == ""  # as the model has it


def test_the_largest_difference_and_what_is_beyond_the_tolerance():
    near = RIGHT["probabilities"].copy()
    near[500, 2] += 5e-5
    assert verdict.parity({"probabilities": near}, RIGHT) == ({"probabilities": pytest.approx(5e-5, rel=1e-2)}, "")
    near[500, 2] += 1e-2
    largest, beyond = verdict.parity({"probabilities": near}, RIGHT)
    assert largest["probabilities"] == pytest.approx(1e-2, rel=0.1)
    assert beyond == "output probabilities is off by 0.01 (allowed: 0.0001 + 0.0001 |value|)"


def test_two_agree_where_they_decide_the_same():
    gives, other = {"probabilities": "probabilities"}, RIGHT["probabilities"].copy()
    other[:60] = other[:60, [1, 2, 0]]
    assert verdict.agreement(RIGHT, RIGHT, gives) == 1.0
    assert verdict.agreement({"probabilities": other}, RIGHT, gives) == 0.9
    yes, no = {"on": np.ones((4, 2), bool)}, {"on": np.array([[1, 1], [1, 0], [0, 0], [1, 1]], bool)}
    assert verdict.agreement(yes, no, {"on": "decisions"}) == 0.5
    assert verdict.agreement({"codes": np.ones((4, 2))}, {"codes": np.ones((4, 2))}, {"codes": "code"}) is None


def cost_of(wrong: int, bounds):
    judge, worse = judge_of("classification"), RIGHT["probabilities"].copy()
    worse[:wrong] = worse[:wrong, [1, 2, 0]]
    pixels = np.zeros((600, 1, 1, 1), np.uint8)
    ours, model = (verdict.rows_of({"probabilities": of}, pixels, LABELS, judge) for of in (worse, RIGHT["probabilities"]))
    assert ours[keys.LABEL].tolist() == LABELS.tolist()
    return verdict.costs(ours, model, judge, bounds)


def test_what_it_costs_is_paired_and_has_an_interval():
    told = cost_of(12, {"accuracy": 0.01})
    accuracy = told["accuracy"]
    assert (accuracy.value, accuracy.of_model, accuracy.allowed) == (0.98, 1.0, 0.01)
    assert accuracy.loss == pytest.approx(0.02)
    low, high = accuracy.interval
    assert 0 < low < 0.02 < high < 0.04  # that it is worse, not better
    assert accuracy.within_noise is False
    assert told["cross_entropy"].loss > 0  # less is better
    assert told["cross_entropy"].allowed is None
    assert next(iter(told)) == "accuracy"


def test_where_no_image_tells_them_apart_it_says_how_much_that_is_worth():
    same = cost_of(0, {})["accuracy"]
    assert (same.loss, same.within_noise) == (0.0, True)
    assert str(same.loss) == "0.0"
    low, high = same.interval
    assert -low == high == pytest.approx(stats.binomtest(0, 600).proportion_ci(method="wilson").high)


@pytest.mark.parametrize(("wrong", "refused"), [(6, False), (7, True)])
def test_beyond_the_bound_it_is_refused_and_at_it_it_is_not(wrong, refused):
    told = cost_of(wrong, {"accuracy": 0.01 + 1e-12})
    assert bool(verdict.refusal(told, {"accuracy": 0.01})) is refused
    if refused:
        assert verdict.refusal(told, {}) == "accuracy 0.98833 is 0.0117 worse than the model's 1 (export.max_loss: 0.01)"


def test_a_figure_that_is_no_number_is_refused_and_so_is_one_that_nobody_knows():
    nan = Cost(float("nan"), 1.0, float("nan"), None, None, 0.1)
    assert verdict.refusal({"accuracy": nan}, {"accuracy": 0.1}).startswith("accuracy nan")
    unbound = Cost(1.0, 1.0, 0.0, None, None, None)
    assert (
        verdict.refusal({"macro_f1": unbound}, {"auroc": 0.1}) == "nothing says what it costs: this test split tells none of auroc"
    )


def test_detectors_of_anomalies_are_held_to_their_ranking_where_there_are_labels():
    judge = judge_of("anomaly:reconstruction")
    scores = np.linspace(0, 1, 100, dtype=np.float32)
    kinds, pixels = (scores > 0.5).astype(np.int64), np.zeros((100, 2, 2, 1), np.uint8)
    answers = {"anomaly_score": scores, "is_anomaly": scores > 0.9, "anomaly_map": np.ones((100, 2, 2, 1), np.float32)}
    ours = verdict.rows_of(answers, pixels, kinds, judge)
    shuffled = verdict.rows_of({**answers, "anomaly_score": scores[::-1].copy()}, pixels, kinds, judge)
    told = verdict.costs(shuffled, ours, judge, judge.may_lose)
    assert (told["auroc"].value, told["auroc"].of_model, told["auroc"].loss) == (0.0, 1.0, 1.0)
    assert told["psnr"].loss == 0
    unknown = verdict.rows_of(answers, pixels, np.full(100, -1), judge)
    without = verdict.costs(unknown, unknown, judge, judge.may_lose)
    assert "auroc" not in without
    assert verdict.refusal(without, judge.may_lose) == ""
