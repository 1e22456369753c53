"""Digits that a network never saw, from features that it learned on others."""

import dataclasses
import functools
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from components import keys
from components.example_gen import records
from components.tasks import classification
from components.tasks.by_name import task_of
from components.trainer import artifact, export, shots, training
from components.trainer import transfer as transferred
from components.trainer.data import Data, DataInfo
from components.trainer.origin import Origin
from components.trainer.resume import Resume
from configs.errors import HubelError, UsageError
from keras_models import normalize, published, transfer
from keras_models.layers.neighbours import NearestNeighbours
from tests.components import digits
from tests.components.trainer.test_resume import CLOSE, KillAfter, Killed, assert_cleared, assert_same

pytestmark = pytest.mark.usefixtures("eager")

BATCH = 100
IMAGES, LABELS = digits.images()
PIXELS = IMAGES.astype("float32")


def rows_of(classes, first, last):
    """Places of images of these classes among so many of them."""
    return np.flatnonzero(np.isin(LABELS, classes))[first:last]


SEEN, NEW = range(5), range(5, 10)
VALIDATION, TEST = rows_of(NEW, 496, 596), rows_of(NEW, 596, 896)


def few(count, seed=0):
    """Places of `count` images of each new class, as Trainer draws them."""
    places = rows_of(NEW, 0, 496)
    examples = [records.example(b"", str(place).encode(), int(LABELS[place])) for place in places]
    chosen = shots.chosen(tf.data.Dataset.from_tensor_slices(examples), count, seed)
    ids = [
        tf.train.Example.FromString(row).features.feature[keys.EXAMPLE_ID].bytes_list.value[0] for row in chosen.as_numpy_iterator()
    ]
    return np.array([int(name) for name in ids])


def data_of(places) -> Data:
    """As Trainer opens them, without files; labels are counted from five on."""

    def batches(chosen):
        rows = PIXELS[chosen], {keys.LABEL: LABELS[chosen].astype(np.int64) - 5}
        return tf.data.Dataset.from_tensor_slices(rows).batch(BATCH)

    plain = batches(places)
    info = DataInfo((8, 8, 1), digits.NAMES[5:], len(places))
    return Data(info, -(-len(places) // BATCH), lambda first, epochs: plain.repeat(epochs - first), plain, batches(VALIDATION))


@pytest.fixture(scope="module")
def source(eager, tmp_path_factory):
    """A small convnet that has learned 0 to 4, as a .keras file."""
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1")(image)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(32, 3, padding="same", activation="relu", name="conv2")(x))
    x = layers.Dense(64, activation="relu", name="dense")(layers.Flatten(name="row")(x))
    net = keras.Model(image, layers.Dense(5, name="logits")(layers.Dropout(0.3, name="drop")(x)))
    model = normalize.with_normalization(net, "unit")
    model.compile(keras.optimizers.Adam(0.004), keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    known = rows_of(SEEN, 0, None)
    model.fit(PIXELS[known], LABELS[known], 100, epochs=4, verbose=0)
    path = tmp_path_factory.mktemp("source") / "zero_to_four.keras"
    model.save(path)
    return path


def origin_of(source):
    return Origin(str(source), str(source), str(source), "digest", True)


def slice_of(source, train=None, **asked):
    tree = {**digits.MLP, "transform": {**digits.MLP["transform"], "normalize": "none"}, "train": {"epochs": 1, **(train or {})}}
    return digits.trainer_slice(tree, transfer={"source": str(source), **asked})


def built(source, data, cfg):
    entry = training.entry_of({"origin": origin_of(source).as_json()}, cfg)
    keras.utils.set_random_seed(cfg.seed)
    return training.build(entry, data, cfg)


def trained(source, data, cfg, folder, kill=None):
    """Model, history and states."""
    keras.backend.clear_session()
    model = built(source, data, cfg)
    phases = training.phases_of(task_of("classification"), cfg, model)
    if kill is not None:
        number, epoch = kill
        phases[number] = dataclasses.replace(phases[number], task=KillingClassifier(epoch))
    return model, *training.train_in_phases(phases, model, data, cfg, folder / "state")


class KillingClassifier(classification.Task):
    """Its fit ends like a kill after an epoch."""

    def __init__(self, epoch):
        self._epoch = epoch

    def fit(self, model, data, train, first_epoch, callbacks):
        super().fit(model, data, train, first_epoch, [*callbacks, KillAfter(self._epoch)])


def accuracy(model):
    return float(np.mean(np.argmax(model.predict_on_batch(PIXELS[TEST]), 1) == LABELS[TEST] - 5))


def features_of(source, places):
    return transfer.extractor(keras.saving.load_model(source)).predict_on_batch(PIXELS[places])


# nearest neighbours


@pytest.mark.parametrize(("count", "neighbours", "distance"), [(1, 1, "cosine"), (20, 3, "euclidean")])
def test_neighbours_are_those_of_scikit_learn(source, tmp_path, count, neighbours, distance):
    places = few(count)
    cfg = slice_of(source, head="nearest_neighbours", neighbours=neighbours, distance=distance)
    model, [figures], _ = trained(source, data_of(places), cfg, tmp_path)
    reference = KNeighborsClassifier(neighbours, metric=distance, algorithm="brute")
    reference.fit(features_of(source, places), LABELS[places] - 5)
    shares = keras.ops.softmax(model.predict_on_batch(PIXELS[TEST]))
    np.testing.assert_allclose(shares, reference.predict_proba(features_of(source, TEST)), atol=2e-6)
    judged = np.argmax(model.predict_on_batch(PIXELS[VALIDATION]), 1) == LABELS[VALIDATION] - 5
    assert figures["val_accuracy"] == pytest.approx(judged.mean())
    assert figures.keys() == {"val_loss", "val_accuracy"}


def test_neighbours_that_are_mostly_wrong_have_not_diverged(source, tmp_path):
    """The loss before is taken of images that the head knows by heart; what it says of others is no step that went wrong."""
    data = data_of(few(1))
    wrong = data.validation.map(lambda pixels, targets: (pixels, {keys.LABEL: (targets[keys.LABEL] + 1) % 5}))
    data = dataclasses.replace(data, validation=wrong)
    cfg = slice_of(source, head="nearest_neighbours", layer="norm", maps="flatten")
    model, [figures], [state] = trained(source, data, cfg, tmp_path)
    assert figures["val_accuracy"] < 0.38
    assert figures["val_loss"] > 1e4 * 1e-3
    assert state.start is None
    assert accuracy(model) > 0.4


def test_one_image_a_class_is_far_better_than_none(source, tmp_path):
    accuracies = []
    for seed in range(2):
        cfg = slice_of(source, head="nearest_neighbours", layer="norm", maps="flatten")
        accuracies.append(accuracy(trained(source, data_of(few(1, seed)), cfg, tmp_path / str(seed))[0]))
    assert accuracies[0] != accuracies[1]
    assert np.mean(accuracies) > 0.5  # of five classes; benchmarks/few_shots.py compares with pixels


def test_neighbours_are_kept_across_a_kill(source, tmp_path):
    data, cfg = data_of(few(2)), slice_of(source, head="nearest_neighbours", train={"epochs": 5})
    model, history, _ = trained(source, data, cfg, tmp_path)
    assert Resume(tmp_path / "state", None).epoch == 1
    again, history_again, [state] = trained(source, data, cfg, tmp_path)
    assert history_again == history
    for mine, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    state.clear()
    assert list(tmp_path.iterdir()) == []


def test_more_neighbours_than_images_are_refused(source):
    data, cfg = data_of(few(1)), slice_of(source, head="nearest_neighbours", neighbours=6)
    with pytest.raises(UsageError, match="6 nearest neighbours need as many training images; there are 5"):
        built(source, data, cfg)


# logistic regression, fine-tuning

FAST = {"epochs": 40, "early_stopping": None, "optimizer": {"learning_rate": 0.05}}


@pytest.fixture(scope="module")
def regression(source, tmp_path_factory):
    places = few(20)
    return places, trained(source, data_of(places), slice_of(source, FAST), tmp_path_factory.mktemp("regression"))[0]


def test_a_regression_on_frozen_features_is_about_scikit_learn_s(source, regression):
    places, model = regression
    reference = LogisticRegression(C=100, max_iter=2000).fit(features_of(source, places), LABELS[places] - 5)
    assert accuracy(model) == pytest.approx(
        reference.score(features_of(source, TEST), LABELS[TEST] - 5), abs=0.08
    )  # after few steps; chance is 0.2
    head = normalize.inner(model).get_layer(transfer.HEAD)
    assert {id(variable) for variable in model.trainable_variables} == {id(variable) for variable in head.trainable_variables}
    inside = normalize.inner(model).get_layer(transfer.FEATURES).weights
    assert len(inside) == 10
    for mine, theirs in zip(inside, keras.saving.load_model(source).weights[:10], strict=True):
        np.testing.assert_array_equal(mine, theirs)


TUNED = {"from": "conv2", "epochs": 3, "learning_rate": 0.002}
SHORT = {"epochs": 2, "early_stopping": None, "optimizer": {"learning_rate": 0.02}}


@pytest.fixture(scope="module")
def undisturbed(source, tmp_path_factory):
    data, cfg = data_of(few(20)), slice_of(source, SHORT, fine_tune=TUNED)
    return trained(source, data, cfg, tmp_path_factory.mktemp("undisturbed"))


def test_fine_tuning_goes_on_from_the_head_and_changes_what_it_is_told_to(source, undisturbed):
    model, history, _ = undisturbed
    assert len(history) == 2 + 3
    assert history[-1]["val_loss"] < history[1]["val_loss"]
    net = normalize.inner(model).get_layer(transfer.FEATURES).get_layer("net")
    before = normalize.inner(keras.saving.load_model(source))
    for name, moves in (
        ("conv1", [False, False]),
        ("conv2", [True, True]),
        ("norm", [True, True, False, False]),
        ("dense", [True] * 2),
    ):
        pairs = zip(net.get_layer(name).get_weights(), before.get_layer(name).get_weights(), strict=True)
        assert [bool((new != old).any()) for new, old in pairs] == moves, name


@pytest.mark.parametrize("kills", [pytest.param([(0, 1), (1, 1)], marks=pytest.mark.whole), [(0, 0), (1, 0), (1, 2)]], ids=str)
def test_a_training_killed_in_either_phase_ends_like_an_undisturbed_one(source, undisturbed, tmp_path, kills):
    data, cfg = data_of(few(20)), slice_of(source, SHORT, fine_tune=TUNED)
    for kill in kills:
        with pytest.raises(Killed):
            trained(source, data, cfg, tmp_path, kill)
    model, history, states = trained(source, data, cfg, tmp_path)
    assert_same((history, model.get_weights()), (undisturbed[1], undisturbed[0].get_weights()))
    assert_cleared(states, tmp_path)


def test_fine_tuning_that_does_not_help_leaves_the_head_as_it_was(source, tmp_path):
    data = data_of(few(20))
    before, _, _ = trained(source, data, slice_of(source, SHORT), tmp_path / "head")
    spoilt = {"from": "conv1", "epochs": 1, "learning_rate": 0.5}
    after, history, _ = trained(source, data, slice_of(source, SHORT, fine_tune=spoilt), tmp_path / "both")
    assert history[-1]["val_loss"] > history[1]["val_loss"]
    for mine, theirs in zip(after.get_weights(), before.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, **CLOSE)


def test_fine_tuning_that_diverges_names_its_own_rate(source, tmp_path):
    broken = {"from": "conv1", "epochs": 1, "learning_rate": 1e30}
    with pytest.raises(HubelError, match="diverged") as caught:
        trained(source, data_of(few(5)), slice_of(source, SHORT, fine_tune=broken), tmp_path)
    assert caught.value.hint.startswith("Lower transfer.fine_tune.learning_rate of 1e+30, or clip")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"layer": "dens"}, "no layer 'dens'; did you mean 'dense'"),
        ({"fine_tune": {"from": "logits"}}, "no layer 'logits'"),
        ({"fine_tune": {"from": "drop"}}, "nothing can be trained from"),
    ],
)
def test_a_layer_that_cannot_be_is_said_before_training(source, asked, words):
    with pytest.raises(UsageError, match=words) as caught:
        built(source, data_of(few(1)), slice_of(source, **asked))
    assert str(source) in caught.value.message


def test_a_file_that_cannot_be_loaded_is_one_sentence(tmp_path):
    (tmp_path / "a.keras").write_text("no model")
    with pytest.raises(UsageError, match=r"cannot be loaded: .+\.$"):
        built(tmp_path / "a.keras", data_of(few(1)), slice_of(tmp_path / "a.keras"))


def test_normalisation_is_the_source_s_and_done_once(source, regression):
    _, model = regression
    assert isinstance(model.get_layer("normalize"), layers.Identity)
    inside = normalize.inner(model).get_layer(transfer.FEATURES)
    assert [layer.name for layer in inside.layers] == ["pixels", "normalize", "net"]
    assert inside.get_layer("normalize").scale == 1 / 255


@pytest.mark.parametrize("head", [pytest.param("logistic_regression", marks=pytest.mark.whole), "nearest_neighbours"])
def test_what_is_exported_answers_as_it_was_trained(source, tmp_path, head):
    data, cfg = data_of(few(3)), slice_of(source, {"epochs": 1}, head=head)
    model, _, _ = trained(source, data, cfg, tmp_path)
    card = digits.card(class_names=digits.NAMES[5:], architecture=str(source), transfer=cfg.transfer.model_dump())
    folder = tmp_path / "Format-Serving"
    export.write(folder, model, task_of("classification"), card, SimpleNamespace(validation=[]))
    pixels = PIXELS[TEST[:20]]
    expected = keras.ops.softmax(model(pixels))
    np.testing.assert_allclose(keras.ops.softmax(artifact.load(str(tmp_path))(pixels)), expected, atol=1e-6)
    answer = tf.saved_model.load(str(folder)).signatures[keys.PIXELS](pixels=tf.constant(pixels))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    [kept] = [layer for layer in normalize.inner(artifact.load(str(tmp_path))).layers if layer.name == transfer.HEAD]
    assert isinstance(kept, NearestNeighbours) == (head == "nearest_neighbours")


def test_a_network_of_keras_applications_is_transferred(monkeypatch, tmp_path):
    """Random weights, since ImageNet's are to be fetched: what is done with them is the same."""
    name = "keras.applications:MobileNet"
    fetched = functools.partial(published.model, weights=None)

    def learned(*arguments):
        model = fetched(*arguments)
        for layer in model.get_layer("net").layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.gamma.assign(layer.gamma * 5)  # or nothing would be left of an image at the end
        return model

    monkeypatch.setattr(published, "model", learned)
    origin = Origin(name, name, None, "keras", True)
    cfg = slice_of(name, head="nearest_neighbours", neighbours=1)
    labels = np.arange(4) % 2
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 1)).astype("float32")
    pixels[labels == 1, :, 16:] = 0
    plain = tf.data.Dataset.from_tensors((pixels, {keys.LABEL: labels}))
    data = Data(DataInfo((32, 32, 1), ["a", "b"], 4), 1, lambda first, epochs: plain, plain, plain)
    keras.utils.set_random_seed(0)
    model = training.build(training.entry_of({"origin": origin.as_json()}, cfg), data, cfg)
    net = normalize.inner(model).get_layer(transfer.FEATURES).get_layer("net")
    training.train_in_phases(training.phases_of(task_of("classification"), cfg, model), model, data, cfg, tmp_path / "state")
    references, held = normalize.inner(model).get_layer(transfer.HEAD).get_weights()
    # the preprocessing that it was published with, once, and the means of its last maps
    expected = net(np.repeat(pixels, 3, -1) / 127.5 - 1, training=False)
    assert references.shape == (4, 1024)
    np.testing.assert_allclose(references, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_array_equal(held, labels)
    assert not model.trainable_variables
    np.testing.assert_array_equal(np.argmax(model(pixels), 1), labels)  # each is its own nearest


def test_where_a_network_comes_from_survives_json(source):
    assert Origin.of_json(origin_of(source).as_json()) == origin_of(source)
    assert transferred.entry(origin_of(source), slice_of(source).transfer).name == str(source)
