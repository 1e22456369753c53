"""Entries that depend on others, and the corners that a space is tried by."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import space as spaces
from configs.errors import UsageError
from configs.schema.tune import Distribution


def space(**entries):
    return {path.replace("__", "."): Distribution.model_validate(drawn) for path, drawn in entries.items()}


NESTED = {
    "deepest": {"min": 1, "max": 3, "when": {"inner": ["p"]}},
    "outer": {"choices": ["x", "y", "z"]},
    "inner": {"choices": ["p", "q"], "when": {"outer": ["x", "y"]}},
    "both": {"choices": [True, False], "when": {"inner": "q", "other": 2}},
    "other": {"min": 1, "max": 2},
}


def test_an_entry_comes_after_those_that_it_depends_on_and_else_as_written():
    assert list(spaces.ordered(space(**NESTED))) == ["outer", "inner", "deepest", "other", "both"]
    assert list(spaces.ordered(space(b={"choices": [1]}, a={"choices": [1]}))) == ["b", "a"]


def test_conditions_are_inherited():
    assert spaces.conditions(space(**NESTED))["both"] == {"inner": ["q"], "outer": ["x", "y"], "other": [2]}


@pytest.mark.parametrize(
    ("choices", "when", "met"),
    [
        (["a", "b"], {"p": "a"}, ["a"]),
        (["a", "b", "c"], {"p": ["a", "c"]}, ["a", "c"]),
        ([[300, 100], [200]], {"p": [300, 100]}, [[300, 100]]),
        ([[300, 100], [200]], {"p": [[300, 100], [200]]}, [[300, 100], [200]]),
        ([None, {"name": "cosine"}], {"p": [None]}, [None]),
        ([None, {"name": "cosine"}], {"p.name": "cosine"}, [{"name": "cosine"}]),
        (
            [{"name": "sgd", "momentum": 0.9}, {"name": "sgd"}, {"name": "adam"}],
            {"p.momentum": 0.9},
            [{"name": "sgd", "momentum": 0.9}],
        ),
        ([True, False], {"p": True}, [True]),
        ([1, 2], {"p": 2.0}, [2]),
    ],
    ids=str,
)
def test_a_condition_is_a_value_some_values_or_a_key_of_a_mapping(choices, when, met):
    assert spaces.conditions(space(p={"choices": choices}, q={"choices": [1, 2], "when": when}))["q"] == {"p": met}


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"a": {"choices": [1, 2], "when": {"b": 1}}}, "when names b, which is no other entry"),
        ({"a": {"choices": [1, 2], "when": {"a": 1}}}, "when names a, which is no other entry"),
        ({"a": {"choices": [1, 2], "when": {"b": 3}}, "b": {"choices": [1, 2]}}, "condition on b never holds"),
        ({"a": {"choices": [1, 2], "when": {"b": True}}, "b": {"choices": [1, 2]}}, "condition on b never holds"),
        ({"a": {"choices": [1, 2], "when": {"b": 0.5}}, "b": {"min": 0.0, "max": 1.0}}, "condition on b never holds"),
        ({"a": {"choices": [1, 2], "when": {"b": 1}}, "b": {"choices": [1, 2], "when": {"a": 1}}}, "a and b depend on each other"),
        (
            {
                "top": {"choices": [1, 2]},
                "inner": {"choices": [1, 2], "when": {"top": 1}},
                "deep": {"choices": [1, 2], "when": {"inner": 1, "top": 2}},
            },
            "deep: its condition on top never holds",
        ),
    ],
)
def test_a_condition_that_never_holds_is_refused(entries, words):
    with pytest.raises(UsageError, match=words):
        spaces.conditions(space(**entries))


def test_a_whole_number_of_a_wide_range_is_a_condition():
    entries = space(a={"min": 8, "max": 64, "sampling": "log"}, b={"choices": [1, 2], "when": {"a": [16, 3]}})
    assert spaces.conditions(entries)["b"] == {"a": [16]}


def test_corners_are_each_end_and_choice_and_all_least_and_greatest_each_once():
    corners = [*spaces.corners(space(a={"min": 1, "max": 5, "default": 2}, b={"choices": [[1], [2], [3]]}))]
    assert corners == [
        {"a": 2, "b": [1]},
        {"a": 1, "b": [1]},
        {"a": 5, "b": [1]},
        {"a": 2, "b": [2]},
        {"a": 2, "b": [3]},
        {"a": 5, "b": [3]},
    ]


def test_corners_of_conditional_entries_are_reached_and_hold_nothing_that_is_not_drawn():
    entries = space(**NESTED)
    corners = [*spaces.corners(entries)]
    for path, drawn in entries.items():
        tried = [corner[path] for corner in corners if path in corner]
        assert all(any(spaces.same(value, example) for value in tried) for example in drawn.examples), path
    for corner in corners:
        assert ("inner" in corner) == (corner["outer"] in ("x", "y"))
        assert ("deepest" in corner) == (corner.get("inner") == "p")
        assert ("both" in corner) == (corner.get("inner") == "q" and corner["other"] == 2)
    assert all(left != right for left, right in itertools.combinations(corners, 2))


def test_the_config_s_own_values_are_the_defaults_where_they_can_be_drawn():
    entries = space(
        train__epochs={"min": 5, "max": 20},
        train__batch_size={"choices": [16, 32]},
        model__options__hidden={"choices": [[200], [300, 100]]},
        augment__0__rotate__degrees={"min": 0.0, "max": 20.0, "default": 1.0},
        no__such={"min": 1, "max": 2},
    )
    tree = {
        "train": {"epochs": 12, "batch_size": 64},
        "model": {"options": {"hidden": [300, 100]}},
        "augment": [{"rotate": {"degrees": 10}}],
    }
    firsts = {path: drawn.first for path, drawn in spaces.with_defaults(entries, tree).items()}
    assert list(firsts.values()) == [12, 16, [300, 100], 1.0, 1]


@given(st.data())
def test_completed_values_are_those_of_the_entries_that_are_drawn(data):
    entries = space(**NESTED)
    path = data.draw(st.sampled_from(sorted(entries)))
    value = data.draw(st.sampled_from(entries[path].steps))
    values = spaces.completed(entries, spaces.forcing(entries, path, value))
    assert spaces.same(values[path], value)
    allowed = spaces.conditions(entries)
    assert {other for other in entries if spaces.is_active(other, values, allowed)} == set(values)
