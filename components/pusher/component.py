"""Pusher: TFX's decision what may be pushed, and a publish that is atomic and does not repeat itself."""

from pathlib import Path

from tfx import types
from tfx.components.pusher import executor
from tfx.components.pusher.component import Pusher as TfxPusher
from tfx.components.statistics_gen.stats_artifact_utils import load_statistics
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter
from tfx.utils import io_utils, json_utils, path_utils, proto_utils

from components import fingerprint, keys, progress
from components.compat import tfx
from components.driver import KeyDriver
from components.examples import NoSplit, files_of
from components.pusher import publish, statistics
from configs import paths
from configs.errors import first_line
from serving.server.status import ServingError

STATISTICS, EXAMPLES = "statistics", "examples"


class Executor(executor.Executor):
    """Pushes a model that is blessed twice: by Evaluator and by InfraValidator."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: Model, ModelBlessing, InfraBlessing, ExampleStatistics, Examples (test). Writes: PushedModel, a version folder at
        the destination, which carries statistics of its training, and what is stable there."""
        pushed = artifact_utils.get_single_instance(output_dict[standard_component_specs.PUSHED_MODEL_KEY])
        if not self.CheckBlessing(input_dict):
            tfx.mark_not_pushed(self, pushed)
            return
        base, model = _destination(exec_properties), Path(self.GetModelPath(input_dict))
        version, _ = publish.push(model, base, lambda stage: _carry_statistics(input_dict, model, stage))
        io_utils.copy_dir(str(model), pushed.uri)
        tfx.mark_pushed(self, pushed, f"{base}/{version}", str(version))


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
        statistics, examples: of which the model carries what `hubel drift` compares with; None: nothing.
        gone: versions pushed earlier that are no longer there; part of the cache key, so that a model whose version somebody
            deleted is pushed again instead of being taken for live.
    """

    SPEC_CLASS = type(
        "HubelPusherSpec",
        (standard_component_specs.PusherSpec,),
        {
            "INPUTS": {
                **standard_component_specs.PusherSpec.INPUTS,
                STATISTICS: ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
                EXAMPLES: ChannelParameter(type=standard_artifacts.Examples, optional=True),
            }
        },
    )
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        base: Path | str,
        gone: list[int],
        statistics: types.BaseChannel | None = None,
        examples: types.BaseChannel | None = None,
    ):
        BaseComponent.__init__(
            self,
            self.SPEC_CLASS(
                model=model,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                **({STATISTICS: statistics, EXAMPLES: examples} if statistics and examples else {}),
                push_destination=pusher_pb2.PushDestination(
                    filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(base))
                ),
                custom_config=json_utils.dumps({"source": fingerprint.of(__name__), "gone": gone}),
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            ),
        )


def _carry_statistics(input_dict, model: Path, stage: Path) -> None:
    """Lay what is known of training into the copy of a SavedModel; what cannot be is said, and holds up no push."""
    if not input_dict.get(STATISTICS):
        return
    try:
        train = load_statistics(artifact_utils.get_single_instance(input_dict[STATISTICS]), keys.TRAIN).proto()
        statistics.write(model, train, files_of(input_dict[EXAMPLES], keys.TEST), stage)
    except (NoSplit, ServingError, ValueError, KeyError, OSError) as error:
        text = f"the model is pushed without statistics of its training, so `hubel drift` cannot judge it: {first_line(error)}"
        progress.emit("warning", text=text)


def _destination(exec_properties) -> Path | str:
    """Folder of the versions, or its URL."""
    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination)
    return paths.place(destination.filesystem.base_directory)
