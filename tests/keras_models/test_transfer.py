"""A network is cut where it is told to, stays as it was learned, and is trained again from where it is told to."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_models
from keras_models import normalize, transfer
from keras_models.parameters import frozen_params, total_params

PIXELS = np.random.default_rng(0).uniform(0, 255, (6, 32, 32, 1)).astype("float32")
LENET = 61_706


@pytest.fixture(scope="module")
def lenet():
    keras.utils.set_random_seed(0)
    net = keras_models.build("lenet5", {"input_shape": (32, 32, 1), "num_classes": 10}, {})
    return normalize.with_normalization(net, "unit")


def convnet():
    """Batch normalisation and dropout, as a person may have saved them."""
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, name="conv")(image)
    x = layers.Dropout(0.5, name="drop")(layers.BatchNormalization(name="norm")(x))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, layers.Softmax(name="softmax")(layers.Dense(3, name="classes")(x)))


def dense(classes=5):
    return layers.Dense(classes, name=transfer.HEAD)


def test_the_layer_before_the_last_is_the_default(lenet):
    features = transfer.extractor(lenet)
    expected = keras.Model(normalize.inner(lenet).inputs, normalize.inner(lenet).get_layer("f6").output)([PIXELS / 255])
    np.testing.assert_allclose(features(PIXELS), expected, rtol=1e-5, atol=1e-6)
    source = convnet()
    assert transfer.extractor(source).output is source.get_layer("pool").output  # softmax has no weights


def test_of_an_autoencoder_it_is_the_code():
    net = keras_models.build("conv_autoencoder", {"input_shape": (8, 8, 1)}, {"code_size": 4})
    model = normalize.with_normalization(net, "unit")
    pixels = PIXELS[:, :8, :8]
    codes = net.get_layer("encoder")(pixels / 255)
    np.testing.assert_allclose(transfer.extractor(model)(pixels), codes, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("layer", "shape"), [("net/c3", (10, 10, 16)), ("c5", (120,)), ("normalize", (32, 32, 1)), ("net", (10,))])
def test_any_layer_can_be_named(lenet, layer, shape):
    assert transfer.extractor(lenet, layer).output_shape[1:] == shape


def test_what_was_transferred_can_be_transferred_again(lenet, tmp_path):
    net = transfer.with_head(transfer.extractor(lenet), (32, 32, 1), dense())
    normalize.with_normalization(net, "none").save(tmp_path / "once.keras")
    again = keras.saving.load_model(tmp_path / "once.keras")
    np.testing.assert_allclose(transfer.extractor(again)(PIXELS), transfer.extractor(lenet)(PIXELS), rtol=1e-6)
    np.testing.assert_allclose(transfer.extractor(again, "c5")(PIXELS), transfer.extractor(lenet, "c5")(PIXELS), rtol=1e-6)


def test_a_layer_that_is_not_there_is_answered_with_those_that_are(lenet):
    with pytest.raises(
        ValueError, match=r"no layer 'flaten'; did you mean 'flatten'\? its layers are pixels, normalize, net, net/c1"
    ):
        transfer.extractor(lenet, "flaten")
    with pytest.raises(ValueError, match="'d' may be a/d or b/d"):
        transfer.find("d", ["a", "a/d", "b", "b/d"])


def test_a_model_that_cannot_be_cut_is_refused():
    class Own(keras.Model):
        pass

    with pytest.raises(ValueError, match="not functional"):
        transfer.extractor(Own())
    with pytest.raises(ValueError, match="none of its layers has weights"):
        transfer.extractor(keras.Sequential([keras.Input((2,)), layers.Softmax()]))
    two = [keras.Input((2,)), keras.Input((2,))]
    with pytest.raises(ValueError, match="it has 2 inputs"):
        transfer.extractor(keras.Model(two, layers.Add()(two)))


def test_a_sequential_model_has_a_graph_too():
    source = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(name="row"), layers.Dense(2)])
    assert transfer.extractor(source).output_shape == (None, 16)


def test_maps_become_their_means_or_all_their_values(lenet):
    features = transfer.extractor(lenet, "c3")
    maps = np.asarray(features(PIXELS))
    for how, rows in (("average", maps.mean((1, 2))), ("flatten", maps.reshape(6, -1))):
        net = transfer.with_head(features, (32, 32, 1), layers.Identity(name=transfer.HEAD), how)
        np.testing.assert_allclose(net(PIXELS), rows, rtol=1e-5, atol=1e-6)


def test_grey_images_are_given_to_a_source_of_three_channels_three_times():
    features, grey = transfer.extractor(convnet()), PIXELS[:, :8, :8]
    net = transfer.with_head(features, (8, 8, 1), layers.Identity(name=transfer.HEAD))
    np.testing.assert_allclose(net(grey), features(np.repeat(grey, 3, -1)), rtol=1e-6)


@pytest.mark.parametrize("shape", [(28, 32, 1), (32, 32, 3)])
def test_images_that_do_not_fit_are_refused(lenet, shape):
    with pytest.raises(ValueError, match=f"it takes 32x32x1, and the images are {transfer.volume(shape)}"):
        transfer.with_head(transfer.extractor(lenet), shape, dense())


def test_a_frozen_source_is_counted_and_not_trained(lenet):
    net = transfer.with_head(transfer.extractor(lenet), (32, 32, 1), dense())
    head = 84 * 5 + 5
    assert (total_params(net), frozen_params(net)) == (head, LENET - 850)
    assert frozen_params(keras_models.build("lenet5", {}, {})) == 0
    assert transfer.unfreeze(net.get_layer(transfer.FEATURES), "c5") == 400 * 120 + 120 + 120 * 84 + 84
    assert frozen_params(net) == 6 * 25 + 6 + 16 * 150 + 16
    assert total_params(net) + frozen_params(net) == LENET - 850 + head


def test_fine_tuning_changes_what_it_is_told_to_and_no_statistics(tmp_path):
    source = convnet()
    pixels = np.random.default_rng(1).normal(3, 2, (32, 8, 8, 3)).astype("float32")
    features = transfer.extractor(source)
    net = transfer.with_head(features, (8, 8, 3), dense(2))
    held = {layer.name: layer.get_weights() for layer in source.layers}
    np.testing.assert_array_equal(net(pixels, training=True), net(pixels, training=False))  # no dropout, no batch's statistics
    assert transfer.unfreeze(features, "norm") == 8
    net.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    net.fit(pixels, np.arange(32) % 2, verbose=0)
    scale, offset, mean, variance = zip(held["norm"], source.get_layer("norm").get_weights(), strict=True)
    assert all((old != new).any() for old, new in (scale, offset))
    assert all((old == new).all() for old, new in (mean, variance))
    assert all((old == new).all() for old, new in zip(held["conv"], source.get_layer("conv").get_weights(), strict=True))
    net.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(again(pixels, training=True), net(pixels))
    assert (total_params(again), frozen_params(again)) == (total_params(net), 3 * 9 * 4 + 4)


def test_fine_tuning_from_where_nothing_can_be_trained_is_refused():
    features = transfer.extractor(convnet())
    with pytest.raises(ValueError, match="nothing can be trained from drop on"):
        transfer.unfreeze(features, "drop")
    assert features.trainable_variables == []
    with pytest.raises(ValueError, match="no layer 'classes'"):
        transfer.unfreeze(features, "classes")
