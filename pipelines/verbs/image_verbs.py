"""What an autoencoder makes of image files: reconstructions, without noise, without holes, scores. Runs in the worker process."""

import heapq
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components import progress
from components.example_gen import listing
from configs.errors import UsageError
from pipelines.verbs import images as image_files
from pipelines.verbs import outputs
from pipelines.verbs.batches import Unreadable, read
from pipelines.verbs.images import Answer
from pipelines.verbs.served import Served
from reports import scores, sheet
from serving import formats
from serving.answers.heat import colours
from serving.answers.image import uint8

SHEET, SCORES = "sheet.png", "anomalies.csv"
ON_SHEET, COLUMNS = 100, 4  # blocks
MISSING = (255, 0, 80)  # RGB of missing pixels on a sheet


def remake(
    verb: str, model: str, images: Sequence[str], out: str, force: bool, with_sheet: bool, mask: str | None = None
) -> dict[str, Any]:
    """Write the images that the signature `verb` answers with, as PNG of the model's size, named after the files.

    Args:
        verb: "reconstruct", "denoise" or "inpaint".
        images: files and folders.
        with_sheet: write SHEET too: the first ON_SHEET images as the model sees them, beside what it made of them.
        mask: of inpaint: an image whose bright pixels are missing in all others, or a folder with one of the same name for each.

    Returns:
        {model, size: [height, width, channels], resized: how many images were of another size, images: [{file, size, written} or
        {file, error}], sheet: path or None}.

    Raises:
        UsageError: without an image or the signature, or where something would be overwritten.
        HubelError: where nothing can be written.
    """
    paths = image_files.files(images, Path(out))
    names = outputs.names(paths, ".png", [SHEET] if with_sheet else [])
    beside = _masks(mask) if mask else lambda path, encoded: {}
    folder = outputs.folder(out, [*names, SHEET] if with_sheet else names, force, paths)
    served = Served.load(model)
    rows, blocks, output = [], [], served.output(verb, "image")
    told = image_files.answers(served.of_images(verb), paths, served.prepared, beside)
    for number, (name, answer) in enumerate(zip(names, told, strict=True)):
        progress.emit("step", what="Asking", done=number, of=len(paths))
        rows.append(image_files.row(answer))
        if answer.error is None:
            made = uint8(answer.outputs[output])
            rows[-1]["written"] = outputs.write(folder / name, formats.png(made))
            if with_sheet and len(blocks) < ON_SHEET:
                blocks.append(sheet.Block(answer.path.name, [_given(served, answer), made]))
    return {**served.summary(rows), "images": rows, "sheet": _sheet(folder, blocks)}


def anomalies(
    model: str,
    images: Sequence[str],
    out: str | None,
    force: bool,
    with_sheet: bool,
    threshold: float | None,
    table: str | None = None,
) -> dict[str, Any]:
    """Scores of images and, of a model with a threshold, which of them are anomalies and where.

    Args:
        out: folder for SCORES and, of a model that has them, maps of the error as PNG; None, or where no image can be read:
            nothing is written.
        with_sheet: write SHEET too: the ON_SHEET highest scores, highest first.
        threshold: instead of the model's.
        table: CSV file to write what SCORES holds into: a row for each image, the highest score first, unreadable files last.

    Returns:
        As `remake`, with {anomaly_score, is_anomaly: None without a threshold} in each row, and {calibrated: whether the model has
        a threshold, threshold: what was used, or None, scores: path or None, csv: path or None, summary: as of
        reports.scores}.
    """
    paths = image_files.files(images, Path(out) if out else None)
    table_at = outputs.file("--csv", table, force, paths) if table else None
    names = outputs.names(paths, ".png", [SHEET, SCORES])
    folder = outputs.folder(out, [*names, SHEET, SCORES], force, paths) if out else None
    served = Served.load(model)
    signature, extra = served.judging(threshold)
    scored, decided_by, bound, errors = (
        served.output(signature, kind) for kind in ("anomaly_score", "is_anomaly", "threshold", "heat")
    )
    calibrated, rows, worst = bound is not None, [], []
    told = image_files.answers(served.of_images(signature), paths, served.prepared, lambda path, encoded: extra)
    for number, (name, answer) in enumerate(zip(names, told, strict=True)):
        progress.emit("step", what="Scoring", done=number, of=len(paths))
        rows.append(image_files.row(answer))
        if answer.error is not None:
            continue
        threshold = float(answer.outputs[bound]) if calibrated else threshold
        score = float(answer.outputs[scored])
        decided = answer.outputs.get(decided_by, None if threshold is None else score > threshold)
        rows[-1].update(anomaly_score=score, is_anomaly=None if decided is None else bool(decided))
        heat = [colours(answer.outputs[errors])] if errors else []
        if folder and heat:
            rows[-1]["written"] = outputs.write(folder / name, formats.png(*heat))
        if folder and with_sheet and (len(worst) < ON_SHEET or score > worst[-1][0]):
            block = sheet.Block(f"{score:.4g} {answer.path.name}", [_given(served, answer), *heat])
            worst = heapq.nlargest(ON_SHEET, [*worst, (score, -number, block)])
    value = {
        **served.summary(rows),
        "calibrated": calibrated,
        "threshold": threshold,
        "images": rows,
        "summary": scores.summary(rows),
    }
    value |= {"sheet": None, "scores": None, "csv": None}
    if any("error" not in row for row in rows):
        columns = ["file", "anomaly_score", "is_anomaly", "error"]
        content = formats.table(columns, [[row.get(column) for column in columns] for row in scores.ranked(rows)])
        if folder:
            value.update(sheet=_sheet(folder, [block for _, _, block in worst]), scores=outputs.write(folder / SCORES, content))
        if table_at:
            value.update(csv=outputs.write(table_at, content))
    return value


def _sheet(folder: Path, blocks: Sequence[sheet.Block]) -> str | None:
    return outputs.write(folder / SHEET, formats.png(sheet.sheet(blocks, COLUMNS))) if blocks else None


def _masks(mask: str) -> Callable[[Path, bytes], dict[str, bytes]]:
    """Path and bytes of an image -> the mask that a request takes. Raises UsageError for a mask that no image can use."""
    place = Path(mask).expanduser()
    if not place.exists():
        raise UsageError(f"--mask {mask}: there is no such file or folder.", "A mask is an image whose bright pixels are missing.")
    try:
        common = None if place.is_dir() else read(place)
    except Unreadable as error:
        raise UsageError(f"--mask {mask}: {error}.", "A mask is an image whose bright pixels are missing.") from None

    def of(path: Path, encoded: bytes) -> dict[str, bytes]:
        missing = _upright(common or read(_namesake(place, path)))
        mine, its = image_files.size(encoded), image_files.size(missing)
        if its is None:
            raise Unreadable("its mask is not an image")
        if mine and abs(mine[0] * its[1] - its[0] * mine[1]) > max(*mine, *its):  # a pixel of rounding
            raise Unreadable(f"its mask has other proportions: {its[0]}x{its[1]} px instead of {mine[0]}x{mine[1]}")
        return {"mask": missing}

    return of


def _upright(mask: bytes) -> bytes:
    """A mask as its EXIF tags say, as its image is turned too."""
    from components.example_gen import pictures

    try:
        return pictures.sendable(mask, turns=False)
    except pictures.Damaged:
        return mask


def _namesake(folder: Path, path: Path) -> Path:
    """The mask of an image: of its name, or of its stem with another ending. Raises Unreadable."""
    for name in (path.name, *(path.stem + ending for ending in sorted(listing.ENDINGS))):
        if (folder / name).is_file():
            return folder / name
    raise Unreadable(f"there is no mask {path.name} in {folder}")


def _given(served: Served, answer: Answer) -> np.ndarray:
    """An image as the model sees it; of inpainting, with what is missing in a colour."""
    image = served.seen(answer.asked["image_bytes"])
    if "mask" not in answer.asked:
        return image
    return np.where(served.missing(answer.asked["mask"]), np.uint8(MISSING), image)
