"""What a deployment knows of a model, from its folder alone."""

import json
import shutil
import subprocess
import sys

import pytest

from configs.errors import HubelError, UsageError
from serving import promotions
from serving.deployment import model
from serving.deployment.model import Tensor
from tests.serving.deployment.models import BYTES, LENET5, TEXT, lay, push


def test_of_a_name_the_stable_version_and_its_canary_are_served(models):
    known = model.read("digits_lenet5", models)
    assert (known.name, known.base) == ("digits_lenet5", models / "digits_lenet5")
    assert dict(known.labels) == {"stable": 1, "canary": 2}
    assert list(known.versions) == [1, 2]
    for version, size in known.versions.items():
        there = sum(path.stat().st_size for path in (known.base / str(version)).rglob("*") if path.is_file())
        assert size == there > BYTES
    promotions.promote(models / "digits_lenet5", 2)
    assert dict(model.read("digits_lenet5", models).labels) == {"stable": 2}
    assert list(model.read("digits_lenet5", models).versions) == [1, 2], "the one before is loaded, for a rollback"


def test_of_a_version_that_one_alone_is(models):
    for asked in ("digits_lenet5/2", str(models / "digits_lenet5/2")):
        known = model.read(asked, models)
        assert (list(known.versions), dict(known.labels)) == ([2], {"stable": 2})
    assert list(model.read(str(models / "digits_lenet5"), models.parent).versions) == [1, 2]


def test_signatures_are_those_that_tensorflow_wrote(models):
    """Written by TensorFlow's own messages, read by those that are described here."""
    known = model.read("digits_lenet5", models)
    assert {
        name: tuple(
            {alias: (tensor.is_string, list(tensor.shape)) for alias, tensor in side.items()} for side in (of.inputs, of.outputs)
        )
        for name, of in known.signatures.items()
    } == LENET5
    assert known.asked == "image_bytes"
    assert known.channels == 1


def test_what_a_first_request_is_of(models, tmp_path):
    assert known_asked(models, signatures=TEXT, card={"reads": "text", "predicts": "serving_default"}) == "text"
    scores = {f"anomaly_score{end}": LENET5["image_bytes"] for end in ("", "_image_bytes", "_pixels")} | LENET5
    assert known_asked(models, signatures=scores, card={"predicts": "anomaly_score"}) == "anomaly_score_image_bytes"
    other = {"predict": ({"x": (False, None)}, {"y": (False, None)})}
    assert known_asked(models, signatures=other, card=None) == "predict"
    known = model.read("other", models)
    assert known.signatures["predict"].inputs == {"x": Tensor(False, None)}
    assert (known.channels, known.card) == (0, {})


def known_asked(models, **of) -> str:
    shutil.rmtree(models / "other", ignore_errors=True)
    lay(models / "other", 1, **of)
    return model.read("other", models).asked


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("dogs", "There is no served model 'dogs'"),
        ("digits_lenet5/9", "There is no version 9 of digits_lenet5."),
        ("", "There is no served model ''"),
    ],
)
def test_what_is_not_there_is_said(models, asked, message):
    with pytest.raises(UsageError, match=message):
        model.read(asked, models)


def test_a_bare_saved_model_is_no_folder_of_versions(models, tmp_path):
    shutil.copytree(models / "digits_lenet5/1", tmp_path / "bare")
    with pytest.raises(UsageError, match="is a SavedModel without a version") as refused:
        model.read(str(tmp_path / "bare"), models)
    assert "NAME/1" in refused.value.hint


def test_without_a_stable_version_nothing_is_deployed(models):
    shutil.rmtree(models / "digits_lenet5/1")
    with pytest.raises(UsageError, match=r"No version of digits_lenet5 is stable\."):
        model.read("digits_lenet5", models)


def test_that_the_stable_version_is_gone_is_remarked(models):
    promotions.promote(models / "digits_lenet5", 2)
    shutil.rmtree(models / "digits_lenet5/2")
    [remark] = model.read("digits_lenet5", models).remarks
    assert "is on record as stable and is not there any more" in remark


@pytest.mark.parametrize(
    ("file", "content"), [("saved_model.pb", b"\xff graph"), ("saved_model.pb", b""), ("assets.extra/hubel.json", b"[")]
)
def test_what_is_damaged_is_a_failure_that_names_it(models, file, content):
    (models / "digits_lenet5/1" / file).write_bytes(content)
    with pytest.raises(HubelError, match="digits_lenet5/1") as refused:
        model.read("digits_lenet5", models)
    assert refused.value.exit_code == 1


def test_nothing_heavy_is_imported(models, tmp_path):
    script = "\n".join(
        [
            "import json, sys",
            "from pathlib import Path",
            "from serving.deployment import model, options, render",
            "known, told = model.read('digits_lenet5', Path(sys.argv[1])), options.Options('digits', models=Path('/m'))",
            "[render.deploy(known, target, told, Path(sys.argv[2], target)) for target in render.names()]",
            "print(json.dumps([name for name in ('tensorflow', 'tfx', 'keras', 'numpy') if name in sys.modules]))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", script, models, tmp_path / "out"], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == []


def test_a_model_pushed_before_there_was_a_record(tmp_path):
    lay(tmp_path / "m", 4)
    lay(tmp_path / "m", 7)
    known = model.read("m", tmp_path)
    assert (list(known.versions), dict(known.labels)) == ([4, 7], {"stable": 7})
    push(tmp_path, "m", 8)
    assert dict(model.read("m", tmp_path).labels) == {"stable": 7, "canary": 8}
