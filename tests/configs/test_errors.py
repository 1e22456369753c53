"""What a library's message becomes in a sentence."""

import ast

import pytest

from configs.errors import SAID, first_line, last_line
from tests import sources


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


def cuts_lines(node) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "splitlines"
    return is_call and ast.unparse(node.func.value) in ("str(error)", "str(error).strip()")


def test_no_file_cuts_lines_out_of_an_error():
    assert sources.files_that(cuts_lines) == set()
