"""From a name or a dotted path, what a config asks and what the data decides to a model."""

import difflib
import importlib
import inspect
import sys
import traceback
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from configs.errors import UsageError
from keras_models import catalogue, raised
from keras_models.record import ENTRIES, ModelEntry, Record, default_input


def get(name: str) -> ModelEntry:
    """The record of a model and its builder; imports only the one family's module, and Keras with it.

    Args:
        name: a name or alias of the catalogue, or a dotted path `package.module:function` or `package.module.function` to a builder
            of one's own, importable from here. For such a path the task is the one it was registered with, "classification" if it
            was not; the parameter count, paper and year are not known.

    Raises:
        UsageError: for an unknown name (lists the nearest), or a dotted path that leads to no function.
    """
    if not catalogue.is_path(name):
        if name in ENTRIES:
            return ENTRIES[name]
        record = catalogue.check(name)
        importlib.import_module(record.module)
        return ENTRIES[record.name]
    module, function = catalogue.split(name)
    catalogue.locate(module, name)
    try:
        build_ = getattr(importlib.import_module(module), function, None)
    except Exception as error:  # whatever a person's own file raises
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"Model {name!r}: importing {module} failed: {what}.", "Import it in Python to see where.") from error
    if not callable(build_):
        raise UsageError(f"Model {name!r}: {module} has no function {function!r}.", "Write package.module:function.")
    known = replace(catalogue.own(name, module, build_), input_shape=default_input(build_))
    return ModelEntry(build=build_, **{f.name: getattr(known, f.name) for f in fields(known)})


def takes(entry: ModelEntry, name: str) -> bool:
    """Whether a builder is given what the data decides by that name."""
    parameters = inspect.signature(entry.build).parameters.values()
    return any(p.kind is p.VAR_KEYWORD or (p.name == name and p.kind is not p.POSITIONAL_ONLY) for p in parameters)


def build(entry: ModelEntry | str, of_data: Mapping[str, Any], options: Mapping[str, Any], dtype: str = "float32"):
    """Build a model from what its name fixes, what the config asks and what the data decides; check that it keeps the contract.

    Args:
        entry: a record, or anything that `get` takes.
        of_data: what the data decides, e.g. input_shape (height px, width px, channels) and num_classes; the builder is given
            those that its signature names.
        options: keyword arguments of the builder, from a config.
        dtype: of what the model will get, such as float32 pixels or int32 ids of tokens.

    Returns:
        Uncompiled functional keras.Model, image float32 (batch, *input_shape) -> the task's output; of another kind of input what
        that kind gives.

    Raises:
        UsageError: for an unknown or missing option, a value that the builder refuses, a builder of one's own that fails, or a
            model that breaks the contract.
    """
    from keras_models import usable  # imports Keras, which a listing must not

    entry = get(entry) if isinstance(entry, str) else entry
    of_data = {**of_data, "input_shape": tuple(of_data["input_shape"])} if "input_shape" in of_data else dict(of_data)
    parameters = inspect.signature(entry.build).parameters
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    known = [n for n, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    free = [n for n in known if n not in entry.options and n not in of_data]
    for key in options:
        if key in entry.options:
            raise UsageError(
                f"Model {entry.name}: option {key!r} cannot be set: this name fixes it to {entry.options[key]!r}.",
                "Leave it out of model.options.",
            )
        if key in of_data:
            raise UsageError(f"Model {entry.name}: {key!r} is no option: the data decides it.", "Leave it out of model.options.")
        if key not in known and not open_ended:
            raise _unknown_option(entry, key, free)
    given = {**{k: v for k, v in of_data.items() if open_ended or k in known}, **entry.options, **options}
    missing = [n for n in known if n not in given and parameters[n].default is inspect.Parameter.empty]
    if missing:
        raise UsageError(
            f"Model {entry.name}: option {missing[0]!r} has no default and must be given.", f"Set model.options.{missing[0]}."
        )
    try:
        model = entry.build(**given)
    except ValueError as error:
        said = (None if entry.is_shipped else usable.lack_of_room(entry, given, error)) or raised.said(error)
        raise UsageError(
            f"Model {entry.name}: {said}.", "Change model.options, or transform.height and transform.width."
        ) from error
    except Exception as error:
        # a builder that takes **options may hand them on to one that does not
        refused = next((key for key in options if f"unexpected keyword argument '{key}'" in str(error)), None)
        if isinstance(error, TypeError) and refused:
            raise _unknown_option(entry, refused, free) from error
        if entry.is_shipped or isinstance(error, UsageError):
            raise
        said = f"its builder failed with {type(error).__name__}: {raised.said(error)}"
        raise UsageError(f"Model {entry.name}: {said}.", f"See {_place(error, entry)}.") from error
    usable.check(entry, model, of_data, dtype)
    return model


def twin(entry: ModelEntry | str, **of_data):
    """The model of an entry's `tiny` arguments: the same layers, narrower and where need be fewer, to test what all models share.

    Args:
        of_data: what the data would decide, instead of what `tiny` says.
    """
    entry = get(entry) if isinstance(entry, str) else entry
    arguments = {**entry.options, **entry.tiny}
    return build(replace(entry, options={}), of_data, {key: value for key, value in arguments.items() if key not in of_data})


def _place(error: Exception, entry: Record) -> str:
    """File and line in the builder's module that an error comes from."""
    file = getattr(sys.modules.get(entry.module), "__file__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"{file}, line {lines[-1]}" if lines else entry.module


def _unknown_option(entry: Record, key: str, known: list[str]) -> UsageError:
    nearest = difflib.get_close_matches(key, known, 1)
    return UsageError(
        f"Model {entry.name} has no option {key!r}" + (f"; did you mean {nearest[0]!r}?" if nearest else "."),
        f"Its options: {', '.join(known)}." if known else "It has no options.",
    )
