"""`hubel datasets prepare` and `hubel list datasets`: what they prepare, list and refuse."""

import gzip
import json
import resource
import shutil
import subprocess
import sys
import time

import pytest

from components.example_gen import prepare, prepared, tfds
from configs.errors import HubelError, UsageError
from tests.pipelines.command_line.test_commands import imported_by
from tests.pipelines.conftest import Running, hubel, in_process
from tests.pipelines.test_bad_input import refused
from tests.slower import times_slower

MNIST = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A workspace's datasets/ with digits in it."""
    root = tmp_path_factory.mktemp("prepared") / "datasets"
    prepare.prepare("digits", str(root), None)
    return root


@pytest.fixture
def no_network(monkeypatch):
    monkeypatch.setattr(prepare, "answers", lambda url, seconds: False)


@pytest.mark.whole  # 70,000 images; `digits` and what goes wrong are prepared whenever tests run
@pytest.mark.shared_data
def test_mnist_is_prepared_from_its_archives_and_listed(shared_data, tmp_path):
    archives = shared_data / "archives/mnist"
    done = hubel("datasets", "prepare", "mnist", "--from", archives, "--json", "--workspace", tmp_path)
    assert done.code == 0, done.err
    assert done.err == ""
    assert done.json["splits"] == {"train": 60000, "test": 10000}
    assert done.json["classes"] == list("0123456789")
    assert done.json["folder"] == str(tmp_path / "datasets/mnist/3.0.1")
    assert not done.json["already"]
    again = in_process("datasets", "prepare", "mnist", "--workspace", tmp_path)
    assert again.code == 0
    assert "already" in again.out
    assert "data.source=tfds:mnist" in again.out
    rows = {row["name"]: row for row in in_process("list", "datasets", "--json", "--workspace", tmp_path).json}
    assert rows["mnist"]["bytes"] > 10_000_000
    tfds.check("mnist", tmp_path / "datasets")
    assert not list((tmp_path / "datasets").glob(".preparing-*"))


@pytest.mark.shared_data
def test_an_interrupted_preparation_does_not_count_and_is_cleared_by_the_next(shared_data, tmp_path):
    running = Running(
        "datasets", "prepare", "fashion_mnist", "--from", shared_data / "archives/fashion_mnist", "--workspace", tmp_path
    )
    running.wait_for("Generating train examples")
    outcome = running.end(2)
    assert outcome.code == 130
    assert list((tmp_path / "datasets/fashion_mnist").glob("incomplete.*"))
    assert [row["name"] for row in prepared.listed(tmp_path / "datasets")] == ["digits"]
    with pytest.raises(UsageError, match="not prepared"):
        tfds.check("fashion_mnist", tmp_path / "datasets")
    prepare._clear(tmp_path / "datasets")
    assert not list((tmp_path / "datasets").glob("**/incomplete.*"))
    assert not list((tmp_path / "datasets").glob(".preparing-*"))


@pytest.mark.shared_data
def test_archives_in_a_sub_folder_are_pointed_out_and_those_of_another_data_set_are_not(shared_data, tmp_path):
    with pytest.raises(UsageError) as caught:
        prepare.prepare("mnist", str(tmp_path), str(shared_data / "archives"))
    assert str(shared_data / "archives/mnist") in caught.value.hint  # fashion_mnist's have the same names


def test_missing_archives_are_named_at_once_and_nothing_is_left(tmp_path):
    (tmp_path / "archives").mkdir()
    start = time.monotonic()
    with pytest.raises(UsageError) as caught:
        prepare.prepare("mnist", str(tmp_path / "datasets"), str(tmp_path / "archives"))
    assert time.monotonic() - start < 30 * times_slower()  # with TFDS's own retries: minutes
    assert all(name in caught.value.message for name in MNIST)
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == []


def test_a_damaged_archive_is_named(tmp_path):
    for name in MNIST:
        (tmp_path / name).write_bytes(gzip.compress(b"something else"))
    with pytest.raises(HubelError, match="checksum") as caught:
        prepare.prepare("mnist", str(tmp_path / "datasets"), str(tmp_path))
    assert str(tmp_path / "t") in caught.value.message
    assert caught.value.exit_code == 1


def test_archives_that_one_has_to_ask_for_come_with_what_tfds_says_of_them(tmp_path, no_network):
    for archives in (None, str(tmp_path)):
        with pytest.raises(UsageError, match="resisc45") as caught:
            prepare.prepare("resisc45", str(tmp_path / "datasets"), archives)
        assert "--from" in caught.value.hint or "OneDrive" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "words"),
    [("mnistt", "did you mean mnist"), ("mnist:9.9.9", "only: 3.0.1"), ("coco/foo", "coco/foo"), ("Mnist!", "NAME")],
)
def test_an_unknown_data_set_is_refused_with_the_nearest(name, words, tmp_path):
    with pytest.raises(UsageError, match=words):
        prepare.prepare(name, str(tmp_path), str(tmp_path))


def test_without_a_network_and_archives_it_says_what_to_get(tmp_path, no_network):
    with pytest.raises(HubelError, match="does not answer") as caught:
        prepare.prepare("mnist", str(tmp_path), None)
    assert caught.value.exit_code == 1
    assert all(name in caught.value.hint for name in MNIST)
    assert "--from DIR" in caught.value.hint


def test_a_host_that_refuses_does_not_answer(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert not prepare.answers("http://storage.googleapis.com", 2)


def test_what_was_typed_wrong_is_refused_before_tensorflow_is_imported(tmp_path, without_tensorflow):
    missing = ("datasets", "prepare", "mnist", "--from", tmp_path / "missing", "--workspace", tmp_path)
    refused(hubel(*missing, **without_tensorflow), 2, "no such folder")
    refused(hubel("datasets", "prepare", "../x", "--workspace", tmp_path, **without_tensorflow), 2, "NAME")
    assert not (tmp_path / "datasets").exists()


def test_a_failure_is_one_json_value(tmp_path):
    outcome = in_process("datasets", "prepare", "mnistt", "--json", "--workspace", tmp_path)
    assert outcome.code == 2
    assert outcome.err == ""
    assert "mnist" in outcome.json["error"]["message"]


def test_an_empty_workspace_lists_digits_alone_and_quickly(tmp_path):
    assert imported_by("list", "datasets", "--workspace", str(tmp_path)) == set()
    outcome = hubel("list", "datasets", "--json", "--workspace", tmp_path)
    assert [row["name"] for row in outcome.json] == ["digits"]
    assert outcome.json[0]["folder"] is None
    assert outcome.json[0]["splits"] == {"train": 1797}


def test_the_list_says_of_digits_beforehand_what_it_says_afterwards(digits):
    [after] = prepared.listed(digits)
    same = ("name", "version", "source", "splits", "classes", "error")
    assert {key: after[key] for key in same} == {key: prepared.DIGITS[key] for key in same}
    assert after["bytes"] == sum(path.stat().st_size for path in (digits / "digits/1.0.0").iterdir())


def test_a_data_set_that_is_staged_is_not_prepared(digits, tmp_path):
    shutil.copytree(digits / "digits/1.0.0", tmp_path / "digits/incomplete.ABC123_1.0.0")
    assert prepared.listed(tmp_path) == [prepared.DIGITS]
    assert tfds.prepared([tmp_path], "digits", None, None) is None


def test_broken_json_is_said_and_does_not_hide_the_others(digits, tmp_path):
    shutil.copytree(digits, tmp_path / "datasets")
    (tmp_path / "datasets/broken/1.0.0").mkdir(parents=True)
    (tmp_path / "datasets/broken/1.0.0/dataset_info.json").write_text("{")
    outcome = hubel("list", "datasets", "--workspace", tmp_path)
    assert outcome.code == 0
    assert "damaged" in outcome.out
    assert "1,797 train" in outcome.out


def test_configs_of_a_data_set_are_listed_with_it(digits, tmp_path):
    shutil.copytree(digits / "digits/1.0.0", tmp_path / "digits/half/1.2.0")
    row = next(row for row in prepared.listed(tmp_path) if row["folder"])
    assert (row["name"], row["source"], row["version"]) == ("digits/half", "tfds:digits/half", "1.2.0")


def test_an_unprepared_source_names_the_command_and_its_workspace_within_a_second(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path; from components.example_gen import sources\n"
        "try: sources.check('tfds:mnist', Path(sys.argv[1]))\n"
        "except Exception as error: print(error.hint); print(time.process_time())"  # since Python began
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "datasets")], capture_output=True, text=True, check=True)
    assert f"hubel datasets prepare mnist --from DIR --workspace {tmp_path}" in done.stdout
    assert float(done.stdout.split()[-1]) < times_slower()


def test_a_run_of_an_unprepared_source_ends_within_a_second(tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome = hubel("run", "mnist_lenet5", "--workspace", tmp_path, TFDS_DATA_DIR=str(tmp_path / "none"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    refused(outcome, 2, "not prepared", f"hubel datasets prepare mnist --from DIR --workspace {tmp_path}")
    assert (
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < times_slower()
    )  # its own: others may have the cores
    assert not (tmp_path / "metadata.db").exists()


def test_json_of_a_prepared_data_set_is_one_value(digits):
    outcome = in_process("datasets", "prepare", "digits", "--json", "--workspace", digits.parent)
    assert outcome.code == 0
    assert outcome.out.count("\n") == 1
    assert json.loads(outcome.out)["already"]
