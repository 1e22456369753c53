"""What a library's message becomes in a sentence."""

import ast
from pathlib import Path

import pytest

from configs.errors import SAID, first_line, last_line
from configs.packages import PACKAGES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        (ValueError("a\nb"), "a", "b"),
        (ValueError("\n\n  a  \n \n b \n\n"), "a", "b"),
        (ValueError(), "no message", "no message"),
        (ValueError("\n \n"), "no message", "no message"),
        ("x" * 1000 + "\n" + "y" * 1000, "x" * SAID, "y" * SAID),
        ("a.", "a.", "a."),
    ],
)
def test_the_first_and_the_last_line_that_hold_anything(said, first, last):
    assert (first_line(said), last_line(said)) == (first, last)


ALONE = {"components/infra_validator/replay.py"}  # imports tensorflow and nothing of ours


def test_no_other_file_cuts_lines_out_of_an_error():
    wrong = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("str(error).splitlines"):
                    wrong.add(path.relative_to(ROOT).as_posix())
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("str(error).strip().splitlines"):
                    wrong.add(path.relative_to(ROOT).as_posix())
    assert wrong == ALONE
