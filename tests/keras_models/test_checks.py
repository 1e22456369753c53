"""The sentences that builders refuse bad values with."""

import numpy as np
import pytest

from keras_models import checks


def test_good_values_come_back_plain():
    assert checks.need_image([np.int64(5), 4, 3]) == (5, 4, 3)
    assert checks.need_count("code_size", np.int32(2)) == 2
    assert checks.need_counts("hidden", [3, 4]) == (3, 4)
    assert checks.need_counts("hidden", ()) == ()
    assert checks.need_choice("pooling", "max", ("average", "max")) == "max"
    assert checks.need_activation("elu") == "elu"
    assert checks.need_flag("lrn", False) is False
    assert checks.need_share("dropout", 0) == 0
    assert checks.need_positive("width", np.float32(0.5)) == 0.5


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 0), (5, 4.0, 1), (5, None, 1), 5, "541", (True, 4, 1)])
def test_need_image_names_the_rule(shape):
    with pytest.raises(ValueError, match=r"^input_shape must be \(height, width, channels\), whole numbers from 1; got "):
        checks.need_image(shape)


def test_need_image_names_the_least_side():
    with pytest.raises(ValueError, match=r"^height and width must be at least 16 px; got 20 x 15$"):
        checks.need_image((20, 15, 1), 16)


@pytest.mark.parametrize("value", [1, 2.0, "3", None, True])
def test_need_count(value):
    with pytest.raises(ValueError, match=r"^num_classes must be a whole number of at least 2; got "):
        checks.need_count("num_classes", value, 2)


def test_need_counts():
    with pytest.raises(ValueError, match=r"^hidden must be a list of whole numbers from 1; got \[0\]$"):
        checks.need_counts("hidden", [0])
    with pytest.raises(ValueError, match=r"^filters must be a list of whole numbers from 1 with at least 1 of them; got \(\)$"):
        checks.need_counts("filters", (), 1)
    with pytest.raises(ValueError, match=r"^hidden must be a list of whole numbers from 1; got 16$"):
        checks.need_counts("hidden", 16)


def test_need_choice():
    with pytest.raises(ValueError, match=r"^pooling must be average or max; got 'sum'$"):
        checks.need_choice("pooling", "sum", ("average", "max"))


@pytest.mark.parametrize("value", ["rleu", 3, None, abs])
def test_need_activation(value):
    with pytest.raises(ValueError, match=r"^activation must be the name of a Keras activation, such as relu, tanh or elu; got "):
        checks.need_activation(value)


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_need_flag(value):
    with pytest.raises(ValueError, match=r"^lrn must be true or false; got "):
        checks.need_flag("lrn", value)


@pytest.mark.parametrize("value", [1, -0.1, float("nan"), "0.5", True, None])
def test_need_share(value):
    with pytest.raises(ValueError, match=r"^dropout must be a number from 0 to below 1; got "):
        checks.need_share("dropout", value)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "1", True, None])
def test_need_positive(value):
    with pytest.raises(ValueError, match=r"^width must be a number above 0; got "):
        checks.need_positive("width", value)
