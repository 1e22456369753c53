"""What an architecture is made of, for `hubel show`. Runs in the worker process."""

from pathlib import Path

from configs.errors import UsageError


def show(model: str, shape: str | None, classes: int | None) -> dict:
    """{architecture, input, params, layers: [...]} of a registry name, a dotted path or a .keras file.

    Raises:
        UsageError: for an unknown model, a malformed size, or a size that the model cannot take.
    """
    import keras

    import keras_models
    from keras_models import arithmetic

    if model.endswith(".keras"):
        built, name = _loaded(Path(model), keras), Path(model).stem
    else:
        entry = keras_models.get(model)
        facts = {**({"input_shape": _size(shape)} if shape else {}), **({"num_classes": classes} if classes else {})}
        built, name = keras_models.build(entry, facts, {}), entry.name
    return {
        "architecture": name,
        "input": list(built.input_shape[1:]),
        "params": arithmetic.total_params(built),
        "layers": arithmetic.layer_table(built),
    }


def _size(text: str) -> tuple[int, ...]:
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"--input {text!r} is not HEIGHTxWIDTHxCHANNELS.", "For example: --input 32x32x1")
    return tuple(map(int, parts))


def _loaded(path: Path, keras):
    import keras_models.layers  # noqa: F401 loading finds registered layers only

    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"{path} cannot be loaded: {str(error).splitlines()[0][:200]}", "Is it a .keras file of Keras 3?"
        ) from None
