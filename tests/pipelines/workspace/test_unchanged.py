"""An answer is repeated where nothing has changed, and only there."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import PIL.Image
import pytest

from components import fingerprint
from components.example_gen import sources
from configs import load
from pipelines.workspace import unchanged
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord

RUN = "20260101-120000"
VALUE = {"run": RUN, "blessed": True, "passed_over": {".txt": 1}, "components": []}
DATA = "images"  # a folder beside the workspace


@pytest.fixture
def house(tmp_path, monkeypatch):
    """What a run of a folder of images left, as far as an answer rests on it, and the source that it ran."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site"), str(tmp_path)])
    for number, label in enumerate("aabb"):
        (tmp_path / DATA / label).mkdir(parents=True, exist_ok=True)
        PIL.Image.new("L", (4, 4), number).save(tmp_path / DATA / label / f"{number}.png")
    files = {
        "images/a/notes.txt": "no image",
        "components/fingerprint.py": "the code",
        "site/numpy-2.0.dist-info/METADATA": "",
        "requirements.lock": "numpy==2.0",
        "schema.pbtxt": "feature {}",
        "vectors.txt": "rain 1 2",
        "w/pipelines/mine/Trainer/model/7/model.keras": "weights",
        "w/pipelines/mine/Evaluator/blessing/8/BLESSED": "",
        "w/models/mine/1/saved_model.pb": "graph",
        "w/pipelines/first/Trainer/model/3/model.keras": "earlier weights",
        "w/pipelines/first/Trainer/model/3/card.json": json.dumps({"architecture": "own_net:build"}),
        "own_net.py": "from own_blocks import block\n\ndef build(input_shape, num_classes): ...",
        "own_blocks.py": "def block(): ...",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    place = Workspace.at(tmp_path / "w")
    of_first = {"version": 1, "model_dir": str(tmp_path), "model_uri": str(place.root / "pipelines/first/Trainer/model/3")}
    RunRecord("20260101-110000", "first", "2026-01-01T11:00:00", "done", **of_first).save(place.run("first", "20260101-110000"))
    served = {"version": 1, "model_dir": str(place.models / "mine/1")}
    RunRecord(RUN, "mine", "2026-01-01T12:00:00", "done", **served).save(place.run("mine", RUN))
    with database(place) as tables:
        tables.executescript("""
            CREATE TABLE Type (id INTEGER, name TEXT); CREATE TABLE Context (id INTEGER, type_id INTEGER, name TEXT);
            CREATE TABLE Association (execution_id INTEGER, context_id INTEGER);
            INSERT INTO Type VALUES (1, 'pipeline'); INSERT INTO Context VALUES (1, 1, 'mine'), (2, 1, 'other');
            INSERT INTO Association VALUES (7, 1), (8, 1), (9, 2);""")
    fingerprint._source.cache_clear()  # of the tests before
    monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "components/fingerprint.py"))
    monkeypatch.setattr(unchanged, "LOCK", tmp_path / "requirements.lock")
    cfg = config()
    held, _ = sources.held(cfg.data, place.datasets)
    unchanged.look(cfg, place).keep(RUN, held, VALUE)
    answer = unchanged.look(cfg, place).answer
    assert (answer.run, answer.value) == (RUN, VALUE)
    return SimpleNamespace(root=tmp_path, place=place, cfg=cfg)


@contextlib.contextmanager
def database(place):
    place.root.mkdir(exist_ok=True)
    with contextlib.closing(sqlite3.connect(place.metadata)) as tables, tables:
        yield tables


def config(*assignments):
    mine = ["name=mine", f"data.source=folder:{DATA}", "data.pinned_schema=schema.pbtxt", "model.initial=first"]
    reads = ["transform.text.vectors=vectors.txt"]  # of a network of texts; what reads what is not asked here
    return load.load("digits_lenet5", [*mine, *reads, "model.name=own_net:build", *assignments])


def write(name, text="something else"):
    return lambda house, monkeypatch: (house.root / name).write_text(text)


def delete(name):
    return lambda house, monkeypatch: shutil.rmtree(house.root / name)


def replaced_as_by_cp(house, monkeypatch):
    """Another image of the same size and time of change."""
    path = house.root / DATA / "a/0.png"
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def another_image(house, monkeypatch):
    shutil.copyfile(house.root / DATA / "a/0.png", house.root / DATA / "a/9.png")


def another_version(house, monkeypatch):
    shutil.copytree(house.place.models / "mine/1", house.place.models / "mine/2")


def another_package(house, monkeypatch):
    (house.root / "site/numpy-2.0.dist-info").rename(house.root / "site/numpy-2.1.dist-info")


def another_execution(house, monkeypatch):
    with database(house.place) as tables:
        tables.execute("INSERT INTO Association VALUES (10, 1)")


def another_model_of_that_name(house, monkeypatch):
    folder = house.place.root / "pipelines/first/Trainer/model/4"
    shutil.copytree(folder.with_name("3"), folder)
    later = {"version": 2, "model_dir": str(house.root), "model_uri": str(folder)}
    RunRecord("20260101-130000", "first", "2026-01-01T13:00:00", "done", **later).save(house.place.run("first", "20260101-130000"))


CHANGES = {
    "a source": write("components/fingerprint.py"),
    "a file more in the source": write("components/more.py"),
    "a builder of one's own": write("own_net.py", "def build(input_shape): ..."),
    "a module that it imports": write("own_blocks.py", "def block(x): ..."),
    "an image": replaced_as_by_cp,
    "an image more": another_image,
    "what lies beside the images": write("images/more.txt"),
    "the lock file": write("requirements.lock"),
    "a package": another_package,
    "an environment variable": lambda house, monkeypatch: monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0"),
    "the pinned schema": write("schema.pbtxt"),
    "the words' vectors": write("vectors.txt", "rain 1 3"),
    "no vectors": lambda house, monkeypatch: (house.root / "vectors.txt").unlink(),
    "the model to start from": write("w/pipelines/first/Trainer/model/3/model.keras"),
    "what its name stands for": another_model_of_that_name,
    "an artifact": write("w/pipelines/mine/Trainer/model/7/model.keras"),
    "an artifact that is gone": delete("w/pipelines/mine/Evaluator/blessing/8"),
    "a blessing": write("w/pipelines/mine/Evaluator/blessing/8/NOT_BLESSED"),
    "a pushed version that is gone": delete("w/models/mine/1"),
    "a pushed version's content": write("w/models/mine/1/saved_model.pb"),
    "a pushed version more": another_version,
    "a stage that a kill left": write("w/models/mine/.staged-1"),
    "an execution of the pipeline": another_execution,
    "an answer that cannot be read": write(f"w/pipelines/mine/runs/{RUN}/{unchanged.FILE}", "{"),
    "metadata that cannot be read": write("w/metadata.db"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_takes_the_long_way(house, monkeypatch, change):
    change(house, monkeypatch)
    assert unchanged.look(house.cfg, house.place).answer is None


@pytest.mark.parametrize("assignment", ["train.epochs=3", "seed=1", "evaluate.thresholds.accuracy.min=0.5", "export.top_k=1"])
def test_so_does_another_config(house, assignment):
    assert unchanged.look(config(assignment), house.place).answer is None


def test_so_does_a_copy_of_the_workspace(house):
    shutil.copytree(house.place.root, house.root / "copy")
    assert unchanged.look(house.cfg, Workspace.at(house.root / "copy")).answer is None


def touch(house):
    for path in (house.root / DATA).rglob("*.png"):
        os.utime(path)


def an_execution_of_another_pipeline(house):
    with database(house.place) as tables:
        tables.execute("INSERT INTO Association VALUES (10, 2)")


def a_run_that_failed(house):
    RunRecord("20260101-130000", "mine", "2026-01-01T13:00:00", "failed").save(house.place.run("mine", "20260101-130000"))


def touch_vectors(house):
    os.utime(house.root / "vectors.txt")


@pytest.mark.parametrize("other", [touch, touch_vectors, an_execution_of_another_pipeline, a_run_that_failed])
def test_what_changes_no_answer_does_not(house, other):
    other(house)
    assert unchanged.look(house.cfg, house.place).answer.run == RUN


def test_what_was_edited_while_a_run_went_on_is_not_what_it_ran(house):
    known = unchanged.look(house.cfg, house.place)
    (house.root / "components/fingerprint.py").write_text("edited meanwhile")
    held, _ = sources.held(house.cfg.data, house.place.datasets)
    known.keep(RUN, held, VALUE)
    assert unchanged.look(house.cfg, house.place).answer is None


def test_what_was_live_before_another_config_of_the_name_ran_is_no_answer(house):
    """A, B, A, B: each finds that another version is live than the one that it answered with."""
    held, _ = sources.held(house.cfg.data, house.place.datasets)

    def run(cfg, number):
        """What the long way leaves, and the answer that the next run of the same config gets."""
        known = unchanged.look(cfg, house.place)
        assert known.answer is None
        (house.place.models / f"mine/{number}").mkdir()
        (house.place.models / f"mine/{number}/saved_model.pb").write_text(f"version {number}")
        with database(house.place) as tables:
            tables.execute("INSERT INTO Association VALUES (?, 1)", (10 + number,))
        record = RunRecord(f"2026010{number}-120000", "mine", f"2026-01-0{number}T12:00:00", "done")
        record.save(house.place.run("mine", record.run))
        known.keep(record.run, held, {**VALUE, "version": number})
        return unchanged.look(cfg, house.place).answer.value["version"]

    other = config("seed=1")
    assert [run(cfg, number) for number, cfg in enumerate([other, house.cfg, other], 2)] == [2, 3, 4]
    assert unchanged.look(house.cfg, house.place).answer is None


def test_data_that_has_yet_to_be_prepared_is_in_doubt(house):
    digits = config("data.source=tfds:digits")
    assert sources.held(digits.data, house.place.datasets) is None
    assert unchanged.look(digits, house.place).answer is None


def test_it_imports_nothing_heavy(house):
    script = """
import sys
from components.example_gen import sources
from configs import load
from pipelines.workspace import unchanged
from pipelines.workspace.layout import Workspace

cfg, place = load.load("digits_lenet5", sys.argv[2:]), Workspace.at(sys.argv[1])
assert all(map(sources.module_of, ("tfds:x", "csv:x", "tfrecord:x")))
assert sources.held(cfg.data, place.datasets)
assert unchanged.look(cfg, place).given
assert not {"tensorflow", "keras", "tfx", "apache_beam", "tensorflow_datasets"} & set(sys.modules)"""
    asked = ["name=mine", f"data.source=folder:{DATA}", "model.initial=first", "model.name=own_net:build"]
    path = os.pathsep.join([str(Path(unchanged.__file__).parents[2]), str(house.root)])
    subprocess.run(
        [sys.executable, "-c", script, str(house.place.root), *asked], env={**os.environ, "PYTHONPATH": path}, check=True
    )
