"""Where images lie among each other by their codes: a map of all, and the nearest of some. Runs in the worker process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components import progress
from configs.errors import UsageError
from pipelines.verbs import images as image_files
from pipelines.verbs import outputs
from pipelines.verbs.batches import read
from pipelines.verbs.code_verbs import codes_of
from pipelines.verbs.served import Served
from reports import sheet
from serving import formats

EMBEDDING, PICTURE = "embedding.csv", "embedding.png"
NEIGHBOURS, SHEET = "neighbours.csv", "sheet.png"
LEAST = 3  # images of a map
MOST_FOR_TSNE = 10_000  # images; minutes on two cores
PERPLEXITY = 30.0
QUERIES_AT_ONCE = 256
ON_SHEET = 50  # queries
SIDE, MARGIN, LEGEND = 1000, 30, 180  # px, of the map
THUMBNAIL, MOST_THUMBNAILS = 32, 400  # px; that many images are drawn as themselves where there is room, the others as dots
DOT = 3  # px
MOST_COLOURS = 10  # folders that are told apart
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999", "#7f3c8d", "#8c564b")


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
    places, explained = _places(codes, method, seed)
    good = [row for row in rows if "error" not in row]
    for row in good:
        row["x"], row["y"] = map(float, places[row.pop("row")])
    table = formats.table(["file", "x", "y"], [[row["file"], f"{row['x']:.6g}", f"{row['y']:.6g}"] for row in good])
    written = [outputs.write(folder / EMBEDDING, table)]
    written.append(outputs.write(folder / PICTURE, formats.png(_map(served, [Path(row["file"]) for row in good], places))))
    return {**served.summary(rows), "method": method, "explained": explained, "files": written, "images": rows}


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


def _places(codes: np.ndarray, method: str, seed: int) -> tuple[np.ndarray, float | None]:
    """float [N, 2], and the share of variance that a PCA map keeps."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    wide = np.pad(codes, ((0, 0), (0, max(0, 2 - codes.shape[1])))).astype(np.float64)
    if method == "pca":
        made = PCA(2, svd_solver="full")
        places = made.fit_transform(wide)
        total = wide.var(axis=0).sum()
        return places, float(places.var(axis=0).sum() / total) if total else 1.0
    perplexity = min(PERPLEXITY, (len(codes) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(wide), None


def _map(served: Served, paths: Sequence[Path], places: np.ndarray):
    """A Pillow image: images at their places where there is room, dots elsewhere; a colour for each folder, if there are few."""
    from PIL import Image, ImageDraw, ImageFont

    folders = list(dict.fromkeys(path.parent for path in paths))
    told_apart = 1 < len(folders) <= MOST_COLOURS
    made = Image.new("RGB", (SIDE + (LEGEND if told_apart else 0), SIDE), "white")
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(14)
    colours = [COLOURS[folders.index(path.parent)] if told_apart else COLOURS[0] for path in paths]
    low, span = places.min(axis=0), np.maximum(np.ptp(places, axis=0), 1e-12)
    at = np.rint(MARGIN + (places - low) / span * (SIDE - 2 * MARGIN)).astype(int)
    at[:, 1] = SIDE - at[:, 1]  # y grows upwards
    for (x, y), colour in zip(at, colours, strict=True):
        draw.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), fill=colour)
    taken = np.empty((0, 2), int)
    for (x, y), colour, path in zip(at, colours, paths, strict=True):
        if len(taken) == MOST_THUMBNAILS:
            break
        if (np.abs(taken - (x, y)).max(axis=1) > THUMBNAIL + 4).all():
            taken = np.vstack([taken, (x, y)])
            small = formats.pillow(served.seen(read(path))).convert("RGB")
            scale = THUMBNAIL / max(small.size)
            small = small.resize((max(1, round(small.width * scale)), max(1, round(small.height * scale))))
            left, top = x - small.width // 2, y - small.height // 2
            draw.rectangle((left - 2, top - 2, left + small.width + 1, top + small.height + 1), fill=colour)
            made.paste(small, (left, top))
    for number, folder in enumerate(folders if told_apart else ()):
        y = MARGIN + 24 * number
        draw.rectangle((SIDE + 6, y, SIDE + 18, y + 12), fill=COLOURS[number])
        draw.text((SIDE + 24, y - 2), sheet.fitting(draw, font, folder.name, LEGEND - 30), fill="black", font=font)
    return made


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
