"""What a run can be told, all topics together. No stage imports this: it gets the slices that it reads, as JSON."""

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from configs.schema.anomaly import AnomalyConfig
from configs.schema.augment import BATCH_ONLY, COLOR_ONLY, AugmentStep, as_steps
from configs.schema.base import Slice
from configs.schema.beam import BeamConfig
from configs.schema.card import CardConfig
from configs.schema.data import DataConfig
from configs.schema.evaluate import EvaluateConfig
from configs.schema.model import ModelConfig
from configs.schema.push import PushConfig
from configs.schema.reading import Reading
from configs.schema.train import TrainConfig
from configs.schema.transfer import TransferConfig
from configs.schema.transform import TransformConfig
from configs.schema.tune import TuneConfig
from configs.schema.variants import Export


class RunConfig(Slice):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$", description="the served model's name")
    seed: int = Field(0, ge=0, lt=2**31)
    data: DataConfig = DataConfig()
    transform: TransformConfig = TransformConfig()
    augment: Annotated[list[AugmentStep], BeforeValidator(as_steps)] = Field(
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
    export: Export = Export()
    push: PushConfig = PushConfig()
    beam: BeamConfig = BeamConfig()
    card: CardConfig = CardConfig()

    @field_validator("augment")
    @classmethod
    def _colors_need_color(cls, augment, info):
        names = [name for name, _ in (step.operation for step in augment) if name in COLOR_ONLY]
        if names and "transform" in info.data and info.data["transform"].channels == 1:
            raise ValueError(f"{names[0]} changes colours, and images of one channel have none; set transform.channels: 3")
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

    @model_validator(mode="after")
    def _a_detector_s_score(self):
        by_features = self.anomaly is not None and self.anomaly.score == "feature_distance"
        detects = self.transfer is not None and self.transfer.detects
        if detects and not by_features:
            raise ValueError(f"transfer.head {self.transfer.head} detects anomalies; add anomaly: {{score: feature_distance}}")
        if by_features and not detects:
            raise ValueError("anomaly.score feature_distance is of transfer's heads padim and patchcore; name one of them")
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
        if self.tune.epochs is None:
            self.tune.check_epochs(self.train.epochs, "train.epochs")
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
