"""What a run can be told: frozen slices that make up one RunConfig. Every default lives here and nowhere else.

A component never sees RunConfig: pipelines/orchestration/pipeline.py hands it the slices it reads (see the `*Slice` classes at
the end), as JSON, so that its cache key holds just what can change its result.
"""

import itertools
import math
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_serializer, model_validator

MAX_SIDE = 4096  # px; a model's input, not a photograph's size
MAX_WHITENED = 4096  # values of an image; their whitening matrix then takes 64 MiB


class Slice(BaseModel):
    """Base of every slice: frozen; an unknown key is an error, and so is a number that is not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, serialize_by_alias=True)


def _without_nulls(value: Any) -> Any:
    return {name: entry for name, entry in value.items() if entry is not None} if isinstance(value, dict) else value


EntryT = TypeVar("EntryT")
Named = Annotated[dict[str, EntryT], BeforeValidator(_without_nulls)]  # null takes out what an extended config put in


def _name_or_label(value: Any) -> Any:
    """Text that YAML takes for something else (no, 1.0, a date) must not become another class."""
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "" or (isinstance(value, int) and value < 0):
        raise ValueError('a class is its name, in quotes, or its label number from 0: ["1"] is the class called 1, [1] the label 1')
    return value


ClassOf = Annotated[int | str, BeforeValidator(_name_or_label)]


Level = Annotated[int, Field(ge=0, le=255)]


class Reading(Slice):
    """How what a file holds becomes the 8-bit colours that a model sees; read by ExampleGen and by every graph that decodes."""

    ground: Literal["white", "black"] | Annotated[list[Level], Field(min_length=3, max_length=3)] = Field(
        "white", description="what transparent pixels are laid over: white, black or [r, g, b] of 0..255"
    )
    white: int | None = Field(
        None, gt=0, le=65535, description="value of 16-bit images that becomes 255, such as 4095 of 12-bit ones; null: 65535"
    )

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The ground's colour."""
        if isinstance(self.ground, str):
            return (255, 255, 255) if self.ground == "white" else (0, 0, 0)
        return tuple(self.ground)


class DataConfig(Reading):
    source: str = Field(
        "tfds:digits", pattern=r"^[a-z]+:.+$", description="where images come from, such as tfds:NAME[/CONFIG][:VERSION]"
    )
    validation: float = Field(0.1, gt=0, lt=1, description="share of the images for validation, where the source has no such split")
    test: float = Field(0.2, gt=0, lt=1, description="share of the images for test, where the source has no such split")
    limit: int | None = Field(None, gt=0, description="at most this many images a source split, taken by hash of their id")
    features: dict[Literal["image", "label", "id"], str | list[str] | None] = Field(
        {},
        description="names of the source's own features or columns, where they cannot be guessed; of a table's label also a list "
        "of one-hot columns; label: null for none",
    )
    images: str | None = Field(
        None, description="folder that a table's paths start from, itself from the table's folder; null: the table's folder"
    )
    missing_labels: Literal["drop", "refuse"] = Field(
        "drop", description="images without a label, where a model learns from labels: drop counts them and leaves them out"
    )
    missing_markers: list[str] | None = Field(
        None,
        description="what stands for a missing label in a table or in TFRecords, beside an empty cell; null: what pandas reads as "
        "missing (nan, NA, None, null, ...)",
    )
    stratify: bool | Literal["auto"] = Field(
        "auto",
        description="carve the same share of every class; auto: up to 10,000 labelled images, unless an id has several classes",
    )
    downsample: float | None = Field(
        None, ge=1, description="training images of a class, at most this many times those of the rarest; null: all"
    )
    classes: list[ClassOf] | None = Field(
        None,
        min_length=2,
        description="names or label numbers of the source's classes to keep, counted anew in this order; null: all",
    )
    inliers: list[ClassOf] | None = Field(
        None, min_length=1, description="names or label numbers of the classes to train on alone; test is of all"
    )
    pinned_schema: str | None = Field(None, description="file of a Schema to hold the data against; null: inferred from it")
    max_quarantined: float = Field(0.01, ge=0, le=1, description="share of damaged images above which a run stops")
    allow_anomalies: bool = Field(False, description="go on although ExampleValidator found anomalies")

    @property
    def reading(self) -> Reading:
        """The part of it that every graph reads which decodes images."""
        return Reading(ground=self.ground, white=self.white)

    @field_validator("features")
    @classmethod
    def _one_name_each(cls, features):
        for what, named in features.items():
            if not isinstance(named, str) and what != "label":
                raise ValueError(f"{what} takes one name")
            if isinstance(named, list) and len(set(named)) < max(2, len(named)):
                raise ValueError("a list of one-hot columns has two names at least, each once")
        return features

    @field_validator("classes")
    @classmethod
    def _each_once(cls, classes):
        if classes is not None and len(set(classes)) < len(classes):
            raise ValueError("each class may stand once")
        return classes

    @model_validator(mode="after")
    def _some_are_left_to_train_on(self):
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test must leave images to train on; {self.validation} + {self.test} is 1 or more")
        return self


class TransformConfig(Slice):
    height: int = Field(32, gt=0, le=MAX_SIDE, description="px, of the model's input")
    width: int = Field(32, gt=0, le=MAX_SIDE, description="px, of the model's input")
    channels: Literal[1, 3] = Field(1, description="1: grey, 3: RGB")
    resize: Literal["fit", "stretch", "crop"] = Field(
        "fit", description="fit: keep the aspect and pad with black; stretch: fill; crop: keep the aspect and cut the rest"
    )
    interpolation: Literal["bilinear", "nearest", "area"] = Field(
        "bilinear",
        description="bilinear: antialiased; area: mean of what each pixel covers; nearest: no new values; masks always nearest",
    )
    normalize: Literal["none", "unit", "per_image", "per_channel", "zca"] = Field(
        "per_channel",
        description="the model's first layer; per_channel takes mean and variance of the training split, zca (up to "
        f"{MAX_WHITENED:,} values an image) whitens with the covariance of all its values",
    )
    zca_epsilon: float = Field(
        0.01, gt=0, description="zca: added to the variances of pixels / 255, so that directions of less than this are not blown up"
    )
    materialize: bool | Literal["auto"] = Field(
        "auto", description="store transformed images; auto: only where the tuner will read them many times"
    )
    batch_size: int = Field(256, gt=0, le=65536, description="images that Transform holds in memory at once")

    @property
    def values(self) -> int:
        """How many an image has."""
        return self.height * self.width * self.channels

    @model_validator(mode="after")
    def _small_enough_to_whiten(self):
        if self.normalize == "zca" and self.values > MAX_WHITENED:
            raise ValueError(
                f"zca needs height * width * channels of at most {MAX_WHITENED:,}; "
                f"{self.height} * {self.width} * {self.channels} is {self.values:,}"
            )
        return self


Level = Annotated[float, Field(ge=0, le=255)]


class Border(Slice):
    """What a move of pixels brings in from outside the image. A mask has class 0 there where the image has a constant."""

    border: Literal["mirror", "constant", "edge"] = Field(
        "mirror", description="what moves in from outside: the mirror image, one colour, or the pixels at the edge"
    )
    value: Level | Annotated[list[Level], Field(min_length=3, max_length=3)] = Field(
        0.0, description="border: constant: the colour, from black to white; one number, or one for each of three channels"
    )

    @model_validator(mode="after")
    def _of_this_border(self):
        if self.border != "constant" and self.value != type(self).model_fields["value"].default:
            raise ValueError(f"value is of border: constant; {self.border} does not read it")
        return self


class Translate(Border):
    height: float = Field(0.0, ge=0, le=1, description="largest shift up or down, as a share of the height")
    width: float = Field(0.0, ge=0, le=1, description="largest shift left or right, as a share of the width")


class Rotate(Border):
    degrees: float = Field(ge=0, le=180, description="largest turn either way")


class Zoom(Border):
    factor: float = Field(ge=0, lt=1, description="scale is drawn from 1 - factor to 1 + factor")


class Shear(Border):
    degrees: float = Field(ge=0, lt=90, description="largest horizontal slant either way")


class Flip(Slice):
    horizontal: bool = True
    vertical: bool = False


class Crop(Border):
    share: float = Field(0.0, ge=0, lt=1, description="share of each side that a random patch leaves out; it is enlarged again")
    pad: int = Field(0, ge=0, le=MAX_SIDE, description="px of border around, from which a patch of the old size is cut")


class Elastic(Border):
    alpha: float = Field(ge=0, le=0.5, description="root mean square of the ways along each axis, as a share of the shorter side")
    sigma: float = Field(0.14, gt=0, le=1, description="smoothness: the Gaussian's deviation as a share of the shorter side")


class Brightness(Slice):
    share: float = Field(ge=0, le=1, description="largest change either way, as a share of the range from black to white")


class Contrast(Slice):
    factor: float = Field(ge=0, le=1, description="the distance to the image's mean is multiplied by 1 - factor to 1 + factor")


class Saturation(Slice):
    factor: float = Field(ge=0, le=1, description="HSV's S is multiplied by 1 - factor to 1 + factor")


class Hue(Slice):
    degrees: float = Field(ge=0, le=180, description="largest turn of the colour circle either way")


class ColorShift(Slice):
    share: float = Field(ge=0, le=1, description="largest change of each channel by itself, as a share of its range")


class PcaColor(Slice):
    stddev: float = Field(0.1, ge=0, le=1, description="deviation of the draw by which each principal colour is multiplied")


class Cutout(Slice):
    size: float = Field(ge=0, le=1, description="side of the square, as a share of the image's shorter side")


class GaussianNoise(Slice):
    stddev: float = Field(ge=0, le=1, description="deviation, as a share of the range from black to white")


class SaltAndPepper(Slice):
    share: float = Field(ge=0, le=1, description="share of the pixels that become black or white")


class Mask(Slice):
    share: float = Field(ge=0, le=1, description="share of the pixels that become black")


class RandAugment(Border):
    operations: int = Field(2, ge=1, le=14, description="how many an image gets, one after the other")
    magnitude: float = Field(5.0, ge=0, le=10, description="strength of all of them")


class Mixup(Slice):
    alpha: float = Field(0.2, gt=0, le=100, description="each image's weight is drawn from Beta(alpha, alpha)")


class Cutmix(Slice):
    alpha: float = Field(1.0, gt=0, le=100, description="the share of the image that stays is drawn from Beta(alpha, alpha)")


PolicyName = Literal["none", "digits", "letters", "photos", "objects", "cells"]


class Policy(Border):
    """A policy, all of whose moves have this border; written as its name alone where they have none of their own."""

    name: PolicyName = Field(description="the steps that configs/policies.py has under this name")

    @model_serializer(mode="wrap")
    def _as_written(self, every: Callable) -> str | dict[str, Any]:
        return self.name if self.model_fields_set == {"name"} else every(self)


def _as_policy(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class AugmentStep(Slice):
    """One operation, such as `rotate: {degrees: 10}`; drawn anew for each image and epoch, on training batches only."""

    translate: Translate | None = None
    rotate: Rotate | None = None
    zoom: Zoom | None = None
    shear: Shear | None = None
    flip: Flip | None = None
    crop: Crop | None = None
    elastic: Elastic | None = None
    brightness: Brightness | None = None
    contrast: Contrast | None = None
    saturation: Saturation | None = None
    hue: Hue | None = None
    color_shift: ColorShift | None = None
    pca_color: PcaColor | None = None
    cutout: Cutout | None = None
    gaussian_noise: GaussianNoise | None = None
    salt_and_pepper: SaltAndPepper | None = None
    mask: Mask | None = None
    rand_augment: RandAugment | None = None
    mixup: Mixup | None = None
    cutmix: Cutmix | None = None
    policy: Annotated[Policy | None, BeforeValidator(_as_policy)] = None
    copies: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="what stands before it is drawn for this many epochs and written once, then read again",
    )

    @model_validator(mode="after")
    def _one_operation(self):
        if len(self.model_fields_set) != 1 or self.operation[1] is None:
            raise ValueError("each step names exactly one operation, such as {rotate: {degrees: 10}}")
        return self

    @property
    def operation(self) -> tuple[str, Any]:
        """Name and parameters of the one operation; of `copies` how many."""
        name = next(iter(self.model_fields_set))
        return name, getattr(self, name)

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


COLOR_ONLY = ("saturation", "hue", "color_shift", "pca_color")  # operations that grey images have nothing for
BATCH_ONLY = ("cutout", "gaussian_noise", "salt_and_pepper", "mask", "mixup", "cutmix")  # need the clean image, or a second one


def _as_steps(value: Any) -> Any:
    """A policy's name stands for a step, alone or as an item of a list."""
    if isinstance(value, str):
        value = [value]
    return [{"policy": item} if isinstance(item, str) else item for item in value] if isinstance(value, list) else value


class ModelConfig(Slice):
    name: str = Field("lenet5", description="registry name, or dotted path to a builder of one's own")
    options: dict[str, Any] = Field({}, description="keyword arguments of the builder beyond what the data decides")
    initial: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]+(/[0-9]+|@[A-Za-z0-9-]+)?$",
        description="NAME[/VERSION] of a pushed model, NAME@candidate or a run: whose weights training starts from",
    )
    members: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(/[0-9]+)?$")]] | None = Field(
        None, min_length=2, description="ensemble: NAME[/VERSION] of the pushed models whose probabilities are averaged"
    )

    @model_validator(mode="after")
    def _an_ensemble_of_something(self):
        if (self.name == "ensemble") != (self.members is not None):
            raise ValueError(f"members are what the model ensemble is made of; got {self.members} for {self.name}")
        return self


class FineTune(Slice):
    """A second training, of the head and of a part of the network under it."""

    from_: str = Field(alias="from", description="the first layer, in the order of computation, that is trained with the head")
    epochs: int = Field(10, gt=0, description="passes over the training split, after those of train.epochs")
    learning_rate: float = Field(1e-4, gt=0, description="in the place of train.optimizer.learning_rate")


class TransferConfig(Slice):
    """Features that another model learned, and a new head on them."""

    source: str = Field(
        min_length=1,
        description="NAME[/VERSION] of a pushed model, NAME@candidate or a run, config:NAME, which is run first, path of a .keras "
        "file, or keras.applications:NAME with ImageNet's weights",
    )
    layer: str | None = Field(None, description="the layer whose output is the features; null: the one before the last")
    maps: Literal["average", "flatten"] = Field(
        "average", description="what maps become: their means over all places, or all their values in a row"
    )
    head: Literal["logistic_regression", "nearest_neighbours"] = Field(
        "logistic_regression", description="trained by gradient; or all training features kept, and their labels the answer"
    )
    neighbours: int = Field(1, gt=0, le=1000, description="nearest_neighbours: how many have a say, each the same")
    distance: Literal["cosine", "euclidean"] = Field("cosine", description="nearest_neighbours: what is near")
    shots: int | None = Field(None, gt=0, description="training images of each class, drawn by seed and id; null: all")
    fine_tune: FineTune | None = Field(None, description="logistic_regression: train layers of the source too, after the head")

    @model_validator(mode="after")
    def _of_this_head(self):
        if self.head == "nearest_neighbours" and self.fine_tune is not None:
            raise ValueError("fine_tune needs a head that is trained by gradient; nearest_neighbours is not")
        for key in ("neighbours", "distance"):
            if self.head != "nearest_neighbours" and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is of nearest_neighbours; {self.head} does not read it")
        return self


class OptimizerConfig(Slice):
    name: Literal["adam", "adamw", "sgd", "rmsprop", "nadam", "adagrad", "adamax"] = Field(
        "adam", description="keras.optimizers name"
    )
    learning_rate: float = Field(1e-3, gt=0, description="step size before any schedule")
    momentum: float = Field(0.0, ge=0, lt=1, description="sgd, rmsprop: share of the last step that is taken again")
    nesterov: bool = Field(False, description="sgd with momentum: the gradient after that step (Sutskever et al. 2013)")
    weight_decay: float | None = Field(
        None,
        ge=0,
        description="sgd: this times the weight is added to its gradient (L2), after clipping; others: weights shrink by this "
        "times the learning rate, beside the step (AdamW); null: none, of adamw Keras's 0.004",
    )
    decays: Literal["all", "kernels"] = Field(
        "all", description="what weight_decay is of; kernels: neither biases nor scales of normalisation"
    )
    clip_norm: float | None = Field(None, gt=0, description="largest norm of the gradient of each weight tensor by itself")
    global_clip_norm: float | None = Field(None, gt=0, description="largest norm of all gradients together")
    clip_value: float | None = Field(None, gt=0, description="largest size of each number in a gradient")

    @model_validator(mode="after")
    def _of_this_optimizer(self):
        if self.momentum and self.name not in ("sgd", "rmsprop"):
            raise ValueError(f"momentum is of sgd and rmsprop; {self.name} has none to set")
        if self.nesterov and not (self.name == "sgd" and self.momentum):
            raise ValueError("nesterov changes the momentum of sgd; set name: sgd and a momentum above 0")
        if self.decays != "all" and self.weight_decay is None and self.name != "adamw":
            raise ValueError(f"decays: {self.decays} says what weight_decay is of, and there is no weight_decay")
        return self

    @model_validator(mode="after")
    def _one_clip(self):
        given = [key for key in ("clip_norm", "global_clip_norm", "clip_value") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"gradients are clipped in one way; give {' or '.join(given)}")
        return self


SCHEDULE_KEYS = {"step": ("milestones", "factor"), "exponential": ("factor", "every"), "plateau": ("factor", "patience")}


class ScheduleConfig(Slice):
    name: Literal["cosine", "step", "exponential", "plateau", "constant"] = Field(
        "cosine",
        description="cosine: to zero over all epochs; step: times factor at each milestone; exponential: times factor after each "
        "`every` epochs; plateau: times factor when the validation loss stops falling; constant: for a warm-up alone",
    )
    warmup_epochs: float = Field(0, ge=0, description="epochs of linear rise from 0; cosine starts after it, others count it in")
    milestones: list[Annotated[float, Field(gt=0)]] | None = Field(
        None, min_length=1, description="step: epochs, from the start of training, after which the rate falls"
    )
    factor: float = Field(0.1, gt=0, lt=1, description="step, exponential, plateau: what the rate is multiplied by")
    every: float = Field(1.0, gt=0, description="exponential: epochs between two falls")
    patience: int = Field(
        2,
        gt=0,
        description="plateau: epochs without a better validation loss before the rate falls, not counting the warm-up's",
    )

    @model_validator(mode="after")
    def _of_this_schedule(self):
        read = SCHEDULE_KEYS.get(self.name, ())
        for key in sorted({key for keys in SCHEDULE_KEYS.values() for key in keys} - set(read)):
            if getattr(self, key) != type(self).model_fields[key].default:
                readers = " and ".join(name for name, keys in SCHEDULE_KEYS.items() if key in keys)
                raise ValueError(f"{key} is of {readers}; {self.name} does not read it")
        if self.name == "step" and self.milestones is None:
            raise ValueError("step needs milestones: the epochs after which the rate falls")
        if self.milestones is not None and any(a >= b for a, b in itertools.pairwise(self.milestones)):
            raise ValueError(f"milestones must rise; got {self.milestones}")
        return self


class EarlyStopping(Slice):
    patience: int = Field(3, gt=0, description="epochs without a better validation loss before training stops")


class PretrainConfig(Slice):
    """Greedy layer-wise pre-training: Bengio et al. 2007; a network's stages one after another, before all its layers together."""

    epochs: int = Field(10, gt=0, description="passes over the training split in each stage, before those of train.epochs")
    learning_rate: float | None = Field(None, gt=0, description="null: train.optimizer.learning_rate")


class TrainConfig(Slice):
    epochs: int = Field(12, ge=0, description="passes over the training split; 0 exports untrained weights")
    batch_size: int = Field(64, gt=0, description="examples an optimizer step")
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig | None = None
    early_stopping: EarlyStopping | None = EarlyStopping()
    pretrain: PretrainConfig | None = Field(None, description="train pairs of layers one after another first; deep autoencoders")
    class_weight: Literal["balanced"] | None = Field(
        None,
        description="balanced: in the loss, an image of class c counts n / (classes * n_c) times; counts are the training split's",
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="classification: share of each training label that is spread evenly over all classes"
    )
    random_labels: float = Field(
        0.0, ge=0, le=1, description="share of the training images whose class is drawn anew, uniformly, once for all epochs"
    )
    keep: Literal["best", "last"] = Field(
        "best", description="whose weights are kept: those of the epoch with the lowest validation loss, or of the last one"
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        "float32", description="what training computes in; mixed: weights stay float32, and so does all that is served"
    )

    @model_validator(mode="after")
    def _falls_before_it_stops(self):
        if self.schedule is None or self.schedule.name != "plateau" or self.early_stopping is None:
            return self
        if self.early_stopping.patience <= self.schedule.patience:
            raise ValueError(
                f"early_stopping.patience of {self.early_stopping.patience} ends training before schedule.patience of "
                f"{self.schedule.patience} lets the rate fall; make it larger, or early_stopping: null"
            )
        return self


class AnomalyConfig(Slice):
    """Which images are none of those that an autoencoder was trained on."""

    score: Literal["reconstruction_error", "latent_distance", "elbo"] = Field(
        "reconstruction_error",
        description="what is large for an anomaly: the squared error of its pixels; the Mahalanobis distance of its code from "
        "those of the training images; of variational models, the negative evidence lower bound",
    )
    pooling: Literal["mean", "max", "top_share", "smoothed_max"] = Field(
        "mean",
        description="reconstruction_error: from the errors of an image's pixels to its score; what is wrong in a small place wants "
        "another than the mean: their largest; the mean of the largest ones; the largest mean over a square",
    )
    share: float = Field(0.1, gt=0, le=1, description="top_share: of an image's pixels, so many are taken (Pang et al. 2021)")
    window: int = Field(
        5,
        gt=0,
        le=255,
        description="smoothed_max: side of the square in px of the model's input, odd (Zavrtanik et al. 2021 take 21 at 256 px)",
    )
    quantile: float = Field(
        0.95, gt=0, lt=1, description="the threshold is this quantile of the validation images' scores; above it is an anomaly"
    )

    @model_validator(mode="after")
    def _of_this_pooling(self):
        if self.pooling != "mean" and self.score != "reconstruction_error":
            raise ValueError(f"pooling is of reconstruction_error; {self.score} has no errors of pixels to make a score of")
        for key, reader in (("share", "top_share"), ("window", "smoothed_max")):
            if self.pooling != reader and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is of {reader}; {self.pooling} does not read it")
        if self.window % 2 == 0:
            raise ValueError(f"window must be odd, so that a square has a middle; got {self.window}")
        return self


class Distribution(Slice):
    """What one dotted path is drawn from: `{choices: [...]}`, or `{min, max}` with `step` or `sampling: log`."""

    choices: list[str | int | float | bool] | None = Field(None, min_length=1)
    min: int | float | None = None
    max: int | float | None = None
    step: int | float | None = Field(None, gt=0)
    sampling: Literal["linear", "log"] = "linear"

    @field_validator("choices")
    @classmethod
    def _of_one_kind(cls, choices):
        kinds = {type(choice) for choice in choices or ()}
        if kinds == {int, float}:
            return [float(choice) for choice in choices]
        if len(kinds) > 1:
            raise ValueError(f"choices must be of one kind; got {', '.join(sorted(kind.__name__ for kind in kinds))}")
        return choices

    @model_validator(mode="after")
    def _choices_or_range(self):
        if (self.choices is None) == (self.min is None or self.max is None):
            raise ValueError("give either choices, or both min and max")
        if self.choices is None and not self.min < self.max:
            raise ValueError(f"min must be below max; got {self.min} and {self.max}")
        if self.sampling == "log" and (self.min or 0) <= 0:
            raise ValueError("log sampling needs a min above 0")
        if self.sampling == "log" and (self.step or 2) <= 1:
            raise ValueError(f"with log sampling a step multiplies, so it must be above 1; got {self.step}")
        if self.is_whole and self.step is not None and self.step != int(self.step):
            raise ValueError(f"a range of whole numbers needs a whole step; got {self.step}")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether it draws whole numbers from a range."""
        return isinstance(self.min, int) and isinstance(self.max, int)

    @property
    def examples(self) -> list:
        """Values that the key must accept: every choice, or a range's ends and, in a range of fractions, one of those."""
        if self.choices is not None:
            return self.choices
        return [self.min, self.max] + ([] if self.is_whole else [math.nextafter(self.min, self.max)])


class TuneConfig(Slice):
    enabled: bool = False
    algorithm: Literal["random", "bayesian", "hyperband"] = "hyperband"
    trials: int | None = Field(None, gt=0, description="how many to try; null: 10, or as many as hyperband's brackets need")
    epochs: int | None = Field(None, gt=0, description="epochs a trial; null: train.epochs")
    minutes: float | None = Field(None, gt=0, description="start no new trial after this long")
    workers: Literal[1] = Field(1, description="processes that try at the same time")
    space: Named[Distribution] = Field({}, description="dotted path of this file -> what it is drawn from")


class Threshold(Slice):
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _a_bound(self):
        if self.min is None and self.max is None:
            raise ValueError("a threshold needs min, max or both")
        return self


class SliceThresholds(Slice):
    min_count: int = Field(50, gt=0, description="test images below which a slice is reported but not judged")
    thresholds: Named[Threshold] = Field({}, description="metric -> bound that each slice of enough images must keep")


class Change(Slice):
    max_drop: float | None = Field(None, ge=0, description="for metrics where more is better")
    max_rise: float | None = Field(None, ge=0, description="for metrics where less is better")

    @model_validator(mode="after")
    def _one_direction(self):
        if (self.max_drop is None) == (self.max_rise is None):
            raise ValueError("give max_drop or max_rise, one of the two")
        return self


class EvaluateConfig(Slice):
    thresholds: Named[Threshold] = Field({}, description="metric -> bound over the whole test split")
    slices: Named[SliceThresholds] = Field({}, description="feature -> what holds for each of its values")
    change: Named[Change] = Field({}, description="metric -> how much worse than the last blessed other model it may be")
    margins: Named[Annotated[float, Field(gt=-1)]] = Field(
        {},
        description="metric that the task compares with something -> how much worse it may be, as a share of that; below 0: how "
        "much better it has to be; not given: 0.01 for linear autoencoders, 0.05 for sparse coding, 0 otherwise",
    )


Scale = Annotated[float, Field(gt=1, le=4)]


class Crops(Slice):
    """Test-time averaging over patches of a larger image: Krizhevsky et al. 2012, section 4.1; Szegedy et al. 2015, section 7."""

    scale: Scale | Annotated[list[Scale], Field(min_length=1, max_length=8)] = Field(
        1.143, description="side of the image that is cut from, over that of the model's input (AlexNet's is 256/224), or several"
    )
    squares: bool = Field(
        False,
        description="as GoogLeNet: of each scale the left, middle and right square (upper, middle, lower), and besides its corners "
        "and centre the whole square; with scale [1.143, 1.286, 1.429, 1.571] and reflect 144 patches",
    )
    reflect: bool = Field(True, description="their mirror images too, ten crops instead of five; false for digits and letters")

    @property
    def scales(self) -> list[float]:
        """As a list, however it was written."""
        return self.scale if isinstance(self.scale, list) else [self.scale]


class ExportConfig(Slice):
    top_k: int = Field(5, gt=0, le=1000, description="classes returned for each image, at most as many as there are")
    crops: Crops | None = Field(None, description="classification: average the probabilities over crops; null: the whole image")
    draws: int = Field(
        64,
        gt=0,
        le=100_000,
        description="variational models: draws of a code that the ELBO and the importance-weighted log p(x) are estimated from",
    )
    warmup: int = Field(8, ge=0, le=1000, description="requests in assets.extra that a server replays before it answers")


class PushConfig(Slice):
    enabled: bool = True
    destination: str | None = Field(None, description="folder of served models; null: the workspace's models/")


class BeamConfig(Slice):
    flags: list[Annotated[str, Field(pattern=r"^--[A-Za-z]")]] = Field(
        [], description="given to every Beam component as they are; a --runner among them takes the place of FnApiRunner"
    )


class RunConfig(Slice):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$", description="the served model's name")
    seed: int = Field(0, ge=0, lt=2**31)
    data: DataConfig = DataConfig()
    transform: TransformConfig = TransformConfig()
    augment: Annotated[list[AugmentStep], BeforeValidator(_as_steps)] = Field(
        [], max_length=32, description="in order, or a policy's name; training batches only"
    )
    model: ModelConfig = ModelConfig()
    transfer: TransferConfig | None = Field(
        None, description="the network of another model in the place of `model`, which is not read"
    )
    train: TrainConfig = TrainConfig()
    anomaly: AnomalyConfig | None = Field(
        None, description="an autoencoder that says which images are unlike those of its training; null: none is asked for"
    )
    tune: TuneConfig = TuneConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    export: ExportConfig = ExportConfig()
    push: PushConfig = PushConfig()
    beam: BeamConfig = BeamConfig()

    @field_validator("augment")
    @classmethod
    def _colors_need_color(cls, augment, info):
        found = [name for name, _ in (step.operation for step in augment) if name in COLOR_ONLY]
        if found and "transform" in info.data and info.data["transform"].channels == 1:
            raise ValueError(f"{found[0]} changes colours, and images of one channel have none; set transform.channels: 3")
        return augment

    @field_validator("augment")
    @classmethod
    def _a_value_for_each_channel(cls, augment, info):
        values = [getattr(parameters, "value", None) for _, parameters in (step.operation for step in augment)]
        given = [value for value in values if isinstance(value, list)]
        if given and "transform" in info.data and info.data["transform"].channels == 1:
            raise ValueError(f"a border's value of {given[0]} is of three channels, and these images have one; give one number")
        return augment

    @field_validator("augment")
    @classmethod
    def _copies_of_something(cls, augment):
        names = [name for name, _ in (step.operation for step in augment)]
        if names.count("copies") > 1:
            raise ValueError("copies may stand once")
        if "copies" in names and (names[0] == "copies" or names[0] in BATCH_ONLY):
            raise ValueError("copies needs a step before it that can be written: a move, a colour, rand_augment or a policy")
        return augment

    @model_validator(mode="after")
    def _can_be_transferred(self):
        if self.transfer is None:
            return self
        if self.model.initial is not None:
            raise ValueError("model.initial and transfer both say where weights come from; give one of them")
        if self.train.precision != "float32":
            raise ValueError(f"transfer computes in float32; take out train.precision: {self.train.precision}")
        if self.train.pretrain is not None:
            raise ValueError("train.pretrain and transfer both say what is trained before; give one of them")
        if self.transfer.shots is not None and self.copies:
            raise ValueError("copies are made of the whole training split, and transfer.shots takes a part of it; give one of them")
        return self

    @field_validator("name")
    @classmethod
    def _not_a_version(cls, name):
        if name.isdigit():
            raise ValueError("a name of digits alone would read as a version")
        return name

    @model_validator(mode="after")
    def _something_to_tune(self):
        if self.tune.enabled and self.model.members:
            raise ValueError("an ensemble is not trained, so there is nothing to tune; set tune.enabled: false")
        return self

    @property
    def reading(self) -> Reading:
        """How images are decoded."""
        return self.data.reading

    @property
    def copies(self) -> bool:
        """Whether augmented copies of the training split are written."""
        return any(step.operation[0] == "copies" for step in self.augment)

    @property
    def materializes(self) -> bool:
        """Whether Transform stores its images: reading them back pays from about the third training (docs/data.md)."""
        if self.copies:  # they are made of these
            return True
        return self.tune.enabled if self.transform.materialize == "auto" else self.transform.materialize


class TransformSlice(Slice):
    """What Transform reads. `targets` names the raw features that the task learns from; `covariance` says whether Trainer will ask
    for that of the channels."""

    transform: TransformConfig
    reading: Reading = Reading()
    targets: list[str] = []
    covariance: bool = False


class CopiesSlice(Slice):
    """What AugmentedCopies reads; `steps` are those that are written, policies expanded."""

    seed: int
    transform: TransformConfig
    steps: list[AugmentStep]
    copies: int


class TrainerSlice(Slice):
    """What Trainer and Tuner read."""

    name: str
    seed: int
    reading: Reading = Reading()
    transform: TransformConfig
    augment: list[AugmentStep]
    model: ModelConfig
    transfer: TransferConfig | None = None
    train: TrainConfig
    anomaly: AnomalyConfig | None = None
    export: ExportConfig
