"""No module imports another one that imports it, at module level or inside functions: what depends on what can be told."""

import ast
from functools import cache
from pathlib import Path

import pytest

from configs.packages import PACKAGES
from tests import sources

OURS = (*PACKAGES, "benchmarks")


@cache
def file_of(module: str) -> Path | None:
    """A module's file, where it is one of ours."""
    path = sources.ROOT.joinpath(*module.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def name_of(path: Path) -> str:
    parts = path.relative_to(sources.ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Modules of ours that a file names in import statements, wherever they stand, or to import_module.

    `from package import name` is of the module package.name where that is one, else of the package. That a package is imported
    before its modules does not count: it is so for all of them."""
    package, modules = path.parent.relative_to(sources.ROOT).parts, set()
    for node in ast.walk(sources.tree(path)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            modules |= {inner if file_of(inner := f"{base}.{alias.name}") else base for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            modules |= {value.value for value in node.args if isinstance(value, ast.Constant)}
    return {module for module in modules if module.split(".")[0] in OURS and file_of(module)}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other, by Tarjan 1972, "Depth-first search and linear graph algorithms", section 4."""
    index: dict[str, int] = {}
    lowest, stack, groups = {}, [], []

    def visit(module):
        index[module] = lowest[module] = len(index)
        stack.append(module)
        for other in sorted(graph.get(module, ())):
            if other not in index:
                visit(other)
            if other in stack:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == index[module]:
            place = stack.index(module)
            group, stack[place:] = stack[place:], []
            if len(group) > 1 or module in graph.get(module, ()):
                groups.append(sorted(group))

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return groups


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, [["a", "b", "c"]]),
        ({"a": {"a"}}, [["a"]]),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}, []),
    ],
)
def test_circles_are_found(graph, expected):
    assert circles(graph) == expected


def test_no_module_imports_what_imports_it():
    graph = {name_of(path): imported(path) for path in sources.files(*OURS)}
    assert len(graph) > 200
    assert "configs.errors" in graph["keras_models.published"]
    assert circles(graph) == []
