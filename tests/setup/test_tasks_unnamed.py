"""Who trains, judges, serves or shows a model asks its task, or its card; nothing outside components/tasks/ knows tasks by name."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.setup.test_imports import ALLOWED, ROOT, modules

TASKS = ROOT / "components" / "tasks"
_FILES = [path.relative_to(TASKS).with_suffix("") for path in TASKS.rglob("*.py") if "\nclass Task(" in path.read_text()]
NAMES = {".".join(part for part in file.parts if part != "task") for file in _FILES} - {"base"}
EXCEPTIONS = {  # file -> names that stand there: what they are
    "components/earlier_cards.py": {"classification", "ensemble"},  # of models pushed before cards said what signatures give
    "components/trainer/transfer.py": {"classification", "nearest_neighbours"},  # the task of each head
    "configs/searched.py": {"anomaly"},  # a key of the config
    "configs/schema/model.py": {"ensemble"},  # a model
    "configs/schema/transfer.py": {"nearest_neighbours"},  # a head
    "keras_models/record.py": {"classification", "reconstruction", "segmentation"},  # what models give that do not say it
}


def named(tree: ast.Module, constants: Mapping[str, str]) -> set[str]:
    """Tasks that a module compares something with, or lists: in comparisons, match statements, collections and keys.

    Args:
        constants: what stands in it for a task's name, such as CLASSIFICATION, or record.CLASSIFICATION.
    """
    parts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            parts += [node.left, *node.comparators]
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts += node.elts
        elif isinstance(node, ast.Dict):
            parts += node.keys
        elif isinstance(node, ast.MatchValue):
            parts.append(node.value)
    texts = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    texts |= {constants.get(ast.unparse(part), "") for part in parts if isinstance(part, ast.Name | ast.Attribute)}
    return texts & NAMES


def assigned(tree: ast.Module) -> dict[str, str]:
    """NAME = "task", at the top of a module."""
    constants = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value in NAMES:
            constants |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
    return constants


def known(tree: ast.Module, by_module: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What stands in a module for a task's name: its own constants, and those that it imports."""
    tasks = assigned(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                name, module = alias.asname or alias.name, f"{node.module}.{alias.name}"
                tasks |= {f"{name}.{constant}": task for constant, task in by_module.get(module, {}).items()}
                if task := by_module.get(node.module, {}).get(alias.name):
                    tasks[name] = task
    return tasks


def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources()}


def sources() -> list[Path]:
    return [path for package in ALLOWED for path in modules(package) if not path.is_relative_to(TASKS)]


def test_no_module_compares_or_lists_names_of_tasks():
    parsed = trees()
    dotted = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in parsed}
    features = ROOT / "components" / "keys.py"  # of which one is called like a task
    by_module = {dotted[path]: assigned(tree) for path, tree in parsed.items() if path != features}
    wrong = {str(path.relative_to(ROOT)): names for path, tree in parsed.items() if (names := named(tree, known(tree, by_module)))}
    assert {file: names for file, names in wrong.items() if names - EXCEPTIONS.get(file, set())} == {}
    assert set(EXCEPTIONS) <= set(wrong), "what is no exception any more"


def test_what_is_imported_is_known():
    by_module = {"a.b": {"CLASSIFICATION": "classification"}}
    assert known(ast.parse("from a.b import CLASSIFICATION as KIND"), by_module) == {"KIND": "classification"}
    assert known(ast.parse("from a import b"), by_module) == {"b.CLASSIFICATION": "classification"}
    assert known(ast.parse('SPARSE = "reconstruction.sparse"\nfrom a import c'), by_module) == {"SPARSE": "reconstruction.sparse"}


@pytest.mark.parametrize(
    "source",
    [
        'x == "classification"',
        "if card.task in (CLASSIFICATION, OTHER): pass",
        'KINDS = ["reconstruction.sparse"]',
        '{"anomaly": 1}',
        'match card.task:\n    case "ensemble": pass',
        "record.CLASSIFICATION != task",
    ],
)
def test_the_rule_sees(source):
    assert named(ast.parse(source), {"CLASSIFICATION": "classification", "record.CLASSIFICATION": "classification"})


def test_a_call_or_a_declaration_names_a_task_and_knows_nothing_of_it():
    assert not named(ast.parse('register("x", task="classification"); task_of("reconstruction")'), {})
