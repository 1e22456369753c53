"""How much each parameter of a search matters: which of them the difference between its trials goes with.

A random forest is fitted to the ranks of the trials' values, so that one that all but diverged does not count for all others; a
parameter's importance is the share of the variance that splits by it explain (Breiman 2001, "Random forests", section 10; Hutter et
al. 2014, "An efficient approach for assessing hyperparameter importance", take forests for the same reason: they know of
conditions and of interactions).
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestRegressor

from configs.entries import by_path
from tuner.records import StudyRecord, TrialRecord

FEWEST = 4  # trials with a value, below which nothing is said
ENOUGH = 10  # from which on it is said without a doubt
TREES = 200


def of(study: StudyRecord, trials: Sequence[TrialRecord]) -> dict[str, float]:
    """Path of each parameter that took several values -> its share, 0 to 1, the greatest first; they add up to 1.

    Empty where fewer than FEWEST trials have a value, or all have the same.
    """
    judged = [trial for trial in trials if trial.is_candidate]
    space = by_path(study.space)
    paths = list(dict.fromkeys([*space, *(path for trial in judged for path in trial.values)]))
    paths = [path for path in paths if len({json.dumps(trial.values.get(path)) for trial in judged}) > 1]
    if len(judged) < FEWEST or not paths or len({trial.value for trial in judged}) < 2:
        return {}
    columns, owners = [], []
    for path in paths:
        for column in _columns([trial.values.get(path) for trial in judged], space.get(path)):
            columns.append(column)
            owners.append(path)
    forest = RandomForestRegressor(TREES, random_state=0)
    forest.fit(np.stack(columns, axis=1), rankdata([trial.value for trial in judged]))
    shares = dict.fromkeys(paths, 0.0)
    for path, share in zip(owners, forest.feature_importances_, strict=True):
        shares[path] += float(share)
    total = sum(shares.values())
    ranked = sorted(shares, key=lambda path: -shares[path])
    return {path: shares[path] / total for path in ranked} if total else {}


def doubt(study: StudyRecord, trials: Sequence[TrialRecord]) -> str:
    """What is to be said beside `of`: a sentence where the trials are few, else nothing."""
    judged = sum(trial.is_candidate for trial in trials)
    few = max(ENOUGH, 2 * len(by_path(study.space)))  # more parameters need more, to be told apart
    if judged >= few or not of(study, trials):
        return ""
    return f"Of {judged} trials, importance says little: a few others may turn it over; it takes {few} or more."


def _columns(values: Sequence[Any], drawn: Any) -> list[np.ndarray]:
    """Of one parameter's values, None where it was not drawn: a column of numbers, or one for each choice; and one of what is
    missing."""
    known = [value for value in values if value is not None]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        texts = [json.dumps(value, sort_keys=True) for value in values]
        return [np.array([text == choice for text in texts], float) for choice in sorted(set(texts))]
    is_log = isinstance(drawn, Mapping) and drawn.get("sampling") == "log"
    numbers = np.array([math.nan if value is None else math.log(value) if is_log else value for value in values], float)
    missing = np.isnan(numbers)
    placed = np.where(missing, np.nanmedian(numbers), numbers)
    return [placed, missing.astype(float)] if missing.any() else [placed]
