"""Figures of weighted images against scikit-learn, and differences between models against tests by hand."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from components.evaluator import detection, intervals, statistic
from components.evaluator.psnr import decibels
from components.evaluator.statistic import (
    ID,
    Auroc,
    AveragePrecision,
    Decibels,
    Decision,
    MacroF1,
    Mean,
    MeanRatio,
    Share,
    StandardError,
)
from components.tasks.judges.by_name import judge_of


def rows(**columns):
    made = {name: np.asarray(column) for name, column in columns.items()}
    return {ID: np.arange(statistic.count(made), dtype=np.uint64), **made}


@st.composite
def weighted(draw):
    """Labels, scores with ties, decisions and classes of images, and how often each is there."""
    many = draw(st.integers(4, 30))
    of = {name: draw(st.lists(st.integers(0, top), min_size=many, max_size=many)) for name, top in TOPS.items()}
    of["label"][:2], of["weight"][:2] = [0, 1], [1, 2]
    return of


TOPS = {"label": 1, "score": 4, "decision": 1, "kind": 3, "predicted": 3, "weight": 3}


@given(weighted())
def test_figures_of_weighted_images_are_scikit_learn_s(of):
    weights = np.array([of["weight"]], float)
    weighed, label, score = rows(**of), of["label"], of["score"]
    of_classes = rows(label=np.array(of["kind"]), predicted=of["predicted"])

    def same(figure, expected, images=weighed):
        assert figure.weighted(images, weights)[0] == pytest.approx(expected, nan_ok=True)

    same(Auroc("score"), metrics.roc_auc_score(label, score, sample_weight=of["weight"]))
    same(AveragePrecision("score"), metrics.average_precision_score(label, score, sample_weight=of["weight"]))
    given_ = {"sample_weight": of["weight"], "zero_division": np.nan}
    same(Decision("precision", "decision"), metrics.precision_score(label, of["decision"], **given_))
    same(Decision("recall", "decision"), metrics.recall_score(label, of["decision"], **given_))
    there = np.repeat(np.arange(len(label)), of["weight"])
    kinds, predicted = np.array(of["kind"])[there], np.array(of["predicted"])[there]
    same(MacroF1(), metrics.f1_score(kinds, predicted, average="macro"), of_classes)
    same(Mean("score"), np.mean(np.array(score)[there]))
    if len(there) > 1:
        same(StandardError("score"), stats.sem(np.array(score)[there]))


def test_images_without_a_label_count_for_nothing():
    known = rows(label=[1, 0, 1, 0, 1, 0], score=[3.0, 1, 2, 2, 4, 0], decision=[1.0, 0, 1, 1, 1, 0])
    further = {name: np.concatenate([column, column[:3]]) for name, column in known.items()}
    further["label"][6:] = -1
    closed = (Auroc("score"), Decision("precision", "decision"), Decision("false_positives", "decision"))
    for ranking in (AveragePrecision("score"), *closed):
        assert ranking.value(further) == ranking.value(known)
    for ranking in closed:
        assert ranking.interval(further) == ranking.interval(known)


def test_what_is_decided_has_wilson_s_interval():
    decided = rows(label=np.repeat([1, 0], [10, 30]), decision=np.repeat([1.0, 0, 1, 0], [8, 2, 3, 27]))
    expected = {"precision": (8, 11), "recall": (8, 10)}
    assert {name: Decision(name, "decision").interval(decided) for name in expected} == {
        name: intervals.share(*of) for name, of in expected.items()
    }
    low, high = intervals.share(3, 30)
    assert Decision("false_positives", "decision").interval(decided) == (30 * low, 30 * high)
    low, high = intervals.share(2, 10)
    assert Decision("false_negatives", "decision").interval(decided) == (10 * low, 10 * high)
    nothing = rows(label=[1, 0], decision=[0.0, 0.0])
    assert Decision("precision", "decision").interval(nothing) is None
    assert set(detection.DECISIONS) == {name for name in detection.DECISIONS if Decision(name, "decision").interval(decided)}


@pytest.mark.parametrize("figure", [MacroF1(), AveragePrecision("score")])
def test_the_bootstrap_s_interval_is_around_the_figure(figure):
    g = np.random.default_rng(0)
    label = g.integers(0, 2, 200)
    score = g.normal(label)
    images = rows(label=label, score=score, predicted=(score > 0.5).astype(float))
    low, high = figure.interval(images)
    assert low < figure.value(images) < high
    assert 0.05 < high - low < 0.25


def test_decibels_are_those_of_each_image():
    errors = np.array([0.1, 0.01, 0.02], np.float32)
    assert Decibels("mse").value(rows(mse=errors)) == pytest.approx(decibels(errors).mean(), rel=1e-6)
    assert Decibels("mse").interval(rows(mse=errors)) == pytest.approx(intervals.mean(decibels(errors)), rel=1e-5)


def correct(*parts):
    """Whether each of two models is right: (ours, theirs, how many)."""
    ours, theirs = (np.concatenate([[part[who]] * part[2] for part in parts]).astype(float) for who in (0, 1))
    return rows(correct=ours), rows(correct=theirs)


@given(st.integers(0, 12), st.integers(0, 12))
def test_shares_of_the_same_images_are_compared_by_mcnemar(wins, losses):
    difference = Share("correct").difference(*correct((1, 1, 9), (0, 0, 4), (1, 0, wins), (0, 1, losses)))
    discordant = wins + losses
    tail = sum(comb(discordant, k) for k in range(min(wins, losses) + 1)) / 2**discordant
    assert difference.p == pytest.approx(min(1.0, 2 * tail))
    assert difference.value == pytest.approx((wins - losses) / (13 + discordant))
    assert difference.test == "McNemar's test"
    assert difference.is_noise == (difference.p >= 0.05)


def test_mcnemar_by_hand():
    """9 against 1: 2 (1 + 10) / 2^10."""
    difference = Share("correct").difference(*correct((1, 1, 80), (1, 0, 9), (0, 1, 1)))
    assert difference.p == pytest.approx(22 / 1024)
    assert difference.words == "more than noise (McNemar's test, p = 0.021)"
    low, high = difference.interval
    assert low < 8 / 90 < high
    assert not Share("correct").difference(*correct((1, 1, 80), (1, 0, 30))).words.endswith("p = 0.000)")


def test_pairs_tell_what_other_images_cannot():
    g = np.random.default_rng(0)
    hard = g.gamma(2.0, 1.0, 300)  # images differ far more than the models do
    ours, theirs = rows(loss=hard - 0.05 + g.normal(0, 0.1, 300)), rows(loss=hard + g.normal(0, 0.1, 300))
    paired = Mean("loss").difference(ours, theirs)
    assert (paired.test, paired.is_noise) == ("paired t-test", False)
    assert paired.interval[1] < 0
    others = {**theirs, ID: theirs[ID] + 1000}
    apart = Mean("loss").difference(ours, others)
    assert (apart.test, apart.is_noise) == ("Welch's t-test", True)
    assert apart.value == paired.value


def test_equal_models_differ_by_noise():
    same = rows(loss=[1.0, 2.0, 3.0], correct=[1.0, 0.0, 1.0])
    assert Mean("loss").difference(same, same).p == 1
    assert Share("correct").difference(same, same).p == 1
    assert Share("correct").difference(same, same).interval is None  # of no width, it would say what it cannot know


@pytest.mark.parametrize("images", [2, 3, 5, 10, 80])
@pytest.mark.parametrize("shift", [0, 1000])
def test_equally_good_models_are_called_different_in_5_of_100(images, shift):
    called = []
    for seed in range(200):
        g = np.random.default_rng(seed)
        hard = g.gamma(2.0, 1.0, images)
        ours, theirs = (rows(loss=hard + g.normal(0, 0.5, images)) for _ in range(2))
        if shift:  # other images
            theirs = rows(loss=g.gamma(2.0, 1.0, images) + g.normal(0, 0.5, images))
            theirs[ID] = theirs[ID] + shift
        called.append(not Mean("loss").difference(ours, theirs).is_noise)
    assert np.mean(called) < 0.085
    assert images < 80 or np.mean(called) > 0.015


def test_one_image_and_few_of_a_ranking_tell_nothing():
    assert Mean("mse").difference(rows(mse=[0.1]), rows(mse=[0.2])) is None
    assert Mean("mse").difference(rows(mse=[0.1, np.inf]), rows(mse=[0.2, 0.3])) is None
    for images in (19, 20):
        label = np.arange(images) % 2
        ours = rows(label=label, score=np.arange(images) * 1.0, predicted=label * 1.0)
        theirs = {**ours, "score": -ours["score"], "predicted": 1 - ours["predicted"]}
        for figure in (MacroF1(), Auroc("score"), AveragePrecision("score")):
            assert (figure.difference(ours, theirs) is None) == (images < 20)


def test_shares_of_other_images_are_compared_by_fisher():
    """1 of 1 against 0 of 1 is no evidence; 56 of 70 against 48 of 80 is Newcombe 1998's example (a), table II."""
    right, wrong = rows(correct=[1.0]), {**rows(correct=[0.0]), ID: np.array([9], np.uint64)}
    assert Share("correct").difference(right, wrong).p == 1
    ours, theirs = rows(correct=np.repeat([1.0, 0], [56, 14])), rows(correct=np.repeat([1.0, 0], [48, 32]))
    difference = Share("correct").difference(ours, theirs)
    assert difference.test == "Fisher's exact test"
    assert difference.interval == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    tail = [comb(70, k) * comb(80, 104 - k) / comb(150, 104) for k in range(24, 71)]
    assert difference.p == pytest.approx(sum(chance for chance in tail if chance <= tail[56 - 24] * (1 + 1e-9)))


def test_images_are_paired_by_their_ids_whatever_the_order():
    ours = {ID: np.array([3, 1, 2], np.uint64), "x": np.array([30.0, 10, 20])}
    theirs = {ID: np.array([2, 3, 1], np.uint64), "x": np.array([21.0, 31, 11])}
    a, b = statistic.paired(ours, theirs)
    np.testing.assert_array_equal(b["x"] - a["x"], [1, 1, 1])
    assert statistic.is_paired(a, b)
    for ids in ([2, 3, 4], [2, 3, 3], [2, 3]):
        changed = {ID: np.array(ids, np.uint64), "x": theirs["x"][: len(ids)]}
        assert not statistic.is_paired(*statistic.paired(ours, changed))


def test_seeds_are_noise_too():
    g = np.random.default_rng(0)
    easy = g.random((400, 1)) < 0.9
    ours = [rows(correct=(easy[:, 0] & (g.random(400) < share)).astype(float)) for share in (0.99, 0.90)]
    theirs = [rows(correct=(easy[:, 0] & (g.random(400) < share)).astype(float)) for share in (0.95, 0.87)]
    several = Share("correct").difference_of_several(ours, theirs)
    assert several.is_noise
    of_one_seed = Share("correct").difference(ours[0], theirs[0])
    assert several.interval[1] - several.interval[0] > of_one_seed.interval[1] - of_one_seed.interval[0]
    mean_ours, mean_theirs = (np.mean([training["correct"].mean() for training in arm]) for arm in (ours, theirs))
    assert several.value == pytest.approx(mean_ours - mean_theirs)
    assert several.negated().value == -several.value
    assert several.negated().interval == (-several.interval[1], -several.interval[0])


@pytest.mark.parametrize("is_right", [True, False])
def test_no_figure_is_certain(is_right):
    """Where no resample of the images differs, the bootstrap's interval would have no width."""
    label = np.arange(12) % 2
    images = rows(label=label, predicted=label if is_right else 1 - label, score=label * 1.0, same=np.ones(12))
    assert MacroF1().interval(images) == intervals.share(12 * is_right, 12)
    assert AveragePrecision("score").interval(images) == intervals.share(6, 6)
    assert AveragePrecision("score").value(images) == 1
    assert Auroc("same").interval(images) is None
    single = rows(label=[1], predicted=[1], score=[1.0])
    assert [figure.interval(single) for figure in (MacroF1(), AveragePrecision("score"), Auroc("score"))] == [None] * 3
    assert intervals.percentiles(np.ones(1000)) is None


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_equally_good_arms_are_seldom_called_different(seeds):
    called, generator = [], np.random.default_rng(seeds)
    for _ in range(60):
        arms = [
            [rows(loss=generator.normal(generator.normal(0, 0.3), 1, 100)) for _ in range(seeds)] for _ in range(2)
        ]  # what a seed does is larger than what images do
        called.append(not Mean("loss").difference_of_several(*arms).is_noise)
    assert np.mean(called) <= 0.1


def test_one_training_against_several_says_nothing_and_several_that_differ_say_so():
    arms = [[rows(loss=np.arange(30) + level + seed / 100) for seed in range(3)] for level in (0.0, 5.0)]
    assert Mean("loss").difference_of_several(arms[0][:1], arms[1]) is None
    difference = Mean("loss").difference_of_several(*arms)
    assert not difference.is_noise
    assert difference.interval[0] < difference.value < difference.interval[1]


def test_the_standard_error_of_a_mean_has_an_interval_too():
    column = np.random.default_rng(0).normal(0, 3, 900)
    low, high = StandardError("score").interval(rows(score=column))
    wanted = np.sqrt(np.array(stats.chi2.ppf([0.025, 0.975], 899)) / 899) * stats.sem(column)  # of normal numbers
    assert (low, high) == pytest.approx(tuple(wanted), rel=0.03)


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 4, st.integers(0, 3)), min_size=1, max_size=8))
def test_a_mean_ratio_is_of_the_classes_that_are_there(images):
    parts, rests, weights = np.array(images)[:, :2], np.array(images)[:, 2:4], np.array(images)[:, 4]
    named = {
        f"{name}/{number}": column[:, number] for name, column in (("part", parts), ("whole", parts + rests)) for number in (0, 1)
    }
    statistic_ = MeanRatio("part", "whole", 2)
    assert statistic_.columns == ("part/0", "part/1", "whole/0", "whole/1")
    with np.errstate(invalid="ignore"):
        ratios = weights @ parts / (weights @ (parts + rests))
    wanted = float(np.mean(ratios[np.isfinite(ratios)])) if np.isfinite(ratios).any() else np.nan
    assert statistic_.weighted(rows(**named), weights[None].astype(float))[0] == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_the_interval_of_a_loss_does_not_reach_below_0(task):
    loss = {"cross_entropy": np.array([0.0] * 9 + [5.0])}
    assert intervals.mean(loss["cross_entropy"])[0] < 0
    interval = judge_of(task).metrics["cross_entropy"].statistic.interval(loss)
    assert interval == (0.0, intervals.mean(loss["cross_entropy"])[1])
