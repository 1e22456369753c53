"""What a task decides of learning and serving. Components ask these questions; they never name a model or a task."""

import abc
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from components import keys
from components.trainer import jit
from components.trainer.card import Card
from components.trainer.data import Data
from components.trainer.info import DataInfo, Mix
from components.trainer.optimizers import optimizer
from configs.errors import UsageError
from configs.schema.train import TrainConfig
from keras_models import auxiliary, normalize
from serving import answers


@dataclass(frozen=True)
class Extra:
    """What a signature takes besides: one value an image, or code.

    spec: its first axis is None, its name is set by the exporter. example: how many -> that many values that it may be asked with,
    the same each time; the served-equals-trained gate sends them.
    """

    spec: tf.TensorSpec
    example: Callable[[int], tf.Tensor]


@dataclass(frozen=True)
class Signature:
    """One served function.

    `function` maps what it takes to named outputs whose first axis is N.

    Args:
        gives: the kind of each output, of serving.answers, by which whoever asks shows and writes it; one that is not there is a
            text or a number, by its dtype.
        takes: "image": float32 pixels [N, height, width, channels] in 0..255, already resized to `card.seen`; the exporter adds
            the ends that take tf.Examples, encoded bytes and pixels of any size. "code": float32 [N, code_size]. "bytes": string
            [N], of any content, which the signature `made_by` gives.
        made_by: the signature of images whose output of the kind that this one takes is sent to it when served is held against
            trained; codes that nothing makes are drawn from N(0, 1).
        placement: whether the function gets, after the pixels, where each image lies in them: int32 [N, 4], see
            components.transform.placement.
        frame: whether it gets, after these, how places in them follow from those in the image as it was: float32 [N, 6], see
            placement.frame; for answers in the image's own frame.
        given: features of the raw schema that it gets after these: what an image is labelled with, so that a figure of both is an
            output, and a metric of it has slices and changes. They stand in tf.Examples alone, so this is the only end.
        extra: further arguments of the function, and of each end, by name.
        compared: outputs that must be the same served as trained, for one whose argmax decides about all that follows; None: all.
        passes: how often an answer has gone through the network: what rounding does adds up.
        resources: lookup tables and the like that the function uses, which are neither weights nor constants.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    gives: Mapping[str, str] = field(default_factory=dict)
    takes: Literal["image", "code", "bytes"] = "image"
    code_size: int | None = None
    made_by: str | None = None
    placement: bool = False
    frame: bool = False
    given: Sequence[str] = ()
    extra: Mapping[str, Extra] = field(default_factory=dict)
    compared: Sequence[str] | None = None
    passes: int = 1
    resources: Sequence = ()

    def __post_init__(self):
        for kind in self.gives.values():
            answers.kind(kind)
        if self.compared is not None and not self.compared:
            raise ValueError("a signature of which nothing is compared could be exported wrong; name an output")


# (targets of a batch, plain or mixed, share of a label that is spread over all classes, info) -> targets
Smooth = Callable[[Mapping[str, tf.Tensor], float, DataInfo], Mapping[str, tf.Tensor]]


# (targets as Keras's fit takes them, what `class_weight` made) -> what each number of the loss counts for, of its shape
Weigh = Callable[[tf.Tensor, Mapping], tf.Tensor]

MakeOptimizer = Callable[..., keras.optimizers.Optimizer]  # () or (variables) -> a new one

MOST_AT_ONE_GO = 16


def _at_one_go(steps: int, callbacks: Sequence[keras.callbacks.Callback]) -> int:
    """Steps that Keras leaves to the graph at a time: between them, its loop costs as much as a small network's step.

    They divide an epoch, because Keras would begin the next one with those that are too many; and a callback that does something
    before a step, such as setting its learning rate, has to be asked before each.
    """
    nothing = keras.callbacks.Callback.on_train_batch_begin
    if any(type(callback).on_train_batch_begin is not nothing for callback in callbacks):
        return 1
    return max(many for many in range(1, MOST_AT_ONE_GO + 1) if steps % many == 0)


class _Derived(keras.callbacks.Callback):
    """Puts further figures among those of an epoch, which Keras hands to one callback after the other."""

    def __init__(self, derived: Callable[[Mapping[str, float]], dict[str, float]]):
        super().__init__()
        self._derived = derived

    def on_epoch_end(self, epoch, logs=None):
        validation = {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}
        training = {name: value for name, value in logs.items() if not name.startswith("val_")}
        logs |= self._derived(training) | {f"val_{name}": value for name, value in self._derived(validation).items()}


class Task(abc.ABC):
    """Subclass as `Task` in a file of this folder; judges.base.Judge says how its models are judged. docs/architecture.md walks
    through one."""

    is_around: ClassVar[bool] = False  # whether it is one around another; see around.Around
    targets: ClassVar[Sequence[str]] = ()  # what training learns from; components.targets has the kinds
    instead: ClassVar[Mapping[str, str]] = {}  # target that data.features names -> the task that learns it with the same networks
    mix: ClassVar[Mix | None] = None  # targets of images that mixup or cutmix mixed; None: this task refuses the two
    class_weight: ClassVar[Callable[[Data], dict[int, float]] | None] = None  # class -> what its images count for; None: refused
    weigh: ClassVar[Weigh | None] = (
        None  # what each number of a batch's loss counts for, where that is no matter of an image's class
    )
    smooth: ClassVar[Smooth | None] = None  # targets under train.label_smoothing; None: this task refuses it
    losses: ClassVar[bool] = False  # whether train.loss says what it minimises; otherwise that is refused
    cleans: ClassVar[bool] = False  # whether it learns keys.CLEAN from images with noise, which then is not cut to 0..255
    classes: ClassVar[int] = 0  # how many the images, or what else it learns from, must have at least, with names
    judged_by: ClassVar[str] = "val_loss"  # the figure of an epoch by which the best one is known: the lowest
    better: ClassVar[Mapping[str, Literal["min", "max"]]] = {"loss": "min", "data_loss": "min"}  # figures of an epoch
    is_closed_form: ClassVar[bool] = False  # whether `fit` takes no steps, so that none can diverge
    keeps_head: ClassVar[bool] = True  # whether `start` takes over what tells classes apart, which then have to be the same
    crops: ClassVar[bool] = False  # whether its signatures average over export.crops; otherwise that is refused
    temperature: ClassVar[bool] = False  # the same of export.temperature
    averages: ClassVar[bool] = False  # whether an ensemble may average the softmax of what its models answer
    judged_with: ClassVar[Sequence[str]] = ()  # targets that its signatures are given beside `targets`
    predicts: ClassVar[str] = keys.SERVING_DEFAULT  # the signature of images that `hubel predict` asks

    weights: Mapping | None = None  # what `class_weight` made for the fit that is under way; None without train.class_weight

    def check(self, info: DataInfo) -> None:  # noqa: B027 most data suits most tasks
        """Raise HubelError, in plain words, for data that this task cannot learn from."""

    def check_config(self, normalize: str, augmented: Collection[str]) -> None:  # noqa: B027 most configs suit most tasks
        """Raise UsageError for a config under which this task cannot learn; asked before anything starts.

        Args:
            normalize: transform.normalize.
            augmented: kinds of operations that are done to images; see components.transform.augment.steps.
        """

    def doubts(self, model: keras.Model) -> list[str]:
        """Sentences on a model of this task that a person should know before it is trained, mostly none."""
        return []

    @abc.abstractmethod
    def pair(self, pixels: tf.Tensor, targets: Mapping[str, tf.Tensor]) -> tuple:
        """(inputs, targets) of one batch as Keras's fit takes them.

        Args:
            pixels: float32 [N, height, width, channels] in 0..255; of a task that `cleans`, noise in training may leave the range.
            targets: by name, those of `targets`, in training as `mix` and `smooth` leave them; with noise in the config's
                augmentation also `keys.CLEAN`, the pixels without it.
        """

    @abc.abstractmethod
    def compile(self, model: keras.Model, make: MakeOptimizer) -> None:
        """Set loss, training metrics and optimizer.

        Args:
            model: takes pixels; its first layer normalises. See keras_models.auxiliary for heads, and for learners of one's own.
            make: a new optimizer as the config has it at each call, of all variables of the model or of those given.
        """

    @abc.abstractmethod
    def signatures(self, model: keras.Model, card: Card) -> dict[str, Signature]:
        """Served functions by name; the first one also answers `serving_default`, `image_bytes` and `pixels`."""

    def of_model(self, model: keras.Model) -> "Task":
        """The task as this model is asked it: whose pairs it is fitted with. By default this one."""
        return self

    def fit(self, model: keras.Model, data: Data, train: TrainConfig, first_epoch: int, callbacks: list) -> None:
        """Learn, auxiliary heads included. Override it for what is not gradient descent (closed forms, layer-wise pre-training).

        Args:
            first_epoch: where a killed training goes on.
        """
        learner = auxiliary.learner(model)

        def make(variables=None):
            return optimizer(train, data.steps, learner.trainable_variables if variables is None else variables)

        self.weights = self.class_weight(data) if train.class_weight else None
        self.compile(learner, make)
        learner.steps_per_execution = _at_one_go(data.steps, callbacks)
        callbacks = [_Derived(self.derived), *callbacks, auxiliary.WarmUp()]
        batches = data.training(first_epoch, train.epochs)
        if train.label_smoothing:
            batches = batches.map(lambda pixels, targets: (pixels, self.smooth(targets, train.label_smoothing, data.info)))
        batches = batches.map(self.pair)
        if self.weights and self.weigh:
            batches = batches.map(lambda given, targets: (given, targets, self.weigh(targets, self.weights)))
        with jit.step(learner, train, batches, data.info.train_images % train.batch_size == 0):
            learner.fit(
                batches,
                validation_data=data.validation.map(self.pair),
                initial_epoch=first_epoch,
                epochs=train.epochs,
                steps_per_epoch=data.steps,
                callbacks=callbacks,
                class_weight=None if self.weigh else self.weights,
                verbose=0,
            )

    def derived(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Further figures of an epoch, by name, from those that were computed of the training or of the validation split; none by
        default."""
        return {}

    def start(self, model: keras.Model, earlier: keras.Model) -> Sequence[keras.layers.Layer]:
        """Take over what an earlier model (`model.initial`) learned, before `fit`; by default all of its weights.

        Returns:
            The layers that took it, which `model.frozen` keeps as they are.

        Raises:
            UsageError: where that cannot be.
        """
        shapes, wanted = ([tuple(weight.shape) for weight in network.weights] for network in (earlier, model))
        if shapes != wanted:
            raise UsageError(
                f"model.initial has {earlier.count_params():,} weights in {len(shapes)} tensors; here are {model.count_params():,} "
                f"in {len(wanted)}, of other shapes.",
                "Start from a model of the same architecture, options, input size and classes.",
            )
        normalize.inner(model).set_weights(normalize.inner(earlier).get_weights())
        return [normalize.inner(model)]

    def calibrate(self, model: keras.Model, data: Data, card: Card) -> dict:
        """What is found after training and belongs to the served model, such as a threshold from the validation split.

        JSON values; they stand on the card as `calibrated`, where `signatures` finds them; here that is
        still empty. By default nothing.
        """
        return {}

    def beside(self, model: keras.Model) -> dict[str, keras.Model]:
        """Trained models that are not served and that Judge.compare needs: artifact.load finds them under their names. By default
        none."""
        return {}
