"""What an architecture is made of, for `hubel show`. Runs in the worker process."""

import contextlib
import inspect
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configs.errors import UsageError


def show(
    model: str, shape: str | None, classes: int | None, options: Mapping[str, Any] | None = None, artifact: str | None = None
) -> dict:
    """Layer table and sums of a registry name, a dotted path, a .keras file or what a run trained.

    Args:
        artifact: folder of the Model artifact that `model` is the name of; None for the other three.
        shape: HEIGHTxWIDTHxCHANNELS; None for the builder's own size, or the file's.
        classes: None for the builder's own number; a file's cannot be changed.
        options: of the builder, as `model.options` in a config; a file has none.

    Returns:
        {architecture, input, params, frozen, multiply_adds, unshared_weights, dense_weights, activation_bytes, uncounted,
        receptive_field, layers: [...]}; the field is the last layer's, for the rest see keras_models.arithmetic. Nothing is run,
        and a builder's weights are not allocated where it does not need them itself.

    Raises:
        UsageError: for an unknown model, a malformed size, a size that the model cannot take, or a file that holds no such model.
    """
    from keras_models import arithmetic
    from keras_models.parameters import frozen_params, total_params

    size = _size(shape) if shape else None
    if artifact:
        built, name = _from_artifact(Path(artifact), model, size, classes, options)
    elif model.endswith(".keras"):
        built, name = _from_file(Path(model), size, classes, options)
    else:
        built, name = _from_builder(model, size, classes, options or {})
    try:
        rows = arithmetic.layer_table(built)
    except ValueError as error:
        raise UsageError(f"{model}: {error}.", "A functional model is keras.Model(inputs, outputs).") from None
    takes = [list(tensor.shape[1:]) for tensor in built.inputs]
    return {
        "architecture": name,
        "input": takes[0] if len(takes) == 1 else takes,
        "params": total_params(built),
        "frozen": frozen_params(built),
        **arithmetic.totals(rows),
        "receptive_field": rows[-1]["receptive_field"],
        "layers": rows,
    }


def _size(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[1-9][0-9]{0,5}(x[1-9][0-9]{0,5}){2}", text.lower()):
        raise UsageError(f"--input {text!r} is not HEIGHTxWIDTHxCHANNELS.", "For example: --input 32x32x1")
    return tuple(map(int, text.lower().split("x")))


def _from_builder(model, size, classes, options):
    import keras_models
    from keras_models.parameters import without_weights

    entry = keras_models.get(model)
    given = {**({"input_shape": size} if size else {}), **({"num_classes": classes} if classes else {})}
    for what, option in (("input_shape", "--input 32x32x3"), ("num_classes", "--classes 10")):
        parameter = inspect.signature(entry.build).parameters.get(what)
        if parameter and parameter.default is parameter.empty and what not in given:
            raise UsageError(f"Model {entry.name} has no {what} by default.", f"Give one, such as {option}")
    with contextlib.suppress(Exception), without_weights():
        return keras_models.build(entry, given, options), entry.name
    try:  # a builder that sets values itself, or one that fails anyway and says so again
        return keras_models.build(entry, given, options), entry.name
    except UsageError as error:
        refused = isinstance(error.__cause__, ValueError)  # by the builder, otherwise it is about an option
        hint = "Try another --input, --classes or --set model.options.KEY=VALUE." if refused else error.hint
        raise UsageError(error.message, hint) from error


def _from_artifact(folder, model, size, classes, options):
    from components.trainer import artifact
    from components.trainer.card import Card
    from keras_models import files

    _as_trained(model, classes, options)
    with files.readable(model, "`hubel list runs` shows which runs there are."):
        built = artifact.load(str(folder))
    return _sized(built, size, model) if size else built, Card.read(str(folder)).architecture


def _as_trained(what, classes, options):
    if classes:
        raise UsageError(f"{what} has the number of classes that it was trained with.", "Leave out --classes.")
    if options:
        raise UsageError(f"{what} has the options that it was built with.", "Leave out --set.")


def _from_file(path, size, classes, options):
    import keras

    import keras_models.layers  # noqa: F401 loading finds registered layers only
    from keras_models import files

    _as_trained("A .keras file", classes, options)
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", "`hubel list models` shows the names that need no file.")
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path} is no .keras file.", "Keras 3 writes them with model.save(PATH).")
    with files.readable(str(path), "`hubel show package.module:function` shows what a builder makes."):
        model = keras.saving.load_model(path, compile=False)
    return _sized(model, size, path) if size else model, path.stem


def _sized(model, size, path):
    """The model for images of that size: the sides that a file leaves open are set, the others must be the same."""
    import keras

    from keras_models.parameters import without_weights

    takes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    if len(takes) != 1 or len(takes[0]) != 3 or any(fixed not in (None, side) for fixed, side in zip(takes[0], size, strict=True)):
        known = " and ".join("x".join("?" if side is None else str(side) for side in shape) for shape in takes)
        raise UsageError(f"{path} takes images of {known}, not of {'x'.join(map(str, size))}.", "Without --input its own is shown.")
    with without_weights():
        return keras.models.clone_model(model, input_tensors=keras.Input(size, name="image"))
