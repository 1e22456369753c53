"""What ships can be trained: the network of each config, and of each arm, is built for the images, without weights or data."""

import pytest

import keras_models
from configs import experiment as experiments
from configs import load
from keras_models import contract
from pipelines.orchestration import experiment
from pipelines.workspace.layout import Workspace


@pytest.mark.parametrize("name", load.names())
def test_the_network_can_be_built_for_the_images(name):
    cfg = load.load(name)
    shape = (cfg.transform.height, cfg.transform.width, cfg.transform.channels)
    contract.prove(keras_models.get(cfg.model.name), {"input_shape": shape}, cfg.model.options)


@pytest.mark.parametrize("name", experiments.names())
def test_the_networks_of_an_experiment_can_be_built(name, tmp_path):
    experiment.prove(experiments.load(name).arms, Workspace.at(tmp_path))


def test_every_family_has_a_config_of_data_that_ships():
    tried = {keras_models.check(load.load(name).model.name).family for name in load.names() if name.startswith("digits_")}
    families = {record.family for record in keras_models.catalog().values()}
    assert tried == families - {"ensemble"}  # made of what a person has trained
