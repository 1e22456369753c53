"""`card`: what a person says of a model and its data on the model card, and nobody can measure."""

from typing import Annotated

from pydantic import Field

from configs.schema.base import Slice

Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]


class CardConfig(Slice):
    owner: Text | None = Field(None, description="who answers for the model")
    contact: Text | None = Field(None, description="where questions go")
    licence: Text | None = Field(None, description="of the model")
    citation: Text | None = Field(None, description="how the model is cited")
    intended_use: Text | None = Field(None, description="what it is for, and for whom")
    out_of_scope: Text | None = Field(None, description="what it must not be used for")
    ethics: Text | None = Field(None, description="ethical considerations: people in the data, risks, what was done about them")
    data_licence: Text | None = Field(None, description="of the data; null: what its TFDS data set says, if anything")
    data_citation: Text | None = Field(None, description="of the data; null: what its TFDS data set says, if anything")
