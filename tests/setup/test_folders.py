"""Each folder that a config passes through says who lives there and what may be touched."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [
    "configs",
    "configs/schema",
    "components/example_gen",
    "components/statistics_gen",
    "components/schema_gen",
    "components/example_validator",
    "components/transform",
    "components/trainer",
    "components/evaluator",
    "components/infra_validator",
    "components/pusher",
    "serving/server",
    "serving/deployment",
    "pipelines",
    "pipelines/command_line",
    "pipelines/process",
    "pipelines/workspace",
    "pipelines/orchestration",
]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_who_lives_there_and_what_may_be_touched(folder):
    said = " ".join((ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text())) or "").split())
    first, _, touched = said.partition("May be touched: ")
    assert len(first.split()) > 3
    assert touched


def test_the_files_that_a_folder_names_are_there():
    for folder in FOLDERS:
        said = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text()))
        named = {word.strip("`(),;:.") for word in said.split() if word.strip("`(),;:.").endswith(".py")}
        gone = {name for name in named if not any((place / name).is_file() for place in (ROOT / folder, ROOT))}
        assert not gone, (folder, gone)
