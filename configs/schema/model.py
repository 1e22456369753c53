"""`model`: which network."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from configs.schema.base import Slice


class ModelConfig(Slice):
    name: str = Field("lenet5", description="registry name, or dotted path to a builder of one's own")
    options: dict[str, Any] = Field({}, description="keyword arguments of the builder beyond what the data decides")
    initial: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]+(/[0-9]+|@[A-Za-z0-9-]+)?$",
        description="NAME[/VERSION] of a pushed model, NAME@candidate or a run: whose weights training starts from",
    )
    frozen: bool = Field(False, description="whether the layers that took weights over from initial stay as they are")
    members: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(/[0-9]+)?$")]] | None = Field(
        None, min_length=2, description="ensemble: NAME[/VERSION] of the pushed models whose probabilities are averaged"
    )

    @model_validator(mode="after")
    def _frozen_weights_of_something(self):
        if self.frozen and self.initial is None:
            raise ValueError("frozen keeps what initial gives, and there is no initial; give one, or take it out")
        return self

    @model_validator(mode="after")
    def _an_ensemble_of_something(self):
        if (self.name == "ensemble") != (self.members is not None):
            raise ValueError(f"members are what the model ensemble is made of; got {self.members} for {self.name}")
        return self
