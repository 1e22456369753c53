"""What Transform gets of a config."""

from configs.schema.base import Slice
from configs.schema.reading import Reading
from configs.schema.transform import TransformConfig


class TransformSlice(Slice):
    """What Transform reads. `reads` is the kind of input (components/inputs); `targets` names the raw features that the task learns
    from; `covariance` says whether Trainer will ask for that of the channels."""

    transform: TransformConfig
    reading: Reading = Reading()
    reads: str = "image"
    targets: list[str] = []
    covariance: bool = False
