"""What answers is what is gated: a server has the model loaded, and both of its protocols are asked."""

import contextlib
import ipaddress
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest
import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import keys
from components.examples import records_of
from components.infra_validator import parity, servers
from components.trainer import warmup
from configs.errors import HubelError
from serving import real_server
from serving.server import inference
from serving.server.rest import tensors
from serving.server.servable import Servable
from tests.components import digits
from tests.components.infra_validator.test_parity import exported, of_this_process  # noqa: F401 a fixture
from tests.serving.server import half_plus_two

IMAGES = 2
pytestmark = pytest.mark.usefixtures("of_this_process")


def verdict(folder, saved=None):
    return parity.verdict(str(folder), saved or folder / "Format-Serving", digits.examples(keys.TEST)[:IMAGES])


@pytest.fixture
def asked(monkeypatch):
    """(protocol, signature, API, rows of its first argument) of every question that a server is asked."""
    seen, right = [], servers.ask

    def spy(client, signature, api, arguments):
        seen.append((client.protocol, signature, api, len(next(iter(arguments.values())))))
        return right(client, signature, api, arguments)

    monkeypatch.setattr(servers, "ask", spy)
    return seen


def test_both_protocols_are_asked_with_the_warm_up_requests(classifier, asked):
    told = verdict(classifier)
    assert (told.reason, told.servers, told.notes) == (None, ("embedded",), ())
    count = digits.MLP["export"]["warmup"]
    requests = sorted([("image_bytes", "predict", 1)] * count + [("classify", "classify", 1), ("pixels", "predict", 1),
                                                                 ("serving_default", "predict", 1)])  # fmt: skip
    for protocol in ("grpc", "rest"):
        assert sorted(tuple(rest) for way, *rest in asked if way == protocol) == requests


@pytest.mark.whole
def test_a_signature_without_one_is_asked_with_test_images(autoencoder, asked, tmp_path):
    copy = shutil.copytree(autoencoder / "Format-Serving", tmp_path / "saved")
    (copy / warmup.IN_EXPORT).unlink()
    assert verdict(autoencoder, copy).reason is None
    signatures = set(tf.saved_model.load(str(copy)).signatures)
    assert {signature for way, signature, *_ in asked if way == "rest"} == signatures
    assert {(api, rows) for _, _, api, rows in asked} == {("predict", IMAGES)}


def flipped(outputs):
    """Of probabilities, with the first two the other way round."""
    return {
        name: value[:, [1, 0, *range(2, value.shape[1])]] if name == "probabilities" else value for name, value in outputs.items()
    }


def not_numbers(outputs):
    return outputs | {"probabilities": np.full_like(outputs["probabilities"], np.nan)}


@pytest.mark.filterwarnings("ignore:All-NaN")
@pytest.mark.parametrize("wrong", [flipped, pytest.param(not_numbers, marks=pytest.mark.every)])
def test_a_fault_of_rest_alone_is_refused(classifier, monkeypatch, wrong):
    right = tensors.response
    monkeypatch.setattr(tensors, "response", lambda form, outputs: right(form, wrong(outputs)))
    why = verdict(classifier).reason
    assert " (embedded over REST), image of warm-up request 1, output probabilities: off by " in why


def test_a_fault_of_grpc_alone_is_refused(classifier, monkeypatch):
    right = inference.proto_of
    monkeypatch.setattr(inference, "proto_of", lambda array: right(array[::-1, ::-1] if array.dtype == np.float32 else array))
    why = verdict(classifier).reason
    assert " (embedded over gRPC), image of warm-up request " in why, why


def test_names_of_classes_that_only_the_server_gets_wrong_are_refused(classifier, monkeypatch):
    right = Servable.run_tensors

    def renamed(self, feeds, fetches):
        answers = right(self, feeds, fetches)
        return {name: value[:, ::-1] if value.dtype == object else value for name, value in answers.items()}

    monkeypatch.setattr(Servable, "run_tensors", renamed)
    why = verdict(classifier).reason
    assert "(embedded over gRPC), image of warm-up request " in why
    assert "output classes: [b'" in why


@pytest.mark.whole
def test_a_model_that_answers_a_refusal_over_one_protocol_is_refused(classifier, monkeypatch):
    def refuse(form, outputs):
        raise tensors.invalid("no such output")

    monkeypatch.setattr(tensors, "response", refuse)
    assert verdict(classifier).reason.endswith(" (embedded over REST): it fails: INVALID_ARGUMENT: no such output")


def test_a_model_that_a_server_cannot_load_is_refused(classifier, tmp_path):
    """TensorFlow can: it replays nothing."""
    copy = shutil.copytree(classifier / "Format-Serving", tmp_path / "saved")
    (copy / warmup.IN_EXPORT).write_bytes(b"no records: they begin with a length")
    told = verdict(classifier, copy)
    assert told.reason.startswith(
        "the embedded server does not serve it: Some models did not become available: {model: version 1 DATA"
    )
    assert told.servers == ("embedded",)
    half_plus_two.write_warmup(copy, 1, alias="wrong")
    assert "warm-up request 1 fails: input " in verdict(classifier, copy).reason


@pytest.mark.whole
def test_nothing_but_loopback_is_asked(classifier, monkeypatch):
    connections = []
    right = Servable.run_tensors

    def looking(self, feeds, fetches):
        connections.extend(psutil.Process().net_connections("inet"))
        return right(self, feeds, fetches)

    before = {tuple(connection) for connection in psutil.Process().net_connections("inet")}
    monkeypatch.setattr(Servable, "run_tensors", looking)
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")  # nobody is there: who asked it would wait
    monkeypatch.setenv("https_proxy", "http://192.0.2.1:3128")
    assert verdict(classifier).reason is None
    new = [connection for connection in connections if tuple(connection) not in before]
    ends = [end.ip for connection in new for end in (connection.laddr, connection.raddr) if end]
    assert all(ipaddress.ip_address(end.removeprefix("::ffff:")).is_loopback for end in ends), ends
    listening = {connection.laddr.port for connection in new if connection.status == psutil.CONN_LISTEN}
    assert len(listening) == 2


class Real:
    """Stands in the place of TensorFlow Serving, which this machine may not have: the embedded server at another address."""

    name = "TensorFlow Serving (of a test)"


@pytest.mark.whole
def test_tensorflow_serving_is_asked_too_where_it_is(classifier, monkeypatch, asked):
    monkeypatch.setattr(real_server, "find", Real)
    monkeypatch.setattr(real_server, "running", lambda real, config, log, mounted: servers._embedded(config, servers.Started()))
    told = verdict(classifier)
    assert (told.reason, told.servers) == (None, ("embedded", Real.name))
    assert len(asked) == 4 * (digits.MLP["export"]["warmup"] + 3)


@pytest.mark.whole
@pytest.mark.parametrize("is_models_fault", [True, False])
def test_tensorflow_serving_that_does_not_answer(classifier, monkeypatch, is_models_fault):
    @contextlib.contextmanager
    def running(real, config, log, mounted):
        raise HubelError("It could not load version 1 of model: no." if is_models_fault else "Docker is out of order.", "")
        yield

    monkeypatch.setattr(real_server, "find", Real)
    monkeypatch.setattr(real_server, "running", running)
    told = verdict(classifier)
    if is_models_fault:
        assert told.reason == f"the {Real.name} server does not serve it: It could not load version 1 of model: no."
        assert told.servers == ("embedded", Real.name)
    else:
        assert (told.reason, told.servers) == (None, ("embedded",))
        assert told.notes == ("Docker is out of order. So only others were asked whether they serve the model.",)


def test_a_gate_that_asked_no_server_gives_no_blessing(classifier, monkeypatch):
    @contextlib.contextmanager
    def none(model, folder):
        yield servers.Started()

    monkeypatch.setattr(servers, "serving", none)
    assert verdict(classifier).reason == "no server was asked for it"


def test_an_input_of_another_dtype_is_refused_although_a_client_would_convert_it(classifier, monkeypatch):
    right = servers.ask

    def halved(client, signature, api, arguments):
        return right(
            client, signature, api, {name: v.astype(np.float64) if v.dtype == np.float32 else v for name, v in arguments.items()}
        )

    monkeypatch.setattr(servers, "ask", halved)
    assert verdict(classifier).reason == ("signature pixels (embedded over gRPC): input pixels is float32 instead of float64")


def test_what_the_model_answers_to_the_test_split_is_measured_where_it_is_loaded(classifier, artifacts):
    files = [str(path) for path in sorted((Path(artifacts.examples) / "Split-test").iterdir())]
    saved = classifier / "Format-Serving"
    told = parity.verdict(str(classifier), saved, digits.examples(keys.TEST)[:IMAGES], files)
    measured = statistics_pb2.DatasetFeatureStatistics.FromString(told.answers)
    features = {feature.path.step[0]: feature for feature in measured.features}
    outputs = tf.saved_model.load(str(saved)).signatures["serving_default"](
        tf.constant(list(records_of(files).as_numpy_iterator()))
    )
    counts = {bar.label: bar.sample_count for bar in features["answers/class"].string_stats.rank_histogram.buckets}
    assert counts == Counter(name.decode() for name in outputs["classes"].numpy()[:, 0])
    assert features["answers/score"].num_stats.mean == pytest.approx(outputs["scores"].numpy()[:, 0].mean(), rel=1e-5)
    assert measured.num_examples == len(outputs["scores"])


def test_a_model_that_cannot_be_measured_is_blessed_all_the_same(classifier):
    told = parity.verdict(str(classifier), classifier / "Format-Serving", digits.examples(keys.TEST)[:IMAGES], ["no file"])
    assert (told.reason, told.answers) == (None, None)
