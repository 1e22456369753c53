"""Every shipped builder: the smallest image that its refusal names is the smallest that works, and wrong options are refused."""

import inspect
import itertools
import math
import re

import pytest

from configs.errors import UsageError
from keras_models import build, catalog, get
from keras_models.parameters import without_weights

BUILDERS = {get(name).build: name for name in reversed(catalog())}  # names of one builder differ in depth and maps alone
once = pytest.mark.parametrize("name", sorted(BUILDERS.values()))
AUTOENCODERS = {record.name for record in catalog().values() if record.task.startswith("reconstruction")}
ANY_SIZE = AUTOENCODERS | {"encoder_decoder", "ensemble", "fcn16s", "mlp", "plain110", "plain18", "segnet", "st_mlp"}
VARIED = {"stem": ("imagenet", "small"), "pooling": ("max", "overlapping"), "localisation_filters": ((4, 4), (4, 4, 4))}
TOO_SMALL = re.compile(
    r"^Model \w+: an image of 1 x 1 px is too small: \w+ leaves nothing of it; the smallest that works is (\d+) x \1 px"
)
MAY_BE_NONE = {"deviation", "k", "transform"}  # learned; as many as the rate says; the network without its spatial transformer
WRONG = ("nonsense", "", -1, math.nan, None, {"a": 1}, [[1]])


def parameters(name):
    return inspect.signature(get(name).build).parameters


def refused(name, height, width, options) -> str | None:
    """The sentence, or None where it builds."""
    classes = {"num_classes": 2} if "num_classes" in parameters(name) else {}
    try:
        with without_weights():
            build(name, {"input_shape": (height, width, 1), **classes}, options)
    except UsageError as error:
        return error.message
    return None


def variants():
    for name in sorted(BUILDERS.values()):
        known = {key: values for key, values in VARIED.items() if key in parameters(name) and key not in get(name).options}
        if name in ("conv_autoencoder", "encoder_decoder", "hand_made_filters"):  # their regions never overlap
            known["pooling"] = ("max",)
        if name == "pca":  # there are no more components than pixels
            known["code_size"] = (1,)
        for values in itertools.product(*known.values()):
            yield name, dict(zip(known, values, strict=True))


@pytest.mark.parametrize(("name", "options"), variants(), ids=str)
def test_the_smallest_image_that_is_named_works_and_a_smaller_one_does_not(name, options):
    said = refused(name, 1, 1, options)
    if said is None:
        padded = options.get("stem") == "small" or options.get("pooling") == "overlapping"
        assert name in ANY_SIZE or (name.startswith("vgg") and padded)
        return
    least = int(TOO_SMALL.search(said)[1])
    assert refused(name, least, least, options) is None
    assert refused(name, least - 1, least, options)
    assert refused(name, least, least - 1, options)


@pytest.mark.parametrize("name", [name for name in catalog() if BUILDERS[get(name).build] not in ANY_SIZE])
def test_each_name_says_what_would_be_enough(name):
    assert TOO_SMALL.search(refused(name, 1, 1, {}))


@once
def test_a_wrong_value_of_an_option_is_named_with_the_rule(name):
    entry = get(name)
    side = entry.tiny["input_shape"][0]
    plain = {key: value for key, value in entry.tiny.items() if key not in ("input_shape", "num_classes", *entry.options)}
    for option, parameter in parameters(name).items():
        if option in ("input_shape", "num_classes", "members", *entry.options):  # members are no option of a config
            continue
        wrong = WRONG if isinstance(parameter.default, bool) else (*WRONG, True)
        if option in MAY_BE_NONE:
            wrong = [value for value in wrong if value is not None]
        for value in wrong:
            said = refused(name, side, side, {**plain, option: value})
            assert said, f"{option}={value!r}"
            assert f"{option} must be" in said
            assert f"got {value!r}" in said
