"""Which versions are loaded, and that nobody is answered wrongly, or not at all, while they change."""

import logging
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from configs.errors import UsageError
from serving.server import model_config
from serving.server.manager import Manager
from serving.server.servable import Warmup
from serving.server.status import ServingError
from tests.serving.server import half_plus_two
from tests.slower import PATIENCE


class Loaded:
    """What stands for a Servable where it does not matter what it answers."""

    def __init__(self, name, version, folder):
        if not Path(folder, "saved_model.pb").is_file():
            raise ServingError("NOT_FOUND", f"SavedModel file does not exist at: {folder}")
        self.name, self.version, self.folder, self.seconds, self.warmup = name, version, folder, 0.1, Warmup(2, 0.5)
        self.closed = threading.Event()

    def close(self):
        self.closed.set()


def config(base, policy="", labels="", name="m"):
    text = f'name: "{name}" base_path: "{base}" model_platform: "tensorflow" {policy} {labels}'
    return text_format.Parse(f"model_config_list {{ config {{ {text} }} }}", model_server_config_pb2.ModelServerConfig())


def version(base, number, is_whole=True):
    stage = base / "stage"
    stage.mkdir(parents=True)
    if is_whole:
        (stage / "saved_model.pb").touch()
    stage.rename(base / str(number))


def states(manager, name="m"):
    return {entry.version: entry.State.Name(entry.state) for entry in manager.status(name).model_version_status}


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)
    assert condition()


@pytest.fixture
def manager():
    made = Manager(Loaded, poll=0.01, retry=0.01)
    yield made
    made.stop()


@pytest.fixture
def base(tmp_path):
    for number in (1, 2, 3):
        version(tmp_path / "m", number)
    return tmp_path / "m"


@pytest.mark.parametrize(
    ("policy", "available"),
    [
        ("", {3}),
        ("model_version_policy { latest { num_versions: 2 } }", {2, 3}),
        ("model_version_policy { all {} }", {1, 2, 3}),
        ("model_version_policy { specific { versions: 1 versions: 3 versions: 9 } }", {1, 3}),
    ],
)
def test_policies(manager, base, policy, available):
    manager.start(config(base, policy))
    assert states(manager) == dict.fromkeys(available, "AVAILABLE")
    assert manager.ready
    with manager.lease("m") as servable:
        assert servable.version == max(available)
    with manager.lease("m", min(available)) as servable:
        assert servable.version == min(available)


def test_a_new_version_is_loaded_before_the_old_goes_and_that_waits_for_its_requests(manager, base):
    manager.start(config(base))
    with manager.lease("m") as held:
        version(base, 4)
        until(lambda: states(manager) == {4: "AVAILABLE", 3: "UNLOADING"})
        with manager.lease("m") as new:
            assert new.version == 4
        with (
            pytest.raises(ServingError, match=r"NOT_FOUND: Servable not found for request: Specific\(m, 3\)"),
            manager.lease("m", 3),
        ):
            pass
        assert not held.closed.is_set()
    until(lambda: states(manager) == {4: "AVAILABLE", 3: "END"})
    assert held.closed.is_set()
    shutil.rmtree(base / "4")  # back to the one before
    until(lambda: states(manager) == {4: "END", 3: "AVAILABLE"})


def test_a_half_written_version_is_tried_again_and_the_old_one_serves(base, caplog):
    manager = Manager(Loaded, poll=0.01, retry=0.2)
    manager.start(config(base))
    version(base, 4, is_whole=False)
    until(
        lambda: (
            states(manager) == {4: "LOADING", 3: "AVAILABLE"} and manager.status("m", 4).model_version_status[0].status.error_code
        )
    )
    (base / "4" / "saved_model.pb").touch()
    until(lambda: states(manager) == {4: "AVAILABLE", 3: "END"})
    assert "tried again in" in caplog.text
    assert "version 3 goes on serving" in caplog.text
    manager.stop()


def test_a_damaged_version_ends_with_its_error_until_its_folder_changes(manager, base, caplog):
    manager.start(config(base))
    version(base, 4, is_whole=False)
    until(lambda: states(manager) == {4: "END", 3: "AVAILABLE"})
    status = manager.status("m", 4).model_version_status[0].status
    assert status.error_message.startswith("SavedModel file does not exist")
    assert status.error_code == 5
    attempts = sum("SavedModel file does not exist" in line for line in caplog.messages)
    assert attempts == 6
    time.sleep(0.1)
    assert sum("SavedModel file does not exist" in line for line in caplog.messages) == attempts
    assert manager.ready
    (base / "4" / "saved_model.pb").touch()
    until(lambda: states(manager) == {4: "AVAILABLE", 3: "END"})


def test_what_is_no_version_is_passed_over(manager, base):
    for name in ("5.tmp", "stage-6", "-7", "9" * 20):
        (base / name).mkdir()
    manager.start(config(base))
    assert states(manager) == {3: "AVAILABLE"}


def test_an_empty_folder_unloads_and_a_missing_one_does_not(manager, base, tmp_path, caplog):
    manager.start(config(base))
    base.rename(tmp_path / "away")
    until(lambda: "Could not find base path" in caplog.text)
    assert states(manager) == {3: "AVAILABLE"}
    base.mkdir()
    until(lambda: states(manager) == {3: "END"})
    assert not manager.ready
    assert caplog.text.count("Could not find base path") == 1


def test_a_start_fails_where_a_model_cannot_be_loaded(base, tmp_path):
    version(base, 4, is_whole=False)
    for asked, said in (
        (
            config(base, "model_version_policy { specific { versions: 4 } }"),
            "m: version 4 NOT_FOUND: SavedModel file does not exist",
        ),
        (config(tmp_path / "none"), "m: Could not find base path"),
        (config(tmp_path), "m: no versions in"),
    ):
        manager = Manager(Loaded, poll=0.01, retry=60)
        with pytest.raises(ServingError, match=f"UNKNOWN: Some models did not become available: {{{said}"):
            manager.start(asked)
        assert not manager.ready


def test_labels(manager, base):
    both = "model_version_policy { all {} }"
    with pytest.raises(ServingError, match="UNAVAILABLE: Unrecognized"), manager.lease("m", label="stable"):
        pass
    manager.start(config(base, both, 'version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 3 }'))
    for label, number in (("stable", 1), ("canary", 3)):
        with manager.lease("m", label=label) as servable:
            assert servable.version == number
    with (
        pytest.raises(ServingError, match="INVALID_ARGUMENT: Unrecognized servable version label: x"),
        manager.lease("m", label="x"),
    ):
        pass
    with pytest.raises(ServingError, match="FAILED_PRECONDITION: Request to assign label stable to version 9"):
        manager.reload(config(base, both, 'version_labels { key: "stable" value: 9 }'))
    with manager.lease("m", label="stable") as servable:  # a label that cannot move stays where it was
        assert servable.version == 1
    manager.reload(config(base, both, 'version_labels { key: "stable" value: 2 }'))
    with manager.lease("m", label="stable") as servable:
        assert servable.version == 2
    with pytest.raises(ServingError, match="INVALID_ARGUMENT"), manager.lease("m", label="canary"):
        pass
    assert [row["labels"] for row in manager.overview()] == [[], ["stable"], []]


def test_a_reload_serves_what_it_names_and_unloads_the_rest(manager, base, tmp_path):
    manager.start(config(base))
    shutil.copytree(base, tmp_path / "other")
    manager.reload(config(tmp_path / "other", name="other"))
    with manager.lease("other") as servable:
        assert servable.name == "other"
    until(lambda: states(manager) == {3: "END"})
    with pytest.raises(ServingError, match=r"NOT_FOUND: Servable not found for request: Latest\(m\)"), manager.lease("m"):
        pass
    assert manager.ready
    with pytest.raises(ServingError, match="UNKNOWN"):
        manager.reload(config(tmp_path / "none", name="third"))
    manager.reload(config(base))
    assert states(manager) == {3: "AVAILABLE"}
    specific = "model_version_policy { specific { versions: 1 } }"
    manager.reload(config(base, specific, 'version_labels { key: "stable" value: 1 }'))  # which waits for what gets a label
    with manager.lease("m", label="stable") as servable:
        assert servable.version == 1


def test_without_polling_only_a_reload_looks(base):
    manager = Manager(Loaded, poll=0)
    manager.start(config(base))
    version(base, 4)
    time.sleep(0.1)
    assert states(manager) == {3: "AVAILABLE"}
    manager.reload(config(base))
    until(lambda: states(manager) == {4: "AVAILABLE", 3: "END"})
    manager.stop()


def test_status_of_what_is_unknown(manager, base):
    manager.start(config(base))
    for asked, said in (
        (("",), "INVALID_ARGUMENT: ModelSpec has no name"),
        (("x",), "NOT_FOUND: Could not find any versions of model x"),
        (("m", 7), "NOT_FOUND: Could not find version 7 of model m"),
        (("m", None, "x"), "INVALID_ARGUMENT: Unrecognized servable version label: x"),
    ):
        with pytest.raises(ServingError, match=said):
            manager.status(*asked)
    with pytest.raises(ServingError, match="no name"), manager.lease(""):
        pass
    row = {"model": "m", "version": 3, "state": "AVAILABLE", "error": "", "labels": [], "seconds": 0.1}
    assert manager.overview() == [row | {"warmup": {"requests": 2, "seconds": 0.5, "signatures": {}, "cold": []}}]


def test_what_a_config_may_not_say(base):
    good = config(base)
    twice = model_server_config_pb2.ModelServerConfig()
    twice.CopyFrom(good)
    twice.model_config_list.config.append(good.model_config_list.config[0])
    for asked, said in (
        (model_server_config_pb2.ModelServerConfig(), "Only ModelConfigList"),
        (twice, "multiple times"),
        (config("relative/m"), "absolute path"),
        (config(base, name=""), "no name"),
        (config(base, "model_version_policy { specific {} }"), "names none"),
        (config(base, "model_type: TENSORFLOW"), "both"),
    ):
        with pytest.raises(ServingError, match=f"INVALID_ARGUMENT.*{said}"):
            model_config.checked(asked)
    for platform, said in (("", "neither"), ("caffe", "caffe")):
        good.model_config_list.config[0].model_platform = platform
        with pytest.raises(ServingError, match=f"INVALID_ARGUMENT.*{said}"):
            model_config.checked(good)


def test_a_file_that_is_no_config(tmp_path):
    path = tmp_path / "model.config"
    with pytest.raises(UsageError, match="cannot be read"):
        model_config.read(path)
    path.write_text("model_config_list { konfig {} }")
    with pytest.raises(UsageError, match=r"is no model\.config: .*konfig"):
        model_config.read(path)
    path.write_text(str(model_config.of_models({"m": "/m", "n": "/n"}, {"n": 4})))
    assert model_config.checked(model_config.read(path))["n"].model_version_policy.specific.versions == [4]


@pytest.mark.parametrize(("swaps", "clients"), [(3, 8), pytest.param(10, 32, marks=pytest.mark.whole)])
def test_swaps_under_load_lose_nothing(swaps, clients, tmp_path, caplog):
    """Versions come and go, the last one is damaged, while clients ask: each answer is that of a version that was there."""
    caplog.set_level(logging.ERROR)
    base = tmp_path / "m"
    base.mkdir()
    half_plus_two.build(base, 1, offset=1)
    manager = Manager(poll=0.02, retry=0.01)
    manager.start(config(base))
    wrong, answers, is_over = [], [], threading.Event()

    def ask(value):
        while not is_over.is_set():
            try:
                with manager.lease("m") as servable:
                    offset = float(servable.run("", {"x": np.float32([[value]])})["y"][0, 0]) - value / 2
                    answers.append(servable.version)
                    if offset != servable.version:
                        wrong.append((servable.version, offset))
            except Exception as error:
                wrong.append(error)
            time.sleep(0.001)

    threads = [threading.Thread(target=ask, args=(value,)) for value in range(clients)]
    for thread in threads:
        thread.start()
    last = swaps + 1
    for number in range(2, last + 1):
        half_plus_two.build(base, number, offset=number)
        until(lambda number=number: states(manager).get(number) == "AVAILABLE")
        until(lambda number=number: answers[-1:] == [number])
    shutil.copytree(base / str(last), base / str(last + 1), ignore=shutil.ignore_patterns("variables"))
    until(lambda: states(manager).get(last + 1) == "END")
    is_over.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert set(answers) == set(range(1, last + 1))
    until(lambda: [number for number, state in states(manager).items() if state != "END"] == [last])
    assert f"version {last} goes on serving" in caplog.text
    manager.stop()


def test_a_damaged_version_at_the_start_leaves_the_highest_good_one_serving_and_says_so(base, manager, caplog):
    for number in (7, 8):
        version(base, number, is_whole=False)
    manager.start(config(base))
    assert states(manager)[3] == "AVAILABLE"
    with manager.lease("m") as servable:
        assert servable.version == 3
    assert "m version 3 answers in the place of 8" in caplog.text
    assert "SavedModel file does not exist" in manager.overview()[0]["error"]
    until(lambda: states(manager)[8] == "END")
    assert states(manager)[3] == "AVAILABLE"
    (base / "8" / "saved_model.pb").touch()  # mended: it takes over
    until(lambda: states(manager) == {8: "AVAILABLE", 7: "END", 3: "END"})


def test_a_start_without_any_good_version_fails_and_says_of_which(base, manager):
    for number in (1, 2, 3):
        (base / str(number) / "saved_model.pb").unlink()
    with pytest.raises(ServingError, match="m: version 3 NOT_FOUND: SavedModel file does not exist"):
        manager.start(config(base))
