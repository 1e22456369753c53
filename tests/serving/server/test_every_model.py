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
from keras_models import catalog, get
from serving.formats import png
from serving.server import model_config
from serving.server.grpc_end import GrpcEnd, GrpcSettings
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.rest.end import RestEnd, RestSettings
from tests.components import digits
from tests.components.trainer.test_every_model import NAMES, data_of
from tests.serving.server.answering import LOCAL
from tests.serving.server.rest.asking import SECONDS, Client

OF_OTHERS = {"ensemble"}  # its members'; tests/components/trainer/test_ensemble.py has what it exports
ALWAYS = {"vae"}  # a task's own signatures, and several outputs; test_parity.py asks a classifier
TWINS = sorted(set(catalog()) - OF_OTHERS)


@pytest.fixture(scope="module")
def served():
    """Serves a model's folder of versions -> who asks over REST, and a stub of gRPC."""
    manager = Manager(poll=0)
    metrics = Metrics(manager.has)
    rest, over_grpc = RestEnd(manager, metrics, RestSettings(port=0)), GrpcEnd(manager, metrics, GrpcSettings(port=0))
    rest.start()
    over_grpc.start()
    with grpc.insecure_channel(f"127.0.0.1:{over_grpc.port}", LOCAL) as channel:
        client, stub = Client(rest.port), PredictionServiceStub(channel)

        def serve(folder):
            manager.reload(model_config.of_models({"m": str(folder)}))
            return client, stub

        yield serve
    for ended in [rest.stop(5), over_grpc.stop(5)]:
        assert ended.wait(20)
    manager.stop()


def exported(name, folder):
    """The twin's export in folder/1, of weights as they begin. Returns its endpoints by signature, and its card."""
    named = get(name)
    entry, options = replace(named, options={}), {**named.options, **named.tiny}
    shape = options.pop("input_shape")
    options.pop("num_classes", None)
    transform = dict(zip(("height", "width", "channels"), shape, strict=True)) | {"normalize": "unit"}
    train = {"epochs": 1, "batch_size": 8}
    cfg = digits.trainer_slice(digits.MLP, model={"name": name, "options": options}, transform=transform, train=train)
    data, task = data_of(shape), task_of(entry.task)
    model = training.build(entry, data, cfg)
    if not model.built or entry.task.endswith(("principal_components", "sparse_coding")):  # which fit without steps
        task.fit(model, data, cfg.train, 0, [])
    model = training.served(model, entry, data, cfg)
    card = digits.card(architecture=name, task=entry.task, input_shape=shape, class_names=NAMES, transform=transform)
    card = card.model_copy(update={"calibrated": task.calibrate(model, data, card)})
    export.write(folder / "1", model, task, card, data)
    return endpoints.of(task.signatures(model, card), card), shape


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.whole) for name in TWINS])
def test_both_ends_answer_what_the_signatures_do(name, served, tmp_path):
    asked, shape = exported(name, tmp_path)
    client, stub = served(tmp_path)
    pixels = np.random.default_rng(1).integers(0, 256, (3, *shape), np.uint8)
    files = [png(image) for image in pixels]
    ends = {"image_bytes": tf.constant(files), "pixels": tf.constant(pixels, tf.float32)}
    compared = 0
    for signature, endpoint in asked.items():
        if endpoint.end not in ends or endpoint.signature.extra:
            continue
        wanted = {alias: value.numpy() for alias, value in endpoint.function(ends[endpoint.end]).items()}
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "m", signature
        request.inputs[endpoint.end].CopyFrom(tf.make_tensor_proto(ends[endpoint.end].numpy()))
        told = stub.Predict(request, timeout=SECONDS).outputs
        same({alias: tf.make_ndarray(tensor) for alias, tensor in told.items()}, wanted, signature)
        if endpoint.end == "image_bytes":
            rows = [{"b64": base64.b64encode(content).decode()} for content in files]
            outputs = client.answered("/v1/models/m:predict", {"signature_name": signature, "inputs": rows})["outputs"]
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
