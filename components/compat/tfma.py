"""TFMA: what it wraps and unwraps on the way.

What a model answers about one image, as metrics see it, is its outputs by name, however many there are. TFMA takes the dict away
from a signature of one output, and leaves it to one of two: whoever reads a bare answer cannot know which output it is. So a stage
behind TFMA's predictions gives it its name again, before any metric, TFMA's own included, sees it. And what Evaluator wrote is read
without the keys of outputs and sub-keys, of which hubel has none.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.extractors import extractor, predictions_extractor
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from components.saved_model import signature_of

Key = tuple[tuple[str, int | str], ...]  # of a slice: pairs of feature and value

EXTRACTORS = f"{__name__}.custom_extractors"


def answers_of(element: metric_types.StandardMetricInputs, model_name: str) -> Mapping[str, np.ndarray]:
    """Of one model about the image of a metric's input: output -> value.

    Args:
        model_name: as in a MetricKey; empty where there is one model alone.
    """
    outputs = element.prediction
    return outputs[model_name] if model_name and model_name in outputs else outputs


def custom_extractors(
    eval_shared_model, eval_config: config_pb2.EvalConfig, tensor_adapter_config=None
) -> list[extractor.Extractor]:
    """TFMA's extractors and, where a model's signature has one output, the stage that names it. TFX asks for this by its name."""
    from tensorflow_model_analysis.api import model_eval_lib

    extractors = model_eval_lib.default_extractors(
        eval_shared_model=eval_shared_model, eval_config=eval_config, tensor_adapter_config=tensor_adapter_config
    )
    models = eval_shared_model if isinstance(eval_shared_model, list) else [eval_shared_model]
    signatures = {spec.name: spec.signature_name for spec in eval_config.model_specs}
    signed = {model.model_name: signature_of(Path(model.model_path), signatures[model.model_name]) for model in models}
    outputs = {name: list(signature.outputs) for name, signature in signed.items()}
    bare = {name: only for name, (only, *more) in outputs.items() if not more}
    if not bare:
        return extractors
    naming = extractor.Extractor(stage_name="NameOutputs", ptransform=beam.Map(_named, bare, is_alone=len(models) == 1))
    place = [stage.stage_name for stage in extractors].index(predictions_extractor.PREDICTIONS_EXTRACTOR_STAGE_NAME) + 1
    return [*extractors[:place], naming, *extractors[place:]]


def values(evaluation: str, model: str | None = None) -> dict[Key, dict[str, Any]]:
    """What Evaluator wrote: slice -> name of a metric -> its value, as a message of TFMA's in JSON.

    Args:
        model: which, where it holds several.
    """
    result = tfma.load_eval_result(evaluation, model_name=model)
    return {key: outputs[""][""] for key, outputs in result.slicing_metrics}  # of no named output, of no sub-key


def _named(extracts: dict[str, Any], bare: Mapping[str, str], is_alone: bool) -> dict[str, Any]:
    """The same with {output: values} for each model of `bare`, which has that output alone."""
    answers = extracts[constants.PREDICTIONS_KEY]
    if is_alone:
        [only] = bare.values()
        return {**extracts, constants.PREDICTIONS_KEY: {only: answers}}
    return {**extracts, constants.PREDICTIONS_KEY: {**answers, **{name: {only: answers[name]} for name, only in bare.items()}}}
