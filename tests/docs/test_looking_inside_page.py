"""What docs/looking_inside.md shows: every method in its order with what it says of itself, commands that run, and a program."""

import re
import shlex

import pytest

from keras_models.explain import activation_maximisation, sanity
from keras_models.explain.base import method, names
from tests.docs.pages import ROOT
from tests.pipelines.conftest import finished, in_process  # noqa: F401

PAGE = (ROOT / "docs/looking_inside.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^hubel visualize digits_lenet5\b.*$", PAGE, re.MULTILINE)


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    monkeypatch.setattr(activation_maximisation, "DEFAULT", activation_maximisation.Regularisation(steps=2))
    for name, value in (("SQUARES", 4), ("CHANGES", 1), ("STAGES", 1)):
        monkeypatch.setattr(sanity, name, value)


def test_every_method_is_listed_in_its_order_with_what_it_tells_and_hides():
    listed = [line for line in PAGE.splitlines() if re.match(r"\| `[a-z_]+` \|", line) and line.count("|") == 5]
    told = [f"| `{name}` | {method(name).PAPER} | {method(name).TELLS} | {method(name).HIDES} |" for name in names()]
    assert listed == told


@pytest.mark.whole
@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_run(command, finished, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    words = ["digits_lenet5_tiny" if word == "digits_lenet5" else word for word in shlex.split(command)[1:]]
    where = [] if "--out" in words else ["--out", str(tmp_path / "out")]
    outcome = in_process(*words, *where, "--workspace", finished)
    assert outcome.code == 0, outcome.err
    assert (tmp_path / (where or ["inside", "inside"])[1] / "inside.html").is_file()


def test_the_program_runs(capsys):
    [program] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    exec(compile(program, "looking_inside.md", "exec"), {})  # noqa: S102 it is ours
    infidelity, shape = capsys.readouterr().out.split(maxsplit=1)
    assert 0 <= float(infidelity) <= 1
    assert shape.strip() == "(1, 16, 16, 1)"
