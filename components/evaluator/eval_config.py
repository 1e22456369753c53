"""From the config's thresholds and the task's metrics to TFMA's EvalConfig, and from TFMA's verdict back to words."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tensorflow_model_analysis.proto import config_pb2, validation_result_pb2

from components import keys, targets
from components.evaluator.miss import Miss
from components.tasks.judges.base import Comparison, Judge, Metric
from configs.errors import UsageError
from configs.schema.evaluate import Change, EvaluateConfig, Threshold

UNBOUND = "evaluate names no threshold, so nothing says that the model is good enough"


def check(config: EvaluateConfig, judge: Judge) -> None:
    """Raise UsageError for a metric that the task does not have, an unknown feature, a change in the wrong direction, or a margin
    of what is not compared with anything."""
    named = [*config.thresholds, *config.change, *(name for part in config.slices.values() for name in part.thresholds)]
    of_classes = {name for name in config.thresholds if figure_of(name, judge)}
    for name in named:
        if name not in {**judge.metrics, **judge.measured} and name not in of_classes:
            known = ", ".join([*sorted({**judge.metrics, **judge.measured}), *(f"{figure}/CLASS" for figure in judge.per_class)])
            raise UsageError(f"evaluate names the metric {name!r}.", f"This model's task has: {known}.")
        if name in of_classes and name in {*config.change, *(of for part in config.slices.values() for of in part.thresholds)}:
            raise UsageError(f"{name} is of one class of one model.", "Bound it in evaluate.thresholds alone.")
    for name in [*config.change, *(name for part in config.slices.values() for name in part.thresholds)]:
        if name in judge.measured:
            raise UsageError(f"{name} is known for the whole test split of one model alone.", "Bound it in evaluate.thresholds.")
    several = targets.is_further(judge.label_key or "")
    for feature in config.slices:
        if several:
            text = f"evaluate.slices names {feature!r}, and these images may have several classes."
            raise UsageError(text, "Take it out: the figures of each class are given without it.")
        if feature != keys.LABEL:  # a misspelt one would be a bound that nothing is held to
            raise UsageError(f"evaluate.slices names the feature {feature!r}.", f"Images can be sliced by: {keys.LABEL}.")
    for name, change in config.change.items():
        if (change.max_drop is None) == (judge.metrics[name].better == "more"):
            better, key = ("more", "max_drop") if judge.metrics[name].better == "more" else ("less", "max_rise")
            raise UsageError(f"evaluate.change.{name}: {better} is better for {name}.", f"Use {key}.")
    for name in config.margins:
        if name not in judge.compared:
            known = ", ".join(sorted(judge.compared)) or "nothing; use evaluate.thresholds"
            raise UsageError(f"evaluate.margins names {name!r}.", f"This model's task brings a bound of its own for: {known}.")


def figure_of(name: str, judge: Judge) -> str | None:
    """Which of the figures of single classes a threshold is of, FIGURE/CLASS; None for another one."""
    figure, slash, _ = name.partition("/")
    return figure if slash and figure in judge.per_class else None


def check_classes(config: EvaluateConfig, judge: Judge, names: Collection[str]) -> None:
    """Raise UsageError for a bound of a class that there is none of."""
    for name in config.thresholds:
        if figure_of(name, judge) and name.partition("/")[2] not in names:
            raise UsageError(f"evaluate.thresholds names {name!r}, and there is no such class.", f"There are: {', '.join(names)}.")


def with_margins(comparisons: Sequence[Comparison], config: EvaluateConfig, judge: Judge) -> list[Comparison]:
    """The same with values that the figures have to keep: the config's margin added, or the comparison's own, and no less than what
    is enough."""
    return [_with_margin(comparison, config.margins.get(comparison.metric, comparison.margin), judge) for comparison in comparisons]


def _with_margin(comparison: Comparison, margin: float, judge: Judge) -> Comparison:
    better = judge.metrics[comparison.metric].better if comparison.metric in judge.metrics else judge.measured[comparison.metric]
    room = margin * abs(comparison.value)
    value = comparison.value - room if better == "more" else comparison.value + room
    if better == "less" and value < comparison.enough:
        return replace(
            comparison,
            value=comparison.enough,
            words=f"{comparison.words} ({comparison.value:.5f}; below {comparison.enough:.1e} counts as none)",
        )
    if not margin:
        return comparison
    return replace(comparison, value=value, words=f"{comparison.words} ({comparison.value:.5f} and a margin of {100 * margin:g} %)")


def binding(comparisons: Sequence[Comparison], config: EvaluateConfig) -> list[Comparison]:
    """Those that are bounds: one that yields is none where the config has a threshold for its metric."""
    return [
        comparison
        for comparison in comparisons
        if comparison.is_bound and not (comparison.yields and comparison.metric in config.thresholds)
    ]


def build(
    config: EvaluateConfig,
    judge: Judge,
    comparisons: Sequence[Comparison] = (),
    slice_counts: Mapping[str, Mapping[str, int]] | None = None,
) -> config_pb2.EvalConfig:
    """The whole EvalConfig.

    Args:
        comparisons: bounds that the task computed.
        slice_counts: feature -> its value -> how many test images; a slice with fewer than `min_count` is reported, not judged.
            (A plain TFMA threshold would hold for every slice, the smallest included.)
    """
    metrics = config_pb2.MetricsSpec()
    count = metrics.metrics.add(class_name="ExampleCount")
    if {*config.thresholds, *(comparison.metric for comparison in comparisons)} - judge.metrics.keys():
        _for_slices(count, [config_pb2.SlicingSpec()], _bound(Threshold(min=1)))  # TFMA refuses where it has nothing to judge
    for name, metric in judge.metrics.items():
        added = metrics.metrics.add(
            class_name=metric.class_name, module=metric.module or "", config=json.dumps({"name": name, **metric.config})
        )
        bounds = [_bound(config.thresholds[name])] if name in config.thresholds else []
        bounds += [_better_than(c.value, metric) for c in comparisons if c.metric == name]
        for bound in bounds:
            _for_slices(added, [config_pb2.SlicingSpec()], bound)
        if name in config.change:
            _for_slices(added, [config_pb2.SlicingSpec()], _change(config.change[name], metric))
        for feature, part in config.slices.items():
            if name in part.thresholds:
                large = [value for value, count in (slice_counts or {}).get(feature, {}).items() if count >= part.min_count]
                specs = [config_pb2.SlicingSpec(feature_values={feature: value}) for value in large]
                if specs:
                    _for_slices(added, specs, _bound(part.thresholds[name]))
    model = config_pb2.ModelSpec(
        signature_name=judge.signature,
        model_type="tf_generic",
        label_key=judge.label_key or "",
        prediction_key=judge.prediction_key or "",
    )
    slices = [config_pb2.SlicingSpec(), *(config_pb2.SlicingSpec(feature_keys=[feature]) for feature in config.slices)]
    return config_pb2.EvalConfig(model_specs=[model], slicing_specs=slices, metrics_specs=[metrics])


def unjudged(
    config: EvaluateConfig, comparisons: Sequence[Comparison], slice_counts: Mapping[str, Mapping[str, int]], has_baseline: bool
) -> list[str]:
    """Why nothing was held to a bound, a sentence part each; empty where something was. TFMA blesses no such model.

    Args:
        comparisons, slice_counts: as of `build`.
        has_baseline: whether there was an earlier model to hold evaluate.change against.
    """
    if config.thresholds or comparisons or (config.change and has_baseline):
        return []
    bounded = {feature: part for feature, part in config.slices.items() if part.thresholds}
    largest = {feature: max(slice_counts.get(feature, {}).values(), default=0) for feature in bounded}
    if any(largest[feature] >= part.min_count for feature, part in bounded.items()):
        return []
    parts = ["evaluate.change alone blesses no first model: give a threshold too"] if config.change else []
    parts += [
        f"no slice of {feature} has min_count test images (largest: {largest[feature]} of {part.min_count})"
        for feature, part in bounded.items()
    ]
    return parts or [UNBOUND]


def reasons(
    result: validation_result_pb2.ValidationResult, comparisons: Sequence[Comparison], counts: Collection[str] = ()
) -> list[str]:
    """What TFMA refused, a sentence part each, such as "accuracy 0.913 is below 0.950 (change.accuracy)".

    Args:
        counts: names of the figures that are whole numbers.
    """
    missing = [f"no test image falls into the slice {missing.slicing_spec}" for missing in result.missing_slices]
    return [*(miss.text for miss in misses(result, comparisons, counts)), *missing]


def misses(
    result: validation_result_pb2.ValidationResult, comparisons: Sequence[Comparison], counts: Collection[str] = ()
) -> list[Miss]:
    """As `reasons`, without slices that hold no image."""
    parts = []
    for validated in result.metric_validations_per_slice:
        where = ", ".join(
            f"{key.column}={key.bytes_value.decode() or key.int64_value}" for key in validated.slice_key.single_slice_keys
        )
        for failure in validated.failures:
            parts.append(_miss(failure, where, comparisons, counts))
    return parts


def _miss(failure, where: str, comparisons: Sequence[Comparison], counts: Collection[str]) -> Miss:
    name = failure.metric_key.name
    value = failure.metric_value.double_value.value
    place = f" on the slice {where}" if where else ""
    threshold, shown = failure.metric_threshold, f"{value:.0f}" if name in counts else f"{value:.4f}"
    of = "change" if threshold.HasField("change_threshold") else "threshold"
    if math.isnan(value):
        text = f"{name} is no number{place}: there is none for this data, or the model's answers are not finite"
        return Miss(text, name, of, slice=where)
    if of == "change":
        text = f"{name} changed by {value:+.4f} against the last blessed other model{place}, more than evaluate.change allows"
        return Miss(text, name, of, value, slice=where)
    bound = threshold.value_threshold
    for comparison in comparisons:
        limits = (bound.upper_bound.value, bound.lower_bound.value)
        if comparison.metric == name and comparison.value in limits:
            text = f"{name} {value:.5f} is no better than the {comparison.value:.5f} of {comparison.words}"
            return Miss(text, name, "comparison", value, comparison.value, where)
    if bound.HasField("lower_bound") and value < bound.lower_bound.value:
        text = f"{name} {shown} is below the minimum {bound.lower_bound.value:g}{place}"
        return Miss(text, name, of, value, bound.lower_bound.value, where)
    text = f"{name} {shown} is above the maximum {bound.upper_bound.value:g}{place}"
    return Miss(text, name, of, value, bound.upper_bound.value, where)


def _for_slices(
    metric: config_pb2.MetricConfig, slices: Sequence[config_pb2.SlicingSpec], threshold: config_pb2.MetricThreshold
) -> None:
    metric.per_slice_thresholds.add(slicing_specs=slices, threshold=threshold)


def _bound(threshold: Threshold) -> config_pb2.MetricThreshold:
    value = config_pb2.GenericValueThreshold()
    if threshold.min is not None:
        value.lower_bound.value = threshold.min
    if threshold.max is not None:
        value.upper_bound.value = threshold.max
    return config_pb2.MetricThreshold(value_threshold=value)


def _better_than(value: float, metric: Metric) -> config_pb2.MetricThreshold:
    return _bound(Threshold(min=value) if metric.better == "more" else Threshold(max=value))


def _change(change: Change, metric: Metric) -> config_pb2.MetricThreshold:
    more = metric.better == "more"
    direction = config_pb2.MetricDirection.HIGHER_IS_BETTER if more else config_pb2.MetricDirection.LOWER_IS_BETTER
    bound = config_pb2.GenericChangeThreshold(direction=direction)
    bound.absolute.value = -change.max_drop if more else change.max_rise
    return config_pb2.MetricThreshold(change_threshold=bound)
