"""PaDiM and PatchCore against SciPy, scikit-learn and a k-centre by brute force: what is found, and what is served."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy import ndimage
from scipy.spatial import distance
from sklearn.neighbors import NearestNeighbors

from components.tasks import anomaly
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.tasks.patches import padim, patchcore, shared
from components.trainer import transfer as transferred
from components.trainer.data import Data, DataInfo
from components.trainer.origin import Origin
from components.transform import placement
from configs.errors import HubelError, UsageError
from configs.schema.anomaly import AnomalyConfig
from configs.schema.run import RunConfig
from configs.schema.transfer import TransferConfig
from keras_models import normalize, transfer
from keras_models.layers.patches import PatchGaussians, PatchMemory
from tests.components import digits
from tests.components.tasks import test_anomaly as plain

IMAGES, BATCH, SEED = 60, 16, 3
HEADS = {"padim": {"dimensions": 6}, "patchcore": {"coreset": 0.05, "reweight": 4}}


def network():
    """Two maps, one of half the other's size, in a sub-model as those that hubel pushes have."""
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1), name="image")
    x = fine = layers.Conv2D(5, 3, padding="same", activation="relu", name="fine")(image)
    x = layers.Conv2D(4, 3, 2, "same", activation="relu", name="coarse")(x)
    logits = layers.Dense(2, name="logits")(layers.Flatten(name="flatten")(x))
    assert fine.shape[1:3] == (8, 8)
    return normalize.with_normalization(keras.Model(image, logits, name="net"), "unit")


def batches(rows, **targets):
    pixels = digits.images()[0][rows].astype(np.float32)
    return tf.data.Dataset.from_tensor_slices((pixels, {name: values[: len(pixels)] for name, values in targets.items()})).batch(
        BATCH
    )


def data():
    info = DataInfo((8, 8, 1), [], IMAGES)
    return Data(info, 4, None, batches(slice(0, IMAGES)), batches(slice(100, 130)))


@pytest.fixture(scope="module", params=HEADS)
def fitted(request):
    """A detector of digits, and its features by Keras alone."""
    asked = TransferConfig(
        source="a", head=request.param, layers=["fine", "coarse"], seed=SEED, smoothing=1.5, **HEADS[request.param]
    )
    source = network()
    features = transfer.map_extractor(source, asked.layers)
    net = transfer.with_patches(features, (8, 8, 1), transferred._of_patches(asked, features, IMAGES))
    model = normalize.with_normalization(net, "none")
    inner, told = task_of(f"patches.{request.param}"), []
    inner.fit(model, data(), None, 0, [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: told.append(logs))])
    [figures] = told
    assert figures["val_loss"] > 0
    return SimpleNamespace(name=request.param, model=model, head=shared.head_of(model), source=source, inner=inner)


def maps_of(source, rows):
    """The two maps, by a model that is built anew."""
    net = source.get_layer("net")
    both = keras.Model(net.inputs, [net.get_layer("fine").output, net.get_layer("coarse").output])
    return [np.asarray(m) for m in both(digits.images()[0][rows].astype(np.float32) / 255)]


def padim_features(source, rows):
    fine, coarse = maps_of(source, rows)
    return np.concatenate([fine, coarse.repeat(2, 1).repeat(2, 2)], -1)


def patchcore_features(source, rows):
    """Means over 3x3 px, over what there is of them at a border; the coarser map in between, as TensorFlow does."""
    pooled = []
    for map_ in maps_of(source, rows):
        kernel = np.ones((1, 3, 3, 1))
        sums = ndimage.convolve(map_.astype(np.float64), kernel, mode="constant")
        pooled.append(sums / ndimage.convolve(np.ones_like(map_, np.float64), kernel, mode="constant"))
    return np.concatenate([pooled[0], tf.image.resize(pooled[1], (8, 8)).numpy()], -1)


TEST = slice(300, 340)


def placed(rows=TEST):
    return placement.of_targets({}, rows.stop - rows.start, digits.card().transform)


@pytest.mark.parametrize("fitted", ["padim"], indirect=True)
def test_padim_is_scipy_s_mahalanobis_at_each_place(fitted):
    chosen = np.sort(np.random.default_rng(SEED).choice(9, 6, replace=False))
    np.testing.assert_array_equal(fitted.head.chosen, chosen)
    training, test = (padim_features(fitted.source, rows)[..., chosen].astype(np.float64) for rows in (slice(0, IMAGES), TEST))
    made = fitted.model(digits.images()[0][TEST].astype(np.float32)).numpy()
    assert made.shape == (40, 8, 8, 1)
    for y, x in ((0, 0), (3, 4), (7, 7), (2, 6)):
        rows = training[:, y, x]
        inverse = np.linalg.inv(np.cov(rows.T) + 0.01 * np.eye(6))
        expected = [distance.mahalanobis(row, rows.mean(0), inverse) for row in test[:, y, x]]
        np.testing.assert_allclose(made[:, y, x, 0], expected, rtol=1e-4)


@pytest.mark.parametrize("fitted", ["patchcore"], indirect=True)
def test_patchcore_s_distances_are_scikit_learn_s_and_its_score_is_equation_7(fitted):
    memory = fitted.head.memory.numpy()
    assert memory.shape == (round(0.05 * IMAGES * 64), 9)
    training = patchcore_features(fitted.source, slice(0, IMAGES)).reshape(-1, 9)
    assert distance.cdist(memory, training).min(1).max() < 1e-4, "patches of training images"
    test = patchcore_features(fitted.source, TEST)
    nearest = NearestNeighbors(n_neighbors=1).fit(memory)
    expected, places = nearest.kneighbors(test.reshape(-1, 9))
    expected, places = expected.reshape(40, 64), places.reshape(40, 64)
    pixels = tf.constant(digits.images()[0][TEST].astype(np.float32))
    np.testing.assert_allclose(fitted.model(pixels).numpy().reshape(40, 64), expected, atol=2e-4)
    scores = fitted.inner.distance(fitted.model, pixels, placed()).numpy()
    around = NearestNeighbors(n_neighbors=4).fit(memory)
    for image in range(40):
        at = expected[image].argmax()
        patch, own = test[image].reshape(-1, 9)[at], memory[places[image, at]]
        others = memory[around.kneighbors(own[None])[1][0]]
        weight = 1 - np.exp(expected[image, at]) / np.exp(np.linalg.norm(others - patch, axis=1)).sum()
        assert scores[image] == pytest.approx(weight * expected[image, at], rel=1e-2, abs=1e-3)


def test_a_memory_of_one_patch_has_no_neighbours_to_weigh_by():
    """The nearest of one patch is itself: equation 7 makes 0 of every distance."""
    head = PatchMemory(1, reweight=9)
    maps = np.random.default_rng(0).random((3, 4, 4, 2), dtype=np.float32)
    head.build(maps.shape)
    head.hold(np.zeros((1, 2), np.float32))
    distances, scores = head.both([tf.constant(maps)], tf.ones([3, 4, 4]))
    np.testing.assert_allclose(scores, np.max(distances, (1, 2, 3)), rtol=1e-6)
    assert (scores.numpy() > 0.1).all()


def test_the_map_is_enlarged_and_smoothed_as_scipy_does_and_its_largest_value_is_padim_s_score(fitted):
    pixels = tf.constant(digits.images()[0][TEST].astype(np.float32))
    map_, inside = fitted.inner.strangeness(fitted.model, pixels, placed())
    expected = ndimage.gaussian_filter(fitted.model(pixels).numpy(), (0, 1.5, 1.5, 0))
    np.testing.assert_allclose(map_, expected, rtol=1e-4, atol=1e-5)
    assert inside.numpy().all()
    if fitted.name == "padim":
        np.testing.assert_allclose(fitted.inner.distance(fitted.model, pixels, placed()), expected.max((1, 2, 3)), rtol=1e-4)


def test_bars_are_no_part_of_score_and_map(fitted):
    """What lies in them is changed, and nothing of the answer is."""
    transform = digits.card(transform=plain.FIT).transform
    sizes = {name: np.full(10, side) for name, side in zip(placement.SIZE, (8, 16), strict=True)}
    where = placement.of_targets(sizes, 10, transform)
    far = digits.images()[0][300:310].astype(np.float32)
    map_, inside = fitted.inner.strangeness(fitted.model, tf.constant(far), where)
    assert not map_.numpy()[:, :2].any()
    assert inside.numpy().sum() == 10 * 32
    top = fitted.model(far).numpy()[:, 2:6].max((1, 2, 3))
    score = fitted.inner.distance(fitted.model, tf.constant(far), where).numpy()
    assert (score <= top * (1 + 1e-5)).all()


def test_served_is_trained_and_the_judge_reads_what_is_served(fitted, tmp_path):
    name = f"anomaly:patches.{fitted.name}"
    around = task_of(name)
    around.inner = fitted.inner
    card = digits.card(task=name, anomaly={"score": "feature_distance"}, transform=digits.AUTOENCODER["transform"])
    card = card.model_copy(update={"calibrated": around.calibrate(fitted.model, data(), card)})
    folder = plain.saved(tmp_path, fitted.model, card, around, ("anomalies_pixels", "figures_pixels", "anomaly_score_pixels"))
    served = tf.saved_model.load(str(folder)).signatures
    pixels = tf.constant(digits.images()[0][TEST].astype(np.float32))
    answer, figures = (plain.numpy_of(served[f"{of}_pixels"](pixels=pixels)) for of in ("anomalies", "figures"))
    np.testing.assert_allclose(answer["anomaly_score"], fitted.inner.distance(fitted.model, pixels, placed()), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(figures["anomaly_score"], answer["anomaly_score"], rtol=1e-6)
    map_ = fitted.inner.strangeness(fitted.model, pixels, placed())[0]
    threshold = card.calibrated["anomaly"]["threshold"]
    np.testing.assert_allclose(answer["anomaly_map"], np.square(map_ / (2 * threshold)), rtol=1e-3, atol=1e-5)
    judge = judge_of(name)
    assert {"auroc", "mean_distance"} <= set(judge.metrics)
    assert set(judge.each({n: v[0] for n, v in figures.items()}, 1)) == {"anomaly_score", "is_anomaly", "mean_distance"}
    assert judge.inner.components(None, card) == 1, "no more than there are training images"


def test_a_saved_detector_is_the_same(fitted, tmp_path):
    fitted.model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    pixels = digits.images()[0][TEST].astype(np.float32)
    np.testing.assert_array_equal(again(pixels), fitted.model(pixels))
    head = shared.head_of(again)
    assert (head.seed, head.smoothing) == (SEED, 1.5)
    assert not again.trainable_weights


@pytest.mark.parametrize("seed", [0, 1])
def test_the_coreset_is_that_of_a_greedy_k_centre_by_brute_force(seed):
    rows = np.random.default_rng(seed).normal(3, 1, (200, 5)).astype(np.float32)
    chosen = patchcore.coreset(rows, 40, seed)
    apart = distance.cdist(rows.astype(np.float64), rows.astype(np.float64))
    expected = [int(chosen[0])]
    while len(expected) < 40:
        expected.append(int(apart[:, expected].min(1).argmax()))
    assert chosen.tolist() == expected
    assert len(set(patchcore.coreset(np.ones((7, 2), np.float32), 7, 0))) == 7, "equal ones are taken once each"


def test_few_numbers_are_not_projected_and_many_keep_their_distances():
    generator = np.random.default_rng(0)
    few, many = generator.normal(size=(50, 16)).astype(np.float32), generator.normal(size=(50, 1000)).astype(np.float32)
    assert patchcore.projected(few, 16, 0) is few
    made = patchcore.projected(many, 128, 0)
    assert made.shape == (50, 128)
    ratios = distance.pdist(made) / distance.pdist(many)
    assert 0.7 < ratios.min() < ratios.max() < 1.3
    np.testing.assert_array_equal(patchcore.projected(many, 128, 0), made)


def test_too_few_images_have_no_covariance_and_too_many_patches_are_refused(monkeypatch):
    with pytest.raises(HubelError, match="two training images"):
        padim.Task().learn(PatchGaussians(2), iter([np.ones((1, 2, 2, 3), np.float32)]))
    monkeypatch.setattr(patchcore, "MOST_BYTES", 10)
    with pytest.raises(HubelError, match="patches take more than"):
        patchcore.Task().learn(PatchMemory(1), iter([np.ones((1, 2, 2, 3), np.float32)]))


DETECTOR = {"source": "a", "head": "padim", "layers": ["fine"]}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"transfer": {**DETECTOR, "layers": None}}, "name the layers"),
        ({"transfer": {**DETECTOR, "coreset": 0.5}}, "coreset is of patchcore; padim does not read it"),
        ({"transfer": {**DETECTOR, "layer": "fine"}}, "layer is of"),
        ({"transfer": {**DETECTOR, "head": "patchcore", "reweight": 1}}, "every score would be 0"),
        ({"transfer": {**DETECTOR, "weights": "random"}}, "has its own"),
        ({"transfer": {"source": "a", "layers": ["fine"]}}, "layers is of padim and patchcore"),
        ({"transfer": DETECTOR}, "add anomaly"),
        ({"transfer": DETECTOR, "anomaly": {}}, "add anomaly"),
        ({"anomaly": {"score": "feature_distance"}}, "of transfer's heads padim and patchcore"),
    ],
)
def test_what_does_not_go_together_is_refused(tree, words):
    with pytest.raises(ValueError, match=words):
        RunConfig.model_validate({"name": "a", **tree})


def test_a_detector_has_one_score_and_others_do_not_have_it():
    anomaly.check(task_of("patches.padim"), AnomalyConfig(score="feature_distance"))
    for name, score in (("patches.patchcore", "reconstruction_error"), ("reconstruction", "feature_distance")):
        with pytest.raises(UsageError) as caught:
            anomaly.check(task_of(name), AnomalyConfig(score=score))
        assert caught.value.hint


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["fine", "fine"], "twice"),
        (["flatten"], "no maps"),
        (["nothing"], "no layer 'nothing'"),
        (["net", "fine"], "beside its own"),
    ],
)
def test_layers_that_make_no_maps_are_refused(names, words):
    with pytest.raises(ValueError, match=words):
        transfer.map_extractor(network(), names)


def test_a_detector_fetches_no_weights(monkeypatch):
    origin = Origin("keras.applications:MobileNetV2", "keras.applications:MobileNetV2", None, "", True)
    asked = TransferConfig(source=origin.source, head="padim", layers=["block_1_expand"])
    monkeypatch.setattr(transferred.published, "missing", lambda *_: SimpleNamespace(file="w.h5", folder="there"))
    with pytest.raises(UsageError, match="fetches none") as caught:
        transferred.prove(origin, asked, (32, 32, 3))
    assert "w.h5" in caught.value.hint


def test_a_network_of_keras_may_have_random_weights_or_those_of_a_file(tmp_path):
    name = "keras.applications:MobileNetV2"
    asked = TransferConfig(source=name, weights="random", head="patchcore", layers=["block_1_expand_relu"], coreset=0.1)
    random = Origin(name, name, None, "", True, weights="random")
    transferred.prove(random, asked, (32, 32, 1))
    keras.utils.set_random_seed(0)
    source = transferred._opened(random, (32, 32, 3))
    file = tmp_path / "mine.weights.h5"
    bare = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    bare.save_weights(file)
    loaded = transferred._opened(Origin(name, name, None, "", True, weights=str(file)), (32, 32, 3)).get_layer("net")
    for ours, theirs in zip(loaded.weights, bare.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert any(
        (ours.numpy() != other.numpy()).any() for ours, other in zip(loaded.weights, source.get_layer("net").weights, strict=True)
    )
