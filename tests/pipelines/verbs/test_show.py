"""`hubel show` without its process: names, files, sizes, what is refused, and what is printed."""

import functools
import io
import json
import os
import re
import subprocess
import sys
import zipfile

import keras
import pytest
from keras import layers
from rich.console import Console

from configs.errors import UsageError
from pipelines.command_line import commands, console, show_view
from pipelines.verbs.show import show
from tests.docs.pages import ROOT


class Twice(layers.Layer):
    def call(self, x):
        return 2 * x


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, shape in (("fixed", (8, 8, 3)), ("open", (None, None, 3))):
        image = keras.Input(shape, name="image")
        maps = layers.Conv2D(4, 3, padding="same", name="conv")(image)
        keras.Model(image, layers.Dense(2, name="end")(layers.GlobalAveragePooling2D()(maps))).save(folder / f"{name}.keras")
    (folder / "text.keras").write_text("no model")
    with zipfile.ZipFile(folder / "zip.keras", "w") as archive:
        archive.writestr("a", "b")
    with pytest.warns(UserWarning, match="not yet been built"):
        keras.Sequential([layers.Dense(2)], name="unbuilt").save(folder / "unbuilt.keras")
    keras.Model(image, Twice()(image)).save(folder / "own.keras")
    return folder


def test_a_file_is_counted_as_it_is(files):
    value = show(str(files / "fixed.keras"), None, None)
    assert (value["architecture"], value["input"], value["params"]) == ("fixed", [8, 8, 3], 122)
    assert value["multiply_adds"] == 8 * 8 * 4 * 27 + 8


def test_what_is_frozen_is_counted_by_itself(files, tmp_path, capsys):
    model = keras.saving.load_model(files / "fixed.keras")
    model.get_layer("conv").trainable = False
    model.save(tmp_path / "half.keras")
    value = show(str(tmp_path / "half.keras"), None, None)
    assert (value["params"], value["frozen"]) == (10, 112)
    assert show(str(files / "fixed.keras"), None, None)["frozen"] == 0
    show_view.terminal(value)
    assert "half: input 8x8x3, 10 trainable parameters, 112 frozen" in capsys.readouterr().out


def test_sides_that_a_file_leaves_open_can_be_given(files):
    unknown = show(str(files / "open.keras"), None, None)
    assert unknown["input"] == [None, None, 3]
    assert "conv" in unknown["uncounted"]
    value = show(str(files / "open.keras"), "20x30X3", None)
    assert (value["input"], value["uncounted"], value["params"]) == ([20, 30, 3], [], 122)
    assert value["multiply_adds"] == 20 * 30 * 4 * 27 + 8


@pytest.mark.parametrize(
    ("file", "shape", "classes", "sentence"),
    [
        ("missing", None, None, "There is no file "),
        ("text", None, None, "is no .keras file."),
        ("zip", None, None, "cannot be loaded: "),
        ("own", None, None, "own.keras cannot be loaded: it uses the class Twice, which is not known here."),
        ("unbuilt", None, None, "the model must be functional"),
        ("fixed", "9x9x3", None, "takes images of 8x8x3, not of 9x9x3."),
        ("open", "9x9x1", None, "takes images of ?x?x3, not of 9x9x1."),
        ("fixed", None, 3, "the number of classes that it was trained with"),
        ("fixed", "8x8", None, "is not HEIGHTxWIDTHxCHANNELS."),
        ("fixed", "8x8x\u00b2", None, "is not HEIGHTxWIDTHxCHANNELS."),
        ("fixed", "0x8x3", None, "is not HEIGHTxWIDTHxCHANNELS."),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(files, file, shape, classes, sentence):
    with pytest.raises(UsageError) as caught:
        show(str(files / f"{file}.keras"), shape, classes)
    assert sentence in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_builder_that_sets_its_weights_is_counted_too(tmp_path, monkeypatch):
    (tmp_path / "own_filters.py").write_text(
        "import keras, numpy as np\n"
        "def edges(input_shape=(6, 6, 1), num_classes=2):\n"
        "    image = keras.Input(input_shape)\n"
        "    conv = keras.layers.Conv2D(1, 3, use_bias=False)\n"
        "    maps = conv(image)\n"
        "    conv.set_weights([np.ones(conv.kernel.shape)])\n"
        "    assert conv.get_weights()[0].sum() == 9\n"
        "    return keras.Model(image, keras.layers.Dense(num_classes)(keras.layers.Flatten()(maps)))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert show("own_filters:edges", None, 3)["params"] == 9 + 16 * 3 + 3


def test_a_builder_without_a_size_is_asked_for_one(tmp_path, monkeypatch):
    (tmp_path / "own_sizeless.py").write_text("def make(input_shape, num_classes):\n    raise ValueError('no')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for given, hint in (((None, None), "--input 32x32x3"), (("8x8x1", None), "--classes 10"), (("8x8x1", 2), "another --input")):
        with pytest.raises(UsageError) as caught:
            show("own_sizeless:make", *given)
        assert hint in caught.value.hint


def test_options_are_those_of_a_config():
    assert show("vgg_a", "28x28x1", 10, {"stem": "small", "width": 0.125})["input"] == [28, 28, 1]
    with pytest.raises(UsageError) as caught:
        show("vgg_a", "28x28x1", 10, {"stem": "smal"})
    assert (caught.value.message, "--set model.options" in caught.value.hint) == (
        "Model vgg_a: stem must be imagenet or small; got 'smal'.",
        True,
    )
    with pytest.raises(UsageError, match=r"has no option 'stm'; did you mean 'stem'\?") as caught:
        show("vgg_a", None, None, {"stm": "small"})
    assert caught.value.hint.startswith("Its options: ")


def test_a_file_has_no_options(files):
    with pytest.raises(UsageError, match="has the options that it was built with"):
        show(str(files / "fixed.keras"), None, None, {"stem": "small"})


@pytest.mark.parametrize("assignment", ["train.epochs=3", "model.name=mlp", "model=mlp", "model.options=3"])
def test_nothing_but_options_can_be_set(assignment, capsys):
    assert commands.run(["show", "vgg_a", "--set", assignment]) == UsageError.exit_code
    assert "options of the model alone" in capsys.readouterr().err


def test_the_command_finds_a_builder_in_the_folder_where_it_is_started(tmp_path):
    (tmp_path / "own_here.py").write_text(
        "import keras\n"
        "def net(input_shape=(4, 4, 1), num_classes=2, *, units):\n"
        "    image = keras.Input(input_shape)\n"
        "    x = keras.layers.Dense(units)(keras.layers.Flatten()(image))\n"
        "    return keras.Model(image, keras.layers.Dense(num_classes)(x))\n"
    )
    command = [
        sys.executable,
        "-P",
        "-m",
        "pipelines.command_line.cli",
        "show",
        "own_here:net",
        "--set",
        "model.options.units=3",
        "--json",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # -P and another folder: nothing of one's own is on the path by itself
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["params"] == 16 * 3 + 3 + 3 * 2 + 2


def test_a_default_size_that_is_too_small_is_answered_with_the_smallest(tmp_path, monkeypatch):
    (tmp_path / "own_wide.py").write_text(
        "import keras\n"
        "def make(input_shape=(8, 6, 1), num_classes=2):\n"
        "    image = keras.Input(input_shape)\n"
        "    maps = keras.layers.Conv2D(1, 9, name='wide')(image)\n"
        "    return keras.Model(image, keras.layers.Dense(num_classes)(keras.layers.Flatten()(maps)))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError) as caught:
        show("own_wide:make", None, None)
    small = "an image of 8 x 6 px is too small: its layer wide (Conv2D) leaves nothing of it; the smallest that works is 9 x 9 px."
    assert caught.value.message == f"Model own_wide:make: {small}"
    assert "another --input" in caught.value.hint


# what is printed


@pytest.fixture(scope="module")
def shown():
    return show("conv_autoencoder", None, None)


def test_show_has_the_keys_of_the_contract(shown):
    contract = {"architecture", "input", "params", "multiply_adds", "receptive_field", "layers"}
    sums = {"frozen", "unshared_weights", "dense_weights", "activation_bytes", "uncounted"}
    assert set(shown) == contract | sums
    assert {"name", "type", "output", "params", "multiply_adds", "receptive_field"} <= set(shown["layers"][0])
    assert shown["receptive_field"] == shown["layers"][-1]["receptive_field"]


def test_show_adds_up_what_layers_cost(shown):
    for what in ("params", "multiply_adds", "unshared_weights", "dense_weights", "activation_bytes"):
        assert shown[what] == sum(layer[what] for layer in shown["layers"])
    assert shown["uncounted"] == []
    assert shown["layers"][1] == {
        "name": "encoder/down1",
        "type": "Conv2D",
        "output": [14, 14, 16],
        "params": 160,
        "multiply_adds": 28_224,
        "unshared_weights": 28_224,
        "dense_weights": 28 * 28 * 14 * 14 * 16,
        "receptive_field": [3, 3],
        "stride": [2, 2],
        "offset": [0, 0],
        "activation_bytes": 12_544,
    }


def test_show_fits_a_terminal_of_100_columns(shown, monkeypatch):
    out = io.StringIO()
    narrow = functools.partial(Console, file=out, force_terminal=True, color_system=None, width=100)
    monkeypatch.setattr(console, "Console", narrow)
    wide = {**shown["layers"][1], "name": "net/encoder/stage4_block23_conv2", "output": [224, 224, 2048], "params": 102_764_544}
    show_view.terminal({**shown, "layers": [*shown["layers"], wide, {**wide, "stride": None, "offset": None}]})
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert any(re.search(r"224x224x2048 +102,764,544 +28.2k +2.46M +3 +2 +0 +12.2Ki", line) for line in lines)


def test_show_prints_a_table_for_github(shown, capsys, monkeypatch):
    monkeypatch.setattr(commands, "quietly", lambda request: shown)
    assert commands.run(["show", "conv_autoencoder", "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(shown["layers"])
    assert {line.count("|") for line in table} == {12}
    assert "| `encoder/down1` | Conv2D | 14x14x16 | 160 | 28,224 | 28,224 | 2,458,624 | 3 | 2 | 0 | 12,544 |" in table
    assert "- 1,144,640 multiply-adds for one image, 104KiB of activations" in lines
    assert f"- a value of the output sees {'x'.join(map(str, shown['receptive_field']))} px of the image" in lines


def test_what_is_not_known_is_said(shown, capsys):
    unknown = {**shown["layers"][1], "multiply_adds": None, "receptive_field": None, "stride": None, "offset": None}
    show_view.terminal({**shown, "receptive_field": None, "layers": [unknown], "uncounted": ["a", "b", "c", "d"]})
    out = capsys.readouterr().out
    assert re.search(r"encoder/down1 .* \? +2.46M +\? ", out)
    assert "a value of the output sees ? px of the image" in out
    assert "not in these sums, because hubel does not know them or their sides: a, b, c and 1 more" in out
