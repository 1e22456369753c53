"""Names stand once."""

import ast
from pathlib import Path

from components import keys
from configs.packages import PACKAGES

ROOT = Path(__file__).parents[2]


def test_words_for_splits_lead_to_ours():
    assert set(keys.SPLIT_WORDS.values()) == set(keys.SPLITS) <= set(keys.SPLIT_WORDS)
    assert all(word == word.lower() for word in keys.SPLIT_WORDS)


def test_no_other_file_lists_words_for_splits():
    wrong = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                leaves = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", ())
                named = {leaf.value for leaf in leaves if isinstance(leaf, ast.Constant)}
                if len(named & (keys.SPLIT_WORDS.keys() - set(keys.SPLITS))) > 1:
                    wrong.append(path.relative_to(ROOT).as_posix())
    assert wrong == ["components/keys.py"]
