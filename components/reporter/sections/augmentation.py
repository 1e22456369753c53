"""What augmentation makes of training images: each as the model would get it, and as the first epochs have it."""

import numpy as np

from components import inputs
from components.inputs.reports import image
from components.reporter.material import Material
from configs import policies
from configs.errors import printable
from configs.schema.run import RunConfig
from reports.run.blocks import Pictures, Section

ORDER = 20
SHOWN, EPOCHS = 4, 7  # images, and of each the first epochs


def section(material: Material) -> Section | None:
    """None without augmentation, or of what is no image."""
    if not material.config.get("augment") or material.card is None or material.reads != inputs.DEFAULT:
        return None
    import tensorflow as tf

    from components.transform.augment import steps as augment

    config = RunConfig.model_validate(dict(material.config))
    transform = material.card.transform
    steps = policies.expand(config.augment, transform.channels)
    sample = material.glimpse()
    if sample is None or not steps:
        return None
    places = _of_several_classes(sample.labels, len(sample))
    shape = (transform.height, transform.width, transform.channels)
    originals = tf.constant(sample.seen[places], tf.float32)
    if tuple(originals.shape[1:]) != shape:  # cut from by export.crops: training's are of another size
        originals = tf.image.resize(originals, shape[:2])
    flat = sample.seen.reshape(-1, shape[-1])[:: max(1, sample.seen.size // 10**6)]
    covariance = np.atleast_2d(np.cov(flat, rowvar=False)).ravel()
    made = []
    for epoch in range(EPOCHS):
        ids = [sample.ids[place].encode() for place in places]
        drawn = [augment.draw(steps, config.seed, tf.constant(epoch, tf.int64), tf.constant(name), shape) for name in ids]
        made.append(augment.apply(steps, originals, tf.stack(drawn), covariance).numpy())
    rows: list[Pictures] = []
    for row, place in enumerate(places):
        called = _called(material, sample, place)
        pictures = [image.of_pixels(originals[row].numpy(), f"{called} as it is", called, "good")]
        for epoch, changed in enumerate(made, 1):
            pictures.append(image.of_pixels(changed[row], f"{called} as epoch {epoch} has it", f"epoch {epoch}"))
        rows.append(Pictures(pictures, ""))
    about = (
        f"Training images as they are (outlined) and as augmentation makes them in the first {EPOCHS} epochs: "
        f"{', '.join(step.operation[0].replace('_', ' ') for step in steps)}. None should look like another class."
    )
    return Section("augmentation", "Augmentation", about, rows)


def _of_several_classes(labels: np.ndarray, many: int) -> list[int]:
    """Places of SHOWN examples of as many classes, as far as there are such."""
    order = [round(place) for place in np.linspace(0, many - 1, min(10 * SHOWN, many))]
    first: dict[int, int] = {}
    for place in order if labels.ndim == 1 else ():
        first.setdefault(int(labels[place]), place)
    chosen = list(first.values())[:SHOWN]
    return [*chosen, *(place for place in order if place not in chosen)][:SHOWN]


def _called(material: Material, sample, place: int) -> str:
    label = int(sample.labels[place]) if sample.labels.ndim == 1 else -1
    names = material.class_names
    return printable(names[label]) if 0 <= label < len(names) else printable(sample.ids[place])
