"""ExampleValidator: TFX's, except that anomalies stop the run unless they are allowed (TFX alone only records them), and that it
measures how far the training images have moved since the last other data, and how far they lie from the test images.
"""

import json
import os
import textwrap

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.components.example_validator import executor
from tfx.components.example_validator.component import ExampleValidator as TfxExampleValidator
from tfx.components.statistics_gen.stats_artifact_utils import load_statistics
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter
from tfx.utils import io_utils, json_utils

from components import fingerprint, keys, progress, spec
from components.example_validator import drift
from components.example_validator.resolver import EARLIER
from configs import words
from configs.errors import HubelError

ALLOWED = "allow_anomalies"
LISTED, LENGTH = 5, 160  # anomalies in a message, and characters of each; the artifact has them all


class Executor(executor.Executor):
    """TFX's validation, then the decision."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: statistics, Schema, earlier statistics if any. Writes: ExampleAnomalies with `drift` and `skew` as properties.

        With data.inliers the test split holds images that the training split must not have: that is no skew, and none is measured.

        Raises:
            HubelError: lists what was found, where anomalies are not allowed.
        """
        result = super().Do(input_dict, output_dict, exec_properties)
        artifact = output_dict[standard_component_specs.ANOMALIES_KEY]
        lines = [line for split in keys.SPLITS for line in describe(artifact_utils.get_split_uri(artifact, split), split)]
        if lines and exec_properties[ALLOWED] != "true":
            listed = "; ".join(lines[:LISTED]) + (f"; and {len(lines) - LISTED} more" if len(lines) > LISTED else "")
            raise HubelError(
                f"ExampleValidator found {words.count(len(lines), 'anomaly', 'anomalies')} in the data: {listed}.",
                "Mend the data, or go on regardless with --set data.allow_anomalies=true",
            )
        [anomalies] = result.output_artifacts[standard_component_specs.ANOMALIES_KEY].artifacts
        self._measure(input_dict, anomalies)
        return result

    def _measure(self, input_dict, anomalies):
        statistics = artifact_utils.get_single_instance(input_dict[standard_component_specs.STATISTICS_KEY])
        schema_folder = artifact_utils.get_single_uri(input_dict[standard_component_specs.SCHEMA_KEY])
        schema = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema_folder))
        earlier = [load_statistics(artifact, keys.TRAIN).proto() for artifact in input_dict.get(EARLIER, [])]
        train, test = (load_statistics(statistics, split).proto() for split in (keys.TRAIN, keys.TEST))
        served = None if drift.has_outliers(test) else test
        moved, skewed = drift.measured(train, schema, earlier[0] if earlier else None, served)
        for name, distances in ((keys.DRIFT, moved), (keys.SKEW, skewed)):
            anomalies.custom_properties[name].string_value = json.dumps(distances)
        progress.emit("distances", drift=moved, skew=skewed)


class ExampleValidator(TfxExampleValidator):
    """TFX's ExampleValidator with two more inputs: whether anomalies are allowed, and the statistics of other data."""

    SPEC_CLASS = type(
        "HubelExampleValidatorSpec",
        (spec.extended(standard_component_specs.ExampleValidatorSpec, ALLOWED),),
        {
            "INPUTS": {
                **standard_component_specs.ExampleValidatorSpec.INPUTS,
                EARLIER: ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
            }
        },
    )
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, statistics: types.BaseChannel, schema: types.BaseChannel, earlier: types.BaseChannel, allow_anomalies: bool):
        BaseComponent.__init__(
            self,
            self.SPEC_CLASS(
                statistics=statistics,
                schema=schema,
                earlier=earlier,
                exclude_splits=json_utils.dumps([]),
                allow_anomalies="true" if allow_anomalies else "false",
                source_digest=fingerprint.of(__name__),
                anomalies=types.Channel(type=standard_artifacts.ExampleAnomalies),
            ),
        )


def describe(folder: str, split: str) -> list[str]:
    """A sentence part for each anomaly of a split, such as "label in test: Unexpectedly large value (…)"."""
    anomalies = anomalies_pb2.Anomalies()
    with open(os.path.join(folder, executor.DEFAULT_FILE_NAME), "rb") as file:
        anomalies.ParseFromString(file.read())
    lines = [
        f"{name} in {split}: {textwrap.shorten(info.description, LENGTH).rstrip('. ')}"
        for name, info in sorted(anomalies.anomaly_info.items())
    ]
    if anomalies.HasField("dataset_anomaly_info"):
        lines.append(f"the {split} split: {anomalies.dataset_anomaly_info.description.rstrip('.')}")
    return lines
