"""`beam`: Apache Beam, which runs ExampleGen, StatisticsGen, Transform and Evaluator."""

from typing import Annotated

from pydantic import Field

from configs.schema.base import Slice


class BeamConfig(Slice):
    flags: list[Annotated[str, Field(pattern=r"^--[A-Za-z]")]] = Field(
        [], description="given to every Beam component as they are; a --runner among them takes the place of FnApiRunner"
    )
