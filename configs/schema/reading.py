"""From a file's bytes to 8-bit colours."""

from typing import Annotated, Literal

from pydantic import Field

from configs.schema.base import Slice

Level = Annotated[int, Field(ge=0, le=255)]


class Reading(Slice):
    """How what a file holds becomes the 8-bit colours that a model sees; read by ExampleGen and by every graph that decodes."""

    ground: Literal["white", "black"] | Annotated[list[Level], Field(min_length=3, max_length=3)] = Field(
        "white", description="what transparent pixels are laid over: white, black or [r, g, b] of 0..255"
    )
    white: int | None = Field(
        None, gt=0, le=65535, description="value of 16-bit images that becomes 255, such as 4095 of 12-bit ones; null: 65535"
    )

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The ground's colour."""
        if isinstance(self.ground, str):
            return (255, 255, 255) if self.ground == "white" else (0, 0, 0)
        return tuple(self.ground)
