"""serving.client, asking the embedded server over both protocols."""

import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf

from configs.errors import UsageError
from serving.client import Client, Refused, Unreachable
from serving.client.errors import ServerError
from serving.server import model_config
from serving.server.access import ApiKey
from serving.server.server import Server, Settings
from tests.serving import pushed
from tests.serving.server import half_plus_two
from tests.slower import PATIENCE

PROTOCOLS = ("rest", "grpc")


@pytest.fixture(params=PROTOCOLS)
def asking(request, served):
    """Who asks the served models -> a Client of one of them."""
    made = []

    def of(model, **more):
        made.append(Client(f"127.0.0.1:{served.ports[request.param]}", model, protocol=request.param, **more))
        return made[-1]

    yield of
    for each in made:
        each.close()


@pytest.mark.parametrize("signature", ["image_bytes", "pixels"])
def test_a_classifier_answers_as_in_process(asking, pushed_models, tmp_path, signature):
    files = [path.read_bytes() for path in pushed.images(tmp_path)[:4]]
    given = files if signature == "image_bytes" else pushed.pixels(4)
    asked = asking("classifier", batch_size=3)
    told = asked.predict({signature: given}, signature)
    inside = tf.saved_model.load(str(pushed_models / "classifier" / "1")).signatures[signature](**{signature: tf.constant(given)})
    assert told.keys() == inside.keys()
    for name, tensor in inside.items():
        assert told[name].dtype == (object if tensor.dtype == tf.string else tensor.numpy().dtype)
        if tensor.dtype == tf.string:
            assert told[name].tolist() == tensor.numpy().tolist()
        else:
            np.testing.assert_allclose(told[name], tensor.numpy(), rtol=1e-5, atol=1e-6)


def test_both_protocols_say_the_same_bit_by_bit(served, tmp_path):
    files = [path.read_bytes() for path in pushed.images(tmp_path)]
    answers = {}
    for protocol in PROTOCOLS:
        with Client(f"127.0.0.1:{served.ports[protocol]}", "autoencoder", protocol=protocol) as asked:
            answers[protocol] = asked.predict({"image_bytes": files}, "reconstruct_image_bytes")
    for name, array in answers["rest"].items():
        assert array.dtype == answers["grpc"][name].dtype
        np.testing.assert_array_equal(array, answers["grpc"][name])


def test_signatures_are_the_models(asking):
    asked = asking("classifier")
    assert {"serving_default", "image_bytes", "pixels", "classify"} == set(asked.signatures)
    pixels = asked.signatures["pixels"]
    assert (pixels.inputs["pixels"].dtype, pixels.inputs["pixels"].shape) == (np.float32, (-1, -1, -1, 1))
    assert (pixels.outputs["probabilities"].dtype, pixels.outputs["classes"].dtype) == (np.float32, object)
    assert asked.answering == 1
    assert asked.pin() == 1
    assert asked.predict({"pixels": pushed.pixels(1)}, "pixels")["scores"].shape == (1, 3)


@pytest.mark.parametrize("which", [{"version": 1}, {"label": "stable"}, {}])
def test_a_version_and_a_label_are_asked(asking, which):
    told = asking("texts", **which).predict({"text": ["rain", "é" * 30, b"wind"]}, "text")
    assert told["classes"][:, 0].tolist() == [b"short", b"long", b"short"]


@pytest.mark.parametrize(
    ("model", "more", "said"),
    [
        ("nothing", {}, "has no model nothing: "),
        ("texts", {"version": 9}, "has no model texts 9: "),
        ("texts", {"label": "beta"}, "has no model texts beta: Unrecognized servable version label"),
        ("an odd/name?", {}, "has no model an odd/name?: "),
    ],
)
def test_a_model_that_is_not_there(asking, model, more, said):
    with pytest.raises(UsageError) as caught:
        _ = asking(model, **more).signatures
    assert said in caught.value.message
    assert "NAME" not in caught.value.message
    assert caught.value.hint


def test_what_is_asked_wrongly_is_said_before_it_is_sent(asking):
    asked = asking("texts")
    for inputs, signature, said in (
        ({"text": ["a"]}, "nothing", "has no signature nothing"),
        ({"more": ["a"]}, "text", "takes text, and more is given"),
        ({}, "text", "and nothing is given"),
        ({"text": [1]}, "text", "cannot be sent: what is neither bytes nor a text"),
    ):
        with pytest.raises(UsageError, match=said):
            asked.predict(inputs, signature)


def test_what_the_graph_refuses_is_said_and_not_asked_again(asking):
    asked = asking("texts")
    with pytest.raises(Refused, match="a text that the graph refuses") as caught:
        asked.predict({"text": ["refused"]}, "text")
    assert (caught.value.code, caught.value.is_retried) == ("INVALID_ARGUMENT", False)
    assert "{{" not in caught.value.message


FEATURE = "image/encoded"


def example(image: bytes) -> bytes:
    feature = {FEATURE: tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def test_examples_are_classified_as_in_process(asking, pushed_models, tmp_path):
    files = [path.read_bytes() for path in pushed.images(tmp_path)]
    inside = tf.saved_model.load(str(pushed_models / "classifier" / "1")).signatures["classify"]
    wanted = inside(inputs=tf.constant([example(file) for file in files]))
    told = asking("classifier", batch_size=2).classify([example(files[0]), *({FEATURE: file} for file in files[1:])])
    assert told.keys() == wanted.keys() == {"classes", "scores"}
    assert told["classes"].tolist() == wanted["classes"].numpy().tolist()
    assert told["scores"].dtype == np.float32
    np.testing.assert_allclose(told["scores"], wanted["scores"].numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("examples", "said"),
    [([b"no example"], "bytes that are no tf.Example"), (["text"], "neither bytes nor a mapping"), ([{"x": [[1]]}], "a feature x")],
)
def test_what_is_no_example_is_said_before_it_is_sent(asking, examples, said):
    with pytest.raises(UsageError, match=f"The signature classify of classifier cannot be asked: .*{said}"):
        asking("classifier").classify(examples)


def test_nothing_to_classify_is_the_servers_to_refuse(asking):
    with pytest.raises(Refused) as caught:
        asking("classifier").classify([])
    assert caught.value.code == "INVALID_ARGUMENT"


@pytest.fixture(scope="module")
def halved(tmp_path_factory):
    """A server of TF Serving's test model, which has signatures of Regress."""
    base = tmp_path_factory.mktemp("halved") / half_plus_two.NAME
    base.mkdir()
    half_plus_two.build(base)
    server = Server(Settings(rest_port=0, grpc_port=0, poll=0))
    server.start(model_config.of_models({half_plus_two.NAME: str(base)}))
    yield server
    server.stop()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_examples_are_regressed(halved, protocol):
    address = f"127.0.0.1:{halved.ports[protocol]}"
    with Client(address, half_plus_two.NAME, protocol=protocol, batch_size=2) as asked:
        told = asked.regress([{"x": 80.0}, {"x": [20.0]}, {"x2": 1.0}], "regress_x_to_y")
        assert (told.dtype, told.tolist()) == (np.float32, [42.0, 12.0, 2.0])
        assert np.isnan(asked.regress([{"x": float("nan")}], "regress_x_to_y")).all()
        assert asked.classify([{"x": 80.0}], "classify_x_to_y").keys() == {"scores"}
        with pytest.raises(Refused, match="No regression inputs") as caught:
            asked.regress([{"x": 80.0}])
        assert caught.value.code == ("FAILED_PRECONDITION" if protocol == "grpc" else "INVALID_ARGUMENT")  # HTTP's 400


def test_the_card_is_the_servers_where_it_tells_one(asking):
    asked = asking("classifier")
    assert (asked.card() or {}).get("task") == ("classification" if asked.protocol == "rest" else None)


def test_many_threads_ask_one_client(asking):
    asked, wrong = asking("texts", batch_size=2), []

    def work(number):
        words = [f"{'long words ' * (number % 3)}{place}" for place in range(5)]
        told = asked.predict({"text": words}, "text")["classes"][:, 0]
        wrong.extend(told != [b"long" if len(word) > 12 else b"short" for word in words])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(wrong) == 60
    assert not any(wrong)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_other_protocols_port(served, protocol):
    other = {"rest": "grpc", "grpc": "rest"}[protocol]
    with Client(f"127.0.0.1:{served.ports[other]}", "texts", protocol=protocol, timeout=PATIENCE) as asked:
        with pytest.raises(Unreachable, match="is no server of TF Serving's") as caught:
            _ = asked.signatures
        assert f"It may be its {'gRPC' if protocol == 'rest' else 'REST'} port" in caught.value.hint


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tls_and_an_api_key(pushed_models, pair, protocol):
    certificate, key = pair
    settings = Settings(rest_port=0, grpc_port=0, poll=0, certificate=certificate, key=key)
    server = Server(settings, ApiKey("s3cret"))
    server.start(model_config.of_models({"texts": str(pushed_models / "texts")}))
    address = f"127.0.0.1:{server.ports[protocol]}"
    more = {"protocol": protocol, "timeout": 20, "retries": 1}
    try:
        with Client(address, "texts", ca=certificate, api_key="s3cret", **more) as asked:
            assert asked.predict({"text": ["rain"]}, "text")["classes"].tolist() == [[b"short", b"long"]]
        for given, said in (
            ({"ca": certificate}, "wants an API key, or another one"),
            ({"ca": certificate, "api_key": "wrong"}, "wants an API key, or another one"),
            ({"api_key": "s3cret"}, "no server|No server|no TLS"),  # of no TLS
        ):
            with Client(address, "texts", **given, **more) as asked, pytest.raises(ServerError, match=said) as caught:
                _ = asked.signatures
            assert "s3cret" not in f"{caught.value.message}{caught.value.hint}"
        with (
            Client(f"https://{address}", "texts", **more) as asked,
            pytest.raises(Unreachable, match="There is no TLS with") as caught,
        ):
            _ = asked.signatures
        assert "--tls-ca" in caught.value.hint
    finally:
        server.stop()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_without_tls(served, pair, protocol):
    there = f"127.0.0.1:{served.ports[protocol]}"
    with Client(there, "texts", protocol=protocol, ca=pair[0]) as asked, pytest.raises(Unreachable, match="There is no TLS with"):
        _ = asked.signatures


def test_tensorflow_is_not_imported(served):
    """Over either protocol, in a process of its own."""
    script = (
        "import sys\nfrom serving.client import Client\n"
        "for protocol, port in zip(('rest', 'grpc'), sys.argv[1:]):\n"
        "    with Client(f'127.0.0.1:{port}', 'texts', protocol=protocol) as asked:\n"
        "        print(asked.predict({'text': ['rain']}, 'text')['classes'][0][0].decode())\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    command = [sys.executable, "-c", script, *(str(served.ports[protocol]) for protocol in PROTOCOLS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, "short\nshort\n"), done.stderr
