"""Looking inside a model that a run trained, for `hubel visualize`. Runs in the worker process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components import keys, progress
from components.reporter import inside, reading
from components.tasks.by_name import task_of
from components.trainer import artifact as artifacts
from components.trainer.card import Card
from configs.errors import UsageError, printable
from keras_models import files
from keras_models.explain import base
from keras_models.explain.base import IMAGES, MANY, Asked, Unsuited
from keras_models.explain.network import Network
from pipelines.verbs import images as named
from pipelines.verbs import outputs
from pipelines.verbs.batches import Unreadable, read
from pipelines.verbs.served import Served
from reports.run import page
from reports.run.blocks import Missing, Section, Tile, Verdict

PAGE = "inside.html"
SHOWN = 8  # images of those named that are looked at one by one
OF_TEST = 3  # of the test split, where none is named
SEARCHED = 1_000  # of the test split, at most, for what excites a unit
CAREFUL = (
    "Of attributions: infidelity 0 foresees all that removing squares changes, 1 nothing (Yeh et al. 2019); sensitivity is how far "
    "the picture moves for changes of 5 steps a pixel; randomised is how alike it is with all weights shuffled: near 1 it shows "
    "the image, not the model (Adebayo et al. 2018)."
)
HINT = "Name some: hubel visualize MODEL IMAGES."


def visualize(
    model: str,
    name: str,
    artifact: str,
    test: Sequence[str],
    images: Sequence[str],
    layer: str | None,
    unit: str | None,
    methods: Sequence[str],
    seed: int,
    out: str,
    png: bool,
    force: bool,
) -> dict[str, Any]:
    """Write a page of what methods show of a model.

    Args:
        model: folder of its SavedModel. name: as it was asked for. artifact: folder of its Model artifact.
        test: files of its run's test split; none where they are gone.
        images: files and folders of them; none: a few of the test split.
        layer, unit: what is asked about; a unit by its number or, of the output, its class. None: each method's choice.
        methods: by name; none: all, of which those that do not suit the model are told on the page.
        out: folder for the page, and with `png` for its pictures.

    Returns:
        {model, size: [height, width, channels], page, methods: [{method, title, layer, unit, figures, notes, pictures: files}],
        missing: [{method, why, hint}], images: [{file} or {file, error}], notes}.

    Raises:
        UsageError: for an unknown layer, unit or method, a method that was asked for and does not suit the model, a model that does
            not look at images, images none of which can be read, or a file that would be overwritten.
    """
    asked_for = [base.method(each).__name__.rpartition(".")[2] for each in methods]
    chosen = asked_for or base.names()
    where = outputs.folder(out, [PAGE], force)
    with files.readable(name, "`hubel list runs` shows which runs there are."):
        loaded = artifacts.load(artifact)
    card, network = Card.read(artifact), Network(loaded)
    path = network.find(layer) if layer else None
    number = None if unit is None else _unit(network, path or network.output, unit, card)
    rows, pixels, called, notes = _images(Served(model, card, {}), network, images)
    sample = _of_test(test, card, network)
    many, many_called = (pixels, called) if len(pixels) > SHOWN else sample if len(sample[0]) else (pixels, called)
    if images:
        notes += [f"Of {len(pixels):,} images the first {SHOWN} are looked at one by one."] if len(pixels) > SHOWN else []
    elif len(sample[0]):
        pixels, called = sample[0][:OF_TEST], sample[1][:OF_TEST]
        notes.append(f"No image was named: these are {len(pixels)} of the run's test split.")
    else:
        notes.append(f"No image was named, and the run's test split is not here any more. {HINT}")
    asked = Asked(path, number, pixels[:SHOWN], called[:SHOWN], many, many_called, card.class_names, seed)
    sections, told, missing = [], [], []
    for place, each in enumerate(chosen):
        method = base.method(each)
        progress.emit("step", what=method.TITLE, done=place, of=len(chosen))
        try:
            answer = _answer(method, network, asked)
        except Unsuited as error:
            if asked_for:
                raise
            missing.append({"method": each, "why": error.message, "hint": error.hint})
            continue
        sections.append(inside.section(each, method, answer))
        told.append(
            {
                "method": each,
                "title": method.TITLE,
                "layer": path and network.short(path),
                "unit": number,
                "figures": list(answer.figures),
                "notes": list(answer.notes),
                "pictures": _pictures(where, each, answer) if png else [],
            }
        )
    if missing:
        blocks = [Missing(base.method(row["method"]).TITLE, f"{row['why']} {row['hint']}".strip()) for row in missing]
        sections.append(Section("not-shown", "What is not shown", "Methods that say nothing of this model, and why.", blocks))
    html = _page(name, card, network, sections, notes, len(told))
    return {
        "model": model,
        "size": list(network.shape),
        "page": outputs.write(where / PAGE, html.encode()),
        "methods": told,
        "missing": missing,
        "images": rows,
        "notes": notes,
    }


def _answer(method, network, asked):
    """Raises Unsuited where a method lacks what it needs."""
    if IMAGES in method.NEEDS and not len(asked.images):
        raise Unsuited(f"{method.TITLE} needs an image, and there is none.", HINT)
    if MANY in method.NEEDS and not len(asked.many):
        raise Unsuited(f"{method.TITLE} needs images to search, and there are none.", HINT)
    return method.show(network, asked)


def _unit(network: Network, path: str, unit: str, card: Card) -> int:
    if unit.isdecimal():
        return network.check_unit(path, int(unit))
    if path == network.output and unit in card.class_names:
        return card.class_names.index(unit)
    known = f" Its classes are {', '.join(card.class_names[:20])}." if path == network.output and card.class_names else ""
    units = network.parts[path].units
    raise UsageError(f"{network.short(path)} has no unit {printable(unit)!r}.", f"It has units 0 to {(units or 1) - 1}.{known}")


def _images(served: Served, network: Network, images: Sequence[str]):
    """Rows of the JSON, pixels float32 [N, height, width, channels] as the network gets them, what each is called, and notes."""
    import tensorflow as tf

    rows, pixels, called = [], [], []
    for path in named.files(images) if images else ():
        try:
            pixels.append(_fitted(served.seen(read(path))[None], network)[0])
        except (Unreadable, tf.errors.InvalidArgumentError) as error:
            said = str(error) if isinstance(error, Unreadable) else "it is no image that can be decoded"
            rows.append({"file": str(path), "error": said})
            continue
        rows.append({"file": str(path)})
        called.append(printable(path.name))
    if rows and not pixels:
        raise UsageError(f"None of the {len(rows)} images can be read: {rows[0]['file']}: {rows[0]['error']}.", "Name others.")
    wrong = [row for row in rows if "error" in row]
    notes = (
        [f"{len(wrong)} of {len(rows)} images cannot be read, the first is {wrong[0]['file']}: {wrong[0]['error']}."]
        if wrong
        else []
    )
    return rows, np.array(pixels, "float32").reshape(-1, *network.shape), called, notes


def _of_test(test: Sequence[str], card: Card, network: Network):
    """Pixels and names of at most SEARCHED images of the test split."""
    sample = reading.Reader(card, task_of(card.task)).sample(list(test), keys.TEST, SEARCHED) if test else None
    if sample is None:
        return np.zeros((0, *network.shape), "float32"), []
    labels = [card.class_names[label] if 0 <= label < len(card.class_names) else "" for label in sample.labels.tolist()]
    called = [inside.called(printable(name), label) for name, label in zip(sample.ids, labels, strict=True)]
    return _fitted(np.asarray(sample.seen, "float32"), network), called


def _fitted(pixels: np.ndarray, network: Network) -> np.ndarray:
    """The middle, of images that the served graph enlarges to take several crops of them."""
    top, left = ((has - wants) // 2 for has, wants in zip(pixels.shape[1:3], network.shape[:2], strict=True))
    return pixels[:, top : top + network.shape[0], left : left + network.shape[1]].astype("float32")


def _pictures(where: Path, method: str, answer) -> list[str]:
    """Write each picture as a PNG of its own; their paths."""
    written = []
    for strip in answer.strips:
        for tile in strip.tiles:
            data = inside.picture(tile, strip.caption, "png").data
            written.append(outputs.write(where / f"{method}-{len(written) + 1:03}.png", data))
    return written


def _page(name: str, card: Card, network: Network, sections: Sequence[Section], notes: Sequence[str], shown: int) -> str:
    size = "x".join(map(str, network.shape))
    convolutions = sum(map(network.is_convolution, network.parts))
    tiles = [
        Tile("architecture", card.architecture),
        Tile("images", f"{size}", "height, width, channels"),
        Tile("layers with weights", str(len(network.weighted())), f"{convolutions} of them convolutions"),
        Tile("parameters", f"{card.params:,}"),
    ]
    without = "" if convolutions else " It has no convolutions, so it has no feature maps in a grid, deconvnet or Grad-CAM."
    sentence = f"{shown} ways of looking inside {printable(name)}."
    verdict = Verdict("open", sentence, [*notes, *([without.strip()] if without else []), CAREFUL])
    return page.html(printable(name), verdict, sections, tiles, f"{card.task}, trained on {card.train_images:,} images")
