"""`hubel predict --server`: what a server answers is told as what a model here answers. The command line is in this process."""

import json
import re
import shutil
import socket

import pytest

from pipelines.command_line.server import named
from serving.server import model_config
from serving.server.server import Server, Settings
from tests.cheaper import loaded_once
from tests.pipelines.conftest import in_process
from tests.serving import pushed
from tests.serving.client.flaky import Flaky
from tests.serving.conftest import pair, pushed_models, served  # noqa: F401

TEXTS = ("rain", "a text that is rather long", "é" * 40, "it is refused", " ")


@pytest.fixture(scope="module", autouse=True)
def models_are_loaded_once():
    """Those that answer here; a server loads its own."""
    with loaded_once():
        yield


@pytest.fixture(scope="module")
def place(pushed_models, tmp_path_factory):  # noqa: F811
    """A workspace whose models are those that are served."""
    root = tmp_path_factory.mktemp("workspace")
    (root / "models").symlink_to(pushed_models)
    return root


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A workspace without models."""
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Files: real digits, one of another size, then one that is no image, one cut short, an empty one, one that is not there."""
    folder = tmp_path_factory.mktemp("images")
    files = pushed.images(folder)
    (folder / "text.png").write_text("no image")
    (folder / "cut.png").write_bytes(files[0].read_bytes()[:60])
    (folder / "none.png").write_bytes(b"")
    return [str(path) for path in (*files, folder / "text.png", folder / "cut.png", folder / "none.png", folder / "missing.png")]


@pytest.fixture(params=["rest", "grpc"])
def server(request, served):  # noqa: F811
    """The flags of a server's address."""
    address = f"127.0.0.1:{served.ports[request.param]}"
    return ("--server", address, *(["--grpc"] if request.param == "grpc" else []))


def close(told, wanted) -> bool:
    """Equality, of floats within 1e-6 + 1e-5 |value|."""
    if isinstance(wanted, float):
        return isinstance(told, float) and abs(told - wanted) <= 1e-6 + 1e-5 * abs(wanted)
    if isinstance(wanted, list):
        return isinstance(told, list) and len(told) == len(wanted) and all(map(close, told, wanted))
    if isinstance(wanted, dict):
        return isinstance(told, dict) and told.keys() == wanted.keys() and all(close(told[key], wanted[key]) for key in wanted)
    return told == wanted


@pytest.mark.parametrize("model", ["classifier", pytest.param("autoencoder", marks=pytest.mark.whole)])
def test_images_are_told_as_here(place, images, server, model):
    command = ("predict", model, *images, "--top", 2, "--workspace", place)
    here, there = in_process(*command, "--json"), in_process(*command, "--json", *server)
    assert (there.code, here.code) == (0, 0), there.err
    for told, wanted in zip(there.json, here.json, strict=True):
        assert close({**told, "run": None}, {**wanted, "run": None})
    assert [("error" in row) for row in there.json] == [False] * 5 + [True] * 4
    told, wanted = (re.sub(r"(\d\.\d{3})\d", r"\1", in_process(*command, *flags).out) for flags in (server, ()))
    assert [line for line in told.splitlines() if "card" not in line] == wanted.splitlines()


@pytest.mark.parametrize("server", ["rest", pytest.param("grpc", marks=pytest.mark.whole)], indirect=True)
def test_an_output_that_is_an_image_is_written_as_here(tmp_path, pushed_models, place, images, server):  # noqa: F811
    """Of an autoencoder whose card has `predict` ask for reconstructions."""
    base = tmp_path / "models" / "remade"
    shutil.copytree(pushed_models / "autoencoder" / "1", base / "1")
    card = json.loads((base / "1" / "assets.extra" / "hubel.json").read_text())
    (base / "1" / "assets.extra" / "hubel.json").write_text(json.dumps({**card, "predicts": "reconstruct"}))
    own = Server(Settings(rest_port=0, grpc_port=0, poll=0))
    own.start(model_config.of_models({"remade": str(base)}))
    try:
        kind = "grpc" if "--grpc" in server else "rest"
        flags = ("--server", f"127.0.0.1:{own.ports[kind]}", *(["--grpc"] if kind == "grpc" else []))
        command = ("predict", "remade", *images[:5], "--workspace", tmp_path)
        there = in_process(*command, *flags, "--json", "--out", tmp_path / "there")
        here = in_process(*command, "--json", "--out", tmp_path / "here")
    finally:
        own.stop()
    assert (there.code, here.code) == (0, 0), there.err
    names = sorted(path.name for path in (tmp_path / "here").glob("*.png"))
    assert len(names) == 5
    for name in names:
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_texts_are_told_as_here(place, tmp_path, server):
    (tmp_path / "lines.txt").write_text("\n".join(TEXTS) + "\n")
    (tmp_path / "table.csv").write_text("text,note\nwind,x\na storm that lasted long,y\n")
    given = ("--text", "typed", tmp_path / "lines.txt", tmp_path / "table.csv", "--column", "text", "--json", "--workspace", place)
    here, there = in_process("predict", "texts", *given), in_process("predict", "texts", *given, *server)
    assert (there.code, here.code) == (0, 0), there.err
    assert len(here.json) == 7
    for told, wanted in zip(there.json, here.json, strict=True):
        assert close(told, wanted)
    refused = [row for row in there.json if "error" in row]
    assert [(row["text"], row["error"]) for row in refused] == [("it is refused", refused[0]["error"])]
    assert "a text that the graph refuses" in refused[0]["error"]


def test_where_all_fail_it_fails_as_here(place, images, server):
    command = ("predict", "classifier", *images[5:], "--json", "--workspace", place)
    here, there = in_process(*command), in_process(*command, *server)
    assert (there.code, there.json) == (here.code, here.json)
    assert there.code == 1


@pytest.mark.parametrize("form", ["texts/1", "texts@stable", ("texts", "--label", "stable")])
def test_a_version_and_a_label(empty, server, form):
    named_as = form if isinstance(form, tuple) else (form,)
    done = in_process("predict", *named_as, "--text", "rain", *server, "--json", "--workspace", empty)
    assert (done.code, done.json[0]["classes"]) == (0, ["short"])


def test_whence_the_card_is_is_said(place, empty, images, server):
    """The embedded server tells it over REST; over gRPC that of the workspace is taken, and without one what outputs are called."""
    is_rest = "--grpc" not in server
    said_of = {place: "by that of the workspace's same version", empty: "by the names and types of its outputs alone"}
    for workspace, said in said_of.items():
        done = in_process("predict", "classifier", images[0], images[4], *server, "--workspace", workspace)
        assert done.code == 0, done.err
        assert (said in done.out) == (not is_rest)
        assert ("1 was of another size" in done.out) == (is_rest or workspace is place)
        assert "classes" in done.out
    texts = in_process("predict", "texts", "--text", "rain", *server, "--json", "--workspace", empty)
    assert texts.json[0]["classes"] == ["short"]
    assert "card" not in texts.out
    assert ("card" in texts.err) == (not is_rest)


def test_a_card_of_another_model_is_not_taken(tmp_path, pushed_models, served):  # noqa: F811
    (tmp_path / "models" / "texts").mkdir(parents=True)
    (tmp_path / "models" / "texts" / "1").symlink_to(pushed_models / "autoencoder" / "1")
    flags = ("--server", f"127.0.0.1:{served.ports['grpc']}", "--grpc", "--workspace", tmp_path)
    done = in_process("predict", "texts", "--text", "rain", *flags)
    assert (done.code, "by the names and types" in done.out) == (0, True)


def refusal(*command) -> tuple[int, str]:
    done = in_process("predict", *command)
    assert done.out == ""
    lines = done.err.splitlines()
    assert len(lines) == 2, done.err  # what is wrong, and what to do
    return done.code, lines[0]


def test_what_cannot_be_is_a_sentence(empty, images, served, pair, tmp_path):  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as made:
        nobody = made.getsockname()[1]
    rest, grpc = (f"127.0.0.1:{served.ports[protocol]}" for protocol in ("rest", "grpc"))
    (tmp_path / "empty.key").write_text("")
    at = ("--workspace", empty)
    for command, code, said in (
        (("m", images[0], "--server", f"127.0.0.1:{nobody}"), 1, "No server answers at 127.0.0.1"),
        (("m", images[0], "--server", f"127.0.0.1:{nobody}", "--grpc"), 1, "No server answers at 127.0.0.1"),
        (("m", images[0], "--server", grpc), 1, "is no server of TF Serving's REST API"),
        (("m", images[0], "--server", rest, "--grpc"), 1, "is no server of TF Serving's gRPC API"),
        (("m", images[0], "--server", rest, "--tls-ca", pair[0]), 1, "There is no TLS with the server"),
        (("m", images[0], "--server", f"https://{rest}"), 1, "There is no TLS with the server"),
        (("m", images[0], "--server", rest), 2, "has no model m: "),
        (("texts/7", "--text", "a", "--server", rest), 2, "has no model texts 7: "),
        (("texts@beta", "--text", "a", "--server", rest), 2, "has no model texts beta: "),
        (("texts", "--text", "a", "--server", "a://b"), 2, "'a://b' is no address of a server."),
        (("texts@stable", "--text", "a", "--server", rest, "--label", "x"), 2, "Which version of texts is meant is said twice."),
        (("texts/one", "--text", "a", "--server", rest), 2, "'texts/one' names no model on a server."),
        (("texts", images[0], "--server", rest), 2, "is not UTF-8"),
        (("classifier", "--text", "a", "--server", rest), 2, "classifier reads images, and a text is given."),
        (("classifier", images[0], "--server", rest, "--out", tmp_path / "out"), 2, "--out is for answers that are pictures"),
        (("texts", "--text", "a", "--server", rest, "--api-key-file", tmp_path / "empty.key"), 2, "of the API key is empty."),
        (("texts", "--text", "a", "--grpc"), 2, "--grpc is of a server, and none is asked."),
        (("texts", "--text", "a", "--timeout", "3"), 2, "--timeout is of a server, and none is asked."),
    ):
        was, told = refusal(*command, *at)
        assert (was, said in told) == (code, True), told


def test_an_answer_that_is_none(empty, images):
    """Neither a page of a balancer, nor a model that takes neither files nor texts, nor one that stops answering."""
    with Flaky([200], "text/html") as peer:
        code, told = refusal("m", images[0], "--server", f"127.0.0.1:{peer.port}", "--workspace", empty)
        assert (code, "m at 127.0.0.1" in told and "has no signature of image files or texts" in told) == (2, True)
    with Flaky([401]) as peer:
        code, told = refusal("other", images[0], "--server", f"127.0.0.1:{peer.port}", "--workspace", empty)
        assert (code, "wants an API key, or another one" in told) == (1, True)


def test_names_of_models_on_a_server():
    assert named("m", None) == ("m", None, None)
    assert named("m/3", None) == ("m", 3, None)
    assert named("m@stable", None) == ("m", None, "stable")
    assert named("m", "canary") == ("m", None, "canary")
