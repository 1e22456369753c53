"""Any autoencoder as a detector: its own task answers what it is asked with the detector's figures on the card as well."""

import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.evaluator.intervals import Figure
from keras_models import catalog
from tests.components.tasks.every_figure import without_interval
from tests.components.tasks.reconstruction.verdict import pixels_of, trained

FEW = {keys.TRAIN: 100, keys.TEST: 20}
FAMILIES = {record.task: name for name, record in reversed(catalog().items()) if record.task.startswith("reconstruction")}
OPTIONS = {"sparse_autoencoder": {"penalty": "l1"}}  # which has no target
NOISE = {"denoising_autoencoder": [{"gaussian_noise": {"stddev": 0.2}}]}
# The plain one, one that draws, and one that is asked about other images; of the others with --whole.
SHOWN = {"reconstruction", "reconstruction.variational", "reconstruction.denoising"}


def reader(known):
    """As Evaluator hands images to a task: every second one is an anomaly, where that is known."""

    def images(split):
        pixels = pixels_of(split)[: FEW[split]]
        kinds = np.arange(len(pixels)) % 2 if known else np.full(len(pixels), -1)
        targets = {keys.LABEL: np.full(len(pixels), -1), keys.ANOMALY: kinds}
        return tf.data.Dataset.from_tensor_slices((pixels, targets)).batch(50)

    return images


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if task in SHOWN else pytest.mark.whole) for task, name in FAMILIES.items()],
)
def test_every_family_s_task_answers_around_it(name, tmp_path):
    tiny = {key: value for key, value in catalog()[name].tiny.items() if key != "input_shape"}
    model = trained(name, {**tiny, **OPTIONS.get(name, {})}, {"epochs": 0}, NOISE.get(name), anomaly={})
    assert "threshold" in model.card.calibrated["anomaly"]
    saved = model.saved(tmp_path, "encode", "encode_pixels", "figures_pixels")
    inner = model.judge.compare(saved, model.card, reader(known=False))
    assert inner
    assert {comparison.metric for comparison in inner} <= set(model.judge.compared) - {"auroc"}
    [around] = model.judge.compare(saved, model.card, reader(known=True))
    assert (around.metric, around.name) == ("auroc", "pca_auroc")
    figures = model.judge.measure(saved, model.card, reader(known=True))
    assert {"pca_mse", "pca_psnr", "pca_ssim"} <= figures.keys()
    assert all(isinstance(figure, Figure) for figure in figures.values())
    placed = tf.constant([[0, 0, 8, 8]] * FEW[keys.TEST])
    judged = model.task.figures(model.model, model.card)(pixels_of(keys.TEST)[: FEW[keys.TEST]], placed)
    assert without_interval(model.judge, judged, np.arange(FEW[keys.TEST]) % 2) == []
    assert next(iter(model.task.signatures(model.model, model.card))) == "anomalies"
