"""The whole path: what a run leaves, says and repeats."""

import json
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components import fingerprint, keys
from configs import load
from pipelines.orchestration import execute, settled
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from tests.cheaper import Forked, conversion_is_here, loaded_once
from tests.components.trainer.graphs import operations, random_ops
from tests.pipelines.conftest import hubel, in_process

STAGES = (
    "ExampleGen",
    "StatisticsGen",
    "EarlierStatistics",
    "SchemaGen",
    "ExampleValidator",
    "Transform",
    "Trainer",
    "Resolver",
    "Evaluator",
    "InfraValidator",
    "Pusher",
    "Reporter",
)
RESOLVERS = ("EarlierStatistics", "Resolver")  # they look up and compute nothing
TINY = "digits_lenet5.tiny"
ARCHIVE = {"ExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform"}


def planned(workspace, *assignments, config=TINY) -> set[str]:
    """Names of the components that a run would execute."""
    value = execute.plan(config, list(assignments), str(workspace))
    return {component["name"] for component in value["components"] if not component["cached"]}


def test_no_process_of_a_run_reaches_for_another_machine(attempts):
    assert attempts == 0


def test_a_run_ends_blessed_and_pushed_and_says_so_in_the_json_contract(digits):
    workspace, outcome = digits
    assert outcome.code == 0, outcome.err
    value = outcome.json
    assert value["blessed"] is True
    assert (value["config"], value["model"], value["architecture"], value["version"]) == (
        "digits_lenet5_tiny",
        "digits_lenet5_tiny",
        "lenet5",
        1,
    )
    assert value["model_dir"] == str(workspace / "models/digits_lenet5_tiny/1")
    assert {"accuracy", "cross_entropy", "macro_f1"} <= set(value["metrics"])
    assert value["intervals"].keys() == value["metrics"].keys() - {"example_count"}
    assert all(low <= value["metrics"][name] <= high for name, (low, high) in value["intervals"].items())
    assert all(low <= part["metrics"][name] <= high for part in value["slices"] for name, (low, high) in part["intervals"].items())
    assert value["differences"] == []  # nothing came before
    by_label = {part["slice"]["label"]: part for part in value["slices"]}
    assert [by_label[label]["class"] for label in range(10)] == list(value["classes"]["test"])
    assert {part["class"]: part["examples"] for part in value["slices"]} == value["classes"]["test"]
    hits = sum(part["examples"] * part["metrics"]["accuracy"] for part in value["slices"])
    assert hits == pytest.approx(value["images"]["test"] * value["metrics"]["accuracy"])
    assert {component["name"] for component in value["components"]} == set(STAGES)
    assert not any(component["cached"] for component in value["components"] if component["name"] not in RESOLVERS)
    assert sum(value["images"].values()) == 300
    assert value["quarantined"] == {}
    assert {split: sum(images.values()) for split, images in value["classes"].items()} == value["images"]
    assert value["measures"]["seven"]["width"] == {"mean": 8.0, "min": 8.0, "max": 8.0}
    assert list(value["measures"]) == list(value["classes"]["train"])
    assert value["duplicates"] == 0
    assert value["leakage"] is None
    assert (Path(value["examples"]) / "summary.json").is_file()
    assert value["drift"] == {}  # nothing came before
    assert (value["candidate"], value["hints"], value["missed"]) == (None, [], [])
    assert value["skew"]["image/height"] == 0 < value["skew"]["image/brightness"] < 0.5
    assert outcome.err == ""


def test_the_workspace_holds_what_the_design_says(digits):
    workspace, outcome = digits
    run = outcome.json["run"]
    version = workspace / "models/digits_lenet5_tiny/1"
    assert (version / "saved_model.pb").is_file()
    assert (version / "variables").is_dir()
    assert (version / "assets.extra/tf_serving_warmup_requests").is_file()
    assert (workspace / "metadata.db").is_file()
    assert (workspace / f"logs/digits_lenet5_tiny/{run}.log").stat().st_size > 0
    assert (workspace / f"pipelines/digits_lenet5_tiny/runs/{run}/config.yaml").is_file()
    assert not list((workspace / "training").rglob("*.h5"))


def test_a_finished_run_is_on_the_list_of_runs_with_its_figures(digits):
    workspace, outcome = digits
    [first, *_] = hubel("list", "runs", "--json", "--workspace", workspace).json
    assert first["run"] == outcome.json["run"]
    assert first["blessed"] is True
    assert first["metrics"] == outcome.json["metrics"]
    assert first["intervals"] == outcome.json["intervals"]
    assert first["seconds"] > 0


def test_the_same_run_again_computes_nothing_and_pushes_nothing(digits):
    workspace, _ = digits
    again = hubel("run", TINY, "--workspace", workspace)
    assert again.code == 0
    assert len(re.findall(r"^label=\d \w+ +\d+ +\d\.\d{4} +\d\.\d{4}", again.out, re.MULTILINE)) == 5  # of ten, the worst
    assert len(re.findall(r"^ +\w+ +cached$", again.err, re.MULTILINE)) == len(STAGES)
    assert [path.name for path in (workspace / "models/digits_lenet5_tiny").iterdir()] == ["1"]
    assert len(again.lines) < 40
    assert "\x1b" not in again.out + again.err


def test_where_nothing_has_changed_the_answer_is_that_of_the_long_way_in_no_time(digits):
    workspace, _ = digits
    long, short = (hubel("run", TINY, "--json", "--workspace", workspace, TF_OF_THIS_TEST="1") for _ in range(2))
    assert (long.code, short.code, short.err) == (0, 0, "")
    assert (long.json["unchanged_since"], short.json["unchanged_since"]) == (None, long.json["run"])  # the environment is another
    told = {"run", "seconds", "unchanged_since", "checked", "report"}
    alike = [{key: value for key, value in outcome.json.items() if key not in {*told, "components"}} for outcome in (long, short)]
    assert alike[0] == alike[1]
    names, same_names = ([component["name"] for component in outcome.json["components"]] for outcome in (long, short))
    assert names == same_names
    assert set(names) == set(STAGES)
    assert all(component["cached"] for component in short.json["components"])
    assert short.json["seconds"] < long.json["seconds"] / 2
    assert {"config", "code", "packages", "environment", "data", "artifacts", "served versions"} <= set(short.json["checked"])
    record = json.loads((workspace / f"pipelines/digits_lenet5_tiny/runs/{short.json['run']}/run.json").read_text())
    assert (record["unchanged_since"], record["checked"]) == (long.json["run"], short.json["checked"])
    assert record["metrics"] == long.json["metrics"]
    pages = [Path(outcome.json["report"]).read_text() for outcome in (long, short)]
    assert [
        f"Run {outcome.json['run']} found everything as run" in page for outcome, page in zip((long, short), pages, strict=True)
    ]
    assert "Nothing has changed" in (workspace / f"logs/digits_lenet5_tiny/{short.json['run']}.log").read_text()


def test_a_dry_run_changes_nothing_at_all(digits):
    workspace, _ = digits
    staged = workspace / "models/digits_lenet5_tiny/.staged-1"  # a run may be in Pusher meanwhile
    staged.mkdir()
    (workspace / "datasets/.digests.json").unlink()
    before = {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
    outcome = in_process("run", TINY, "--dry-run", "--json", "--set", "train.epochs=3", "--workspace", workspace)
    after = {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
    staged.rmdir()
    assert outcome.code == 0
    runs = {component["name"] for component in outcome.json["components"] if not component["cached"]}
    assert runs == {"Trainer", "Evaluator", "InfraValidator", "Pusher", "Reporter"}
    assert after == before


def test_a_dry_run_leaves_a_workspace_absent_that_is_not_there(tmp_path):
    assert planned(tmp_path / "workspace") == {*STAGES} - {*RESOLVERS}
    assert list(tmp_path.iterdir()) == []


def test_a_changed_learning_rate_runs_nothing_before_trainer(digits):
    workspace, _ = digits
    assert planned(workspace) == set()
    assert not planned(workspace, "train.optimizer.learning_rate=5e-4") & ARCHIVE


def test_a_changed_threshold_runs_evaluator_and_what_follows_alone(digits):
    workspace, _ = digits
    assert planned(workspace, "evaluate.thresholds.accuracy.min=0.2") == {"Evaluator", "Pusher", "Reporter"}


@pytest.mark.parametrize(
    ("edited", "first"),
    [
        ("components.transform.augment.steps", "Trainer"),
        ("components.transform.preprocessing", "Transform"),
        ("components.evaluator.metrics", "Evaluator"),
        ("components.infra_validator.replay", "InfraValidator"),
        ("components.pusher.publish", "Pusher"),
        ("components.reporter.sections.layers", "Reporter"),
        ("components.example_gen.tfds", "ExampleGen"),
        ("keras_models.classifiers.lenet", "Trainer"),
    ],
)
def test_edited_source_runs_the_stage_that_uses_it_and_nothing_before(digits, tmp_path, monkeypatch, edited, first):
    workspace, _ = digits
    original = fingerprint._source
    copy = tmp_path / "edited.py"
    copy.write_text(original(edited).read_text() + "\nEDITED = True\n")
    monkeypatch.setattr(fingerprint, "_source", lambda name: copy if name == edited else original(name))
    ran = planned(workspace)
    assert first in ran
    order = [*STAGES[:7], "Resolver", "Evaluator", "InfraValidator", "Pusher", "Reporter"]
    assert not ran & set(order[: order.index(first)] if first in order[:7] else order[:7])


def test_an_edited_model_does_not_touch_another(digits, tmp_path, monkeypatch):
    workspace, _ = digits
    original = fingerprint._source
    copy = tmp_path / "edited.py"
    copy.write_text(original("keras_models.classifiers.mlp").read_text() + "\nEDITED = True\n")
    monkeypatch.setattr(fingerprint, "_source", lambda name: copy if name == "keras_models.classifiers.mlp" else original(name))
    assert planned(workspace) == set()


def test_touching_the_data_runs_nothing_and_replacing_it_runs_everything(digits):
    workspace, _ = digits
    [shard] = (workspace / "datasets/digits/1.0.0").glob("*.tfrecord*")
    os.utime(shard)
    assert planned(workspace) == set()
    held, stamp = shard.read_bytes(), shard.stat().st_mtime_ns
    try:
        shard.write_bytes(held[: len(held) // 2] + held[: len(held) // 2])
        os.utime(shard, ns=(stamp, stamp))  # as `cp -p` does
        assert planned(workspace) == {*STAGES} - {*RESOLVERS}
    finally:
        shard.write_bytes(held)


def test_a_deleted_version_is_pushed_again(digits, tmp_path):
    workspace, _ = digits
    version = workspace / "models/digits_lenet5_tiny/1"
    version.rename(tmp_path / "1")
    try:
        assert planned(workspace) == {"Pusher", "Reporter"}
    finally:
        (tmp_path / "1").rename(version)


ALONE = """
import json, sys
from pathlib import Path
import tensorflow as tf


def main(saved, wait):
    to, *files = json.loads(wait())
    images = tf.constant([Path(file).read_bytes() for file in files])
    answer = tf.saved_model.load(saved).signatures["image_bytes"](image_bytes=images)
    assert not {"keras", "components", "keras_models", "tensorflow_transform"} & set(sys.modules), "only tensorflow is needed"
    Path(to).write_text(json.dumps(answer["probabilities"].numpy().tolist()))
"""


def test_the_pushed_folder_answers_like_keras_in_a_process_that_imports_only_tensorflow(digits, scans, tmp_path):
    import keras

    import pipelines

    workspace, outcome = digits
    files = sorted(map(str, scans.iterdir()))
    (tmp_path / "alone.py").write_text(ALONE)
    with Forked(str(tmp_path / "alone.py")) as other:
        other.stdin.write(json.dumps(outcome.json["model_dir"]))
        other.communicate(json.dumps([str(tmp_path / "answer.json"), *files]), 600)
        assert other.returncode == 0
    served = np.array(json.loads((tmp_path / "answer.json").read_text()))
    from components.trainer.card import Card
    from components.transform import pixels

    model = pipelines.load("digits_lenet5_tiny", workspace=workspace)
    card = Card.read(runs.artifact(Workspace.at(workspace), "digits_lenet5_tiny"))
    seen = pixels.from_bytes(keras.ops.convert_to_tensor([Path(file).read_bytes() for file in files]), card.transform)
    trained = keras.ops.softmax(model(keras.ops.cast(seen, "float32"), training=False)).numpy()
    np.testing.assert_allclose(served, trained, atol=1e-5, rtol=1e-5)


def test_augmentation_stays_in_training(digits):
    from tfx.types import artifact_utils, standard_artifacts

    from components.evaluator.reader import images_of
    from components.tasks.by_name import task_of
    from components.trainer.card import Card

    workspace, outcome = digits
    assert load.load(TINY).augment
    pushed = Path(outcome.json["model_dir"])
    assert {"Conv2D", "DecodeImage"} <= operations(pushed)
    assert random_ops(pushed) == set()
    examples = standard_artifacts.Examples()
    examples.uri, examples.split_names = outcome.json["examples"], artifact_utils.encode_split_names(["test"])
    card = Card.read(runs.artifact(Workspace.at(workspace), "digits_lenet5_tiny"))
    first, again = ([pixels.numpy() for pixels, _ in images_of([examples], card, task_of(card.task))("test")] for _ in range(2))
    assert sum(map(len, first)) == outcome.json["images"]["test"]
    assert all(np.array_equal(batch, repeated) for batch, repeated in zip(first, again, strict=True))


def test_json_is_one_value_and_nothing_else(digits):
    _, outcome = digits
    assert json.loads(outcome.out)
    assert outcome.out.count("\n") == 1


def test_gc_keeps_what_the_last_run_needs_and_can_only_say(digits):
    workspace, _ = digits
    before = sorted(path for path in workspace.rglob("*") if path.is_file())
    said = hubel("gc", "--keep", "1", "--dry-run", "--json", "--workspace", workspace).json
    assert sorted(path for path in workspace.rglob("*") if path.is_file() and path.name != "lock") == [
        p for p in before if p.name != "lock"
    ]
    assert not any("models/" in path for path in said["removed"])
    assert {path.split("/")[2] for path in said["removed"] if path.startswith("pipelines/") and "/.system/" not in path} <= {"runs"}


def test_a_model_that_is_not_good_enough_is_not_pushed_the_code_is_3_and_it_is_no_dead_end(digits, scans):
    workspace, _ = digits
    outcome = in_process("run", TINY, "--set", "evaluate.thresholds.accuracy.min=1.01", "--json", "--workspace", workspace)
    assert outcome.code == 3
    value = outcome.json
    assert (value["blessed"], value["version"]) == (False, None)
    figure = value["metrics"]["accuracy"]
    assert value["reason"] == f"accuracy {figure:.4f} is below the minimum 1.01"
    assert [path.name for path in (workspace / "models/digits_lenet5_tiny").iterdir()] == ["1"]
    assert value["missed"] == [{"metric": "accuracy", "of": "threshold", "value": figure, "bound": 1.01, "slice": ""}]
    assert len(value["training"]["val_loss"]) == value["training"]["epochs"] == value["training"]["asked"] == 2
    assert value["training"]["train_images"] == value["images"]["train"]
    assert any(f"{1.01 - figure:.4f} below its bound" in hint for hint in value["hints"])
    # the same model is live, so the answers can be compared
    names = ("digits_lenet5_tiny@candidate", value["run"], value["candidate"], "digits_lenet5_tiny/1")
    with loaded_once():
        answers = [in_process("predict", name, scans, "--json", "--workspace", workspace).json for name in names]
        asked = in_process("predict", "digits_lenet5_tiny@candidate", scans, "--workspace", workspace)
    said = [{row.pop("run") for row in rows} for rows in answers]
    assert answers[0] == answers[1] == answers[2] == answers[3]
    first = in_process("list", "runs", "--json", "--workspace", workspace).json[0]["run"]
    assert said == [{value["run"]}, {value["run"]}, {first}, {first}], "the second run trained nothing anew"
    assert f"digits_lenet5_tiny@candidate is what run {value['run']} trained." in asked.out
    shown = in_process("show", "digits_lenet5_tiny@candidate", "--json", "--workspace", workspace).json
    assert (shown["architecture"], shown["input"], shown["params"]) == ("lenet5", [32, 32, 1], 61706)
    assert shown["run"] == value["run"]


@pytest.mark.whole  # as components/trainer/test_ensemble.py has it of two models, and test_ensemble.py of the names of versions
def test_an_ensemble_of_two_versions_is_judged_by_their_averaged_softmax_and_pushed(digits):
    workspace, _ = digits
    another = in_process("run", TINY, "--set", "train.optimizer.learning_rate=0.0012", "--json", "--workspace", workspace)
    assert another.code == 0, another.err
    parts = [f"digits_lenet5_tiny/{version}" for version in (1, another.json["version"])]
    assert len(set(parts)) == 2
    changes = [f"model={{name: ensemble, members: [{', '.join(parts)}]}}", "transform.normalize=none", "augment=[]"]
    results = execute.launched(settled.settle(load.load(TINY, changes), Workspace.at(workspace)))
    for gate in ("Evaluator", "InfraValidator"):
        assert results[gate].property("blessing", "blessed") == 1, results[gate].property("blessing", keys.REASON)
    pushed = Path(results["Pusher"].property("pushed_model", "pushed_destination"))
    assert pushed.parent == workspace / "models/digits_lenet5_tiny"
    metrics, intervals = (json.loads(results["Evaluator"].property("evaluation", key)) for key in (keys.METRICS, keys.INTERVALS))
    assert intervals.keys() == metrics.keys() - {"example_count"}

    examples = Path(results["ExampleGen"].outputs["examples"][0][0]) / f"Split-{keys.TEST}"
    records = tf.data.TFRecordDataset(sorted(map(str, examples.glob("*"))), "GZIP")
    features = [tf.train.Example.FromString(record).features.feature for record in records.as_numpy_iterator()]
    images = tf.constant([feature[keys.IMAGE_ENCODED].bytes_list.value[0] for feature in features])
    labels = np.array([feature[keys.LABEL].int64_list.value[0] for feature in features])
    served = [tf.saved_model.load(str(folder)) for folder in (pushed, *(workspace / "models" / part for part in parts))]
    whole, *each = (model.signatures["image_bytes"](image_bytes=images)["probabilities"].numpy() for model in served)
    mean = np.mean(each, 0)
    assert np.abs(each[0] - each[1]).max() > 0.01
    np.testing.assert_allclose(whole, mean, rtol=1e-4, atol=1e-6)
    assert len(labels) == metrics["example_count"]
    assert metrics["accuracy"] == pytest.approx(np.mean(mean.argmax(1) == labels), abs=1e-6)
    right = [np.mean(of.argmax(1) == labels) for of in each]
    assert metrics["best_member_accuracy"] == pytest.approx(max(right), abs=1e-6)
    assert f"of {parts[int(np.argmax(right))]}, the best of its 2 members" in results["Evaluator"].property(
        "evaluation", keys.COMPARISON
    )


@pytest.fixture(scope="module")
def transferred(digits):
    """A run whose source is the model that `digits` pushed."""
    workspace, _ = digits
    return in_process("run", *TRANSFER, "--json", "--workspace", workspace)


TRANSFER = ("digits_transfer.tiny", "--set", "transfer.source=digits_lenet5_tiny/1")


@pytest.mark.whole  # as trainer/test_transferred_run.py has it of Trainer, and orchestration/test_pipeline.py of the stage
def test_a_pushed_model_s_features_go_the_same_way(digits, transferred):
    workspace, _ = digits
    assert transferred.code == 0, transferred.err
    value = transferred.json
    assert (value["architecture"], value["version"]) == ("lenet5", 1)
    assert {component["name"] for component in value["components"]} == {*STAGES, "InitialModel"}
    assert list(value["classes"]["train"]) == ["five", "six", "seven", "eight", "nine"]
    card = json.loads((workspace / "models/digits_transfer_tiny/1/assets.extra/hubel.json").read_text())
    assert (card["transfer"]["source"], card["train_images"]) == ("digits_lenet5_tiny/1", 10)
    assert card["transform"]["normalize"] == "none"  # the source does it


@pytest.mark.whole  # of the run above
def test_a_transfer_follows_its_source_and_nothing_else(digits, transferred):
    workspace, _ = digits
    _, _, assignment = TRANSFER

    def stages(*assignments):
        return planned(workspace, assignment, *assignments, config=TRANSFER[0])

    assert stages() == set()
    assert stages("model.name=mlp") == set()
    assert "Trainer" in stages("transfer.shots=3")
    assert not stages("transfer.shots=3") & ARCHIVE
    source = Path(runs.artifact(Workspace.at(workspace), "digits_lenet5_tiny/1")) / "model.keras"
    held, stamp = source.read_bytes(), source.stat().st_mtime_ns
    source.touch()
    assert stages() == set()
    try:
        with zipfile.ZipFile(source, "a") as archive:
            archive.comment = b"another"
        assert stages() == {"Trainer", "Evaluator", "InfraValidator", "Pusher", "Reporter"}
    finally:
        source.write_bytes(held)
        os.utime(source, ns=(stamp, stamp))


@pytest.mark.whole  # as components/converter/test_component.py has it of a stage, whose processes these are
def test_what_a_model_is_converted_to_is_pushed_with_it_and_a_refused_one_keeps_all_of_it(digits, scans, monkeypatch):
    from ai_edge_litert.interpreter import Interpreter

    workspace, _ = digits
    every = ["float32", "float16", "int8_weights", "int8", "onnx"]
    asked = ("run", TINY, "--set", f"export.variants=[{', '.join(every)}]", "--workspace", workspace)
    other = {"Evaluator"} & planned(workspace)  # where another model was blessed meanwhile
    assert planned(workspace, f"export.variants=[{', '.join(every)}]") == {"Converter", "Pusher", "Reporter"} | other
    before = sorted(path.name for path in (workspace / "models/digits_lenet5_tiny").iterdir())
    with monkeypatch.context() as patch, conversion_is_here():
        patch.setattr("components.converter.verdict.TOLERANCE", -1.0)
        refused = in_process(*asked, "--json")
    assert refused.code == 3
    assert refused.json["reason"].startswith("variant float32: output probabilities is off by ")
    assert "Push without float32 and onnx: --set 'export.variants=[float16, int8_weights, int8]'" in refused.json["hints"]
    assert sorted(path.name for path in (workspace / "models/digits_lenet5_tiny").iterdir()) == before
    asked = (*asked, "--set", "export.calibration=99")  # or the verdict would be known, of the same code and config
    with conversion_is_here(but=("int8", "onnx")):  # which take the most: a file of images, and another library
        outcome = in_process(*asked, "--json")
    assert outcome.code == 0, outcome.err
    value = outcome.json
    ran = [name for name in STAGES if name in {c["name"] for c in value["components"] if not c["cached"]}]
    assert ran == ["Pusher", "Reporter"]
    told = {variant["name"]: variant for variant in value["variants"]}
    assert list(told) == every
    assert told["int8"]["bytes"] < told["float16"]["bytes"] < told["float32"]["bytes"]
    folder = Path(value["model_dir"]) / "assets.extra" / "variants"
    assert sorted(path.name for path in folder.iterdir()) == sorted(variant["file"] for variant in told.values())
    card = json.loads((folder.parent / "hubel.json").read_text())
    assert card["variants"] == value["variants"]
    runner = Interpreter(model_path=str(folder / "int8.tflite")).get_signature_runner()
    pixels = np.zeros((1, 32, 32, 1), np.float32)
    assert runner(pixels=pixels)["probabilities"].sum() == pytest.approx(1, abs=0.05)
    name = f"digits_lenet5_tiny/{value['version']}"
    shown = in_process("show", name, "--workspace", workspace)
    assert f"{told['int8']['bytes']:,}" in shown.out
    assert in_process("show", name, "--json", "--workspace", workspace).json["variants"] == value["variants"]
    [served] = [of for of in in_process("list", "served", "--json", "--workspace", workspace).json if value["model"] == of["model"]]
    assert served["variants"] == {str(value["version"]): value["variants"]}
    assert f"int8 {told['int8']['bytes']:,} B" in in_process("list", "served", "--workspace", workspace).out
    first, converted = (
        in_process("predict", of, scans, "--json", "--workspace", workspace).json for of in ("digits_lenet5_tiny/1", name)
    )
    assert [row["scores"] for row in first] == [row["scores"] for row in converted]
    again = in_process(*asked)
    assert "Nothing has changed since run" in again.err or "cached" in again.err
    assert "int8" in again.out
