"""A converted model held against the one that it was made of: what it answers about the same test images, and what that costs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from components import keys, unlike
from components.evaluator import intervals, noise
from components.evaluator.statistic import ID, Rows, Share, count
from components.tasks.judges.base import Judge

TOLERANCE = 1e-4  # |converted - model| <= TOLERANCE + TOLERANCE * |model|, of what computes in float32 as the model does
AT_ONCE = 256  # images that are judged at a time

Answers = Mapping[str, np.ndarray]  # output -> [N, ...]


@dataclass(frozen=True)
class Cost:
    """A metric of the test split: `value` of the variant, `of_model`, how much worse that is (`loss`; below 0: better), its 95 %
    interval over pairs of answers about the same image (of a share that no image tells apart, Wilson's of none of them), and what
    is allowed, None for no bound."""

    value: float
    of_model: float
    loss: float
    interval: Sequence[float] | None
    within_noise: bool | None
    allowed: float | None


@dataclass(frozen=True)
class Variant:
    """What is known of one; `reason` says why it was refused, and is empty where it was not. file: its name. bytes: its size.
    outputs: name -> {kind, dtype, shape of one example}. parity: output of numbers -> the largest difference from the model's.
    agreement: share of images of which the two decide the same, None where nothing is decided. floats: of int8, operations for
    which LiteRT has no kernel of int8, so that they stay float32."""

    name: str
    file: str
    reason: str
    bytes: int | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    images: int = 0
    parity: Mapping[str, float] = field(default_factory=dict)
    agreement: float | None = None
    floats: Sequence[str] = ()
    costs: Mapping[str, Cost] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As it stands on the card."""
        return {**asdict(self), "shipped": not self.reason}


def wrong(answers: Answers, wanted: Answers) -> str:
    """Why answers are none: another output, shape or type, or what is no number. Empty where nothing is wrong."""
    if problem := unlike.form(answers, wanted):
        return problem
    for output, right in wanted.items():
        given = answers[output]
        for rows in _parts(len(right)):
            lost = _finite(right[rows]) & ~_finite(given[rows])
            if lost.any():
                place = rows.start + int(np.argmax(lost.reshape(len(lost), -1).any(1)))
                return f"output {output} is no number for test image {place + 1} of {len(right)}, where the model gives one"
    return ""


def parity(answers: Answers, wanted: Answers) -> tuple[dict[str, float], str]:
    """Output of numbers -> the largest difference; and in words the first that is beyond TOLERANCE, or empty."""
    largest, beyond = {}, ""
    for output, right in wanted.items():
        if right.dtype == bool:
            continue
        largest[output] = 0.0
        for rows in _parts(len(right)):
            there = np.asarray(right[rows], np.float64)
            off = np.abs(np.asarray(answers[output][rows], np.float64) - there)
            largest[output] = max(largest[output], float(np.nanmax(off, initial=0.0)))
            if not beyond and (off > TOLERANCE + TOLERANCE * np.abs(there)).any():
                beyond = f"output {output} is off by {np.nanmax(off):.2g} (allowed: {TOLERANCE:g} + {TOLERANCE:g} |value|)"
    return largest, beyond


def agreement(answers: Answers, wanted: Answers, gives: Mapping[str, str]) -> float | None:
    """Share of images of which both decide the same: the most probable class, or what is yes or no."""
    hits = None
    decided = [name for name, value in wanted.items() if value.dtype == bool]
    decided = decided or [name for name, kind in gives.items() if kind == "probabilities" and wanted[name].shape[-1] > 1]
    for output in decided:
        ours, theirs = (np.asarray(of[output]).reshape(len(of[output]), -1) for of in (answers, wanted))
        same = (ours == theirs).all(1) if ours.dtype == bool else ours.argmax(1) == theirs.argmax(1)
        hits = same if hits is None else hits & same
    return None if hits is None or not len(hits) else float(hits.mean())


def rows_of(answers: Answers, pixels: np.ndarray, labels: np.ndarray, judge: Judge) -> Rows:
    """Columns of what the judge keeps of each test image, in their order.

    Args:
        pixels: [N, height, width, channels] in 0..255, as the images are. labels: as of Judge.answered.
    """
    parts = []
    for rows in _parts(len(labels)):
        answered = {output: np.asarray(value[rows]) for output, value in answers.items()}
        parts.append(judge.answered(answered, np.asarray(pixels[rows], np.float32), labels[rows]))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else {})}
    single = labels if labels.ndim == 1 else np.full(len(labels), -1)
    return {ID: np.arange(len(labels), dtype=np.uint64), keys.LABEL: single, **columns}


def costs(ours: Rows, of_model: Rows, judge: Judge, bounds: Mapping[str, float]) -> dict[str, Cost]:
    """Of each metric that both rows tell, those that are bounded first."""
    told = {}
    for name in sorted(judge.metrics, key=lambda name: name not in bounds):
        if judge.converted is not None and name not in judge.converted:
            continue
        statistic = noise.statistic_of(name, judge, ours)
        if statistic is None or not count(ours):
            continue
        value, model = statistic.value(ours), statistic.value(of_model)
        if not np.isfinite(model):
            continue  # such as of labels that no test image has
        sign = -1.0 if judge.metrics[name].better == "more" else 1.0
        apart = noise.difference(name, judge, ours, of_model)
        ends = apart.interval if apart else None
        if apart and ends is None and isinstance(statistic, Share) and value == model:  # no image tells the two apart
            _, most = intervals.share(0, count(ours))
            ends = -most, most
        worse = sorted(sign * end for end in ends) if ends else None
        told[name] = Cost(value, model, sign * (value - model) + 0.0, worse, apart.is_noise if apart else None, bounds.get(name))
    return told


def refusal(told: Mapping[str, Cost], bounds: Mapping[str, float]) -> str:
    """Why what it costs is too much, or that nobody knows; empty where neither is so."""
    for name, cost in told.items():
        if cost.allowed is not None and not cost.loss <= cost.allowed:
            worse = f"{name} {cost.value:.5g} is {cost.loss:.3g} worse than the model's {cost.of_model:.5g}"
            return f"{worse} (export.max_loss: {cost.allowed:g})"
    if not any(cost.allowed is not None for cost in told.values()):
        return f"nothing says what it costs: this test split tells none of {', '.join(sorted(bounds))}"
    return ""


def _finite(values: np.ndarray) -> np.ndarray:
    return np.isfinite(np.asarray(values)) if np.asarray(values).dtype.kind in "fc" else np.ones(values.shape, bool)


def _parts(many: int) -> list[slice]:
    return [slice(start, min(start + AT_ONCE, many)) for start in range(0, many, AT_ONCE)]
