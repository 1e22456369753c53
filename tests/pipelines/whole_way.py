"""What an autoencoder's config must do from data to answers; the tests of several files ask it, so that they run side by side."""

import json
from collections.abc import Mapping

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components import keys
from configs import load
from configs.errors import UsageError
from pipelines.orchestration import execute, settled
from pipelines.verbs import code_verbs, image_verbs
from pipelines.verbs.served import Served
from pipelines.workspace.layout import Workspace
from tests.cheaper import loaded_once, no_page
from tests.components import digits

IMAGES = 3
# No server is asked here (tests/cheaper.py), and what it would replay first is another half of what the gate computes.
NO_WARMUP = "export.warmup=0"
PROBES = {"probe_accuracy", "knn_accuracy", "kmeans_ari"}


def goes_the_whole_way(name: str, place: Workspace, scans, out, source: str | None = None, is_labelled: bool = True) -> dict:
    """The config's twin is trained on digits, blessed by its family's baseline, pushed, and answers signatures and verbs.

    Args:
        source: of data in place of the config's.
        is_labelled: whether any label is known there.

    Returns:
        The figures of Evaluator.
    """
    results, figures = _judged(name, place, source, is_labelled, served=True)
    infra = results["InfraValidator"]
    assert infra.property("blessing", "blessed") == 1, infra.property("blessing", keys.REASON)
    assert results["Pusher"].property("pushed_model", "pushed") == 1
    pushed = results["Pusher"].property("pushed_model", "pushed_destination")
    with loaded_once():
        _answers(pushed)
        _verbs_answer(pushed, scans, out)
        if "vae" in name:
            _generates(pushed, name == "digits_conditional_vae", out)
    return figures


def is_blessed(name: str, place: Workspace) -> None:
    """As above, up to Evaluator's blessing: for a config whose signatures are those of another one that goes the whole way."""
    _judged(name, place, None, True, served=False)


def _judged(name: str, place: Workspace, source: str | None, is_labelled: bool, served: bool) -> tuple[Mapping, dict]:
    keras.backend.clear_session()
    cfg = load.load(f"{name}.tiny", [NO_WARMUP, *([f"data.source={source}"] if source else [])])
    data = "" if source is None else "_labelled_in_part" if is_labelled else "_without_labels"
    with no_page():
        results = execute.launched(settled.settle(cfg.model_copy(update={"name": f"autoencoder{data}"}), place), served)
    verdict = results["Evaluator"]
    assert verdict.property("blessing", "blessed") == 1, verdict.property("blessing", keys.REASON)
    assert " against " in verdict.property("evaluation", keys.COMPARISON)
    figures = json.loads(verdict.property("evaluation", keys.METRICS))
    assert all(map(np.isfinite, figures.values()))
    intervals = json.loads(verdict.property("evaluation", keys.INTERVALS))
    assert intervals.keys() == figures.keys() - {"example_count"}, "every figure has one, but the number of images"
    if load.load(name).anomaly is None:
        assert {"mse", "psnr", "ssim", "pca_mse"} <= figures.keys()
        assert figures.keys() & PROBES == (PROBES if is_labelled else set())
    return results, figures


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
