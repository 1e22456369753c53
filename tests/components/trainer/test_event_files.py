"""TensorBoard reads what Trainer leaves for it: by its own readers, figures are the history's."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import graph_pb2
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.util.tensor_util import make_ndarray

import keras_models
from components import keys, progress
from components.tasks.by_name import task_of
from components.trainer import training
from components.trainer.event_files import embeddings, hyperparameters, looks
from components.trainer.event_files.logged import RATE, Logged, logging
from components.trainer.phases import Phase
from tests.components import digits
from tests.components.trainer import test_resume as resumed

FIRST = {"epochs": 1, "batch_size": 32}


def read(folder) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def series(folder) -> dict[str, list[tuple[int, float]]]:
    """Tag -> (step, value) of each scalar."""
    events = read(folder)
    tags = [tag for tag, about in events.summary_metadata.items() if about.plugin_data.plugin_name == "scalars"]
    return {tag: [(event.step, float(make_ndarray(event.tensor_proto))) for event in events.Tensors(tag)] for tag in tags}


def times(folder, tag) -> list[float]:
    return [event.wall_time for event in read(folder).Tensors(tag)]


def told(history) -> tuple[dict, dict]:
    """A history as the runs `train` and `validation` are to have it; TensorBoard keeps float32."""
    rows = [(step, name, float(np.float32(value))) for step, figures in enumerate(history, 1) for name, value in figures.items()]
    of_train, of_validation = {}, {}
    for step, name, value in rows:
        run, tag = (of_validation, name.removeprefix("val_")) if name.startswith("val_") else (of_train, name)
        run.setdefault(tag, []).append((step, value))
    return of_train, of_validation


def content(events: EventAccumulator, tag: str) -> bytes:
    return events.summary_metadata[tag].plugin_data.content


def ended(events: EventAccumulator) -> int:
    return metadata.parse_session_end_info_plugin_data(content(events, metadata.SESSION_END_INFO_TAG)).status


@pytest.mark.parametrize("kind", ["classifier", "autoencoder"])
def test_figures_are_the_history_and_the_kept_epoch_is_told(kind, request):
    run = request.getfixturevalue(kind).parent / "model_run"
    history = json.loads((run / "history.json").read_text())
    of_train, of_validation = told(history)
    trained = series(run / keys.TRAIN)
    assert [rate for _, rate in trained.pop(RATE)] == [float(np.float32(1e-3))]
    assert (trained, series(run / keys.VALIDATION)) == (of_train, of_validation)
    kept = {f"kept/{name}": [(1, float(np.float32(value)))] for name, value in history[0].items()}
    assert series(run) == kept


def test_hparams_has_a_session_of_each_run(classifier):
    events = read(classifier.parent / "model_run")
    start = metadata.parse_session_start_info_plugin_data(content(events, metadata.SESSION_START_INFO_TAG))
    values = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
    assert start.group_name == "tiny model_run"
    assert (values["train.optimizer.learning_rate"], values["train.batch_size"]) == (1e-3, 32)
    assert (values["model.name"], values["model.options.hidden"], values["transform.height"]) == ("mlp", "[16]", 8)
    assert (
        metadata.parse_session_end_info_plugin_data(content(events, metadata.SESSION_END_INFO_TAG)).status == api_pb2.STATUS_SUCCESS
    )


def test_what_could_be_searched_and_what_is_not_by_default_is_told():
    cfg = digits.trainer_slice(digits.MLP, augment=[{"rotate": {"degrees": 10}}], model={"name": "lenet5"}, train=FIRST)
    values = hyperparameters.of(cfg, keras_models.get("lenet5"))
    assert {"seed", "train.epochs", "train.keep", "train.optimizer.name", "augment", "transform.resize"} <= values.keys()
    assert set(keras_models.get("lenet5").space) <= {name.removeprefix("model.options.") for name in values}
    assert not {"transform.interpolation", "train.schedule", "name", "export.crops"} & values.keys()  # as by default, or null
    assert all(isinstance(value, str | bool | int | float) for value in values.values())


def pictures(folder, tag) -> list[np.ndarray]:
    import io

    [event] = read(folder).Tensors(tag)
    width, height, *files = make_ndarray(event.tensor_proto)
    images = [np.array(Image.open(io.BytesIO(file))) for file in files]
    assert {image.shape[:2] for image in images} == {(int(height), int(width))}
    return images


def test_training_images_are_those_that_training_begins_with(classifier):
    images = pictures(classifier.parent / "model_run" / keys.TRAIN, "training")
    originals = digits.images()[0][list(digits.rows(keys.TRAIN))[:8], ..., 0]
    assert len(images) == 8  # without augmentation: the images themselves
    assert all(np.array_equal(image, original) for image, original in zip(images, originals, strict=True))


def test_augmented_images_are_augmented(artifacts):
    from components.trainer.event_files import pictures as made

    data = opened(artifacts, digits.MLP, augment=[{"flip": {"horizontal": True}}])
    gallery = made.augmented(data)
    originals = digits.images()[0][list(digits.rows(keys.TRAIN))[:8]]
    is_flipped = [np.array_equal(image, original[:, ::-1]) for image, original in zip(gallery.pixels, originals, strict=True)]
    assert any(is_flipped)
    assert all(
        flipped or np.array_equal(image, original)
        for flipped, image, original in zip(is_flipped, gallery.pixels, originals, strict=True)
    )


def test_an_autoencoder_shows_what_it_makes_of_images(autoencoder):
    run = autoencoder.parent / "model_run"
    pairs = pictures(run / keys.VALIDATION, "reconstruct")
    originals = digits.images()[0][list(digits.rows(keys.VALIDATION))[:8], ..., 0]
    assert [pair.shape for pair in pairs] == [(8, 16)] * 8
    assert all(np.array_equal(pair[:, :8], original) for pair, original in zip(pairs, originals, strict=True))
    model = keras.saving.load_model(autoencoder / keys.KERAS_FILE, compile=False)
    expected = 255 * model.predict_on_batch(originals[..., None].astype(np.float32))[..., 0]
    assert max(np.abs(pair[:, 8:] - image).max() for pair, image in zip(pairs, expected, strict=True)) <= 0.5 + 1e-3


@pytest.mark.parametrize(("kind", "layer"), [("classifier", "mlp"), ("autoencoder", "encoder")])
def test_the_graph_is_that_of_the_network(kind, layer, request):
    events = read(request.getfixturevalue(kind).parent / "model_run")
    graph = graph_pb2.GraphDef.FromString(events.Graph().SerializeToString())
    assert any(layer in node.name.split("/")[0] or layer in node.name.split("/") for node in graph.node)
    assert next(node.op for node in graph.node if "pixels" in node.name) == "Placeholder"
    assert not [node for node in graph.node if "Gradient" in node.name]


@pytest.mark.parametrize("kind", ["classifier", "autoencoder"])
def test_the_projector_has_codes_labels_and_images(kind, request):
    artifact = request.getfixturevalue(kind)
    run = artifact.parent / "model_run"
    config = (run / "projector_config.pbtxt").read_text()
    assert all(name in config for name in ("codes.tsv", "labels.tsv", "sprite.png", "single_image_dim: 8"))
    images, labels = digits.images()
    places = list(digits.rows(keys.VALIDATION))
    assert (run / "embeddings/labels.tsv").read_text().splitlines() == [digits.NAMES[label] for label in labels[places]]
    model = keras.saving.load_model(artifact / keys.KERAS_FILE, compile=False)
    net = model.get_layer("net")
    before = net.get_layer("encoder") if kind == "autoencoder" else keras.Model(net.input, net.layers[-1].input)
    features = before(model.layers[1](images[places].astype(np.float32)))
    codes = np.loadtxt(run / "embeddings/codes.tsv", delimiter="\t")
    np.testing.assert_allclose(codes, keras.ops.convert_to_numpy(features), rtol=1e-4, atol=1e-4)
    sprite = np.array(Image.open(run / "embeddings/sprite.png"))
    assert sprite.shape == (64, 64)  # 60 images in 8 columns
    assert np.array_equal(sprite[8:16, 24:32], images[places[11], ..., 0])


def test_wide_features_keep_their_distances():
    from components.trainer.data import Data, DataInfo

    rng = np.random.default_rng(0)
    images = rng.normal(size=(40, 20, 20, 1)).astype(np.float32)
    batch = tf.data.Dataset.from_tensors((images, {keys.LABEL: np.arange(40) % 3 - 1}))
    data = Data(DataInfo((20, 20, 1), [], 40), 1, None, batch, batch, labelled=lambda many: batch)
    image = keras.Input((20, 20, 1))
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image)))
    embedding = embeddings.of(model, data, {keys.LABEL: ["a\tb", "c"]}, "image")
    assert embedding.vectors.shape == (40, 40)
    apart, before = (np.linalg.norm(rows[:, None] - rows[None], axis=-1) for rows in (embedding.vectors, images.reshape(40, -1)))
    np.testing.assert_allclose(apart, before, rtol=1e-3, atol=1e-2)
    assert embedding.labels[:3] == ["no label", "a b", "c"]


def test_a_sprite_is_bounded(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 255, (10, 100, 50, 3)).astype(np.float32)
    embeddings.write(tmp_path, embeddings.Embedding(rng.normal(size=(10, 4)), (), pixels))
    assert Image.open(tmp_path / "embeddings/sprite.png").size == (4 * 16, 4 * 32)
    assert "metadata_path" not in (tmp_path / "projector_config.pbtxt").read_text()


def opened(artifacts, tree, **changes):
    cfg = digits.trainer_slice(tree, **changes)
    args = digits.fn_args(artifacts.examples.parent, artifacts.transformed, artifacts.transform, artifacts.schema, cfg, True)
    return training.data_of(args, cfg, task_of("classification"), "image")


def fitted(folder, state, cfg, task=None, model=None):
    """A training of test_resume's network that is logged into a folder: its history."""
    keras.backend.clear_session()
    model = model or resumed.fresh_model()
    with logging(folder, {}, "a") as logged:
        phases = [Phase(task or task_of("classification"), cfg.train)]
        history, states = training.train_in_phases(phases, model, resumed.data_of(), cfg, state, logged)
        logged.ended(history, training.kept_epochs(phases, states))
    return history


@pytest.mark.usefixtures("eager")
def test_a_training_that_goes_on_continues_its_log(tmp_path):
    cfg = resumed.slice_of(**resumed.COSINE)
    with pytest.raises(resumed.Killed):
        fitted(tmp_path / "killed", tmp_path / "state", cfg, resumed.Killing(task_of("classification"), 1))
    history = fitted(tmp_path / "log", tmp_path / "state", cfg)
    of_train, of_validation = told(history)
    trained = series(tmp_path / "log" / keys.TRAIN)
    rates = [rate for _, rate in trained.pop(RATE)]
    assert (trained, series(tmp_path / "log" / keys.VALIDATION)) == (of_train, of_validation)
    assert len(history) == 4
    # cosine after an epoch of warm-up, at the ends of epochs
    expected = [0.02 * (1 + math.cos(math.pi * epoch / 3)) / 2 for epoch in range(4)]
    assert rates == pytest.approx(expected, abs=1e-6)
    before, after = (times(tmp_path / name / keys.TRAIN, "loss") for name in ("killed", "log"))
    assert after[:2] == before
    assert after == sorted(after)
    best = min(range(4), key=lambda epoch: history[epoch]["val_loss"])
    assert series(tmp_path / "log")["kept/val_loss"] == [(best + 1, float(np.float32(history[best]["val_loss"])))]
    assert ended(read(tmp_path / "killed")) == api_pb2.STATUS_FAILURE


@pytest.mark.usefixtures("eager")
def test_what_is_over_when_it_goes_on_has_its_log_too(tmp_path):
    cfg = resumed.slice_of(epochs=2, early_stopping=None)
    history = fitted(tmp_path / "first", tmp_path / "state", cfg)
    again = fitted(tmp_path / "again", tmp_path / "state", cfg)  # a kill between training and export
    assert again == history
    assert series(tmp_path / "again" / keys.TRAIN) == series(tmp_path / "first" / keys.TRAIN)


@pytest.mark.usefixtures("eager")
def test_a_part_that_is_trained_before_has_runs_of_its_own_and_phases_follow_each_other(tmp_path):
    cfg = resumed.slice_of(epochs=1, early_stopping=None)
    task, model = task_of("classification"), resumed.fresh_model()
    phases = [Phase(task, cfg.train, "pair_1", part=resumed.fresh_model()), Phase(task, cfg.train), Phase(task, cfg.train, "finer")]
    logged = Logged(tmp_path / "log")
    history, _ = training.train_in_phases(phases, model, resumed.data_of(), cfg, tmp_path / "state", logged)
    logged.close()
    assert len(history) == 2
    assert [step for step, _ in series(tmp_path / "log/pair_1" / keys.TRAIN)["loss"]] == [1]
    assert series(tmp_path / "log" / keys.VALIDATION) == told(history)[1]


def test_what_cannot_be_shown_is_a_warning_and_the_rest_is_there(artifacts, tmp_path, monkeypatch):
    class Own(keras.Model):
        """Of somebody's own: not functional, so that its layers cannot be told apart."""

        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(10)

        def call(self, pixels):
            return self.dense(keras.ops.reshape(pixels, (-1, 64)))

    events = []
    monkeypatch.setattr(progress, "_listeners", [events.append])
    model = Own()
    model(np.zeros((1, 8, 8, 1), np.float32))
    card = digits.card(input_shape=(8, 8, 1))
    looks.write(tmp_path, model, task_of("classification"), card, opened(artifacts, digits.MLP), {}, 1)
    said = [event["text"] for event in events if event["event"] == "warning"]
    assert [text.split(" of this")[0] for text in said] == ["TensorBoard has no graph", "TensorBoard has no embeddings"]
    assert len(pictures(tmp_path / keys.TRAIN, "training")) == 8


def test_training_images_are_those_that_the_first_epoch_has(artifacts, tmp_path):
    augmented = [{"rotate": {"degrees": 20}}, {"translate": {"height": 0.2, "width": 0.2}}]
    cfg = digits.trainer_slice(digits.MLP, augment=augmented, train={"epochs": 1, "batch_size": 4096})
    fn_args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, artifacts.schema, cfg)
    data = training.data_of(fn_args, cfg, task_of("classification"), "image")
    pixels, targets = data.sample(8)
    [(whole, labels)] = data.training(0, 1)
    apart = np.abs(pixels.numpy()[:, None] - whole.numpy()[None]).max((2, 3, 4))
    assert pixels.shape == (8, 8, 8, 1)
    assert apart.min(1).max() < 1e-2
    assert labels["label"].numpy()[apart.argmin(1)].tolist() == targets["label"].numpy().tolist()
    plain = next(iter(data.plain))[0][:8]
    assert (np.abs(pixels - plain).max((1, 2, 3)) > 1).all()
