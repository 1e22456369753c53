"""What training will see of a config's images, as a picture and as a page. Runs in the worker process.

Nothing of the pipeline runs: images come straight from the source, are chosen by the rules that ExampleGen splits by, and pass
through the functions that Transform and Trainer call.
"""

import base64
import contextlib
import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

import keras_models
from components import inputs, keys, progress
from components import targets as kinds
from components.example_gen import listing, records, sources, splits
from components.example_gen.records import share
from components.inputs.storing import Damaged, Stored
from configs import load, policies, words
from configs.errors import HubelError, UsageError, first_line
from configs.schema.augment import AugmentStep
from configs.schema.data import DataConfig
from configs.schema.run import RunConfig
from keras_models.record import CLASSIFICATION
from pipelines.data_sets import marks
from reports import sheet
from serving import formats

SPARE = 2  # images of a class beyond those to be shown, in case of damaged ones
TOLD = 2000  # images between two words of progress
COLUMNS = 2  # blocks side by side
PNG, HTML = "preview.png", "preview.html"


class Chosen(NamedTuple):
    """A sound training image as ExampleGen would write it, and further targets that it has, as their kinds check them."""

    raw: sources.Raw
    stored: Stored
    targets: dict[str, Any]


class Shown(NamedTuple):
    """One training image: as the model would get it and as training will, uint8 [height, width, channels] each, with what it is
    labelled with drawn in. names: of its classes; said: what else is said of it."""

    names: list[str]
    image_id: str
    original: np.ndarray
    augmented: list[np.ndarray]
    said: list[str]


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
    chosen, contents, damaged = _chosen(cfg, Path(datasets), images, task)
    set_aside = dict(Counter(filter(None, damaged.values())).most_common())
    if not chosen:
        why = f" {told}" if (told := _aside(len(damaged), set_aside)) else ""
        raise HubelError(
            f"There is no sound training image in {cfg.data.source}.{why}", "Check the data, data.inliers and data.limit."
        )
    progress.emit("step", what="Augmenting", done=0, of=None)
    shown = _seen(cfg, steps, chosen, contents, samples if steps else 0, task)
    told = _aside(len(damaged), set_aside)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        blocks = [sheet.Block(_caption(image), [image.original, *image.augmented]) for image in shown]
        for name in (PNG, HTML):
            listing.record(folder / name)
        (folder / PNG).write_bytes(formats.png(sheet.sheet(blocks, COLUMNS)))
        (folder / HTML).write_text(_page(cfg, steps, shown, _colours(chosen, contents), told), encoding="utf-8")
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


def _chosen(cfg: RunConfig, datasets: Path, images: int, task) -> tuple[list[Chosen], sources.Contents, dict[bytes, str]]:
    """Training images, in order of their label; of images with several classes those of each class in turn. With them {id of an
    image that was read: why a run sets it aside, empty where it does not}."""
    located = sources.locate(cfg.data, datasets)
    data, contents = sources.opened(cfg.data, located.address)
    own = splits.used(contents.shards)
    needed = {name for name in task.targets if kinds.is_further(name)}

    def images_of(names: Iterable[str]) -> Iterator[tuple[str, sources.Raw]]:
        for name in names:
            for shard in contents.shards[name]:
                for raw in sources.images_of(data, located.address, shard):
                    if needed <= raw.known:
                        yield name, raw

    plan = _plan(images_of(own), own, contents, data)
    trained_on = [name for name, ours in own.items() if ours == keys.TRAIN]
    several = contents.labelled if contents.labelled != keys.LABEL else None
    quota = -(-images // max(1, len(contents.targets[several] if several else contents.class_names)))
    lowest: dict[int | None, list] = {}
    for number, (name, raw) in enumerate(images_of(trained_on)):
        if number % TOLD == 0:
            progress.emit("step", what="Choosing images", done=number, of=contents.counts.get(name))
        if plan.split_of(name, raw, data) != keys.TRAIN:
            continue
        for label in (raw.label,) if several not in raw.targets else kinds.of(several).classes(raw.targets[several]()) or (None,):
            drawn = lowest.setdefault(label, [])
            heapq.heappush(drawn, (-share(raw.example_id, b"preview"), number, raw))
            if len(drawn) > quota + SPARE:
                heapq.heappop(drawn)
    damaged: dict[bytes, str] = {}
    by_label = {label: _sound(drawn, quota, data, contents, damaged) for label, drawn in lowest.items()}
    order = sorted(by_label, key=lambda label: (label is None, label))
    rounds = itertools.zip_longest(*(by_label[label] for label in order))
    taken: dict[bytes, Chosen] = {}
    for image in (image for row in rounds for image in row if image is not None):
        taken.setdefault(image.raw.example_id, image)
    first = list(taken.values())[:images]
    place = {label: at for at, label in enumerate(order)}
    ranked = sorted(first, key=lambda image: (place.get(image.raw.label, 0), share(image.raw.example_id, b"preview")))
    return ranked, contents, damaged


def _plan(every: Iterable[tuple[str, sources.Raw]], own: dict[str, str], contents: sources.Contents, data: DataConfig):
    """splits.Plan as ExampleGen makes it, without Beam."""
    if not splits.needs_census(own, contents.counts, bool(contents.class_names), data):
        return splits.Plan(own)
    census = splits.Census(data)
    counted = census.create_accumulator()
    for name, raw in every:
        counted = census.add_input(counted, (name, splits.row_of(raw)))
    return splits.plan(census.extract_output(census.merge_accumulators([counted])), own, data)


def _sound(drawn: list, quota: int, data: DataConfig, contents: sources.Contents, damaged: dict[bytes, str]) -> list[Chosen]:
    """Up to `quota` images that can be read, as ExampleGen would write them. damaged: gets what became of each that was read."""
    sound, storage = [], inputs.storage_of(inputs.DEFAULT)
    for _, _, raw in sorted(drawn, reverse=True):
        try:
            stored = storage.store(raw.encoded(), data)
            targets = {
                name: kinds.of(name).checked(read(), *stored.size, contents.targets[name], data)
                for name, read in raw.targets.items()
            }
        except (Damaged, OSError, ValueError) as error:
            damaged[raw.example_id] = first_line(error)
            continue
        damaged[raw.example_id] = ""
        sound.append(Chosen(raw, stored, targets))
        if len(sound) == quota:
            break
    return sound


def _seen(cfg: RunConfig, steps: Sequence[AugmentStep], chosen: list[Chosen], contents, samples: int, task) -> list[Shown]:
    """Resize as Transform does and augment as Trainer does, in the epochs 0 to samples - 1."""
    import tensorflow as tf

    from components.transform import pixels
    from components.transform.augment import steps as augment

    encoded = tf.constant([image.stored.encoded for image in chosen])
    originals = pixels.from_bytes(encoded, cfg.transform, cfg.reading)
    shape = (cfg.transform.height, cfg.transform.width, cfg.transform.channels)
    flat = originals.numpy().reshape(-1, shape[-1])
    clips_noise = cfg.transfer is not None or not task.cleans
    covariance = np.atleast_2d(np.cov(flat, rowvar=False)).ravel()  # of these images: training's is of all
    views: list[list[np.ndarray]] = [[] for _ in chosen]
    for places, follows in _placed(cfg, steps, chosen):
        some = tf.gather(originals, places)
        _keep(views, places, some.numpy(), follows)
        for epoch in range(samples):
            ids = [chosen[at].raw.example_id for at in places]
            numbers = [augment.draw(steps, cfg.seed, tf.constant(epoch, tf.int64), tf.constant(name), shape) for name in ids]
            batch = tf.cast(some, tf.float32)
            changed = augment.change(steps, batch, tf.stack(numbers), covariance, follows, clips_noise)
            seen = np.rint(np.clip(changed.images.numpy(), 0, 255)).astype(np.uint8)  # what noise puts beyond cannot be shown
            _keep(views, places, seen, changed.targets)
    return [_shown(image, view, contents) for image, view in zip(chosen, views, strict=True)]


def _placed(cfg: RunConfig, steps: Sequence[AugmentStep], chosen: list[Chosen]) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """(places of the images that have the same targets with places in them, these as tasks get them)."""
    import tensorflow as tf

    from components.transform.follow import Resize

    groups: dict[tuple[str, ...], list[int]] = {}
    for at, image in enumerate(chosen):
        names = (name for name in kinds.KINDS if name in image.targets)
        groups.setdefault(tuple(name for name in names if _follows(kinds.of(name), cfg, steps)), []).append(at)
    for names, places in groups.items():
        parts = [kinds.of(name) for name in names]
        held = [
            records.example(b"", b"", None, {name: chosen[at].targets[name] for name in names}, chosen[at].stored.numbers)
            for at in places
        ]
        values = (
            tf.io.parse_example(held, {name: feature for kind in parts for name, feature in kind.spec().items()}) if parts else {}
        )
        resize = Resize(cfg.transform, values, tf.constant(len(places)))
        yield places, {kind.name: kind.given(kind.resized(values, resize)) for kind in parts}


def _follows(kind: kinds.Kind, cfg: RunConfig, steps: Sequence[AugmentStep]) -> bool:
    """Whether it has places in an image that can be shown. One that the config's model learns from has been checked before."""
    from components.transform.augment import steps as augment

    if not kind.moves or (kind.has_corners and cfg.transform.resize == "squares"):
        return False
    with contextlib.suppress(UsageError):
        augment.check(steps, [kind.name])
        return True
    return False


def _keep(views: list[list[np.ndarray]], places: Sequence[int], images: np.ndarray, follows) -> None:
    """Add each image with its targets drawn in to the views of its place."""
    values = {name: value.numpy() for name, value in follows.items()}
    for row, at in enumerate(places):
        image = images[row]
        for name, value in values.items():
            image = marks.drawn(kinds.of(name), image, value[row])
        views[at].append(image)


def _shown(image: Chosen, views: list[np.ndarray], contents: sources.Contents) -> Shown:
    of_label = contents.labelled
    names = [] if image.raw.label is None else [contents.class_names[image.raw.label]]
    told = {name: marks.said(kinds.of(name), value, contents.targets[name]) for name, value in image.targets.items()}
    names += told.pop(of_label, [])
    said = [", ".join(words) if kinds.of(name).counted else "; ".join(words) for name, words in told.items() if words]
    widest = max(views, key=lambda view: view.shape)
    views = [np.asarray(sheet.picture(view).convert("RGB")) if view.shape != widest.shape else view for view in views]
    return Shown(names, image.raw.example_id.decode(errors="replace"), views[0], views[1:], said)


def _colours(chosen: list[Chosen], contents: sources.Contents) -> dict[str, str]:
    """Class that is drawn -> its colour, as CSS has it."""
    drawn: dict[str, tuple[int, int, int]] = {}
    for name, value in ((name, value) for image in chosen for name, value in image.targets.items()):
        drawn |= marks.coloured(kinds.of(name), value, contents.targets[name])
    return {name: f"rgb{parts}" for name, parts in sorted(drawn.items())}


def _caption(image: Shown) -> str:
    return "  ".join(filter(None, [", ".join(image.names), image.image_id, *image.said]))


def _page(cfg: RunConfig, steps: Sequence[AugmentStep], shown: Sequence[Shown], colours: Mapping[str, str], told: str) -> str:
    """The same as a page that needs nothing beside it."""
    import jinja2

    def embedded(image: np.ndarray) -> str:
        return base64.b64encode(formats.png(sheet.picture(image))).decode()

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    rows = [
        {
            "name": ", ".join(image.names),
            "id": image.image_id,
            "said": image.said,
            "original": embedded(image.original),
            "augmented": list(map(embedded, image.augmented)),
        }
        for image in shown
    ]
    return environment.get_template("preview.html.j2").render(
        cfg=cfg,
        rows=rows,
        doubts=policies.doubts(steps, sorted({name for image in shown for name in image.names}), cfg.export.crops),
        colours=colours,
        told=told,
        steps=[_words(step) for step in steps],
    )


def _words(step: AugmentStep) -> str:
    """As it stands in a config."""
    return yaml.safe_dump(step.model_dump(mode="json"), default_flow_style=True, width=10_000).strip()
