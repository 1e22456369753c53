"""What a task decides of how its models are judged. Evaluator asks these questions; it never names a model or a task."""

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

import numpy as np
import tensorflow as tf

from components.evaluator.intervals import Figure
from components.evaluator.statistic import Rows, Statistic
from components.trainer.card import Card


@dataclass(frozen=True)
class Metric:
    """A figure of the test split, computed by TFMA.

    `class_name`, `module` and `config` name a TFMA metric; module None is TFMA's own. `better` says which way is up. `of_label`:
    whether it says anything of the images of one label alone. `is_count`: whether it says how many, a whole number. `statistic`:
    how it follows from what `Judge.each` says of images, which is where its interval comes from; by default it is the mean of what
    has the metric's name there.
    """

    class_name: str
    better: Literal["more", "less"]
    module: str | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    of_label: bool = True
    is_count: bool = False
    statistic: Statistic | None = None


@dataclass(frozen=True)
class Comparison:
    """A bound that is not in the config because it has to be computed: the model must be better than something else.

    `metric`, one of `Judge.metrics` or `Judge.measured`, must be better than `value`; `words` say what was compared, for the person
    who reads the verdict. With a `name`, the value is among the run's figures under it. One that `yields` is no bound where the
    config has a threshold for the metric; one that `is_bound` not is told, and holds nothing. `margin`: by how much the metric may
    be worse, as a share of the value (0.01: one percent), unless the config's evaluate.margins say otherwise. `enough`: of a metric
    of which less is better, what always passes, margin or none; 0 for nothing. `each`: what the value is made of, by the names that
    the metric's statistic reads: float [N], in the order of the test images; with it the value has an interval, and the difference
    is told from noise. One with a name must have it.
    """

    metric: str
    value: float
    words: str
    name: str | None = None
    yields: bool = False
    margin: float = 0.0
    enough: float = 0.0
    is_bound: bool = True
    each: Mapping[str, np.ndarray] | None = field(default=None, compare=False)

    def __post_init__(self):
        if self.name and self.each is None:
            raise ValueError(f"{self.name} would be a figure without an interval: give what it is of each image")


NOTHING: Rows = MappingProxyType({})


def _is_number(value: np.ndarray) -> bool:
    return np.size(value) == 1 and np.asarray(value).dtype.kind in "fiub"


class Judge(abc.ABC):
    """Subclass as `Judge` in a file of this folder, or beside a task that no other file judges."""

    is_around: ClassVar[bool] = False  # whether it is one around another; see around.Around
    metrics: ClassVar[Mapping[str, Metric]]  # by the name that configs, tables and JSON use
    measured: ClassVar[Mapping[str, Literal["more", "less"]]] = {}  # names of the figures of `measure`, and which way is better
    per_class: ClassVar[Mapping[str, Literal["more", "less"]]] = {}  # names of the figures of `of_classes`, and which way is better
    compared: ClassVar[Sequence[str]] = ()  # those of both that `compare` may bound
    signature: ClassVar[str]  # the one that Evaluator reads its predictions from
    prediction_key: ClassVar[str | None] = None  # the output that label metrics compare with `label`; None without labels
    label_key: ClassVar[str | None] = None
    class_key: ClassVar[str | None] = None  # the feature that has the classes of `of_classes`, where that is not `label_key`
    # Of converted models (components/converter): metric -> how much worse one may be where the config does not say; and those that
    # its answers tell, None: all.
    may_lose: ClassVar[Mapping[str, float]] = {}
    converted: ClassVar[Sequence[str] | None] = None
    # The signature whose image is to be what was asked about: of a corrupted image it is held against the image before. None: there
    # is none.
    remade: ClassVar[str | None] = None

    def asked(self, pixels: np.ndarray, card: Card) -> np.ndarray:
        """What a converted model is asked about test images, by default these as they are: float32 [N, height, width, channels] in
        0..255 both."""
        return pixels

    def answered(self, outputs: Mapping[str, np.ndarray], pixels: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        """As `each`, of what a converted model answers: columns by name, first axis N.

        Args:
            outputs: those of numbers that its first signature has, by name, first axis N.
            pixels: the test images as they are. labels: their `label_key`, int64 [N] or [N, K]; -1 where there is none.
        """
        rows = [self.each({name: value[place] for name, value in outputs.items()}, label) for place, label in enumerate(labels)]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]} if rows else {}

    def each(self, outputs: Mapping[str, np.ndarray], label: int | np.ndarray) -> dict[str, float | np.ndarray]:
        """What is kept of the answer about one test image, for the statistics of `metrics`: the same names for each image, and as
        many numbers under each, four bytes a number. By default every output that is one number.

        Args:
            outputs: of `signature`, by name, of that image.
            label: its `label_key`; -1 where it has none; int64 [K] where that has several numbers an image.
        """
        return {name: float(np.ravel(value)[0]) for name, value in outputs.items() if _is_number(value)}

    def measure(self, model: Path, card: Card, images: Callable[[str], tf.data.Dataset]) -> dict[str, float]:
        """Figures of the test split that TFMA has no metric for, because they need the training split or all test images at once.

        Those of `measured` which can be had; thresholds of the config and comparisons may name them. An intervals.Figure brings its
        interval along. Arguments as of `compare`.
        """
        return {}

    def measure_labels(self, model: Path, card: Card, images: Callable[[str], tf.data.Dataset]) -> dict[int, dict[str, float]]:
        """Label -> those figures of `measure` that are means over images, over the images of that label.

        Asked where the config slices by label. By default nothing; arguments as of `compare`.
        """
        return {}

    def of_classes(self, rows: Rows) -> list[dict[str, Figure] | None]:
        """Figures of each class by itself, over all test images, by label, for models whose images may have several; None of a
        class that is left out. By default none.

        Args:
            rows: what `each` kept of the test images.
        """
        return []

    def of_images(self, rows: Rows) -> tuple[str, np.ndarray] | None:
        """What a figure of each test image alone is called, and that figure, of which more is better, float64 [N]; no number where
        there is none. By it parts of the images are held against each other. None: by the first of `metrics` that is a mean over
        images. `rows` as of `of_classes`."""
        return None

    def having(self, rows: Rows) -> np.ndarray:
        """Which test images have which of these classes: bool [N, K]. Asked where `of_classes` has figures; `rows` as there."""
        return rows[self.label_key] > 0

    def remarks(self, card: Card, metrics: Mapping[str, float], rows: Rows = NOTHING) -> list[str]:
        """Sentences on the figures of the test split that a person should know, mostly none.

        Args:
            rows: what `each` kept of the test images.
        """
        return []

    def compare(self, model: Path, card: Card, images: Callable[[str], tf.data.Dataset]) -> list[Comparison]:
        """What the model is measured against besides the config's thresholds; by default nothing.

        Args:
            model: SavedModel folder, as it would be pushed.
            images: split name -> batches of (float32 pixels [N, height, width, channels] in 0..255, {label, anomaly and each of
                Task.targets: as its kind gives it, components.targets}).
        """
        return []
