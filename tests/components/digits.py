"""scikit-learn's digits as a run's artifacts, made by hubel's own functions without a pipeline; each kind once."""

import functools
import types
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from components import keys
from components.compat.beam import RUNNER
from components.example_gen import records
from configs.schema.run import RunConfig
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.slices.transform import TransformSlice
from tests.cheaper import eagerly
from tests.once import made_once

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
COUNTS = {keys.TRAIN: 240, keys.VALIDATION: 60, keys.TEST: 60}
MLP = {
    "name": "tiny",
    "transform": {"height": 8, "width": 8, "channels": 1, "resize": "stretch", "normalize": "per_channel"},
    "model": {"name": "mlp", "options": {"hidden": [16]}},
    "train": {"epochs": 1, "batch_size": 32},
    "export": {"top_k": 3, "warmup": 3},
}
AUTOENCODER = {
    **MLP,
    "transform": {**MLP["transform"], "normalize": "unit"},
    "model": {"name": "conv_autoencoder", "options": {"code_size": 4, "filters": [2, 4]}},
}


@functools.cache
def images() -> tuple[np.ndarray, np.ndarray]:
    """uint8 [1797, 8, 8, 1] as the data set `digits` has them, and labels."""
    digits = load_digits()
    return np.round(digits.images * (255 / 16)).astype(np.uint8)[..., None], digits.target


def rows(split: str) -> range:
    """Places of a split's images among all."""
    first = {keys.TRAIN: 0, keys.VALIDATION: 240, keys.TEST: 300}[split]
    return range(first, first + COUNTS[split])


@functools.cache
def examples(split: str) -> list[bytes]:
    """Raw serialized tf.Examples of a split."""
    import tensorflow as tf

    pixels, labels = images()
    size = {keys.IMAGE_HEIGHT: 8, keys.IMAGE_WIDTH: 8}
    return [
        records.example(tf.io.encode_png(pixels[i]).numpy(), f"digit-{i}".encode(), int(labels[i]), measures=size)
        for i in rows(split)
    ]


def trainer_slice(tree: dict, **changes) -> TrainerSlice:
    """What Trainer would get of a config; `changes` replace whole top-level keys."""
    config = RunConfig.model_validate({**tree, **changes})
    return TrainerSlice(**{name: getattr(config, name) for name in TrainerSlice.model_fields})


def card(**changes):
    """The card of a model like those of MLP."""
    from components.trainer.card import Card

    known = {
        "name": "a", "architecture": "mlp", "task": "classification", "params": 1, "input_shape": (8, 8, 1), "class_names": NAMES,
        "train_images": 1, "epochs": 1, "seed": 0, "hyperparameters": {}, "calibrated": {}, "transform": MLP["transform"],
        "export": {"warmup": 0},
    }  # fmt: skip
    return Card.model_validate({**known, **changes})


def principal_autoencoder(code_size: int = 16):
    """A good autoencoder that no training is needed for: the principal components of the training split, and its card."""
    import keras
    from keras import layers

    from components.tasks.reconstruction import pca
    from keras_models.normalize import with_normalization

    principal = pca.fit([images()[0][list(rows(keys.TRAIN))] / 255], code_size)
    image, code = keras.Input((8, 8, 1), name="image"), keras.Input((code_size,), name="code_in")
    down, up = layers.Dense(code_size, name="code"), layers.Dense(64, name="pixels")
    encoder = keras.Model(image, down(layers.Flatten()(image)), name="encoder")
    decoder = keras.Model(code, layers.ReLU(max_value=1.0)(layers.Reshape((8, 8, 1))(up(code))), name="decoder")
    down.set_weights([principal.components.T, -principal.mean @ principal.components.T])
    up.set_weights([principal.components, principal.mean])
    model = with_normalization(keras.Model(image, decoder(encoder(image))), "unit")
    return model, card(architecture="pca", task="reconstruction", transform=AUTOENCODER["transform"])


def write_examples(folder: Path) -> Path:
    """The Examples artifact: Split-NAME/*.gz."""
    import tensorflow as tf

    for split in COUNTS:
        place = folder / f"Split-{split}"
        place.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(place / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
            for record in examples(split):
                writer.write(record)
    return folder


def write_schema(path: Path, names: list[str] = NAMES) -> Path:
    """The Schema as SchemaGen infers it, classes named."""
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    from components import targets
    from components.schema_gen.names import describe_changes

    schema = schema_pb2.Schema()
    kinds = {keys.IMAGE_ENCODED: schema_pb2.BYTES, keys.EXAMPLE_ID: schema_pb2.BYTES}
    kinds |= dict.fromkeys([keys.LABEL, keys.IMAGE_HEIGHT, keys.IMAGE_WIDTH], schema_pb2.INT)
    for name, kind in kinds.items():
        feature = schema.feature.add(name=name, type=kind, presence=schema_pb2.FeaturePresence(min_fraction=1, min_count=1))
        feature.shape.dim.add(size=1)
    targets.of(keys.LABEL).describe(schema, names)
    describe_changes(schema, {"turned": 3})
    path.write_text(text_format.MessageToString(schema))
    return path


def write_transform(
    folder: Path, schema: Path, tree: dict, targets: list[str], materialize: Path | None = None, covariance: bool = False
) -> Path:
    """The TransformGraph that preprocessing_fn gives over the training split, by TFT's own Beam implementation."""
    import apache_beam as beam
    import tensorflow as tf
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata
    from tfx.utils import io_utils
    from tfx_bsl.tfxio import tf_example_record

    from components.transform.preprocessing import preprocessing_fn

    described = io_utils.SchemaReader().read(str(schema))
    custom = {"slice": TransformSlice(transform=tree["transform"], targets=targets, covariance=covariance).model_dump_json()}
    source = tf_example_record.TFExampleBeamRecord(physical_format="inmem", telemetry_descriptors=["test"], schema=described)
    metadata = dataset_metadata.DatasetMetadata(described)
    with beam.Pipeline(RUNNER) as pipeline, tft_beam.Context(temp_dir=str(folder / "tmp")):
        inputs = pipeline | "Train" >> beam.Create(examples(keys.TRAIN)) | "Decode" >> source.BeamSource()
        analyzed = (inputs, source.TensorAdapterConfig()) | tft_beam.AnalyzeDataset(
            functools.partial(preprocessing_fn, custom_config=custom)
        )
        _ = analyzed | tft_beam.WriteTransformFn(str(folder))
        _ = metadata | tft_beam.WriteMetadata(str(folder / tft.TFTransformOutput.RAW_METADATA_DIR), pipeline)
    if materialize is not None:
        layer = tft.TFTransformOutput(str(folder)).transform_features_layer()
        spec = tft.TFTransformOutput(str(folder)).raw_feature_spec()
        for split in COUNTS:
            (materialize / f"Split-{split}").mkdir(parents=True)
            coder = tft.coders.ExampleProtoCoder(tft.TFTransformOutput(str(folder)).transformed_metadata.schema)
            made = layer(tf.io.parse_example(examples(split), spec))
            with tf.io.TFRecordWriter(str(materialize / f"Split-{split}" / "transformed-0.gz"), "GZIP") as writer:
                for index in range(COUNTS[split]):
                    writer.write(coder.encode({name: value[index].numpy() for name, value in made.items()}))
    return folder


def artifacts(factory) -> types.SimpleNamespace:
    """All of the above in one folder of pytest's tmp_path_factory, once whoever asks."""
    folder = made_once(factory, "artifacts", _write_artifacts)
    return types.SimpleNamespace(
        **{name: folder / name for name in ("examples", "transformed", "transform")}, schema=folder / "schema.pbtxt"
    )


def _write_artifacts(folder: Path) -> None:
    schema = write_schema(folder / "schema.pbtxt")
    write_examples(folder / "examples")
    targets = [keys.LABEL, keys.IMAGE_HEIGHT, keys.IMAGE_WIDTH]
    write_transform(folder / "transform", schema, MLP, targets, folder / "transformed")


def trained(factory, name: str, tree: dict, materialized: bool) -> Path:
    """Folder of a Model artifact, not to be changed, that Trainer made of those artifacts; once whoever asks, in graphs."""
    from components.trainer.component import run_fn

    of = artifacts(factory)
    examples_at = of.transformed if materialized else of.examples

    def train(folder: Path) -> None:
        with eagerly(False):
            run_fn(fn_args(folder, examples_at, of.transform, of.schema, trainer_slice(tree), materialized))

    return made_once(factory, name, train) / "model"


def fn_args(run: Path, examples_at: Path, transform: Path, schema: Path, config: TrainerSlice, materialized=False, **custom):
    """What TFX hands to run_fn and tuner_fn, as far as they read it."""
    return types.SimpleNamespace(
        train_files=[str(examples_at / f"Split-{keys.TRAIN}" / "*")],
        eval_files=[str(examples_at / f"Split-{keys.VALIDATION}" / "*")],
        transform_graph_path=str(transform),
        schema_path=str(schema),
        hyperparameters=None,
        base_model=None,
        serving_model_dir=str(run / "model" / "Format-Serving"),
        model_run_dir=str(run / "model_run"),
        custom_config={
            "slice": config.model_dump_json(),
            "materialized": materialized,
            "training_dir": str(run / "training"),
            "source": "test",
            **custom,
        },
    )
