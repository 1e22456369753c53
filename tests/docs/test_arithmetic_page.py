"""The worked examples of docs/arithmetic.md are what the command, and Python, print."""

import doctest
import re

from pipelines.command_line import show_view
from pipelines.verbs.show import show
from tests.docs.pages import ROOT


def test_the_table_is_what_the_command_prints(capsys):
    page = (ROOT / "docs/arithmetic.md").read_text(encoding="utf-8")
    ((model, shown),) = re.findall(r"^```console\n\$ hubel show (\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    show_view.terminal(show(model, None, None))
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert shown.splitlines() == printed


def test_python_answers_as_the_page_says():
    page = (ROOT / "docs/arithmetic.md").read_text(encoding="utf-8")
    session = "\n".join(re.findall(r"^```pycon\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    test = doctest.DocTestParser().get_doctest(session, {}, "docs/arithmetic.md", None, None)
    assert len(test.examples) > 10
    assert doctest.DocTestRunner().run(test).failed == 0
