"""Bad input and broken surroundings: one sentence, the right exit code, no traceback, nothing lost."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components import keys, progress
from configs import load
from configs.errors import HubelError, UsageError
from pipelines.command_line import names
from pipelines.orchestration import launch
from pipelines.workspace.layout import Workspace
from tests.pipelines.conftest import Running, hubel, in_process


def refused(outcome, code: int, *words: str) -> None:
    """At most a sentence and a hint on stderr, the code, and what they must say."""
    assert outcome.code == code, outcome.out + outcome.err
    assert outcome.out == ""
    assert 1 <= len(outcome.err.splitlines()) <= 3, outcome.err
    assert "Traceback" not in outcome.err
    for word in words:
        assert word in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "digit_lenet5"), ("no config", "digits_lenet5")),
        (("run", "--set", "trian.epochs=3"), ("trian", "train")),
        (("run", "--set", "train.epochs=three"), ("train.epochs", "three", "integer")),
        (("run", "--set", "train.epochs=-1"), ("train.epochs", "-1", "greater than or equal to 0")),
        (("run", "--set", "train.epochs"), ("KEY=VALUE",)),
        (("run", "--set", "model.name=lenet55"), ("lenet55", "lenet5")),
        (("run", "--set", "data.source=tfds:no_such_set"), ("no_such_set", "not prepared", "hubel datasets prepare")),
        (("run", "--set", "data.source=ftp:x"), ("ftp", "tfds:")),
        (("run", "--set", "model.name=no.such.module:build"), ("no.such.module",)),
        (("run", "--no-such-flag"), ("--no-such-flag",)),
        (("predict", "no_such_model", "x.png"), ("no_such_model",)),
        (("show", "no_such_model"), ("no_such_model",)),
        (("frobnicate",), ("frobnicate",)),
    ],
)
def test_what_was_typed_wrong_exits_2_before_anything_starts(arguments, words, tmp_path, monkeypatch):
    workspace = tmp_path / "workspace"
    monkeypatch.setenv("HUBEL_WORKSPACE", str(workspace))
    outcome = in_process(*arguments)
    refused(outcome, 2, *words)
    assert not (workspace / "metadata.db").exists()


def test_typos_are_found_without_importing_tensorflow(tmp_path, without_tensorflow):
    refused(hubel("run", "--set", "data.source=tfds:no_such_set", "--workspace", tmp_path, **without_tensorflow), 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "no_such_config", "--json"),
        ("predict", "no_such_config", "x.png", "--format", "json"),
        ("predict", "no_such_config", "--format=json", "x.png"),
    ],
)
def test_failures_are_json_too(arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("HUBEL_WORKSPACE", str(tmp_path))
    outcome = in_process(*arguments)
    assert outcome.code == 2
    assert outcome.err == ""
    assert outcome.json["error"]["exit_code"] == 2
    assert "no_such_config" in outcome.json["error"]["message"]
    assert outcome.json["error"]["hint"]


def test_a_metric_that_the_task_does_not_have_is_refused(tmp_path):
    outcome = in_process("run", "digits_lenet5.tiny", "--set", "evaluate.thresholds={acuracy: {min: 0.5}}", "--workspace", tmp_path)
    assert outcome.code == 2
    assert "acuracy" in outcome.err
    assert "accuracy" in outcome.err


@pytest.mark.parametrize("character", ["[", "*", "?", "\\"])
def test_a_path_that_would_be_read_as_a_pattern_is_refused_before_anything_starts(character, tmp_path):
    odd, words = tmp_path / f"a{character}b", f" has {character} in its path"
    cfg, place = load.load("digits_lenet5.tiny"), Workspace.at(odd)
    for start in (place.prepare, lambda: names.check(cfg, place)):
        with pytest.raises(UsageError, match=re.escape(f"The workspace {odd}{words}")) as caught:
            start()
        assert "--workspace" in caught.value.hint
    away = load.load("digits_lenet5.tiny", [f"push.destination={odd}"])
    with pytest.raises(UsageError, match=re.escape(f"The folder of served models {odd / cfg.name}{words}")):
        names.check(away, Workspace.at(tmp_path))
    assert not odd.exists()


def test_a_run_and_its_plan_say_so_of_their_workspace(tmp_path):
    for more in ((), ("--dry-run",)):
        refused(in_process("run", *more, "--workspace", tmp_path / "a [1]"), 2, "has [ in its path", "--workspace")
    assert not (tmp_path / "a [1]").exists()


def test_a_workspace_that_cannot_be_written_is_a_failure():
    refused(in_process("run", "--workspace", "/dev/null/workspace"), 1, "cannot be written", "--workspace")


def test_a_locked_workspace_names_its_holder_and_is_free_when_the_holder_dies(tmp_path):
    code = (
        "import sys, time\n"
        "from pipelines.workspace.layout import Workspace\n"
        "with Workspace.at(sys.argv[1]).locked('hubel run something'):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        refused(in_process("run", "--workspace", tmp_path), 1, "in use", "hubel run something", str(holder.pid))
        refused(in_process("gc", "--workspace", tmp_path), 1, "in use")
    finally:
        holder.kill()
        holder.wait()
    assert in_process("gc", "--workspace", tmp_path).code == 0


@contextlib.contextmanager
def mounted(folder, mebibytes):
    """A file system of that size, in a mount namespace where this user may not mount otherwise."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """One that is too small for a run."""
    with mounted(tmp_path / "disk", 60) as folder:
        yield folder


@pytest.fixture
def disk(tmp_path):
    """One that is large enough for a run."""
    with mounted(tmp_path / "disk", 140) as folder:
        yield folder


def test_a_full_disk_is_said_before_anything_starts(small_disk):
    refused(hubel("run", "--workspace", small_disk / "workspace"), 1, "full", "hubel gc")
    assert not (small_disk / "workspace/metadata.db").exists()


def test_gc_makes_room_on_a_full_disk(small_disk):
    workspace = Workspace.at(small_disk / "workspace")
    with workspace.locked("hubel run something", needs_room=False):
        pass
    stale = workspace.training("a") / "fingerprint"
    stale.mkdir(parents=True)
    workspace.pipeline("a").mkdir(parents=True)
    with pytest.raises(OSError, match="No space left"):
        (stale / "weights").write_bytes(b"x" * (61 * 2**20))
    assert shutil.disk_usage(small_disk).free == 0
    outcome = hubel("gc", "--json", "--workspace", workspace.root)
    assert outcome.code == 0, outcome.out + outcome.err
    assert outcome.json["removed"] == ["training/a/fingerprint"]
    assert shutil.disk_usage(small_disk).free > 2**20


def test_a_disk_that_fills_up_during_a_run_is_said_as_such(small_disk):
    with pytest.raises(OSError, match="No space left") as caught:
        (small_disk / "file").write_bytes(b"x" * (61 * 2**20))
    said = launch.plain(caught.value, "Transform", small_disk)
    assert "disk is full" in said.message
    assert "Transform" in said.message
    nested = RuntimeError("a library's own words")
    nested.__cause__ = caught.value
    assert "disk is full" in launch.plain(nested, "Trainer", small_disk).message


def test_a_run_on_a_disk_that_fills_up_ends_in_a_sentence(disk, monkeypatch):
    emit = progress.emit

    def filling(event, **told):
        emit(event, **told)
        if (event, told.get("name")) == ("node_done", "ExampleGen"):
            with pytest.raises(OSError, match="No space left"):
                (disk / "filler").write_bytes(b"x" * (141 * 2**20))

    monkeypatch.setattr(progress, "emit", filling)
    outcome = in_process("run", "digits_mlp.tiny", "--workspace", disk / "workspace")
    assert (disk / "filler").exists()
    assert outcome.code == 1
    assert "disk is full" in outcome.err
    assert "hubel gc" in outcome.err
    assert "Traceback" not in outcome.out + outcome.err


@pytest.mark.whole  # as above, in processes of its own, and test_interrupted.py has it of what goes on
def test_a_run_on_a_disk_that_fills_up_ends_in_a_sentence_and_the_next_one_goes_on_to_its_end(disk):
    arguments = ("run", "digits_mlp.tiny", "--workspace", disk / "workspace")
    running = Running(*arguments)
    running.wait_for("ExampleGen")
    with pytest.raises(OSError, match="No space left"):
        (disk / "filler").write_bytes(b"x" * (141 * 2**20))
    out, err = running.process.communicate(timeout=300)
    assert running.process.returncode == 1
    assert "disk is full" in err
    assert "hubel gc" in err
    assert "Traceback" not in out + err
    (disk / "filler").unlink()
    outcome = in_process(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["blessed"]
    assert outcome.json["architecture"] == "mlp"
    cached = {component["name"] for component in outcome.json["components"] if component["cached"]}
    assert "ExampleGen" in cached
    assert "Trainer" not in cached
    assert (Path(outcome.json["model_dir"]) / "saved_model.pb").is_file()


def test_an_unknown_failure_is_one_line_that_names_the_component(tmp_path):
    said = launch.plain(ValueError("first line\nsecond line"), "Evaluator", tmp_path)
    assert said.message == "Evaluator failed: ValueError: first line"
    assert isinstance(said, HubelError)
    assert said.exit_code == 1


def test_damaged_prepared_data_is_refused_with_what_to_do(finished, tmp_path):
    folder = tmp_path / "datasets/digits/1.0.0"
    folder.mkdir(parents=True)
    for path in (finished / "datasets/digits/1.0.0").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    [shard] = folder.glob("*.tfrecord*")
    whole = shard.read_bytes()
    shard.write_bytes(b"")
    refused(in_process("run", "digits_lenet5.tiny", "--workspace", tmp_path), 1, "damaged", str(folder))
    shard.write_bytes(whole[: len(whole) // 2])
    outcome = in_process("run", "digits_lenet5.tiny", "--workspace", tmp_path)
    assert outcome.code == 1
    assert "damaged" in outcome.err
    assert "Traceback" not in outcome.err
    shard.write_bytes(whole)


def test_too_many_damaged_images_stop_a_run_and_are_named(scans, tmp_path):
    folder = tmp_path / "images"
    for number, label in enumerate("ab" * 20):
        (folder / label).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(scans / f"{number % 8}.png", folder / label / f"{number}.png")
    (folder / "a/empty.png").write_bytes(b"")
    (folder / "b/text.png").write_bytes(b"no image")
    source = f"data.source=folder:{folder}"
    outcome = in_process("run", "digits_lenet5.tiny", "--set", source, "--json", "--workspace", tmp_path / "w")
    assert outcome.code == 1
    assert outcome.err == ""
    error = outcome.json["error"]
    assert "2 of 42 images are damaged" in error["message"]
    assert "a/empty.png (empty), b/text.png (not an image)" in error["message"]
    assert error["quarantined"] == {"empty": 1, "not an image": 1}
    assert "The run failed in ExampleGen; nothing was pushed." in Path(error["report"]).read_text()
    [log] = (tmp_path / "w/logs").glob("*/*.log")
    assert str(log) in error["hint"]
    assert '{"id": "a/empty.png", "reason": "empty"}' in log.read_text()


@pytest.fixture(scope="module")
def odd_digits(tmp_path_factory):
    """A workspace with a prepared data set whose test labels are -1, TFDS's word for unknown: no label of the schema."""
    from components.example_gen.digits import Digits

    class OddDigits(Digits):
        """Digits in splits of their own, the last without labels."""

        name = "odd_digits"

        def _split_generators(self, dl_manager):
            every = list(self._generate_examples())
            unknown = [(key, {**row, "label": -1}) for key, row in every[260:300]]
            return {"train": every[:200], "validation": every[200:260], "test": unknown}

    workspace = tmp_path_factory.mktemp("odd")
    OddDigits(data_dir=str(workspace / "datasets")).download_and_prepare()
    return workspace


def test_a_test_split_without_a_label_is_said_to_be_that(odd_digits):
    outcome = in_process("run", "digits_mlp.tiny", "--set", "data.source=tfds:odd_digits", "--workspace", odd_digits)
    assert outcome.code == 1
    assert "The test split has no image (260 in all; 40 images without a label left out)." in outcome.err
    assert "Traceback" not in outcome.err


def test_anomalies_stop_a_run_and_say_how_to_allow_them(finished, tmp_path):
    """Of data held against a Schema that knows the labels 0 to 5 alone."""
    [known] = finished.glob("pipelines/*/SchemaGen/schema/*/schema.pbtxt")
    schema = text_format.Parse(known.read_text(), schema_pb2.Schema())
    [label] = [feature for feature in schema.feature if feature.name == keys.LABEL]
    label.int_domain.max = 5
    (tmp_path / "schema.pbtxt").write_text(text_format.MessageToString(schema))
    pinned = ("--set", f"data.pinned_schema={tmp_path / 'schema.pbtxt'}", "--workspace", tmp_path / "workspace")
    outcome = in_process("run", "digits_mlp.tiny", *pinned)
    assert outcome.code == 1
    assert "label in test" in outcome.err
    assert "data.allow_anomalies=true" in outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "workspace/models").exists()
    [page] = {path for path in (tmp_path / "workspace/reports").glob("*/*.html") if path.name != "latest.html"}
    assert f"What there is of the run: {page}" in outcome.err
    told = page.read_text()
    assert "The run failed in ExampleValidator; nothing was pushed." in told
    assert "Images by class and split" in told, "what there is"
    assert "Trainer did not get so far in this run." in told, "what is missing"
    plan = in_process("run", "digits_mlp.tiny", *pinned, "--set", "data.allow_anomalies=true", "--dry-run", "--json").json
    cached = {component["name"]: component["cached"] for component in plan["components"]}
    assert cached["StatisticsGen"]
    assert not cached["ExampleValidator"]


def test_an_image_file_that_is_no_image_fails_alone(finished, scans, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not an image")
    (tmp_path / "empty.png").write_bytes(b"")
    good = next(iter(sorted(scans.iterdir())))
    files = (tmp_path, good, tmp_path / "missing.png")
    outcome = in_process("predict", "digits_lenet5_tiny", *files, "--json", "--workspace", finished)
    assert outcome.code == 0, outcome.err
    rows = {Path(row["file"]).name: row for row in outcome.json}
    assert "error" in rows["broken.png"]
    assert "error" in rows["empty.png"]
    assert "error" in rows["missing.png"]
    assert len(rows[good.name]["classes"]) == 1
    assert 0 <= rows[good.name]["scores"][0] <= 1


def test_only_broken_files_is_a_failure(finished, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not an image")
    outcome = in_process("predict", "digits_lenet5_tiny", tmp_path / "broken.png", "--workspace", finished)
    assert outcome.code == 1
    assert "Traceback" not in outcome.err


def test_a_folder_without_images_is_said(finished, tmp_path):
    refused(in_process("predict", "digits_lenet5_tiny", tmp_path, "--workspace", finished), 2, "no image")


def test_a_closed_pipe_is_no_failure():
    command = f"{sys.executable} -m pipelines.command_line.cli list models | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False, env=os.environ
    )
    assert "Traceback" not in done.stderr
