"""The model card: what a Model artifact says of itself, for the stages after Trainer and for whoever serves it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from components import keys
from components.transform import crops
from configs.schema.anomaly import AnomalyConfig
from configs.schema.export import ExportConfig
from configs.schema.reading import Reading
from configs.schema.transfer import TransferConfig
from configs.schema.transform import TransformConfig


class Card(BaseModel):
    """What is known of one trained model, as JSON beside it."""

    model_config = ConfigDict(frozen=True)

    name: str
    architecture: str
    task: str
    params: int
    reads: str = "image"  # kind of its input: key of components/inputs
    input_shape: tuple[int, ...]
    class_names: list[str]
    targets: dict[str, list[str]] = {}  # further ones that it learned from -> names of their classes; see components.targets
    train_images: int
    epochs: int  # trained, not asked for: early stopping may end sooner
    kept: int | None = None  # the epoch whose weights these are; 0: of none of them; None in cards written before
    seed: int
    jit: bool = False  # whether XLA compiled the training steps, of the last phase where there were several
    hyperparameters: dict  # what the tuner chose, by dotted path
    calibrated: dict = {}  # what the task found after training, such as a threshold
    learned: dict = {}  # what the kind of its input learned from the training split, such as a vocabulary
    anomaly: AnomalyConfig | None = None  # how it judges images, where it does
    members: dict[str, "Card"] = {}  # of an ensemble: NAME/VERSION -> what that model says of itself
    transform: TransformConfig
    reading: Reading | None = None  # None of models pushed before: their graph drops alpha, and does not turn
    turns: bool = False  # whether the graph honours EXIF's orientation
    turned: int = 0  # of the source's images, as their EXIF tags say
    export: ExportConfig
    gives: dict[str, dict[str, str]] = {}  # signature -> output -> its kind, of serving.answers; empty in cards written before
    predicts: str | None = None  # the signature of images that `hubel predict` asks; None in cards written before
    transfer: TransferConfig | None = None  # what it was made of, where that was another model

    @property
    def architectures(self) -> set[str]:
        """Its own and, of an ensemble, its members'."""
        return {self.architecture}.union(*(member.architectures for member in self.members.values()))

    @property
    def seen(self) -> TransformConfig:
        """What the served graph resizes images to, before a signature answers them."""
        return crops.enlarged(self.transform, self.export.crops)

    @classmethod
    def read(cls, model_uri: str) -> "Card":
        """The card of a Model artifact."""
        return cls.model_validate_json((Path(model_uri) / keys.CARD_FILE).read_text())

    @classmethod
    def exported(cls, saved_model: str) -> "Card | None":
        """The card in a SavedModel's folder; None where there is none."""
        path = Path(saved_model) / keys.CARD_IN_EXPORT
        return cls.model_validate_json(path.read_text()) if path.is_file() else None
