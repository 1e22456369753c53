"""`export.variants`: what a blessed model is converted to. Converter alone reads it, so it trains nothing anew."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from configs.schema.base import Named, Slice
from configs.schema.export import ExportConfig

Variant = Literal["float32", "float16", "int8_weights", "int8", "onnx"]


class VariantsConfig(Slice):
    variants: list[Variant] = Field(
        [],
        description="what the model is converted to and pushed with: LiteRT files of float32, of float16 weights, of int8 weights, "
        "of int8 arithmetic, and ONNX; what loses more than max_loss is refused, and then nothing is pushed",
    )
    max_loss: Named[Annotated[float, Field(ge=0)]] = Field(
        {},
        description="metric -> how much worse on the test split than the model a variant may be; not given: accuracy 0.01, of "
        "images with several classes macro_f1 0.01, of autoencoders psnr 0.5, of detectors of anomalies auroc 0.01 besides",
    )
    calibration: int = Field(
        100,
        gt=0,
        le=10_000,
        description="variant int8: images of the training split, drawn by the seed, that ranges of values follow from",
    )

    @field_validator("variants")
    @classmethod
    def _each_once(cls, variants):
        if repeated := sorted({name for name in variants if variants.count(name) > 1}):
            raise ValueError(f"{', '.join(repeated)} stands twice")
        return variants


class Export(ExportConfig, VariantsConfig):
    """The whole topic, as a config has it."""

    @property
    def of_graph(self) -> ExportConfig:
        """What Trainer and Tuner read."""
        return ExportConfig.model_validate({name: getattr(self, name) for name in ExportConfig.model_fields})

    @property
    def of_variants(self) -> VariantsConfig:
        """What Converter reads."""
        return VariantsConfig.model_validate({name: getattr(self, name) for name in VariantsConfig.model_fields})
