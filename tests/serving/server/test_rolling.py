"""Statistics of a server: what is asked over both protocols is measured off the request's path, bounded, and survives a restart."""

import http.client
import json
import threading
import time

import numpy as np
import pytest

from serving.server import model_config, rolling
from serving.server.metrics import Metrics
from serving.server.rolling import Rolling
from serving.statistics import measures, written
from serving.statistics.written import Statistics
from tests.slower import PATIENCE

CARD = {"gives": {"serving_default": {"probabilities": "probabilities"}}, "class_names": ["dark", "bright"]}


def until(is_so, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    assert is_so()


class Model:
    """What a servable is to an observer."""

    def __init__(self, folder, version=1, graph=b"graph"):
        self.name, self.version, self.folder = "m", version, str(folder / str(version))
        (folder / str(version) / "assets.extra").mkdir(parents=True, exist_ok=True)
        (folder / str(version) / "saved_model.pb").write_bytes(graph)
        (folder / str(version) / "assets.extra" / "hubel.json").write_text(json.dumps(CARD))


def ask(observer, model, level=100.0, rows=1):
    pixels = np.full((rows, 8, 6, 1), level, np.float32)
    answers = {"pixels": {"probabilities": np.array([[0.25, 0.75]] * rows)}}
    observer.offer(model, {"pixels": pixels}, answers, 0.001)


def test_a_request_is_measured_and_written_and_kept_over_a_restart(tmp_path, monkeypatch):
    monkeypatch.setattr(rolling, "EVERY", 0.1)
    model, folder = Model(tmp_path / "models"), tmp_path / "kept"
    observer = Rolling(folder, Metrics())
    ask(observer, model)
    until(lambda: (folder / "m" / "1" / written.FILE).is_file())  # while it serves
    observer.close()
    metrics = Metrics()
    observer = Rolling(folder, metrics)
    ask(observer, model, 200.0)
    observer.close()
    statistics = Statistics.read(folder / "m" / "1")
    measured = statistics.windows.since()
    assert (statistics.seen, statistics.passed_over, measured.requests, measured.examples) == (2, 0, 2, 2)
    assert measured.features[measures.BRIGHTNESS].mean == 150.0
    assert measured.features[measures.CLASS].counts == {"bright": 2.0}
    page = metrics.page()
    assert ':hubel:serving:last_hour_mean{model="m",version="1",feature="image/brightness"} 150.0' in page
    assert ':hubel:serving:last_hour_share{model="m",version="1",feature="answers/class",name="bright"} 1.0' in page


def test_of_several_signatures_inputs_are_measured_once_and_the_answers_of_each(tmp_path):
    observer, model = Rolling(tmp_path / "kept", Metrics()), Model(tmp_path / "models")
    answers = {"pixels": {"probabilities": np.array([[0.25, 0.75]])}, "distance": {"outputs": np.array([3.0])}}
    observer.offer(model, {"pixels": np.full((1, 8, 6, 1), 100.0, np.float32)}, answers, 0.001)
    observer.close()
    statistics = Statistics.read(tmp_path / "kept" / "m" / "1")
    measured = statistics.windows.since()
    assert (statistics.seen, measured.requests, measured.examples) == (1, 1, 1)
    assert measured.features[measures.BRIGHTNESS].count == 1
    assert measured.features[measures.CLASS].counts == {"bright": 1.0}
    assert measured.features["answers/outputs"].mean == 3.0


def test_under_load_a_sample_is_measured_and_the_rest_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(rolling, "EVERY", 60.0)
    model, observer = Model(tmp_path / "models"), Rolling(tmp_path / "kept", Metrics(), share=1e-4)
    for _ in range(500):
        ask(observer, model)
    assert observer._waiting <= rolling.WAITING
    start = time.monotonic()
    observer.close()
    assert time.monotonic() - start < 10
    statistics = Statistics.read(tmp_path / "kept" / "m" / "1")
    assert statistics.seen == 500
    assert statistics.passed_over >= 500 - rolling.WAITING - 2
    assert statistics.windows.since().requests == statistics.seen - statistics.passed_over


def test_what_waits_is_bounded_in_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(rolling, "HELD", 1000)
    model, observer = Model(tmp_path / "models"), Rolling(tmp_path / "kept", Metrics(), share=1e-5)
    for _ in range(10):
        ask(observer, model, rows=50)
    assert observer._held < 1000 + 2 * 50 * 8 * 6 * 4
    observer.close()


def test_a_number_that_is_another_model_now_begins_anew(tmp_path, caplog):
    observer = Rolling(tmp_path / "kept", Metrics())
    ask(observer, Model(tmp_path / "a"))
    observer.close()
    observer = Rolling(tmp_path / "kept", Metrics())
    ask(observer, Model(tmp_path / "b", graph=b"another"))
    observer.close()
    assert Statistics.read(tmp_path / "kept" / "m" / "1").seen == 1
    assert "begin anew" in caplog.text


@pytest.mark.parametrize("damage", ["held", "damaged"])
def test_where_the_file_is_anothers_or_damaged_it_is_left_alone(tmp_path, caplog, damage):
    folder, model = tmp_path / "kept", Model(tmp_path / "models")
    first = Rolling(folder, Metrics())
    ask(first, model)
    if damage == "damaged":
        first.close()
        (folder / "m/1" / written.FILE).write_text("{")
    second = Rolling(folder, Metrics())
    ask(second, model)
    second.close()
    assert "in memory alone" in caplog.text
    if damage == "damaged":
        assert (folder / "m/1" / written.FILE).read_text() == "{"
    else:
        first.close()
        assert Statistics.read(folder / "m" / "1").seen == 1


def test_no_content_of_a_request_is_in_the_files(tmp_path):
    text = "a very private sentence"
    observer, model = Rolling(tmp_path / "kept", Metrics()), Model(tmp_path / "models")
    observer.offer(model, {"text": np.array([text], object)}, {"text": {}}, 0.001)
    observer.close()
    for path in (tmp_path / "kept").rglob("*"):
        assert path.is_dir() or b"private" not in path.read_bytes()
    assert Statistics.read(tmp_path / "kept" / "m" / "1").windows.since().features[measures.WORDS].count == 1


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """Folder of versions of a model of pixels and of image_bytes, with a card."""
    import tensorflow as tf

    base = tmp_path_factory.mktemp("observed") / "m"

    class Net(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 1], tf.float32)])
        def pixels(self, pixels):
            bright = tf.reduce_mean(pixels, [1, 2, 3])[:, None] / 255
            return {"probabilities": tf.concat([1 - bright, bright], 1)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def image_bytes(self, image_bytes):
            decoded = tf.map_fn(
                lambda content: tf.image.resize(tf.io.decode_png(content, 1), [4, 4]), image_bytes, fn_output_signature=tf.float32
            )
            return self.pixels(decoded)

    net = Net()
    tf.saved_model.save(net, str(base / "1"), {"pixels": net.pixels, "image_bytes": net.image_bytes})
    (base / "1" / "assets.extra").mkdir()
    (base / "1" / "assets.extra" / "hubel.json").write_text(json.dumps(CARD))
    return base


def test_both_protocols_of_a_server(classifier, tmp_path):
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    from serving.server.server import Server, settings_of

    server = Server(settings_of({"rest_port": 0, "grpc_port": 0, "statistics": str(tmp_path)}))
    server.start(model_config.of_models({"m": str(classifier)}))
    connection = http.client.HTTPConnection("127.0.0.1", server.ports["rest"], timeout=PATIENCE)
    body = json.dumps({"signature_name": "pixels", "instances": [[[[200.0]] * 5] * 7]})
    connection.request("POST", "/v1/models/m:predict", body)
    assert connection.getresponse().status == 200
    connection.close()
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "m", "image_bytes"
    png = tf.io.encode_png(np.full((9, 5, 1), 40, np.uint8)).numpy()
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([png, png]))
    with grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}", [("grpc.enable_http_proxy", 0)]) as channel:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=PATIENCE)
    server.stop()
    measured = Statistics.read(tmp_path / "m" / "1").windows.since()
    assert (measured.requests, measured.examples, measured.unreadable) == (2, 3, 0)
    assert sorted(measured.features[measures.HEIGHT].quantiles(np.array([0, 1])).tolist()) == [7, 9]
    assert measured.features[measures.BRIGHTNESS].mean == pytest.approx((200 + 2 * 40) / 3)
    assert measured.features[measures.CLASS].counts == {"bright": 1.0, "dark": 2.0}
    assert measured.features[measures.SCORE].count == 3


def test_without_a_folder_nothing_is_kept_and_nothing_stands_before_a_servable(classifier):
    from serving.server.server import Server, settings_of

    before = set(threading.enumerate())  # those of a server that the session has
    server = Server(settings_of({"rest_port": 0, "grpc_port": None}))
    server.start(model_config.of_models({"m": str(classifier)}))
    with server.manager.lease("m") as servable:
        assert type(servable).__name__ == "Servable"
    server.stop()
    assert "statistics" not in [thread.name for thread in set(threading.enumerate()) - before]
