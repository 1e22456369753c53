"""Confident learning against the definitions of its paper, image by image, its figure, and on labels that are spoiled here."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.reporter import wrong_labels


def drawn(seed: int, images: int = 60, classes: int = 4):
    generator = np.random.default_rng(seed)
    return generator.integers(0, classes, images), generator.dirichlet(np.full(classes, 0.4), images)


def by_definition(labels, probabilities):
    """t_j, C and where each image stands in C, by Northcutt et al. 2021, equations 1 and 2, without an array."""
    classes = range(len(probabilities[0]))
    t = {}
    for j in classes:
        own = [row[j] for row, label in zip(probabilities, labels, strict=True) if label == j]
        t[j] = sum(own) / len(own) if own else None
    counts, stands = {}, []
    for row, label in zip(probabilities, labels, strict=True):
        over = [j for j in classes if t[j] is not None and row[j] >= t[j]]
        j = max(over, key=lambda j: row[j]) if over else None
        stands.append(j)
        if j is not None:
            counts[label, j] = counts.get((label, j), 0) + 1
    return t, counts, stands


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(2, 6))
def test_it_is_what_the_paper_defines(seed, images, classes):
    labels, probabilities = drawn(seed, images, classes)
    labels, rows = labels.tolist(), probabilities.tolist()
    t, counts, stands = by_definition(labels, rows)
    doubts = wrong_labels.doubts(np.array(labels), probabilities)
    assert [None if np.isnan(limit) else pytest.approx(limit) for limit in doubts.thresholds] == [t[j] for j in range(classes)]
    assert doubts.taken_for.tolist() == [wrong_labels.UNSURE if j is None else j for j in stands]
    margins = [row[label] - max(p for j, p in enumerate(row) if j != label) for row, label in zip(rows, labels, strict=True)]
    assert doubts.margins.tolist() == pytest.approx(margins)
    off_diagonal = {n for n, (label, j) in enumerate(zip(labels, stands, strict=True)) if j is not None and j != label}
    least = sorted(range(images), key=lambda n: doubts.margins[n])[: round(doubts.wrong)]
    assert set(doubts.places.tolist()) == off_diagonal | {n for n in least if margins[n] < 0}
    ranked = [doubts.margins[n] for n in doubts.places]
    assert ranked == sorted(ranked)
    assert sum(doubts.joint.values()) == pytest.approx(1)
    for label in set(labels):  # equation 3: a row is C's own, scaled to how many images have the label
        row = {pair: share for pair, share in doubts.joint.items() if pair[0] == label}
        assert sum(row.values()) == pytest.approx(labels.count(label) / images)
        own = {pair: count for pair, count in counts.items() if pair[0] == label}
        for pair, count in own.items():
            assert row[pair] == pytest.approx(count / sum(own.values()) * labels.count(label) / images)


def test_the_joint_is_that_of_the_paper_s_figure():
    """Figure 1: counts of dog, fox and cow, and the joint that follows from them."""
    counts = np.array([[100, 40, 20], [56, 60, 0], [32, 12, 80]])
    labels, taken_for = np.repeat(np.indices((3, 3)).reshape(2, -1), counts.ravel(), axis=1)
    joint = wrong_labels.joint(labels, taken_for)
    estimated = np.array([[joint.get((i, j), 0.0) for j in range(3)] for i in range(3)])
    np.testing.assert_allclose(estimated, [[0.25, 0.1, 0.05], [0.14, 0.15, 0], [0.08, 0.03, 0.2]], atol=1e-9)


@pytest.fixture(scope="module")
def spoiled():
    """(labels of which 3 % are wrong, out-of-sample probabilities, which are wrong), of scikit-learn's digits."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    images, labels = load_digits(return_X_y=True)
    generator, spoiled = np.random.default_rng(3), labels.copy()
    wrong = generator.choice(len(labels), 54, replace=False)
    spoiled[wrong] = (labels[wrong] + generator.integers(1, 10, len(wrong))) % 10
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    answers = cross_val_predict(LogisticRegression(C=0.3, max_iter=300), images / 16, spoiled, cv=folds, method="predict_proba")
    return spoiled, answers, set(wrong.tolist())


def test_labels_that_were_spoiled_come_first(spoiled):
    labels, answers, wrong = spoiled
    doubts = wrong_labels.doubts(labels, answers)
    caught = len(wrong & set(doubts.places.tolist()))
    assert caught / len(doubts.places) > 0.75
    assert caught / len(wrong) > 0.75
    assert 0.6 * len(wrong) < doubts.wrong < 2.5 * len(wrong)


def test_of_labels_that_are_right_less_is_doubted(spoiled):
    from sklearn.datasets import load_digits

    labels, answers, _ = spoiled
    right = load_digits().target
    assert wrong_labels.doubts(right, answers).wrong < wrong_labels.doubts(labels, answers).wrong / 2


def test_nobody_is_confidently_of_a_class_that_no_image_has():
    labels, probabilities = np.array([0, 1, 0]), np.array([[0.2, 0.1, 0.7], [0.1, 0.8, 0.1], [0.9, 0.05, 0.05]])
    doubts = wrong_labels.doubts(labels, probabilities)
    assert np.isnan(doubts.thresholds[2])
    assert 2 not in doubts.taken_for


def test_of_no_image_there_is_no_doubt():
    doubts = wrong_labels.doubts(np.zeros(0, int), np.zeros((0, 3)))
    assert (len(doubts.places), doubts.wrong, doubts.joint) == (0, 0, {})


@pytest.mark.parametrize(
    ("labels", "probabilities", "says"),
    [([3], [[0.5, 0.5]], "0..1"), ([-1], [[0.5, 0.5]], "0..1"), ([0], [[np.nan, 0.5]], "finite")],
)
def test_what_is_no_label_or_no_probability_is_refused(labels, probabilities, says):
    with pytest.raises(ValueError, match=says):
        wrong_labels.doubts(np.array(labels), np.array(probabilities))


def test_of_sets_each_class_is_doubted_by_itself():
    generator = np.random.default_rng(0)
    labels = generator.random((200, 3)) < 0.4
    probabilities = np.clip(labels * 0.8 + 0.1 + generator.normal(0, 0.05, labels.shape), 0.01, 0.99)
    wrong = {(3, 0), (50, 1), (51, 1), (120, 2)}
    spoiled = labels.copy()
    for pair in wrong:
        spoiled[pair] ^= True
    doubts = wrong_labels.doubts_of_sets(spoiled, probabilities)
    assert {tuple(pair) for pair in doubts.pairs.tolist()} == wrong
    assert doubts.wrong == pytest.approx(4, abs=1)
    single = wrong_labels.doubts(spoiled[:, 1].astype(int), np.stack([1 - probabilities[:, 1], probabilities[:, 1]], 1))
    assert sorted(single.places.tolist()) == [50, 51]


def test_a_class_that_all_images_have_is_not_doubted():
    labels = np.ones((20, 2), bool)
    labels[:10, 1] = False
    doubts = wrong_labels.doubts_of_sets(labels, np.full((20, 2), 0.1))
    assert 0 not in doubts.pairs[:, 1]
