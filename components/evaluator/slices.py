"""Parts of the test split, such as the images of one label: how many images there are, and the figures of each."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from components import examples, keys
from components.compat import tfma
from components.evaluator.statistic import Rows
from components.tasks.judges.base import Judge
from configs.schema.evaluate import EvaluateConfig

WHOLE: tfma.Key = ()
COUNT = "example_count"


def counts(files: Sequence[str], features: Collection[str]) -> dict[str, dict[str, int]]:
    """Feature -> value -> how many examples, for the features asked for; values as strings, the way TFMA takes them."""
    if not features:
        return {}
    sizes = {feature: Counter() for feature in features}
    for example in examples.parsed(examples.records_of(files).as_numpy_iterator()):
        for feature in features:
            for value in examples.values(example, feature):
                sizes[feature][value.decode() if isinstance(value, bytes) else str(value)] += 1
    return {feature: dict(counter) for feature, counter in sizes.items()}


def figures(evaluation: str, has_baseline: bool) -> dict[tfma.Key, dict[str, float]]:
    """Slice -> name -> figure, as TFMA wrote them, without those that are no number."""
    values = tfma.values(evaluation, "candidate" if has_baseline else None)
    return {key: dict(_numbers(outputs)) for key, outputs in values.items()}


def of_classes(judge: Judge, rows: Rows, class_names: Sequence[str]) -> list[dict]:
    """What is said of each class where an image may have several, as `reported` has it and with `intervals`, the worst first by the
    first figure that any has: examples are those that have the class, and the figures are over all images."""
    of_each = judge.of_classes(rows) if rows else []
    key, parts = judge.class_key or judge.label_key, []
    for place, figures in enumerate(of_each):
        if figures is None:
            continue
        parts.append(
            {
                "slice": {key: place},
                "class": class_names[place] if place < len(class_names) else None,
                "examples": int(judge.having(rows)[:, place].sum()),
                "metrics": {name: float(figure) for name, figure in figures.items()},
                "intervals": {name: list(figure.interval) for name, figure in figures.items() if figure.interval},
            }
        )
    return _worst_first(parts, [name for part in parts for name in part["metrics"]], judge.per_class)


def _numbers(outputs: Mapping[str, Mapping]) -> Iterator[tuple[str, float]]:
    for name, value in outputs.items():
        is_change = name.endswith("_diff")  # against the baseline model
        figure = float(value.get("doubleValue", "nan"))  # one that is no number is a string, as JSON has it
        if not is_change and np.isfinite(figure):
            yield name, figure


def whole(figures: Mapping[str, float], counts: Collection[str]) -> dict[str, float | int]:
    """The same figures; those that say how many, which TFMA has as floats, as whole numbers."""
    return {name: round(value) if name in counts else value for name, value in figures.items()}


def counted(judge: Judge) -> set[str]:
    """Names of the figures that say how many."""
    return {COUNT, *(name for name, metric in judge.metrics.items() if metric.is_count)}


def reported(
    by_slice: Mapping[tfma.Key, Mapping[str, float]],
    by_label: Mapping[int, Mapping[str, float]],
    asked: EvaluateConfig,
    judge: Judge,
    class_names: Sequence[str],
) -> list[dict]:
    """What is said of each slice, the worst first by the first figure that any has.

    Args:
        by_slice: as `figures` gives them.
        by_label: label -> further figures of its images.

    Returns:
        [{slice: {feature: value}, class: name of the label or None, examples: how many, metrics: {name: figure}}, ...]. The figures
        that the config bounds for slices come first, then those of the task in its order. Those that say nothing of one label are
        left out unless they are bounded.
    """
    bounded = [name for part in asked.slices.values() for name in part.thresholds]
    further = {name for of_label in by_label.values() for name in of_label}
    names = dict.fromkeys([*bounded, *(name for name, metric in judge.metrics.items() if metric.of_label or name in further)])
    rows = []
    for key in sorted(key for key in by_slice if key != WHOLE):
        label = dict(key).get(keys.LABEL)
        own = {**by_slice[key], **by_label.get(label, {})}
        metrics = whole({name: own[name] for name in names if name in own}, counted(judge)) | by_label.get(label, {})
        is_named = label is not None and 0 <= label < len(class_names)
        name = class_names[label] if is_named else None
        rows.append({"slice": dict(key), "class": name, "examples": int(own[COUNT]), "metrics": metrics})
    return _worst_first(rows, names, {name: metric.better for name, metric in judge.metrics.items()})


def _worst_first(rows: list[dict], names: Iterable[str], better: Mapping[str, str]) -> list[dict]:
    """By the first of these figures that any row has; rows without it come last, in their order."""
    first = next((name for name in names if any(name in row["metrics"] for row in rows)), None)
    if first is None:
        return rows
    sign = -1 if better[first] == "less" else 1
    return sorted(rows, key=lambda row: sign * row["metrics"][first] if first in row["metrics"] else np.inf)
