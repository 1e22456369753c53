"""Training images as a model gets them and as augmentation makes them, on a contact sheet and on a page."""

import base64
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import yaml

from components import targets as kinds
from components.example_gen import records, sources
from configs import policies
from configs.errors import UsageError
from configs.schema.augment import AugmentStep
from configs.schema.run import RunConfig
from pipelines.data_sets import marks, pages
from pipelines.data_sets.choosing import Chosen
from reports import sheet
from serving import formats

COLUMNS = 2  # blocks side by side


class Shown(NamedTuple):
    """One training image: as the model would get it and as training will, uint8 [height, width, channels] each, with what it is
    labelled with drawn in. names: of its classes; said: what else is said of it."""

    names: list[str]
    image_id: str
    original: np.ndarray
    augmented: list[np.ndarray]
    said: list[str]


def seen(cfg: RunConfig, steps: Sequence[AugmentStep], chosen: list[Chosen], contents, samples: int, task) -> list[Shown]:
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
    names, said = marks.labels(image.raw.label, image.targets, contents)
    widest = max(views, key=lambda view: view.shape)
    views = [np.asarray(sheet.picture(view).convert("RGB")) if view.shape != widest.shape else view for view in views]
    return Shown(names, image.raw.example_id.decode(errors="replace"), views[0], views[1:], said)


def colours(chosen: list[Chosen], contents: sources.Contents) -> dict[str, str]:
    """Class that is drawn -> its colour, as CSS has it."""
    drawn: dict[str, tuple[int, int, int]] = {}
    for name, value in ((name, value) for image in chosen for name, value in image.targets.items()):
        drawn |= marks.coloured(kinds.of(name), value, contents.targets[name])
    return {name: f"rgb{parts}" for name, parts in sorted(drawn.items())}


def contact(shown: Sequence[Shown]) -> bytes:
    """A PNG of all, a caption below each."""
    blocks = [sheet.Block(_caption(image), [image.original, *image.augmented]) for image in shown]
    return formats.png(sheet.sheet(blocks, COLUMNS))


def _caption(image: Shown) -> str:
    return "  ".join(filter(None, [", ".join(image.names), image.image_id, *image.said]))


def page(cfg: RunConfig, steps: Sequence[AugmentStep], shown: Sequence[Shown], colours: Mapping[str, str], told: str) -> str:
    """The same as a page that needs nothing beside it."""

    def embedded(image: np.ndarray) -> str:
        return base64.b64encode(formats.png(sheet.picture(image))).decode()

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
    return pages.rendered(
        "sheet.html.j2",
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
