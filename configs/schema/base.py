"""What every slice of a config is. One file a topic: a stage depends on the topics that it reads."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Slice(BaseModel):
    """Base of every slice: frozen; an unknown key is an error, and so is a number that is not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, serialize_by_alias=True)


def _without_nulls(value: Any) -> Any:
    return {name: entry for name, entry in value.items() if entry is not None} if isinstance(value, dict) else value


EntryT = TypeVar("EntryT")
Named = Annotated[dict[str, EntryT], BeforeValidator(_without_nulls)]  # null takes out what an extended config put in
