"""`train`: how it is trained."""

import itertools
from typing import Annotated, Literal

from pydantic import Field, model_validator

from configs.schema.base import Slice


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


class BorderConfig(Slice):
    """Ronneberger, Fischer & Brox 2015: what lies between two things of a mask counts for more."""

    weight: float = Field(10.0, gt=0, description="what is added, at most, to what a pixel of the background counts for")
    sigma: float = Field(5.0, gt=0, description="px of the model's input over which that falls, from the two nearest things on")


class LossConfig(Slice):
    name: Literal["cross_entropy", "focal", "dice", "jaccard"] = Field(
        "cross_entropy",
        description="focal: cross-entropy in which pixels that are right count for less (Lin et al. 2017); dice (Milletari et al. "
        "2016) and jaccard (Rahman & Wang 2016): how mask and probabilities cover each other, the mean over classes",
    )
    class_weights: Literal["balanced", "median_frequency"] | None = Field(
        None,
        description="cross_entropy, focal: what a pixel of class c counts for, from the training split's pixels; balanced: "
        "n / (classes * n_c); median_frequency: the median over classes of f by f_c, the class's share of the images that have it "
        "(Eigen & Fergus 2015)",
    )
    gamma: float = Field(2.0, gt=0, description="focal: the exponent of 1 - p")
    border: BorderConfig | None = Field(None, description="cross_entropy, focal: U-Net's weights between two things")

    @model_validator(mode="after")
    def _of_this_loss(self):
        asked = [key for key in ("class_weights", "border") if getattr(self, key) is not None]
        if asked and self.name in ("dice", "jaccard"):
            raise ValueError(f"{' and '.join(asked)} weigh pixels, and {self.name} counts each class once; take it out")
        if self.name != "focal" and self.gamma != type(self).model_fields["gamma"].default:
            raise ValueError(f"gamma is of focal; {self.name} does not read it")
        return self


class TrainConfig(Slice):
    epochs: int = Field(12, ge=0, description="passes over the training split; 0 exports untrained weights")
    batch_size: int = Field(64, gt=0, description="examples an optimizer step")
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig | None = None
    early_stopping: EarlyStopping | None = EarlyStopping()
    pretrain: PretrainConfig | None = Field(None, description="train pairs of layers one after another first; deep autoencoders")
    class_weight: Literal["balanced"] | None = Field(
        None,
        description="balanced: in the loss, an image of class c counts n / (classes * n_c) times; where images may have several, "
        "having class c counts n / (2 n_c) and not having it n / (2 (n - n_c)); counts are the training split's",
    )
    loss: LossConfig | None = Field(None, description="segmentation: what is minimised; null: cross-entropy")
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
    jit: bool | Literal["auto"] = Field(
        "auto",
        description="whether XLA compiles the training step of a whole batch; auto: on a GPU, where it can compile the network's "
        "and that draws nothing at random; true: refuse a network of which it cannot",
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
