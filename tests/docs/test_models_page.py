"""docs/models.md says what networks reach and take, and its example works."""

import inspect

import pytest

from configs import load
from keras_models import build, catalog, contract, get
from keras_models.parameters import total_params, without_weights
from keras_models.record import CLASSIFICATION
from tests.docs.pages import ROOT, Place

PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8")
SHIPPED, OPTIONS = PAGE.partition("## Options")[::2]
TRICKS = {
    "activation": {"alexnet", "densenet", "googlenet", "lenet", "mlp", "resnet", "spatial_transformer", "vgg", "zfnet"},
    "pooling": {"alexnet", "googlenet", "lenet", "vgg", "zfnet"},
    "batch_norm": {"alexnet", "densenet", "googlenet", "lenet", "mlp", "resnet", "spatial_transformer", "vgg", "zfnet"},
    "dropout": {"alexnet", "densenet", "googlenet", "lenet", "mlp", "spatial_transformer", "vgg", "zfnet"},
    "lrn": {"alexnet", "googlenet", "vgg", "zfnet"},
}


def learned():
    """Names of the networks that are learned as a whole, by family."""
    by_family = {}
    for record in catalog().values():
        if record.task == CLASSIFICATION and record.family != "hand_made":
            by_family.setdefault(record.family, []).append(record.name)
    return by_family


def params_there(cfg) -> int:
    """Of a config's network, for the ten digits."""
    shape = (cfg.transform.height, cfg.transform.width, cfg.transform.channels)
    with without_weights():
        return total_params(build(cfg.model.name, {"input_shape": shape, "num_classes": 10}, cfg.model.options))


def test_every_config_has_a_figure_and_every_figure_a_config():
    head, *rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in SHIPPED.splitlines() if line.startswith("| ")]
    assert head[3:] == ["config", "accuracy", "parameters there"]
    assert len(rows) == 11
    for _, _, _, config, accuracy, params in rows:
        assert bool(config) == bool(accuracy) == bool(params)
        if config:
            assert 0.9 < float(accuracy) <= 1
            assert f"{params_there(load.load(config)):,}" == params
            assert accuracy in load.header(load.find(config))


@pytest.mark.parametrize("option", TRICKS)
def test_an_option_is_every_network_s_of_the_families_that_have_it(option):
    names = {name for family, names in learned().items() if family in TRICKS[option] for name in names} - {"lenet5_1998"}
    having = {name for names in learned().values() for name in names if option in inspect.signature(get(name).build).parameters}
    assert having == names
    assert f"| `{option}` |" in OPTIONS


def test_a_spatial_transformer_in_front_of_a_network(tmp_path, monkeypatch):
    place = Place(tmp_path, monkeypatch)
    place.put("my_readers.py", page="docs/models.md")
    try:
        entry = get("my_readers:turned")
        contract.prove(entry, {"input_shape": (28, 28, 1)}, {"transform": "projective", "side": 16})
        assert entry.build((28, 28, 1), 3).output_shape == (None, 3)
    finally:
        place.leave()
