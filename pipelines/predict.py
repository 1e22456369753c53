"""Answers of a pushed model about image files. Runs in the worker process."""

from collections.abc import Iterator
from pathlib import Path

from configs.errors import UsageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
MAX_BYTES = 64 * 2**20
BATCH = 64


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

    files = list(_files(images))
    if not files:
        raise UsageError(f"There is no image in {', '.join(images)}.", f"Images end in {', '.join(SUFFIXES)}.")
    loaded = tf.saved_model.load(model)
    if "image_bytes" not in loaded.signatures:
        raise UsageError(f"The SavedModel {model} has no signature image_bytes.", "Was it pushed by hubel?")
    name = "anomaly_score_image_bytes" if "anomaly_score_image_bytes" in loaded.signatures else "image_bytes"
    function = loaded.signatures[name]

    def ask(contents: list[bytes]) -> dict:
        return {output: value.numpy() for output, value in function(image_bytes=tf.constant(contents)).items()}

    rows = []
    for start in range(0, len(files), BATCH):
        rows += _answers(ask, files[start : start + BATCH], top, tf)
    return rows


def _answers(ask, files: list[Path], top: int, tf) -> list[dict]:
    """One request for all; where it fails, one for each, so that a damaged file fails alone."""
    contents = [_read(path) for path in files]
    good = [i for i, content in enumerate(contents) if isinstance(content, bytes)]
    rows = [{"file": str(path), "error": content} for path, content in zip(files, contents, strict=True)]
    try:
        answers = [(i, row) for i, row in zip(good, _rows(ask([contents[i] for i in good]) if good else {}, top), strict=True)]
    except tf.errors.OpError:
        answers = []
        for i in good:
            try:
                answers.append((i, _rows(ask([contents[i]]), top)[0]))
            except tf.errors.OpError as error:
                rows[i] = {"file": str(files[i]), "error": _words(error)}
    for i, row in answers:
        rows[i] = {"file": str(files[i]), **row}
    return rows


def _rows(outputs: dict, top: int) -> list[dict]:
    count = len(next(iter(outputs.values()))) if outputs else 0
    rows = []
    for i in range(count):
        if "classes" in outputs:
            rows.append(
                {
                    "classes": [name.decode() for name in outputs["classes"][i][:top]],
                    "scores": [float(score) for score in outputs["scores"][i][:top]],
                }
            )
        else:
            rows.append({name: value[i].tolist() for name, value in outputs.items()})
    return rows


def _files(images: list[str]) -> Iterator[Path]:
    for image in images:
        path = Path(image)
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        else:
            yield path


def _read(path: Path) -> bytes | str:
    """The file's bytes, or what is wrong with it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return f"larger than {MAX_BYTES / 2**20:.0f} MiB"
        return path.read_bytes() or "empty file"
    except OSError as error:
        return error.strerror or str(error)


def _words(error) -> str:
    """TensorFlow's first line, without the node it came from."""
    line = str(error.message).splitlines()[0]
    return "not an image that TensorFlow decodes" if "Unknown image file format" in line else line[:200]
