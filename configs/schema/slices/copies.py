"""What AugmentedCopies gets of a config."""

from configs.schema.augment import AugmentStep
from configs.schema.base import Slice
from configs.schema.transform import TransformConfig


class CopiesSlice(Slice):
    """What AugmentedCopies reads; `steps` are those that are written, policies expanded."""

    seed: int
    transform: TransformConfig
    steps: list[AugmentStep]
    copies: int
