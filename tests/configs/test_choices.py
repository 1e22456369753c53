"""What keras-tuner cannot hold goes to it as a text and comes back as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import choices

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)


@given(st.lists(trees, min_size=1) | st.lists(st.text(), min_size=1))
def test_every_choice_comes_back(written):
    encoded = choices.encode(written)
    assert len({type(scalar) for scalar in encoded}) == 1, "keras-tuner wants one kind"
    assert {type(scalar) for scalar in encoded} <= {str, int, float, bool}
    back = [choices.decode(scalar) for scalar in encoded]
    assert json.dumps(back, sort_keys=True) == json.dumps(written, sort_keys=True), "types too"


@pytest.mark.parametrize("written", [[1, 2], [0.5, 1.0], ["relu", "tanh"], [True, False]])
def test_what_keras_tuner_holds_stays_as_it_is(written):
    assert choices.encode(written) == written


def test_lists_are_texts_that_say_so():
    assert choices.encode([[300, 100], [200]]) == ["json:[300,100]", "json:[200]"]
    assert choices.encode(["json:[1]", "relu"]) == ['json:"json:[1]"', 'json:"relu"'], "a text that looks like one"
    assert choices.encode([{"b": 1, "a": 2}, None]) == ['json:{"a":2,"b":1}', "json:null"]
