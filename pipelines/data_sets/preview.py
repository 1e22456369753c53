"""What training will see of a config's images, as a picture and as a page. Runs in the worker process.

Nothing of the pipeline runs: images come straight from the source, are chosen by the rules that ExampleGen splits by, and pass
through the functions that Transform and Trainer call.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras_models
from components import inputs, progress
from components.example_gen import listing
from configs import load, policies, words
from configs.errors import HubelError, UsageError
from configs.schema.run import RunConfig
from keras_models.record import CLASSIFICATION
from pipelines.data_sets import choosing, sheets
from reports import sheet
from serving import formats

COLUMNS = 2  # blocks side by side
PNG, HTML = "preview.png", "preview.html"


def preview(config: str, assignments: list[str], datasets: str, out: str, images: int, samples: int) -> dict[str, Any]:
    """Write a contact sheet of training images into the folder `out`, which is made.

    Args:
        images: how many, spread evenly over the classes.
        samples: augmented ones of each: those of the first epochs.

    Returns:
        {png, html, images, classes: of those shown, looked_at: how many were read to choose from, set_aside: {why: how many of
        these a run sets aside too}, notes: sentences on that}.

    Raises:
        UsageError: for a wrong config, or data that is not there.
        HubelError: where no training image is sound, or `out` cannot be written.
    """
    from components.transform.augment import steps as augment

    cfg = load.load(config, assignments)
    if cfg.transfer is None and (reads := keras_models.check(cfg.model.name).reads) != inputs.DEFAULT:
        raise UsageError(f"A preview shows images, and {cfg.model.name} reads {reads}.", "Take the config of a model of images.")
    task = _task(cfg)
    steps = policies.expand(cfg.augment, cfg.transform.channels)
    augment.check(steps, task.targets)
    chosen, contents, damaged = choosing.chosen(cfg, Path(datasets), images, task)
    set_aside = dict(Counter(filter(None, damaged.values())).most_common())
    if not chosen:
        why = f" {told}" if (told := _aside(len(damaged), set_aside)) else ""
        raise HubelError(
            f"There is no sound training image in {cfg.data.source}.{why}", "Check the data, data.inliers and data.limit."
        )
    progress.emit("step", what="Augmenting", done=0, of=None)
    shown = sheets.seen(cfg, steps, chosen, contents, samples if steps else 0, task)
    told = _aside(len(damaged), set_aside)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        blocks = [sheet.Block(sheets.caption(image), [image.original, *image.augmented]) for image in shown]
        for name in (PNG, HTML):
            listing.record(folder / name)
        (folder / PNG).write_bytes(formats.png(sheet.sheet(blocks, COLUMNS)))
        (folder / HTML).write_text(sheets.page(cfg, steps, shown, sheets.colours(chosen, contents), told), encoding="utf-8")
    except OSError as error:
        raise HubelError(
            f"{error.filename or folder} cannot be written: {error.strerror}.", "Choose another folder: --out."
        ) from None
    names = {name for image in shown for name in image.names}
    written = {"png": str(folder / PNG), "html": str(folder / HTML), "images": len(shown), "classes": len(names)}
    return {**written, "looked_at": len(damaged), "set_aside": set_aside, "notes": [told] if told else []}


def _aside(looked_at: int, set_aside: Mapping[str, int]) -> str:
    """A sentence on images that are not shown, because a run sets them aside; empty without any."""
    if not set_aside:
        return ""
    why = "; ".join(f"{count:,}: {reason}" for reason, count in set_aside.items())
    aside = sum(set_aside.values())
    are = f"{aside:,} {'is' if aside == 1 else 'are'} set aside, as by a run"
    return f"Of {words.count(looked_at, 'image')} read to choose from {are} ({why})."


def _task(cfg: RunConfig):
    """What learns from the images: a classifier, of a transfer."""
    from components.tasks.by_name import of_data, task_of

    name = CLASSIFICATION if cfg.transfer is not None else keras_models.check(cfg.model.name).task
    return task_of(of_data(name, cfg.data.features))
