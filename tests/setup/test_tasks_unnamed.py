"""Who trains, judges, serves or shows a model asks its task, or its card; nothing outside components/tasks/ knows tasks by name."""

import ast
from pathlib import Path

import pytest

from tests.setup.test_imports import ALLOWED, ROOT, modules

TASKS = ROOT / "components" / "tasks"
_FILES = [path.relative_to(TASKS).with_suffix("") for path in TASKS.rglob("*.py") if "\nclass Task(" in path.read_text()]
NAMES = {".".join(part for part in file.parts if part != "task") for file in _FILES} - {"base"}
EXCEPTIONS = {  # file -> names that stand there: what they are
    "components/earlier_cards.py": {"classification", "ensemble"},  # of models pushed before cards said what signatures give
    "configs/load.py": {"anomaly"},  # a key of the config
    "configs/schema/model.py": {"ensemble"},  # a model
    "keras_models/record.py": {"classification", "reconstruction"},  # what models give that do not say it
}


def named(tree: ast.Module, constants: dict[str, str]) -> set[str]:
    """Tasks that a module compares something with, or lists: in comparisons, match statements, collections and keys.

    Args:
        constants: names that stand for a task's, such as CLASSIFICATION.
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
    texts |= {constants[part.id] for part in parts if isinstance(part, ast.Name) and part.id in constants}
    texts |= {constants[part.attr] for part in parts if isinstance(part, ast.Attribute) and part.attr in constants}
    return texts & NAMES


def constants() -> dict[str, str]:
    """NAME = "task", at the top of any module but those of tasks, and that of features, of which one is called like a task."""
    found = {}
    for path in set(sources()) - {ROOT / "components" / "keys.py"}:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value in NAMES:
                found |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
    return found


def sources() -> list[Path]:
    return [path for package in ALLOWED for path in modules(package) if not path.is_relative_to(TASKS)]


def test_no_module_compares_or_lists_names_of_tasks():
    known = constants()
    wrong = {str(path.relative_to(ROOT)): names for path in sources() if (names := named(ast.parse(path.read_text()), known))}
    assert {file: names for file, names in wrong.items() if names - EXCEPTIONS.get(file, set())} == {}
    assert set(EXCEPTIONS) <= set(wrong), "what is no exception any more"


@pytest.mark.parametrize(
    "source",
    [
        'x == "classification"',
        "if card.task in (CLASSIFICATION, OTHER): pass",
        'KINDS = ["reconstruction.sparse"]',
        '{"anomaly": 1}',
        'match card.task:\n    case "ensemble": pass',
        "registry.CLASSIFICATION != task",
    ],
)
def test_the_rule_sees(source):
    assert named(ast.parse(source), {"CLASSIFICATION": "classification"})


def test_a_call_or_a_declaration_names_a_task_and_knows_nothing_of_it():
    assert not named(ast.parse('register("x", task="classification"); task_of("reconstruction")'), {})
