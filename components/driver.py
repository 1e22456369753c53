"""A TFX driver that is asked before the cache is, and says what else an execution depends on: the state of something that is no
artifact, such as which version is live."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.base import base_driver
from tfx.orchestration.portable import base_driver as portable
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2
from tfx.types import standard_component_specs
from tfx.utils import json_utils


class KeyDriver(base_driver.BaseDriver, portable.BaseDriver):
    """Puts into `custom_config`, and so into the cache's key, what `key` says."""

    def __init__(self, metadata_handler):
        portable.BaseDriver.__init__(self, metadata_handler)

    @abstractmethod
    def key(self, execution_info: data_types.ExecutionInfo, custom: Mapping[str, Any]) -> dict[str, Any]:
        """What goes over the custom_config; nothing where the key is as it is."""

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        output = driver_output_pb2.DriverOutput()
        custom = json_utils.loads(execution_info.exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY])
        if more := self.key(execution_info, custom):
            value = metadata_store_pb2.Value(string_value=json_utils.dumps({**custom, **more}))
            output.exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY].CopyFrom(value)
        if execution_info.execution_output_uri:  # TFX makes a folder for a driver's output at each look, which nobody reads
            Path(execution_info.execution_output_uri).parent.rmdir()
        return output
