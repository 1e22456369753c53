"""Where images lie among each other by their codes: a map of all, and the nearest of some. Runs in the worker process."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components import progress
from components.codes import places
from configs.errors import UsageError
from pipelines.verbs import images as image_files
from pipelines.verbs import outputs
from pipelines.verbs.batches import read
from pipelines.verbs.code_verbs import codes_of
from pipelines.verbs.served import Served
from reports import code_map, sheet
from serving import formats

EMBEDDING, PICTURE = "embedding.csv", "embedding.png"
NEIGHBOURS, SHEET = "neighbours.csv", "sheet.png"
LEAST = 3  # images of a map
MOST_FOR_TSNE = 10_000  # images; minutes on two cores
QUERIES_AT_ONCE = 256
ON_SHEET = 50  # queries


def embed(model: str, images: Sequence[str], method: str, seed: int, out: str, force: bool) -> dict[str, Any]:
    """Write a map of images in two dimensions: EMBEDDING (file, x, y) and PICTURE.

    Args:
        method: "pca" or "tsne" (van der Maaten & Hinton 2008, from the principal components on), both of scikit-learn.

    Returns:
        {model, size, resized, method, explained: share of the codes' variance that a PCA map keeps, else None, files: paths
        written, images: [{file, size, x, y} or {file, error}]}.

    Raises:
        UsageError: for too few images, too many for t-SNE, no signature, or where something would be overwritten.
        HubelError: where nothing can be written.
    """
    paths = image_files.files(images, Path(out))
    if method == "tsne" and len(paths) > MOST_FOR_TSNE:
        raise UsageError(f"t-SNE of {len(paths):,} images takes too long; up to {MOST_FOR_TSNE:,} do.", "Use --method pca.")
    folder = outputs.folder(out, [EMBEDDING, PICTURE], force, paths)
    served = Served.load(model)
    codes, rows = codes_of(served, paths)
    if len(codes) < LEAST:
        raise UsageError(f"{len(codes)} images can be read, and a map needs {LEAST}.", "Name more images, or a folder.")
    progress.emit("step", what="Embedding", done=0, of=None)
    made = places.by_tsne(codes, seed) if method == "tsne" else places.by_pca(codes)
    good = [row for row in rows if "error" not in row]
    for row in good:
        row["x"], row["y"] = map(float, made.places[row.pop("row")])
    table = formats.table(["file", "x", "y"], [[row["file"], f"{row['x']:.6g}", f"{row['y']:.6g}"] for row in good])
    written = [outputs.write(folder / EMBEDDING, table)]
    points = _points(served, [Path(row["file"]) for row in good], made.places)
    written.append(outputs.write(folder / PICTURE, code_map.png(points, made.axes)))
    return {**served.summary(rows), "method": method, "explained": made.explained, "files": written, "images": rows}


def neighbours(
    model: str, images: Sequence[str], among: str, count: int, out: str | None, force: bool, with_sheet: bool
) -> dict[str, Any]:
    """The images of a folder whose codes are nearest, by Euclidean distance, to those of others.

    Args:
        among: the folder; an image that is asked about is not its own neighbour.
        count: neighbours of each.
        out: folder for NEIGHBOURS and, with_sheet, SHEET; None: nothing is written.

    Returns:
        {model, size, resized, images: [{file, size, neighbours: [{file, distance}], nearest first} or {file, error}],
        unreadable: [{file, error}] of the folder, files: paths written}.

    Raises:
        UsageError: without images or the signature, or where something would be overwritten.
        HubelError: where nothing can be written.
    """
    place = Path(out) if out else None
    paths, others = image_files.files(images, place), image_files.files([among], place)
    planned = [NEIGHBOURS, SHEET] if with_sheet else [NEIGHBOURS]
    folder = outputs.folder(out, planned, force, [*paths, *others]) if out else None
    served = Served.load(model)
    codes, rows = codes_of(served, paths)
    known, there = codes_of(served, others)
    files = [row["file"] for row in there if "error" not in row]
    if not files:
        raise UsageError(f"No image in {among} can be read.", "Name another folder with --among.")
    for row in rows:
        if "error" not in row:
            row["neighbours"] = []
    good = [row for row in rows if "error" not in row]
    resolved = [Path(file).resolve() for file in files]
    for row, (order, distances) in zip(good, _nearest(codes, known, count + 1), strict=True):
        own = Path(row["file"]).resolve()
        near = [(files[at], float(far)) for at, far in zip(order, distances, strict=True) if resolved[at] != own]
        row["neighbours"] = [{"file": file, "distance": far} for file, far in near[:count]]
        del row["row"]
    value = {**served.summary([*rows, *there]), "images": rows, "unreadable": [row for row in there if "error" in row], "files": []}
    if folder and good:
        pairs = [(row["file"], rank, near) for row in good for rank, near in enumerate(row["neighbours"], 1)]
        lines = [[file, rank, near["file"], f"{near['distance']:.6g}"] for file, rank, near in pairs]
        value["files"].append(outputs.write(folder / NEIGHBOURS, formats.table(["file", "rank", "neighbour", "distance"], lines)))
        if with_sheet:
            value["files"].append(outputs.write(folder / SHEET, formats.png(_sheet(served, good[:ON_SHEET]))))
    return value


def _nearest(codes: np.ndarray, known: np.ndarray, count: int):
    """For each code, places among the known and distances, nearest first."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=min(count, len(known)), algorithm="brute").fit(known)
    for start in range(0, len(codes), QUERIES_AT_ONCE):
        progress.emit("step", what="Comparing", done=start, of=len(codes))
        distances, order = index.kneighbors(codes[start : start + QUERIES_AT_ONCE])
        yield from zip(order, distances, strict=True)


def _points(served: Served, paths: Sequence[Path], at: np.ndarray) -> list[code_map.Point]:
    """Of a map: in the order of the files, coloured by folder where there are several; small pictures of those that have room."""
    folders = list(dict.fromkeys(path.parent for path in paths))
    groups = _names(folders) if len(folders) > 1 else dict.fromkeys(folders, "")
    shown = set(code_map.apart(at))
    return [
        code_map.Point(
            float(x), float(y), _text(path.name), groups[path.parent], _thumbnail(served, path) if row in shown else None
        )
        for row, (path, (x, y)) in enumerate(zip(paths, at, strict=True))
    ]


def _names(folders: Sequence[Path]) -> dict[Path, str]:
    """The last part of each folder's path, or where that is no name of its own, all of it."""
    counts = Counter(folder.name for folder in folders)
    return {folder: _text(folder.name if counts[folder.name] == 1 else str(folder)) for folder in folders}


def _text(name: str) -> str:
    return os.fsencode(name).decode(errors="replace")  # names of files may hold any byte


def _thumbnail(served: Served, path: Path) -> bytes:
    small = formats.pillow(served.seen(read(path))).convert("RGB")
    scale = code_map.THUMBNAIL / max(small.size)
    return formats.png(small.resize((max(1, round(small.width * scale)), max(1, round(small.height * scale)))))


def _sheet(served: Served, rows: Sequence[dict[str, Any]]):
    """Each image before its neighbours; one that has fewer than the first ends in white."""
    width = max(len(row["neighbours"]) for row in rows)
    blocks = []
    for row in rows:
        files = [row["file"], *(near["file"] for near in row["neighbours"])]
        pictures = [served.seen(read(Path(file))) for file in files]
        blank = np.full_like(pictures[0], 255)
        far = row["neighbours"][0]["distance"] if row["neighbours"] else float("nan")
        blocks.append(sheet.Block(f"{Path(row['file']).name}  nearest {far:.3g}", pictures + [blank] * (1 + width - len(pictures))))
    return sheet.sheet(blocks, max(1, 10 // (1 + width)))
