"""What ExampleGen knows, inside a Schema: classes as a string domain called `label`, whose values stand in the order of the integer
labels, and what it did to images as tags of the schema's annotation.
"""

from collections.abc import Mapping

from tensorflow_metadata.proto.v0 import schema_pb2

from components import keys

CHANGED = "changed:"  # begins a tag of the schema


def describe_label(schema: schema_pb2.Schema, names: list[str]) -> None:
    """Bound an integer label feature to its classes and add their names, in place. Nothing happens without labels or names."""
    for feature in schema.feature:
        if feature.name == keys.LABEL and names:
            feature.int_domain.CopyFrom(schema_pb2.IntDomain(min=0, max=len(names) - 1, is_categorical=True))
            schema.string_domain.add(name=keys.LABEL, value=names)


def allow_missing_labels(schema: schema_pb2.Schema) -> None:
    """Take back that every image has a label, in place: which of the splits those without one are in is chance."""
    for feature in schema.feature:
        if feature.name == keys.LABEL:
            feature.ClearField("shape")
            feature.presence.min_fraction = 0.0
            feature.value_count.CopyFrom(schema_pb2.ValueCount(min=0, max=1))


def forget_values(schema: schema_pb2.Schema) -> None:
    """Take back the list of allowed values that TFDV infers for ids and images where there are few, in place.

    An id that training did not hold is no anomaly: it is what every new image has.
    """
    for feature in schema.feature:
        if feature.name in (keys.IMAGE_ID, keys.IMAGE_ENCODED):
            inferred = feature.domain or feature.name
            feature.ClearField("domain_info")
            feature.ClearField("distribution_constraints")
            for index in reversed(range(len(schema.string_domain))):
                if schema.string_domain[index].name == inferred:
                    del schema.string_domain[index]


def describe_changes(schema: schema_pb2.Schema, changes: Mapping[str, int]) -> None:
    """Note how many images ExampleGen changed in which way, in place; what was noted before, such as in a pinned schema, goes."""
    kept = [tag for tag in schema.annotation.tag if not tag.startswith(CHANGED)]
    del schema.annotation.tag[:]
    schema.annotation.tag.extend(kept + [f"{CHANGED}{name}={count}" for name, count in sorted(changes.items())])
    if not schema.annotation.tag:
        schema.ClearField("annotation")


def changes(schema: schema_pb2.Schema) -> dict[str, int]:
    """What `describe_changes` noted."""
    noted = (tag.removeprefix(CHANGED).split("=") for tag in schema.annotation.tag if tag.startswith(CHANGED))
    return {name: int(count) for name, count in noted}


def class_names(schema: schema_pb2.Schema) -> list[str]:
    """Names in label order; empty for unlabelled data."""
    for domain in schema.string_domain:
        if domain.name == keys.LABEL:
            return list(domain.value)
    return []
