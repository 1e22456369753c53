"""Whether a config suits the kind of input that its model reads. Asked before anything starts; no component imports it."""

from collections.abc import Sequence

from pydantic import BaseModel

from components.inputs import input_of, kinds, storage_of
from configs.errors import UsageError
from configs.schema.augment import AugmentStep
from configs.schema.data import DataConfig
from configs.schema.transform import TransformConfig


def check(kind: str, model: str, data: DataConfig, transform: TransformConfig, augment: Sequence[AugmentStep], crops: bool) -> None:
    """Raise UsageError for keys of a config that only other kinds read, or that have no meaning for this one.

    Args:
        model: name of the model that reads this kind, for the message.
        crops: whether a served answer is to be the mean of several crops (export.crops).
    """
    topics = {"transform": transform, "data": data}
    for other in kinds():
        theirs, ours = input_of(other), input_of(kind)
        strange = {
            "transform": theirs.options - ours.options,
            "data": set(storage_of(other).taken) - set(storage_of(kind).taken),
        }
        for name, keys in strange.items():
            for key in sorted(keys & _changed(topics[name])):
                raise _of_another(f"{name}.{key}", other, model, kind)
    if augment and not input_of(kind).augments:
        raise UsageError(f"augment changes images, and {model} reads {kind}.", "Take augment out.")
    input_of(kind).check(model, crops)


def _changed(topic: BaseModel) -> set[str]:
    """Its keys that are not as they are by themselves: the config that a run records names all."""
    return {
        key
        for key, field in type(topic).model_fields.items()
        if getattr(topic, key) != field.get_default(call_default_factory=True)
    }


def _of_another(key: str, other: str, model: str, kind: str) -> UsageError:
    return UsageError(f"{key} is of models that read {other}, and {model} reads {kind}.", f"Take {key} out.")
