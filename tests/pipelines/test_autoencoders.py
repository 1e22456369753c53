"""Every autoencoder that ships goes the whole way: trained on digits, blessed by its family's baseline, pushed, and answering."""

import functools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_models
from components import keys
from components.trainer import artifact
from configs import load
from configs.errors import UsageError
from keras_models import transfer
from keras_models.registry import RECONSTRUCTION
from pipelines import code_verbs, execute, image_verbs, runs
from pipelines.served import Served
from pipelines.workspace import Workspace
from tests.components import digits

FAMILIES = [name for name, facts in keras_models.catalog().items() if facts.task.split(".")[0] == RECONSTRUCTION]
CONFIGS = [*(f"digits_{name}" for name in FAMILIES), "digits_anomalies", "digits_conditional_vae"]
IMAGES = 3
PROBES = {"probe_accuracy", "knn_accuracy", "kmeans_ari"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One workspace for all. Their runs are of one pipeline, so data is prepared once."""
    return Workspace.at(str(tmp_path_factory.mktemp("autoencoders")))


@pytest.fixture(scope="module", autouse=True)
def loaded_once():
    """What is pushed is asked by signatures and by verbs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Served, "load", functools.lru_cache(maxsize=1)(Served.load))
        yield


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_blessed_and_pushed_and_answers(name, place, scans, tmp_path):
    keras.backend.clear_session()
    results = execute.launched(load.load(f"{name}.tiny").model_copy(update={"name": "autoencoder"}), place)
    for gate in ("Evaluator", "InfraValidator"):
        assert results[gate].property("blessing", "blessed") == 1, results[gate].property("blessing", keys.REASON)
    assert " against " in results["Evaluator"].property("evaluation", keys.COMPARISON)
    figures = json.loads(results["Evaluator"].property("evaluation", keys.METRICS))
    assert all(map(np.isfinite, figures.values()))
    if load.load(name).anomaly is None:
        assert {"mse", "psnr", "ssim", "pca_mse"} | PROBES <= figures.keys()
    assert results["Pusher"].property("pushed_model", "pushed") == 1
    pushed = results["Pusher"].property("pushed_model", "pushed_destination")
    _answers(pushed)
    _verbs_answer(pushed, scans, tmp_path)
    if "vae" in name:
        _generates(pushed, name == "digits_conditional_vae", tmp_path)


def test_one_that_has_learned_nothing_is_neither_blessed_nor_pushed_and_the_baseline_is_named(place):
    cfg = load.load("digits_conv_autoencoder.tiny", ["train.epochs=0"]).model_copy(update={"name": "autoencoder"})
    before = sorted(place.models.rglob("*"))
    results = execute.launched(cfg, place)
    verdict = results["Evaluator"]
    assert verdict.property("blessing", "blessed", 0) == 0
    assert results["Pusher"].property("pushed_model", "pushed") == 0
    assert sorted(place.models.rglob("*")) == before
    assert "PCA with the same code size of 8" in verdict.property("blessing", keys.REASON)


@pytest.mark.parametrize("labelled", [False, True], ids=["unlabelled", "labelled_in_part"])
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


def _answers(pushed: str) -> None:
    """The pushed folder gives real images their codes, and codes their images; InfraValidator has asked for everything."""
    served = Served.load(pushed).signatures
    features = [tf.train.Example.FromString(record).features.feature for record in digits.examples(keys.TEST)[:IMAGES]]
    encoded = tf.constant([feature[keys.IMAGE_ENCODED].bytes_list.value[0] for feature in features])
    codes = served["encode_image_bytes"](image_bytes=encoded)["codes"]
    decoded = served["decode"](z=codes)["images"]
    assert len(codes) == len(decoded) == IMAGES
    np.testing.assert_allclose(decoded, served["reconstruct_image_bytes"](image_bytes=encoded)["images"], rtol=1e-4, atol=1e-3)


def _verbs_answer(pushed: str, scans, out) -> None:
    """What every family can do, and what only some can: the others say so."""
    files = [str(path) for path in sorted(scans.iterdir())[:IMAGES]]
    served = Served.load(pushed)

    def remade(verb, *further):
        value = image_verbs.remake(verb, pushed, files, str(out / verb), False, False, *further)
        return np.array([_pixels(row["written"]) for row in value["images"]])

    given, whole = np.array([_pixels(file) for file in files]), remade("reconstruct")
    codes = code_verbs.encode(pushed, files, str(out / "codes"), False, "npy")["codes"]
    decoded = code_verbs.decode(pushed, codes, str(out / "decoded"), False, False)["images"]
    np.testing.assert_allclose([_pixels(row["written"]) for row in decoded], whole, atol=1)

    missing = np.zeros((8, 8), bool)
    missing[2:5, 2:6] = True
    Image.fromarray(np.uint8(255 * missing)).save(out / "mask.png")
    filled = remade("inpaint", str(out / "mask.png"))
    np.testing.assert_array_equal(filled[:, ~missing], given[:, ~missing])
    assert (filled[:, missing] != given[:, missing]).any()

    scored = image_verbs.anomalies(pushed, files, None, False, False, None)
    assert np.isfinite([row["anomaly_score"] for row in scored["images"]]).all()
    assert {type(row["is_anomaly"]) for row in scored["images"]} == {bool if scored["calibrated"] else type(None)}
    assert scored["calibrated"] == ("anomalies_image_bytes" in served.signatures)

    if served.card.architecture == "denoising_autoencoder":
        np.testing.assert_array_equal(remade("denoise"), whole)
    else:
        with pytest.raises(UsageError, match="to denoise takes a denoising autoencoder"):
            remade("denoise")
    if "vae" not in served.card.architecture:
        with pytest.raises(UsageError, match="to generate takes a variational autoencoder"):
            code_verbs.generate(pushed, 2, 0, None, str(out / "generated"), False, False)


def _generates(pushed: str, told: bool, out) -> None:
    def made(name, seed=0, label=None):
        rows = code_verbs.generate(pushed, 2, seed, label, str(out / name), False, False)["images"]
        return np.array([_pixels(row["written"]) for row in rows])

    plain = made("plain")
    assert (made("other", seed=1) != plain).any()
    if told:
        assert (made("three", label="three") != plain).any()
        with pytest.raises(UsageError, match="knows no such class"):
            made("eleven", label="eleven")
    else:
        with pytest.raises(UsageError, match="was not trained with labels"):
            made("three", label="three")


def _pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(np.float32)
