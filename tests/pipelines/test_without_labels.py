"""Data of which no label is known, or few: anomalies, bare images, self-taught learning."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tfx.utils import io_utils

import keras_models
from components import keys, targets
from components.schema_gen.names import class_names
from components.tasks.by_name import task_of
from components.trainer import artifact
from components.trainer.data import open_data
from configs import load
from configs.schema.slices.trainer import TrainerSlice
from keras_models import transfer
from pipelines.orchestration import execute
from pipelines.workspace import runs
from tests.cheaper import no_page
from tests.components import digits, stages
from tests.pipelines.whole_way import NO_WARMUP, goes_the_whole_way, is_blessed

UNLABELLED, LABELLED_IN_PART = "digits_vae", "digits_autoencoder"  # they go the whole way here alone


# As components/tasks/test_anomaly.py has it stage by stage, and docs/test_anomalies_page.py from a folder to answers.
@pytest.mark.every
def test_anomalies_are_found_by_what_saw_none(place):
    is_blessed("digits_anomalies", place)


@pytest.fixture
def bare(tmp_path):
    """A folder with a folder of images in it and nothing else."""
    (tmp_path / "scans").mkdir()
    for index, image in enumerate(digits.images()[0][:600, ..., 0]):
        Image.fromarray(image).save(tmp_path / "scans" / f"{index}.png")
    return tmp_path


def test_without_labels_trainer_gets_the_images_and_that_none_has_a_label(bare, tmp_path):
    """From the folder through ExampleGen, SchemaGen and Transform, as a run does it, to what Trainer opens."""
    cfg = load.load("digits_vae.tiny", [f"data.source=folder:{bare / 'scans'}"])
    task = task_of(keras_models.get(cfg.model.name).task)
    examples = stages.examples_of(cfg.data, tmp_path)
    schema = stages.schema_of(examples, tmp_path)
    graph = stages.graph_of(examples, schema, cfg.transform, list(task.targets), tmp_path)
    files = [[f"{examples.uri}/Split-{split}/*"] for split in (keys.TRAIN, keys.VALIDATION)]
    trainer = TrainerSlice(**{name: getattr(cfg, name) for name in TrainerSlice.model_fields})
    classes = targets.classes_of(task.targets, class_names(io_utils.SchemaReader().read(str(schema))))
    data = open_data(*files, graph, classes, task.targets, False, trainer)
    task.check(data.info)
    assert data.info.class_names == []
    batches = list(data.plain.as_numpy_iterator())
    seen, labels = np.concatenate([pixels for pixels, _ in batches]), [learned[keys.LABEL] for _, learned in batches]
    assert {*np.concatenate(labels).tolist()} == {-1}
    assert data.info.train_images == len(seen) > 400
    assert {image.tobytes() for image in seen.astype(np.uint8)} <= {image.tobytes() for image in digits.images()[0][:600]}


@pytest.mark.whole  # as components/tasks and components/evaluator have it of training and judging, and verbs/ of asking
def test_images_without_labels_are_enough_also_to_generate_from(bare, place, scans):
    goes_the_whole_way(UNLABELLED, place, scans, bare, f"folder:{bare / 'scans'}", is_labelled=False)


@pytest.mark.whole
def test_of_images_that_are_labelled_in_part_those_with_labels_are_probed(bare, place, scans):
    """A table in which every other label is missing."""
    rows = (f"scans/{index}.png,{digits.images()[1][index] if index % 2 else ''}\n" for index in range(600))
    (bare / "labels.csv").write_text("file,label\n" + "".join(rows))
    figures = goes_the_whole_way(LABELLED_IN_PART, place, scans, bare, f"csv:{bare / 'labels.csv'}")
    assert figures["mse"] < figures["pca_mse"]


@pytest.mark.whole
@no_page()
def test_self_taught_learning_classifies_sparse_codes_of_other_digits(place, scans):
    keras.backend.clear_session()
    made = {}
    for config in ("digits_sparse_five_to_nine.tiny", "digits_self_taught.tiny"):
        cfg = load.load(config, [NO_WARMUP])
        with runs.recorded(place, cfg.name, "1", load.dump(cfg)) as done:
            made[config] = execute.run(config, load.written(cfg), str(place.root), "1")
            done(made[config])
        assert made[config]["blessed"], made[config]["reason"]
    bases, classifier = made.values()
    assert list(bases["classes"][keys.TRAIN]) == digits.NAMES[5:]
    assert list(classifier["classes"][keys.TRAIN]) == digits.NAMES[:5]
    encoded = tf.constant([path.read_bytes() for path in sorted(scans.iterdir())])
    codes = tf.saved_model.load(bases["model_dir"]).signatures["encode_image_bytes"](image_bytes=encoded)["codes"].numpy()
    assert 0.2 < (codes == 0).mean() < 1
    head = artifact.load(classifier["model_uri"]).get_layer("net").get_layer(transfer.HEAD)
    answer = tf.saved_model.load(classifier["model_dir"]).signatures["image_bytes"](image_bytes=encoded)
    np.testing.assert_allclose(answer["probabilities"], tf.nn.softmax(head(codes)), rtol=1e-4, atol=1e-5)
