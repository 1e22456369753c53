"""Pusher: TFX's decision what may be pushed, and a publish that is atomic and does not repeat itself."""

from pathlib import Path

from tfx import types
from tfx.components.pusher import executor
from tfx.components.pusher.component import Pusher as TfxPusher
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils, path_utils, proto_utils

from components import fingerprint
from components.compat import tfx
from components.driver import KeyDriver
from components.pusher import publish


class Executor(executor.Executor):
    """Pushes a model that is blessed twice: by Evaluator and by InfraValidator."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: Model, ModelBlessing, InfraBlessing. Writes: PushedModel, a version folder at the destination, and what is
        stable there."""
        pushed = artifact_utils.get_single_instance(output_dict[standard_component_specs.PUSHED_MODEL_KEY])
        if not self.CheckBlessing(input_dict):
            tfx.mark_not_pushed(self, pushed)
            return
        base, model = _destination(exec_properties), Path(self.GetModelPath(input_dict))
        version, _ = publish.push(model, base)
        io_utils.copy_dir(str(model), pushed.uri)
        tfx.mark_pushed(self, pushed, str(base / str(version)), str(version))


class Driver(KeyDriver):
    """Puts into the key which version the model is once it is live. So a model that was live and is not now, since another one was
    pushed after it, is not taken for live."""

    def key(self, execution_info, custom):
        model = artifact_utils.get_single_instance(execution_info.input_dict[standard_component_specs.MODEL_KEY])
        saved = Path(path_utils.serving_model_path(model.uri))
        version, _ = publish.next_version(saved, _destination(execution_info.exec_properties))
        return {"version": version}


class Pusher(TfxPusher):
    """TFX's Pusher to a folder of versions.

    Args:
        gone: versions pushed earlier that are no longer there; part of the cache key, so that a model whose version somebody
            deleted is pushed again instead of being taken for live.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        base: Path,
        gone: list[int],
    ):
        super().__init__(
            model=model,
            model_blessing=model_blessing,
            infra_blessing=infra_blessing,
            push_destination=pusher_pb2.PushDestination(filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(base))),
            custom_config={"source": fingerprint.of(__name__), "gone": gone},
        )


def _destination(exec_properties) -> Path:
    """Folder of the versions."""
    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination)
    return Path(destination.filesystem.base_directory)
