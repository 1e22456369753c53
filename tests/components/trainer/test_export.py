"""What is exported answers as documented, in any process, to any input."""

import contextlib
import functools
import io
import json
import shutil
import struct
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from tensorflow_serving.apis import prediction_log_pb2

from components import earlier_cards, keys, progress
from components.example_gen import pictures
from components.tasks.base import Signature
from components.tasks.by_name import task_of
from components.trainer import artifact, endpoints, export, warmup
from components.trainer.card import Card
from configs.schema.reading import Reading
from pipelines.verbs.served import Served
from serving.server import loading, servable
from serving.server.status import ServingError
from tests.cheaper import Forked
from tests.components import digits
from tests.components.example_gen.test_pictures import png
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
    signatures = {}
    for name, function in model.loaded.signatures.items():
        outputs = {k: (v.dtype, v.shape.as_list()) for k, v in function.structured_outputs.items()}
        signatures[name] = (described(function.structured_input_signature[1]), outputs)
    wanted = {}
    for name, (argument, dtype, shape, outputs, *extra) in model.documented.items():
        wanted[name] = ({argument: (dtype, shape), **dict(*extra)}, outputs)
    assert signatures == wanted


def test_a_model_is_traced_for_its_signatures_alone(classifier, tmp_path, monkeypatch):
    """Keras has a function for TensorFlow to look into, at each model and each one inside it."""
    from keras.src.backend.tensorflow.layer import TFLayer

    asked, right = [], TFLayer._default_save_signature
    monkeypatch.setattr(TFLayer, "_default_save_signature", property(lambda layer: asked.append(layer) or right.fget(layer)))
    card = Card.read(str(classifier))
    no_warmup = card.model_copy(update={"export": card.export.model_copy(update={"warmup": 0})})
    model = artifact.load(str(classifier))
    export.write(tmp_path / "saved", model, task_of(card.task), no_warmup, SimpleNamespace(validation=[]))
    assert asked == []
    assert model._default_save_signature is not None  # others are still told of it


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
    assert (card.turns, card.turned, card.reading) == (True, 3, Reading())


def test_the_card_tells_the_kind_of_every_output(models):
    given = {name: Card.read(str(model.artifact)).gives for name, model in models.items()}
    named = {"classes": "names", "scores": "scores"}
    assert given["classifier"] == {"serving_default": {**named, "probabilities": "probabilities"}, "classify": named}
    images = {"images": "image"}
    assert given["autoencoder"] == {
        **dict.fromkeys(["serving_default", "reconstruct", "decode", "inpaint"], images),
        "encode": {"codes": "code"},
        "anomaly_score": {"anomaly_score": "anomaly_score"},
        "figures": dict.fromkeys(FIGURES, "number"),
    }
    assert {name: Card.read(str(model.artifact)).predicts for name, model in models.items()} == {
        "classifier": "serving_default",
        "autoencoder": "anomaly_score",
    }


def test_of_a_model_pushed_before_the_same_is_known(model, tmp_path):
    """Whose card says nothing: its signatures are those that hubel's tasks had then."""
    card, ends = Card.read(str(model.artifact)), ("_pixels", "_image_bytes")
    signatures = {
        name: {output: spec.dtype == STRING for output, spec in function.structured_outputs.items()}
        for name, function in model.loaded.signatures.items()
        if not name.endswith(ends) and name not in ("pixels", "image_bytes")
    }
    assert earlier_cards.gives(signatures) == card.gives
    assert earlier_cards.predicts(signatures) == card.predicts
    pushed = shutil.copytree(model.saved, tmp_path / "pushed")
    told = json.loads((pushed / keys.CARD_IN_EXPORT).read_text())
    (pushed / keys.CARD_IN_EXPORT).write_text(json.dumps({key: value for key, value in told.items() if key != "gives"}))
    served = Served.load(str(pushed)).card
    assert {name: served.gives[name] for name in card.gives} == card.gives
    assert set(served.gives) == {*model.loaded.signatures}
    assert served.predicts == card.predicts


def tiny_export(folder, **changes):
    """A classifier's card after the export of a net whose one signature gives a number and a text, with `changes`."""
    image = keras.Input((8, 8, 1))
    net = keras.Model(image, keras.layers.Flatten()(image))

    def answer(pixels):
        return {"value": tf.reduce_sum(net(pixels), 1), "word": tf.fill([tf.shape(pixels)[0]], "a")}

    task = SimpleNamespace(
        signatures=lambda model, card: {"serving_default": Signature(answer, **changes)},
        beside=lambda model: {},
        predicts="serving_default",
    )
    card = digits.card(class_names=[], export={"warmup": 0})
    export.write(folder / "saved", net, task, card, SimpleNamespace(validation=[]))
    return Card.exported(str(folder / "saved"))


def test_what_a_task_leaves_open_is_a_number_or_a_text(tmp_path):
    assert tiny_export(tmp_path).gives == {"serving_default": {"value": "number", "word": "text"}}


def test_the_kind_of_an_output_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="signature serving_default has no output mask; it gives value, word"):
        tiny_export(tmp_path, gives={"mask": "mask"})
    with pytest.raises(ValueError, match="signature serving_default has no output valeu; it gives value, word"):
        tiny_export(tmp_path, compared=["valeu"])
    with pytest.raises(ValueError, match="no kind of output 'picture'"):
        Signature(lambda pixels: {}, gives={"value": "picture"})


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


@pytest.mark.parametrize("model", ["classifier", pytest.param("autoencoder", marks=pytest.mark.whole)], indirect=True)
def test_an_empty_batch_gets_an_empty_answer_or_a_clean_error(model):
    for name, (argument, dtype, shape, _, *extra) in model.documented.items():
        tensor = tf.zeros([0, *(side or 8 for side in shape[1:])], dtype) if dtype == FLOAT else tf.constant([], STRING)
        more = {other: tf.zeros([0], kind) for other, (kind, _) in dict(*extra).items()}
        with contextlib.suppress(tf.errors.InvalidArgumentError):  # oneDNN's convolutions refuse empty batches
            answer = model.loaded.signatures[name](**{argument: tensor}, **more)
            assert {k: v.shape[0] for k, v in answer.items()} == dict.fromkeys(answer, 0)


def wrong_inputs(spec, image: bytes) -> list:
    """Of an argument: tensors of another shape or content than any that it takes."""
    if spec.dtype == FLOAT:
        shapes = [[], [1], [2, 8], [1, 8, 8], [1, 8, 8, 3], [1, 8, 8, 2], [1, 1, 8, 8, 1], [1, 5], [0], [2, 0, 8, 1]]
        return [tf.zeros(shape) for shape in shapes]
    return [*(tf.fill(shape, image) for shape in ([], [1, 1], [1, 1, 1])), *map(tf.constant, ([b""], [b"no image"], [image[:30]]))]


@pytest.mark.parametrize("model", ["classifier", pytest.param("autoencoder", marks=pytest.mark.whole)], indirect=True)
def test_wrong_input_of_every_signature_is_refused_and_the_right_one_is_answered_after_it(model):
    image = encoded()[0]
    right = {"examples": digits.examples(keys.TEST)[0], "image_bytes": image, "mask": image}
    right = {name: tf.constant([value]) for name, value in right.items()} | {"pixels": tf.zeros([1, 8, 8, 1])}
    before = ask(model, "image_bytes", [image])
    refused = 0
    for function in model.loaded.signatures.values():
        specs = function.structured_input_signature[1]
        for argument, spec in specs.items():
            others = {other: right[other] for other in specs if other != argument}
            for tensor in wrong_inputs(spec, image):
                with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError)):
                    function(**{argument: tensor}, **others)
                refused += 1
    assert refused > 20
    for name, value in ask(model, "image_bytes", [image]).items():
        np.testing.assert_array_equal(value, before[name])


ALONE = """
import json, sys
from pathlib import Path
import tensorflow as tf


def main(saved, wait):
    folder = Path(json.loads(wait()))
    assert not {"keras", "components", "keras_models", "tensorflow_transform"} & set(sys.modules), "only tensorflow is needed"
    image = tf.constant([(folder / "image.png").read_bytes()])
    answer = tf.saved_model.load(saved).signatures["image_bytes"](image_bytes=image)
    told = {name: value.numpy().tolist() for name, value in answer.items() if value.dtype == tf.float32}
    (folder / "answer.json").write_text(json.dumps(told))
"""


def test_another_process_that_imports_tensorflow_alone_agrees(model, tmp_path):
    (tmp_path / "image.png").write_bytes(encoded()[0])
    (tmp_path / "alone.py").write_text(ALONE)
    with Forked(str(tmp_path / "alone.py")) as other:
        other.stdin.write(json.dumps(str(model.saved)))
        other.communicate(json.dumps(str(tmp_path)), 600)
        assert other.returncode == 0
    told = json.loads((tmp_path / "answer.json").read_text())
    trained = artifact.load(str(model.artifact))(tf.cast(digits.images()[0][[digits.rows(keys.TEST)[0]]], tf.float32)).numpy()
    if "probabilities" in told:
        np.testing.assert_allclose(told["probabilities"], tf.nn.softmax(trained), rtol=1e-5, atol=1e-5)
    else:
        np.testing.assert_allclose(np.array(told["images"]) / 255, trained, rtol=1e-5, atol=1e-5)


def test_warm_up_requests_are_of_validation_images_and_each_signature_has_one(model):
    validation, sent = digits.images()[0][list(digits.rows(keys.VALIDATION))], {}
    for log in warmup_logs(model.saved):
        request = log.classify_log.request if log.HasField("classify_log") else log.predict_log.request
        assert request.model_spec.name == "tiny"
        name = request.model_spec.signature_name
        if log.HasField("classify_log"):
            values = {"inputs": np.array([example.SerializeToString() for example in request.input.example_list.examples])}
        else:
            values = {argument: tf.make_ndarray(proto) for argument, proto in request.inputs.items()}
        assert model.loaded.signatures[name](**{argument: tf.constant(value) for argument, value in values.items()})
        sent.setdefault(name, []).append(values)
    assert sent.keys() == model.loaded.signatures.keys()
    count = digits.MLP["export"]["warmup"]
    assert {name: len(requests) for name, requests in sent.items() if len(requests) > 1} == {"image_bytes": count}
    images = [tf.io.decode_image(request["image_bytes"][0]).numpy() for request in sent["image_bytes"]]
    assert np.array_equal(images, validation[:count])
    assert np.array_equal(sent["pixels"][0]["pixels"], validation[:1])
    for examples in (values[kind] for [values, *_] in sent.values() for kind in ("examples", "inputs") if kind in values):
        [image] = tf.train.Example.FromString(examples[0]).features.feature[keys.IMAGE_ENCODED].bytes_list.value
        assert np.array_equal(tf.io.decode_image(image).numpy(), validation[0])


def warmup_logs(saved):
    path = saved / "assets.extra" / "tf_serving_warmup_requests"
    return [prediction_log_pb2.PredictionLog.FromString(r) for r in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()]


# openapi's tests ask each signature of an autoencoder of a server, and the test above looks at its warm-up requests
@pytest.mark.parametrize("model", ["classifier", pytest.param("autoencoder", marks=pytest.mark.every)], indirect=True)
def test_the_server_has_asked_every_signature_before_a_client_does(model, monkeypatch):
    """Each builds its graph when it is first asked: what a client asks afterwards builds none."""
    loaded = loading.load("tiny", 1, model.saved, batch_sizes=(4, 8))
    warmup, count = loaded.warmup.as_json(), digits.MLP["export"]["warmup"]
    assert warmup["cold"] == []
    assert warmup["signatures"].keys() == model.loaded.signatures.keys()
    for name, of in warmup["signatures"].items():
        assert (of["requests"], of["batch_sizes"]) == ((count if name == "image_bytes" else 1) + 2, [1, 4, 8]), name
    assert warmup["requests"] == count - 1 + 3 * len(model.loaded.signatures)
    assert 0 < sum(of["seconds"] for of in warmup["signatures"].values()) <= warmup["seconds"] + 0.01
    monkeypatch.setattr(servable.compat, "callable_of", lambda *args: pytest.fail("a graph was built for a client"))
    pixels, examples = digits.images()[0][:4].astype(np.float32), np.array(digits.examples(keys.TEST)[:2], object)
    assert {len(answer) for answer in loaded.run("pixels", {"pixels": pixels}).values()} == {4}
    assert {len(answer) for answer in loaded.run("serving_default", {"examples": examples}).values()} == {2}
    with pytest.raises(ServingError) as refused:  # TensorFlow puts the names of functions before its reason
        loaded.run("image_bytes", {"image_bytes": np.array([b"a text"], object)})
    assert refused.value.message.startswith("Unknown image file format.")
    loaded.close()


def served_endpoints(card):
    task = task_of("classification")
    net = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    return endpoints.of(task.signatures(net, card), card)


@pytest.mark.parametrize(("most", "bytes_", "kept"), [(1000, 2**26, 12), (5, 2**26, 5), (1000, 1, 0)])
def test_warm_up_requests_have_the_sizes_of_the_config_and_bounds_that_are_said(tmp_path, monkeypatch, most, bytes_, kept):
    card = digits.card(export={"top_k": 3, "warmup": 1, "warmup_batches": [2, 1, 5]})
    monkeypatch.setattr(warmup, "MOST", most)
    monkeypatch.setattr(warmup, "MOST_BYTES", bytes_)
    said = []
    path = tmp_path / "assets.extra" / warmup.FILE
    path.parent.mkdir()
    with progress.listening(said.append):
        warmup.write(path, served_endpoints(card), card, SimpleNamespace(validation=[(tf.zeros([3, 8, 8, 1]), {})]))
    rows = [
        len(log.classify_log.request.input.example_list.examples)
        or next(iter(log.predict_log.request.inputs.values())).tensor_shape.dim[0].size
        for log in warmup_logs(tmp_path)
    ]
    assert rows == [1, 1, 1, 1, 2, 2, 2, 2, 5, 5, 5, 5][:kept]
    assert [event["text"].partition(",")[0] for event in said] == (
        [] if kept == 12 else [f"{12 - kept} warm-up requests were left out"]
    )


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
    module.f = tf.function(lambda x: tf.map_fn(lambda row: row + draw([1]), x), input_signature=[tf.TensorSpec([None, 1])])
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


# What people send: one picture that no turn maps to itself, in the blocks of 8x8 that a JPEG keeps exactly.
UPRIGHT = np.array([[20, 200], [90, 200]], np.uint8).repeat(8, 0).repeat(8, 1)
TURNS = {  # EXIF's orientation -> the picture as it is stored (JEITA CP-3451, table 6)
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.T,
    6: np.rot90(UPRIGHT),
    7: UPRIGHT[::-1, ::-1].T,
    8: np.rot90(UPRIGHT, -1),
}


def orientation_tags(value: int, order: str = "<", kind: int = 3) -> bytes:
    """A TIFF structure of one tag before the orientation and one after it."""
    mark = b"II" if order == "<" else b"MM"
    entries = [(0x010F, 2, 4, b"me\0\0"), (0x0112, kind, 1, struct.pack(order + "HH", value, 0)), (0x0213, 3, 1, b"\0\1\0\0")]
    body = b"".join(struct.pack(order + "HHI", tag, of, count) + held for tag, of, count, held in entries)
    return mark + struct.pack(order + "HIH", 42, 8, len(entries)) + body + bytes(4)


def jpeg(stored: np.ndarray, tags: bytes | None = None, before: bytes = b"") -> bytes:
    """A JPEG with the segments `before` and APP1 of `tags` after its JFIF header."""
    plain = saved(Image.fromarray(np.ascontiguousarray(stored)), "JPEG", quality=100)
    exif = b"" if tags is None else b"\xff\xe1" + struct.pack(">H", len(tags) + 8) + b"Exif\0\0" + tags
    return plain[:20] + before + exif + plain[20:]


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Encoded images, by `image_bytes` of a real export, to the pixels that its net gets: float32 [N, 16, 16]."""

    @functools.cache
    def function(ground, white, knows):
        image = keras.Input((16, 16, 1))
        net = keras.Model(image, keras.layers.Flatten()(image))
        reading = {"reading": {"ground": json.loads(ground), "white": white}, "turns": True} if knows else {}
        card = digits.card(
            input_shape=(16, 16, 1), export={"top_k": 1, "warmup": 0},
            transform={**digits.MLP["transform"], "height": 16, "width": 16}, **reading,
        )  # fmt: skip
        folder = tmp_path_factory.mktemp("seen") / "artifact" / "saved"
        task = SimpleNamespace(
            signatures=lambda model, card: {"serving_default": Signature(lambda pixels: {"pixels": model(pixels)})},
            beside=lambda model: {},
            predicts="serving_default",
        )
        export.write(folder, net, task, card, SimpleNamespace(validation=[]))
        return tf.saved_model.load(str(folder)).signatures["image_bytes"], card

    def ask(*images, ground="white", white=None, knows=True):
        served, _ = function(json.dumps(ground), white, knows)
        return served(image_bytes=tf.constant(images))["pixels"].numpy().reshape(-1, 16, 16)

    ask.card = lambda knows: function(json.dumps("white"), None, knows)[1]
    return ask


def saved(image: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_model_turns_what_its_tags_say_is_turned(seen, order):
    photos = [jpeg(stored, orientation_tags(value, order)) for value, stored in TURNS.items()]
    assert np.abs(seen(*photos) - UPRIGHT).max() <= 3
    others = []
    for value, stored in TURNS.items():
        image, tags = Image.fromarray(np.ascontiguousarray(stored)), orientation_tags(value, order)
        others.append(saved(image, exif=b"Exif\0\0" + tags))
        others.append(saved(image.convert("RGB"), "WEBP", lossless=True, exif=tags))
    assert (seen(*others) == UPRIGHT).all()


def test_verbs_turn_for_a_model_that_was_pushed_before_and_leave_it_to_one_that_turns(seen):
    old, new = (Served("", seen.card(knows), {}) for knows in (False, True))
    photos = {value: jpeg(stored, orientation_tags(value)) for value, stored in TURNS.items()}
    assert (new.card.turns, old.card.turns, old.card.reading) == (True, False, None)
    assert [new.prepared(photo) for photo in photos.values()] == list(photos.values()), "exactly one place turns"
    sent = {value: old.prepared(photo) for value, photo in photos.items()}
    assert sent[1] == photos[1]
    assert all(Image.open(io.BytesIO(image)).getexif().get(0x0112, 1) == 1 for image in sent.values())
    assert np.abs(seen(*sent.values(), knows=False) - UPRIGHT).max() <= 3
    lying = seen(*photos.values(), knows=False)
    assert [value for value, image in zip(photos, lying, strict=True) if np.abs(image - UPRIGHT).max() <= 3] == [1], (
        "an old graph turns none"
    )


def segment(kind: int, data: bytes) -> bytes:
    return bytes([255, kind]) + struct.pack(">H", len(data) + 2) + data


def test_tags_may_stand_behind_other_segments_and_malformed_ones_say_nothing(seen):
    stored, tags = TURNS[6], orientation_tags(6)
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"x" * 300)
    behind = [jpeg(stored, tags, before) for before in (
        xmp, segment(0xFE, b"a comment"), segment(0xE2, b"ICC_PROFILE\0" + bytes(60_000)), segment(0xED, bytes(65_000)) * 3,
    )]  # fmt: skip
    plain = jpeg(stored)
    behind.append(plain[:2] + segment(0xE1, b"Exif\0\0" + tags) + plain[2:])
    behind.append(plain[:2] + segment(0xE1, b"Exif\0\0" + tags) + plain[20:])
    assert np.abs(seen(*behind) - UPRIGHT).max() <= 3
    wrong = [orientation_tags(value) for value in (0, 9, 65535)] + [orientation_tags(6, kind=4), b"XX" + tags[2:]]
    wrong += [tags[:length] for length in (0, 2, 8, 20, 30)]
    wrong += [b"II*\0\xff\xff\xff\xff", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff" + bytes(20)]
    wrong += [b"II*\0\x00\0\0\x80" + tags[8:]]
    assert np.abs(seen(*(jpeg(stored, malformed) for malformed in wrong)) - stored).max() <= 3
    cut = jpeg(stored, tags)[:40]
    with pytest.raises(tf.errors.InvalidArgumentError):
        seen(cut)


def drawn(colour: int) -> np.ndarray:
    """RGBA of one colour: UPRIGHT's bars are opaque, the rest is transparent."""
    alpha = np.where(UPRIGHT < 200, 255 - UPRIGHT, 0)
    return np.dstack([np.full((16, 16), colour)] * 3 + [alpha]).astype(np.uint8)


@pytest.mark.parametrize("ground", ["white", pytest.param("black", marks=pytest.mark.whole), [40, 40, 40]])
def test_no_decoder_drops_alpha_silently(seen, ground):
    image = Image.fromarray(drawn(60))
    level = 40 if isinstance(ground, list) else {"white": 255, "black": 0}[ground]
    alpha = np.asarray(image)[..., 3] / 255
    wanted = 60 * alpha + level * (1 - alpha)
    named = Image.fromarray(np.where(UPRIGHT == 200, 77, UPRIGHT))
    colours = Image.merge("RGB", [named] * 3)
    palette = Image.fromarray((UPRIGHT == 200).astype(np.uint8), "P")
    palette.putpalette([60] * 6)
    carriers = [saved(image), saved(image.convert("LA")), saved(image, "WEBP", lossless=True)]
    assert np.abs(seen(*carriers, ground=ground) - wanted).max() <= 0.51
    hard = [saved(palette, transparency=1), saved(palette, transparency=b"\xff\0")]
    assert (seen(*hard, ground=ground) == np.where(UPRIGHT == 200, level, 60)).all()
    keyed = [saved(named, transparency=77), saved(colours, transparency=(77, 77, 77))]
    assert (seen(*keyed, ground=ground) == np.where(UPRIGHT == 200, level, UPRIGHT)).all()
    gif = saved(palette, "GIF", transparency=1, comment=b"x" * 900)
    with pytest.raises(tf.errors.InvalidArgumentError, match="first frame of this GIF is transparent"):
        seen(gif, ground=ground)
    assert (seen(saved(palette, "GIF", comment=b"\x21\xf9\x04\x01" * 40), ground=ground) == 60).all(), "nothing is transparent here"
    served = Served("", seen.card(True).model_copy(update={"reading": Reading(ground=ground)}), {})
    assert (seen(served.prepared(gif), ground=ground) == np.where(UPRIGHT == 200, level, 60)).all()
    assert (served.seen(gif)[..., 0] == np.where(UPRIGHT == 200, level, 60)).all()


def test_a_bmp_that_tensorflow_would_read_otherwise_is_refused_and_verbs_send_another(seen):
    palette = Image.fromarray((UPRIGHT == 200).astype(np.uint8), "P")
    palette.putpalette([60, 60, 60, 200, 200, 200])
    encoded = saved(palette, "BMP")
    with pytest.raises(tf.errors.InvalidArgumentError, match="this BMP has a palette"):
        seen(encoded)
    assert (seen(Served("", seen.card(True), {}).prepared(encoded)) == np.where(UPRIGHT == 200, 200, 60)).all()
    masked = bytearray(saved(Image.fromarray(drawn(60)), "BMP"))  # as a header of version 3 says that the fourth value is alpha
    masked[10:18] = struct.pack("<II", 70, 56)
    masked[30:34] = struct.pack("<I", 3)
    masked[54:54] = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    alpha = drawn(60)[..., 3] / 255
    assert np.abs(seen(bytes(masked)) - (60 * alpha + 255 * (1 - alpha))).max() <= 0.51
    assert (seen(saved(Image.fromarray(drawn(60)), "BMP")) == 60).all(), "without that the fourth value means nothing"
    assert (seen(saved(Image.fromarray(UPRIGHT), "BMP"), saved(Image.fromarray(UPRIGHT).convert("RGB"), "BMP")) == UPRIGHT).all()


@pytest.mark.parametrize("white", [None, 4095])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_16_bits_are_scaled_by_white(seen, white, mode):
    values = UPRIGHT.astype(np.int64) * 20 + 7  # 12 bits
    channels = [values] * len(mode) if mode != "RGBA" else [values] * 3 + [np.full_like(values, 65535)]
    kind = {"L": 0, "RGB": 2, "RGBA": 6}[mode]
    encoded = png(16, 16, 16, kind, np.stack(channels, -1).astype(">u2").tobytes())
    wanted = np.minimum(np.floor(values * 255 / (white or 65535) + 0.5), 255)
    assert (seen(encoded, white=white) == wanted).all()
    stored = pictures.read(encoded, Reading(white=white))
    assert (seen(stored.encoded, white=white) == wanted).all(), "what is trained on is what is served"
    assert stored.peak == values.max()


def test_cmyk_is_grey_too_and_with_a_profile_is_refused(seen):
    blocks = np.random.default_rng(0).integers(0, 256, (2, 2, 4), np.uint8).repeat(8, 0).repeat(8, 1)
    image = Image.fromarray(blocks, "CMYK")
    encoded = saved(image, "JPEG", quality=100)
    assert np.abs(seen(encoded)[0] - np.asarray(image.convert("RGB").convert("L"))).max() <= 4
    profiled = saved(image, "JPEG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    with pytest.raises(tf.errors.InvalidArgumentError, match="CMYK has a profile"):
        seen(profiled)
    assert seen(Served("", seen.card(True), {}).prepared(profiled)).shape == (1, 16, 16)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=120), st.integers(0, 60), st.sampled_from(["JPEG", "GIF", "BMP", "WEBP", "PNG"]))
def test_a_spoilt_header_ends_in_an_answer_or_in_an_error_of_the_argument(seen, noise, at, form):
    whole = {"JPEG": jpeg(UPRIGHT, orientation_tags(6))}.get(form) or saved(Image.fromarray(drawn(60)).convert("RGB"), form)
    with contextlib.suppress(tf.errors.InvalidArgumentError):
        assert seen(whole[: 6 + at] + noise + whole[6 + at :]).shape == (1, 16, 16)
