"""The images: every file that they copy is there and not ignored, no process is root, what is installed is the lock. Where a Docker
daemon answers they are built and run too."""

import fnmatch
import json
import re
import shutil
import subprocess
import time
import urllib.request
import uuid

import pytest

from configs.packages import PACKAGES
from serving import real_server
from serving.deployment import model as at_hand
from serving.deployment import pods, server, sizes
from serving.server import model_config
from tests import conftest, sources
from tests.deploy import dockerfiles
from tests.serving.deployment.models import push
from tests.serving.server import half_plus_two

DOCKER = sources.ROOT / "docker"
IGNORED = [line for line in (sources.ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]


def is_ignored(name: str) -> bool:
    """As Docker reads .dockerignore: the last pattern that fits decides."""
    ignored = False
    for pattern in IGNORED:
        if fnmatch.fnmatch(name, pattern.removeprefix("!").replace("**/", "*")) or name.startswith(f"{pattern.removeprefix('!')}/"):
            ignored = not pattern.startswith("!")
    return ignored


@pytest.fixture(scope="module")
def hubel():
    return dockerfiles.stages(DOCKER / "hubel.Dockerfile")


@pytest.fixture(scope="module")
def serving():
    [stage] = dockerfiles.stages(DOCKER / "serving.Dockerfile")
    return stage


def hadolint(file) -> subprocess.CompletedProcess:
    return subprocess.run([conftest._hadolint(), "--no-color", file], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.hadolint
@pytest.mark.parametrize("name", ["hubel.Dockerfile", "serving.Dockerfile"])
def test_hadolint_has_nothing_to_say(name, tmp_path):
    if conftest._hadolint() is None:
        pytest.skip("no hadolint beside this Python nor on PATH")
    said = hadolint(DOCKER / name)
    assert (said.returncode, said.stdout) == (0, "")
    for wrong in ("USER 10001:10001", "ENTRYPOINT"):
        (tmp_path / "Dockerfile").write_text(
            (DOCKER / name).read_text().replace(wrong, "USERS" if wrong[0] == "U" else "RUN sudo", 1)
        )
        assert hadolint(tmp_path / "Dockerfile").returncode == 1


def test_everything_that_is_copied_is_there_and_reaches_docker(hubel):
    copied = [name for stage in hubel for each in stage.all("COPY") if "from" not in each.flags for name in each.words[:-1]]
    assert set(PACKAGES) <= set(copied)
    for name in copied:
        assert (sources.ROOT / name).exists(), name
        assert not is_ignored(name), name
    for name in ("tests", ".git", ".venv", "workspace", "configs/__pycache__", "serving/server/rest.pyc"):
        assert is_ignored(name), name
    assert all(each.flags["from"] == hubel[0].name for each in hubel[1].all("COPY"))


def test_what_is_installed_is_the_lock_as_make_setup_installs_it(hubel):
    made, _ = hubel
    assert made.last("RUN")[-2:] == ["sh", "setup.sh"]
    script = (sources.ROOT / "setup.sh").read_text()
    needed = set(re.findall(r"\b(requirements\.lock|setup\.py|setup\.sh)\b", script))
    assert "--no-deps" in script
    assert needed | {"overrides.txt", "requirements.in"} <= {name for each in made.all("COPY") for name in each.words}
    assert {stage.image for stage in hubel} == {"python:3.11-slim-bookworm"}, (
        "of one Python, since .venv is copied from one to the other"
    )


def test_hubel_s_image_runs_as_nobody_special_with_its_workspace_on_a_volume(hubel):
    *_, last = hubel
    [user] = last.last("USER")
    assert user == f"{pods.USER}:{pods.USER}"
    assert last.instructions.index(last.all("USER")[-1]) > max(map(last.instructions.index, [*last.all("RUN"), *last.all("COPY")]))
    assert last.last("ENTRYPOINT") == ["hubel"]
    [volume] = last.last("VOLUME")
    environment = dict(word.split("=", 1) for word in last.last("ENV"))
    assert environment["HUBEL_WORKSPACE"] == volume == "/workspace"
    assert environment["PATH"].split(":")[0] == f"{last.all('COPY')[-1].words[-1]}/.venv/bin"


def test_the_image_of_tf_serving_takes_what_hubel_deploy_renders(serving, tmp_path):
    assert serving.image == real_server.IMAGE
    assert serving.last("USER") == [f"{pods.USER}:{pods.USER}"]
    sides = [each.words for each in serving.all("COPY")]
    assert sides == [["tf-serving", server.FOLDER], ["${MODEL}", f"{server.MODELS}/${{MODEL}}"]]
    program, *flags = serving.last("ENTRYPOINT")
    push(tmp_path, "digits_lenet5", 1)
    resources = sizes.of(at_hand.read("digits_lenet5", tmp_path), 2**24)
    assert program == real_server.BINARY
    assert set(flags) <= {*server.ports(), *server.flags(resources, False)}
    assert any(flag.startswith("--model_config_file=") for flag in flags)


def test_a_file_that_is_wrong_would_be_seen(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM a\nCOPPY a b\n")
    with pytest.raises(AssertionError, match="COPPY is no instruction"):
        dockerfiles.stages(tmp_path / "Dockerfile")


def docker(*words, check: bool = True, **more):
    done = subprocess.run(["docker", *map(str, words)], capture_output=True, text=True, check=False, timeout=1100, **more)
    assert done.returncode == 0 or not check, done.stderr
    return done


@pytest.fixture(scope="module")
def daemon():
    return conftest._docker() or pytest.skip("no Docker daemon answers")


@pytest.mark.docker
def test_hubel_s_image_is_built_and_runs(daemon):
    name = f"hubel-test-{uuid.uuid4().hex[:8]}"
    docker("build", "--file", DOCKER / "hubel.Dockerfile", "--tag", name, sources.ROOT)
    try:
        checks = json.loads(docker("run", "--rm", name, "doctor", "--json").stdout)
        assert all(check["ok"] is not False for check in checks), checks
        assert docker("run", "--rm", "--entrypoint", "id", name, "-u").stdout.strip() == str(pods.USER)
    finally:
        docker("rmi", "--force", name, check=False)


@pytest.mark.docker
def test_the_image_of_tf_serving_is_built_and_answers(daemon, tmp_path):
    base = tmp_path / half_plus_two.NAME
    base.mkdir()
    half_plus_two.build(base)
    (tmp_path / "tf-serving").mkdir()
    config = model_config.of_models({half_plus_two.NAME: f"{server.MODELS}/{half_plus_two.NAME}"})
    (tmp_path / "tf-serving" / server.CONFIG).write_text(str(config))
    (tmp_path / "tf-serving" / server.MONITORING).write_text(server.monitoring_config())
    name = f"hubel-test-{uuid.uuid4().hex[:8]}"
    docker("build", "--file", DOCKER / "serving.Dockerfile", "--build-arg", f"MODEL={half_plus_two.NAME}", "--tag", name, tmp_path)
    try:
        docker("run", "--rm", "--detach", "--read-only", "--name", name, "--publish", "127.0.0.1::8501", name)
        at = docker("port", name, "8501/tcp").stdout.split()[0]
        assert answer(f"http://{at}/v1/models/{half_plus_two.NAME}:predict") == {"predictions": [2.5]}
    finally:
        docker("rm", "--force", name, check=False)
        docker("rmi", "--force", name, check=False)


def answer(url: str) -> dict:
    for _ in range(120):
        try:
            with urllib.request.urlopen(url, b'{"instances": [1.0]}', timeout=5) as told:  # noqa: S310 - of this machine
                return json.load(told)
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"{url} never answered")


def test_docker_is_looked_for_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("docker") is None
    assert conftest._docker() is None
