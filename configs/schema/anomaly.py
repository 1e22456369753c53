"""`anomaly`: which images are unlike those of training."""

from typing import Literal

from pydantic import Field, model_validator

from configs.schema.base import Slice


class AnomalyConfig(Slice):
    """Which images are none of those that a model was trained on."""

    score: Literal["reconstruction_error", "latent_distance", "elbo", "feature_distance"] = Field(
        "reconstruction_error",
        description="what is large for an anomaly: the squared error of its pixels; the Mahalanobis distance of its code from "
        "those of the training images; of variational models, the negative evidence lower bound; of transfer's heads padim and "
        "patchcore, how far its patches are from those of the training images",
    )
    pooling: Literal["mean", "max", "top_share", "smoothed_max"] = Field(
        "mean",
        description="reconstruction_error: from the errors of an image's pixels to its score; what is wrong in a small place wants "
        "another than the mean: their largest; the mean of the largest ones; the largest mean over a square",
    )
    share: float = Field(0.1, gt=0, le=1, description="top_share: of an image's pixels, so many are taken (Pang et al. 2021)")
    window: int = Field(
        5,
        gt=0,
        le=255,
        description="smoothed_max: side of the square in px of the model's input, odd (Zavrtanik et al. 2021 take 21 at 256 px)",
    )
    quantile: float = Field(
        0.95, gt=0, lt=1, description="the threshold is this quantile of the validation images' scores; above it is an anomaly"
    )

    @model_validator(mode="after")
    def _of_this_pooling(self):
        if self.pooling != "mean" and self.score != "reconstruction_error":
            raise ValueError(f"pooling is of reconstruction_error; {self.score} has no errors of pixels to make a score of")
        for key, reader in (("share", "top_share"), ("window", "smoothed_max")):
            if self.pooling != reader and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is of {reader}; {self.pooling} does not read it")
        if self.window % 2 == 0:
            raise ValueError(f"window must be odd, so that a square has a middle; got {self.window}")
        return self
