"""What a pushed model answers over REST, and over gRPC, is what its signature answers in process; what is no image is refused."""

import base64
import io
import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.formats import png
from serving.server import model_config
from serving.server.grpc_end import GrpcEnd, GrpcSettings
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.rest.end import RestEnd, RestSettings
from tests.components import digits
from tests.serving.server.answering import LOCAL
from tests.serving.server.rest.asking import SECONDS, Client

ROOT = Path(__file__).parents[4]
PATH = "/v1/models/classifier:predict"


def jpeg(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0]).save(buffer, "JPEG")
    return buffer.getvalue()


def bomb() -> bytes:
    """The head of a PNG of 2^32 pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 2**16, 2**16, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


IMAGES = [
    png(digits.images()[0][0]),
    jpeg(digits.images()[0][1]),
    png(np.kron(digits.images()[0][2], np.ones((3, 2, 1), np.uint8))),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The SavedModel of a classifier as it is pushed."""
    return digits.trained(tmp_path_factory, "classifier", digits.MLP, materialized=False) / "Format-Serving"


@pytest.fixture(scope="module")
def signatures(folder):
    """As TensorFlow loads them."""
    return tf.saved_model.load(folder).signatures


@pytest.fixture(scope="module")
def pushed(folder, tmp_path_factory):
    """Of that model."""
    base = tmp_path_factory.mktemp("pushed")
    (base / "1").symlink_to(folder, target_is_directory=True)
    manager = Manager(poll=0)
    manager.start(model_config.of_models({"classifier": str(base)}))
    yield manager
    manager.stop()


@pytest.fixture(scope="module")
def asked(pushed):
    """Who asks a server of it."""
    end = RestEnd(pushed, Metrics(pushed.has), RestSettings(port=0))
    end.start()
    yield Client(end.port)
    assert end.stop(5).wait(20)


def test_a_pushed_model_answers_over_grpc_as_in_process(signatures, pushed):
    end = GrpcEnd(pushed, Metrics(pushed.has), GrpcSettings(port=0))
    end.start()
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "classifier", "image_bytes"
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(IMAGES))
    with grpc.insecure_channel(f"127.0.0.1:{end.port}", LOCAL) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        outputs = {alias: tf.make_ndarray(tensor) for alias, tensor in stub.Predict(request, timeout=SECONDS).outputs.items()}
        request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([bomb()]))
        with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT"):
            stub.Predict(request, timeout=SECONDS)
    assert end.stop(5).wait(20)
    inside = signatures["image_bytes"](image_bytes=tf.constant(IMAGES))
    assert outputs.keys() == inside.keys()
    for alias, tensor in inside.items():
        if tensor.dtype == tf.string:
            assert outputs[alias].tolist() == tensor.numpy().tolist()
        else:
            np.testing.assert_allclose(outputs[alias], tensor.numpy(), rtol=1e-6, atol=1e-6)


def test_a_pushed_model_answers_as_in_process(signatures, asked):
    rows = [{"b64": base64.b64encode(image).decode()} for image in IMAGES]
    inside = signatures["image_bytes"](image_bytes=tf.constant(IMAGES))
    by_row = asked.answered(PATH, {"signature_name": "image_bytes", "instances": rows})["predictions"]
    by_column = asked.answered(PATH, {"signature_name": "image_bytes", "inputs": {"image_bytes": rows}})["outputs"]
    for alias, tensor in inside.items():
        of_rows = [row[alias] for row in by_row]
        assert of_rows == by_column[alias]
        if tensor.dtype == tf.string:
            assert of_rows == [[text.decode() for text in row] for row in tensor.numpy().tolist()]
        else:
            np.testing.assert_allclose(np.array(of_rows, np.float32), tensor.numpy(), rtol=1e-6, atol=1e-6)


def test_metadata_of_an_export_of_keras(asked):
    """Case 37: the op that TensorFlow 2 adds is among the signatures, as TF Serving tells it."""
    told = asked.ask("GET", "/v1/models/classifier/metadata").json["metadata"]["signature_def"]["signature_def"]
    assert told["__saved_model_init_op"]["outputs"] == {
        "__saved_model_init_op": {"dtype": "DT_INVALID", "tensor_shape": {"dim": [], "unknown_rank": True}, "name": "NoOp"}
    }
    assert told["image_bytes"]["method_name"] == "tensorflow/serving/predict"
    assert told["image_bytes"]["defaults"] == {}


def test_examples_are_classified_as_in_process(signatures, asked):
    examples = [{"image/encoded": {"b64": base64.b64encode(image).decode()}} for image in IMAGES]
    serialized = [
        tf.train.Example(
            features=tf.train.Features(feature={"image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))})
        ).SerializeToString()
        for image in IMAGES
    ]
    inside = signatures["classify"](inputs=tf.constant(serialized))
    results = asked.answered("/v1/models/classifier:classify", {"signature_name": "classify", "examples": examples})["results"]
    for row, names, scores in zip(results, inside["classes"].numpy(), inside["scores"].numpy(), strict=True):
        assert [label for label, _ in row] == [name.decode() for name in names]
        np.testing.assert_allclose([score for _, score in row], scores, rtol=1e-6)


def test_the_card_is_the_file_beside_the_model(folder, asked, client):
    written = json.loads((folder / "assets.extra" / "hubel.json").read_text())
    for path in ("/models/classifier/card", "/models/classifier/versions/1/card"):
        answer = asked.ask("GET", path)
        assert (answer.status, answer.headers["content-type"], answer.json) == (200, "application/json", written)
    assert "no card" in client.ask("GET", "/models/kinds/card").error
    refused = {"/models/kinds/card": 404, "/models/classifier/versions/2/card": 404, "/models/nothing/card": 404}
    refused |= {"/models/classifier/labels/stable/card": 400, f"/models/classifier/versions/{2**63}/card": 400}
    refused |= dict.fromkeys([f"/models/classifier/versions/{version}/card" for version in ("-1", "1.5", "true", "%C3%9C")], 400)
    asked_of = {path: (client if "kinds" in path else asked).ask("GET", path).status for path in refused}
    assert asked_of == refused
    assert asked.ask("GET", "/models/classifier/versions/-1/card").error == "Failed to convert version: -1 to numeric."


@pytest.mark.parametrize("content", [b"", b"a text", b"\x89PNG\r\n\x1a\n", IMAGES[0][:40], bomb()], ids=range(5))
def test_what_is_no_image_is_400_and_the_server_lives(asked, content):
    body = {"signature_name": "image_bytes", "instances": [{"b64": base64.b64encode(content).decode()}]}
    assert asked.ask("POST", PATH, body).status == 400
    text = {"signature_name": "pixels", "instances": ["a text"]}
    assert asked.ask("POST", PATH, text).status == 400
    assert asked.ask("GET", "/readyz").status == 200


@pytest.mark.parametrize(
    "pixels", [1.0, [1.0], [[1.0]], [[[1.0]]], np.ones((1, 8, 8, 3)).tolist()], ids=["0", "1", "2", "3", "channels"]
)
def test_pixels_of_another_shape_are_400(asked, pixels):
    answer = asked.ask("POST", PATH, {"signature_name": "pixels", "inputs": pixels})
    assert answer.status == 400
    assert asked.ask("GET", "/readyz").status == 200


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on PATH")
def test_the_lines_of_the_page_answer(asked, tmp_path):
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8").partition("\n## Over REST\n")[2]
    (tmp_path / "digit.png").write_bytes(IMAGES[0])
    lines = re.search(r"```sh\n(.*?)```", page, re.DOTALL)[1].replace("\\\n", "").splitlines()
    assert len(lines) == 5
    answers = []
    for line in lines:
        here = line.replace("localhost:8501", f"127.0.0.1:{asked.port}").replace("digits_lenet5", "classifier")
        done = subprocess.run(["bash", "-c", here], cwd=tmp_path, capture_output=True, check=True, timeout=60)
        answers.append(json.loads(done.stdout))
    status, metadata, by_row, by_column, classified = answers
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    assert "image_bytes" in metadata["metadata"]["signature_def"]["signature_def"]
    assert by_row["predictions"][0]["classes"] == by_column["outputs"]["classes"][0]
    assert max(classified["results"][0], key=lambda row: row[1])[0] == by_row["predictions"][0]["classes"][0]
