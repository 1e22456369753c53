"""What a model promises, whoever built it: the pipeline normalises, trains, saves, exports and loads it without knowing it.

`keep` looks at what a builder returned, at every build. `prove` tries a builder before any data is read; one of a person's own is
also built twice, run, saved and loaded back, which those that ship are in tests.
"""

import contextlib
import inspect
import random
import re
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from configs.errors import UsageError
from keras_models import files, registry
from keras_models.arithmetic import without_weights
from keras_models.registry import CLASSIFICATION, RECONSTRUCTION, ModelEntry

CLASSES = 10  # that stand in for the data's, where a builder has no number by default
NOTHING_LEFT = "Computed output size would be zero or negative"  # what Keras says of a convolution or pooling without a place
LARGEST = 1_024  # px, the largest side that is tried
PATIENCE = 5.0  # seconds, to find the smallest side
IMAGES = 4  # random ones, that an own model is tried with
SUM = 1e-3  # how near to 1 probabilities sum up, in float16 too
TOLERANCE = 1e-5  # of what a loaded model answers: on an accelerator sums come in any order


def keep(entry: ModelEntry, model, facts: Mapping) -> None:
    """Raise UsageError for a model that the pipeline could not use.

    Args:
        model: what the builder returned.
        facts: as `registry.build` has them; what is not among them is not compared.
    """
    if not isinstance(model, keras.Model):
        raise _broken(entry, f"the builder must return a keras.Model; it returned {type(model).__name__}")
    if isinstance(model, keras.Sequential) or not getattr(model, "inputs", None):
        raise _broken(
            entry, "the model must be functional (keras.Model(inputs, outputs)), so that its layers are known without data"
        )
    if model.compiled:
        raise _broken(entry, "the model must be uncompiled: loss and optimizer are the config's", "Leave out compile().")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise _broken(entry, f"the model must have one input and one output; it has {len(model.inputs)} and {len(model.outputs)}")
    takes, gives = tuple(model.inputs[0].shape[1:]), tuple(model.outputs[0].shape[1:])
    if takes != facts.get("input_shape", takes):
        hint = "" if _takes(entry, "input_shape") else "Give the builder a parameter input_shape: (height, width, channels)."
        raise _broken(entry, f"the input's shape must be {facts['input_shape']}, as the data has it; it is {takes}", hint)
    for what, tensor in (("input", model.inputs[0]), ("output", model.outputs[0])):
        if not keras.backend.is_float_dtype(tensor.dtype):
            raise _broken(entry, f"the {what} must be floating-point numbers; it is {tensor.dtype}")
    if entry.task == CLASSIFICATION and "num_classes" in facts and gives != (facts["num_classes"],):
        hint = "" if _takes(entry, "num_classes") else "Give the builder a parameter num_classes."
        raise _broken(entry, f"the output's shape must be {(facts['num_classes'],)}, a logit for each class; it is {gives}", hint)
    if entry.task.partition(".")[0] == RECONSTRUCTION:
        if gives != takes:
            raise _broken(entry, f"a reconstruction must have the input's shape {takes}; it is {gives}")
        parts = {layer.name for layer in model.layers if isinstance(layer, keras.Model)}
        if absent := [part for part in ("encoder", "decoder") if part not in parts]:
            names = " and ".join(absent)
            raise _broken(entry, f"a reconstruction model must hold sub-models named encoder and decoder; {names} not found")


def prove(entry: ModelEntry, input_shape: Sequence[int], options: Mapping) -> None:
    """Try what a config asks for, without data: seconds at most for a network that trains in minutes.

    Classes are not known yet: there are as many as the builder has by default, else CLASSES.

    Args:
        input_shape: (height px, width px, channels) that the data will have.
        options: the config's model.options.

    Raises:
        UsageError: as `registry.build` does, or for a builder of one's own that sets seeds or Keras's dtype policy or builds
            something else each time, or whose model has weights that are no numbers, cannot answer an image, answers with
            probabilities where logits are wanted, or does not come back from a .keras file as it was.
    """
    facts = {"input_shape": tuple(input_shape)}
    if entry.task == CLASSIFICATION or "num_classes" in inspect.signature(entry.build).parameters:
        facts["num_classes"] = _classes(entry) or CLASSES
    if entry.is_shipped:
        with without_weights():
            registry.build(entry, facts, options)
        return
    with _untouched():
        try:
            first, second = _twice(entry, facts, options)
        except UsageError as error:
            if not _takes(entry, "num_classes") or _classes(entry) or not isinstance(error.__cause__, ValueError):
                raise
            stand_in = f"It was asked for {CLASSES} classes, in place of the data's: give num_classes a default to be asked for it."
            raise UsageError(error.message, f"{error.hint} {stand_in}") from error
        _repeats(entry, first, second)
        if not all(np.isfinite(weight).all() for weight in first.get_weights()):
            raise _broken(entry, "its weights start with values that are not finite numbers", "Look at its initializers.")
        model = keras.Model(first.inputs, first.outputs, name=first.name)  # of that class it is stored
        images = np.random.default_rng(0).random((IMAGES, *input_shape), dtype="float32")
        answers = _answer(entry, model, images)
        if entry.task == CLASSIFICATION:
            _are_logits(entry, answers)
        _comes_back(entry, model, images, answers)


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
        with _untouched(), without_weights():
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
        return next((one for one in reversed(frames) if isinstance(one, keras.layers.Layer)), None)
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
def _untouched() -> Iterator[None]:
    """Python's random numbers, from which Keras draws the seeds of initializers, and the dtype policy are afterwards as before."""
    state, policy = random.getstate(), keras.config.dtype_policy()
    try:
        yield
    finally:
        random.setstate(state)
        keras.config.set_dtype_policy(policy)


def _broken(entry: ModelEntry, what: str, hint: str = "") -> UsageError:
    return UsageError(f"Model {entry.name}: {what}.", f"{hint} Its builder is in {entry.module}.".strip())


def _takes(entry, name):
    """Whether the builder has a parameter of that name, or takes any."""
    parameters = inspect.signature(entry.build).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _classes(entry):
    """The builder's own number of classes; None where it has none."""
    parameter = inspect.signature(entry.build).parameters.get("num_classes")
    return parameter.default if parameter and isinstance(parameter.default, int) else None


def _twice(entry, facts, options):
    """Two models of one builder, from different seeds."""
    policy, models, ends = keras.config.dtype_policy(), [], []
    for seed in (1, 2):
        random.seed(seed)
        models.append(registry.build(entry, facts, options))
        ends.append(random.getstate())
    if keras.config.dtype_policy() != policy:
        raise _broken(entry, "its builder changes Keras's dtype policy", "Leave that out: train.precision sets it.")
    if ends[0] == ends[1]:
        raise _broken(entry, "its builder sets the seed of random numbers", "Leave that out: `seed` in the config sets it.")
    return models


def _repeats(entry, first, second):
    """Raise where the second build is not the first one again: a stopped training could not go on."""
    for one, other in ((_names(first), _names(second)), (_shapes(first), _shapes(second))):
        if one != other:
            a, b = next(((a, b) for a, b in zip(one, other, strict=False) if a != b), (f"{len(one)}", f"{len(other)}"))
            raise _broken(entry, f"its builder makes another network each time, {a} and then {b}", "Draw nothing while building.")


def _names(model):
    """Of layers, without the numbers by which Keras tells those of one kind apart."""
    return [f"a layer {re.sub(r'_[0-9]+$', '', layer.name)}" for layer in _leaves(model)]


def _shapes(model):
    return [f"weights {tuple(weight.shape)}" for weight in model.weights]


def _leaves(model) -> Iterator[keras.layers.Layer]:
    """Layers of a model and of its sub-models."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _are_logits(entry, answers):
    """Raise for what is a softmax already: the loss and what is served would apply another one."""
    if answers.min() >= 0 and np.allclose(answers.sum(axis=1), 1, 0, SUM):
        raise _broken(entry, "it answers with probabilities, not with logits", "Leave out the softmax at its end.")


def _comes_back(entry, model, images, before):
    """Raise unless a .keras file of the model gives a model that answers images alike."""
    with tempfile.TemporaryDirectory(prefix="hubel-model-") as folder:
        file = Path(folder) / "model.keras"
        try:
            model.save(file)
            again = keras.saving.load_model(file)
        except Exception as error:  # whatever layers of a person's own raise
            raise _unsaved(entry, model, error) from error
        if not np.allclose(_answer(entry, again, images), before, TOLERANCE, TOLERANCE):
            raise _broken(
                entry,
                "loaded from a .keras file, it answers an image differently",
                "Layers of one's own must make all weights in __init__ or build, and give all arguments in get_config.",
            )


def _answer(entry, model, images):
    try:
        answer = keras.ops.convert_to_numpy(model([images], training=False))
    except Exception as error:  # whatever layers of a person's own raise
        raise _broken(entry, f"it fails on an image: {registry.first_line(error)}") from error
    if not np.isfinite(answer).all():
        raise _broken(entry, "what it answers for an image of random pixels in 0..1 is not finite numbers")
    return answer


def _unsaved(entry, model, error):
    """Which layer cannot be stored in a .keras file, and why."""
    for layer in _leaves(model):
        try:
            keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        except Exception as found:  # the same
            what = f"its layer {layer.name} ({type(layer).__name__}) cannot be stored in a .keras file"
            if isinstance(layer, keras.layers.Lambda):
                return _broken(entry, f"{what}: a Python function is no data", "Use keras.ops, or a layer class of your own.")
            kind, decorator = type(layer), f'@keras.saving.register_keras_serializable("{entry.module}")'
            if not kind.__module__.startswith("keras.") and keras.saving.get_registered_name(kind) == kind.__name__:
                return _broken(entry, f"{what}: its class is not registered", f"Put {decorator} before the class.")
            if unknown := _unregistered(layer):
                return _broken(
                    entry, f"{what}: its {unknown}", f"Give a Keras name, or a function or class with {decorator} before it."
                )
            return _broken(entry, f"{what}: {files.reason(found)[0]}")
    return _broken(entry, f"it cannot be stored in a .keras file: {files.reason(error)[0]}")


def _unregistered(layer) -> str | None:
    """Which argument of a layer is a function, or of a class, that Keras cannot find again; None where all can be found."""
    with contextlib.suppress(Exception):  # whatever a get_config of a person's own raises
        for argument in layer.get_config():
            value = getattr(layer, argument, None)
            kind = type(value)
            if inspect.isfunction(value):
                if not _comes_back_alone(value):
                    return f"{argument} is a Python function that is not registered"
            elif isinstance(value, keras.layers.Layer) and kind.__module__.startswith("keras."):
                if inner := _unregistered(value):
                    return f"{argument}'s {inner}"
            elif hasattr(kind, "get_config") and not _comes_back_alone(value):
                return f"{argument} is of the class {kind.__name__}, which is not registered"
    return None


def _comes_back_alone(value) -> bool:
    with contextlib.suppress(Exception):  # the same
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(value))
        return True
    return False
