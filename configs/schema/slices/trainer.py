"""What Trainer and Tuner get of a config."""

from typing import Annotated

from pydantic import BeforeValidator

from configs.schema.anomaly import AnomalyConfig
from configs.schema.augment import AugmentStep, as_steps
from configs.schema.base import Slice
from configs.schema.export import ExportConfig
from configs.schema.model import ModelConfig
from configs.schema.reading import Reading
from configs.schema.train import TrainConfig
from configs.schema.transfer import TransferConfig
from configs.schema.transform import TransformConfig


class TrainerSlice(Slice):
    """What Trainer and Tuner read."""

    name: str
    seed: int
    reading: Reading = Reading()
    transform: TransformConfig
    augment: Annotated[list[AugmentStep], BeforeValidator(as_steps)]  # as in RunConfig: a search may try a policy by its name
    model: ModelConfig
    transfer: TransferConfig | None = None
    train: TrainConfig
    anomaly: AnomalyConfig | None = None
    export: ExportConfig
