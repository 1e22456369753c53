"""Tuner: TFX's, whose executor leaves the trials where they are, for a wider budget, a warm start, and whoever lists them."""

from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx.components.tuner import executor
from tfx.components.tuner.component import Tuner as TfxTuner
from tfx.dsl.components.base import base_driver, executor_spec
from tfx.orchestration.portable import base_driver as portable
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2
from tfx.types import standard_component_specs
from tfx.utils import json_utils

from components.compat import tfx as compat
from tuner import records
from tuner.study import HALTS

STUDY = "study"  # custom property of best_hyperparameters: fingerprint of the study that they are of


class Executor(executor.Executor):
    """TFX's, with what is written as a config has it."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: what tuner_fn does. Writes: HyperParameters, and TunerResults: values and score of each trial that was measured.

        Raises:
            HubelError: where no trial completed.
        """
        search = executor.search(input_dict, exec_properties, compat.scratch(self), print_tuning_summary=False)
        executor.write_best_hyperparameters(search.results(), output_dict)
        output_dict["best_hyperparameters"][0].set_string_custom_property(STUDY, search.study.record.fingerprint)


class Driver(base_driver.BaseDriver, portable.BaseDriver):
    """Asked before the cache is: puts into its key how often failed trials ended a search of this config. So a search that they
    ended, though it has a best trial, goes on when it is asked for again, and is not taken for done."""

    def __init__(self, metadata_handler):
        portable.BaseDriver.__init__(self, metadata_handler)

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        output = driver_output_pb2.DriverOutput()
        custom = json_utils.loads(execution_info.exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY])
        if halts := records.halts(Path(custom["tuning_dir"])):
            value = metadata_store_pb2.Value(string_value=json_utils.dumps(custom | {HALTS: halts}))
            output.exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY].CopyFrom(value)
        if execution_info.execution_output_uri:  # TFX makes a folder for a driver's output at each look, which nobody reads
            Path(execution_info.execution_output_uri).parent.rmdir()
        return output


class Tuner(TfxTuner):
    """TFX's Tuner with that executor and that driver."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver
