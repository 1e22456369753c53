"""Converter: what a blessed model is converted to goes with it, and what is not good enough keeps all of it from being pushed."""

import json
import shutil
import tempfile
from pathlib import Path

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter, ComponentSpec
from tfx.utils import path_utils

from components import fingerprint, inputs, keys, progress, spec
from components.converter import work
from components.converter.verdict import Variant
from components.evaluator import reader
from components.tasks.by_name import modules_of, task_of
from components.tasks.judges import by_name as judges
from components.trainer import artifact
from components.trainer.card import Card
from configs.schema.variants import VariantsConfig

CONVERTED = "converted"
PROCESSES = [f"components.converter.{name}" for name in ("convert", "litert", "onnx_runtime")]  # which are imported by nobody


class Executor(base_executor.BaseExecutor):
    """Converts what Evaluator and InfraValidator have blessed."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: Model, raw Examples (test; for int8 train too), ModelBlessing, InfraBlessing.

        Writes: Model, the same SavedModel with the files and what is known of them on its card, and the custom property `variants`;
        InfraBlessing with `reason`, of a model that both have blessed, and of which no variant was refused; and with the `servers`
        that InfraValidator asked, since Pusher is given this one in the place of that.
        """
        model = artifact_utils.get_single_instance(input_dict[standard_component_specs.MODEL_KEY])
        converted = artifact_utils.get_single_instance(output_dict[CONVERTED])
        blessing = artifact_utils.get_single_instance(output_dict[standard_component_specs.BLESSING_KEY])
        told: list[Variant] = []
        is_blessed = all(
            input_dict[key][0].get_int_custom_property("blessed") == 1
            for key in (standard_component_specs.MODEL_BLESSING_KEY, standard_component_specs.INFRA_BLESSING_KEY)
        )
        if is_blessed:
            asked = VariantsConfig.model_validate_json(exec_properties[spec.SLICE])
            told = convert(model, input_dict[standard_component_specs.EXAMPLES_KEY], asked, Path(converted.uri))
        why = "; ".join(f"variant {variant.name}: {variant.reason}" for variant in told if variant.reason)
        is_blessed = is_blessed and not why
        Path(blessing.uri, "INFRA_BLESSED" if is_blessed else "INFRA_NOT_BLESSED").write_text(why)
        answers = Path(input_dict[standard_component_specs.INFRA_BLESSING_KEY][0].uri, keys.ANSWERS)
        if answers.is_file():  # of the same SavedModel
            shutil.copyfile(answers, Path(blessing.uri, keys.ANSWERS))
        blessing.set_int_custom_property("blessed", int(is_blessed))
        blessing.set_int_custom_property("has_model", 0)
        blessing.set_string_custom_property(keys.REASON, why)
        asked_servers = input_dict[standard_component_specs.INFRA_BLESSING_KEY][0].get_string_custom_property(keys.SERVERS)
        blessing.set_string_custom_property(keys.SERVERS, asked_servers or "")
        converted.set_string_custom_property(keys.VARIANTS, json.dumps([variant.as_json() for variant in told]))


def convert(model, examples, asked: VariantsConfig, to: Path) -> list[Variant]:
    """Convert the model of an artifact; `to` gets its SavedModel, with the files of what was not refused and a card that tells of
    all."""
    card = Card.read(model.uri)
    saved = Path(path_utils.serving_model_path(str(to)))
    shutil.copytree(path_utils.serving_model_path(model.uri), saved)
    folder = saved / keys.VARIANTS_IN_EXPORT
    folder.mkdir()
    images = reader.images_of(examples, card, task_of(card.task))
    with tempfile.TemporaryDirectory(prefix="hubel-convert-") as scratch:
        told = work.variants(artifact.load(model.uri), card, images, asked, folder, Path(scratch))
    on_card = saved / keys.CARD_IN_EXPORT
    known = json.loads(on_card.read_text()) | {keys.VARIANTS: [variant.as_json() for variant in told]}
    on_card.write_text(json.dumps(known, indent=1))
    for variant in told:
        if variant.floats and not variant.reason:
            stays = f"{', '.join(variant.floats)} of {variant.name} have no kernel of int8 and stay float32"
            progress.emit("warning", text=f"{stays}; a processor that has no float32 does not run the file")
        if variant.reason:
            progress.emit("warning", text=f"variant {variant.name} is refused: {variant.reason}")
    return told


class ConverterSpec(ComponentSpec):
    """What is converted has to be blessed, as what is pushed."""

    PARAMETERS = {}
    INPUTS = {
        standard_component_specs.MODEL_KEY: ChannelParameter(type=standard_artifacts.Model),
        standard_component_specs.EXAMPLES_KEY: ChannelParameter(type=standard_artifacts.Examples),
        standard_component_specs.MODEL_BLESSING_KEY: ChannelParameter(type=standard_artifacts.ModelBlessing),
        standard_component_specs.INFRA_BLESSING_KEY: ChannelParameter(type=standard_artifacts.InfraBlessing),
    }
    OUTPUTS = {
        CONVERTED: ChannelParameter(type=standard_artifacts.Model),
        standard_component_specs.BLESSING_KEY: ChannelParameter(type=standard_artifacts.InfraBlessing),
    }


class Converter(base_component.BaseComponent):
    """Outputs: `converted` and `blessing`, which Pusher takes in the place of Trainer's and InfraValidator's."""

    SPEC_CLASS = spec.extended(ConverterSpec, spec.SLICE)
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        config: VariantsConfig,
        task: str,
        reads: str = inputs.DEFAULT,
    ):
        super().__init__(
            self.SPEC_CLASS(
                model=model,
                examples=examples,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                slice=config.model_dump_json(),
                source_digest=fingerprint.of(
                    __name__, *PROCESSES, *modules_of(task), *judges.modules_of(task), inputs.module_of(reads)
                ),
                converted=types.Channel(type=standard_artifacts.Model),
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
