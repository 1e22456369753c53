"""`transfer`: another model's features in the place of a network that learns from nothing."""

from typing import Literal

from pydantic import Field, model_validator

from configs.schema.base import Slice


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

    @property
    def is_trained(self) -> bool:
        """Whether its head is trained by gradient."""
        return self.head != "nearest_neighbours"

    @model_validator(mode="after")
    def _of_this_head(self):
        if self.head == "nearest_neighbours" and self.fine_tune is not None:
            raise ValueError("fine_tune needs a head that is trained by gradient; nearest_neighbours is not")
        for key in ("neighbours", "distance"):
            if self.head != "nearest_neighbours" and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is of nearest_neighbours; {self.head} does not read it")
        return self
