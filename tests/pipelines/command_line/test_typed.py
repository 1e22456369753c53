"""Commands that are printed work as they stand: whoever gave a workspace is given it again."""

import json
import shlex

import pytest

from pipelines.command_line import commands, console, typed
from pipelines.process import supervise
from pipelines.workspace import unchanged

VALUE = {
    "run": "20260101-120000", "config": "a", "model": "a", "version": 3, "blessed": True, "reason": "", "comparison": "",
    "metrics": {}, "intervals": {}, "slices": [], "model_uri": "", "notes": [], "seconds": 1.0, "components": [], "parity": True,
    "missed": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("`hubel list runs` shows which", "`hubel list runs --workspace 'a b'` shows which"),
        ("`hubel gc` or `hubel nothing`", "`hubel gc --workspace 'a b'` or `hubel nothing`"),
        ("`hubel list models` has no such thing", "`hubel list models` has no such thing"),
        ("`hubel run x --workspace c` again", "`hubel run x --workspace c` again"),
        ("see `docs` and hubel run", "see `docs` and hubel run"),
    ],
)
def test_each_command_in_a_sentence_that_has_a_workspace_gets_it(text, completed):
    assert typed.sentence(text, "a b", commands.cli) == completed
    assert typed.sentence(text, None, commands.cli) == text


@pytest.fixture
def told(tmp_path, monkeypatch, capfd):
    """What `hubel run` prints at its end, of a model that was pushed to `folder`."""

    def run(folder, *arguments) -> str:
        value = VALUE | {"model_dir": str(folder)}
        answer = unchanged.Answer("20260101-120000", {}, value)
        monkeypatch.setattr(unchanged, "look", lambda cfg, place: unchanged.Known(place, cfg.name, folder, {}, answer))
        monkeypatch.setattr(supervise, "ask", lambda *asked, **more: pytest.fail("a worker was started"))
        assert commands.run(["run", "digits_lenet5.tiny", *map(str, arguments)]) == 0
        [line] = [line for line in capfd.readouterr().out.splitlines() if "try it: " in line]
        return line.partition("try it: ")[2]

    return run


def test_what_to_try_after_a_run_names_the_workspace_that_was_typed(told, tmp_path, monkeypatch):
    place = tmp_path / "my workspace"
    line = told(place / "models/a/3", "--workspace", place)
    assert shlex.split(line) == ["hubel", "predict", "a", "IMAGE...", "--workspace", str(place)]
    monkeypatch.setenv("HUBEL_WORKSPACE", str(tmp_path / "w"))
    assert told(tmp_path / "w/models/a/3") == "hubel predict a IMAGE..."
    assert told(place / "models/a/3", "--workspace", place).endswith("workspace'")  # again, and no longer than it is typed
    assert told(tmp_path / "w/models/a/3") == "hubel predict a IMAGE..."


def test_a_model_that_was_pushed_elsewhere_is_asked_by_its_folder(told, tmp_path):
    line = told(tmp_path / "else where/a/3", "--workspace", tmp_path / "w")
    assert shlex.split(line)[2] == str(tmp_path / "else where/a/3")


def test_a_candidate_is_asked_in_its_workspace(capsys):
    console.result(VALUE | {"blessed": False, "version": None, "candidate": "/place", "hints": []}, workspace="w")
    assert "ask it all the same: hubel predict a@candidate IMAGE... --workspace w\n" in capsys.readouterr().out


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_so_do_the_hints_of_what_failed(as_json, tmp_path, capsys):
    place = str(tmp_path / "my workspace")
    assert commands.run(["show", "letters/3", "--workspace", place, *as_json]) == 2
    said = capsys.readouterr()
    hint = json.loads(said.out)["error"]["hint"] if as_json else said.err
    assert f"`hubel list runs --workspace '{place}'` shows what was pushed." in hint
