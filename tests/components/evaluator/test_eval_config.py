"""From thresholds to TFMA's EvalConfig and back to words, with TFMA's own judgement in between."""

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics import metric_specs, metric_types

from components.evaluator import eval_config, measured, slices
from components.tasks.judges.base import Comparison, Judge
from components.tasks.judges.by_name import judge_of
from configs.errors import UsageError
from configs.schema.evaluate import EvaluateConfig, Threshold
from tests.components.verdict import refusals

CLASSIFICATION, RECONSTRUCTION = judge_of("classification"), judge_of("reconstruction")
COUNTS = {"label": {"1": 30, "2": 5}}


def judged(tree, figures, task=CLASSIFICATION, comparisons=(), counts=None, baseline=False):
    """TFMA's verdict on figures {slice value or None: {metric: value}}. Returns (whether it is good enough, reasons)."""
    config = eval_config.build(EvaluateConfig.model_validate(tree), task, comparisons, counts or COUNTS)
    config = tfma.utils.update_eval_config_with_defaults(config, has_baseline=baseline)  # as TFX's Evaluator does
    result, parts = tfma.proto.validation_result_pb2.ValidationResult(validation_ok=True), []
    for value, metrics in figures.items():
        slice_key = () if value is None else (("label", value),)
        keys = {}
        for name, figure in metrics.items():
            is_diff = name.endswith("_diff")
            key = metric_types.MetricKey(name.removesuffix("_diff"), model_name="candidate" if baseline else "")
            keys[key.make_diff_key() if is_diff else key] = figure
        validated = metrics_validator.validate_metrics((slice_key, keys), config)
        result.validation_ok &= validated.validation_ok
        result.metric_validations_per_slice.extend(validated.metric_validations_per_slice)
        parts.append(validated)
    return result.validation_ok, eval_config.reasons(result, comparisons, slices.counted(task))


GOOD = {"accuracy": 0.9, "cross_entropy": 0.5, "macro_f1": 0.9}


def test_a_threshold_is_kept_or_the_reason_has_its_figures():
    tree = {"thresholds": {"accuracy": {"min": 0.95}, "cross_entropy": {"max": 0.6}}}
    assert judged(tree, {None: {**GOOD, "accuracy": 0.95}}) == (True, [])
    assert judged(tree, {None: GOOD}) == (False, ["accuracy 0.9000 is below the minimum 0.95"])
    refused, reasons = judged(tree, {None: {**GOOD, "cross_entropy": 0.7}})
    assert not refused
    assert "cross_entropy 0.7000 is above the maximum 0.6" in reasons


def misses(tree, metrics, slice_key=(), baseline=False):
    config = eval_config.build(EvaluateConfig.model_validate(tree), CLASSIFICATION, (), COUNTS)
    config = tfma.utils.update_eval_config_with_defaults(config, has_baseline=baseline)
    keys = {}
    for name, figure in metrics.items():
        key = metric_types.MetricKey(name.removesuffix("_diff"), model_name="candidate" if baseline else "")
        keys[key.make_diff_key() if name.endswith("_diff") else key] = figure
    result = metrics_validator.validate_metrics((slice_key, keys), config)
    missed = eval_config.misses(result, ())
    assert eval_config.reasons(result, ()) == [miss.text for miss in missed]
    assert all("text" not in miss.as_json() for miss in missed)
    return [(miss.metric, miss.of, miss.value, miss.bound, miss.slice) for miss in missed]


def test_a_miss_is_told_as_data_too():
    assert misses(SLICED, {**GOOD, "accuracy": 0.25}) == [("accuracy", "threshold", 0.25, 0.5, "")]
    assert misses(SLICED, {**GOOD, "accuracy": 0.75}, (("label", 1),)) == [("accuracy", "threshold", 0.75, 0.8, "label=1")]
    assert misses(SLICED, {**GOOD, "accuracy": np.nan}) == [("accuracy", "threshold", None, None, "")]
    change = {"change": {"accuracy": {"max_drop": 0.01}}}
    changed = misses(change, {**GOOD, "accuracy_diff": -0.25}, baseline=True)
    assert changed == [("accuracy", "change", -0.25, None, "")]


def test_a_miss_of_what_the_task_compared_with_says_so():
    [miss] = measured.misses({"a": 0.1}, {"a": "more"}, {}, [Comparison("a", 0.2, "PCA")])
    assert (miss.of, miss.value, miss.bound) == ("comparison", 0.1, 0.2)
    [none] = measured.misses({}, {"a": "more"}, {"a": Threshold(min=1)}, [])
    assert (none.of, none.value, none.bound) == ("threshold", None, None)


def test_a_figure_that_is_no_number_is_refused():
    accepted, reasons = judged({"thresholds": {"accuracy": {"min": 0.1}}}, {None: {**GOOD, "accuracy": np.nan}})
    assert not accepted
    assert reasons == ["accuracy is no number: there is none for this data, or the model's answers are not finite"]


SLICED = {
    "thresholds": {"accuracy": {"min": 0.5}},
    "slices": {"label": {"min_count": 20, "thresholds": {"accuracy": {"min": 0.8}}}},
}


def test_a_bound_on_slices_judges_large_ones():
    assert judged(SLICED, {None: GOOD, 1: GOOD, 2: GOOD}) == (True, [])
    accepted, reasons = judged(SLICED, {None: GOOD, 1: {**GOOD, "accuracy": 0.7}, 2: GOOD})
    assert not accepted
    assert reasons == ["accuracy 0.7000 is below the minimum 0.8 on the slice label=1"]


def test_a_bound_on_slices_leaves_small_ones_alone_and_the_whole_to_its_own():
    assert judged(SLICED, {None: {**GOOD, "accuracy": 0.6}, 1: GOOD, 2: {**GOOD, "accuracy": 0.0}}) == (True, [])


def test_a_bound_on_the_whole_is_not_one_on_slices():
    tree = {"thresholds": {"accuracy": {"min": 0.95}}}
    assert judged(tree, {None: {**GOOD, "accuracy": 0.96}, 1: {**GOOD, "accuracy": 0.1}}) == (True, [])


def test_a_large_slice_that_vanishes_is_a_reason():
    config = eval_config.build(EvaluateConfig.model_validate(SLICED), CLASSIFICATION, slice_counts=COUNTS)
    [accuracy] = [m for m in config.metrics_specs[0].metrics if '"accuracy"' in m.config]
    judged_slices = [dict(spec.feature_values) for bound in accuracy.per_slice_thresholds for spec in bound.slicing_specs]
    assert judged_slices == [{}, {"label": "1"}]


@pytest.mark.parametrize(
    ("metric", "change", "diff", "accepted"),
    [
        ("accuracy", {"max_drop": 0.01}, -0.005, True),
        ("accuracy", {"max_drop": 0.01}, 0.3, True),
        ("accuracy", {"max_drop": 0.01}, -0.02, False),
        ("cross_entropy", {"max_rise": 0.1}, 0.05, True),
        ("cross_entropy", {"max_rise": 0.1}, 0.2, False),
    ],
)
def test_a_change_is_judged_in_the_direction_that_is_worse(metric, change, diff, accepted):
    is_blessed, reasons = judged({"change": {metric: change}}, {None: {**GOOD, f"{metric}_diff": diff}}, baseline=True)
    assert is_blessed == accepted
    assert reasons == (
        []
        if accepted
        else [f"{metric} changed by {diff:+.4f} against the last blessed other model, more than evaluate.change allows"]
    )


COMPARISON = Comparison("mse", 0.031234567, "PCA with 4 numbers")


@pytest.mark.parametrize(("value", "accepted"), [(0.0312, True), (0.0313, False)])
def test_a_bound_that_the_task_computed_is_a_bound_with_its_words(value, accepted):
    is_blessed, reasons = judged({}, {None: {"mse": value, "psnr": 10.0}}, RECONSTRUCTION, [COMPARISON])
    assert is_blessed == accepted
    assert reasons == ([] if accepted else ["mse 0.03130 is no better than the 0.03123 of PCA with 4 numbers"])


LIKELIHOOD = Comparison("log_likelihood", -20.0, "a density")
DICTIONARY = Comparison("objective", 2.0, "a dictionary", margin=0.05)


@pytest.mark.parametrize(
    ("comparison", "task", "margins", "bound"),
    [
        (COMPARISON, "reconstruction", {}, COMPARISON.value),
        (COMPARISON, "reconstruction", {"mse": 0.1}, 1.1 * COMPARISON.value),
        (COMPARISON, "reconstruction", {"mse": -0.1}, 0.9 * COMPARISON.value),
        (LIKELIHOOD, "reconstruction.variational", {"log_likelihood": 0.1}, -22.0),
        (LIKELIHOOD, "reconstruction.variational", {"log_likelihood": -0.1}, -18.0),
        (DICTIONARY, "reconstruction.sparse_coding", {}, 2.1),
        (DICTIONARY, "reconstruction.sparse_coding", {"objective": 0.0}, 2.0),
        (DICTIONARY, "reconstruction.sparse_coding", {"prediction": 0.5}, 2.1),
        (Comparison("rate_off", 0.25, "tolerated"), "reconstruction.sparse", {"rate_off": 1.0}, 0.5),
    ],
)
def test_a_margin_of_the_config_takes_the_place_of_the_task_s(comparison, task, margins, bound):
    """To the side that is worse, by a share of the value's size."""
    task, evaluate = judge_of(task), {"margins": margins}
    better = {**task.measured, **{name: metric.better for name, metric in task.metrics.items()}}[comparison.metric]
    worse = 1e-4 if better == "less" else -1e-4
    assert refusals(task, {comparison.metric: bound - worse}, [comparison], evaluate) == []
    [refusal] = refusals(task, {comparison.metric: bound + worse}, [comparison], evaluate)
    assert f"is no better than the {bound:.5f} of {comparison.words}" in refusal
    assert ("and a margin of" in refusal) == (bound != comparison.value)


def test_a_margin_is_said_in_words():
    [refusal] = refusals(judge_of("reconstruction.sparse_coding"), {"objective": 2.2}, [DICTIONARY])
    assert refusal == "objective 2.20000 is no better than the 2.10000 of a dictionary (2.00000 and a margin of 5 %)"


@pytest.mark.parametrize(("value", "margins"), [(0.0, {}), (9.9e-6, {"mse": 0.0}), (1e-12, {"mse": -0.5})])
def test_what_is_enough_passes_however_little_is_to_be_beaten(value, margins):
    task, comparison = judge_of("reconstruction"), Comparison("mse", value, "PCA", margin=0.01, enough=1e-5)
    assert refusals(task, {"mse": 9.9e-6}, [comparison], {"margins": margins}) == []
    [refusal] = refusals(task, {"mse": 1.1e-5}, [comparison], {"margins": margins})
    assert refusal == f"mse 0.00001 is no better than the 0.00001 of PCA ({value:.5f}; below 1.0e-05 counts as none)"


def test_what_is_enough_is_no_bound_where_there_is_more_to_be_beaten():
    task, comparison = judge_of("reconstruction"), Comparison("mse", 0.01, "PCA", margin=0.01, enough=1e-5)
    assert refusals(task, {"mse": 0.01009}, [comparison]) == []
    assert refusals(task, {"mse": 0.01011}, [comparison])


def test_a_comparison_that_yields_leaves_its_metric_to_the_config():
    tolerated, task = Comparison("rate_off", 0.25, "what is tolerated", yields=True), judge_of("reconstruction.sparse")
    assert refusals(task, {"rate_off": 0.3}, [tolerated])
    assert refusals(task, {"rate_off": 0.3}, [tolerated], {"thresholds": {"rate_off": {"max": 0.4}}}) == []
    [refusal] = refusals(task, {"rate_off": 0.2}, [tolerated], {"thresholds": {"rate_off": {"max": 0.1}}})
    assert refusal == "rate_off 0.2000 is above the maximum 0.1"


def test_a_task_s_bound_and_the_config_s_are_both_kept():
    tree = {"thresholds": {"mse": {"max": 0.03}}}
    accepted, reasons = judged(tree, {None: {"mse": 0.0305, "psnr": 1.0}}, RECONSTRUCTION, [COMPARISON])
    assert not accepted
    assert reasons == ["mse 0.0305 is above the maximum 0.03"]


@pytest.mark.parametrize(
    ("tree", "task", "words"),
    [
        ({"thresholds": {"acuracy": {"min": 1}}}, CLASSIFICATION, "acuracy"),
        ({"thresholds": {"mse": {"max": 1}}}, CLASSIFICATION, "mse"),
        ({"thresholds": {"accuracy": {"min": 1}}}, RECONSTRUCTION, "accuracy"),
        ({"change": {"psnr": {"max_rise": 1}}}, RECONSTRUCTION, "more is better for psnr"),
        ({"change": {"mse": {"max_drop": 1}}}, RECONSTRUCTION, "less is better for mse"),
        ({"thresholds": {"probe_accuracy": {"min": 1}}}, CLASSIFICATION, "probe_accuracy"),
        ({"change": {"probe_accuracy": {"max_drop": 1}}}, RECONSTRUCTION, "whole test split of one model alone"),
        (
            {"slices": {"label": {"thresholds": {"knn_accuracy": {"min": 1}}}}},
            RECONSTRUCTION,
            "whole test split of one model alone",
        ),
        ({"margins": {"ssim": 0.1}}, RECONSTRUCTION, "ssim"),
        ({"margins": {"accuracy": 0.1}}, CLASSIFICATION, "accuracy"),
        ({"slices": {"label": {"thresholds": {"f1": {"min": 1}}}}}, CLASSIFICATION, "f1"),
        ({"slices": {"lable": {"thresholds": {"accuracy": {"min": 1}}}}}, CLASSIFICATION, "lable"),
    ],
    ids=lambda value: None if isinstance(value, Judge) else str(value),  # an address in a name differs between processes
)
def test_what_a_task_cannot_judge_is_refused_at_once(tree, task, words):
    with pytest.raises(UsageError) as caught:
        eval_config.check(EvaluateConfig.model_validate(tree), task)
    assert words in caught.value.message
    assert caught.value.hint


def test_what_a_task_can_judge_passes_the_check():
    eval_config.check(EvaluateConfig.model_validate({**SLICED, "change": {"accuracy": {"max_drop": 0}}}), CLASSIFICATION)
    eval_config.check(EvaluateConfig.model_validate({"change": {"mse": {"max_rise": 0}, "psnr": {"max_drop": 1}}}), RECONSTRUCTION)
    tree = {"thresholds": {name: {"min": 0} for name in RECONSTRUCTION.measured}}
    eval_config.check(EvaluateConfig.model_validate(tree), RECONSTRUCTION)


def test_tfma_has_something_to_judge_where_the_bounds_are_measured_figures_alone():
    tree = {"thresholds": {"kmeans_ari": {"min": 0.2}}}
    assert judged(tree, {None: {"example_count": 60.0}}, RECONSTRUCTION) == (True, [])
    accepted, reasons = judged(tree, {None: {"example_count": 0.0}}, RECONSTRUCTION)
    assert not accepted
    assert reasons == ["example_count 0 is below the minimum 1"]


CHANGE = "evaluate.change alone blesses no first model: give a threshold too"
SMALL = "no slice of label has min_count test images (largest: 7 of 8)"


@pytest.mark.parametrize("has_baseline", [False, True])
@pytest.mark.parametrize("comparisons", [[], [Comparison("accuracy", 0.5, "chance")]])
@pytest.mark.parametrize("least", [7, 8])
@pytest.mark.parametrize(
    ("tree", "reasons"),
    [
        ({}, [eval_config.UNBOUND]),
        ({"slices": {"label": {}}}, [eval_config.UNBOUND]),
        ({"thresholds": {"accuracy": {"min": 0.1}}}, []),
        ({"change": {"accuracy": {"max_drop": 0.1}}}, [CHANGE]),
        ({"slices": {"label": {"thresholds": {"accuracy": {"min": 0.1}}}}}, [SMALL]),
        ({"change": {"accuracy": {"max_drop": 0}}, "slices": {"label": {"thresholds": {"accuracy": {"min": 0}}}}}, [CHANGE, SMALL]),
    ],
)
def test_where_tfma_has_nothing_to_judge_it_is_said_why(tree, reasons, least, comparisons, has_baseline):
    sizes = {"slices": {name: {**part, "min_count": least} for name, part in tree.get("slices", {}).items()}}
    asked, counts = EvaluateConfig.model_validate(tree | sizes), {"label": {"0": 7, "1": 3}}
    built = eval_config.build(asked, CLASSIFICATION, comparisons, counts)
    built = tfma.utils.update_eval_config_with_defaults(built, has_baseline=has_baseline, rubber_stamp=True)  # as TFX does
    is_judged = bool(metric_specs.metric_thresholds_from_metrics_specs(built.metrics_specs, eval_config=built))
    assert eval_config.unjudged(asked, comparisons, counts, has_baseline) == ([] if is_judged else reasons)


def test_a_class_s_own_figure_is_bounded_where_images_may_have_several():
    several = judge_of("multilabel")
    asked = EvaluateConfig(thresholds={"auroc/night": {"min": 0.8}, "f1/a/b": {"min": 0.5}, "macro_f1": {"min": 0.1}})
    eval_config.check(asked, several)
    eval_config.check_classes(asked, several, ["night", "a/b"])
    with pytest.raises(UsageError, match="names 'f1/a/b', and there is no such class") as refused:
        eval_config.check_classes(asked, several, ["night", "day"])
    assert "night, day" in refused.value.hint
    with pytest.raises(UsageError, match="'auroc/night'"):
        eval_config.check(asked, judge_of("classification"))
    with pytest.raises(UsageError, match="'recall/night'") as refused:
        eval_config.check(EvaluateConfig(thresholds={"recall/night": {"min": 0.8}}), several)
    assert "auroc/CLASS, f1/CLASS" in refused.value.hint
    with pytest.raises(UsageError, match="f1/night is of one class of one model"):
        eval_config.check(EvaluateConfig(thresholds={"f1/night": {"min": 1}}, change={"f1/night": {"max_drop": 0.1}}), several)
    alone = eval_config.build(EvaluateConfig(thresholds={"auroc/night": {"min": 0.8}}), several)
    assert alone.metrics_specs[0].metrics[0].per_slice_thresholds, "TFMA blesses no model that it has nothing to hold against"
