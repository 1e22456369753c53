"""`transfer`: another model's features in the place of a network that learns from nothing."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from configs.schema.base import Slice

DETECTORS = ("padim", "patchcore")
TRAINED_OR_KEPT = ("logistic_regression", "nearest_neighbours")
READERS = {  # key -> the heads that read it
    "neighbours": ("nearest_neighbours",),
    "distance": ("nearest_neighbours",),
    "layers": DETECTORS,
    "layer": TRAINED_OR_KEPT,
    "maps": TRAINED_OR_KEPT,
    "shots": TRAINED_OR_KEPT,
    "dimensions": ("padim",),
    "coreset": ("patchcore",),
    "reweight": ("patchcore",),
    "smoothing": DETECTORS,
    "seed": DETECTORS,
}


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
    weights: str | None = Field(
        None,
        min_length=1,
        description="keras.applications: path of a file of weights without the classifier, or random, which are drawn by the run's "
        "seed; null: ImageNet's, which padim and patchcore do not fetch",
    )
    layers: list[str] | None = Field(
        None, min_length=1, description="padim, patchcore: the layers whose maps are the features, the finest first"
    )
    head: Literal["logistic_regression", "nearest_neighbours", "padim", "patchcore"] = Field(
        "logistic_regression",
        description="trained by gradient; or all training features kept, and their labels the answer; or, with anomaly, what "
        "features of normal images are like: a Gaussian at each place (PaDiM), or a memory of patches (PatchCore)",
    )
    neighbours: int = Field(1, gt=0, le=1000, description="nearest_neighbours: how many have a say, each the same")
    distance: Literal["cosine", "euclidean"] = Field("cosine", description="nearest_neighbours: what is near")
    dimensions: int = Field(100, gt=0, description="padim: channels of the features that are kept, drawn by transfer.seed")
    coreset: float = Field(0.01, gt=0, le=1, description="patchcore: share of the training images' patches that is kept")
    reweight: int = Field(
        9,
        ge=0,
        description="patchcore: neighbours of the nearest patch, itself among them, by which the score of an image is weighed, at "
        "least 2; 0: it is not",
    )
    smoothing: float = Field(4.0, ge=0, description="padim, patchcore: deviation in px of the Gaussian that the map is filtered by")
    seed: int = Field(0, ge=0, lt=2**31, description="padim, patchcore: of what they draw")
    shots: int | None = Field(None, gt=0, description="training images of each class, drawn by seed and id; null: all")
    fine_tune: FineTune | None = Field(None, description="logistic_regression: train layers of the source too, after the head")

    @property
    def is_trained(self) -> bool:
        """Whether its head is trained by gradient."""
        return self.head == "logistic_regression"

    @property
    def detects(self) -> bool:
        """Whether it says which images are unlike those of training, and no class."""
        return self.head in DETECTORS

    @field_validator("reweight")
    @classmethod
    def _neighbours_beside_itself(cls, reweight):
        if reweight == 1:
            raise ValueError("reweight counts the nearest patch itself; of it alone every score would be 0: take 0, or 2 or more")
        return reweight

    @model_validator(mode="after")
    def _of_this_head(self):
        if self.head != "logistic_regression" and self.fine_tune is not None:
            raise ValueError(f"fine_tune needs a head that is trained by gradient; {self.head} is not")
        for key, heads in READERS.items():
            if self.head not in heads and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is of {' and '.join(heads)}; {self.head} does not read it")
        if self.detects and not self.layers:
            raise ValueError(
                f"{self.head} compares patches of maps; name the layers that make them, such as layers: [conv1, conv2]"
            )
        if self.weights is not None and not self.source.startswith("keras.applications:"):
            raise ValueError(f"weights are of keras.applications; {self.source} has its own")
        return self
