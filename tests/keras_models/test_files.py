"""Why a file cannot be loaded is said by what is in it, not by what Keras wraps around that."""

import json
import sys
import warnings
import zipfile

import keras
import pytest
from keras import layers, ops

from configs.errors import UsageError
from keras_models import files


class Twice(layers.Layer):
    def call(self, x):
        return 2 * x


class Threes(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return 3 * ops.ones(shape, dtype)


def squared(x):
    return ops.square(x)


def inside():
    code = keras.Input((3,))
    return keras.Model(code, Twice()(code), name="net")


def refusal(file) -> UsageError:
    with pytest.raises(UsageError) as caught, files.readable("The file", "Build it."):
        keras.saving.load_model(file, compile=False)
    assert "\n" not in caught.value.message
    assert "config=" not in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("layer", "words", "hint"),
    [
        (Twice, "it uses the class Twice, which is not known here", files.OWN),
        (inside, "it uses the class Twice, which is not known here", files.OWN),
        (lambda: layers.Dense(2, kernel_initializer=Threes()), "it uses the class Threes, which is not known here", files.OWN),
        (lambda: layers.Dense(2, activation=squared), "it uses the function squared, which is not known here", files.OWN),
        (lambda: layers.Lambda(squared), "it uses the function squared, which is not known here", files.OWN),
        (
            lambda: layers.Lambda(lambda x: 2 * x),
            "it holds a Python function (in a Lambda layer), which is not read from a file, for safety",
            files.FUNCTION,
        ),
        (
            lambda: layers.Dense(2, activation=lambda x: 2 * x),
            "it holds a Python function (activation), which is not read from a file, for safety",
            files.FUNCTION,
        ),
        (
            lambda: layers.Dense(2, kernel_regularizer=lambda kernel: ops.sum(kernel)),
            "it holds a Python function (regularizer), which is not read from a file, for safety",
            files.FUNCTION,
        ),
        (
            lambda: layers.Dense(2, kernel_initializer=lambda shape, dtype: ops.ones(shape)),
            "it holds a Python function (initializer), which is not read from a file, for safety",
            files.FUNCTION,
        ),
    ],
)
def test_what_is_a_person_s_own_is_named(tmp_path, layer, words, hint):
    image = keras.Input((3,))
    with warnings.catch_warnings(action="ignore"):  # Keras warns of lambdas
        keras.Model(image, layer()(image)).save(tmp_path / "a.keras")
    error = refusal(tmp_path / "a.keras")
    assert error.message == f"The file cannot be loaded: {words}."
    assert error.hint == (f"{hint} Build it." if hint == files.OWN else hint)


def rewritten(folder, **changes):
    """A file whose only layer Keras is told to look for elsewhere."""
    keras.Sequential([keras.Input((3,)), layers.Dense(2)]).save(folder / "a.keras")
    with zipfile.ZipFile(folder / "a.keras") as whole, zipfile.ZipFile(folder / "b.keras", "w") as changed:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "config.json":
                tree = json.loads(content)
                tree["config"]["layers"][1].update(changes)
                content = json.dumps(tree)
            changed.writestr(name, content)
    return folder / "b.keras"


def test_nothing_that_a_file_names_is_imported(tmp_path, monkeypatch):
    (tmp_path / "named_by_a_file.py").write_text("raise AssertionError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    file = rewritten(tmp_path, module="named_by_a_file", class_name="A\nB", registered_name="A\nB")
    assert refusal(file).message == "The file cannot be loaded: it uses the class A?B, which is not known here."
    assert "named_by_a_file" not in sys.modules


def test_a_package_that_is_not_there_is_named(tmp_path):
    file = rewritten(tmp_path, module="keras_hub.layers", class_name="Rotary", registered_name="Rotary")
    assert "it uses Rotary of keras_hub.layers, which is not installed" in refusal(file).message


def test_of_anything_else_the_first_cause_is_said(tmp_path):
    file = rewritten(tmp_path, config={"units": -3})
    error = refusal(file)
    assert "Received an invalid value for `units`, expected a positive integer" in error.message
    assert error.hint == files.OTHER


def test_what_we_say_ourselves_stays_as_it_is():
    with pytest.raises(UsageError, match="Ours"), files.readable("The file", ""):
        raise UsageError("Ours")
