"""What the pipeline can use of what a builder returned, and why a builder of one's own could return nothing."""

import contextlib
import inspect
import random
import time
import traceback
from collections.abc import Iterator, Mapping

import keras

from configs.errors import UsageError
from keras_models.parameters import without_weights
from keras_models.record import CODED_IMAGE, IMAGE, LOGITS, PIXEL_LOGITS, ModelEntry

CLASSES = 10  # that stand in for the data's, where a builder has no number by default
NOTHING_LEFT = "Computed output size would be zero or negative"  # what Keras says of a convolution or pooling without a place
LARGEST = 1_024  # px, the largest side that is tried
PATIENCE = 5.0  # seconds, to find the smallest side


def check(entry: ModelEntry, model, of_data: Mapping, dtype: str = "float32") -> None:
    """Raise UsageError for a model that the pipeline could not use.

    Args:
        model: what the builder returned.
        of_data: as `building.build` has them; what is not among them is not compared.
        dtype: of what the model will get: floating-point numbers of any size, or exactly these whole ones.
    """
    if not isinstance(model, keras.Model):
        raise broken(entry, f"the builder must return a keras.Model; it returned {type(model).__name__}")
    if isinstance(model, keras.Sequential) or not getattr(model, "inputs", None):
        raise broken(
            entry, "the model must be functional (keras.Model(inputs, outputs)), so that its layers are known without data"
        )
    if model.compiled:
        raise broken(entry, "the model must be uncompiled: loss and optimizer are the config's", "Leave out compile().")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise broken(entry, f"the model must have one input and one output; it has {len(model.inputs)} and {len(model.outputs)}")
    takes = tuple(model.inputs[0].shape[1:])
    if takes != of_data.get("input_shape", takes):
        hint = "" if has_argument(entry, "input_shape") else "Give the builder a parameter input_shape: (height, width, channels)."
        raise broken(entry, f"the input's shape must be {of_data['input_shape']}, as the data has it; it is {takes}", hint)
    is_float = keras.backend.is_float_dtype(dtype)
    if not is_float and model.inputs[0].dtype != dtype:
        raise broken(entry, f"the input must be {dtype}, as what it reads; it is {model.inputs[0].dtype}")
    for what, tensor in (("input", model.inputs[0]), ("output", model.outputs[0]))[0 if is_float else 1 :]:
        if not keras.backend.is_float_dtype(tensor.dtype):
            raise broken(entry, f"the {what} must be floating-point numbers; it is {tensor.dtype}")
    if entry.output is not None and entry.output not in OUTPUTS:
        raise broken(entry, f"there is no kind of output {entry.output!r}", f"There are: {', '.join(OUTPUTS)}.")
    if entry.output is not None:
        OUTPUTS[entry.output](entry, model, of_data)


def _has_logits(entry: ModelEntry, model: keras.Model, of_data: Mapping) -> None:
    wanted, gives = (of_data.get("num_classes"),), tuple(model.outputs[0].shape[1:])
    if "num_classes" in of_data and gives != wanted:
        hint = "" if has_argument(entry, "num_classes") else "Give the builder a parameter num_classes."
        raise broken(entry, f"the output's shape must be {wanted}, a logit for each class; it is {gives}", hint)


def _has_an_image(entry: ModelEntry, model: keras.Model, of_data: Mapping) -> None:
    takes, gives = tuple(model.inputs[0].shape[1:]), tuple(model.outputs[0].shape[1:])
    if gives != takes:
        raise broken(entry, f"a reconstruction must have the input's shape {takes}; it is {gives}")


def _has_a_coded_image(entry: ModelEntry, model: keras.Model, of_data: Mapping) -> None:
    _has_an_image(entry, model, of_data)
    parts = {layer.name for layer in model.layers if isinstance(layer, keras.Model)}
    if absent := [part for part in ("encoder", "decoder") if part not in parts]:
        names = " and ".join(absent)
        raise broken(entry, f"a reconstruction model must hold sub-models named encoder and decoder; {names} not found")


def _has_pixel_logits(entry: ModelEntry, model: keras.Model, of_data: Mapping) -> None:
    takes, gives, classes = tuple(model.inputs[0].shape[1:3]), tuple(model.outputs[0].shape[1:]), of_data.get("num_classes")
    if len(gives) != 3 or classes not in (None, gives[2]):
        hint = "" if has_argument(entry, "num_classes") else "Give the builder a parameter num_classes."
        raise broken(
            entry,
            f"the output's shape must be (height, width, {classes or 'classes'}), a logit for each class; it is {gives}",
            hint,
        )
    if any(whole is None or not 0 < part <= whole or (whole - part) % 2 for whole, part in zip(takes, gives, strict=False)):
        raise broken(entry, f"the output must lie in the middle of the input, {takes}, as large or smaller; it is {gives[:2]}")


# kind of output -> what raises UsageError for a model that does not give it: a logit for each class, [N, num_classes]; an image of
# the input's shape; such an image by way of a code, through sub-models `encoder` and `decoder`; a logit for each class and place,
# [N, height, width, num_classes], of the input's size or of its middle
OUTPUTS = {LOGITS: _has_logits, IMAGE: _has_an_image, CODED_IMAGE: _has_a_coded_image, PIXEL_LOGITS: _has_pixel_logits}


def lack_of_room(entry: ModelEntry, given: Mapping, error: ValueError) -> str | None:
    """What to say of a builder of one's own that failed because an image is too small: the layer that leaves nothing of it and,
    where building without weights finds it in seconds, the smallest that works. None for any other failure.

    Args:
        given: the builder's arguments; without input_shape it took its default.
    """
    shape = given.get("input_shape", entry.input_shape)
    if NOTHING_LEFT not in str(error) or len(shape or ()) != 3:
        return None
    height, width, channels = shape

    def tried(*sides):
        with untouched(), without_weights():
            entry.build(**{**given, "input_shape": (*sides, channels)})

    layer = _layer_of(lambda: tried(height, width))
    if layer is None:
        return None
    named, size = f"its layer {layer.name} ({type(layer).__name__})", f"an image of {height} x {width} px"
    least = _least(lambda side: tried(side, side), max(height, width))
    if least is None:
        return f"{named} leaves nothing of {size}"
    return f"{size} is too small: {named} leaves nothing of it; the smallest that works is {least} x {least} px"


def _layer_of(call) -> keras.layers.Layer | None:
    """The layer in which a call fails."""
    filtering = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()  # Keras leaves its own frames out
    try:
        call()
    except Exception as error:  # whatever else a builder raises without weights
        frames = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__)]
        return next((layer for layer in reversed(frames) if isinstance(layer, keras.layers.Layer)), None)
    finally:
        if filtering:
            keras.config.enable_traceback_filtering()
    return None


def _least(call, side: int) -> int | None:
    """The smallest side, px, for which a call succeeds, from one for which it may fail; None if it is not found in time."""
    end = time.monotonic() + PATIENCE

    def works(side):
        with contextlib.suppress(Exception):
            call(side)
            return True
        return False

    while not works(side):
        side *= 2
        if side > LARGEST or time.monotonic() > end:
            return None
    under, enough = 0, side
    while enough - under > 1:
        if time.monotonic() > end:
            return None
        middle = (under + enough) // 2
        under, enough = (under, middle) if works(middle) else (middle, enough)
    return enough


@contextlib.contextmanager
def untouched() -> Iterator[None]:
    """Python's random numbers, from which Keras draws the seeds of initializers, and the dtype policy are afterwards as before."""
    state, policy = random.getstate(), keras.config.dtype_policy()
    try:
        yield
    finally:
        random.setstate(state)
        keras.config.set_dtype_policy(policy)


def broken(entry: ModelEntry, what: str, hint: str = "") -> UsageError:
    """The error of a model that breaks the contract, as a sentence part."""
    return UsageError(f"Model {entry.name}: {what}.", f"{hint} Its builder is in {entry.module}.".strip())


def has_argument(entry: ModelEntry, name: str) -> bool:
    """Whether the builder has a parameter of that name, or takes any."""
    parameters = inspect.signature(entry.build).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
