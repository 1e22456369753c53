"""Pusher: TFX's decision what may be pushed, and a publish that is atomic and does not repeat itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from tfx import types
from tfx.components.pusher import executor
from tfx.components.pusher.component import Pusher as TfxPusher
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter
from tfx.utils import io_utils, json_utils, path_utils, proto_utils

from components import fingerprint, progress
from components.compat import tfx
from components.driver import KeyDriver
from components.pusher import card, publish, statistics
from configs import paths
from configs.errors import first_line

STATISTICS, EXAMPLES, EVALUATION, ANOMALIES = OPTIONAL = ("statistics", "examples", "evaluation", "anomalies")
DESCRIBED = "described"  # in custom_config


class Executor(executor.Executor):
    """Pushes a model that is blessed twice: by Evaluator and by InfraValidator."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: Model, ModelBlessing, InfraBlessing, ExampleStatistics, Examples (test), ModelEvaluation, ExampleAnomalies.

        Writes: PushedModel, a version folder at the destination, which carries statistics of its training and its model card, and
        what is stable there.
        """
        pushed = artifact_utils.get_single_instance(output_dict[standard_component_specs.PUSHED_MODEL_KEY])
        if not self.CheckBlessing(input_dict):
            tfx.mark_not_pushed(self, pushed)
            return
        base, model = _destination(exec_properties), Path(self.GetModelPath(input_dict))
        described = json_utils.loads(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY]).get(DESCRIBED)
        run = tfx.run_of(self)

        def cards(version: int, is_new: bool) -> Mapping[str, str]:
            return {} if described is None else _cards(input_dict, model, described, run, version)

        version, _ = publish.push(model, base, lambda stage: _carry_statistics(input_dict, model, stage), cards)
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
        examples, evaluation, anomalies: whose figures are on the model card; what is None is not on record there.
        described: what else is, {config, terms, starts_from, data_digest}; None: there is no card.
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
                EVALUATION: ChannelParameter(type=standard_artifacts.ModelEvaluation, optional=True),
                ANOMALIES: ChannelParameter(type=standard_artifacts.ExampleAnomalies, optional=True),
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
        evaluation: types.BaseChannel | None = None,
        anomalies: types.BaseChannel | None = None,
        described: Mapping[str, Any] | None = None,
    ):
        given = zip(OPTIONAL, (statistics, examples, evaluation, anomalies), strict=True)
        BaseComponent.__init__(
            self,
            self.SPEC_CLASS(
                model=model,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                **{name: channel for name, channel in given if channel is not None},
                push_destination=pusher_pb2.PushDestination(
                    filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(base))
                ),
                custom_config=json_utils.dumps({"source": fingerprint.of(__name__), "gone": gone, DESCRIBED: described}),
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            ),
        )


def _carry_statistics(input_dict, model: Path, stage: Path) -> None:
    """Lay what is known of training into the copy of a SavedModel; what cannot be is said, and holds up no push."""
    if not (input_dict.get(STATISTICS) and input_dict.get(EXAMPLES)):
        return
    of_training = artifact_utils.get_single_instance(input_dict[STATISTICS])
    gate = artifact_utils.get_single_instance(input_dict[standard_component_specs.INFRA_BLESSING_KEY])
    if why := statistics.carry(model, of_training, input_dict[EXAMPLES], stage, gate):
        progress.emit("warning", text=why)


def _cards(input_dict, model: Path, described: Mapping[str, Any], run: str | None, version: int) -> Mapping[str, str]:
    """The model card, in both forms; a mistake in it is said, and holds up no push."""
    artifacts = {name: artifact_utils.get_single_instance(given) for name, given in input_dict.items() if given}
    try:
        return card.files(card.known(artifacts, model, described, run, version))
    except (ArithmeticError, LookupError, OSError, TypeError, ValueError, jinja2.TemplateError) as error:
        progress.emit("warning", text=f"the model is pushed without its model card: {type(error).__name__}: {first_line(error)}")
        return {}


def _destination(exec_properties) -> Path | str:
    """Folder of the versions, or its URL."""
    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination)
    return paths.place(destination.filesystem.base_directory)
