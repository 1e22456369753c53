"""A class for each pixel: what is counted, what is learned, and how a network of the middle is asked."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from components import keys, progress, targets
from components.evaluator.statistic import count
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.tasks.segmentation import VOID_MASKS, VOID_PIXELS, counts, logits
from components.trainer import checks, export, pixel_weights, training
from components.trainer.data import Data, DataInfo
from configs.errors import UsageError
from configs.schema.train import LossConfig, TrainConfig
from keras_models import building, get
from keras_models.autoencoders.convolutional import conv_autoencoder
from keras_models.classifiers.mlp import mlp
from keras_models.normalize import inner, with_normalization
from keras_models.pixel_losses import CrossEntropy
from keras_models.segmenters.encoder_decoder import encoder_decoder
from keras_models.segmenters.unet import unet
from tests.cheaper import eagerly
from tests.components import digits

CLASSES = 4


@pytest.fixture(scope="module")
def labelled() -> tuple[np.ndarray, np.ndarray]:
    """Masks and answers, [N, 6, 5]: of 5 images with pixels of no class, one of nothing else; class 3 is in none."""
    draw = np.random.default_rng(0)
    truth, made = draw.integers(0, 3, (2, 5, 6, 5))
    truth[0], truth[1, :2] = targets.VOID, targets.VOID
    return truth, made


def rows_of(truth, made):
    """What Evaluator keeps."""
    outputs = {name: np.asarray(value) for name, value in counts(tf.constant(made), tf.constant(truth), CLASSES).items()}
    each = [judge_of("segmentation").each({name: value[at] for name, value in outputs.items()}, -1) for at in range(len(truth))]
    return {name: np.array([row[name] for row in each]) for name in each[0]}


def test_figures_are_those_of_one_confusion_matrix_of_all_pixels(labelled):
    truth, made = labelled
    known = truth != targets.VOID
    rows = rows_of(truth, made)
    figures = {name: metric.statistic.value(rows) for name, metric in judge_of("segmentation").metrics.items()}
    assert count(rows) == 5
    assert figures["mean_iou"] == pytest.approx(jaccard_score(truth[known], made[known], average="macro"))
    matrix = confusion_matrix(truth[known], made[known], labels=range(CLASSES))
    np.testing.assert_array_equal(rows["intersection"].sum(0), np.diag(matrix))
    np.testing.assert_array_equal(rows["truth"].sum(0), matrix.sum(1))
    np.testing.assert_array_equal(rows["union"].sum(0), matrix.sum(0) + matrix.sum(1) - np.diag(matrix))
    assert rows["union"].sum(0)[3] == 0, "a class that is in neither is left out"
    assert figures["pixel_accuracy"] == pytest.approx(accuracy_score(truth[known], made[known]))
    along, there = (rows[name][:, 0] for name in ("boundary_f1", "boundaries"))
    assert there.tolist() == [0, 1, 1, 1, 1]
    assert figures["boundary_f1"] == pytest.approx(along[1:].mean())
    assert figures[VOID_PIXELS] == pytest.approx(1 - known.mean())
    assert figures[VOID_MASKS] == pytest.approx(1 / 5)
    per_image = np.mean([jaccard_score(truth[at].ravel(), made[at].ravel(), average="macro") for at in (2, 3, 4)])
    assert figures["mean_iou"] != pytest.approx(per_image, rel=1e-3), "another figure"
    low, high = judge_of("segmentation").metrics["mean_iou"].statistic.interval(rows)
    assert low < figures["mean_iou"] < high


def test_what_is_left_out_is_said():
    judge = judge_of("segmentation")
    assert not judge.remarks(None, {VOID_PIXELS: 0.0, VOID_MASKS: 0.0})
    (told,) = judge.remarks(None, {VOID_PIXELS: 0.175, VOID_MASKS: 0.1})
    said = "17.5% of the pixels of test masks are of no class, and 10.0% of the masks altogether"
    assert told == f"{said}; mean_iou and pixel_accuracy leave them out."
    for resize, more in (("fit", " Bars beside images (transform.resize: fit) are among them."), ("crop", "")):
        card = SimpleNamespace(transform=SimpleNamespace(resize=resize))
        assert judge.remarks(card, {VOID_PIXELS: 0.175, VOID_MASKS: 0.1}) == [told + more]
    rows = {"union": np.array([[3, 0, 4, 0], [1, 0, 0, 0]])}
    (told,) = judge.remarks(SimpleNamespace(class_names=["ground", "cat", "dog", "fox"]), {VOID_PIXELS: 0.0}, rows)
    assert told == "2 of 4 classes are in no test mask and in no answer, and mean_iou leaves them out: cat, fox."


def test_a_network_of_the_middle_is_asked_for_all_of_an_image_as_in_one_large_pass():
    """Parts of an image, mirrored at its edges, together are what the same weights answer for the mirrored image at once."""
    keras.utils.set_random_seed(0)
    options = {"num_classes": 3, "filters": (2, 3), "activation": "elu", "dropout": 0.0}
    small = unet((32, 36, 1), **options)
    assert small.output_shape[1:3] == (16, 20)
    large = unet((48, 52, 1), **options)
    assert large.output_shape[1:3] == (32, 36)
    large.set_weights(small.get_weights())
    pixels = np.random.default_rng(0).random((2, 32, 36, 1), "float32")
    mirrored = np.pad(pixels, [(0, 0), (8, 8), (8, 8), (0, 0)], "reflect")
    np.testing.assert_allclose(logits(small, tf.constant(pixels)), large(mirrored), rtol=1e-5, atol=1e-6)


def test_an_output_that_is_no_map_of_classes_is_refused():
    def built(*shape):
        def build(input_shape, num_classes):
            image = keras.Input(input_shape)
            return keras.Model(image, keras.layers.Reshape(shape)(keras.layers.Flatten()(image)))

        entry = building.replace(get("unet"), build=build, name="own")
        return building.build(entry, {"input_shape": (4, 4, 2), "num_classes": 2}, {})

    assert built(4, 4, 2).output_shape == (None, 4, 4, 2)
    for shape, said in (((4, 8, 1), r"shape must be \(height, width, 2\)"), ((2, 8, 2), "as large or smaller"), ((32,), "a logit")):
        with pytest.raises(UsageError, match=said):
            built(*shape)


def trained_a_step(model):
    """Weights by layer before and after, of a network behind its normalisation."""
    before = {weight.path: np.asarray(weight) for weight in model.weights}
    model.compile(keras.optimizers.SGD(1.0), CrossEntropy(), run_eagerly=True)
    draw = np.random.default_rng(0)
    model.train_on_batch(255 * draw.random((4, *model.input_shape[1:])), draw.integers(0, 3, (4, *model.input_shape[1:])))
    return {path: (value != np.asarray(weight)).any() for (path, value), weight in zip(before.items(), model.weights, strict=True)}


@pytest.mark.parametrize("is_frozen", [False, True])
def test_an_autoencoder_s_encoder_is_a_start_frozen_or_not(is_frozen, told):
    options = {"code_size": 4, "filters": (3, 4)}
    earlier = with_normalization(conv_autoencoder((9, 7, 1), **options), "unit")
    model = with_normalization(encoder_decoder((9, 7, 1), 3, **options), "unit")
    started = task_of("segmentation").start(model, earlier)
    assert told() == ["model.initial gives 3 of 7 layers with weights; new are logits/grow, logits/up2, logits/up1, logits/scores"]
    for name in ("down1", "down2", "code"):
        ours, theirs = (inner(of).get_layer("encoder").get_layer(name).get_weights() for of in (model, earlier))
        for weights, taken in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(weights, taken)
    if is_frozen:
        training.freeze(model, started)
        kept = sum(np.size(weight) for layer in started for weight in layer.weights)
        assert told()[1:] == [f"model.frozen: {kept:,} weights stay as model.initial has them"]
    of_encoder = {weight.path for layer in started for weight in layer.weights}
    changed = trained_a_step(model)
    assert len(of_encoder) == 6 < len(changed)
    assert {is_changed for path, is_changed in changed.items() if path in of_encoder} == {not is_frozen}
    assert all(is_changed for path, is_changed in changed.items() if path not in of_encoder)


def test_what_nothing_can_start_from_and_what_leaves_nothing_to_train_is_refused():
    task, small = task_of("segmentation"), {"filters": (2, 3), "padding": "same"}
    model, same = (with_normalization(unet((8, 8, 1), 3, **small), "unit") for _ in range(2))
    with pytest.raises(UsageError, match="has no layer of the name and size of one of this network's"):
        task.start(model, with_normalization(mlp((8, 8, 1), 3), "unit"))
    with pytest.raises(UsageError, match="nothing is left to train"):
        training.freeze(model, task.start(model, same))


@pytest.fixture
def told(monkeypatch):
    """() -> notes so far."""
    texts = []
    monkeypatch.setattr(progress, "emit", lambda event, **said: texts.append(said["text"]))
    return lambda: texts


def data_of_masks(masks) -> Data:
    pixels = np.where(masks == 0, 20, 200).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices((pixels, {keys.MASK: masks})).batch(2)
    return Data(
        DataInfo((8, 8, 1), ["ground", "thing"], len(masks)),
        2,
        lambda first, epochs: batches.repeat(epochs - first),
        batches,
        batches,
    )


@pytest.mark.parametrize(
    "loss",
    [
        None,
        {"class_weights": "balanced"},
        {"name": "focal", "class_weights": "median_frequency", "gamma": 1.5},
        {"name": "dice"},
        {"name": "jaccard"},
        {"border": {"weight": 4.0, "sigma": 2.0}},
    ],
    ids=str,
)
def test_the_loss_that_the_config_names_is_minimised(loss):
    keras.utils.set_random_seed(0)
    masks = np.zeros((4, 8, 8, 1), np.int64)
    masks[:, 1:3, 1:4], masks[:, 5:7, 4:7] = 1, 1
    data, task = data_of_masks(masks), task_of("segmentation")
    model = with_normalization(unet((8, 8, 1), 2, (4, 6), "same", "elu", 0.0), "unit")
    train = TrainConfig(epochs=3, batch_size=2, early_stopping=None, loss=loss, optimizer={"learning_rate": 1e-2})
    history = keras.callbacks.History()
    with eagerly():
        task.fit(model, data, train, 0, [history])
    assert history.history["val_loss"][-1] < history.history["val_loss"][0]
    asked = LossConfig.model_validate(loss or {})
    assert (task.class_weights is not None) == (asked.class_weights is not None)
    _, given = task.pair(tf.constant(masks, tf.float32), {keys.MASK: tf.constant(masks)})
    if asked.border is None:
        np.testing.assert_array_equal(given, masks)
    else:
        np.testing.assert_allclose(given[..., 1:], pixel_weights.of_borders(masks, 4.0, 2.0))


def test_a_loss_of_pixels_is_refused_where_nothing_has_any_and_keys_of_another_loss():
    cfg = digits.trainer_slice(digits.MLP, train={"loss": {"name": "dice"}})
    with pytest.raises(UsageError, match=r"train.loss says what is minimised of masks"):
        checks.check(cfg, task_of("classification"))
    checks.check(cfg, task_of("segmentation"))
    for wrong, said in (
        ({"name": "dice", "border": {}}, "border weigh pixels, and dice counts each class once"),
        ({"gamma": 1.0}, "gamma is of focal; cross_entropy does not read it"),
    ):
        with pytest.raises(ValueError, match=said):
            LossConfig.model_validate(wrong)


@pytest.mark.parametrize("is_frozen", [False, True])
def test_trainer_begins_with_what_model_initial_gives_and_keeps_it_where_the_config_says(is_frozen, tmp_path, told):
    options = {"code_size": 4, "filters": (3, 4)}
    earlier = with_normalization(conv_autoencoder((8, 8, 1), **options), "unit")
    card = digits.card(architecture="conv_autoencoder", task="reconstruction", input_shape=(8, 8, 1))
    export.keep(tmp_path, earlier, task_of("reconstruction"), card)
    fn_args = SimpleNamespace(
        base_model=str(tmp_path / "Format-Serving"), schema_path=str(digits.write_schema(tmp_path / "schema.pbtxt", digits.NAMES))
    )
    asked = {"name": "encoder_decoder", "options": options, "initial": "earlier", "frozen": is_frozen}
    cfg = digits.trainer_slice(digits.MLP, model=asked, transform={"height": 8, "width": 8, "normalize": "unit"})
    masks = np.zeros((2, 8, 8, 1), np.int64)
    model = training.begun(fn_args, get("encoder_decoder"), task_of("segmentation"), data_of_masks(masks), cfg)
    encoder = inner(model).get_layer("encoder")
    for ours, theirs in zip(encoder.get_weights(), inner(earlier).get_layer("encoder").get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert bool(encoder.trainable_variables) == (not is_frozen)
    assert inner(model).get_layer("logits").trainable_variables
    assert len(told()) == 1 + is_frozen


def test_the_verdict_s_baseline_is_each_pixel_s_most_frequent_class():
    """By scikit-learn, over all pixels of the test masks; a bound where the config has none of its own."""
    draw = np.random.default_rng(2)
    masks = {split: np.minimum(draw.integers(0, 4, (12, 5, 6, 1)), np.arange(6)[:, None]) for split in (keys.TRAIN, keys.TEST)}
    masks[keys.TEST][0, :2] = targets.VOID

    def images(split):
        return tf.data.Dataset.from_tensor_slices((np.zeros((12, 5, 6, 1)), {keys.MASK: masks[split]})).batch(5)

    card = SimpleNamespace(class_names=["ground", "cat", "dog", "fox", "gnu"])
    (compared,) = judge_of("segmentation").compare(None, card, images)
    truth, answer = masks[keys.TEST][..., 0], stats.mode(masks[keys.TRAIN][..., 0], axis=0).mode
    known = truth != targets.VOID
    expected = jaccard_score(truth[known], np.broadcast_to(answer, truth.shape)[known], average="macro")
    assert compared.value == pytest.approx(expected)
    assert (compared.metric, compared.name, compared.yields) == ("mean_iou", "most_frequent_mean_iou", True)
    assert len(compared.each["union"]) == 12
    assert "most frequent class" in compared.words
