"""TensorFlow Serving is looked for, started, waited for and ended. Here by stand-ins that take its flags, or Docker's, and answer
its status."""

import json
import os
import sys
import urllib.request
from pathlib import Path

import pytest

from configs.errors import HubelError
from serving import real_server
from serving.server import model_config
from tests.slower import PATIENCE

SERVER = '''#!{python}
"""Answers the status of each model of a model.config: LOADING at first, then what NAME says."""
import http.server, json, pathlib, re, sys
flags = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--"))
names = re.findall('name: "(.*)"', pathlib.Path(flags["model_config_file"]).read_text())
print("flags", json.dumps(flags), flush=True)
if names == ["dies"]:
    sys.exit("cannot bind")
asked = dict.fromkeys(names, 0)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rpartition("/")[2]
        asked[name] += 1
        state = "LOADING" if asked[name] < 3 or name == "slow" else "END" if name == "damaged" else "AVAILABLE"
        status = {{"error_code": "UNKNOWN", "error_message": "no graph" if state == "END" else ""}}
        body = json.dumps({{"model_version_status": [{{"version": "1", "state": state, "status": status}}]}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

http.server.HTTPServer(("127.0.0.1", int(flags["rest_api_port"])), Handler).serve_forever()
'''
DOCKER = '''#!{python}
"""Has an image; `run` starts what its name says, with the ports that it publishes moved to free ones."""
import json, os, pathlib, signal, subprocess, sys
here, words = pathlib.Path(__file__).parent, sys.argv[1:]
if words[0] == "version":
    print("28.0") if not (here / "silent").exists() else sys.exit("Cannot connect to the Docker daemon")
elif words[:2] == ["image", "inspect"]:
    print("[]") if (here / words[2].replace("/", "-")).exists() else sys.exit("No such image")
elif words[0] == "pull":
    (here / words[-1].replace("/", "-")).touch(); print(words[-1])
elif words[0] == "run":
    image = next(place for place, word in enumerate(words[1:], 1) if not word.startswith("--"))
    (here / "run.json").write_text(json.dumps(words))
    server = next(word.split("=")[1] for word in words if word.startswith("--entrypoint="))
    flags = [word.replace("=8501", f"={{os.environ['HUBEL_TEST_PORT']}}") for word in words[image + 1:]]
    process = subprocess.Popen([here / "bin" / server, *flags])
    (here / "pid").write_text(str(process.pid))
    sys.exit(process.wait())
elif words[0] == "port":
    print("127.0.0.1:" + os.environ["HUBEL_TEST_PORT"])
elif words[0] == "stop":
    os.kill(int((here / "pid").read_text()), signal.SIGTERM); print(words[-1])
'''


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.format(python=sys.executable))
    path.chmod(0o755)
    return path


@pytest.fixture
def binary(tmp_path, monkeypatch) -> Path:
    """A stand-in of the binary, which alone is on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return put(tmp_path / "bin" / real_server.BINARY, SERVER)


@pytest.fixture
def docker(tmp_path, monkeypatch) -> Path:
    """A stand-in of Docker, which alone is on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    [port] = real_server._free(1)
    monkeypatch.setenv("HUBEL_TEST_PORT", str(port))
    put(tmp_path / "path" / "bin" / real_server.BINARY, SERVER)
    return put(tmp_path / "path" / "docker", DOCKER)


def config_of(tmp_path: Path, *names: str):
    return model_config.of_models({name: str(tmp_path / "models" / name) for name in names})


def state_at(address: real_server.Address, name: str) -> str:
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the usual one keeps the proxies that it saw first
    with directly.open(f"http://{address.rest}/v1/models/{name}", timeout=PATIENCE) as told:
        return json.load(told)["model_version_status"][0]["state"]


def test_nothing_is_found_where_there_is_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert real_server.find(fetch=True) is None


def test_the_binary_is_found_and_answers_for_all_models_until_the_end(binary, tmp_path):
    server = real_server.find()
    assert (server.program, server.image) == (str(binary), None)
    log = tmp_path / "log"
    with real_server.running(server, config_of(tmp_path, "a", "b"), log, ["--enable_batching=true"]) as address:
        assert state_at(address, "a") == state_at(address, "b") == "AVAILABLE"
        flags = json.loads(log.read_text().splitlines()[0].partition(" ")[2])
        config = Path(flags["model_config_file"])
        assert f'base_path: "{tmp_path}/models/b"' in config.read_text()
        assert address == real_server.Address(f"127.0.0.1:{flags['rest_api_port']}", f"127.0.0.1:{flags['port']}")
        assert flags["enable_batching"] == flags["allow_version_labels_for_unavailable_models"] == "true"
    with pytest.raises(OSError, match="refused"):
        state_at(address, "a")
    assert not config.exists()


def test_it_is_ended_where_the_block_fails(binary, tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        real_server.running(real_server.find(), config_of(tmp_path, "a"), tmp_path / "log") as at,
    ):
        raise ZeroDivisionError
    with pytest.raises(OSError, match="refused"):
        state_at(at, "a")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dies", r"ended with 1: cannot bind\."),
        ("damaged", r"could not load version 1 of damaged: no graph\."),
        ("slow", r"does not answer for slow after 1 s\."),
    ],
)
def test_a_server_that_does_not_come_is_a_sentence_that_names_the_log(binary, tmp_path, name, said):
    with (
        pytest.raises(HubelError, match=said) as refused,
        real_server.running(real_server.find(), config_of(tmp_path, name), tmp_path / "log", patience=1),
    ):
        pass
    assert str(tmp_path / "log") in refused.value.hint


def test_an_image_is_used_where_docker_answers_and_has_it(docker, tmp_path):
    assert real_server.find() is None, "the image is not here"
    server = real_server.find(fetch=True)
    assert (server.program, server.image) == (str(docker), real_server.IMAGE)
    assert real_server.find() == server
    with real_server.running(server, config_of(tmp_path, "a"), tmp_path / "log", mounted=[tmp_path / "batching"]) as address:
        assert state_at(address, "a") == "AVAILABLE"
    words = json.loads((docker.parent / "run.json").read_text())
    assert f"--volume={tmp_path}/models/a:{tmp_path}/models/a:ro" in words
    assert f"--volume={tmp_path}/batching:{tmp_path}/batching:ro" in words
    assert f"--user={os.getuid()}:{os.getgid()}" in words
    assert [word for word in words if word.startswith("--publish")] == ["--publish=127.0.0.1::8501", "--publish=127.0.0.1::8500"]
    (docker.parent / "silent").touch()
    assert real_server.find(fetch=True) is None, "no daemon answers"


def test_the_image_is_of_the_release_whose_api_is_used():
    from importlib.metadata import version

    assert real_server.IMAGE.rpartition(":")[2] == version("tensorflow-serving-api")
