"""What a builder of one's own must keep is found out before data is read: each way to break it, and its sentence."""

import random
import sys

import keras
import numpy as np
import pytest
from keras import layers

from configs.errors import UsageError
from keras_models import get
from keras_models.contract import prove

SHAPE = (6, 6, 1)
IMPORTS = "import random\nimport keras\nimport numpy as np\nfrom keras import layers, ops\n\n\n"
BUILDER = """
def make(input_shape, num_classes=3, units=4):
    image = keras.Input(input_shape)
    x = layers.Flatten()(image)
    {body}
    return keras.Model(image, layers.Dense(num_classes)(x))
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes a module of a person's own; returns the record of its builder `make`."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(body="x = layers.Dense(units)(x)", before="", text=BUILDER):
        sys.modules.pop("own_nets", None)
        (tmp_path / "own_nets.py").write_text(IMPORTS + before + text.replace("{body}", body), encoding="utf-8")
        return get("own_nets:make")

    yield write
    sys.modules.pop("own_nets", None)


def refusal(entry, options=None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        prove(entry, {"input_shape": SHAPE}, options or {})
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.message + caught.value.hint
    return caught.value


LAYER = """
class Twice(layers.Layer):
    def __init__(self, factor=2, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return self.factor * x
"""
REGISTERED = LAYER.replace("class", '@keras.saving.register_keras_serializable("own_nets")\nclass')
FORGETFUL = REGISTERED + "\n    def get_config(self):\n        return super().get_config()\n"
WITH_CONFIG = REGISTERED + "\n    def get_config(self):\n        return {**super().get_config(), 'factor': self.factor}\n"


@pytest.mark.parametrize(
    ("body", "before"),
    [
        ("x = layers.Dense(units, activation='relu')(x)", ""),
        ("x = ops.relu(x) + layers.Dropout(0.5)(x)", ""),
        ("x = Twice(3)(x)", WITH_CONFIG),
        ("x = keras.Model(inner := keras.Input((units,)), layers.Dense(2)(inner), name='sub')(layers.Dense(units)(x))", ""),
        ("random.Random(5).random()", ""),
        ("return keras.Model(image, layers.Dense(num_classes, kernel_initializer='zeros')(x))", ""),
        ("return keras.Model(image, ops.log_softmax(layers.Dense(num_classes)(x)))", ""),
    ],
)
def test_what_keeps_the_contract_passes(own, body, before):
    prove(own(body, before), {"input_shape": SHAPE}, {"units": 5})


def test_a_try_leaves_no_trace(own):
    state, policy = random.getstate(), keras.config.dtype_policy()
    prove(own(), {"input_shape": SHAPE}, {})
    assert random.getstate() == state
    assert keras.config.dtype_policy() == policy


@pytest.mark.parametrize(
    ("body", "before", "sentence", "hint"),
    [
        ("x = layers.Lambda(lambda x: 2 * x, name='twice')(x)", "", "its layer twice (Lambda) cannot be stored", "keras.ops"),
        (
            "x = Twice(name='twice')(x)",
            LAYER,
            "its layer twice (Twice) cannot be stored in a .keras file: its class is not",
            "@keras",
        ),
        (
            "x = layers.Dense(2, 'relu', name='d', kernel_initializer=lambda shape, dtype: ops.ones(shape))(x)",
            "",
            "d (Dense) cannot be stored in a .keras file: its kernel_initializer is a Python function that is not registered.",
            'Give a Keras name, or a function or class with @keras.saving.register_keras_serializable("own_nets") before it.',
        ),
        (
            "x = layers.Dense(2, activation=lambda x: 2 * x, name='d')(x)",
            "",
            "layer d (Dense) cannot be stored in a .keras file: its activation is a Python function that is not registered.",
            "Give a Keras name",
        ),
        (
            "x = layers.Dense(2, activation=plain, kernel_regularizer='l2')(x)",
            "def plain(x):\n    return ops.relu(x)\n",
            "(Dense) cannot be stored in a .keras file: its activation is a Python function that is not registered.",
            "@keras",
        ),
        (
            "x = layers.Dense(2, kernel_initializer=Half())(x)",
            "class Half(keras.initializers.Constant):\n    pass\n",
            "(Dense) cannot be stored in a .keras file: its kernel_initializer is of the class Half, which is not registered.",
            "@keras",
        ),
        (
            "x = layers.TimeDistributed(layers.Dense(2, lambda x: 2 * x), name='each')(image); x = layers.Flatten()(x)",
            "",
            "layer each (TimeDistributed) cannot be stored in a .keras file: its layer's activation is a Python function that",
            "@keras",
        ),
        ("x = Twice(3)(x)", FORGETFUL, "loaded from a .keras file, it answers an image differently", "get_config"),
        (
            "x = layers.Dense(2, bias_initializer=keras.initializers.Constant(float('nan')))(x)",
            "",
            "start with values that",
            "init",
        ),
        ("x = ops.log(x - 10)", "", "what it answers for an image of random pixels in 0..1 is not finite numbers", ""),
        ("keras.utils.set_random_seed(1)", "", "its builder sets the seed", "`seed` in the config"),
        ("keras.config.set_dtype_policy('mixed_bfloat16')", "", "its builder changes Keras's dtype policy", "train.precision"),
        ("x = layers.Dense(2, name=f'd{random.random()}')(x)", "", "another network each time, a layer d0.", "Draw nothing"),
        ("x = layers.Dense(random.randint(1, 10**6))(x)", "", "another network each time, weights (36, ", "Draw nothing"),
        ("raise KeyError('a file')", "", "its builder failed with KeyError: 'a file'", "own_nets.py, line 11"),
        ("raise ValueError('units must be even; got 3')", "", "units must be even; got 3", "model.options"),
        (
            "x = layers.Conv2D(2, 9, name='wide')(image)",
            "",
            "an image of 6 x 6 px is too small: its layer wide (Conv2D) leaves nothing of it; the smallest that works is 9 x 9 px",
            "transform.height",
        ),
        (
            "x = layers.MaxPooling2D(3, name='third')(layers.MaxPooling2D(3)(image))",
            "",
            "its layer third (MaxPooling2D) leaves nothing of it; the smallest that works is 9 x 9 px",
            "transform.height",
        ),
        (
            "x = layers.Conv2D(2, 3, name='late')(layers.Reshape((2, 2, 1))(layers.Dense(4)(x)))",
            "",
            "its layer late (Conv2D) leaves nothing of an image of 6 x 6 px.",
            "transform.height",
        ),
        ("return keras.Sequential([image, layers.Flatten(), layers.Dense(3)])", "", "must be functional", "own_nets"),
        (
            "return keras.Model(image, layers.Dense(num_classes, activation='softmax')(x))",
            "",
            "Model own_nets:make: it answers with probabilities, not with logits.",
            "Leave out the softmax at its end. Its builder is in own_nets.",
        ),
        ("return 'a model'", "", "must return a keras.Model; it returned str", "own_nets"),
        ("return None", "", "must return a keras.Model; it returned NoneType", "own_nets"),
        ("num_classes = 7", "", "the output's shape must be (3,), a logit for each class; it is (7,)", "own_nets"),
    ],
)
def test_what_breaks_it_is_refused_with_the_reason(own, body, before, sentence, hint):
    error = refusal(own(body, before))
    assert error.message.startswith("Model own_nets:make: ")
    assert sentence in error.message
    assert hint in error.hint
    assert "config" not in error.message


def test_a_layer_that_fails_on_an_image_is_named_by_its_error(own):
    fails = WITH_CONFIG.replace("return self.factor * x", "return ops.reshape(x, (-1, 5)) if x.shape[0] else x")
    said = refusal(own("x = Twice(3)(x)", fails)).message
    assert "it fails on an image: " in said
    assert "reshape" in said.lower()
    assert said.isprintable()


def test_a_builder_without_a_number_of_classes_is_asked_for_some(own):
    text = BUILDER.replace("num_classes=3", "num_classes")
    prove(own(text=text), {"input_shape": SHAPE}, {})
    error = refusal(own("if num_classes != 2:\n        raise ValueError('two classes only')", text=text))
    assert error.hint.endswith("in place of the data's: give num_classes a default to be asked for it.")


def test_a_builder_of_another_task_gets_what_it_names(own):
    text = (
        "from keras_models import register\n"
        "@register('own_counter', task='counting', params=None, tiny={}, paper='', year=2026)\n"
        "def make(input_shape, **options):\n"
        "    assert not options\n"
        "    image = keras.Input(input_shape)\n"
        "    return keras.Model(image, layers.Dense(1)(layers.Flatten()(image)))\n"
    )
    try:
        prove(own(text=text), {"input_shape": SHAPE}, {})
    finally:
        from keras_models.record import ENTRIES

        ENTRIES.pop("own_counter", None)


@pytest.mark.parametrize(
    ("name", "shape", "options", "sentence"),
    [
        ("lenet5", (8, 8, 1), {}, "c3 leaves nothing of it; the smallest that works is 16 x 16 px"),
        (
            "vgg_d",
            (28, 28, 1),
            {},
            "pool5 leaves nothing of it; the smallest that works is 32 x 32 px, and stem small takes smaller",
        ),
        ("resnet18", (64, 64, 3), {"shortcut": "D"}, "shortcut must be A or B or C or none; got 'D'"),
        ("alexnet", (64, 64, 3), {"variant": "three_groups"}, "variant must be two_groups or ungrouped or one_tower; got 'three"),
        ("vgg_e", (224, 224, 3), {"bach_norm": True}, "has no option 'bach_norm'; did you mean 'batch_norm'?"),
    ],
)
def test_a_shipped_network_is_tried_without_its_weights(name, shape, options, sentence):
    with pytest.raises(UsageError) as caught:
        prove(get(name), {"input_shape": shape}, options)
    assert sentence in caught.value.message


def test_trying_a_large_network_allocates_nothing(monkeypatch):
    monkeypatch.setattr(keras.Variable, "_initialize", lambda *_: pytest.fail("a weight got its values"))
    prove(get("vgg_e"), {"input_shape": (224, 224, 3)}, {})


def test_weights_of_a_model_that_passes_are_drawn_anew(own):
    """Trying draws from Python's random numbers, and gives them back."""
    keras.utils.set_random_seed(3)
    expected = layers.Dense(2)
    expected.build((None, 4))
    keras.utils.set_random_seed(3)
    prove(own(), {"input_shape": SHAPE}, {})
    layer = layers.Dense(2)
    layer.build((None, 4))
    np.testing.assert_array_equal(expected.get_weights()[0], layer.get_weights()[0])
