"""AugmentedCopies: the training split as augmentation leaves it in each of its first epochs, written once for slow operations.

An epoch then reads its copy instead of computing it, and `copies` epochs later reads it again. Copy k is what epoch k would draw.
"""

import shutil
from pathlib import Path

import apache_beam as beam
import tensorflow as tf
import tensorflow_transform as tft
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_component, base_beam_executor, executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter, ComponentSpec

from components import fingerprint, keys, spec, targets
from components.compat import tfx
from components.examples import records_of
from components.transform import moments
from components.transform.augment import steps as augment
from components.transform.stored import parsed, stored
from configs.schema.slices.copies import CopiesSlice

BATCH = 64  # images changed at once
FOLDER = "copy-{:04d}"  # below Split-copies


class Executor(base_beam_executor.BaseBeamExecutor):
    """Changes each shard of the training split once a copy, wherever Beam has a worker free."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: Transform's examples and graph. Writes: Examples in the splits train and validation, both as they were, and
        copies: a folder a copy, of shards in the order of those of train."""
        tfx.begin(self, input_dict, output_dict, exec_properties)
        config = CopiesSlice.model_validate_json(exec_properties[spec.SLICE])
        examples = artifact_utils.get_single_instance(output_dict["augmented_examples"])
        for split in (keys.TRAIN, keys.VALIDATION):
            given = artifact_utils.get_split_uri(input_dict[standard_component_specs.EXAMPLES_KEY], split)
            shutil.copytree(given, Path(examples.uri, f"Split-{split}"))
        graph = artifact_utils.get_single_uri(input_dict[standard_component_specs.TRANSFORM_GRAPH_KEY])
        shards = sorted(str(path) for path in Path(examples.uri, f"Split-{keys.TRAIN}").iterdir() if path.is_file())
        with tfx.beam_pipeline(self) as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create([(copy, shard) for copy in range(config.copies) for shard in shards])
                | "Spread" >> beam.Reshuffle()
                | "Write" >> beam.ParDo(WriteCopy(config, graph, f"{examples.uri}/Split-{keys.COPIES}"))
            )
        examples.split_names = artifact_utils.encode_split_names([keys.TRAIN, keys.VALIDATION, keys.COPIES])
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")


class WriteCopy(beam.DoFn):
    """(copy, path of a shard) -> the changed shard, under FOLDER."""

    def __init__(self, config: CopiesSlice, graph: str, folder: str):
        super().__init__()
        self._json, self._graph, self._folder = config.model_dump_json(), graph, folder

    def setup(self):
        config = CopiesSlice.model_validate_json(self._json)
        graph = tft.TFTransformOutput(self._graph)
        features = graph.transformed_feature_spec()
        kinds = {name: targets.of(name) for name in features if targets.of(name).moves}
        spec_ = {name: features[name] for name in (keys.PIXELS, *kinds, keys.EXAMPLE_ID)}
        shape = (config.transform.height, config.transform.width, config.transform.channels)
        channels = moments.read(graph, keys.CHANNEL_MOMENTS)
        covariance = channels and channels.covariance.tolist()

        def decoded(texts):
            signature = tf.TensorSpec(shape, tf.uint8)
            return tf.cast(
                tf.map_fn(lambda text: parsed(text, config.transform, shape[2]), texts, fn_output_signature=signature), tf.float32
            )

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.int64)], autograph=False)
        def change(records, copy):
            rows = tf.io.parse_example(records, spec_)
            drawn = tf.map_fn(
                lambda image_id: augment.draw(config.steps, config.seed, copy, image_id, shape),
                rows[keys.EXAMPLE_ID],
                fn_output_signature=tf.float32,
            )
            moving = {name: kind.loaded(rows[name], config.transform) for name, kind in kinds.items()}
            changed = augment.change(config.steps, decoded(rows[keys.PIXELS]), drawn, covariance, moving)
            images = stored(tf.cast(tf.round(changed.images), tf.uint8))
            return {keys.PIXELS: images, **{name: kinds[name].stored(values) for name, values in changed.targets.items()}}

        self._change = change

    def process(self, element: tuple[int, str]):
        copy, shard = element
        folder = Path(self._folder, FOLDER.format(copy))
        folder.mkdir(parents=True, exist_ok=True)
        options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
        with tf.io.TFRecordWriter(str(folder / Path(shard).name), options) as writer:
            for records in records_of([shard]).batch(BATCH):
                changed = {name: values.numpy() for name, values in self._change(records, tf.constant(copy, tf.int64)).items()}
                for record, *values in zip(records.numpy(), *changed.values(), strict=True):
                    example = tf.train.Example.FromString(record)
                    for name, value in zip(changed, values, strict=True):
                        example.features.feature[name].bytes_list.value[:] = [value]
                    writer.write(example.SerializeToString())


class AugmentedCopiesSpec(ComponentSpec):
    """Trainer takes the output in the place of Transform's examples."""

    PARAMETERS = {}
    INPUTS = {
        standard_component_specs.EXAMPLES_KEY: ChannelParameter(type=standard_artifacts.Examples),
        standard_component_specs.TRANSFORM_GRAPH_KEY: ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {"augmented_examples": ChannelParameter(type=standard_artifacts.Examples)}


class AugmentedCopies(base_beam_component.BaseBeamComponent):
    """Output: `augmented_examples`."""

    SPEC_CLASS = spec.extended(AugmentedCopiesSpec, spec.SLICE)
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(self, examples: types.BaseChannel, transform_graph: types.BaseChannel, config: CopiesSlice):
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                transform_graph=transform_graph,
                slice=config.model_dump_json(),
                source_digest=fingerprint.of(__name__),
                augmented_examples=types.Channel(type=standard_artifacts.Examples),
            )
        )
