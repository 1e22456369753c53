"""Heads and terms change what is learned and nothing else."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_models import auxiliary
from keras_models.parameters import total_params

X = np.random.default_rng(0).random((8, 5)).astype("float32")
Y = np.arange(8) % 3
CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def net_with_heads(weight=0.3, decay=None):
    """5 -> 4 -> 3 logits, with two heads of 3 logits on the hidden layer."""
    keras.utils.set_random_seed(1)
    x = keras.Input((5,), name="image")
    hidden = layers.Dense(4, "tanh", kernel_regularizer=decay, name="hidden")(x)
    net = keras.Model(x, layers.Dense(3, name="logits")(hidden), name="own")
    auxiliary.attach(net, [layers.Dense(3, name=f"head{number}")(hidden) for number in (1, 2)], weight)
    return net


def compiled(net, rate=0.0, loss=CROSS_ENTROPY):
    learner = auxiliary.learner(net)
    learner.compile(keras.optimizers.SGD(rate), loss, metrics=["accuracy"], run_eagerly=True)
    return learner


def test_a_net_without_heads_is_its_own_learner():
    x = keras.Input((5,))
    net = keras.Model(x, layers.Dense(3)(x))
    assert auxiliary.learner(net) is net


def test_the_net_knows_nothing_of_its_heads(tmp_path):
    net = net_with_heads()
    assert [layer.name for layer in net.layers] == ["image", "hidden", "logits"]
    assert (total_params(net), total_params(auxiliary.learner(net))) == (39, 69)
    assert net.output_shape == (None, 3)
    net.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    assert total_params(again) == 39
    np.testing.assert_array_equal(again(X), net(X))
    assert auxiliary.learner(net) is auxiliary.learner(net)


@pytest.mark.parametrize("decay", [None, keras.regularizers.L2(0.1)], ids=["", "weight decay"])
def test_the_losses_are_the_sums_that_are_promised(decay):
    net = net_with_heads(0.3, decay)
    learner = compiled(net)
    own, *heads = (float(CROSS_ENTROPY(Y, logits)) for logits in learner(X))
    extra = 0.1 * np.square(net.get_layer("hidden").get_weights()[0]).sum() if decay else 0
    history = learner.fit(X, Y, batch_size=8, validation_data=(X, Y), verbose=0).history
    assert history["loss"][0] == pytest.approx(own + 0.3 * sum(heads) + extra, rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(own + extra, rel=1e-5)
    apart = {"data_loss": own + extra, "auxiliary_loss": sum(heads), "auxiliary_loss_weight": 0.3}
    for name, value in apart.items():
        assert history[name] + history[f"val_{name}"] == pytest.approx([value, value], rel=1e-5)
    assert set(history) == {f"{split}{name}" for name in ("loss", "accuracy", *apart) for split in ("", "val_")}
    assert history["accuracy"] == history["val_accuracy"] == [pytest.approx((np.argmax(net(X), 1) == Y).mean())]


def test_weights_of_classes_weigh_heads_too():
    learner = compiled(net_with_heads(0.5))
    weights = {0: 2.0, 1: 0.0, 2: 0.5}
    each = [keras.losses.sparse_categorical_crossentropy(Y, logits, from_logits=True).numpy() for logits in learner(X)]
    own, *heads = ((losses * [weights[label] for label in Y]).mean() for losses in each)
    history = learner.fit(X, Y, batch_size=8, class_weight=weights, verbose=0).history
    assert history["loss"][0] == pytest.approx(own + 0.5 * sum(heads), rel=1e-5)


def test_a_loss_that_is_a_plain_function():
    def squared(labels, logits):
        return keras.ops.mean(keras.ops.square(logits), axis=-1)

    learner = compiled(net_with_heads(0.5), loss=squared)
    own, *heads = (np.square(logits).mean() for logits in learner(X))
    assert learner.fit(X, Y, batch_size=8, verbose=0).history["loss"][0] == pytest.approx(own + 0.5 * sum(heads), rel=1e-5)


def test_heads_teach_the_layers_that_they_share():
    def hidden_after_a_step(weight):
        net = net_with_heads(weight)
        before = [head.get_weights()[0] for head in auxiliary.learner(net).layers if head.name.startswith("head")]
        compiled(net, 0.5).fit(X, Y, batch_size=8, verbose=0)
        after = [head.get_weights()[0] for head in auxiliary.learner(net).layers if head.name.startswith("head")]
        return net.get_layer("hidden").get_weights()[0], [(a != b).any() for a, b in zip(before, after, strict=True)]

    taught, changed = hidden_after_a_step(0.3)
    alone, unchanged = hidden_after_a_step(0.0)
    assert changed == [True, True]
    assert unchanged == [False, False]
    assert np.abs(taught - alone).max() > 1e-4


def test_heads_come_along_behind_other_layers():
    net = net_with_heads()
    image = keras.Input((5,), name="pixels")
    model = auxiliary.behind(image, layers.Rescaling(2.0, name="twice")(image), net)
    assert [layer.name for layer in model.layers] == ["pixels", "twice", "net"]
    assert model.name == "own"
    learner = auxiliary.learner(model)
    assert (total_params(model), total_params(learner), learner.weight) == (39, 69, 0.3)
    assert learner.parts()[0].keys() == {"data_loss", "auxiliary_loss"}
    for output, expected in zip(learner(X), auxiliary.learner(net)(2 * X), strict=True):
        np.testing.assert_allclose(output, expected, rtol=1e-6)
    np.testing.assert_allclose(model(X), net(2 * X), rtol=1e-6)
    assert {id(weight) for weight in model.weights} == {id(weight) for weight in net.weights}


def net_with_terms(warmup=0):
    """5 -> 4 -> 3, with a penalty on the hidden layer and one on both input and output."""
    keras.utils.set_random_seed(1)
    x = keras.Input((5,), name="image")
    hidden = layers.Dense(4, "tanh", name="hidden")(x)
    net = keras.Model(x, layers.Dense(3, name="logits")(hidden), name="own")
    size = auxiliary.Term("size", 0.5, lambda h: keras.ops.sum(keras.ops.square(h), axis=-1), [hidden], warmup)
    both = auxiliary.Term("both", 2.0, lambda x, y: keras.ops.mean(x) * keras.ops.mean(y), [x, net.output])
    auxiliary.attach(net, terms=[size, both])
    return net


def parts(net, x=X):
    """The data's loss and the terms, in NumPy."""
    hidden, logits = net.get_layer("hidden")(x).numpy(), net(x).numpy()
    return float(CROSS_ENTROPY(Y, logits)), np.square(hidden).sum(1).mean(), x.mean() * logits.mean()


def test_terms_are_added_by_weight_and_logged_apart():
    net = net_with_terms()
    learner = compiled(net)
    data, size, both = parts(net)
    history = learner.fit(X, Y, batch_size=8, validation_data=(X, Y), verbose=0).history
    expected = {
        "loss": data + 0.5 * size + 2 * both,
        "data_loss": data,
        "size": size,
        "both": both,
        "size_weight": 0.5,
        "both_weight": 2,
    }
    for name, value in expected.items():
        assert history[name] + history[f"val_{name}"] == pytest.approx([value, value], rel=1e-5)
    assert [layer.name for layer in net.layers] == ["image", "hidden", "logits"]


def test_a_warm_up_raises_the_weight_in_training_alone():
    net = net_with_terms(warmup=4)
    learner = compiled(net)
    history = learner.fit(X, Y, batch_size=8, validation_data=(X, Y), epochs=6, callbacks=[auxiliary.WarmUp()], verbose=0).history
    assert history["size_weight"] == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5, 0.5])
    assert history["val_size_weight"] == pytest.approx([0.5] * 6)
    assert history["both_weight"] == pytest.approx([2] * 6)
    data, size, both = parts(net)
    assert history["loss"][0] == pytest.approx(data + 0.125 * size + 2 * both, rel=1e-5)


def test_terms_come_along_behind_other_layers_and_teach_what_is_under_them():
    net = net_with_terms()
    image = keras.Input((5,), name="pixels")
    model = auxiliary.behind(image, layers.Rescaling(2.0, name="twice")(image), net)
    assert [term.name for term in auxiliary.terms(model)] == ["size", "both"]
    assert auxiliary.terms(keras.Model(net.inputs, net.outputs)) == ()
    learner, before = auxiliary.learner(model), net.get_layer("hidden").get_weights()[0]
    data, size, both = parts(net, 2 * X)
    learner.compile(keras.optimizers.SGD(0.1), CROSS_ENTROPY)
    assert learner.fit(X, Y, batch_size=8, verbose=0).history["loss"] == [pytest.approx(data + 0.5 * size + 2 * both, rel=1e-5)]
    assert (net.get_layer("hidden").get_weights()[0] != before).any()
    assert total_params(learner) == total_params(net) == 39


class Sum(keras.Model):
    """A learner of one's own: a net's output plus that of a layer that is only trained with it."""

    def __init__(self, net, other, front=None):
        super().__init__(name=net.name)
        self.net, self.other, self.front = net, other, front

    def behind(self, image, x):
        return Sum(self.net, self.other, keras.Model(image, x))

    def call(self, values, training=False):
        values = values if self.front is None else self.front(values)
        return self.net(values) + self.other(values)


def test_a_learner_of_one_s_own_stands_behind_other_layers():
    x = keras.Input((5,))
    net, other = keras.Model(x, layers.Dense(3)(x), name="own"), layers.Dense(3)
    auxiliary.train_by(net, Sum(net, other))
    image = keras.Input((5,))
    model = auxiliary.behind(image, layers.Rescaling(2.0)(image), net)
    learner = auxiliary.learner(model)
    assert isinstance(learner, Sum)
    np.testing.assert_allclose(learner(X), net(2 * X) + other(2 * X), rtol=1e-5)
    np.testing.assert_allclose(model(X), net(2 * X), rtol=1e-5)
    assert [id(weight) for weight in learner.trainable_variables[:2]] == [id(weight) for weight in net.trainable_variables]


def test_a_learner_that_cannot_stand_behind_other_layers_is_refused():
    x = keras.Input((5,))
    net = keras.Model(x, layers.Dense(3)(x))
    for learner in (keras.Model(x, net(x)), object()):
        with pytest.raises(TypeError, match=r"method behind\(image, x\)"):
            auxiliary.train_by(net, learner)


def test_optimizers_are_a_learner_s_own_or_the_one_it_was_compiled_with():
    x = keras.Input((5,))
    net = keras.Model(x, layers.Dense(3)(x))
    assert auxiliary.optimizers(net) == []
    net.compile("sgd", "mse")
    [(optimizer, variables)] = auxiliary.optimizers(net)
    assert (optimizer, len(variables)) == (net.optimizer, 2)


def test_another_output_alone_stands_for_the_net_s():
    x, told = keras.Input((5,)), keras.Input((1,))
    logits = layers.Dense(3)(x)
    net = keras.Model(x, logits, name="own")
    auxiliary.attach(net, output=logits + told, given=[told])
    for learner in (compiled(net), compiled(auxiliary.behind(image := keras.Input((5,)), layers.Rescaling(1.0)(image), net))):
        given = np.full((8, 1), 3.0, "float32")
        figures = learner.evaluate((X, given), Y, batch_size=8, verbose=0, return_dict=True)
        assert figures["loss"] == pytest.approx(float(CROSS_ENTROPY(Y, net(X) + given)), rel=1e-5)
        assert figures["accuracy"] == pytest.approx(np.mean(np.argmax(net(X), 1) == Y))
