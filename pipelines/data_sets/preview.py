"""What training will see of a config's images, as a picture and as a page. Runs in the worker process.

Nothing of the pipeline runs: images come straight from the source, are chosen by the rules that ExampleGen splits by, and pass
through the functions that Transform and Trainer call.
"""

import base64
import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

import keras_models
from components import inputs, keys, progress
from components.example_gen import listing, pictures, sources, splits
from components.example_gen.records import share
from configs import load, policies
from configs.errors import HubelError, UsageError
from configs.schema.augment import AugmentStep
from configs.schema.data import DataConfig
from configs.schema.reading import Reading
from configs.schema.run import RunConfig
from reports import sheet
from serving import formats

SPARE = 2  # images of a class beyond those to be shown, in case of damaged ones
TOLD = 2000  # images between two words of progress
COLUMNS = 2  # blocks side by side
PNG, HTML = "preview.png", "preview.html"


class Shown(NamedTuple):
    """One training image: as the model would get it and as training will, uint8 [height, width, channels] each."""

    name: str
    image_id: str
    original: np.ndarray
    augmented: list[np.ndarray]


def preview(config: str, assignments: list[str], datasets: str, out: str, images: int, samples: int) -> dict[str, Any]:
    """Write a contact sheet of training images into the folder `out`, which is made.

    Args:
        images: how many, spread evenly over the classes.
        samples: augmented ones of each: those of the first epochs.

    Returns:
        {png, html, images, classes: of those shown}.

    Raises:
        UsageError: for a wrong config, or data that is not there.
        HubelError: where no training image is sound, or `out` cannot be written.
    """
    cfg = load.load(config, assignments)
    if cfg.transfer is None and (reads := keras_models.check(cfg.model.name).reads) != inputs.DEFAULT:
        raise UsageError(f"A preview shows images, and {cfg.model.name} reads {reads}.", "Take the config of a model of images.")
    chosen = _chosen(cfg, Path(datasets), images)
    if not chosen:
        raise HubelError(f"There is no sound training image in {cfg.data.source}.", "Check the data, data.inliers and data.limit.")
    progress.emit("step", what="Augmenting", done=0, of=None)
    steps = policies.expand(cfg.augment, cfg.transform.channels)
    shown = _seen(cfg, steps, chosen, samples if steps else 0)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        blocks = [sheet.Block(_caption(one), [one.original, *one.augmented]) for one in shown]
        for name in (PNG, HTML):
            listing.record(folder / name)
        (folder / PNG).write_bytes(formats.png(sheet.sheet(blocks, COLUMNS)))
        (folder / HTML).write_text(_page(cfg, steps, shown), encoding="utf-8")
    except OSError as error:
        raise HubelError(
            f"{error.filename or folder} cannot be written: {error.strerror}.", "Choose another folder: --out."
        ) from None
    names = {one.name for one in shown if one.name}
    return {"png": str(folder / PNG), "html": str(folder / HTML), "images": len(shown), "classes": len(names)}


def _chosen(cfg: RunConfig, datasets: Path, images: int) -> list[tuple[str, bytes, bytes]]:
    """(class name, id, encoded) of training images, in order of their label."""
    located = sources.locate(cfg.data, datasets)
    data, contents = sources.opened(cfg.data, located.address)
    own = splits.used(contents.shards)

    def images_of(names: Iterable[str]) -> Iterator[tuple[str, sources.Raw]]:
        for name in names:
            for shard in contents.shards[name]:
                for raw in sources.images_of(data, located.address, shard):
                    yield name, raw

    plan = _plan(images_of(own), own, contents, data)
    trained_on = [name for name, ours in own.items() if ours == keys.TRAIN]
    quota = -(-images // max(1, len(contents.class_names)))
    lowest: dict[int | None, list] = {}
    for number, (name, raw) in enumerate(images_of(trained_on)):
        if number % TOLD == 0:
            progress.emit("step", what="Choosing images", done=number, of=contents.counts.get(name))
        if plan.split_of(name, raw, data) == keys.TRAIN:
            drawn = lowest.setdefault(raw.label, [])
            heapq.heappush(drawn, (-share(raw.example_id, b"preview"), number, raw))
            if len(drawn) > quota + SPARE:
                heapq.heappop(drawn)
    by_label = {label: _sound(drawn, quota, cfg.reading) for label, drawn in lowest.items()}
    rounds = itertools.zip_longest(*(by_label[label] for label in sorted(by_label, key=lambda label: (label is None, label))))
    taken = [raw for row in rounds for raw in row if raw is not None][:images]
    names = [*contents.class_names]
    found = [("" if raw.label is None else names[raw.label], raw.example_id, encoded) for raw, encoded in taken]
    return sorted(found, key=lambda one: (names.index(one[0]) if one[0] else len(names), share(one[1], b"preview")))


def _plan(every: Iterable[tuple[str, sources.Raw]], own: dict[str, str], contents: sources.Contents, data: DataConfig):
    """splits.Plan as ExampleGen makes it, without Beam."""
    if not splits.needs_census(own, contents.counts, bool(contents.class_names), data):
        return splits.Plan(own)
    census = splits.Census(data)
    counted = census.create_accumulator()
    for name, raw in every:
        counted = census.add_input(counted, (name, splits.row_of(raw)))
    return splits.plan(census.extract_output(census.merge_accumulators([counted])), own, data)


def _sound(drawn: list, quota: int, reading: Reading) -> list[tuple[sources.Raw, bytes]]:
    """Up to `quota` images that can be read, as ExampleGen would write them."""
    found = []
    for _, _, raw in sorted(drawn, reverse=True):
        try:
            found.append((raw, pictures.read(raw.encoded(), reading).encoded))
        except (pictures.Damaged, OSError):
            continue
        if len(found) == quota:
            break
    return found


def _seen(cfg: RunConfig, steps: Sequence[AugmentStep], chosen, samples: int) -> list[Shown]:
    """Resize as Transform does and augment as Trainer does, in the epochs 0 to samples - 1."""
    import tensorflow as tf

    from components.tasks.by_name import task_of
    from components.transform import pixels
    from components.transform.augment import steps as augment

    originals = pixels.from_bytes(tf.constant([encoded for _, _, encoded in chosen]), cfg.transform, cfg.reading)
    batch = tf.cast(originals, tf.float32)
    shape = (cfg.transform.height, cfg.transform.width, cfg.transform.channels)
    flat = originals.numpy().reshape(-1, shape[-1])
    clips_noise = cfg.transfer is not None or not task_of(keras_models.check(cfg.model.name).task).cleans
    covariance = np.atleast_2d(np.cov(flat, rowvar=False)).ravel()  # of these images: training's is of all
    epochs = []
    for epoch in range(samples):
        numbers = [augment.draw(steps, cfg.seed, tf.constant(epoch, tf.int64), tf.constant(one[1]), shape) for one in chosen]
        changed = augment.apply(steps, batch, tf.stack(numbers), covariance, clips_noise)
        epochs.append(np.rint(np.clip(changed.numpy(), 0, 255)).astype(np.uint8))  # what noise puts beyond cannot be shown
    return [
        Shown(name, image_id.decode(errors="replace"), originals[at].numpy(), [images[at] for images in epochs])
        for at, (name, image_id, _) in enumerate(chosen)
    ]


def _caption(one: Shown) -> str:
    return f"{one.name}  {one.image_id}".strip()


def _page(cfg: RunConfig, steps: Sequence[AugmentStep], shown: Sequence[Shown]) -> str:
    """The same as a page that needs nothing beside it."""
    import jinja2

    def embedded(image: np.ndarray) -> str:
        return base64.b64encode(formats.png(sheet.picture(image))).decode()

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    rows = [
        {"name": one.name, "id": one.image_id, "original": embedded(one.original), "augmented": list(map(embedded, one.augmented))}
        for one in shown
    ]
    return environment.get_template("preview.html.j2").render(
        cfg=cfg,
        rows=rows,
        doubts=policies.doubts(steps, sorted({one.name for one in shown if one.name}), cfg.export.crops),
        steps=[_words(step) for step in steps],
    )


def _words(step: AugmentStep) -> str:
    """As it stands in a config."""
    return yaml.safe_dump(step.model_dump(mode="json"), default_flow_style=True, width=10_000).strip()
