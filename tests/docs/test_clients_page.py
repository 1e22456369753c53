"""The lines of docs/clients.md, run against a server of hubel's."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.serving import pushed
from tests.serving.conftest import pushed_models, served  # noqa: F401

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


def block(title: str, language: str) -> str:
    """The code under a heading."""
    return re.search(rf"\n## {title}\n.*?\n```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


@pytest.fixture(scope="module")
def here(served, tmp_path_factory):  # noqa: F811
    """A folder with the files that the page names, and what makes a line of the page one that asks the server of the tests."""
    folder = tmp_path_factory.mktemp("clients")
    shutil.copy(pushed.images(folder)[0], folder / "digit.png")
    (folder / "key.txt").write_text("a key\n")

    def mine(text: str) -> str:
        for protocol, port in (("rest", 8501), ("grpc", 8500)):
            text = text.replace(f"localhost:{port}", f"127.0.0.1:{served.ports[protocol]}")
        return text.replace("digits_lenet5", "classifier")

    return folder, mine


def shell(line: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines(text: str, start: str) -> list[str]:
    """Commands, each of which begins with one of the words."""
    return re.findall(rf"^(?:{start}).*?(?=^(?:{start})|\Z)", text, re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on PATH")
def test_curl(here):
    folder, mine = here
    answers = [json.loads(shell(mine(line), folder)) for line in lines(block("curl", "sh"), r"curl|\(")]
    status, metadata, one_row, by_file, with_key, description = answers
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    assert metadata == with_key
    assert "image_bytes" in metadata["metadata"]["signature_def"]["signature_def"]
    assert one_row == by_file
    assert len(one_row["predictions"][0]["classes"]) == 3
    assert "/v1/models/classifier:predict" in description["paths"]


def test_python(here):
    folder, mine = here
    done = subprocess.run(
        [sys.executable, "-c", mine(block("Python", "python"))],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert re.fullmatch(r"\w+ \(1, 10\)\n", done.stdout)


@pytest.mark.skipif(not shutil.which("node"), reason="no node on PATH")
def test_javascript(here):
    folder, mine = here
    script = mine(block("JavaScript", "js")) + (
        "\npredict(new Blob([require('fs').readFileSync('digit.png')])).then(row => console.log(JSON.stringify(row)));"
        "\npredict(new Blob(['no image'])).catch(error => console.log(JSON.stringify(error.message)));\n"
    )
    done = subprocess.run(["node", "-e", script], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    row, refused = sorted(map(json.loads, done.stdout.splitlines()), key=lambda told: isinstance(told, str))
    assert len(row["classes"]) == 3
    assert refused.startswith("400: ")


def test_grpcurl(here, served):  # noqa: F811
    """By grpcurl where it is on PATH. Else its arguments are taken apart, and what it would send is sent by the descriptions that
    the server's reflection gives, as it does."""
    folder, mine = here
    real = shutil.which("grpcurl")
    if not real:
        (folder / "grpcurl").write_text('#!/bin/sh\nfor part in "$@"; do printf "%s\\0" "$part"; done\n')
        (folder / "grpcurl").chmod(0o755)
    printed = [shell(mine(line), folder) for line in lines(block("grpcurl", "sh"), "grpcurl")]
    answers = printed if real else [called(line.split("\0")[:-1]) for line in printed]
    services, status, metadata, predicted, health = answers
    assert "tensorflow.serving.PredictionService" in services.split()
    assert json.loads(status)["modelVersionStatus" if real else "model_version_status"][0]["state"] == "AVAILABLE"
    assert "signature_def" in json.loads(metadata)["metadata"]
    assert len(json.loads(predicted)["outputs"]["classes"][("stringVal" if real else "string_val")]) == 3
    assert json.loads(health)["status"] == "SERVING"
    assert shlex.split(mine(lines(block("grpcurl", "sh"), "grpcurl")[0]))[0] == "grpcurl"


def called(arguments: list[str]) -> str:
    """What grpcurl would print."""
    options, rest = {"-plaintext": True}, []
    while arguments:
        part = arguments.pop(0)
        if part in ("-d", "-max-time"):
            options[part] = arguments.pop(0)
        elif part.startswith("-"):
            assert part == "-plaintext"
        else:
            rest.append(part)
    address, method = rest
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        if method == "list":
            return "\n".join(database.get_services())
        service, _, name = method.rpartition("/")
        pool = descriptor_pool.DescriptorPool(database)
        described = pool.FindServiceByName(service).FindMethodByName(name)
        request, response = (message_factory.GetMessageClass(kind) for kind in (described.input_type, described.output_type))
        sent = json_format.Parse(options.get("-d", "{}"), request(), descriptor_pool=pool)
        call = channel.unary_unary(f"/{method}", request.SerializeToString, response.FromString)
        answer = call(sent, timeout=float(options.get("-max-time", 30)))
        return json_format.MessageToJson(answer, preserving_proto_field_name=True, descriptor_pool=pool)
