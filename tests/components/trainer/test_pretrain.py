"""Greedy layer-wise pre-training: stage after stage, each its own layers, and across kills."""

import dataclasses

import keras
import pytest

from components.tasks.by_name import task_of
from components.tasks.reconstruction import task as reconstruction
from components.trainer import training
from configs.errors import HubelError, UsageError
from configs.schema.run import RunConfig
from keras_models import get, normalize
from tests.components import digits
from tests.components.trainer.test_resume import KillAfter, Killed, assert_cleared, assert_same, data_of

pytestmark = pytest.mark.usefixtures("eager")

OPTIONS = {"code_size": 4, "hidden": [12, 8]}
TRAIN = {"epochs": 2, "batch_size": 100, "early_stopping": None, "optimizer": {"learning_rate": 0.01}, "pretrain": {"epochs": 2}}
LAYERS = {"down1", "down2", "code", "up2", "up1", "pixels"}


def slice_of(train=TRAIN, name="deep_autoencoder", options=OPTIONS, **changes):
    return digits.trainer_slice(digits.AUTOENCODER, model={"name": name, "options": options}, train=train, **changes)


def weights_of(model):
    """Of each layer, by name."""
    parts = [normalize.inner(model).get_layer(part) for part in ("encoder", "decoder")]
    return {layer.name: layer.get_weights() for part in parts for layer in part.layers if layer.weights}


class KillingReconstruction(reconstruction.Task):
    """Its fit ends like a kill after an epoch."""

    def __init__(self, epoch):
        self._epoch = epoch

    def fit(self, model, data, train, first_epoch, callbacks):
        super().fit(model, data, train, first_epoch, [*callbacks, KillAfter(self._epoch)])


def trained(folder, cfg, kill=None):
    """Model, history, states, and the weights before each phase."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    data, before = data_of(), []
    model = training.build(get(cfg.model.name), data, cfg)
    phases = training.phases_of(task_of("reconstruction"), cfg, model)

    def watched(phase):
        def begin(model):
            before.append(weights_of(model))
            phase.begin(model)

        return dataclasses.replace(phase, begin=begin)

    phases = [watched(phase) for phase in phases]
    if kill is not None:
        number, epoch = kill
        phases[number] = dataclasses.replace(phases[number], task=KillingReconstruction(epoch))
    return model, *training.train_in_phases(phases, model, data, cfg, folder / "state"), before


@pytest.fixture(scope="module")
def undisturbed(eager, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return *trained(folder, slice_of()), sorted(path.name for path in folder.iterdir())


def moved(before, after):
    return {name for name in before if any((a != b).any() for a, b in zip(before[name], after[name], strict=True))}


def test_stages_train_their_own_layers_in_order_and_the_last_fit_goes_on_from_them(undisturbed):
    model, history, _, before, folders = undisturbed
    changes = [moved(earlier, later) for earlier, later in zip(before, [*before[1:], weights_of(model)], strict=True)]
    assert changes == [{"down1", "pixels"}, {"down2", "up1"}, {"code", "up2"}, LAYERS]
    assert len(history) == 2
    assert folders == ["state", "state-layer1", "state-layer2", "state-layer3"]
    assert {weight.path.split("/")[-2] for weight in model.trainable_variables} == LAYERS


def test_pre_training_lowers_the_loss_that_the_last_fit_starts_with(undisturbed, tmp_path):
    _, alone, *_ = trained_alone(tmp_path)
    assert undisturbed[1][0]["loss"] < 0.9 * alone[0]["loss"]


def trained_alone(folder):
    cfg = slice_of({**TRAIN, "pretrain": None})
    keras.utils.set_random_seed(3)
    data = data_of()
    model = training.build(get(cfg.model.name), data, cfg)
    return model, *training.train_in_phases(
        training.phases_of(task_of("reconstruction"), cfg, model), model, data, cfg, folder / "a"
    )


@pytest.mark.parametrize("kills", [pytest.param([(0, 0)], marks=pytest.mark.whole), [(1, 1), (2, 0), (3, 0)]], ids=str)
def test_a_training_killed_in_any_stage_ends_like_an_undisturbed_one(undisturbed, tmp_path, kills):
    for kill in kills:
        with pytest.raises(Killed):
            trained(tmp_path, slice_of(), kill)
    model, history, states, _ = trained(tmp_path, slice_of())
    assert_same((history, model.get_weights()), (undisturbed[1], undisturbed[0].get_weights()))
    assert_cleared(states, tmp_path)


def test_a_stage_has_its_own_rate_and_names_it_when_it_diverges(tmp_path):
    phases = phases_of({**TRAIN, "pretrain": {"epochs": 7, "learning_rate": 0.5}})
    assert [(phase.name, phase.train.epochs, phase.train.optimizer.learning_rate) for phase in phases] == [
        *((f"layer{number}", 7, 0.5) for number in (1, 2, 3)),
        ("", 2, 0.01),
    ]
    spoilt = {**TRAIN, "optimizer": {"name": "sgd"}, "pretrain": {"epochs": 1, "learning_rate": 1e38}}
    with pytest.raises(HubelError, match="diverged in epoch 1 of 1") as caught:
        trained(tmp_path, slice_of(spoilt, options={**OPTIONS, "activation": "relu"}))
    assert caught.value.hint.startswith("Lower train.pretrain.learning_rate of 1e+38")


def phases_of(train):
    cfg = slice_of(train)
    return training.phases_of(task_of("reconstruction"), cfg, training.build(get(cfg.model.name), data_of(), cfg))


def test_a_model_without_stages_refuses_the_key():
    cfg = slice_of(name="conv_autoencoder", options={"code_size": 4, "filters": [2]})
    model = training.build(get(cfg.model.name), data_of(), cfg)
    with pytest.raises(
        UsageError, match=r"^train.pretrain trains pairs of layers one after another, and conv_autoencoder has none.$"
    ):
        training.phases_of(task_of("reconstruction"), cfg, model)


def test_it_is_no_part_of_a_transfer():
    with pytest.raises(ValueError, match=r"train.pretrain and transfer both say"):
        RunConfig(name="a", transfer={"source": "b"}, train={"pretrain": {}})
