"""One example as a tf.Example of the raw schema, and the numbers that are drawn from its id."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from components import inputs, keys


def example(
    encoded: bytes,
    example_id: bytes,
    label: int | None = None,
    targets: Mapping[str, Any] | None = None,
    measures: Mapping[str, int | float] | None = None,
    reads: str = inputs.DEFAULT,
) -> bytes:
    """Serialized tf.Example: `encoded` as the kind of input `reads` keeps it, `targets` are further ones than the label by name, as
    their kinds (components.targets) take them, `measures` by feature name. None is absent."""
    import tensorflow as tf

    from components import targets as kinds

    held: dict[str, Sequence] = {inputs.storage_of(reads).feature: [encoded], keys.EXAMPLE_ID: [example_id]}
    types: dict[str, int] = {}
    for name, value in {keys.LABEL: label, **(targets or {})}.items():
        if value is not None:
            held |= kinds.of(name).raw(value)
            types |= kinds.of(name).features
    held |= {name: [value] for name, value in (measures or {}).items() if value is not None}
    feature = {name: _feature(tf, values, types.get(name)) for name, values in held.items()}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(deterministic=True)


def _feature(tf, values: Sequence, type_: int | None):
    """`type_`: a Schema's, where no value may tell."""
    from tensorflow_metadata.proto.v0 import schema_pb2

    kind = type(values[0]) if type_ is None else {schema_pb2.BYTES: bytes, schema_pb2.FLOAT: float}.get(type_, int)
    if kind is bytes:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if kind is float:
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def share(example_id: bytes, purpose: bytes = b"split") -> float:
    """A number in [0, 1) that depends on the id alone, independent between purposes: what splits and limits are drawn by."""
    return int.from_bytes(hashlib.sha256(purpose + b"\0" + example_id).digest()[:8], "big") / 2**64
