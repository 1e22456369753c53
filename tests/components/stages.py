"""From a config's data to what Trainer opens: ExampleGen, SchemaGen and Transform run for real, without a pipeline around them."""

import functools
from pathlib import Path

from tfx.types import standard_artifacts

from components import inputs, keys
from components.example_gen import component, sources
from components.transform.preprocessing import preprocessing_fn
from configs.schema.data import DataConfig
from configs.schema.slices.transform import TransformSlice
from configs.schema.transform import TransformConfig
from tests.components.digits import RUNNER


def examples_of(data: DataConfig, folder: Path, **asked):
    """The Examples artifact, as ExampleGen's executor makes it. asked: what the component is told of the task."""
    examples = standard_artifacts.Examples()
    examples.uri = str(folder / "examples")
    made = component.ImageExampleGen(data, sources.locate(data, folder / "datasets", asked.get("reads", inputs.DEFAULT)), **asked)
    properties = {name: value for name, value in made.exec_properties.items() if value is not None}
    component.Executor().Do({}, {"examples": [examples]}, properties)
    return examples


def schema_of(examples, folder: Path) -> Path:
    """The file of the Schema that SchemaGen's executor makes of the training split's statistics."""
    import tensorflow_data_validation as tfdv
    from tfx.types import Channel
    from tfx.utils import io_utils

    from components.schema_gen.component import Executor
    from components.statistics_gen.component import StatisticsGen

    statistics, schema = standard_artifacts.ExampleStatistics(), standard_artifacts.Schema()
    statistics.uri, statistics.split_names = str(folder / "statistics"), f'["{keys.TRAIN}"]'
    schema.uri = str(folder / "schema")
    told = StatisticsGen(Channel(type=standard_artifacts.Examples)).exec_properties["stats_options_json"]
    files = f"{examples.uri}/Split-{keys.TRAIN}/*"
    computed = tfdv.generate_statistics_from_tfrecord(files, stats_options=tfdv.StatsOptions.from_json(told))
    io_utils.write_bytes_file(f"{statistics.uri}/Split-{keys.TRAIN}/FeatureStats.pb", computed.SerializeToString())
    asked = {"infer_feature_shape": 1, "exclude_splits": "[]", "pinned": ""}
    Executor().Do({"statistics": [statistics], "examples": [examples]}, {"schema": [schema]}, asked)
    return folder / "schema" / "schema.pbtxt"


def graph_of(examples, schema: Path, transform: TransformConfig, targets: list[str], folder: Path):
    """TFTransformOutput of the training split, by TFT's own Beam implementation."""
    import apache_beam as beam
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata
    from tfx.utils import io_utils
    from tfx_bsl.tfxio import tf_example_record

    described = io_utils.SchemaReader().read(str(schema))
    custom = {"slice": TransformSlice(transform=transform, targets=targets).model_dump_json()}
    files = f"{examples.uri}/Split-{keys.TRAIN}/*"
    source = tf_example_record.TFExampleRecord(files, schema=described, telemetry_descriptors=["test"])
    metadata = dataset_metadata.DatasetMetadata(described)
    with beam.Pipeline(RUNNER) as pipeline, tft_beam.Context(temp_dir=str(folder / "tmp")):
        read = pipeline | "Read" >> source.BeamSource()
        analyzed = (read, source.TensorAdapterConfig()) | tft_beam.AnalyzeDataset(
            functools.partial(preprocessing_fn, custom_config=custom)
        )
        _ = analyzed | tft_beam.WriteTransformFn(str(folder / "graph"))
        _ = metadata | tft_beam.WriteMetadata(str(folder / "graph" / tft.TFTransformOutput.RAW_METADATA_DIR), pipeline)
    return tft.TFTransformOutput(str(folder / "graph"))
