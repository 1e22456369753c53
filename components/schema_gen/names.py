"""What ExampleGen knows, inside a Schema: classes of each target as a string domain called as the target, whose values stand in the
order of the integers (components.targets writes them), and what it did to images as tags of the schema's annotation.
"""

from collections.abc import Mapping

from tensorflow_metadata.proto.v0 import schema_pb2

from components import keys, targets

CHANGED = "changed:"  # begins a tag of the schema


def forget_values(schema: schema_pb2.Schema) -> None:
    """Take back the list of allowed values that TFDV infers for ids and for bytes that are read or learned, where there are few, in
    place.

    An id that training did not hold is no anomaly: it is what every new example has.
    """
    unnamed = (keys.EXAMPLE_ID, *(name for kind in targets.KINDS.values() for name in kind.uncounted))
    for feature in schema.feature:
        if feature.type == schema_pb2.BYTES or feature.name in unnamed:
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


def class_names(schema: schema_pb2.Schema) -> dict[str, list[str]]:
    """Target -> names of its classes in the order of their numbers, of the targets whose classes have names."""
    return {domain.name: list(domain.value) for domain in schema.string_domain if domain.name in targets.KINDS}
