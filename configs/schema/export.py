"""`export`: what is written beside the weights."""

from typing import Annotated, Literal

from pydantic import Field

from configs.schema.base import Slice

Rows = Annotated[int, Field(gt=0, le=1024)]
Temperature = Annotated[float, Field(ge=0.05, le=20)]
Scale = Annotated[float, Field(gt=1, le=4)]


class Crops(Slice):
    """Test-time averaging over patches of a larger image: Krizhevsky et al. 2012, section 4.1; Szegedy et al. 2015, section 7."""

    scale: Scale | Annotated[list[Scale], Field(min_length=1, max_length=8)] = Field(
        1.143, description="side of the image that is cut from, over that of the model's input (AlexNet's is 256/224), or several"
    )
    squares: bool = Field(
        False,
        description="as GoogLeNet: of each scale the left, middle and right square (upper, middle, lower), and besides its corners "
        "and centre the whole square; with scale [1.143, 1.286, 1.429, 1.571] and reflect 144 patches",
    )
    reflect: bool = Field(True, description="their mirror images too, ten crops instead of five; false for digits and letters")

    @property
    def scales(self) -> list[float]:
        """As a list, however it was written."""
        return self.scale if isinstance(self.scale, list) else [self.scale]


class ExportConfig(Slice):
    top_k: int = Field(5, gt=0, le=1000, description="classes returned for each image, at most as many as there are")
    crops: Crops | None = Field(None, description="classification: average the probabilities over crops; null: the whole image")
    temperature: Literal["auto"] | Temperature | None = Field(
        None,
        description="classification: what logits are divided by before probabilities are served, so that these are as high as they "
        "are right; auto: what suits the validation split best; null: nothing",
    )
    draws: int = Field(
        64,
        gt=0,
        le=100_000,
        description="variational models: draws of a code that the ELBO and the importance-weighted log p(x) are estimated from",
    )
    warmup: int = Field(
        8,
        ge=0,
        le=1000,
        description="requests in assets.extra that a server replays before it answers: so many of the end of raw bytes, and of "
        "every other signature one for each of warmup_batches; 0: none",
    )
    warmup_batches: list[Rows] = Field(
        [1],
        min_length=1,
        max_length=16,
        description="examples of these requests; with TF Serving's batching its allowed_batch_sizes, as a request of more than its "
        "max_batch_size keeps a model from loading",
    )
