"""Pushing to URLs: file:// renames in one step, ram:// (of this process alone) stands for an object store."""

import json
import uuid
from pathlib import Path

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.pusher import remote
from components.pusher.publish import next_version, push
from configs.errors import HubelError, UsageError
from serving import promotions
from serving.server import loading
from tests.serving.server import half_plus_two


@pytest.fixture(params=["file", "ram"])
def base(request, tmp_path):
    """URL of a model's versions."""
    return f"ram://{uuid.uuid4().hex}/models/digits" if request.param == "ram" else f"file://{tmp_path}/away/models/digits"


def config_of(base):
    text = remote._read(f"{base.rpartition('/')[0]}/{promotions.CONFIG}").decode()
    [model] = text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config
    return model


def test_versions_appear_with_a_record_and_a_config(model, base):
    assert push(model, base) == (1, True)
    (model / "fingerprint.pb").write_bytes(b"2")  # which differs in each export
    assert push(model, base) == (1, False)
    (model / "saved_model.pb").write_bytes(b"grapH")
    assert next_version(model, base) == (2, True)
    assert push(model, base, lambda stage: (stage / "assets.extra" / "note").write_text("forced")) == (2, True)
    assert remote._listed(base) == ["1", "2"]
    held = {name: remote._read(path) for name, path in remote._files(f"{base}/2").items()}
    assert held == {
        "saved_model.pb": b"grapH",
        "variables/variables.data-00000-of-00001": b"weights",
        "variables/variables.index": b"index",
        "fingerprint.pb": b"2",
        "assets.extra/note": b"forced",
    }
    assert (model / "assets.extra" / "note").exists() is False
    config = config_of(base)
    assert (config.base_path, dict(config.version_labels)) == (base, {"stable": 1, "canary": 2})
    assert list(config.model_version_policy.specific.versions) == [1, 2]


def test_promote_and_roll_back(model, base):
    for graph in (b"a", b"b"):
        (model / "saved_model.pb").write_bytes(graph)
        push(model, base)
    told = remote.move(base, promotions.PROMOTE, None, "better")
    assert (told["was"], told["is"], told["canary"], told["before"]) == (1, 2, None, 1)
    assert dict(config_of(base).version_labels) == {"stable": 2}
    record = json.loads(remote._read(f"{base.rpartition('/')[0]}/{promotions.RECORD}"))
    assert record["digits"][-1]["reason"] == "better"
    assert remote.move(base, promotions.ROLLBACK, None, None)["is"] == 1
    assert dict(config_of(base).version_labels) == {"stable": 1}
    with pytest.raises(UsageError, match="There is no version 9"):
        remote.move(base, promotions.PROMOTE, 9, None)
    with pytest.raises(UsageError, match="There is no served model"):
        remote.move(base.replace("digits", "dogs"), promotions.PROMOTE, None, None)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_failure_in_the_middle_leaves_nothing_under_a_number(model, base, after, monkeypatch):
    copy, copied = tf.io.gfile.copy, []

    def failing(source, target, overwrite=False):
        if len(copied) == after:
            raise tf.errors.UnavailableError(None, None, "the network is gone")
        copied.append(target)
        copy(source, target, overwrite)

    monkeypatch.setattr(tf.io.gfile, "copy", failing)
    with pytest.raises(HubelError, match="the network is gone"):
        push(model, base)
    assert remote._listed(base) == []
    monkeypatch.setattr(tf.io.gfile, "copy", copy)
    assert push(model, base) == (1, True)


def test_what_cannot_be_removed_is_said_and_loads_nowhere(model, monkeypatch):
    base = f"ram://{uuid.uuid4().hex}/models/digits"
    copy = tf.io.gfile.copy

    def failing(source, target, overwrite=False):
        if target.endswith("saved_model.pb"):
            raise tf.errors.UnavailableError(None, None, "the network is gone")
        copy(source, target, overwrite)

    def refused(path):
        raise tf.errors.UnavailableError(None, None, "still gone")

    monkeypatch.setattr(tf.io.gfile, "copy", failing)
    with monkeypatch.context() as patched:
        patched.setattr(tf.io.gfile, "rmtree", refused)
        with pytest.raises(HubelError, match=r"is only in part at ram://.*/digits/1"):
            push(model, base)
    assert "saved_model.pb" not in remote._files(f"{base}/1")
    monkeypatch.setattr(tf.io.gfile, "copy", copy)
    assert push(model, base) == (2, True)
    assert list(config_of(base).model_version_policy.specific.versions) == [2]


def test_the_graph_comes_last_and_under_a_number_only_where_nothing_renames(model, base, monkeypatch):
    copy, copied = tf.io.gfile.copy, []

    def noting(source, target, overwrite=False):
        copied.append(target[len(base) + 1 :])
        copy(source, target, overwrite)

    monkeypatch.setattr(tf.io.gfile, "copy", noting)
    push(model, base)
    assert copied[-1].endswith("/saved_model.pb")
    assert len(copied) == 4
    assert {name.partition("/")[0].startswith(remote.STAGE) for name in copied} == {base.startswith("file")}


def test_what_a_killed_push_left_is_removed(model, tmp_path):
    base = f"file://{tmp_path}/models/digits"
    left = tmp_path / "models" / "digits" / f"{remote.STAGE}7" / "variables"
    left.mkdir(parents=True)
    push(model, base)
    assert [path.name for path in (tmp_path / "models" / "digits").iterdir()] == ["1"]


def test_an_unknown_file_system_is_a_sentence(model):
    with pytest.raises(HubelError, match="cannot write to nosuch://bucket/models/digits") as error:
        push(model, "nosuch://bucket/models/digits")
    assert "tensorflow-io" in error.value.hint


def test_what_is_pushed_to_an_object_store_is_served_from_there(tmp_path):
    made = tmp_path / "made"
    half_plus_two.build(made)
    base = f"ram://{uuid.uuid4().hex}/models/half_plus_two"
    assert push(made / str(half_plus_two.VERSION), base) == (1, True)
    servable = loading.load("half_plus_two", 1, f"{base}/1")
    assert "predict" in {*servable.signatures} | {"predict"}
    servable.close()
    assert Path(made).is_dir()
