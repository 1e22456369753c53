"""Answers of a pushed model about image files. Runs in the worker process."""

import numpy as np

from configs.errors import UsageError
from pipelines.verbs import images as image_files
from pipelines.verbs.served import Served


def predict(model: str, images: list[str], top: int) -> dict:
    """What a model says of images, in the order given; folders are searched for images, sorted by path.

    Args:
        model: SavedModel folder.
        images: files and folders.
        top: classes a row.

    Returns:
        {model, size: [height, width, channels], resized: how many images were of another size, images: a row for each}. A row is
        {file, size, resized: whether, classes, scores} for a classifier (the `top` best), otherwise {file, size, resized, OUTPUT:
        value} of the small outputs; for a file that cannot be read {file, error}.

    Raises:
        UsageError: where there is no image at all, or the SavedModel is not one of hubel.
    """
    paths = image_files.files(images)
    served = Served.load(model)
    if "image_bytes" not in served.signatures:
        raise UsageError(f"The SavedModel {model} has no signature image_bytes.", "Was it pushed by hubel?")
    name = "anomaly_score_image_bytes" if "anomaly_score_image_bytes" in served.signatures else "image_bytes"
    rows = []
    for answer in image_files.answers(served.signatures[name], paths, served.prepared):
        row = image_files.row(answer)
        if answer.error is None:
            row.update(resized=served.resizes(row), **_row(answer.outputs, top))
        rows.append(row)
    return {**served.facts(rows), "images": rows}


def _row(outputs: dict, top: int) -> dict:
    """Of a classifier, whose classes are names with scores, the `top` best; of anything else all outputs."""
    plain = {name: _plain(value) for name, value in outputs.items()}
    classes = plain.get("classes")
    is_named = "scores" in plain and isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    return {name: plain[name][:top] for name in ("classes", "scores")} if is_named else plain


def _plain(value):
    """An output of one image as JSON has it; TensorFlow's strings are bytes, of any encoding."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [_plain(part) for part in value]
    return value.tolist()
