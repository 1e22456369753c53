"""The trained models that a network starts from, found once for all who want to know of them. Light."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import keras_models
from components import inputs
from components.example_gen import digest
from components.inputs import beside
from components.trainer.origin import Origin
from configs.schema.model import ModelConfig
from configs.schema.transfer import TransferConfig
from configs.schema.transform import TransformConfig
from pipelines.workspace import origins, runs
from pipelines.workspace.layout import Workspace


@dataclass(frozen=True)
class Start:
    """What a network starts from, and what it reads."""

    reads: str  # kind of input; see components.inputs
    origin: Origin | None = None  # in a transfer
    initial: str | None = None  # folder of the Model artifact of model.initial, or of a transfer's source
    members: Mapping[str, str] = field(default_factory=dict)  # of an ensemble, NAME/VERSION -> folder of the Model artifact
    names: Mapping[str, str] = field(default_factory=dict)  # as the config names each -> its full name, such as NAME/VERSION
    vectors: str | None = None  # digest of what the file of transform.text.vectors holds

    @property
    def artifacts(self) -> list[Path]:
        """Folders of all these models' artifacts; a transfer from a file or from keras.applications has none."""
        return [Path(folder) for folder in (*filter(None, [self.initial]), *self.members.values())]


def find(model: ModelConfig, transfer: TransferConfig | None, transform: TransformConfig, place: Workspace) -> Start:
    """What these keys of a config name; of a transfer, `model` is not read.

    Raises:
        UsageError: where it is not there, or cannot be started from; says what there is.
    """
    if transfer is not None:
        return transferred(transfer.source, origins.locate(transfer.source, transform, place, transfer.weights))
    return Start(
        keras_models.check(model.name).reads,
        initial=runs.artifact(place, model.initial) if model.initial else None,
        members=runs.artifacts(place, model.members or ()),
        names={asked: runs.trained(place, asked).name for asked in (model.initial, *(model.members or ())) if asked},
        vectors=_vectors(transform, place),
    )


def _vectors(transform: TransformConfig, place: Workspace) -> str | None:
    if transform.text is None or transform.text.vectors is None:
        return None
    file = beside.located(transform.text.vectors)
    return digest.of_files([file], file, place.datasets / ".digests.json")


def transferred(source: str, origin: Origin) -> Start:
    """What is transferred from a source, as the config names it, is of images."""
    return Start(inputs.DEFAULT, origin, origin.artifact, names={source: origin.source})
