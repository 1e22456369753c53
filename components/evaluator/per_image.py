"""What Evaluator keeps of each test image, collected by TFMA beside its figures, from the same answers.

It is a TFMA metric whose value is a table: 16 bytes an image and 4 for each number of Judge.each, about 50 in all, once for the
whole split and once more for each slice that an image is in.
"""

import base64
import functools
import hashlib
import io
import json
from array import array

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.proto import config_pb2

from components import keys
from components.compat import tfma
from components.evaluator.intervals import Interval
from components.evaluator.statistic import ID, Rows
from components.tasks.judges.by_name import judge_of

NAME = "per_image"
OWN = "_interval"  # end of the name of a value, JSON in bytes, with which a TFMA metric hands over the interval of its figure


class PerImage(metric_types.Metric):
    """The table of a task, see Judge.each: bytes, which are an .npz file."""

    def __init__(self, task: str, name: str = NAME):
        super().__init__(metric_util.merge_per_key_computations(_per_image), name=name, task=task)


def add(config: config_pb2.EvalConfig, task: str) -> None:
    """Have TFMA collect the table."""
    settings = json.dumps({"name": NAME, "task": task})
    config.metrics_specs[0].metrics.add(class_name=PerImage.__name__, module=__name__, config=settings)


def read(evaluation: str, model: str | None = None) -> tuple[dict[tfma.Key, Rows], dict[tfma.Key, dict[str, Interval]]]:
    """Tables of the slices, and the intervals that metrics hand over, of an Evaluator's output; none where an earlier one wrote it.

    Args:
        model: which, where it holds several.
    """
    values = tfma.values(evaluation, model)
    tables = {key: _unpacked(_bytes(metrics[NAME])) for key, metrics in values.items() if NAME in metrics}
    own = {
        key: {name.removesuffix(OWN): tuple(json.loads(_bytes(value))) for name, value in metrics.items() if name.endswith(OWN)}
        for key, metrics in values.items()
    }
    return tables, own


def digest(image_id: bytes) -> int:
    """What stands for an id: of a million images, two have the same with a chance of 3e-8."""
    return int.from_bytes(hashlib.blake2b(image_id, digest_size=8).digest(), "little")


def _per_image(name, task, model_name="", output_name="", **_):
    key = metric_types.MetricKey(name=name, model_name=model_name, output_name=output_name)
    wanted = metric_types.StandardMetricInputsPreprocessor(include_filter={constants.FEATURES_KEY: {keys.EXAMPLE_ID: {}}})
    return [metric_types.MetricComputation(keys=[key], preprocessors=[wanted], combiner=_Rows(key, task))]


class _Rows(beam.CombineFn):
    """Columns of ids, labels and numbers."""

    def __init__(self, key: metric_types.MetricKey, task: str):
        self._key, self._task = key, task

    def create_accumulator(self):
        return {}

    def add_input(self, accumulator, element):
        label = element.get_by_key("labels", self._key.model_name)
        label = np.ravel(label).astype(np.int64) if label is not None and np.size(label) else np.array([-1])
        several = len(label) > 1
        image_id = np.ravel(element[constants.FEATURES_KEY][keys.EXAMPLE_ID])[0]
        row = _judge(self._task).each(tfma.answers_of(element, self._key.model_name), label if several else int(label[0]))
        for name, value in {ID: digest(image_id), keys.LABEL: -1 if several else int(label[0]), **row}.items():
            column = accumulator.setdefault(name, array(_kind(name)))
            column.extend(value.tolist()) if isinstance(value, np.ndarray) else column.append(value)
        return accumulator

    def merge_accumulators(self, accumulators):
        merged = self.create_accumulator()
        for columns in accumulators:
            for name, column in columns.items():
                merged.setdefault(name, array(_kind(name))).extend(column)
        return merged

    def extract_output(self, accumulator):
        packed = io.BytesIO()
        images = len(accumulator.get(ID, ()))
        columns = {name: np.array(column) for name, column in accumulator.items()}  # those of several numbers an image are [N, k]
        np.savez(packed, **{name: c if len(c) == images else c.reshape(images, -1) for name, c in columns.items()})
        return {self._key: packed.getvalue()}


_judge = functools.cache(judge_of)


def _kind(name: str) -> str:
    return {ID: "Q", keys.LABEL: "q"}.get(name, "f")


def _bytes(value) -> bytes:
    return base64.b64decode(value["bytesValue"])


def _unpacked(packed: bytes) -> Rows:
    with np.load(io.BytesIO(packed)) as columns:
        return dict(columns)
