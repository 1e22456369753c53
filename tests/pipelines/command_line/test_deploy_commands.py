"""`hubel deploy`, as it is typed."""

import json
import shlex
import uuid

import pytest
import yaml

from serving import promotions
from serving.deployment import render
from tests.pipelines.conftest import hubel, in_process
from tests.serving.deployment.models import CARD, push


@pytest.fixture
def place(tmp_path):
    """A workspace with a digits_lenet5 whose version 1 is stable and 2 a canary."""
    for version in (1, 2):
        push(tmp_path / "workspace/models", "digits_lenet5", version)
    return tmp_path / "workspace"


def deploy(place, *words):
    return in_process("deploy", *words, "--workspace", place)


@pytest.mark.parametrize("target", render.names())
def test_files_of_each_target_are_written_and_told(place, tmp_path, target):
    told = deploy(place, "digits_lenet5", "--to", target, "--out", tmp_path / "out", "--json").json
    assert (told["model"], told["to"], told["name"], told["out"]) == (
        "digits_lenet5",
        target,
        "digits-lenet5",
        str(tmp_path / "out"),
    )
    assert (told["versions"], told["stable"], told["canary"]) == ([1, 2], 1, 2)
    assert told["signatures"] == ["classify", "image_bytes", "pixels", "serving_default"]
    assert sorted(told["files"]) == sorted(str(path) for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert told["remarks"][0].startswith("The objects are called digits-lenet5: digits_lenet5 is no name of an object.")
    assert any("/v1/models/digits_lenet5/labels/stable:predict" in command for command in told["commands"])
    said = deploy(place, "digits_lenet5", "--to", target, "--out", tmp_path / "out", "--force")
    assert said.lines[0] == "digits_lenet5, version 1 (stable), 2 (canary): classify, image_bytes, pixels, serving_default"
    assert said.lines[1].startswith("  1 core, 320Mi of memory, ")
    for line in [*told["files"], *told["commands"]]:
        assert f"  {line}" in said.lines
    for remark in told["remarks"]:
        assert remark in said.lines


def test_targets_are_what_lies_there():
    assert render.names() == ["compose", "kserve", "kubernetes"]
    for target in render.names():
        assert target in hubel_help()


def hubel_help() -> str:
    return in_process("deploy", "--help").out


def test_each_command_is_words_for_a_shell(place, tmp_path):
    for target in render.names():
        told = deploy(place, "digits_lenet5", "--to", target, "--out", tmp_path / target / "a b", "--json").json
        for command in told["commands"]:
            words = shlex.split(command)
            assert words[0] in ("docker", "kubectl", "curl")
            if "apply" in words or "-f" in words:
                assert words[words.index("-f") + 1].startswith(str(tmp_path / target / "a b"))
        [asked] = [shlex.split(command) for command in told["commands"] if command.startswith("curl")]
        body = json.loads(asked[asked.index("-d") + 1].replace("$(base64 -w 0 FILE)", "YQ=="))
        assert body == {"signature_name": "image_bytes", "instances": [{"b64": "YQ=="}]}


@pytest.mark.parametrize(
    ("target", "storage", "first"),
    [
        ("kubernetes", "gs://bucket/models", "gcloud storage rsync --recursive {} gs://bucket/models/digits_lenet5"),
        ("kserve", "s3://bucket/models", "aws s3 sync {} s3://bucket/models/digits_lenet5"),
    ],
)
def test_models_of_a_bucket_are_copied_first(place, tmp_path, target, storage, first):
    told = deploy(place, "digits_lenet5", "--to", target, "--storage", storage, "--out", tmp_path / "out", "--json").json
    assert told["commands"][0] == first.format(place / "models/digits_lenet5")
    assert f"It is served if {storage} has them in digits_lenet5/VERSION, for 1, 2." in told["remarks"]


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--to", "swarm"], "--to 'swarm' is no target.", "There are: compose, kserve, kubernetes."),
        (["--to", "compose", "--namespace", "a"], "--namespace says nothing to compose.", "it is for kserve, kubernetes"),
        (["--to", "kserve", "--rest-port", "80"], "--rest-port says nothing to kserve.", "it is for compose"),
        (["--to", "kserve", "--storage", "image"], "tensorflow/serving:2.21.0 has no model in it.", "--image"),
        (["--to", "kserve", "--storage", "hostpath:/m"], "KServe mounts a claim or fetches a URI", "pvc:CLAIM"),
        (["--to", "compose", "--host", "localhost"], "--host localhost is no address.", "127.0.0.1"),
        (["--to", "compose", "--storage", "pvc:a"], "Docker Compose mounts a folder of its host", "hostpath:/FOLDER"),
        (["--to", "kubernetes", "--storage", "s3://b"], "TF Serving does not read s3://b by itself", "--to kserve"),
        (["--to", "kubernetes", "--storage", "nowhere"], "--storage 'nowhere' says no place of models.", "pvc:CLAIM"),
        (["--to", "kubernetes", "--name", "A_b"], "--name 'A_b' is no name of an object", "--name"),
        (["--to", "kubernetes", "--namespace", "A_b"], "--namespace 'A_b' is no name of a namespace.", "small letters"),
        (["--to", "kubernetes", "--replicas", "4", "--most-replicas", "3"], "--most-replicas 3 are fewer than", "as many"),
        (["--to", "kubernetes", "--replicas", "0"], "Invalid value for '--replicas'", "--help"),
        (["--to", "kubernetes", "--latency", "nan"], "Invalid value for '--latency'", "--help"),
        ([], "Missing option '--to'.", "--help"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_writes_nothing(place, tmp_path, words, message, hint):
    said = deploy(place, "digits_lenet5", *words, "--out", tmp_path / "out", "--json")
    error = said.json["error"]
    assert (said.code, error["exit_code"]) == (2, 2)
    assert error["message"].startswith(message)
    assert hint in error["hint"]
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_there_and_one_whose_name_is_none(place, tmp_path):
    said = deploy(place, "dogs", "--to", "compose", "--out", tmp_path / "out")
    assert (said.code, said.lines[0].startswith("There is no served model 'dogs'")) == (2, True)
    push(place / "models", "___", 1)
    said = deploy(place, "___", "--to", "kubernetes", "--out", tmp_path / "out")
    assert (said.code, said.lines[0].startswith("Nothing of the model's name '___'")) == (2, True)
    assert deploy(place, "___", "--to", "kubernetes", "--out", tmp_path / "out", "--name", "bars").code == 0
    [probe] = {
        yaml.safe_load((tmp_path / "out/deployment.yaml").read_text())["spec"]["template"]["spec"]["containers"][0][
            "livenessProbe"
        ]["httpGet"]["path"]
    }
    assert probe == "/v1/models/___"


def test_nothing_is_overwritten_unless_it_is_asked_for(place, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/compose.yaml").write_text("mine")
    words = ["digits_lenet5", "--to", "compose", "--out", tmp_path / "out"]
    said = deploy(place, *words)
    assert (said.code, said.lines[0]) == (2, f"{tmp_path / 'out'} is not empty: it holds compose.yaml.")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["compose.yaml"]
    assert (tmp_path / "out/compose.yaml").read_text() == "mine"
    assert deploy(place, *words, "--force").code == 0
    assert yaml.safe_load((tmp_path / "out/compose.yaml").read_text())["name"] == "digits-lenet5"


def test_a_folder_that_cannot_be_written_is_a_failure(place):
    said = deploy(place, "digits_lenet5", "--to", "compose", "--out", "/dev/null/out", "--json")
    assert (said.code, said.json["error"]["exit_code"]) == (1, 1)
    assert said.json["error"]["message"].startswith("/dev/null/out cannot be written")


def test_a_promotion_is_in_the_files_that_are_rendered_next(place, tmp_path):
    for wanted in (1, 2):
        promotions.promote(place / "models/digits_lenet5", wanted)
        told = deploy(place, "digits_lenet5", "--to", "kubernetes", "--out", tmp_path / "out", "--force", "--json").json
        assert told["stable"] == wanted
        config = yaml.safe_load((tmp_path / "out/configmap.yaml").read_text())["data"]["model.config"]
        assert f'key: "stable"\n      value: {wanted}' in config


def test_who_may_not_enter_the_folder_and_who_may_reach_the_port_is_said(place, tmp_path):
    (place / "models").chmod(0o700)
    words = ["digits_lenet5", "--to", "compose", "--out", tmp_path / "out", "--json"]
    remarks = deploy(place, *words, "--host", "0.0.0.0").json["remarks"]  # noqa: S104
    [said] = [remark for remark in remarks if remark.startswith("TF Serving runs as user 10001, who may not enter ")]
    assert said.endswith(f"{place / 'models'}: `chmod o+x` lets it.")
    assert any(remark.startswith("It binds 0.0.0.0: whoever reaches that may ask") for remark in remarks)


def test_a_model_with_another_name_of_objects_and_of_text(place, tmp_path):
    push(
        place / "models",
        "sms",
        1,
        signatures={"text": ({"text": (True, [-1])}, {"classes": (True, [-1, 2])})},
        card=CARD | {"reads": "text"},
    )
    told = deploy(place, "sms", "--to", "kserve", "--out", tmp_path / "out", "--json").json
    assert told["name"] == "sms"
    assert not any(remark.startswith("The objects are called") for remark in told["remarks"])
    assert any('"instances": ["A TEXT"]' in command for command in told["commands"])


def test_the_help_needs_no_tensorflow(without_tensorflow):
    assert hubel("deploy", "--help", **without_tensorflow).code == 0


def test_what_a_run_pushed_is_deployed(finished, tmp_path):
    """Its signatures are those that TensorFlow loads."""
    import tensorflow as tf

    [model] = [path.name for path in (finished / "models").iterdir() if path.is_dir()]
    told = deploy(finished, model, "--to", "kubernetes", "--out", tmp_path / "out", "--json").json
    assert (told["versions"], told["stable"], told["canary"]) == ([1], 1, None)
    assert set(told["signatures"]) == set(tf.saved_model.load(str(finished / "models" / model / "1")).signatures)
    assert any('"signature_name": "image_bytes"' in command for command in told["commands"])


@pytest.fixture
def away(place):
    """The same models at a URL of this process's memory, that stands for an object store."""
    import tensorflow as tf

    url = f"ram://{uuid.uuid4().hex}/models"
    for path in (path for path in (place / "models").rglob("*") if path.is_file()):
        there = f"{url}/{path.relative_to(place / 'models').as_posix()}"
        tf.io.gfile.makedirs(there.rpartition("/")[0])
        tf.io.gfile.copy(str(path), there)
    return url


def test_a_model_at_a_url_is_served_from_there_and_a_file_s_url_is_a_path(place, away, tmp_path):
    models = place / "models"
    here = deploy(place, "digits_lenet5", "--to", "kserve", "--out", tmp_path / "here", "--json").json
    told = deploy(tmp_path, f"{away}/digits_lenet5", "--to", "kserve", "--out", tmp_path / "away", "--json").json
    same = ("versions", "stable", "canary", "signatures", "resources", "model", "name")
    assert {name: told[name] for name in same} == {name: here[name] for name in same}
    service = yaml.safe_load((tmp_path / "away/inferenceservice.yaml").read_text())
    assert service["spec"]["predictor"]["model"]["storageUri"] == away
    told = deploy(tmp_path, f"{away}/digits_lenet5/2", "--to", "kserve", "--out", tmp_path / "second", "--json").json
    assert (told["versions"], told["stable"]) == ([2], 2)
    url = f"file://{models}/digits_lenet5"
    told = deploy(tmp_path, url, "--to", "compose", "--out", tmp_path / "file", "--json").json
    assert (told["versions"], told["stable"]) == ([1, 2], 1)
    assert str(models) in (tmp_path / "file/compose.yaml").read_text()


@pytest.mark.parametrize(
    ("model", "target", "code", "message"),
    [
        ("AWAY/dogs", "kserve", 2, "There is no served model ram://"),
        ("AWAY/digits_lenet5/9", "kserve", 2, "There is no served model ram://"),
        ("AWAY/digits_lenet5", "compose", 2, "Docker Compose mounts a folder of its host; ram://"),
        ("AWAY/digits_lenet5", "kubernetes", 2, "TF Serving does not read ram://"),
        ("nosuch://bucket/models/digits", "kserve", 1, "TensorFlow cannot read nosuch://bucket/models/digits: "),
        ("file://models/digits", "kserve", 2, "file://models/digits names a host, and a path has three slashes."),
        ("file:///nowhere/digits", "kserve", 2, "There is no served model '/nowhere/digits'"),
    ],
)
def test_what_is_not_at_a_url_is_one_sentence_and_writes_nothing(place, away, tmp_path, model, target, code, message):
    said = deploy(place, model.replace("AWAY", away), "--to", target, "--out", tmp_path / "out", "--json")
    assert (said.code, said.json["error"]["exit_code"]) == (code, code)
    assert said.json["error"]["message"].startswith(message)
    assert said.json["error"]["hint"]
    assert not (tmp_path / "out").exists()
