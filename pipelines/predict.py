"""Answers of a pushed model about image files. Runs in the worker process."""

from configs.errors import UsageError
from pipelines.images import answers, files


def predict(model: str, images: list[str], top: int) -> list[dict]:
    """One row a file, in the order given; folders are searched for images, sorted by path.

    Args:
        model: SavedModel folder.
        images: files and folders.
        top: classes a row.

    Returns:
        {file, classes, scores} for a classifier (the `top` best), otherwise {file, OUTPUT: value} of the small outputs; for a
        file that cannot be read {file, error}.

    Raises:
        UsageError: where there is no image at all, or the SavedModel is not one of hubel.
    """
    import tensorflow as tf

    paths = files(images)
    loaded = tf.saved_model.load(model)
    if "image_bytes" not in loaded.signatures:
        raise UsageError(f"The SavedModel {model} has no signature image_bytes.", "Was it pushed by hubel?")
    name = "anomaly_score_image_bytes" if "anomaly_score_image_bytes" in loaded.signatures else "image_bytes"
    return [
        {"file": str(answer.path), **({"error": answer.error} if answer.error else _row(answer.outputs, top))}
        for answer in answers(loaded.signatures[name], paths)
    ]


def _row(outputs: dict, top: int) -> dict:
    if "classes" in outputs:
        classes, scores = outputs["classes"][:top], outputs["scores"][:top]
        return {"classes": [name.decode() for name in classes], "scores": [float(score) for score in scores]}
    return {name: value.tolist() for name, value in outputs.items()}
