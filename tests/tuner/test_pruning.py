"""The median rule of Golovin et al. 2017, section 3.2.2, held against one that is written out here."""

import numpy as np
import pytest

from tuner import objective, pruning
from tuner.objective import Objective

LOSS, ACCURACY = [Objective("val_loss")], [Objective("val_accuracy", "max")]


def curve(name, values):
    return [{name: float(value)} for value in values]


def ends_at(objectives, values, others, name="val_loss"):
    """After how many epochs a trial ends; None where it comes to its end."""
    return next(
        (epochs for epochs in range(1, len(values) + 1) if pruning.is_behind(objectives, curve(name, values[:epochs]), others)),
        None,
    )


def by_hand(values, others, least_epochs=3, least_trials=5):
    for step in range(least_epochs, len(values) + 1):
        means = [np.mean(other[:step]) for other in others if len(other) >= step]
        if len(means) >= least_trials and min(values[:step]) > np.median(means):
            return step
    return None


@pytest.mark.parametrize("seed", range(30))
def test_the_rule_is_the_paper_s(seed):
    rng = np.random.default_rng(seed)
    others = [rng.random(rng.integers(2, 8)) for _ in range(rng.integers(3, 9))]
    values = rng.random(7) + rng.choice([0.0, 0.2])
    lost = [curve("val_loss", other) for other in others]
    assert ends_at(LOSS, values, lost) == by_hand(values, others)
    won = [curve("val_accuracy", -other) for other in others]
    assert ends_at(ACCURACY, -values, won, "val_accuracy") == by_hand(values, others)


def test_first_epochs_and_few_trials_say_nothing():
    good = curve("val_loss", [0.1] * 9)
    assert ends_at(LOSS, [1.0] * 9, [good] * pruning.LEAST_TRIALS) == pruning.LEAST_EPOCHS
    assert ends_at(LOSS, [1.0] * 9, [good] * (pruning.LEAST_TRIALS - 1)) is None


def test_what_is_no_number_counts_as_the_worst():
    lost = [curve("val_loss", [np.nan] * 5)] * 3 + [curve("val_loss", [0.1] * 5)] * 2
    assert ends_at(LOSS, [1.0] * 5, lost) is None
    assert ends_at(LOSS, [np.nan] * 5, [curve("val_loss", [0.1] * 5)] * 5) == 3


@pytest.mark.parametrize("seed", range(10))
def test_a_pruned_trial_is_never_the_best(seed):
    rng = np.random.default_rng(seed)
    over = []
    for _ in range(40):
        values = rng.random(9) * rng.random()
        end = ends_at(LOSS, values, [trial for trial, _ in over])
        over.append((curve("val_loss", values[:end]), end))
    best = min(over, key=lambda trial: min(objective.value(LOSS, figures) for figures in trial[0]))
    assert best[1] is None
    assert sum(end is not None for _, end in over) > 2


@pytest.mark.parametrize(
    ("asked", "algorithm", "is_asked"),
    [
        ("auto", "random", True),
        ("auto", "bayesian", True),
        ("auto", "grid", True),
        ("auto", "hyperband", False),
        ("median", "hyperband", True),
        ("none", "random", False),
    ],
)
def test_hyperband_ends_its_own(asked, algorithm, is_asked):
    assert pruning.is_asked(asked, algorithm) is is_asked


def test_the_sentence_says_the_figures():
    others = [curve("val_accuracy", [0.9] * 4)] * 5
    assert pruning.words(ACCURACY, curve("val_accuracy", [0.1, 0.2, 0.3]), others) == (
        "Pruned after epoch 3: its best val_accuracy of 0.3 is worse than 0.9, the median of the means that 5 earlier trials had "
        "by then."
    )
