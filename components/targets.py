"""Kinds of things that are learned. A target is one that a task names in `Task.targets`; `of` says of which kind it is.

A kind knows all that stages have to: its features in the raw schema, what a record holds of a value, its part of the Schema, what
is measured of it for drift and skew, how it follows its image through resizing and moves, how a transformed record holds it, and
what a task gets in a batch. Stages ask and name none, so a further kind is a class here.
"""

import abc
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from components import keys, map_values
from components.map_values import VOID, Meaning
from components.transform.stored import Size, parsed, stored

SHOWN = 8  # values of a mask that a message lists
SHARE = "share"  # of a map's pixels that are of a class: in the name of a number that is measured of it
ROUNDED = 1.0  # px that a box may leave its image
NONE = -1  # the class of what is none: a missing label, a row of a table that only fills it up

Values = Mapping[str, tf.Tensor | tf.SparseTensor]  # raw features of a batch


class Shares(list):
    """Rows of a Table whose places are shares of the image's height and width, not px."""


class Resize(Protocol):
    """What `transform.resize` does to a batch of images; components.transform.follow has it."""

    rows: tf.Tensor  # int32 scalar: how many images

    def nearest(self, encoded: tf.Tensor) -> tf.Tensor:
        """Grey images, string [N] -> uint8 [N, height, width, 1], VOID in the bars of `fit`, which are none of the image."""

    def boxes(self, boxes: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        """float32 [n, 4] in px of the images at the places int64 [n] -> in px of the model's input, cut off at its sides."""


class Move(Protocol):
    """What a move of augmentation does to a batch of images; components.transform.augment.geometry has it."""

    def nearest(self, maps: tf.Tensor) -> tf.Tensor:
        """float32 [N, height, width, 1], moved; 0 where a constant border came in."""

    def boxes(self, boxes: tf.Tensor) -> tf.Tensor:
        """float32 [N, M, 4] in px -> what is around them afterwards, cut off at the image's sides."""


class Kind(abc.ABC):
    """A target of some kind. `name` is also that of its feature among the transformed ones."""

    moves = False  # whether it has places in the image
    has_corners = False  # whether what follows a move are corners, for which the move needs an inverse
    is_label = False  # whether an image without it is one without a label

    def __init__(self, name: str):
        self.name = name

    @property
    def features(self) -> Mapping[str, int]:
        """Those of the raw schema -> their type in a Schema."""
        return {self.name: schema_pb2.INT}

    @property
    def counted(self) -> str | None:
        """The raw feature whose values are classes, which is what names, drift and skew are of; None without one."""
        return None

    @property
    def uncounted(self) -> Sequence[str]:
        """Raw features whose values say nothing by their number, such as encoded images."""
        return [name for name, type_ in self.features.items() if type_ == schema_pb2.BYTES]

    def named(self, data: Meaning, names: Sequence[str]) -> Sequence[str]:
        """Names of its classes: those that the config gives them, else the source's own, which are empty where it has none."""
        return names

    def unnamed(self, values: Sequence[Any]) -> str:
        """The line of a config that names its classes, where the source has no names; values: some of a source's."""
        return f"data.features: {{{self.name}: ...}}"

    def checked(
        self, value: Any, height: int, width: int, names: Sequence[str], data: Meaning | None = None, orientation: int = 1
    ) -> Any:
        """A source's value, as `raw` takes it.

        Args:
            height, width: px of the image as a person sees it.
            names: of the classes, empty where they have none.
            data: says what values mean, where a kind has a key for that; None: its defaults.
            orientation: of the image's EXIF, 1 to 8, by which what lies as the image is stored is turned with it.

        Raises:
            ValueError: with a reason of few words, for what does not fit the image.
        """
        return value

    def measures(self, names: Sequence[str]) -> dict[str, int]:
        """Features of what `measured` has of values with classes so called -> their type in a Schema."""
        return {}

    def measured(self, value: Any, names: Sequence[str]) -> dict[str, float]:
        """Numbers of a checked value for statistics, by feature of the raw schema; the same ones of every value.

        Args:
            names: of the classes.
        """
        return {}

    def counts(self, value: Any) -> tuple[tuple[int, ...], int, Mapping[str, int]] | None:
        """Of a checked value: pixels of each class, pixels of none, and what was done to it (components.map_values); None of what
        has no pixels."""
        return None

    def classes(self, value: Any) -> tuple[int, ...]:
        """Those that a value of a label has."""
        return ()

    @abc.abstractmethod
    def raw(self, value: Any) -> dict[str, list]:
        """What a record holds of a value."""

    @abc.abstractmethod
    def spec(self) -> dict[str, Any]:
        """How to parse the raw features of a batch where there is no Schema."""

    def describe(self, schema: schema_pb2.Schema, names: Sequence[str]) -> None:
        """Make the part of an inferred Schema that it cannot have inferred, in place: names of classes, as a string domain called
        as the target, and features that may be empty."""
        for feature in schema.feature:
            if feature.name == self.counted and names:
                feature.int_domain.CopyFrom(schema_pb2.IntDomain(min=0, max=len(names) - 1, is_categorical=True))
                schema.string_domain.add(name=self.name, value=names)

    def complete(self, schema: schema_pb2.Schema, names: Sequence[str]) -> None:
        """Add to a Schema that a person has pinned what is measured by now and was not when it was inferred, in place."""
        there = {feature.name for feature in schema.feature}
        _may_be_empty(schema, self.measures(names), [name for name in self.measures(names) if name not in there])

    def allow_missing(self, schema: schema_pb2.Schema) -> None:
        """Take back that every image has one, in place: which of the splits those without one are in is chance."""
        for feature in schema.feature:
            if feature.name == self.name:
                feature.ClearField("shape")
                feature.presence.min_fraction = 0.0
                feature.value_count.CopyFrom(schema_pb2.ValueCount(min=0, max=1))

    @abc.abstractmethod
    def resized(self, inputs: Values, resize: Resize) -> tf.Tensor:
        """Of a batch of raw features, as they are in the model's input: [N, ...]."""

    def stored(self, values: tf.Tensor) -> tf.Tensor:
        """How a transformed record holds what `resized` or `given` has: [N], or [N, k] with k known."""
        return values

    def row(self, value: tf.Tensor, size: Size) -> tf.Tensor:
        """Of one image what `stored` made -> what is kept in memory, of a shape that all images share."""
        return value

    def loaded(self, values: tf.Tensor, size: Size) -> tf.Tensor:
        """What `stored` made of a batch, as `given` has it."""
        return self.given(values)

    def given(self, rows: tf.Tensor) -> tf.Tensor:
        """Of a batch of what `row` made, or of what `resized` has: what tasks get."""
        return rows

    def moved(self, values: tf.Tensor, move: Move) -> tf.Tensor:
        """What `given` has, after its images moved."""
        return values


class Number(Kind):
    """A whole number: a class, by default. Tasks get int64 [N], NONE where it is missing."""

    def __init__(self, name: str, is_label: bool = False):
        super().__init__(name)
        self.is_label = is_label

    @property
    def counted(self):
        return self.name if self.is_label else None

    def raw(self, value):
        return {self.name: [int(value)]}

    def spec(self):
        return {self.name: tf.io.FixedLenFeature([], tf.int64, default_value=NONE)}

    def resized(self, inputs, resize):
        if self.name not in inputs:  # not one image has it
            return tf.fill([resize.rows], tf.constant(NONE, tf.int64))
        return first(inputs[self.name])


class Labels(Kind):
    """Which of K classes an image has, several, one or none. Records hold K times 0 or 1, and the places of the ones, of which the
    statistics are. Tasks get int64 [N, K], NONE where the image has no label."""

    is_label = True

    @property
    def features(self):
        return {self.name: schema_pb2.INT, self.counted: schema_pb2.INT}

    @property
    def counted(self):
        return f"{self.name}/classes"

    def classes(self, value):
        return tuple(place for place, is_on in enumerate(value) if is_on)

    def raw(self, value):
        return {self.name: list(map(int, value)), self.counted: list(self.classes(value))}

    def spec(self):
        return {self.name: tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True, default_value=NONE)}

    def describe(self, schema, names):
        _may_be_empty(schema, self.features, [self.counted])
        super().describe(schema, names)

    def allow_missing(self, schema):
        _may_be_empty(schema, self.features, self.features)

    def resized(self, inputs, resize):
        return _padded(inputs[self.name], NONE)


class Map(Kind):
    """An image itself, whose values are classes, such as a mask, and VOID where there is none: that is never counted, and a task's
    loss and figures leave it out. Values are encoded grey images of the image's own size. Tasks get int64 [N, height, width, 1]."""

    moves = True

    @property
    def features(self):
        return {self.name: schema_pb2.BYTES, self.counted: schema_pb2.INT}

    @property
    def counted(self):
        return f"{self.name}/classes"

    def named(self, data, names):
        """As `data.mask_classes` has them, in the order of the values that stand for them."""
        return list(dict.fromkeys(name for _, name in sorted((data.mask_classes or {}).items()))) or names

    def unnamed(self, values):
        """With the values that occur in what these are."""
        occurring = set()
        for value in values:
            for encoded in [part.read() for part in value] if isinstance(value, map_values.Parts) else [value]:
                with contextlib.suppress(ValueError):
                    occurring |= set(map_values.values_of(encoded))
        listed = sorted(occurring) or [0, 1]
        shown = ", ".join(f"{value}: NAME" for value in listed[:SHOWN])
        void = f"; {VOID} is of no class where it has no name" if VOID in occurring else ""
        return f"data.mask_classes: {{{shown}{', ...' if len(listed) > SHOWN else ''}}}{void}"

    def checked(self, value, height, width, names, data=None, orientation=1):
        """A components.map_values.Mask: a PNG, in which a palette's places are the classes, not its colours, and the classes in it.
        Where `data.mask_classes` names values, their classes' places stand for them, and VOID for what is of no class."""
        return map_values.mask(self.name, value, (width, height), names, data, orientation)

    def measured(self, value, names):
        total = sum(value.pixels)
        return {name: count / max(1, total) for name, count in zip(self.measures(names), value.pixels, strict=False)}

    def counts(self, value):
        return value.pixels, value.void, value.counted

    def raw(self, value):
        """`value`: what `checked` makes of one, the PNG and the classes in it."""
        encoded, classes = value
        return {self.name: [encoded], self.counted: list(classes)}

    def spec(self):
        return {self.name: tf.io.FixedLenFeature([], tf.string)}

    def describe(self, schema, names):
        _may_be_empty(schema, self.features, [self.counted])
        super().describe(schema, names)
        _may_be_empty(schema, self.measures(names), self.measures(names))

    def measures(self, names):
        return {f"{self.name}/{SHARE}/{name}": schema_pb2.FLOAT for name in names}

    def resized(self, inputs, resize):
        """uint8."""
        return resize.nearest(first(inputs[self.name]))

    def stored(self, values):
        return stored(tf.cast(values, tf.uint8))

    def row(self, value, size):
        """uint8."""
        return parsed(value, size, 1)

    def loaded(self, values, size):
        kept = tf.TensorSpec((size.height, size.width, 1), tf.uint8)
        return self.given(tf.map_fn(lambda text: self.row(text, size), values, fn_output_signature=kept))

    def given(self, rows):
        return tf.cast(rows, tf.int64)

    def moved(self, values, move):
        return tf.cast(move.nearest(tf.cast(values, tf.float32)), values.dtype)


class OwnMap(Kind):
    """A Map in its image's own size, as records hold it, whatever the model's input is. Tasks get encoded images, string [N]."""

    def __init__(self, name: str, of: str):
        super().__init__(name)
        self.of = of

    @property
    def features(self):
        return {self.of: schema_pb2.BYTES}

    def raw(self, value):
        return {}  # what it is of writes it

    def spec(self):
        return {self.of: tf.io.FixedLenFeature([], tf.string)}

    def resized(self, inputs, resize):
        return first(inputs[self.of])


class Table(Kind):
    """Boxes and their classes, any number an image. Values are (top, left, bottom, right, class) each, in px of the image, bottom
    and right exclusive. Tasks get float32 [N, M, 5], the same in px of the model's input; a row of NONE is none, wherever it
    stands: it fills up, or its box was cut off or moved out."""

    moves = has_corners = True

    @property
    def _boxes(self):
        return f"{self.name}/boxes"

    @property
    def features(self):
        return {self._boxes: schema_pb2.FLOAT, self.counted: schema_pb2.INT}

    @property
    def counted(self):
        return f"{self.name}/classes"

    def checked(self, value, height, width, names, data=None, orientation=1):
        """Cut off at the image's sides, by as much as rounding does."""
        if isinstance(value, Shares):
            value = [(top * height, left * width, bottom * height, right * width, of) for top, left, bottom, right, of in value]
        rows = []
        for top, left, bottom, right, category in value:
            if min(top, left) < -ROUNDED or bottom > height + ROUNDED or right > width + ROUNDED:
                raise ValueError(f"{self.name} has a box that leaves the image")
            if bottom <= top or right <= left:
                raise ValueError(f"{self.name} has a box without an area")
            if names and not 0 <= category < len(names):
                raise ValueError(f"{self.name} has a class that there is none of")
            rows.append((max(top, 0), max(left, 0), min(bottom, height), min(right, width), category))
        return rows

    def raw(self, value):
        return {self._boxes: [float(place) for row in value for place in row[:4]], self.counted: [int(row[4]) for row in value]}

    def spec(self):
        return {
            self._boxes: tf.io.VarLenFeature(tf.float32),
            self.counted: tf.io.VarLenFeature(tf.int64),
            **{name: tf.io.FixedLenFeature([], tf.int64, default_value=NONE) for name in (keys.IMAGE_HEIGHT, keys.IMAGE_WIDTH)},
        }

    def describe(self, schema, names):
        _may_be_empty(schema, self.features, self.features)
        super().describe(schema, names)

    def allow_missing(self, schema):
        """Any number is one."""

    def resized(self, inputs, resize):
        boxes, classes = (_ragged(inputs[name]) for name in self.features)
        images = classes.value_rowids()
        placed = resize.boxes(tf.reshape(boxes.flat_values, [-1, 4]), images)
        rows = tf.concat([placed, tf.cast(classes.flat_values, tf.float32)[:, None]], 1)
        is_left = _area(placed) > 0
        kept = tf.RaggedTensor.from_value_rowids(rows[is_left], images[is_left], tf.cast(resize.rows, tf.int64), validate=False)
        return tf.ensure_shape(kept.to_tensor(float(NONE)), [None, None, 5])

    def stored(self, values):
        return tf.map_fn(
            lambda table: tf.io.serialize_tensor(table[table[:, 4] != NONE]),
            values,
            fn_output_signature=tf.TensorSpec([], tf.string),
        )

    def given(self, rows):
        if rows.dtype != tf.string:
            return rows
        return tf.reshape(_unpacked(rows, tf.float32, float(NONE)), [tf.shape(rows)[0], -1, 5])

    def moved(self, values, move):
        boxes = move.boxes(values[..., :4])
        is_left = (values[..., 4:] != NONE) & (_area(boxes)[..., None] > 0)
        return tf.where(is_left, tf.concat([boxes, values[..., 4:]], -1), float(NONE))


class Text(Kind):
    """Sentences about an image, at least one. Tasks get string [N, M], "" where an image has fewer."""

    @property
    def features(self):
        return {self.name: schema_pb2.BYTES}

    def checked(self, value, height, width, names, data=None, orientation=1):
        """Without those that say nothing."""
        texts = [text.encode(errors="surrogateescape") if isinstance(text, str) else text for text in value]
        if not all(isinstance(text, bytes) and _is_utf8(text) for text in texts):
            raise ValueError(f"{self.name} are no text of UTF-8")
        texts = [text for text in texts if text.strip()]
        if not texts:
            raise ValueError(f"{self.name} say nothing")
        return texts

    def raw(self, value):
        return {self.name: [text.encode() if isinstance(text, str) else text for text in value]}

    def spec(self):
        return {self.name: tf.io.VarLenFeature(tf.string)}

    def describe(self, schema, names):
        _may_be_empty(schema, self.features, self.features)

    def resized(self, inputs, resize):
        return _padded(inputs[self.name], "")

    def stored(self, values):
        return tf.map_fn(lambda texts: tf.io.serialize_tensor(texts[texts != ""]), values, fn_output_signature=tf.string)

    def given(self, rows):
        return _unpacked(rows, tf.string, "") if rows.shape.rank == 1 else rows


KINDS = {
    kind.name: kind
    for kind in (
        Number(keys.LABEL, is_label=True),
        Number(keys.ANOMALY),
        Labels(keys.LABELS),
        Map(keys.MASK),
        Table(keys.OBJECTS),
        Text(keys.CAPTIONS),
    )
}

OWN_MASK = f"{keys.MASK}/own"  # for signatures and judges, never learned from
_FURTHER = {OWN_MASK: OwnMap(OWN_MASK, keys.MASK)}


def of(name: str) -> Kind:
    """The kind of a target; other integers of the raw schema, such as an image's height, are targets too."""
    return KINDS.get(name) or _FURTHER.get(name) or Number(name)


def is_further(name: str) -> bool:
    """Whether it is one that a source has or lacks as a whole, and no number that may be missing."""
    return name in KINDS and not isinstance(KINDS[name], Number)


def classes_of(targets: Sequence[str], names: Mapping[str, Sequence[str]]) -> list[str]:
    """The classes that a model is of, out of the names that travel in the Schema: those of the first target that has any, and of
    a task that learns from none the label's."""
    return list(next((names[name] for name in targets if names.get(name)), names.get(keys.LABEL, [])))


def first(feature: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """[N, 1], or [N], to [N]; a missing integer becomes NONE, a missing text ""."""
    if isinstance(feature, tf.SparseTensor):
        missing = NONE if feature.dtype == tf.int64 else ""
        feature = tf.pad(tf.sparse.to_dense(feature, default_value=missing), [[0, 0], [0, 1]], constant_values=missing)[:, :1]
    return tf.reshape(feature, [-1])


def _padded(feature: tf.Tensor | tf.SparseTensor, missing) -> tf.Tensor:
    """[N, M]: what is not there is `missing`."""
    if isinstance(feature, tf.SparseTensor):
        feature = tf.sparse.to_dense(feature, default_value=missing)
    return feature if feature.shape.rank == 2 else tf.reshape(feature, [-1, 1])


def _ragged(feature: tf.Tensor | tf.SparseTensor | tf.RaggedTensor) -> tf.RaggedTensor:
    if isinstance(feature, tf.SparseTensor):
        return tf.RaggedTensor.from_sparse(feature)
    return feature if isinstance(feature, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(feature)


def _unpacked(texts: tf.Tensor, dtype: tf.DType, missing) -> tf.Tensor:
    """Serialized tensors, string [N] -> all their values in a row each, [N, M]."""
    rows = tf.map_fn(
        lambda text: tf.reshape(tf.io.parse_tensor(text, dtype), [-1]),
        texts,
        fn_output_signature=tf.RaggedTensorSpec([None], dtype),
    )
    return rows.to_tensor(missing)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _area(boxes: tf.Tensor) -> tf.Tensor:
    """[..., 4] -> [...], px; 0 where nothing is left."""
    top, left, bottom, right = tf.unstack(boxes, axis=-1)
    return tf.maximum(bottom - top, 0) * tf.maximum(right - left, 0)


def _may_be_empty(schema: schema_pb2.Schema, features: Mapping[str, int], chosen) -> None:
    """What TFDV infers of how often and how many a feature is there says nothing; one that no training image has is added."""
    there = {feature.name: feature for feature in schema.feature}
    for name in chosen:
        feature = there.get(name) or schema.feature.add(name=name, type=features[name])
        feature.type = features[name]
        feature.ClearField("shape")
        feature.presence.min_fraction, feature.presence.min_count = 0.0, 0
        feature.value_count.CopyFrom(schema_pb2.ValueCount(min=0))
