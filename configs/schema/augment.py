"""`augment`: what is drawn anew for each training image."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from configs.schema.base import Slice
from configs.schema.transform import MAX_SIDE

Level = Annotated[float, Field(ge=0, le=255)]


class Border(Slice):
    """What a move of pixels brings in from outside the image. A mask has class 0 there where the image has a constant."""

    border: Literal["mirror", "constant", "edge"] = Field(
        "mirror", description="what moves in from outside: the mirror image, one colour, or the pixels at the edge"
    )
    value: Level | Annotated[list[Level], Field(min_length=3, max_length=3)] = Field(
        0.0, description="border: constant: the colour, from black to white; one number, or one for each of three channels"
    )

    @model_validator(mode="after")
    def _of_this_border(self):
        if self.border != "constant" and self.value != type(self).model_fields["value"].default:
            raise ValueError(f"value is of border: constant; {self.border} does not read it")
        return self


class Translate(Border):
    height: float = Field(0.0, ge=0, le=1, description="largest shift up or down, as a share of the height")
    width: float = Field(0.0, ge=0, le=1, description="largest shift left or right, as a share of the width")


class Rotate(Border):
    degrees: float = Field(ge=0, le=180, description="largest turn either way")


class Zoom(Border):
    factor: float = Field(ge=0, lt=1, description="scale is drawn from 1 - factor to 1 + factor")


class Shear(Border):
    degrees: float = Field(ge=0, lt=90, description="largest horizontal slant either way")


class Flip(Slice):
    horizontal: bool = True
    vertical: bool = False


class Crop(Border):
    share: float = Field(0.0, ge=0, lt=1, description="share of each side that a random patch leaves out; it is enlarged again")
    pad: int = Field(0, ge=0, le=MAX_SIDE, description="px of border around, from which a patch of the old size is cut")


class Elastic(Border):
    alpha: float = Field(ge=0, le=0.5, description="root mean square of the ways along each axis, as a share of the shorter side")
    sigma: float = Field(0.14, gt=0, le=1, description="smoothness: the Gaussian's deviation as a share of the shorter side")


class ElasticGrid(Border):
    sigma: float = Field(10.0, ge=0, le=MAX_SIDE, description="deviation of the ways of the grid's points along each axis, px")
    points: int = Field(3, ge=2, le=64, description="along each side of the grid, the outer ones at the image's ends")


class Brightness(Slice):
    share: float = Field(ge=0, le=1, description="largest change either way, as a share of the range from black to white")


class Contrast(Slice):
    factor: float = Field(ge=0, le=1, description="the distance to the image's mean is multiplied by 1 - factor to 1 + factor")


class Saturation(Slice):
    factor: float = Field(ge=0, le=1, description="HSV's S is multiplied by 1 - factor to 1 + factor")


class Hue(Slice):
    degrees: float = Field(ge=0, le=180, description="largest turn of the colour circle either way")


class ColorShift(Slice):
    share: float = Field(ge=0, le=1, description="largest change of each channel by itself, as a share of its range")


class PcaColor(Slice):
    stddev: float = Field(0.1, ge=0, le=1, description="deviation of the draw by which each principal colour is multiplied")


class Cutout(Slice):
    size: float = Field(ge=0, le=1, description="side of the square, as a share of the image's shorter side")


class GaussianNoise(Slice):
    stddev: float = Field(ge=0, le=1, description="deviation, as a share of the range from black to white")


class SaltAndPepper(Slice):
    share: float = Field(ge=0, le=1, description="share of the pixels that become black or white")


class Mask(Slice):
    share: float = Field(ge=0, le=1, description="share of the pixels that become black")


class RandAugment(Border):
    operations: int = Field(2, ge=1, le=14, description="how many an image gets, one after the other")
    magnitude: float = Field(5.0, ge=0, le=10, description="strength of all of them")


class Mixup(Slice):
    alpha: float = Field(0.2, gt=0, le=100, description="each image's weight is drawn from Beta(alpha, alpha)")


class Cutmix(Slice):
    alpha: float = Field(1.0, gt=0, le=100, description="the share of the image that stays is drawn from Beta(alpha, alpha)")


PolicyName = Literal["none", "digits", "letters", "photos", "objects", "cells"]


class Policy(Border):
    """A policy, all of whose moves have this border; written as its name alone where they have none of their own."""

    name: PolicyName = Field(description="the steps that configs/policies.py has under this name")

    @model_serializer(mode="wrap")
    def _as_written(self, every: Callable) -> str | dict[str, Any]:
        return self.name if self.model_fields_set == {"name"} else every(self)


def _as_policy(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class AugmentStep(Slice):
    """One operation, such as `rotate: {degrees: 10}`; drawn anew for each image and epoch, on training batches only."""

    translate: Translate | None = None
    rotate: Rotate | None = None
    zoom: Zoom | None = None
    shear: Shear | None = None
    flip: Flip | None = None
    crop: Crop | None = None
    elastic: Elastic | None = None
    elastic_grid: ElasticGrid | None = None
    brightness: Brightness | None = None
    contrast: Contrast | None = None
    saturation: Saturation | None = None
    hue: Hue | None = None
    color_shift: ColorShift | None = None
    pca_color: PcaColor | None = None
    cutout: Cutout | None = None
    gaussian_noise: GaussianNoise | None = None
    salt_and_pepper: SaltAndPepper | None = None
    mask: Mask | None = None
    rand_augment: RandAugment | None = None
    mixup: Mixup | None = None
    cutmix: Cutmix | None = None
    policy: Annotated[Policy | None, BeforeValidator(_as_policy)] = None
    copies: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="what stands before it is drawn for this many epochs and written once, then read again",
    )

    @model_validator(mode="after")
    def _one_operation(self):
        if len(self.model_fields_set) != 1 or self.operation[1] is None:
            raise ValueError("each step names exactly one operation, such as {rotate: {degrees: 10}}")
        return self

    @property
    def operation(self) -> tuple[str, Any]:
        """Name and parameters of the one operation; of `copies` how many."""
        name = next(iter(self.model_fields_set))
        return name, getattr(self, name)

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


COLOR_ONLY = ("saturation", "hue", "color_shift", "pca_color")  # operations that grey images have nothing for
BATCH_ONLY = ("cutout", "gaussian_noise", "salt_and_pepper", "mask", "mixup", "cutmix")  # need the clean image, or a second one


def as_steps(value: Any) -> Any:
    """A policy's name stands for a step, alone or as an item of a list."""
    if isinstance(value, str):
        value = [value]
    return [{"policy": item} if isinstance(item, str) else item for item in value] if isinstance(value, list) else value
