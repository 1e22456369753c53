"""What Evaluator makes of figures: TFMA's judgement of the bounds that its config has, and hubel's of those that are not TFMA's."""

from collections.abc import Mapping, Sequence

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics import metric_types

from components.evaluator import eval_config, measured
from components.tasks.judges.base import Comparison, Judge
from configs.schema.evaluate import EvaluateConfig


def refusals(
    judge: Judge, figures: Mapping[str, float], comparisons: Sequence[Comparison], evaluate: Mapping | None = None
) -> list[str]:
    """Why a model is not blessed, a sentence part each; none where it is.

    Args:
        figures: of the test split, by name.
        comparisons: as `Judge.compare` gives them.
        evaluate: the config's.
    """
    asked = EvaluateConfig.model_validate(evaluate or {})
    eval_config.check(asked, judge)
    assert {comparison.metric for comparison in comparisons} <= figures.keys() & set(judge.compared)
    bounds = eval_config.binding(eval_config.with_margins(comparisons, asked, judge), asked)
    config = tfma.utils.update_eval_config_with_defaults(eval_config.build(asked, judge, bounds), has_baseline=False)
    known = {metric_types.MetricKey(name): figures[name] for name in figures if name in judge.metrics}
    result = metrics_validator.validate_metrics(((), {metric_types.MetricKey("example_count"): 1.0, **known}), config)
    parts = eval_config.reasons(result, bounds)
    assert result.validation_ok == (not parts)
    return [*parts, *(miss.text for miss in measured.misses(figures, judge.measured, asked.thresholds, bounds))]
