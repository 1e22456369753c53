"""SchemaGen: TFX's, from the training split alone, with what each target knows of itself added; or the one that is pinned."""

import json
import os
from collections.abc import Mapping, Sequence

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.schema_gen import executor
from tfx.components.schema_gen.component import SchemaGen as TfxSchemaGen
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter
from tfx.utils import io_utils, json_utils

from components import fingerprint, keys, spec, targets
from components.schema_gen.names import class_names, describe_changes, forget_values
from configs.errors import HubelError

PINNED = "pinned"


class Executor(executor.Executor):
    """TFX's schema, then what it cannot infer from integers."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: statistics, Examples' class names and changes. Writes: Schema.

        Raises:
            HubelError: where the pinned schema names other classes than the data has.
        """
        path = os.path.join(
            artifact_utils.get_single_uri(output_dict[standard_component_specs.SCHEMA_KEY]), executor.DEFAULT_FILE_NAME
        )
        examples = artifact_utils.get_single_instance(input_dict[standard_component_specs.EXAMPLES_KEY])
        labels, further, changes = (
            json.loads(examples.get_string_custom_property(name) or empty)
            for name, empty in ((keys.CLASS_NAMES, "[]"), (keys.TARGETS, "{}"), (keys.CHANGES, "{}"))
        )
        names = {keys.LABEL: labels, **further}
        if exec_properties[PINNED]:
            schema = text_format.Parse(exec_properties[PINNED], schema_pb2.Schema())
            _check_names(class_names(schema), names)
            for name, of_target in further.items():
                targets.of(name).complete(schema, of_target)
            describe_changes(schema, changes)
            io_utils.write_pbtxt_file(path, schema)
            return
        super().Do(input_dict, output_dict, exec_properties)
        schema = io_utils.SchemaReader().read(path)
        forget_values(schema)
        for name, of_target in names.items():
            kind = targets.of(name)
            kind.describe(schema, of_target)
            if kind.is_label and examples.get_int_custom_property(keys.BARE):
                kind.allow_missing(schema)
        describe_changes(schema, changes)
        io_utils.write_pbtxt_file(path, schema)


class SchemaGen(TfxSchemaGen):
    """TFX's SchemaGen with Examples as one more input, and the text of a pinned Schema ("": infer one)."""

    SPEC_CLASS = type(
        "HubelSchemaGenSpec",
        (spec.extended(standard_component_specs.SchemaGenSpec, PINNED),),
        {
            "INPUTS": {
                **standard_component_specs.SchemaGenSpec.INPUTS,
                standard_component_specs.EXAMPLES_KEY: ChannelParameter(type=standard_artifacts.Examples),
            }
        },
    )
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, statistics: types.BaseChannel, examples: types.BaseChannel, pinned: str = ""):
        BaseComponent.__init__(
            self,
            self.SPEC_CLASS(
                statistics=statistics,
                examples=examples,
                infer_feature_shape=1,
                exclude_splits=json_utils.dumps([keys.VALIDATION, keys.TEST]),
                pinned=pinned,
                source_digest=fingerprint.of(__name__),
                schema=types.Channel(type=standard_artifacts.Schema),
            ),
        )


def _check_names(pinned: Mapping[str, Sequence[str]], there: Mapping[str, Sequence[str]]) -> None:
    """Labels are places in the list of names, so another list would give every image another class."""
    for target in sorted({*pinned, *there}):
        _check_order(target, list(pinned.get(target, [])), list(there.get(target, [])))


def _check_order(target: str, pinned: list[str], inferred: list[str]) -> None:
    if pinned != inferred:
        of = "" if target == keys.LABEL else f" of {target}"
        new, gone = (sorted(set(a) - set(b)) for a, b in ((inferred, pinned), (pinned, inferred)))
        what = "; ".join(f"{word} {', '.join(names)}" for word, names in (("new:", new), ("gone:", gone)) if names)
        raise HubelError(
            f"The data's classes{of} are not those of the pinned schema ({what or 'another order'}).",
            "Mend the data, or pin a schema of the new classes (data.pinned_schema).",
        )
