"""A code that could hold the whole image is warned about, unless something keeps it from doing so; so are statistics too young."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from components import progress
from components.inputs.image import Moments
from components.tasks.by_name import task_of
from components.trainer import component, doubts, training
from components.trainer.data import Data, DataInfo
from components.transform.whitening import zca
from keras_models import auxiliary, get, normalize
from keras_models.layers.extractor import Extractor
from keras_models.layers.k_sparse import KSparse
from tests.components import digits

DATA = Data(DataInfo((8, 8, 1), [], 1), 1, None, None, None)


def built(name, augment=(), **options):
    cfg = digits.trainer_slice(digits.AUTOENCODER, model={"name": name, "options": options}, augment=list(augment))
    return training.build(get(name), DATA, cfg), cfg


def said(name="autoencoder", augment=(), **options):
    return doubts.of(*built(name, augment, **options))


@pytest.mark.parametrize(("kind", "is_doubted"), [("per_image", True), ("zca", True), ("per_channel", False), ("unit", False)])
def test_a_spatial_transformer_without_a_black_ground_is_doubted(kind, is_doubted):
    transform = {**digits.MLP["transform"], "normalize": kind}
    cfg = digits.trainer_slice(digits.MLP, model={"name": "st_mlp"}, transform=transform)
    whitening = zca(np.zeros(64), np.eye(64), 0.01)
    info = DataInfo((8, 8, 1), digits.NAMES, 1, Moments([9.0], [1.0], whitening=whitening))
    said = doubts.of(training.build(get("st_mlp"), Data(info, 1, None, None, None), cfg), cfg)
    assert [kind in text and "not black" in text for text in said] == ([True] if is_doubted else [])


MASK, TURN, LIGHT = {"mask": {"share": 0.1}}, {"rotate": {"degrees": 5}}, {"brightness": {"share": 0.1}}


@pytest.mark.parametrize(
    ("steps", "later"),
    [([MASK], ""), ([TURN, LIGHT, MASK, MASK], ""), ([MASK, TURN], "rotate"), ([TURN, MASK, LIGHT], "brightness")],
)
def test_noise_that_is_not_what_the_model_is_judged_with_is_doubted(steps, later):
    texts = said("denoising_autoencoder", steps, code_size=100)
    assert texts == ([f"augment has {later} after mask, so that training moves the noise or cuts it to 0..255, and validation "
                      "and test images get it as it is; put noise last"] if later else [])  # fmt: skip


@pytest.mark.parametrize("code_size", [64, 100])
def test_a_code_as_large_as_the_image_is_doubted(code_size):
    [text] = said(code_size=code_size)
    assert text.startswith(f"the code of {code_size} numbers is at least as large as the image of 64")
    assert "autoencoder" in text
    assert "model.options.code_size" in text


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("autoencoder", {"code_size": 63}),
        ("autoencoder", {"code_size": 100, "augment": [{"gaussian_noise": {"stddev": 0.1}}]}),
        ("autoencoder", {"code_size": 100, "augment": [{"mask": {"share": 0.1}}]}),
        ("mlp", {}),
    ],
)
def test_a_narrow_code_noise_and_a_classifier_are_not(name, asked):
    if name == "mlp":
        cfg = digits.trainer_slice(digits.MLP)
        info = DataInfo((8, 8, 1), digits.NAMES, 1, Moments([0.0], [1.0]))
        assert doubts.of(training.build(get("mlp"), Data(info, 1, None, None, None), cfg), cfg) == []
    else:
        assert said(name, **asked) == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("autoencoder", {"code_size": 64}),
        ("deep_autoencoder", {"code_size": 100, "hidden": [3]}),
        ("conv_autoencoder", {"code_size": 64, "filters": [2]}),
        ("contractive_autoencoder", {"code_size": 64}),
        ("linear_autoencoder", {"code_size": 64}),
    ],
)
def test_a_code_that_pca_of_its_size_leaves_no_room_for_is_said_to(name, options):
    """Noise or none."""
    [text] = task_of(get(name).task).doubts(built(name, **options)[0])
    assert text.startswith(f"the code of {options['code_size']} numbers is no narrower than the image of 64")
    assert ("blessed below 1.3e-06 alone" if name == "linear_autoencoder" else "not blessed") in text
    assert task_of(get(name).task).doubts(built(name, **{**options, "code_size": 63})[0]) == []


@pytest.mark.parametrize("name", ["sparse_autoencoder", "denoising_autoencoder", "sparse_coding", "mlp"])
def test_other_families_are_judged_otherwise(name):
    size = {"sparse_coding": {"atoms": 70}, "mlp": {"hidden": [2]}}.get(name, {"code_size": 70})
    classes = {"num_classes": 2} if name == "mlp" else {}
    model = normalize.with_normalization(get(name).build(input_shape=(8, 8, 1), **classes, **size), "unit")
    assert task_of(get(name).task).doubts(model) == []
    exact, copying = built("pca", code_size=64)[0], built("autoencoder", code_size=64)[0]
    assert task_of("reconstruction.principal_components").doubts(exact) == []
    for inner in ("", ".linear", ".contractive"):
        assert task_of(f"anomaly:reconstruction{inner}").doubts(copying) == []


def test_turning_images_is_no_noise():
    assert said(code_size=100, augment=[{"rotate": {"degrees": 5}}])


def overcomplete(noise=None, decay=None, terms=()):
    image, code = keras.Input((2, 2, 1)), keras.Input((9,))
    x = layers.Flatten()(image)
    x = layers.Dense(9, kernel_regularizer=decay)(noise(x) if noise is not None else x)
    encoder = keras.Model(image, x, name="encoder")
    decoder = keras.Model(code, layers.Reshape((2, 2, 1))(layers.Dense(4)(code)), name="decoder")
    image = keras.Input((2, 2, 1))
    h = encoder(image)
    net = keras.Model(image, decoder(h))
    if terms:
        auxiliary.attach(net, terms=[auxiliary.Term("size", 0.1, lambda h: ops.sum(ops.abs(h), axis=-1), [h])])
    return doubts.of(normalize.with_normalization(net, "unit"), digits.trainer_slice(digits.AUTOENCODER))


def test_a_regulariser_of_any_kind_is_seen():
    assert len(overcomplete()) == 1
    assert overcomplete(noise=layers.GaussianNoise(0.1)) == []
    assert overcomplete(decay=keras.regularizers.L2(0.1)) == []
    assert overcomplete(terms=["size"]) == []
    assert overcomplete(noise=KSparse(2)) == []
    assert np.size(overcomplete(noise=layers.Identity())) == 1


def normalized(momentum=0.99, trainable=True, inside=False, extractor=False):
    image = keras.Input((2, 2, 1))
    x = layers.BatchNormalization(momentum=momentum, trainable=trainable, name="first")(image)
    if inside or extractor:
        part = keras.Model(image, x) if inside else Extractor(image, x)
        x = part(outer := keras.Input((2, 2, 1)))
        image = outer
    return keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))


@pytest.mark.parametrize(
    ("asked", "steps", "share"),
    [
        ({}, 100, "0.99^100 = 0.37"),
        ({}, 298, "0.99^298 = 0.05"),
        ({}, 299, None),
        ({"momentum": 0.9}, 28, "0.9^28 = 0.052"),
        ({"momentum": 0.9}, 29, None),
        ({"inside": True}, 100, "0.99^100 = 0.37"),
        ({"trainable": False}, 100, None),
        ({"extractor": True}, 100, None),
        ({}, 0, None),
    ],
    ids=str,
)
def test_statistics_that_a_training_is_too_short_for_are_said(asked, steps, share):
    texts = doubts.of_moving_statistics(normalized(**asked), 1, steps)
    assert len(texts) == (share is not None)
    for text in texts:
        assert text.startswith(
            f"batch normalisation (first) has a momentum of {asked.get('momentum', 0.99):g}: after {steps} steps"
        )
        assert f" {share} of its moving statistics is still what they began with" in text


@pytest.mark.parametrize("momentum", [0.5, 0.9, 0.99])
def test_the_share_is_what_is_left_of_the_first_statistics(momentum):
    """Beside what Keras's layer has learned of images of one colour, after as many steps."""
    model, images = normalized(momentum), np.full((4, 2, 2, 1), 3.0, "float32")
    for _ in range(20):
        model(images, training=True)
    left = 1 - model.get_layer("first").moving_mean.numpy()[0] / 3
    assert left == pytest.approx(momentum**20, rel=1e-4)
    assert bool(doubts.of_moving_statistics(model, 4, 5)) == (left > 0.05)


@pytest.mark.parametrize(
    ("momentum", "epochs", "steps", "hint"),
    [
        (0.99, 2, 40, "give momentum=0.9, or train for 8 epochs or more"),
        (0.99, 2, 10, "give momentum=0.9 and train for 3 epochs or more"),
        (0.9, 2, 10, "train for 3 epochs or more"),
        (1.0, 2, 40, "give momentum=0.9"),
    ],
)
def test_what_helps_is_what_would_be_enough(momentum, epochs, steps, hint):
    [text] = doubts.of_moving_statistics(normalized(momentum), epochs, steps)
    assert text.endswith(f"; {hint}")


OWN = """
import keras
from keras import layers


def build(input_shape=(8, 8, 1), num_classes=10, momentum=0.99):
    image = keras.Input(input_shape)
    x = layers.BatchNormalization(momentum=momentum)(layers.Dense(8, activation="relu")(layers.Flatten()(image)))
    return keras.Model(image, layers.Dense(num_classes)(x))
"""


@pytest.mark.usefixtures("no_saved_model")
def test_training_says_it_of_a_network_of_one_s_own(artifacts, tmp_path, monkeypatch):
    """Before, of as many epochs as are asked for; and after, where the weights of an earlier one are kept."""
    (tmp_path / "plainly_normalised.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    said = []
    monkeypatch.setattr(progress, "_listeners", [said.append])

    def warned(name, epochs, rate, **options):
        said.clear()
        model = {"name": "plainly_normalised:build", "options": options}
        train = {"epochs": epochs, "batch_size": 32, "optimizer": {"name": "sgd", "learning_rate": rate}, "early_stopping": None}
        cfg = digits.trainer_slice(digits.MLP, model=model, train=train)
        component.run_fn(digits.fn_args(tmp_path / name, artifacts.transformed, artifacts.transform, artifacts.schema, cfg, True))
        return [event["text"] for event in said if event["event"] == "warning" and "batch normalisation" in event["text"]]

    [text] = warned("short", 2, 0.1)
    assert "has a momentum of 0.99: after 16 steps (2 epochs of 8), 0.99^16 = 0.85 of its moving" in text
    assert warned("enough", 2, 0.1, momentum=0.8) == []
    [text] = warned("no better after its first epoch", 5, 1e-6, momentum=0.9)
    assert "of the weights that are kept, after epoch 1: batch normalisation" in text
    assert "0.9^8 = 0.43" in text
