"""A version appears whole or not at all, and never twice."""

import os
import signal
import subprocess
import sys

import pytest

from components.pusher.publish import clear_stages, clear_stale, content, publish, push
from configs.errors import HubelError
from serving import promotions
from serving.layout import numbered

# Dies after the first file that it copies.
KILLED = """
import os, pathlib, shutil, signal, sys
from components.pusher.publish import publish
copy2 = shutil.copy2
def dying(source, target, **options):
    copy2(source, target, **options)
    os.kill(os.getpid(), signal.SIGKILL)
shutil.copytree.__defaults__ = tuple(dying if value is copy2 else value for value in shutil.copytree.__defaults__)
publish(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""


@pytest.fixture
def base(tmp_path):
    return tmp_path / "models" / "digits"


def files(folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_first_version_is_one_and_holds_every_file(model, base):
    assert publish(model, base) == (1, True)
    assert files(base / "1") == files(model)
    assert [path.name for path in base.iterdir()] == ["1"]


def test_the_same_content_is_not_pushed_twice(model, base):
    publish(model, base)
    (model / "fingerprint.pb").write_bytes(b"2")  # a random number that TensorFlow writes into each export
    assert publish(model, base) == (1, False)
    assert list(numbered(base)) == [1]


@pytest.mark.parametrize("change", ["content", "file more", "file less", "rename"])
def test_changed_content_is_a_new_version(model, base, change):
    publish(model, base)
    match change:
        case "content":
            (model / "variables" / "variables.data-00000-of-00001").write_bytes(b"weighty")
        case "file more":
            (model / "assets.extra" / "more").write_text("")
        case "file less":
            (model / "variables" / "variables.data-00000-of-00001").unlink()
        case "rename":
            (model / "saved_model.pb").rename(model / "saved_model.pbtxt")
    assert publish(model, base) == (2, True)
    assert files(base / "2") == files(model)
    assert list(numbered(base)) == [1, 2]


def test_what_is_compared_is_the_version_that_is_live(model, base):
    publish(model, base)
    (model / "saved_model.pb").write_bytes(b"another")
    publish(model, base)
    (model / "saved_model.pb").write_bytes(b"graph")
    assert publish(model, base) == (3, True)


def test_versions_are_one_more_than_the_highest_and_names_that_are_no_numbers_are_none(model, base):
    for name in ("3", "9", "10", "11.bak", ".staged-5", "x12", "1²", "-20", "latest"):
        (base / name).mkdir(parents=True)
    (base / "99").write_text("a file")
    assert list(numbered(base)) == [3, 9, 10]
    assert publish(model, base)[1]
    assert max(numbered(base)) > 10


def test_a_stage_that_a_killed_publish_left_is_removed_and_never_a_version(model, base):
    stage = base / ".staged-12345"
    (stage / "variables").mkdir(parents=True)
    (stage / "saved_model.pb").write_bytes(b"half")
    assert numbered(base) == {}
    assert publish(model, base) == (1, True)
    assert not stage.exists()
    stage.mkdir()
    clear_stages(base)
    assert [path.name for path in base.iterdir()] == ["1"]
    clear_stages(base / "nowhere")


def test_kill_9_in_the_middle_of_copying_leaves_no_version_and_the_next_publish_clears_it(model, base):
    publish(model, base)
    (model / "saved_model.pb").write_bytes(b"another")
    died = subprocess.run([sys.executable, "-c", KILLED, str(model), str(base)], check=False)
    assert died.returncode == -signal.SIGKILL
    [stage] = [path for path in base.iterdir() if path.name != "1"]
    assert stage.name.startswith(".staged-")
    assert len(files(stage)) == 1, "it died in the middle"
    assert list(numbered(base)) == [1]
    assert publish(model, base) == (2, True)
    assert files(base / "2") == files(model)
    assert sorted(path.name for path in base.iterdir()) == ["1", "2"]


def test_a_failure_in_the_middle_of_copying_leaves_no_version(model, base):
    publish(model, base)
    (model / "saved_model.pb").write_bytes(b"another")
    (model / "variables" / "zzz").symlink_to(model / "nowhere")  # copied after other files, and cannot be read
    with pytest.raises(OSError, match="zzz"):
        publish(model, base)
    assert list(numbered(base)) == [1]
    assert files(base / "1")["saved_model.pb"] == b"graph"
    (model / "variables" / "zzz").unlink()
    assert publish(model, base) == (2, True)
    assert sorted(path.name for path in base.iterdir()) == ["1", "2"]


def test_content_does_not_depend_on_place_or_time(model, tmp_path):
    before = content(model)
    os.utime(model / "saved_model.pb", (1, 1))
    model.rename(tmp_path / "moved")
    assert content(tmp_path / "moved") == before


def test_the_first_push_is_stable_and_the_next_a_canary(model, base):
    assert push(model, base) == (1, True)
    (model / "saved_model.pb").write_bytes(b"another")
    assert push(model, base, lambda stage: (stage / "why").write_text("because")) == (2, True)
    assert files(base / "2")["why"] == b"because"
    assert promotions.state(base).labels == {"stable": 1, "canary": 2}
    config = (base.parent / "model.config").read_text()
    assert config.count("versions: ") == 2
    (base.parent / "model.config").unlink()
    (base / "2/why").unlink()
    assert push(model, base) == (2, False)
    assert (base.parent / "model.config").read_text() == config
    assert promotions.state(base).labels == {"stable": 1, "canary": 2}


def test_where_the_record_cannot_be_read_nothing_appears(model, base):
    base.parent.mkdir()
    (base.parent / "promotions.json").write_text("half a rec")
    with pytest.raises(HubelError, match="cannot be read"):
        push(model, base)
    assert numbered(base) == {}


PUSHING = """
import pathlib, sys
from components.pusher.publish import push
base = pathlib.Path(sys.argv[2])
for number in range(5):
    (pathlib.Path(sys.argv[1]) / "saved_model.pb").write_text(f"{sys.argv[1]} {number}")
    push(pathlib.Path(sys.argv[1]), base / sys.argv[3])
"""


@pytest.mark.parametrize("names", [("digits", "digits"), ("digits", "cable")])
def test_two_that_push_at_once_lose_nothing_of_each_other(model, base, tmp_path, names):
    both = []
    for place, name in enumerate(names):
        (tmp_path / f"model{place}").mkdir()
        arguments = [sys.executable, "-c", PUSHING, str(tmp_path / f"model{place}"), str(base.parent), name]
        both.append(subprocess.Popen(arguments))
    assert [process.wait(60) for process in both] == [0, 0]
    states = promotions.states(base.parent)
    assert {name: len(of.versions) for name, of in states.items()} == {name: 5 * names.count(name) for name in names}
    for of in states.values():
        assert of.labels == {"stable": 1, "canary": max(of.versions)}
    assert (base.parent / "model.config").read_text() == promotions.text(base.parent)


def test_the_stage_of_who_pushes_right_now_is_no_leftover(base):
    (base / ".staged-1").mkdir(parents=True)
    with promotions.held(base.parent, "a push"):
        clear_stale(base)
        assert (base / ".staged-1").is_dir()
    clear_stale(base)
    assert list(base.iterdir()) == []
