"""The worked example of docs/arithmetic.md is what the command prints."""

import re

from pipelines import show_view
from pipelines.show import show
from tests.docs.pages import ROOT


def test_the_table_is_what_the_command_prints(capsys):
    page = (ROOT / "docs/arithmetic.md").read_text(encoding="utf-8")
    ((model, shown),) = re.findall(r"^```console\n\$ hubel show (\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    show_view.terminal(show(model, None, None))
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert shown.splitlines() == printed
