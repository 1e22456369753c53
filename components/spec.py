"""The one way in which hubel's components differ from TFX's in what they declare: a digest of the source they run."""

from tfx.types.component_spec import ComponentSpec, ExecutionParameter

SOURCE_DIGEST = "source_digest"
SLICE = "slice"


def extended(spec: type[ComponentSpec], *texts: str) -> type[ComponentSpec]:
    """A TFX component's spec with `source_digest` and further string parameters, all part of the cache key."""
    parameters = {name: ExecutionParameter(type=str) for name in (SOURCE_DIGEST, *texts)}
    return type(f"Hubel{spec.__name__}", (spec,), {"PARAMETERS": {**spec.PARAMETERS, **parameters}})
