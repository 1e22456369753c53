"""Transform: TFX's, with a bound on the images that it holds in memory at once."""

import json

from tfx import types
from tfx.components.transform import executor
from tfx.components.transform.component import Transform as TfxTransform
from tfx.dsl.components.base import executor_spec
from tfx.proto import transform_pb2

from components import fingerprint, inputs, keys
from configs.schema.slices.transform import TransformSlice

PREPROCESSING = "components.transform.preprocessing"


class Executor(executor.Executor):
    """TFX's executor, which otherwise lets Beam grow batches of images until memory runs out (tensorflow/tfx#5777)."""

    def Do(self, input_dict, output_dict, exec_properties):
        """See TFX's Transform."""
        config = json.loads(exec_properties["custom_config"])
        self._batch_size = TransformSlice.model_validate_json(config["slice"]).transform.batch_size
        super().Do(input_dict, output_dict, exec_properties)

    def _GetDesiredBatchSize(self, data_format, schema):
        return self._batch_size


class Transform(TfxTransform):
    """TFX's Transform running components.transform.preprocessing; analyzers see the training split alone."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(self, examples: types.BaseChannel, schema: types.BaseChannel, config: TransformSlice, materialize: bool):
        super().__init__(
            examples=examples,
            schema=schema,
            preprocessing_fn=f"{PREPROCESSING}.preprocessing_fn",
            splits_config=transform_pb2.SplitsConfig(analyze=[keys.TRAIN], transform=list(keys.SPLITS) if materialize else []),
            materialize=materialize,
            disable_analyzer_cache=True,
            disable_statistics=True,
            custom_config={
                "slice": config.model_dump_json(),
                "source": fingerprint.of(__name__, PREPROCESSING, inputs.module_of(config.reads)),
            },
        )
