"""Evaluator: TFX's on TFMA, with bounds that the task computes, slices judged by size, and a verdict in words."""

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow_model_analysis
from google.protobuf import json_format
from tfx import types
from tfx.components.evaluator import constants, executor
from tfx.components.evaluator.component import Evaluator as TfxEvaluator
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.utils import json_utils, path_utils

from components import fingerprint, inputs, keys, progress, spec
from components.compat import tfma
from components.evaluator import eval_config, measured, noise, per_image, reader, slices
from components.examples import NoSplit, files_of
from components.tasks.by_name import modules_of, task_of
from components.tasks.judges import by_name as judges
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from configs.schema.evaluate import EvaluateConfig


class Executor(executor.Executor):
    """TFX's executor with an EvalConfig that is completed from the model and the data."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: raw Examples (test; train too where the task's baseline is fitted), Model, baseline Model or none.

        Writes: ModelEvaluation with the custom properties `metrics`, `intervals`, `differences`, `comparison` and `slices`,
        ModelBlessing with `reason` and `missed`.
        """
        examples = input_dict[standard_component_specs.EXAMPLES_KEY]
        model = artifact_utils.get_single_instance(input_dict[standard_component_specs.MODEL_KEY])
        asked = EvaluateConfig.model_validate_json(exec_properties[spec.SLICE])
        card = Card.read(model.uri)
        judge = judge_of(card.task)
        served, images = Path(path_utils.serving_model_path(model.uri)), reader.images_of(examples, card, task_of(card.task))
        asked_of_judge = functools.partial(_known, served, card, images)
        comparisons = asked_of_judge(judge.compare, [])
        judged = eval_config.with_margins(comparisons, asked, judge)
        bounds = eval_config.binding(judged, asked)
        measures = asked_of_judge(judge.measure, {})
        by_label = asked_of_judge(judge.measure_labels, {}) if keys.LABEL in asked.slices else {}
        if not asked.change:  # nothing is held against an earlier model, and judging it would take as long again
            input_dict = {**input_dict, standard_component_specs.BASELINE_MODEL_KEY: []}
        has_baseline = bool(input_dict.get(standard_component_specs.BASELINE_MODEL_KEY))
        sizes = slices.counts(files_of(examples, keys.TEST), asked.slices)
        config = eval_config.build(asked, judge, bounds, sizes)
        per_image.add(config, card.task)
        exec_properties[standard_component_specs.EVAL_CONFIG_KEY] = json_format.MessageToJson(config)
        exec_properties["custom_extractors"] = tfma.EXTRACTORS
        super().Do(input_dict, output_dict, exec_properties)
        evaluation = artifact_utils.get_single_instance(output_dict[standard_component_specs.EVALUATION_KEY])
        blessing = artifact_utils.get_single_instance(output_dict[standard_component_specs.BLESSING_KEY])
        by_slice = slices.figures(evaluation.uri, has_baseline)
        rows, own = per_image.read(evaluation.uri, "candidate" if has_baseline else None)
        known = (
            by_slice[slices.WHOLE] | measures | {comparison.name: comparison.value for comparison in comparisons if comparison.name}
        )
        metrics = slices.whole(known, slices.counted(judge))
        ours, ids = rows.get(slices.WHOLE, {}), noise.ids_of(files_of(examples, keys.TEST))
        for text in judge.remarks(card, metrics, ours):
            progress.emit("warning", text=text)
        intervals = noise.intervals(metrics, ours, judge, own.get(slices.WHOLE, {}))
        intervals |= noise.intervals_of_others(comparisons, judge, ours, ids)
        told = [noise.beside(c, metrics, judge, ours, ids) for c in judged]
        if has_baseline:
            earlier, _ = per_image.read(evaluation.uri, "baseline")
            told += [noise.since(name, metrics, judge, ours, earlier.get(slices.WHOLE, {})) for name in asked.change]
        parts = slices.reported(by_slice, by_label, asked, judge, card.class_names)
        for part in parts:
            key = tuple(part["slice"].items())
            part["intervals"] = noise.intervals(part["metrics"], rows.get(key, {}), judge, own.get(key, {}))
        single = slices.of_classes(judge, ours, card.class_names)
        parts += single
        of_classes = {f"{name}/{part['class']}": value for part in single for name, value in part["metrics"].items()}
        better = dict(judge.measured) | {
            name: judge.per_class[figure] for name in asked.thresholds if (figure := eval_config.figure_of(name, judge))
        }
        refused = measured.misses(metrics | of_classes, better, asked.thresholds, bounds)
        if refused:
            _refuse(blessing)
        evaluation.set_string_custom_property(keys.METRICS, json.dumps(metrics))
        evaluation.set_string_custom_property(keys.INTERVALS, json.dumps(intervals))
        evaluation.set_string_custom_property(keys.SLICES, json.dumps(parts))
        words = [said.words for said in told]
        if asked.change and not has_baseline:
            words.append("evaluate.change holds nothing: no blessed model before this one answers the same question")
        evaluation.set_string_custom_property(keys.COMPARISON, "; ".join(words))
        evaluation.set_string_custom_property(keys.DIFFERENCES, json.dumps([said.as_json() for said in told if said.difference]))
        _log(metrics, intervals, words)
        result = tensorflow_model_analysis.load_validation_result(evaluation.uri)
        counts = slices.counted(judge)
        missed = [*eval_config.misses(result, bounds, counts), *refused]
        blessing.set_string_custom_property(keys.MISSED, json.dumps([miss.as_json() for miss in missed]))
        parts = eval_config.unjudged(asked, bounds, sizes, has_baseline)
        parts = parts or [*eval_config.reasons(result, bounds, counts), *(miss.text for miss in refused)]
        blessing.set_string_custom_property(keys.REASON, "; ".join(parts))


class Evaluator(TfxEvaluator):
    """TFX's Evaluator of the `test` split."""

    SPEC_CLASS = spec.extended(standard_component_specs.EvaluatorSpec, spec.SLICE)
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        config: EvaluateConfig,
        task: str,
        reads: str = inputs.DEFAULT,
    ):
        judge = judge_of(task)
        eval_config.check(config, judge)
        BaseBeamComponent.__init__(
            self,
            self.SPEC_CLASS(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                eval_config=eval_config.build(config, judge),
                example_splits=json_utils.dumps([keys.TEST]),
                fairness_indicator_thresholds=json_utils.dumps(None),
                slice=config.model_dump_json(),
                source_digest=fingerprint.of(
                    __name__, "components.evaluator.metrics", *modules_of(task), *judges.modules_of(task), inputs.module_of(reads)
                ),
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            ),
        )


def _known(served: Path, card: Card, images: Callable, ask: Callable[[Path, Card, Callable], Any], nothing: Any) -> Any:
    """What a judge says, or `nothing` where it needs a split that these examples have not, which is said."""
    try:
        return ask(served, card, images)
    except NoSplit as missing:
        named = f"{ask.__name__.replace('_', ' ')}: there are no examples of the {missing.split} split, which these figures need"
        progress.emit("warning", text=named)
        return nothing


def _log(metrics: Mapping[str, float], intervals: Mapping[str, Sequence[float]], words: Sequence[str]) -> None:
    """What the process prints is the log."""
    for name, figure in metrics.items():
        low, high = intervals.get(name, (None, None))
        print(f"{name} {figure:.5g}", "without an interval" if low is None else f"(95 %: {low:.5g} to {high:.5g})", file=sys.stderr)
    print(*words, sep="\n", file=sys.stderr)


def _refuse(blessing) -> None:
    """What TFMA blessed is not blessed after all."""
    given = Path(blessing.uri, constants.BLESSED_FILE_NAME)
    if given.exists():
        given.rename(given.with_name(constants.NOT_BLESSED_FILE_NAME))
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, constants.NOT_BLESSED_VALUE)
