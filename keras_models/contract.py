"""What a model promises, whoever built it: the pipeline normalises, trains, saves, exports and loads it without knowing it.

`usable` looks at what a builder returned, at every build. `prove` tries a builder before any data is read; one of a person's own is
also built twice, run, saved and loaded back, which those that ship are in tests.
"""

import contextlib
import inspect
import random
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import keras
import numpy as np

from configs.errors import UsageError
from keras_models import building, files, raised
from keras_models.parameters import without_weights
from keras_models.record import LOGITS, ModelEntry
from keras_models.usable import CLASSES, broken, has_argument, untouched

EXAMPLES = 4  # random ones, that an own model is tried with
SUM = 1e-3  # how near to 1 probabilities sum up, in float16 too
TOLERANCE = 1e-5  # of what a loaded model answers: on an accelerator sums come in any order


def prove(entry: ModelEntry, of_data: Mapping, options: Mapping, batch: np.ndarray | None = None) -> None:
    """Try what a config asks for, without data: seconds at most for a network that trains in minutes.

    Classes are not known yet: there are as many as the builder has by default, else CLASSES.

    Args:
        of_data: what is known of the data, such as input_shape; a builder is given those that its signature names.
        options: the config's model.options.
        batch: random examples of what the model will get, such as int32 ids of tokens; None: images of 0..1, float32.

    Raises:
        UsageError: as `building.build` does, or for a builder of one's own that sets seeds or Keras's dtype policy or builds
            something else each time, or whose model has weights that are no numbers, cannot answer an example, answers with
            probabilities where logits are wanted, or does not come back from a .keras file as it was.
    """
    if batch is None:
        batch = np.random.default_rng(0).random((EXAMPLES, *of_data["input_shape"]), dtype="float32")
    of_data, dtype = dict(of_data), str(batch.dtype)
    if entry.output == LOGITS or "num_classes" in inspect.signature(entry.build).parameters:
        of_data["num_classes"] = _classes(entry) or CLASSES
    if entry.is_shipped:
        with without_weights():
            building.build(entry, of_data, options, dtype)
        return
    with untouched():
        try:
            first, second = _twice(entry, of_data, options, dtype)
        except UsageError as error:
            if not has_argument(entry, "num_classes") or _classes(entry) or not isinstance(error.__cause__, ValueError):
                raise
            stand_in = f"It was asked for {CLASSES} classes, in place of the data's: give num_classes a default to be asked for it."
            raise UsageError(error.message, f"{error.hint} {stand_in}") from error
        _repeats(entry, first, second)
        if not all(np.isfinite(weight).all() for weight in first.get_weights()):
            raise broken(entry, "its weights start with values that are not finite numbers", "Look at its initializers.")
        model = keras.Model(first.inputs, first.outputs, name=first.name)  # of that class it is stored
        answers = _answer(entry, model, batch)
        if entry.output == LOGITS:
            _are_logits(entry, answers)
        _comes_back(entry, model, batch, answers)


def _classes(entry):
    """The builder's own number of classes; None where it has none."""
    parameter = inspect.signature(entry.build).parameters.get("num_classes")
    return parameter.default if parameter and isinstance(parameter.default, int) else None


def _twice(entry, of_data, options, dtype):
    """Two models of one builder, from different seeds."""
    policy, models, ends = keras.config.dtype_policy(), [], []
    for seed in (1, 2):
        random.seed(seed)
        models.append(building.build(entry, of_data, options, dtype))
        ends.append(random.getstate())
    if keras.config.dtype_policy() != policy:
        raise broken(entry, "its builder changes Keras's dtype policy", "Leave that out: train.precision sets it.")
    if ends[0] == ends[1]:
        raise broken(entry, "its builder sets the seed of random numbers", "Leave that out: `seed` in the config sets it.")
    return models


def _repeats(entry, first, second):
    """Raise where the second build is not the first one again: a stopped training could not go on."""
    for before, after in ((_names(first), _names(second)), (_shapes(first), _shapes(second))):
        if before != after:
            a, b = next(((a, b) for a, b in zip(before, after, strict=False) if a != b), (f"{len(before)}", f"{len(after)}"))
            raise broken(entry, f"its builder makes another network each time, {a} and then {b}", "Draw nothing while building.")


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
        raise broken(entry, "it answers with probabilities, not with logits", "Leave out the softmax at its end.")


def _comes_back(entry, model, batch, before):
    """Raise unless a .keras file of the model gives a model that answers alike."""
    with tempfile.TemporaryDirectory(prefix="hubel-model-") as folder:
        file = Path(folder) / "model.keras"
        try:
            model.save(file)
            again = keras.saving.load_model(file)
        except Exception as error:  # whatever layers of a person's own raise
            raise _unsaved(entry, model, error) from error
        if not np.allclose(_answer(entry, again, batch), before, TOLERANCE, TOLERANCE):
            raise broken(
                entry,
                f"loaded from a .keras file, it answers {_example(entry)} differently",
                "Layers of one's own must make all weights in __init__ or build, and give all arguments in get_config.",
            )


def _answer(entry, model, batch):
    try:
        answer = keras.ops.convert_to_numpy(model([batch], training=False))
    except Exception as error:  # whatever layers of a person's own raise
        raise broken(entry, f"it fails on {_example(entry)}: {raised.said(error)}") from error
    if not np.isfinite(answer).all():
        of = " of random pixels in 0..1" if entry.reads == "image" else ""
        raise broken(entry, f"what it answers for {_example(entry)}{of} is not finite numbers")
    return answer


def _example(entry):
    """Of what it reads, with its article."""
    return f"{'an' if entry.reads[0] in 'aeiou' else 'a'} {entry.reads}"


def _unsaved(entry, model, error):
    """Which layer cannot be stored in a .keras file, and why."""
    for layer in _leaves(model):
        try:
            keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        except Exception as another:  # the same
            what = f"its layer {layer.name} ({type(layer).__name__}) cannot be stored in a .keras file"
            if isinstance(layer, keras.layers.Lambda):
                return broken(entry, f"{what}: a Python function is no data", "Use keras.ops, or a layer class of your own.")
            kind, decorator = type(layer), f'@keras.saving.register_keras_serializable("{entry.module}")'
            if not kind.__module__.startswith("keras.") and keras.saving.get_registered_name(kind) == kind.__name__:
                return broken(entry, f"{what}: its class is not registered", f"Put {decorator} before the class.")
            if unknown := _unregistered(layer):
                return broken(
                    entry, f"{what}: its {unknown}", f"Give a Keras name, or a function or class with {decorator} before it."
                )
            return broken(entry, f"{what}: {files.reason(another)[0]}")
    return broken(entry, f"it cannot be stored in a .keras file: {files.reason(error)[0]}")


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
