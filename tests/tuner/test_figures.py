"""What an epoch has is known before one is trained: held against an epoch."""

import keras
import numpy as np
import pytest

from components.tasks.by_name import task_of
from components.trainer import training
from components.trainer.resume import Resume
from configs.errors import UsageError
from configs.schema.tune import TuneConfig
from keras_models import get
from tests.components import digits
from tests.components.trainer.test_resume import data_of
from tuner import figures
from tuner.trial import Training

pytestmark = pytest.mark.usefixtures("eager")

ONE = {"epochs": 1, "batch_size": 120, "early_stopping": None}
NOISE = [{"gaussian_noise": {"stddev": 0.2}}]
SMALL = {"code_size": 2, "hidden": [8]}


def autoencoder(name, options, **changes):
    return {**digits.AUTOENCODER, "model": {"name": name, "options": options}, "train": ONE, **changes}


TREES = {
    "classification": {**digits.MLP, "train": ONE},
    "reconstruction": {**digits.AUTOENCODER, "train": ONE},
    "pre-training": autoencoder("deep_autoencoder", SMALL, train={**ONE, "pretrain": {"epochs": 1}}),
    "variational": autoencoder("vae", {**SMALL, "beta": 3.0}),
    "conditional": autoencoder("vae", {**SMALL, "conditional": True}),
    "contractive": autoencoder("contractive_autoencoder", {}),
    "denoising": autoencoder("denoising_autoencoder", {"code_size": 4}, augment=NOISE),
    "sparse": autoencoder("sparse_autoencoder", {}),
    "principal components": autoencoder("pca", {"code_size": 2}),
    "anomalies": {**digits.AUTOENCODER, "train": ONE, "anomaly": {}},
}


# Of a figure more or less than reconstruction and variational have.
WHOLE = {"pre-training", "conditional", "contractive", "sparse", "principal components"}


@pytest.fixture(scope="module")
def epoch(artifacts, tmp_path_factory):
    """Figures of the validation split after an epoch of a config, and what a search could be for."""

    def trained(tree):
        place, cfg = tmp_path_factory.mktemp("figures"), digits.trainer_slice(tree)
        args = digits.fn_args(place, artifacts.transformed, artifacts.transform, artifacts.schema, cfg, True)
        outcome = Training(args, cfg, TuneConfig(algorithm="random")).run({}, 1, place / "state")
        assert outcome.status == "completed", outcome.reason
        with pytest.raises(UsageError) as refused:
            figures.objectives({}, cfg, TuneConfig(objective="val_none"))
        names = refused.value.hint.removeprefix("Figures that there are: ").removesuffix(".").split(", ")
        return {name: value for name, value in outcome.curve[-1].items() if name.startswith("val_")}, names

    return trained


@pytest.mark.parametrize(
    "tree", [pytest.param(tree, id=name, marks=pytest.mark.whole if name in WHOLE else ()) for name, tree in TREES.items()]
)
def test_the_figures_are_those_of_an_epoch(epoch, tree):
    reached, names = epoch(tree)
    assert sorted(reached) == names


def test_the_bound_counts_the_divergence_once_whatever_its_weight_is(epoch):
    reached, _ = epoch(TREES["variational"])
    assert reached["val_elbo"] == -(reached["val_data_loss"] + reached["val_kl"])
    assert reached["val_loss"] == pytest.approx(reached["val_data_loss"] + 3 * reached["val_kl"], rel=1e-5)


@pytest.mark.parametrize("name", ["conv_autoencoder", "deep_autoencoder"])
def test_the_squared_error_is_that_of_the_images(tmp_path, name):
    keras.utils.set_random_seed(1)
    options = {} if name == "deep_autoencoder" else digits.AUTOENCODER["model"]["options"]
    cfg, data = digits.trainer_slice(autoencoder(name, options)), data_of()
    model = training.build(get(name), data, cfg)
    [reached] = training.train(task_of("reconstruction"), model, data, cfg, Resume(tmp_path, None))
    pixels = np.concatenate([batch for batch, _ in data.validation.as_numpy_iterator()])
    assert reached["val_mse"] == pytest.approx(np.mean((model.predict(pixels, verbose=0) - pixels / 255) ** 2), rel=1e-4)


@pytest.mark.parametrize(
    ("tree", "directions"),
    [
        ("classification", {"val_accuracy": "max", "val_loss": "min"}),
        ("variational", {"val_elbo": "max", "val_mse": "min", "val_loss": "min"}),
        ("anomalies", {"val_mse": "min"}),
    ],
)
def test_directions_are_the_task_s(tree, directions):
    cfg = digits.trainer_slice(TREES[tree])
    for name, direction in directions.items():
        [objective] = figures.objectives({}, cfg, TuneConfig(objective=name))
        assert (objective.name, objective.direction) == (name, direction)


def test_an_ensemble_has_nothing_to_search_for():
    cfg = digits.trainer_slice(
        {
            **digits.MLP,
            "model": {"name": "ensemble", "members": ["a/1", "b/1"]},
            "transform": {**digits.MLP["transform"], "normalize": "none"},
        }
    )
    with pytest.raises(UsageError, match="nothing to search"):
        figures.objectives({}, cfg, TuneConfig())
