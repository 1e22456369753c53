"""Every network's twin and its task: what a server answers over REST and gRPC is what the signatures answer in process."""

import base64
from dataclasses import replace

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from components import keys
from components.tasks.by_name import task_of
from components.trainer import endpoints, export, training
from components.trainer.data import Data
from components.transform import placement
from keras_models import catalog, get
from serving.formats import png
from serving.server import model_config
from serving.server.grpc_end import GrpcEnd, GrpcSettings
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.rest.end import RestEnd, RestSettings
from tests.components import digits
from tests.components.trainer.test_every_model import NAMES, OF_MASKS, data_of
from tests.serving.server.answering import LOCAL
from tests.serving.server.rest.asking import SECONDS, Client

OF_OTHERS = {"ensemble"}  # its members'; tests/components/trainer/test_ensemble.py has what it exports
OF_OTHERS |= OF_MASKS  # asked by a run in tests/pipelines/test_segmentation.py
ANOMALY = {"score": "reconstruction_error"}
TASKS = [("mlp", "multilabel"), ("conv_autoencoder", "anomaly:reconstruction")]  # of signatures that no network has by itself
ONE_OF_A_KIND = {
    "resnet20", "st_cnn", "googlenet", "conv_autoencoder", "vae", "denoising_autoencoder", "pca", "sparse_coding",
}  # fmt: skip
TWINS = [
    pytest.param(name, None, marks=pytest.mark.whole if name in ONE_OF_A_KIND else pytest.mark.every)
    for name in sorted(set(catalog()) - OF_OTHERS)
]


@pytest.fixture(scope="module")
def served():
    """Serves a model's folder of versions under the folder's name, since a version that is loaded is not loaded anew from another
    folder -> that name, who asks over REST, and a stub of gRPC."""
    manager = Manager(poll=0)
    metrics = Metrics(manager.has)
    rest, over_grpc = RestEnd(manager, metrics, RestSettings(port=0)), GrpcEnd(manager, metrics, GrpcSettings(port=0))
    rest.start()
    over_grpc.start()
    with grpc.insecure_channel(f"127.0.0.1:{over_grpc.port}", LOCAL) as channel:
        client, stub = Client(rest.port), PredictionServiceStub(channel)

        def serve(folder):
            name = folder.name
            manager.reload(model_config.of_models({name: str(folder)}))
            return name, client, stub

        yield serve
    for ended in [rest.stop(5), over_grpc.stop(5)]:
        assert ended.wait(20)
    manager.stop()


def with_targets(data: Data) -> Data:
    """Beside each label what other tasks want: several of them, and the image's size before."""

    def more(pixels, targets):
        labels = targets["label"]
        size = {name: tf.fill(tf.shape(labels), tf.cast(tf.shape(pixels)[1], tf.int64)) for name in placement.SIZE}
        return pixels, {"label": labels, keys.LABELS: tf.one_hot(labels, len(NAMES), dtype=tf.int64), **size}

    return replace(data, plain=data.plain.map(more), validation=data.validation.map(more))


def exported(name, other, folder):
    """The twin's export in folder/1, of weights as they begin, for a task of its own or for another. Returns its endpoints by
    signature, and the shape of its input."""
    named = get(name)
    entry, options = replace(named, options={}), {**named.options, **named.tiny}
    shape = options.pop("input_shape")
    options.pop("num_classes", None)
    transform = dict(zip(("height", "width", "channels"), shape, strict=True)) | {"normalize": "unit"}
    train = {"epochs": 1, "batch_size": 8}
    cfg = digits.trainer_slice(digits.MLP, model={"name": name, "options": options}, transform=transform, train=train)
    name_of_task = other or entry.task
    data, task = with_targets(data_of(shape)), task_of(name_of_task)
    model = training.build(entry, data, cfg)
    if not model.built or entry.task.endswith(("principal_components", "sparse_coding")):  # which fit without steps
        task.fit(model, data, cfg.train, 0, [])
    model = training.served(model, entry, data, cfg)
    card = digits.card(
        architecture=name,
        task=name_of_task,
        input_shape=shape,
        class_names=NAMES,
        transform=transform,
        anomaly=ANOMALY if "anomaly" in name_of_task else None,
    )
    card = card.model_copy(update={"calibrated": task.calibrate(model, data, card)})
    export.write(folder / "1", model, task, card, data)
    return endpoints.of(task.signatures(model, card), card), shape


@pytest.mark.parametrize(  # rest/test_parity.py asks a classifier always
    ("name", "task"), [*TWINS, *(pytest.param(*of, marks=pytest.mark.whole) for of in TASKS)], ids=lambda word: word or ""
)
def test_both_ends_answer_what_the_signatures_do(name, task, served, tmp_path):
    asked, shape = exported(name, task, tmp_path)
    model, client, stub = served(tmp_path)
    pixels = np.random.default_rng(1).integers(0, 256, (3, *shape), np.uint8)
    files = [png(image) for image in pixels]
    ends = {"image_bytes": tf.constant(files), "pixels": tf.constant(pixels, tf.float32)}
    compared = 0
    for signature, endpoint in asked.items():
        if endpoint.end not in ends or endpoint.signature.extra:
            continue
        wanted = {alias: value.numpy() for alias, value in endpoint.function(ends[endpoint.end]).items()}
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = model, signature
        request.inputs[endpoint.end].CopyFrom(tf.make_tensor_proto(ends[endpoint.end].numpy()))
        told = stub.Predict(request, timeout=SECONDS).outputs
        same({alias: tf.make_ndarray(tensor) for alias, tensor in told.items()}, wanted, signature)
        if endpoint.end == "image_bytes":
            rows = [{"b64": base64.b64encode(content).decode()} for content in files]
            outputs = client.answered(f"/v1/models/{model}:predict", {"signature_name": signature, "inputs": rows})["outputs"]
            same(
                outputs if isinstance(outputs, dict) and set(outputs) == set(wanted) else {next(iter(wanted)): outputs},
                wanted,
                signature,
            )
        compared += 1
    assert compared >= 2
    assert keys.SERVING_DEFAULT in asked


def same(told, wanted, signature):
    """Raises AssertionError where answers differ by more than the parity gate allows of deep networks."""
    assert told.keys() == wanted.keys(), signature
    for alias, value in wanted.items():
        if value.dtype == object:
            texts = [text if isinstance(text, str) else text.decode() for text in np.ravel(np.array(told[alias], object))]
            assert texts == [text.decode() for text in value.ravel()], (signature, alias)
        else:
            np.testing.assert_allclose(
                np.array(told[alias], value.dtype), value, rtol=1e-4, atol=1e-4, err_msg=f"{signature} {alias}"
            )
