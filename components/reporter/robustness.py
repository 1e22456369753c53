"""What corrupted images cost a model: its figures on the same images without and with each corruption at each severity, and mean
corruption errors (Hendrycks & Dietterich 2019, section 4)."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from components import corruptions, examples, inputs, keys, progress
from components.evaluator import intervals, noise, per_image
from components.evaluator.statistic import ID, Decibels, Mean, Rows, Statistic
from components.example_gen import pictures
from components.reporter import reading
from components.tasks.judges.base import Judge
from components.trainer.card import Card
from serving import formats

CLEAN = "clean"  # the name of no corruption, at severity 0
# Of a model that is to give back what it gets: the squared error of what it makes of a corrupted image to the image before, and
# that of the corrupted image itself, both as the model sees them, of values in 0..1.
TO_CLEAN, OF_INPUT = "mse_to_clean", "mse_of_input"
AT_ONCE, VALUES = 64, 2**24  # images that are held at a time, and values of their pixels
SHOWN = 96  # px of a picture of the sheet
FINE = 2  # times the sides of what the model sees, above which an image loses in resizing what a corruption did to it

Ask = Callable[[str, Sequence[bytes]], Mapping[str, np.ndarray]]  # signature, serialized tf.Examples -> outputs, first axis N
Condition = tuple[str, int]  # a corruption and a severity


@dataclass
class Asked:
    """What was asked.

    Args:
        images: that were asked about, of `of`. digest: SHA-256 of their ids and pixels, which all that is drawn follows from.
        constants: data set of corruptions.SIZES -> images that got its constants. fine: how many are more than FINE times as large
            as what the model sees.
        rows: of each model, condition -> what the judge keeps of the answers.
        sheet: corruption -> the first image, uint8 [h, w, 1 or 3] of at most SHOWN px, at severities 0 to 5. name: its id.
    """

    of: int
    rows: list[dict[Condition, Rows]]
    images: int = 0
    digest: str = ""
    constants: Counter = field(default_factory=Counter)
    fine: int = 0
    sheet: dict[str, list[np.ndarray]] = field(default_factory=dict)
    name: str = ""


def conditions(names: Sequence[str]) -> list[Condition]:
    """All that images are asked about in, without corruption first."""
    return [(CLEAN, 0), *((name, severity) for name in names for severity in corruptions.SEVERITIES)]


def asked(
    files: Sequence[str],
    card: Card,
    judge: Judge,
    models: Sequence[Ask],
    names: Sequence[str],
    most: int,
    remade: str | None = None,
) -> Asked:
    """Ask models about images of Examples, through the signature that Evaluator reads: without corruption as they are kept, and
    with each as a PNG. No more than AT_ONCE images are held.

    Args:
        files: of a split. most: images, chosen by a hash of their ids.
        models: of one task, that read alike.
        names: of corruptions.
        remade: as of Judge, where the models have it.
    """
    ids = list(examples.ids_of(files))
    places = reading.chosen(ids, most)
    told = Asked(len(ids), [{} for _ in models])
    kept: list[dict[Condition, list[dict]]] = [{condition: [] for condition in conditions(names)} for _ in models]
    digest, seen = hashlib.sha256(), _seen(card)
    for group in _groups(files, set(places), card):
        labels = [_label(record, judge.label_key) for record in group.records]
        numbers = [per_image.digest(image_id) for image_id in group.ids]
        clean = seen([examples.values(record, group.feature)[0] for record in group.records]) if remade else None
        for image_id, pixels in zip(group.ids, group.pixels, strict=True):
            digest.update(image_id + hashlib.sha256(pixels.data).digest())
            told.constants[corruptions.size_of(*pixels.shape[:2])] += 1
            told.fine += max(pixels.shape[0] / card.seen.height, pixels.shape[1] / card.seen.width) > FINE
        for name, severity in conditions(names):
            made = [corruptions.corrupted(each, name, severity) if severity else each for each in group.pixels]
            if not told.images:
                told.name = group.ids[0].decode(errors="replace")
                told.sheet.setdefault(name, []).append(_small(made[0]))
            encoded = [formats.png(each) for each in made] if severity else None
            sent = [group.sent(place, encoded[place] if encoded else None) for place in range(len(made))]
            given = (seen(encoded) if encoded else clean) if remade else None
            for model, into in zip(models, kept, strict=True):
                columns = _answers(model, judge, remade, sent, labels, clean, given)
                into[name, severity] += [
                    {ID: number, keys.LABEL: -1 if np.size(label) > 1 else int(label), **row}
                    for number, label, row in zip(numbers, labels, columns, strict=True)
                ]
        told.images += len(group.records)
        progress.emit("step", what="Asking about corrupted images", done=told.images, of=len(places))
    told.digest = digest.hexdigest()
    if CLEAN in told.sheet:
        [first] = told.sheet.pop(CLEAN)
        told.sheet = {name: [first, *made] for name, made in told.sheet.items()}
    told.rows = [{condition: _columns(rows) for condition, rows in of_model.items()} for of_model in kept]
    return told


def statistics(judge: Judge, rows: Rows) -> dict[str, Statistic]:
    """Figure -> how it follows from rows, of those that have all that it takes; none of labels where no image has one."""
    known = {name: of for name in judge.metrics if (of := noise.statistic_of(name, judge, rows)) is not None}
    if not (rows[keys.LABEL] >= 0).any():
        known = {name: of for name, of in known.items() if keys.LABEL not in of.columns}
    return known | {name: Mean(name, least=0.0) for name in (TO_CLEAN, OF_INPUT) if name in rows}


def figures(judge: Judge, rows: Rows) -> tuple[dict[str, float], dict[str, list[float]]]:
    """What statistics say of rows, and their intervals; those that are no number are left out."""
    values, ends = {}, {}
    for name, of in statistics(judge, rows).items():
        if np.isfinite(value := of.value(rows)):
            values[name] = value
            if (interval := of.interval(rows)) is not None and np.isfinite(interval).all():
                ends[name] = [float(end) for end in interval]
    return values, ends


def listed(judge: Judge, rows: Mapping[Condition, Rows]) -> list[dict[str, Any]]:
    """[{name, severity, figures, intervals}], of each condition."""
    told = []
    for (name, severity), of in rows.items():
        values, ends = figures(judge, of)
        told.append({"name": name, "severity": severity, "figures": values, "intervals": ends})
        progress.emit("step", what="Intervals of the figures", done=len(told), of=len(rows))
    return told


def means(
    judge: Judge, rows: Mapping[Condition, Rows], told: Sequence[Mapping], baseline: Sequence[Mapping] = ()
) -> list[dict[str, Any]]:
    """What stands for all conditions, of the first figure that the images give and, of a model that gives back what it gets, of
    TO_CLEAN.

    Args:
        told: as `listed` says it of the rows. baseline: the same of another model.

    Returns:
        [{figure, better,
        clean: without corruption, mean: over corruptions of the mean over severities, interval: of that, over which images there
            are,
        mean_corruption_error: the mean of the error, which is the figure itself where less is better and 1 - figure of a share or
            an area; None of others, such as decibels,
        normalized: the mean over corruptions of the errors' sum by that of the baseline, relative: the same of how much each is
            above that of clean images; None without a baseline, or where its sum is 0 or less,
        by_corruption: {name: {mean, error, normalized, relative}}}].
    """
    names = list(dict.fromkeys(name for name, severity in rows if severity))
    made = []
    for figure in _main(judge, told):
        better = judge.metrics[figure].better if figure in judge.metrics else "less"
        ours, theirs = ({(row["name"], row["severity"]): row["figures"].get(figure) for row in of} for of in (told, baseline))
        is_share = _is_share(figure, judge, [*ours.values(), *theirs.values()])

        def error(value, better=better, is_share=is_share):
            return None if value is None else value if better == "less" else 1.0 - value if is_share else None

        by_corruption = {}
        for name in names:
            values, others = ([of.get((name, severity)) for severity in corruptions.SEVERITIES] for of in (ours, theirs))
            errors, their_errors = [error(value) for value in values], [error(value) for value in others]
            above, their_above = _above(errors, error(ours[CLEAN, 0])), _above(their_errors, error(theirs.get((CLEAN, 0))))
            by_corruption[name] = {
                "mean": _mean(values),
                "error": _mean(errors),
                "normalized": _ratio(errors, their_errors),
                "relative": _ratio(above, their_above),
            }
        of_all = {key: _mean([part[key] for part in by_corruption.values()]) for key in ("mean", "error", "normalized", "relative")}
        interval = _interval(judge, rows, figure)
        made.append(
            {
                "figure": figure,
                "better": better,
                "clean": ours[CLEAN, 0],
                "mean": of_all["mean"],
                "interval": interval,
                "mean_corruption_error": of_all["error"],
                "normalized": of_all["normalized"],
                "relative": of_all["relative"],
                "by_corruption": by_corruption,
            }
        )
    return made


def _main(judge: Judge, told: Sequence[Mapping]) -> list[str]:
    there = told[0]["figures"]
    first = next((name for name, metric in judge.metrics.items() if name in there and not metric.is_count), None)
    return [*([first] if first else []), *([TO_CLEAN] if TO_CLEAN in there else [])]


def _is_share(figure: str, judge: Judge, values: Sequence[float | None]) -> bool:
    of = judge.metrics[figure].statistic if figure in judge.metrics else None
    return not isinstance(of, Decibels) and all(value is None or 0.0 <= value <= 1.0 for value in values)


def _above(errors: Sequence[float | None], clean: float | None) -> list[float | None]:
    return [None if error is None or clean is None else error - clean for error in errors]


def _ratio(ours: Sequence[float | None], theirs: Sequence[float | None]) -> float | None:
    if None in ours or None in theirs or not sum(theirs) > 0:
        return None
    return sum(ours) / sum(theirs)


def _mean(values: Sequence[float | None]) -> float | None:
    return float(np.mean(values)) if values and None not in values else None


def _interval(judge: Judge, rows: Mapping[Condition, Rows], figure: str) -> list[float] | None:
    """Of the mean over all conditions with a corruption: each resample has the same images in all."""
    of_each = [(statistics(judge, of).get(figure), of) for (_, severity), of in rows.items() if severity]
    if not of_each or any(of is None for of, _ in of_each):
        return None

    def mean(weights: np.ndarray) -> np.ndarray:
        return np.mean([of.weighted(held, weights) for of, held in of_each], axis=0)

    images = len(next(iter(rows.values()))[ID])
    ends = intervals.percentiles(intervals.resampled(mean, images))
    return list(ends) if ends else None


@dataclass(frozen=True)
class _Group:
    """Images that are held together. `feature` is where a record has them."""

    feature: str
    ids: list[bytes]
    records: list[Any]  # tf.train.Example
    pixels: list[np.ndarray]

    def sent(self, place: int, encoded: bytes | None) -> bytes:
        """The record at a place, with another image where one is given."""
        record = self.records[place]
        if encoded is not None:
            changed = type(record)()
            changed.CopyFrom(record)
            changed.features.feature[self.feature].bytes_list.value[:] = [encoded]
            record = changed
        return record.SerializeToString()


def _groups(files: Sequence[str], places: set[int], card: Card) -> Iterator[_Group]:
    feature = inputs.input_of(card.reads).feature
    group = _Group(feature, [], [], [])
    for place, record in enumerate(examples.parsed(examples.records_of(files).as_numpy_iterator())):
        if place not in places:
            continue
        [encoded] = examples.values(record, feature)
        pixels = pictures.pixels(encoded, card.reading)
        held = sum(each.size for each in group.pixels)
        if group.ids and (len(group.ids) == AT_ONCE or held + pixels.size > VALUES):
            yield group
            group = _Group(feature, [], [], [])
        group.ids.append(next(iter(examples.values(record, keys.EXAMPLE_ID)), b""))
        group.records.append(record)
        group.pixels.append(pixels)
    if group.ids:
        yield group


def _seen(card: Card) -> Callable[[Sequence[bytes]], np.ndarray]:
    """Encoded images -> what the model gets, in 0..1: float32 [N, height, width, channels]."""
    kind = inputs.input_of(card.reads)
    graph = tf.function(
        lambda raw: kind.given(kind.seen(raw, card)), input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    return lambda encoded: graph(tf.constant(encoded)).numpy() / 255.0


def _answers(model: Ask, judge: Judge, remade: str | None, sent, labels, clean, given) -> list[dict]:
    """What the judge keeps of each image."""
    outputs = model(judge.signature, sent)
    rows = [judge.each({name: value[place] for name, value in outputs.items()}, label) for place, label in enumerate(labels)]
    made = next((value for value in model(remade, sent).values() if np.shape(value) == clean.shape), None) if remade else None
    if made is not None:
        for place, row in enumerate(rows):
            row[TO_CLEAN] = float(np.square(made[place] / 255.0 - clean[place]).mean())
            row[OF_INPUT] = float(np.square(given[place] - clean[place]).mean())
    return rows


def _label(record, label_key: str | None) -> int | np.ndarray:
    """As Evaluator gives it to a judge."""
    values = examples.values(record, label_key)
    return np.array(values, np.int64) if len(values) > 1 else int(values[0]) if values else -1


def _columns(rows: Sequence[Mapping]) -> Rows:
    dtypes = {ID: np.uint64, keys.LABEL: np.int64}
    return {name: np.array([row[name] for row in rows], dtypes.get(name, np.float32)) for name in (rows[0] if rows else {})}


def _small(pixels: np.ndarray) -> np.ndarray:
    image = formats.pillow(pixels)
    image.thumbnail((SHOWN, SHOWN), Image.Resampling.BOX)
    made = np.asarray(image)
    return made if made.ndim == 3 else made[:, :, None]
