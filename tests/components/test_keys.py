"""Names stand once."""

import ast

from components import keys
from tests import sources


def test_words_for_splits_lead_to_ours():
    assert set(keys.SPLIT_WORDS.values()) == set(keys.SPLITS) <= set(keys.SPLIT_WORDS)
    assert all(word == word.lower() for word in keys.SPLIT_WORDS)


def lists_words(node) -> bool:
    leaves = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", ())
    named = {leaf.value for leaf in leaves if isinstance(leaf, ast.Constant)}
    return len(named & (keys.SPLIT_WORDS.keys() - set(keys.SPLITS))) > 1


def test_no_other_file_lists_words_for_splits():
    assert sources.files_that(lists_words) == {"components/keys.py"}
