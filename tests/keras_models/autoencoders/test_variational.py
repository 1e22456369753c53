"""Variational autoencoders: what is minimised is the negative ELBO, told the label or not."""

import keras
import numpy as np
import pytest
from scipy.special import expit

from keras_models import auxiliary, normalize
from keras_models.autoencoders.variational import conv_vae, vae

SHAPE = (3, 2, 1)
X = np.random.default_rng(0).random((4, *SHAPE)).astype("float32")
BUILDERS = pytest.mark.parametrize("build", [vae, conv_vae])


def small(build=vae, **options):
    keras.utils.set_random_seed(1)
    size = {"hidden": (5,)} if build is vae else {"filters": (2, 3)}
    return build(SHAPE, **{"code_size": 2, **size, **options})


def fitted(net, x=X, epochs=1, rate=0.0, **fit):
    """History of a learner; a rate of 0 learns nothing."""
    learner = auxiliary.learner(net)
    learner.compile(keras.optimizers.SGD(rate), net.get_layer("pixel_loss").of, run_eagerly=True)
    return learner.fit(x, X, batch_size=4, epochs=epochs, verbose=0, callbacks=[auxiliary.WarmUp()], **fit).history


@BUILDERS
@pytest.mark.parametrize("classes", [0, 3])
def test_parts(build, classes, tmp_path):
    net = small(build, num_classes=classes or None, conditional=bool(classes))
    encoder, decoder = net.get_layer("encoder"), net.get_layer("decoder")
    assert (encoder.output_shape, decoder.input_shape, net.output_shape) == ((None, 2), (None, 2), (None, *SHAPE))
    posterior = encoder.get_layer("posterior")
    assert posterior.output_shape == (None, 4)
    np.testing.assert_array_equal(encoder(X), posterior(X)[:, :2])
    np.testing.assert_array_equal(net(X), decoder(encoder(X)))
    assert (np.asarray(encoder(X, training=True)) != np.asarray(encoder(X))).all()
    net.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(again(X), net(X))
    names = [layer.name for layer in again.get_layer("decoder").layers if layer.name == "conditional_decoder"]
    assert names == ["conditional_decoder"] * bool(classes)


def test_burda_s_network_has_its_layers():
    net = vae(code_size=50, hidden=(200, 200))
    posterior, decoder = net.get_layer("encoder").get_layer("posterior"), net.get_layer("decoder")
    assert [layer.units for layer in posterior.layers if hasattr(layer, "units")] == [200, 200, 100]
    assert [layer.units for layer in decoder.layers if hasattr(layer, "units")] == [200, 200, 784]


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_loss_is_the_negative_elbo(likelihood):
    """The decoder is a sigmoid of a matrix here, so that NumPy can draw as often as it wants."""
    net = small(hidden=(), likelihood=likelihood)
    mean, log_variance = np.split(net.get_layer("encoder").get_layer("posterior")(X).numpy().astype(np.float64), 2, axis=1)
    kernel, bias = net.get_layer("decoder").get_layer("pixels").get_weights()
    e = np.random.default_rng(1).standard_normal((50_000, *mean.shape))
    z = mean + np.exp(0.5 * log_variance) * e
    image, x = expit(z @ kernel + bias), X.reshape(4, -1)
    if likelihood == "bernoulli":
        log_x = (x * np.log(image) + (1 - x) * np.log1p(-image)).sum(-1)
    else:
        log_x = (-0.5 * np.square((x - image) / 0.1) - 0.5 * np.log(2 * np.pi * 0.1**2)).sum(-1)
    elbo = (log_x - 0.5 * (np.square(z) - np.square(e) - log_variance).sum(-1)).mean()

    many = np.repeat(X, 5000, axis=0)
    learner = auxiliary.learner(net)
    learner.compile(keras.optimizers.SGD(0.0), net.get_layer("pixel_loss").of, run_eagerly=True)
    assert -float(learner.train_on_batch(many, many)[0]) == pytest.approx(elbo, rel=0.01)


def test_validation_draws_too_and_always_the_same():
    net = small(beta=2.0, warmup=4)
    history = fitted(net, epochs=3, validation_data=(X, X))
    assert len(set(history["val_loss"])) == 1
    assert history["val_loss"][0] == pytest.approx(history["val_data_loss"][0] + 2 * history["val_kl"][0], rel=1e-5)
    at_the_mean = float(np.mean(net.get_layer("pixel_loss").of(X, net(X))))
    assert history["val_data_loss"][0] != pytest.approx(at_the_mean, rel=1e-4)


def test_beta_and_its_warm_up():
    history = fitted(small(beta=3.0, warmup=3), epochs=4)
    assert history["kl_weight"] == pytest.approx([1, 2, 3, 3])
    for loss, data, kl, weight in zip(*(history[name] for name in ("loss", "data_loss", "kl", "kl_weight")), strict=True):
        assert loss == pytest.approx(data + weight * kl, rel=1e-5)


def test_free_bits_are_of_the_batch_s_mean():
    """Of two numbers, one costs more than is free and one less: only the first is minimised."""
    net = small(hidden=(), free_bits=0.5)
    kernel, bias = net.get_layer("encoder").get_layer("posterior").get_layer("code").weights
    kernel.assign(0 * kernel)
    bias.assign([2.0, 0.1, 0.0, 0.0])  # KL of 2 and of 0.005
    assert fitted(net)["kl"] == [pytest.approx(2.0 + 0.5)]
    [term] = auxiliary.terms(net)

    import tensorflow as tf

    parameters = tf.Variable([[2.0, 0.1, 0.0, 0.0], [0.0, 0.1, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        value = term.value(parameters)
    assert float(value) == pytest.approx(1.0 + 0.5)  # one image alone is below 0.5, the mean is not
    gradient = tf.convert_to_tensor(tape.gradient(value, parameters)).numpy()
    assert (gradient[:, 1] == 0).all()
    np.testing.assert_allclose(gradient[:, 0], [1.0, 0.0])
    assert fitted(small(hidden=()))["kl"][0] < 2.5


def test_validation_knows_no_free_bits_and_is_the_negative_elbo_of_its_draw():
    """As of the same network without them."""
    free, plain = small(hidden=(), free_bits=0.5), small(hidden=())
    kernel, bias = free.get_layer("encoder").get_layer("posterior").get_layer("code").weights
    kernel.assign(0 * kernel)
    bias.assign([2.0, 0.1, 0.0, 0.0])  # KL of 2 and of 0.005
    plain.set_weights(free.get_weights())
    of_free, of_plain = (fitted(net, validation_data=(X, X)) for net in (free, plain))
    assert of_free["kl"] == [pytest.approx(2.5)]
    assert of_free["val_kl"] == [pytest.approx(2.005)]
    assert of_free["val_loss"] == [pytest.approx(of_free["val_data_loss"][0] + 2.005)]
    assert of_free["val_loss"] == of_plain["val_loss"]


@BUILDERS
def test_a_label_is_told_in_training_and_never_when_served(build):
    model = normalize.with_normalization(small(build, num_classes=3, conditional=True, dropped=0.0), "unit")
    learner, net = auxiliary.learner(model), normalize.inner(model)
    assert [tuple(tensor.shape) for tensor in learner.inputs] == [(None, *SHAPE), (None,)]
    assert len(model.inputs) == 1
    told, untold, missing = (learner([255 * X, np.full(4, label)], training=False)[0] for label in (1, -1, 3))
    assert (np.asarray(told) != np.asarray(untold)).any()
    np.testing.assert_array_equal(untold, missing)
    codes = np.asarray(net.get_layer("encoder")(X))
    conditional = net.get_layer("decoder").get_layer("conditional_decoder")
    np.testing.assert_allclose(conditional([codes, np.zeros((4, 3), "float32")]), net(X), rtol=1e-6)
    assert {id(v) for v in learner.trainable_variables} == {id(v) for v in model.trainable_variables}


@pytest.mark.whole
def test_told_the_label_a_decoder_learns_what_it_means():
    """White or black images by class, through a code that may say next to nothing."""
    labels = np.arange(64) % 2
    images = np.broadcast_to(labels[:, None, None, None], (64, *SHAPE)).astype("float32")
    net = small(num_classes=2, conditional=True, beta=50.0)
    learner = auxiliary.learner(net)
    learner.compile(keras.optimizers.Adam(0.05), net.get_layer("pixel_loss").of, jit_compile=False)
    learner.fit((images, np.where(np.arange(64) < 48, labels, -1)), images, batch_size=32, epochs=30, verbose=0)
    decoder = net.get_layer("decoder")
    generated = decoder.get_layer("conditional_decoder")([np.zeros((2, 2), "float32"), np.eye(2, dtype="float32")])
    assert np.asarray(generated[0]).max() < 0.2
    assert np.asarray(generated[1]).min() > 0.8
    assert 0.25 < np.asarray(decoder(np.zeros((1, 2), "float32"))).mean() < 0.75


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"code_size": 0}, "code_size must be a whole number of at least 1; got 0"),
        ({"likelihood": "squared_error"}, "likelihood must be bernoulli or gaussian; got 'squared_error'"),
        ({"deviation": 0.1}, "deviation is of a gaussian loss; got loss 'bernoulli'"),
        ({"beta": 0}, "beta must be a number above 0; got 0"),
        ({"warmup": -1}, "warmup must be a whole number of at least 0; got -1"),
        ({"free_bits": -0.1}, "free_bits must be a number above 0; got -0.1"),
        ({"conditional": 1}, "conditional must be true or false; got 1"),
        ({"conditional": True}, "conditional needs classes, and these images have no labels"),
        ({"conditional": True, "num_classes": 2, "dropped": 1}, "dropped must be a number from 0 to below 1; got 1"),
        ({"activation": "rleu"}, "activation must be the name of a Keras activation, such as relu, tanh or elu; got 'rleu'"),
    ],
)
@BUILDERS
def test_refusals(build, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        build(SHAPE, **options)
