"""Whether a config suits the kind of input that its model reads. Asked before anything starts; no component imports it."""

from components.inputs import input_of, kinds, storage_of
from configs.errors import UsageError
from configs.schema.run import RunConfig


def check(config: RunConfig, kind: str) -> None:
    """Raise UsageError for keys of a config that only other kinds read, or that have no meaning for this one."""
    for other in kinds():
        theirs, ours = input_of(other), input_of(kind)
        for key in sorted(config.transform.model_fields_set & (theirs.options - ours.options)):
            raise _of_another(f"transform.{key}", other, config, kind)
        strange = set(storage_of(other).taken) - set(storage_of(kind).taken)
        for key in sorted(strange & config.data.model_fields_set):
            if getattr(config.data, key) != type(config.data).model_fields[key].default:
                raise _of_another(f"data.{key}", other, config, kind)
    if config.augment and not input_of(kind).augments:
        raise UsageError(f"augment changes images, and {config.model.name} reads {kind}.", "Take augment out.")
    input_of(kind).check(config)


def _of_another(key: str, other: str, config: RunConfig, kind: str) -> UsageError:
    return UsageError(f"{key} is of models that read {other}, and {config.model.name} reads {kind}.", f"Take {key} out.")
