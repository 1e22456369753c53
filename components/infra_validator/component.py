"""InfraValidator: the gate between trained and served (parity.py), giving TFX's standard InfraBlessing.

TFX's own needs Docker or Kubernetes and does not say why it refuses (tensorflow/tfx#5485).
"""

from pathlib import Path

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter, ComponentSpec
from tfx.utils import path_utils

from components import fingerprint, inputs, keys, progress, spec
from components.examples import files_of, records_of
from components.infra_validator import parity
from components.tasks.by_name import modules_of

IMAGES = 8


class Executor(base_executor.BaseExecutor):
    """Sends test images through every signature."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: Model, raw Examples (test).

        Writes: InfraBlessing with the custom properties `reason` and `servers`, and beside a blessing what Pusher needs of the
        model's answers, since here it is loaded.
        """
        model = artifact_utils.get_single_instance(input_dict[standard_component_specs.MODEL_KEY])
        blessing = artifact_utils.get_single_instance(output_dict[standard_component_specs.BLESSING_KEY])
        files = files_of(input_dict[standard_component_specs.EXAMPLES_KEY], keys.TEST)
        records = list(records_of(files).take(IMAGES).as_numpy_iterator())
        verdict = parity.verdict(model.uri, Path(path_utils.serving_model_path(model.uri)), records, files)
        why = verdict.reason
        for note in verdict.notes:
            progress.emit("warning", text=note)
        Path(blessing.uri, "INFRA_NOT_BLESSED" if why else "INFRA_BLESSED").write_text(why or "")
        if verdict.answers is not None and not why:
            Path(blessing.uri, keys.ANSWERS).write_bytes(verdict.answers)
        blessing.set_int_custom_property("blessed", int(not why))
        blessing.set_int_custom_property("has_model", 0)
        blessing.set_string_custom_property(keys.REASON, why or "")
        blessing.set_string_custom_property(keys.SERVERS, ", ".join(verdict.servers))


class InfraValidatorSpec(ComponentSpec):
    """Inputs and outputs are those of TFX's InfraValidator."""

    PARAMETERS = {}
    INPUTS = {
        standard_component_specs.MODEL_KEY: ChannelParameter(type=standard_artifacts.Model),
        standard_component_specs.EXAMPLES_KEY: ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {standard_component_specs.BLESSING_KEY: ChannelParameter(type=standard_artifacts.InfraBlessing)}


class InfraValidator(base_component.BaseComponent):
    """Output: `blessing`, which Pusher asks for."""

    SPEC_CLASS = spec.extended(InfraValidatorSpec)
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, model: types.BaseChannel, examples: types.BaseChannel, task: str, reads: str = inputs.DEFAULT):
        super().__init__(
            self.SPEC_CLASS(
                model=model,
                examples=examples,
                source_digest=fingerprint.of(
                    __name__, "components.infra_validator.replay", *modules_of(task), inputs.module_of(reads)
                ),
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
