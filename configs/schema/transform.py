"""`transform`: from colours to the model's pixels."""

from typing import Literal

from pydantic import Field, model_validator

from configs.schema.base import Slice
from configs.schema.text import TextConfig

MAX_SIDE = 4096  # px; a model's input, not a photograph's size
MAX_WHITENED = 4096  # values of an image; their whitening matrix then takes 64 MiB


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
    text: TextConfig | None = Field(
        None, description="models that read texts: tokens and vocabulary; of the other keys they have materialize and batch_size"
    )

    @property
    def of_graph(self) -> "TransformConfig":
        """Without what is the network's alone: as Transform's graph is made by it."""
        text = self.text and self.text.model_copy(update={"vectors": None})
        return self.model_copy(update={"text": text})

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
