"""What is exported answers as documented, in any process, to any input."""

import contextlib
import json
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components import keys
from components.tasks import task_of
from components.trainer import artifact, export
from components.trainer.card import Card
from tests.components import digits
from tests.components.trainer.graphs import RANDOM, operations, random_ops, seeded

STRING, FLOAT = tf.string, tf.float32
ENDS = {
    "": ("examples", STRING, [None]),
    "_image_bytes": ("image_bytes", STRING, [None]),
    "_pixels": ("pixels", FLOAT, [None] * 3 + [1]),
}
CLASSES = {"probabilities": (FLOAT, [None, 10]), "classes": (STRING, [None, 3]), "scores": (FLOAT, [None, 3])}
IMAGES = {"images": (FLOAT, [None, 8, 8, 1])}
CODES = {"codes": (FLOAT, [None, 4])}
SCORE = {"anomaly_score": (FLOAT, [None])}
FIGURES = {"mse": (FLOAT, [None]), "ssim": (FLOAT, [None]), "sparsity": (FLOAT, [None])}
MASK = {"mask": (STRING, [None])}
CLASSIFIER = {
    "serving_default": ("examples", STRING, [None], CLASSES),
    "image_bytes": ("image_bytes", STRING, [None], CLASSES),
    "pixels": ("pixels", FLOAT, [None, None, None, 1], CLASSES),
    "classify": ("inputs", STRING, [None], {"classes": (STRING, [None, 10]), "scores": (FLOAT, [None, 10])}),
}
AUTOENCODER = {
    "serving_default": ("examples", STRING, [None], IMAGES),
    "image_bytes": ("image_bytes", STRING, [None], IMAGES),
    "pixels": ("pixels", FLOAT, [None, None, None, 1], IMAGES),
    **{
        name + end: (*takes, outputs)
        for name, outputs in (("reconstruct", IMAGES), ("encode", CODES), ("anomaly_score", SCORE), ("figures", FIGURES))
        for end, takes in ENDS.items()
    },
    **{f"inpaint{end}": (*takes, IMAGES, MASK) for end, takes in ENDS.items()},
    "decode": ("z", FLOAT, [None, 4], IMAGES),
}


@pytest.fixture(scope="module")
def models(classifier, autoencoder):
    """Name -> artifact folder, SavedModel folder, what it loads to, documented signatures."""
    return {
        name: SimpleNamespace(
            artifact=folder,
            saved=folder / "Format-Serving",
            loaded=tf.saved_model.load(str(folder / "Format-Serving")),
            documented=documented,
        )
        for name, folder, documented in (("classifier", classifier, CLASSIFIER), ("autoencoder", autoencoder, AUTOENCODER))
    }


@pytest.fixture(params=["classifier", "autoencoder"])
def model(models, request):
    return models[request.param]


def described(specs) -> dict:
    return {name: (spec.dtype, spec.shape.as_list()) for name, spec in specs.items()}


def test_every_signature_is_there_with_the_names_types_and_shapes_documented(model):
    found = {}
    for name, function in model.loaded.signatures.items():
        outputs = {k: (v.dtype, v.shape.as_list()) for k, v in function.structured_outputs.items()}
        found[name] = (described(function.structured_input_signature[1]), outputs)
    wanted = {}
    for name, (argument, dtype, shape, outputs, *extra) in model.documented.items():
        wanted[name] = ({argument: (dtype, shape), **dict(*extra)}, outputs)
    assert found == wanted


def test_the_artifact_holds_everything_that_belongs_to_the_model(model):
    files = {str(path.relative_to(model.artifact)) for path in model.artifact.rglob("*") if path.is_file()}
    assert {"card.json", "model.keras", "Format-Serving/saved_model.pb", "Format-Serving/assets.extra/hubel.json"} <= files
    assert json.loads((model.saved / "assets.extra" / "hubel.json").read_text()) == json.loads(
        (model.artifact / "card.json").read_text()
    )
    history = json.loads((model.artifact.parent / "model_run" / "history.json").read_text())
    assert len(history) == 1
    assert {"loss", "val_loss"} <= set(history[0])
    assert not list((model.artifact.parent / "training").glob("*")), "the state of a training that ended is forgotten"


def test_the_card_tells_what_the_model_is(models):
    card = Card.read(str(models["classifier"].artifact))
    assert (card.name, card.architecture, card.task, card.epochs, card.train_images) == ("tiny", "mlp", "classification", 1, 240)
    assert (card.input_shape, card.class_names, card.params) == ((8, 8, 1), digits.NAMES, 64 * 16 + 16 + 16 * 10 + 10)
    assert card.transform.normalize == "per_channel"


def encoded(split=keys.TEST, count=12) -> list[bytes]:
    return [tf.io.encode_png(digits.images()[0][i]).numpy() for i in list(digits.rows(split))[:count]]


def ask(model, name, tensor) -> dict:
    [argument] = model.loaded.signatures[name].structured_input_signature[1]
    return {k: v.numpy() for k, v in model.loaded.signatures[name](**{argument: tf.constant(tensor)}).items()}


def test_the_three_ends_of_a_signature_give_the_same_answer(model):
    pixels = digits.images()[0][list(digits.rows(keys.TEST))[:12]].astype(np.float32)
    ends = ask(model, "serving_default", digits.examples(keys.TEST)[:12]), ask(model, "image_bytes", encoded())
    for other in ends:
        for name, value in ask(model, "pixels", pixels).items():
            assert np.array_equal(other[name], value) or np.allclose(other[name], value, atol=1e-5)


def test_answers_mean_what_their_names_say(models):
    answer = ask(models["classifier"], "image_bytes", encoded())
    best = np.argsort(-answer["probabilities"], axis=1)[:, :3]
    assert np.allclose(answer["probabilities"].sum(1), 1, atol=1e-5)
    assert np.array_equal(answer["classes"], np.array(digits.NAMES, "S")[best])
    assert np.allclose(answer["scores"], np.take_along_axis(answer["probabilities"], best, 1))
    every = ask(models["classifier"], "classify", digits.examples(keys.TEST)[:12])
    assert np.array_equal(every["classes"], np.tile(np.array(digits.NAMES, "S"), (12, 1)))
    assert np.allclose(every["scores"], answer["probabilities"], atol=1e-6)


def test_an_autoencoder_s_parts_fit_together(models):
    model = models["autoencoder"]
    pixels = digits.images()[0][list(digits.rows(keys.TEST))[:12]].astype(np.float32)
    images = ask(model, "reconstruct_pixels", pixels)["images"]
    assert np.allclose(ask(model, "decode", ask(model, "encode_pixels", pixels)["codes"])["images"], images, atol=1e-3)
    errors = np.square((images - pixels) / 255).mean((1, 2, 3))
    assert np.allclose(ask(model, "anomaly_score_pixels", pixels)["anomaly_score"], errors, atol=1e-6)
    assert images.min() >= 0
    assert images.max() <= 255


def test_pixels_of_any_size_are_resized_by_the_same_graph(model):
    large = np.repeat(np.repeat(digits.images()[0][:2], 5, 1), 5, 2).astype(np.float32)
    as_png = [tf.io.encode_png(image.astype(np.uint8)).numpy() for image in large]
    for name, value in ask(model, "pixels", large).items():
        other = ask(model, "image_bytes", as_png)[name]
        assert np.array_equal(value, other) or np.allclose(value, other, atol=1e-4)


def test_an_empty_batch_gets_an_empty_answer_or_a_clean_error(model):
    for name, (argument, dtype, shape, _, *extra) in model.documented.items():
        tensor = tf.zeros([0, *(side or 8 for side in shape[1:])], dtype) if dtype == FLOAT else tf.constant([], STRING)
        more = {other: tf.zeros([0], kind) for other, (kind, _) in dict(*extra).items()}
        with contextlib.suppress(tf.errors.InvalidArgumentError):  # oneDNN's convolutions refuse empty batches
            answer = model.loaded.signatures[name](**{argument: tensor}, **more)
            assert {k: v.shape[0] for k, v in answer.items()} == dict.fromkeys(answer, 0)


ALONE = """
import json, sys
import tensorflow as tf
assert not {"keras", "components", "keras_models", "tensorflow_transform"} & set(sys.modules), "only tensorflow is needed"
image = open(sys.argv[1], "rb").read()


def wrong_inputs(spec):
    if spec.dtype == tf.float32:
        shapes = [[], [1], [2, 8], [1, 8, 8], [1, 8, 8, 3], [1, 8, 8, 2], [1, 1, 8, 8, 1], [1, 5], [0], [2, 0, 8, 1]]
        return [tf.zeros(shape) for shape in shapes]
    return [*(tf.fill(shape, image) for shape in ([], [1, 1], [1, 1, 1])), *map(tf.constant, ([b""], [b"no image"], [image[:30]]))]


feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))
example = tf.train.Example(features=tf.train.Features(feature={"image/encoded": feature})).SerializeToString()
RIGHT = {name: tf.constant([value]) for name, value in (("examples", example), ("image_bytes", image), ("mask", image))}
RIGHT["pixels"] = tf.zeros([1, 8, 8, 1])
for folder in sys.argv[2:]:
    loaded = tf.saved_model.load(folder)
    refused, answered = 0, []
    for name, function in loaded.signatures.items():
        specs = function.structured_input_signature[1]
        for argument, spec in specs.items():
            others = {other: RIGHT[other] for other in specs if other != argument}
            for tensor in wrong_inputs(spec):
                try:
                    function(**{argument: tensor}, **others)
                    answered.append([name, argument, tensor.shape.as_list()])
                except (tf.errors.InvalidArgumentError, TypeError, ValueError):
                    refused += 1
    answer = loaded.signatures["image_bytes"](image_bytes=tf.constant([image]))
    outputs = {k: v.numpy().tolist() for k, v in answer.items() if v.dtype == tf.float32}
    print(json.dumps({"refused": refused, "answered": answered, "outputs": outputs}), flush=True)
"""


def test_another_process_that_imports_tensorflow_alone_agrees_and_survives_wrong_input(models, tmp_path):
    image = tmp_path / "image.png"
    image.write_bytes(encoded()[0])
    command = [sys.executable, "-I", "-c", ALONE, str(image), *(str(model.saved) for model in models.values())]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    for model, line in zip(models.values(), done.stdout.splitlines(), strict=True):
        said = json.loads(line)
        assert said["answered"] == []
        assert said["refused"] > 20
        trained = artifact.load(str(model.artifact))(tf.cast(digits.images()[0][[digits.rows(keys.TEST)[0]]], tf.float32)).numpy()
        if "probabilities" in said["outputs"]:
            np.testing.assert_allclose(said["outputs"]["probabilities"], tf.nn.softmax(trained), rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_allclose(np.array(said["outputs"]["images"]) / 255, trained, rtol=1e-5, atol=1e-5)


def test_warm_up_requests_are_of_validation_images_and_replay(model):
    path = model.saved / "assets.extra" / "tf_serving_warmup_requests"
    logs = [prediction_log_pb2.PredictionLog.FromString(r) for r in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()]
    assert len(logs) == digits.MLP["export"]["warmup"]
    sent = []
    for log in logs:
        request = log.predict_log.request
        assert request.model_spec.name == "tiny"
        [(argument, proto)] = request.inputs.items()
        value = tf.make_ndarray(proto)
        assert model.loaded.signatures[request.model_spec.signature_name](**{argument: tf.constant(value)})
        sent.append(tf.io.decode_image(value[0]).numpy())
    assert np.array_equal(sent, digits.images()[0][list(digits.rows(keys.VALIDATION))[: len(logs)]])


def test_no_signature_draws_a_random_number(model):
    assert {"MatMul", "DecodeImage"} <= operations(model.saved)
    assert random_ops(model.saved) == set()


@pytest.mark.parametrize(
    "draw",
    [
        tf.random.uniform,
        tf.random.normal,
        lambda shape: tf.random.stateless_uniform(shape, [1, 2]),
        lambda shape: tf.cast(tf.image.sample_distorted_bounding_box([8, 8, 1], tf.zeros([1, 1, 4]), 1).begin[:1], tf.float32),
    ],
    ids=["uniform", "normal", "stateless", "distorted"],
)
def test_the_scan_would_find_one(tmp_path, draw):
    module = tf.Module()
    module.f = tf.function(lambda x: tf.map_fn(lambda one: one + draw([1]), x), input_signature=[tf.TensorSpec([None, 1])])
    tf.saved_model.save(module, str(tmp_path / "saved"))
    assert random_ops(tmp_path / "saved")


def test_the_scan_knows_every_operation_of_tensorflow_that_takes_a_seed():
    unknown = {op for op in seeded() if not RANDOM.search(op) and not op.startswith("CudnnRNN")}  # dropout, in training alone
    assert unknown == {"ComputeAccidentalHits", "ModelDataset", "SnapshotDataset"}  # draw nothing that an image could see


class AlwaysNoisy(keras.layers.Layer):
    """What a variational encoder must not do when it serves."""

    def __init__(self):
        super().__init__()
        self.seed = keras.random.SeedGenerator(1)

    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x), seed=self.seed)


@pytest.mark.parametrize("sampling", [False, True])
def test_random_layers_are_exported_without_their_draws_unless_they_draw_always(tmp_path, sampling):
    image = keras.Input((8, 8, 1))
    x = keras.layers.GaussianNoise(0.5)(keras.layers.Dropout(0.5)(keras.layers.Flatten()(image)))
    net = keras.Model(image, keras.layers.Dense(10)(AlwaysNoisy()(x) if sampling else x))
    card = digits.card(export={"top_k": 20, "warmup": 0})
    folder = tmp_path / "artifact" / "saved"
    export.write(folder, net, task_of("classification"), card, SimpleNamespace(validation=[]))
    assert bool(random_ops(folder)) == sampling
    answer = tf.saved_model.load(str(folder)).signatures["image_bytes"](image_bytes=tf.constant(encoded()))
    assert answer["classes"].shape == (12, 10), "top_k is at most the number of classes"
