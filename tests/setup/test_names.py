"""What a module asks of another one of hubel's is there: a name that moved is missed at once, not when a rare branch asks."""

import ast
from functools import cache
from pathlib import Path

from configs.packages import PACKAGES
from tests import sources
from tests.setup.test_import_circles import file_of

OURS = (*PACKAGES, "benchmarks")


@cache
def defined(path: Path) -> set[str]:
    """All names that a file binds anywhere; more than those that others may ask for, never fewer."""
    names = set()
    for node in ast.walk(sources.tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return names


def missing(path: Path) -> list[str]:
    """What a file asks of other files, in imports or as MODULE.NAME, and they do not have."""
    nodes, modules, wrong = list(ast.walk(sources.tree(path))), {}, []
    for node in nodes:
        if not isinstance(node, ast.ImportFrom) or node.level or node.module.split(".")[0] not in OURS:
            continue
        for alias in node.names:
            asked = f"{node.module}.{alias.name}"
            if file_of(asked):
                modules[alias.asname or alias.name] = asked
            elif not (file_of(node.module) and alias.name in defined(file_of(node.module))):
                wrong.append(asked)
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules.keys() - bound:
            asked = f"{modules[node.value.id]}.{node.attr}"
            is_special = node.attr.startswith("__")
            if not (is_special or node.attr in defined(file_of(modules[node.value.id])) or file_of(asked)):
                wrong.append(asked)
    return wrong


def test_a_name_that_is_not_there_is_found(tmp_path):
    path = tmp_path / "asks.py"
    path.write_text(
        "from configs.errors import first_line, second_line\n"
        "from configs import atomic, nowhere\n"
        "from configs import words as text\n"
        "atomic.replacing, atomic.replaced, text.count, text.counts, atomic.__doc__\n"
    )
    assert missing(path) == ["configs.errors.second_line", "configs.nowhere", "configs.atomic.replaced", "configs.words.counts"]


def test_names_are_where_they_are_asked_for():
    wrong = {sources.place(path): asked for path in sources.files(*OURS) if (asked := missing(path))}
    assert not wrong


SAYING_NOTHING = {"one", "found", "facts"}  # of a thing in code; a candidate, a record, an interval or a batch says what it is


def named(tree: ast.Module) -> set[str]:
    """What a file calls its variables, arguments, functions and classes."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names |= {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler))}
    return names


def test_what_a_file_calls_its_things_is_seen():
    text = "def one(found, *two):\n    three: int = 1\n    for four in two: pass\nlambda **five: [six for six in 'one']\n"
    assert named(ast.parse(text)) == {"one", "found", "two", "three", "four", "five", "six"}


def test_names_say_what_a_thing_is():
    wrong = {
        sources.place(path): said for path in sources.files(*OURS, "tests") if (said := named(sources.tree(path)) & SAYING_NOTHING)
    }
    assert not wrong
