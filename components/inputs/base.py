"""What a kind of input decides. Components ask these questions; they do not know what is read."""

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from configs.schema.slices.transform import TransformSlice
from configs.schema.transform import TransformConfig


@dataclass(frozen=True)
class End:
    """A way into a served signature, beside that of tf.Examples, which is the exporter's.

    spec: of what a client sends, named as the argument is. read: that -> what the model gets and, of images, int32 [N, 2], height
    and width of each before it was resized, px. resources: lookup tables that `read` asks, which the export has to track.
    """

    spec: tf.TensorSpec
    read: Callable[[tf.Tensor], Sequence[tf.Tensor]]
    resources: Sequence[Any] = ()


@dataclass(frozen=True)
class Samples:
    """Test examples as the served-equals-trained gate asks them.

    sent: end -> requests, each a tensor of what is sent. given: end -> for each request what `End.read` must make of it. The first
    end is that of raw bytes, with all examples in one request; it also says what is made of tf.Examples.
    """

    sent: Mapping[str, Sequence[tf.Tensor]]
    given: Mapping[str, Sequence[Sequence[tf.Tensor]]]


@dataclass(frozen=True)
class StandIn:
    """What a model is tried with before any data is read: what the data decides, for its builder, and a batch of what it
    will get."""

    of_data: Mapping[str, Any]
    batch: np.ndarray = field(repr=False)


class Input(abc.ABC):
    """Subclass as `Input` in a file of this folder. docs/architecture.md walks through one."""

    feature: ClassVar[str]  # of the raw schema: the bytes
    transformed: ClassVar[str]  # the feature that `prepare` makes of them for a model
    dtype: ClassVar[str] = "float32"  # of what a model gets
    layer: ClassVar[str]  # name of the model's input, before normalisation
    options: ClassVar[frozenset[str]]  # keys of `transform` that are this kind's alone
    converts: ClassVar[bool] = False  # whether a network that reads it can stand alone, given numbers that anybody can make
    augments: ClassVar[bool] = False  # whether `augment` has operations for it

    def check(self, model: str, crops: bool) -> None:  # noqa: B027 most keys suit it
        """Raise UsageError for keys that have no meaning for this kind, beside those of other kinds; arguments: checks.check."""

    def asks(self, transform: TransformConfig) -> Mapping[str, str]:
        """Arguments that a builder gets, and has to take, because of a key of the config -> that key."""
        return {}

    @abc.abstractmethod
    def shape(self, transform: TransformConfig) -> tuple[int, ...]:
        """Of what a model gets of one example."""

    @abc.abstractmethod
    def stand_in(self, transform: TransformConfig, many: int) -> StandIn:
        """`many` random examples, the same each time, and what the data decides as `learned` would have it, as far as it
        can be known."""

    @abc.abstractmethod
    def prepare(self, raw: tf.Tensor, config: TransformSlice) -> dict[str, tf.Tensor]:
        """In Transform's preprocessing_fn: raw bytes, string [N] -> transformed features, among them `transformed`.

        Statistics of the training split are left to TFT's analyzers, as far as the config needs them.
        """

    @abc.abstractmethod
    def parsed(self, value: tf.Tensor, transform: TransformConfig) -> tf.Tensor:
        """One value of the feature `transformed` -> a tensor of `shape`, in the smallest dtype that holds it."""

    def given(self, values: tf.Tensor) -> tf.Tensor:
        """A batch of what `parsed` gave -> what a model gets."""
        return tf.cast(values, self.dtype)

    def bytes_of(self, transform: TransformConfig) -> int:
        """Of one example, as `parsed` gives it: how much memory holding it takes."""
        return int(np.prod(self.shape(transform)))

    @abc.abstractmethod
    def learned(self, graph: tft.TFTransformOutput, transform: TransformConfig) -> dict[str, Any]:
        """Fields of components.trainer.info.DataInfo that the analyzers of `prepare` learned: of_input, builder and learned."""

    def doubts(self, transform: TransformConfig, info) -> list[str]:
        """Sentences on what was learned (components.trainer.info) that a person should know before training, mostly none."""
        return []

    def check_initial(self, earlier: Mapping[str, Any], learned: Mapping[str, Any]) -> None:  # noqa: B027 mostly nothing is learned
        """Raise UsageError where weights of `model.initial` mean something else here: of the two, DataInfo.learned of `learned`."""

    def covariance(self, info) -> list[list[float]] | None:
        """[channels, channels] of what is learned from, which only what `augments` has and some steps of `augment` need."""
        return None

    @abc.abstractmethod
    def first_layer(self, transform: TransformConfig, info) -> dict[str, Any]:
        """Arguments of keras_models.normalize.with_normalization, of what stands before a net."""

    @abc.abstractmethod
    def seen(self, raw: tf.Tensor, card) -> tf.Tensor:
        """Raw bytes of ExampleGen's records, string [N] -> what the model of a card gets, by the graph that is served."""

    @abc.abstractmethod
    def ends(self, card) -> dict[str, End]:
        """All ends of a signature but that of tf.Examples, by name; that of raw bytes first."""

    @abc.abstractmethod
    def samples(self, records: Sequence[bytes], card) -> Samples:
        """Raw serialized tf.Examples as every end asks them, and what it must make of them."""

    @abc.abstractmethod
    def warmup(self, values: tf.Tensor, card) -> dict[str, tf.Tensor]:
        """What a model gets of one validation example -> end -> what a client would send there, a tensor [1, ...]; in the order of
        `ends`. One that is left out is not warmed up."""
