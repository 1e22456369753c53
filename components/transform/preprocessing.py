"""Transform's preprocessing_fn: decode, resize, and the statistics of the training split. Nothing random belongs here."""

import tensorflow as tf

from components import keys
from components.transform import moments, pixels
from components.transform.stored import stored
from configs.schema.slices.transform import TransformSlice


@tf.autograph.experimental.do_not_convert
def preprocessing_fn(inputs, custom_config):
    """Raw features to transformed ones.

    Args:
        inputs: components.keys' raw schema, dense [N, 1] tensors; labels may be sparse where some are missing.
        custom_config: {"slice": TransformSlice as JSON}.

    Returns:
        `pixels` string [N] (serialized uint8 [height, width, channels]), `image/id` string [N], each target int64 [N] (-1
        where it is missing) or, for a map, like `pixels` with one channel. Statistics of the training split are files beside
        the graph: see components.transform.moments.
    """
    cfg = TransformSlice.model_validate_json(custom_config["slice"])
    images = pixels.from_bytes(_flat(inputs[keys.IMAGE_ENCODED]), cfg.transform, cfg.reading, stored=True)
    outputs = {
        keys.PIXELS: stored(images),
        keys.IMAGE_ID: _flat(inputs[keys.IMAGE_ID]),
    }
    for target in cfg.targets:
        missing = target not in keys.MAPS and target not in inputs
        flat = tf.fill(tf.shape(outputs[keys.IMAGE_ID]), tf.constant(-1, tf.int64)) if missing else _flat(inputs[target])
        outputs[target] = stored(pixels.masks_from_bytes(flat, cfg.transform)) if target in keys.MAPS else flat
    _keep_statistics(images, cfg)
    return outputs


def _keep_statistics(images: tf.Tensor, cfg: TransformSlice) -> None:
    """Those that the config needs, so that no other run pays for them."""
    if cfg.transform.normalize == "per_channel" or cfg.covariance:
        moments.save(images, cfg.transform.channels, keys.CHANNEL_MOMENTS)
    if cfg.transform.normalize == "zca":
        moments.save(images, cfg.transform.values, keys.IMAGE_MOMENTS)


def _flat(feature: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """[N, 1] to [N]; a missing integer becomes -1."""
    if isinstance(feature, tf.SparseTensor):
        feature = tf.sparse.to_dense(feature, default_value=-1 if feature.dtype == tf.int64 else "")
        feature = tf.pad(feature, [[0, 0], [0, 1]], constant_values=-1 if feature.dtype == tf.int64 else "")[:, :1]
    return tf.reshape(feature, [-1])
