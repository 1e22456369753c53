"""Which of train, validation and test an image belongs to, and whether it is used at all.

A source's own splits are kept; what is missing is carved by a hash of the image's id, for small labelled data in equal shares of
every class. Images of one id stay together, so data in which an id has images of two classes is not stratified. A first pass over
ids and labels, the census, is made only where a rule needs to know the others.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import apache_beam as beam

from components import keys
from components.example_gen import stratify
from components.example_gen.records import share
from components.example_gen.sources import Raw
from configs.errors import HubelError
from configs.schema.data import DataConfig

SMALL = 10_000  # images to carve from, up to which `stratify: auto` stratifies
Row = tuple[float, float, int | None]  # share by which limits are drawn, share by which splits are, label


def used(source_splits: Collection[str]) -> dict[str, str]:
    """Source split -> ours. A source without `train` (say, one split `all`) is carved from what it has."""
    own = {name: keys.SPLIT_WORDS[name.lower()] for name in source_splits if name.lower() in keys.SPLIT_WORDS}
    return own if keys.TRAIN in own.values() else dict.fromkeys(source_splits, keys.TRAIN)


@dataclass(frozen=True)
class Plan:
    """Where each image goes; a function of its id, its label and its source's split alone.

    own: source split -> ours. limits: source split -> the share up to which images are taken. bounds: label -> shares up to which
    an image is carved into validation and test; other labels take those of the config. kept: label -> share of the training
    images that stay.
    """

    own: Mapping[str, str]
    limits: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[int | None, tuple[float, float]] = field(default_factory=dict)
    kept: Mapping[int | None, float] = field(default_factory=dict)

    def split_of(self, source_split: str, raw: Raw, data: DataConfig) -> str | None:
        """Our split of one image, or None for one that is not used."""
        if share(raw.example_id, b"limit") > self.limits.get(source_split, 1.0):
            return None
        split = self.own[source_split]
        if split == keys.TRAIN:
            split = self.carved(share(raw.example_id), raw.label, data)
        elif split != keys.TEST and _is_left_out(raw.label, data):
            split = None
        if split == keys.TRAIN and share(raw.example_id, b"downsample") >= self.kept.get(raw.label, 1.0):
            return None
        return split

    def carved(self, drawn: float, label: int | None, data: DataConfig) -> str | None:
        """Our split of an image of which all that is lacking is carved, by the share that splits are drawn by."""
        validation, test = self.bounds.get(label) or _bounds(self.own, data)
        split = keys.VALIDATION if drawn < validation else keys.TEST if drawn < test else keys.TRAIN
        return None if split != keys.TEST and _is_left_out(label, data) else split

    @staticmethod
    def is_outlier(raw: Raw, data: DataConfig) -> bool | None:
        """Whether the label is none of data.inliers; None where there are no such, or no label."""
        return None if data.inliers is None or raw.label is None else raw.label not in data.inliers


def _bounds(own: Mapping[str, str], data: DataConfig) -> tuple[float, float]:
    """Shares up to which an image is carved into validation, and into test; only splits that the source lacks are carved."""
    given = set(own.values())
    validation = 0.0 if keys.VALIDATION in given else data.validation
    return validation, validation + (0.0 if keys.TEST in given else data.test)


def needs_census(own: Mapping[str, str], counts: Mapping[str, int | None], is_labelled: bool, data: DataConfig) -> bool:
    """Whether the plan depends on more than one image at a time. `counts`: source split -> images, None where unknown."""
    return data.limit is not None or data.downsample is not None or _may_stratify(own, counts, is_labelled, data)


def _may_stratify(own, counts, is_labelled, data) -> bool:
    if not is_labelled or _bounds(own, data)[1] == 0 or data.stratify is False:
        return False
    carved = [counts.get(name) for name, ours in own.items() if ours == keys.TRAIN]
    return data.stratify is True or None in carved or sum(carved) <= SMALL


class Census(beam.CombineFn):
    """(source split, Row) -> for each source split how many images each label has, and of the rows that a plan needs how many
    images each stands for (several have one id).

    They are bounded: with a limit the lowest ones up to it, else one more than SMALL, unless `stratify` demands all.
    """

    def __init__(self, data: DataConfig):
        super().__init__()
        self._most = data.limit or (None if data.stratify is True else SMALL + 1)

    def create_accumulator(self):
        return {}

    def add_input(self, accumulator, element):
        name, row = element
        labels, rows = accumulator.setdefault(name, (Counter(), Counter()))
        labels[row[2]] += 1
        rows[row] += 1
        if self._most and len(rows) >= 2 * self._most:
            _keep_lowest(rows, self._most)
        return accumulator

    def merge_accumulators(self, accumulators):
        whole = {}
        for accumulator in accumulators:
            for name, (labels, rows) in accumulator.items():
                into = whole.setdefault(name, (Counter(), Counter()))
                into[0].update(labels)
                into[1].update(rows)
                if self._most:
                    _keep_lowest(into[1], self._most)
        return whole

    def extract_output(self, accumulator):
        return accumulator


def _keep_lowest(rows: Counter, images: int) -> None:
    """Remove the rows beyond so many images, in the order that limits are drawn in; none of an id whose first row stays."""
    last = None
    for row in sorted(rows, key=_drawn):
        if images <= 0 and row[0] != last:
            del rows[row]
            continue
        images, last = images - rows[row], row[0]


def _drawn(row: Row) -> float:
    return row[0]


def row_of(raw: Raw) -> Row:
    """What the census knows of an image."""
    return share(raw.example_id, b"limit"), share(raw.example_id), raw.label


def plan(census: Mapping[str, tuple[Counter, Counter]], own: Mapping[str, str], data: DataConfig, noun: str = "image") -> Plan:
    """The plan for images that were counted; `noun` is what one of them is called.

    Raises:
        HubelError: where `stratify` is demanded of data in which images of one id have several labels.
    """
    limits, pool, labels, is_whole = {}, Counter(), Counter(), True
    counts = {name: 0 for name, ours in own.items() if ours == keys.TRAIN}
    for name, (counted, rows) in census.items():
        taken = Counter(rows)
        if data.limit is not None:
            _keep_lowest(taken, data.limit)
            limits[name] = max(map(_drawn, taken))
            counted = Counter()
            for row, images in taken.items():
                counted[row[2]] += images
        if name in counts:
            pool.update(taken)
            labels += counted
            counts[name] = taken.total()
            is_whole &= counts[name] == counted.total()
    is_labelled = bool(set(labels) - {None})
    is_stratified = is_whole and _may_stratify(own, counts, is_labelled, data) and not _are_mixed(pool, data, noun)
    return Plan(own, limits, _stratified(pool, own, data) if is_stratified else {}, _kept(labels, data))


def usable(made: Plan, census: Mapping[str, tuple[Counter, Counter]], data: DataConfig, noun: str = "image") -> Plan:
    """The plan of a census as it is. Raises HubelError where stratification leaves a split that is carved without an image; `noun`
    is what one is called."""
    if not made.bounds:
        return made
    pool = Counter()
    for name, (_, rows) in census.items():
        if made.own.get(name) == keys.TRAIN:
            pool.update({row: images for row, images in rows.items() if row[0] <= made.limits.get(name, 1.0)})
    by_hash = Plan(made.own)
    filled, unstratified = ({plan.carved(drawn, label, data) for _, drawn, label in pool} - {None} for plan in (made, by_hash))
    carved = {keys.VALIDATION, keys.TEST} - set(made.own.values())
    for split in sorted(carved - filled, reverse=True):
        raise HubelError(
            f"The {split} split has no {noun} ({pool.total()} to carve from, of {len(made.bounds)} classes): "
            f"what a class has one {noun} of, or one id, is trained on.",
            f"Give the classes more {noun}s, or leave the rare ones out (data.classes)"
            + ("; data.stratify: false carves by hash alone, whatever the class." if carved <= unstratified else "."),
        )
    return made


def _are_mixed(pool: Iterable[Row], data: DataConfig, noun: str) -> bool:
    """Whether an id has images of several labels: bounds for each label would tear it apart."""
    labels: dict[float, set] = {}
    for _, drawn, label in pool:
        labels.setdefault(drawn, set()).add(label)
    mixed = sum(len(of_id) > 1 for of_id in labels.values())
    if mixed and data.stratify is True:
        raise HubelError(
            f"data.stratify cannot be true: {mixed} of the ids have {noun}s of several classes, and an id's {noun}s share a split.",
            "Set data.stratify to auto or false, or take data.features.id out.",
        )
    return mixed > 0


def _stratified(pool: Counter, own: Mapping[str, str], data: DataConfig) -> dict[int | None, tuple[float, float]]:
    """For each label the bounds that cut its images, in order of their share; see components.example_gen.stratify. What is only
    tested on is dealt by itself, because none of it is validated on."""
    drawn: dict[int | None, Counter] = {}
    for (_, place, label), images in pool.items():
        drawn.setdefault(label, Counter())[place] += images
    validation, both = _bounds(own, data)
    bounds = {}
    for is_left_out in (False, True):
        ordered = {label: sorted(by_place.items()) for label, by_place in drawn.items() if _is_left_out(label, data) == is_left_out}
        sizes = {label: [images for _, images in by_place] for label, by_place in ordered.items()}
        for label, (first, second) in stratify.dealt(sizes, (validation, both - validation), 0 if is_left_out else 1).items():
            places = [place for place, _ in ordered[label]] + [1.0]
            bounds[label] = places[first] if first else 0.0, places[first + second]
    return bounds


def _kept(labels: Mapping[int | None, int], data: DataConfig) -> dict[int | None, float]:
    """Label -> share of its training images that stay, so that none has more than `downsample` times those of the rarest."""
    counted = {label: count for label, count in labels.items() if label is not None and not _is_left_out(label, data)}
    if data.downsample is None or not counted:
        return {}
    most = data.downsample * min(counted.values())
    return {label: most / count for label, count in counted.items() if count > most}


def _is_left_out(label: int | None, data: DataConfig) -> bool:
    return data.inliers is not None and label not in data.inliers
