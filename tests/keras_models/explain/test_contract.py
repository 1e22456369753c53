"""Every method and every network of the registry: an answer, or one clear sentence."""

import numpy as np
import pytest

from configs import by_name
from configs.errors import UsageError
from keras_models import explain, get, normalize, twin
from keras_models.explain import activation_maximisation, saliency, sanity
from keras_models.explain.base import Asked, Unsuited, method, names
from keras_models.explain.network import Network, Target
from tests.keras_models.explain.nets import images
from tests.keras_models.structures import TESTED

SEEN = [name for name in TESTED if get(name).reads == "image"]
SHOWN = ("lenet5", "mlp", "zfnet", "ensemble", "conv_autoencoder")  # to each of these all methods are shown; to all others by hand


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """What more steps, squares and copies only repeat."""
    monkeypatch.setattr(activation_maximisation, "DEFAULT", activation_maximisation.Regularisation(steps=2))
    for module, name, value in ((sanity, "SQUARES", 2), (sanity, "CHANGES", 1), (sanity, "STAGES", 1)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(method("smoothgrad"), "COPIES", 2)
    monkeypatch.setattr(method("integrated_gradients"), "STEPS", 2)
    monkeypatch.setattr(method("occlusion"), "PARTS", 2)


@pytest.mark.parametrize("name", SEEN)
def test_each_network_is_taken_apart_and_its_answer_passed_back_to_the_image(name):
    model = normalize.with_normalization(twin(name), "unit")
    network, x = Network(model), images(model.input_shape[1:], 1)
    values = network.run(x)
    np.testing.assert_allclose(values[network.output], model(x, training=False), 1e-4, 1e-5)
    assert list(values) == list(network.parts)
    if network.is_classifier:
        assert np.isfinite(saliency.attribute(network, x, Target(network.output, np.array([0])))).all()
    else:
        with pytest.raises(Unsuited, match=r"Name a unit|decides nothing"):
            saliency.show(network, Asked(images=x))


@pytest.mark.parametrize("name", [name if name in SHOWN else pytest.param(name, marks=pytest.mark.every) for name in SEEN])
def test_each_network_is_answered_by_each_method_or_told_why_not(name):
    model = normalize.with_normalization(twin(name), "unit")
    network, x = Network(model), images(model.input_shape[1:], 1)
    weights, refused = model.get_weights(), []
    for called in names():
        answer = asked(called, network, x)
        if isinstance(answer, UsageError):
            assert answer.message.endswith("."), called
            assert answer.hint, called
            refused.append(called)
            continue
        tiles = [tile for strip in answer.strips for tile in strip.tiles]
        assert tiles, called
        assert all(tile.values.ndim == 4 and np.isfinite(tile.values).all() for tile in tiles), called
        assert len({tuple(row) for row in answer.figures if called != "equivariance"}) <= 1, called
    assert all(np.array_equal(old, new) for old, new in zip(weights, model.get_weights(), strict=True))
    assert "feature_maps" not in refused
    if network.is_classifier:
        assert {"occlusion", "equivariance"}.isdisjoint(refused)


def asked(called, network, x):
    try:
        return method(called).show(network, Asked(images=x, many=x))
    except UsageError as error:
        return error


def test_a_method_is_a_file_with_what_a_person_is_told():
    assert names() == sorted(by_name.names(explain.__path__, {"show"}), key=lambda name: (method(name).ORDER, name))
    for name in names():
        module = method(name)
        assert module.TITLE
        assert module.TELLS.endswith(".")
        assert module.HIDES.endswith(".")
        assert module.PAPER
        assert module.NEEDS <= {explain.base.IMAGES, explain.base.MANY}


def test_an_unknown_method_lists_the_right_ones():
    with pytest.raises(UsageError) as caught:
        method("grad_can")
    assert "did you mean 'grad_cam'" in caught.value.message
    assert "deconvnet" in caught.value.hint
    assert method("grad-cam") is method("grad_cam")
