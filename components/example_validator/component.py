"""ExampleValidator: TFX's, except that anomalies stop the run unless they are allowed. TFX alone only records them."""

import os
import textwrap

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.components.example_validator import executor
from tfx.components.example_validator.component import ExampleValidator as TfxExampleValidator
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.utils import json_utils

from components import fingerprint, keys, spec
from configs.errors import HubelError

ALLOWED = "allow_anomalies"
LISTED, LENGTH = 5, 160  # anomalies in a message, and characters of each; the artifact has them all


class Executor(executor.Executor):
    """TFX's validation, then the decision."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: statistics, Schema. Writes: ExampleAnomalies.

        Raises:
            HubelError: lists what was found, where anomalies are not allowed.
        """
        result = super().Do(input_dict, output_dict, exec_properties)
        artifact = output_dict[standard_component_specs.ANOMALIES_KEY]
        found = [line for split in keys.SPLITS for line in describe(artifact_utils.get_split_uri(artifact, split), split)]
        if found and exec_properties[ALLOWED] != "true":
            listed = "; ".join(found[:LISTED]) + (f"; and {len(found) - LISTED} more" if len(found) > LISTED else "")
            raise HubelError(
                f"ExampleValidator found {len(found)} anomalies in the data: {listed}.",
                "Mend the data, or go on regardless with --set data.allow_anomalies=true",
            )
        return result


class ExampleValidator(TfxExampleValidator):
    """TFX's ExampleValidator with one more parameter: whether anomalies are allowed."""

    SPEC_CLASS = spec.extended(standard_component_specs.ExampleValidatorSpec, ALLOWED)
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, statistics: types.BaseChannel, schema: types.BaseChannel, allow_anomalies: bool):
        BaseComponent.__init__(
            self,
            self.SPEC_CLASS(
                statistics=statistics,
                schema=schema,
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
