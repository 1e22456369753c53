"""Objects have names that Kubernetes takes, and two models never share one by accident."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import UsageError
from serving.deployment import names

LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1035's, which RFC 1123 contains


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("digits_lenet5", "digits-lenet5"),
        ("digits", "digits"),
        ("My Model.v2", "my-model-v2"),
        ("--x--", "x"),
        ("5_digits", "model-5-digits"),
        ("été", "t"),
    ],
)
def test_what_objects_of_a_model_are_called(model, name):
    assert names.of_objects(model) == name


@given(st.text(max_size=200))
def test_any_model_s_is_a_valid_name_or_is_refused(model):
    try:
        name = names.of_objects(model)
    except UsageError:
        assert not re.search("[a-z0-9]", model.lower())
        return
    assert LABEL.fullmatch(name)
    assert len(f"{name}-predictor") <= 63


def test_long_names_that_begin_alike_differ():
    long = "a" * 80
    assert names.of_objects(f"{long}1") != names.of_objects(f"{long}2")
    assert names.of_objects(f"{long}1") == names.of_objects(f"{long}1")


@pytest.mark.parametrize("model", ["", "___", "模型"])
def test_a_name_of_which_nothing_is_left_is_refused(model):
    with pytest.raises(UsageError, match="Nothing of the model's name") as refused:
        names.of_objects(model)
    assert "--name" in refused.value.hint
    assert names.of_objects(model, "given") == "given"


@pytest.mark.parametrize("given_name", ["A", "a_b", "-a", "a-", "5a", "a" * 53, "a\n", ""])
def test_a_given_name_that_is_none_is_refused(given_name):
    with pytest.raises(UsageError, match="is no name of an object"):
        names.of_objects("digits", given_name)


@pytest.mark.parametrize("namespace", ["A", "a_b", "-", "a" * 64, ""])
def test_a_namespace_that_is_none_is_refused(namespace):
    names.check_namespace("models-1")
    with pytest.raises(UsageError, match="no name of a namespace"):
        names.check_namespace(namespace)
