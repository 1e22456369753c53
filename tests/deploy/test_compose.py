"""What is rendered for Docker Compose is as the Compose Specification says, and fits together; where Compose is, it reads it."""

import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest

from tests.deploy import rendered
from tests.slower import PATIENCE

SCHEMA = json.loads(Path(__file__).with_name("compose.json").read_text())


def check(content):
    jsonschema.Draft7Validator(SCHEMA).validate(content)


@pytest.fixture(params=list(rendered.CHOICES["compose"]))
def choice(request):
    return request.param


@pytest.fixture
def place(models, tmp_path, choice):
    return rendered.folder("compose", choice, models, tmp_path)


def test_it_is_as_the_specification_s_schema_says(place):
    check(rendered.parsed(place)["compose.yaml"])


def test_ports_are_of_this_machine_and_what_is_mounted_is_there(place, choice):
    services = rendered.parsed(place)["compose.yaml"]["services"]
    assert services.keys() == {"tf-serving", "prometheus", "grafana"}
    host = "::1" if choice == "other" else "127.0.0.1"
    assert {port["host_ip"] for service in services.values() for port in service["ports"]} == {host}
    for service in services.values():
        binds = [volume for volume in service["volumes"] if volume["type"] == "bind"]
        assert all(volume["read_only"] for volume in binds)
        assert all((place / volume["source"]).exists() for volume in binds if volume["source"].startswith("./"))
        assert service["user"].split(":")[0] != "0"
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    server = services["tf-serving"]
    mounted = [volume["source"] for volume in server["volumes"] if volume["target"] == "/models"]
    assert mounted == {"plain": ["/srv/models"], "other": [], "odd path": ["/srv/$$HOME of: mine"]}[choice]
    files = dict(flag.removeprefix("--").split("=", 1) for flag in server["command"] if "_file=" in flag)
    assert {Path(name).name for name in files.values()} <= {path.name for path in (place / "tf-serving").iterdir()}


def test_prometheus_scrapes_the_server_and_grafana_asks_prometheus(place):
    told = rendered.parsed(place)
    services = told["compose.yaml"]["services"]
    [job] = told["monitoring/prometheus.yaml"]["scrape_configs"]
    [target] = job["static_configs"][0]["targets"]
    name, _, port = target.partition(":")
    assert int(port) in {each["target"] for each in services[name]["ports"]}
    [source] = told["monitoring/grafana/provisioning/datasources/prometheus.yaml"]["datasources"]
    name, port = re.fullmatch(r"http://(\w+):(\d+)", source["url"]).groups()
    assert int(port) in {each["target"] for each in services[name]["ports"]}
    [provider] = told["monitoring/grafana/provisioning/dashboards/boards.yaml"]["providers"]
    boards = [volume["target"] for volume in services["grafana"]["volumes"] if volume["source"].endswith("board.json")]
    assert [Path(board).parent.as_posix() for board in boards] == [provider["options"]["path"]]


def test_the_health_check_is_one_that_bash_runs(place):
    """Asked is a listener that gives what TF Serving gives."""
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            state = b"AVAILABLE" if self.path == "/v1/models/digits_lenet5" else b"NOTHING"
            self.wfile.write(b'{"state": "' + state + b'"}')

        def log_message(self, *_):
            pass

    program, *words = rendered.parsed(place)["compose.yaml"]["services"]["tf-serving"]["healthcheck"]["test"][1:]
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        asked = [word.replace("8501", str(listener.server_port)).replace("$$", "$") for word in words]
        assert subprocess.run([program, *asked], check=False, timeout=PATIENCE).returncode == 0
        other = [word.replace("lenet5", "other") for word in asked]
        assert subprocess.run([program, *other], check=False, timeout=PATIENCE).returncode != 0
        listener.shutdown()
    gone = subprocess.run([program, *asked], check=False, timeout=PATIENCE, capture_output=True)
    assert gone.returncode != 0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "tf-serving", "imgae"), "a"),
        (("services", "tf-serving", "ports", 0, "target"), {"a": 1}),
        (("services", "tf-serving", "healthcheck", "intervall"), "1s"),
        (("service",), {}),
        (("services", "tf-serving", "deploy", "resources", "limits", "memory"), 1.5),
    ],
)
def test_a_file_that_is_not_is_refused(models, tmp_path, path, value):
    wrong = rendered.changed(rendered.parsed(rendered.folder("compose", "plain", models, tmp_path))["compose.yaml"], path, value)
    with pytest.raises(jsonschema.ValidationError):
        check(wrong)


def compose(place: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["docker", "compose", "-f", str(place / "compose.yaml"), *words], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.compose
def test_compose_itself_reads_it(place, choice, docker_compose):
    read = compose(place, "config", "--format", "json")
    assert read.returncode == 0, read.stderr
    server = json.loads(read.stdout)["services"]["tf-serving"]
    assert server["ports"][0]["host_ip"] == ("::1" if choice == "other" else "127.0.0.1")
    mounted = [volume["source"] for volume in server["volumes"] if volume["target"] == "/models"]
    assert mounted == {"plain": ["/srv/models"], "other": [], "odd path": ["/srv/$$HOME of: mine"]}[choice]
    file = place / "compose.yaml"
    file.write_text(file.read_text().replace("image: ", "imgae: "))
    assert compose(place, "config").returncode != 0
