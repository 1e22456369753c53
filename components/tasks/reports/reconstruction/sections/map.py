"""Codes in the plane."""

import numpy as np

from components import keys
from components.codes import places
from components.reporter import ranks
from components.tasks.reconstruction.variational import GENERATE
from components.tasks.reports.reconstruction.looked import Looked
from reports import code_map
from reports.charts import Chart
from reports.code_map import Point
from reports.run.blocks import Command, Missing, Prose, Section
from serving import formats
from serving.answers.image import uint8

ORDER = 40
LEAST = 3  # images of a map
POINTS = 1_500
FOR_TSNE = 1_000  # points: a few seconds of one core
SEED = 0  # of t-SNE
PICTURE_BYTES = 2**19  # of small pictures in the page; past that dots have none
SIDE = 32  # px
OF_CLASSES = ("probe_accuracy", "knn_accuracy", "kmeans_ari")


def section(looked: Looked) -> Section | None:
    codes = looked.codes
    if len(codes) < LEAST:
        return Section(
            "code-map", "Map of codes", "", [Missing("a map of codes", f"It takes {LEAST} images, and there are {len(codes)}.")]
        )
    rows = ranks.spread(len(codes), POINTS)
    rows = rows[np.argsort(looked.sample.labels[rows], kind="stable")]  # so that classes are named in their order
    points = _points(looked, rows)
    made = places.of_codes(codes[rows])
    has_classes = any(point.group for point in points)
    said = f"{len(rows):,} of {looked.words()}" if len(rows) < len(codes) else looked.words()
    told = (
        "."
        if not has_classes
        else ", coloured by class."
        if _is_told(looked)
        else ", coloured by class, which the model was not told."
    )
    about = f"Codes of {said}{told}"
    share = "" if made.explained is None or codes.shape[1] == 2 else f" The map keeps {made.explained:.0%} of the codes' variance."
    how = "The code itself has two numbers." if codes.shape[1] == 2 else f"By their two principal components.{share}"
    blocks: list = [_chart("code-map-pca", "By principal components" if codes.shape[1] != 2 else "The code", how, points, made)]
    if has_classes and (figures := [f"{name} {looked.figure(name)}" for name in OF_CLASSES if looked.figure(name)]):
        blocks.append(Prose("What codes know of classes, by simple classifiers and clusters on them: " + "; ".join(figures) + "."))
    if looked.material.full:
        few = ranks.spread(len(rows), FOR_TSNE)
        embedded = places.by_tsne(codes[rows[few]], SEED)
        how = f"Of {len(few):,} of them, seed {SEED}, from the principal components on; distances between far groups mean nothing."
        blocks.append(_chart("code-map-tsne", "By t-SNE", how, [points[at] for at in few], embedded))
    else:
        blocks += [
            Prose("A map by t-SNE is in the page of `hubel report --full`, and of images of your own:"),
            Command(_command(looked)),
        ]
    return Section("code-map", "Map of codes", about, blocks)


def _is_told(looked: Looked) -> bool:
    """Whether the decoder knows classes."""
    generate = looked.signatures.get(GENERATE)
    return generate is not None and keys.LABEL in generate.extra


def _command(looked: Looked) -> str:
    return f"hubel embed {looked.card.name} IMAGES --method tsne --out map"


def _chart(key: str, title: str, how: str, points: list[Point], made: places.Places) -> Chart:
    placed = [
        Point(float(x), float(y), point.name, point.group, point.picture) for point, (x, y) in zip(points, made.places, strict=True)
    ]
    return code_map.chart(key, title, how, placed, made.axes)


def _points(looked: Looked, rows) -> list[Point]:
    """Of rows, not placed yet; pictures as long as there is room."""
    points, room = [], PICTURE_BYTES
    for row in rows:
        picture = _small(looked.sample.seen[row]) if room > 0 else None
        room -= len(picture or b"")
        points.append(Point(0.0, 0.0, looked.sample.ids[row], looked.class_of(row), picture))
    return points


def _small(pixels) -> bytes:
    image = formats.pillow(uint8(pixels))
    image.thumbnail((SIDE, SIDE))
    return formats.png(image)
