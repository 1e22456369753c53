"""The session of docs/notebooks.md: each block, in order, in a folder and a workspace of its own."""

import re
from pathlib import Path

import pytest

from tests.pipelines.conftest import workers_here

PAGE = Path(__file__).parents[2] / "docs" / "notebooks.md"


def values(source: str, names: dict) -> list:
    """What each line of a block comes to that is an expression, as a cell's last one is shown."""
    import ast

    shown = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Expr):
            shown.append(eval(compile(ast.Expression(statement.value), str(PAGE), "eval"), names))  # noqa: S307
        else:
            exec(compile(ast.Module([statement], []), str(PAGE), "exec"), names)  # noqa: S102
    return shown


@pytest.mark.whole
def test_the_session_runs_as_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUBEL_WORKSPACE", str(tmp_path / "workspace"))
    names: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with workers_here():
        config, run, figures, answers, report, keras, error = (values(block, names) for block in blocks)
    assert config == [(2, "lenet5")]
    [(status, blessed, reason, of_run)] = run
    assert (status, blessed, reason) == ("done", True, "") or (status, blessed) == ("not blessed", False)
    accuracy, runs, versions, table = figures
    assert accuracy == of_run["accuracy"] == table["accuracy"][0]
    assert [known.id for known in runs] == list(table["run"])
    assert [known["version"] for known in versions] == [run.version for run in runs if run.version]
    assert [answer[0] for answer in answers[-1]] == ["zero.png", "image 1", "image 2"]
    assert report[0]._repr_html_().startswith("<iframe srcdoc=")
    assert keras == [names["network"].count_params()]
    assert names["logits"].shape == (3, 10)
    assert error == []
    assert "did you mean epochs?" in capsys.readouterr().out
