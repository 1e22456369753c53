"""Data of which no label is known, or few: anomalies, bare images, self-taught learning."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components import keys
from components.trainer import artifact
from configs import load
from keras_models import transfer
from pipelines.orchestration import execute
from pipelines.workspace import runs
from tests.components import digits
from tests.pipelines.whole_way import PROBES, goes_the_whole_way


def test_anomalies_are_found_by_what_saw_none(place, scans, tmp_path):
    goes_the_whole_way("digits_anomalies", place, scans, tmp_path)


@pytest.mark.parametrize("labelled", [False, pytest.param(True, marks=pytest.mark.whole)], ids=["unlabelled", "labelled_in_part"])
def test_images_without_labels_are_enough(labelled, place, tmp_path):
    """A folder of images and nothing else; a table in which every other label is missing."""
    images, labels = (column[:600] for column in digits.images())
    (tmp_path / "scans").mkdir()
    for index, image in enumerate(images[..., 0]):
        Image.fromarray(image).save(tmp_path / "scans" / f"{index}.png")
    rows = (f"scans/{index}.png,{label if index % 2 else ''}\n" for index, label in enumerate(labels))
    (tmp_path / "labels.csv").write_text("file,label\n" + "".join(rows))
    source = f"csv:{tmp_path / 'labels.csv'}" if labelled else f"folder:{tmp_path / 'scans'}"
    cfg = load.load("digits_autoencoder.tiny", [f"data.source={source}"]).model_copy(update={"name": "without_labels"})
    results = execute.launched(cfg, place, served=not labelled)
    assert results["Evaluator"].property("blessing", "blessed") == 1, results["Evaluator"].property("blessing", keys.REASON)
    assert labelled or results["Pusher"].property("pushed_model", "pushed") == 1
    figures = json.loads(results["Evaluator"].property("evaluation", keys.METRICS))
    assert figures["mse"] < figures["pca_mse"]
    assert figures.keys() & PROBES == (PROBES if labelled else set())


@pytest.mark.whole
def test_self_taught_learning_classifies_sparse_codes_of_other_digits(place, scans):
    keras.backend.clear_session()
    made = {}
    for config in ("digits_sparse_five_to_nine.tiny", "digits_self_taught.tiny"):
        with runs.recorded(place, load.load(config), "1") as done:
            made[config] = execute.run(config, [], str(place.root), "1")
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
