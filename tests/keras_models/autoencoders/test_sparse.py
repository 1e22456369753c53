"""Sparse autoencoders: which penalty is minimised, of what."""

import keras
import numpy as np
import pytest

from keras_models import auxiliary
from keras_models.autoencoders.sparse import sparse_autoencoder

X = np.random.default_rng(0).random((16, 4, 3, 1), dtype="float32")


def code_of(net, x=X):
    return net.get_layer("encoder")(x).numpy()


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        ("l1", lambda h: np.abs(h).sum(1).mean()),
        ("log", lambda h: np.log(1 + h**2).sum(1).mean()),
        ("kl", lambda h: (0.1 * np.log(0.1 / h.mean(0)) + 0.9 * np.log(0.9 / (1 - h.mean(0)))).sum()),
    ],
)
def test_the_penalty_of_the_code_is_minimised_by_its_weight(penalty, expected):
    net = sparse_autoencoder((4, 3, 1), 20, penalty, weight=0.3, rate=0.1)
    learner = auxiliary.learner(net)
    learner.compile("adam", net.get_layer("pixel_loss").of, run_eagerly=True)
    logs = learner.evaluate(X, X, return_dict=True, verbose=0)
    value, data = expected(code_of(net)), np.square(net(X) - X).sum((1, 2, 3)).mean()
    assert logs[penalty] == pytest.approx(value, rel=1e-4)
    assert logs["loss"] == pytest.approx(data + 0.3 * value, rel=1e-4)


@pytest.mark.parametrize(("options", "kept"), [({"k": 3}, 3), ({"rate": 0.25}, 5), ({"rate": 0.001}, 1)])
def test_k_sparse_keeps_k_and_has_no_penalty(options, kept):
    net = sparse_autoencoder((4, 3, 1), 20, "k_sparse", **options)
    assert (np.count_nonzero(code_of(net), axis=1) == kept).all()
    assert auxiliary.terms(net) == ()


@pytest.mark.parametrize("form", ["dense", "convolutional"])
@pytest.mark.parametrize(("penalty", "bounded"), [("l1", True), ("log", True), ("kl", False)])
def test_a_code_cannot_hide_from_a_penalty_of_its_size(penalty, bounded, form):
    net = sparse_autoencoder((4, 3, 1), 6, penalty, form=form)
    first = net.get_layer("decoder").get_layer("pixels" if form == "dense" else "grow")
    first.kernel.assign(5 * np.ones(first.kernel.shape))
    learner = auxiliary.learner(net)
    learner.compile(keras.optimizers.SGD(0.0), net.get_layer("pixel_loss").of, run_eagerly=True)
    learner.train_on_batch(X, X)
    norms = np.linalg.norm(first.kernel, axis=1)
    assert (norms <= 1 + 1e-5).all() if bounded else (norms > 5).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"penalty": "l2"}, "penalty must be l1 or log or kl or k_sparse; got 'l2'"),
        ({"weight": 0}, "weight must be"),
        ({"rate": 0}, "rate must be"),
        ({"rate": 1.0}, "rate must be"),
        ({"penalty": "k_sparse", "k": 21}, "k must be at most the 20 units of the code; got 21"),
    ],
)
def test_what_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        sparse_autoencoder((4, 3, 1), 20, **options)
