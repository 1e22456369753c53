"""One image as a tf.Example of the raw schema, and the numbers that are drawn from its id."""

import hashlib
from collections.abc import Mapping

from components import keys


def example(
    image: bytes,
    image_id: bytes,
    label: int | None = None,
    mask: bytes | None = None,
    anomaly: bool | None = None,
    measures: Mapping[str, int | float] | None = None,
) -> bytes:
    """Serialized tf.Example: `image` is PNG or JPEG, `image_id` stable between runs, `measures` by feature name. None is absent."""
    import tensorflow as tf

    numbers = {keys.LABEL: label, keys.ANOMALY: None if anomaly is None else int(anomaly), **(measures or {})}
    texts = {keys.IMAGE_ENCODED: image, keys.IMAGE_ID: image_id, keys.MASK: mask}
    feature = {name: _feature(tf, value) for name, value in {**texts, **numbers}.items() if value is not None}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(deterministic=True)


def _feature(tf, value: bytes | int | float):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def share(image_id: bytes, purpose: bytes = b"split") -> float:
    """A number in [0, 1) that depends on the id alone, independent between purposes: what splits and limits are drawn by."""
    return int.from_bytes(hashlib.sha256(purpose + b"\0" + image_id).digest()[:8], "big") / 2**64
