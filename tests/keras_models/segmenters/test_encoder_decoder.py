"""An encoder of pixels' classes, and what networks of other tasks give it and others of this folder to start from."""

import keras
import numpy as np
import pytest

from keras_models import transfer
from keras_models.autoencoders.convolutional import conv_autoencoder
from keras_models.classifiers.vgg import vgg
from keras_models.segmenters.encoder_decoder import encoder_decoder
from keras_models.segmenters.fcn import fcn
from keras_models.segmenters.segnet import segnet
from keras_models.segmenters.unet import unet

SHAPE = (32, 32, 1)
OPTIONS = {"code_size": 5, "filters": (3, 4)}
WIDE = {"width": 0.03, "batch_norm": True}


def test_its_encoder_is_an_autoencoder_s_and_its_answers_are_classes_of_pixels():
    net, earlier = encoder_decoder((9, 7, 1), 3, **OPTIONS), conv_autoencoder((9, 7, 1), **OPTIONS)
    assert net.output_shape == (None, 9, 7, 3)
    taken, left = transfer.take_over(net, earlier)
    assert [layer.name for layer in taken] == ["down1", "down2", "code"]
    assert left == ["logits/grow", "logits/up2", "logits/up1", "logits/scores"]
    image = np.random.default_rng(0).random((2, 9, 7, 1), "float32")
    np.testing.assert_array_equal(net.get_layer("encoder")(image), earlier.get_layer("encoder")(image))


@pytest.mark.parametrize("segmenter", [fcn, segnet])
def test_vgg_16_s_convolutions_are_a_start(segmenter):
    earlier = vgg(SHAPE, 4, "D", **WIDE)
    options = {"padding": "same", "kernel": 1} if segmenter is fcn else {}
    net = segmenter(SHAPE, 3, **WIDE, **options)
    taken, left = transfer.take_over(net, earlier)
    names = [layer.name for layer in taken]
    assert len([name for name in names if name.startswith("conv") and not name.endswith("norm")]) == 13
    assert not [path for path in left if path.startswith("conv")]
    pool5 = [keras.Model(of.input, of.get_layer("pool5").output) for of in (net, earlier)]
    image = np.random.default_rng(0).random((1, *SHAPE), "float32")
    np.testing.assert_allclose(pool5[0](image), pool5[1](image), rtol=1e-5, atol=1e-6)


def test_dense_layers_become_convolutions_that_answer_alike():
    """Long et al. 2015, section 3.1: over the maps that the dense layer saw, at its one place."""
    options = {"stem": "small", "width": 0.03, "dropout": 0.0}
    earlier = vgg((64, 64, 1), 4, "D", **options)
    net = fcn((64, 64, 1), 3, 32, kernel=2, width=0.03, dropout=0.0)
    taken, _ = transfer.take_over(net, earlier)
    assert {"fc6", "fc7"} <= {layer.name for layer in taken}
    maps = np.random.default_rng(0).random((1, 2, 2, 15), "float32")
    dense, conv = (of.get_layer("fc6") for of in (earlier, net))
    np.testing.assert_allclose(np.ravel(conv(maps)), np.ravel(dense(maps.reshape(1, -1))), rtol=1e-5, atol=1e-6)


def test_the_networks_of_one_paper_start_from_one_another_as_it_trains_them():
    earlier, net = (fcn(SHAPE, 3, stride, padding="same", kernel=2, width=0.03) for stride in (32, 16))
    _, left = transfer.take_over(net, earlier)
    assert left == ["up_to_pool4", "score_pool4", "up16"]


def test_what_has_another_size_or_ends_otherwise_is_not_taken():
    net = unet(SHAPE, 2, (4, 8), "same")
    taken, _ = transfer.take_over(net, unet(SHAPE, 2, (4, 8), "same", batch_norm=True))
    assert {layer.name for layer in taken} == {"up1", "logits"}
    image = keras.Input((4, 4, 4))
    head = keras.layers.Dense(2, name="logits")(keras.layers.GlobalAveragePooling2D()(image))
    assert not transfer.take_over(net, keras.Model(image, head))[0]
