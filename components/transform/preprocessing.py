"""Transform's preprocessing_fn: decode, resize, and the statistics of the training split. Nothing random belongs here."""

import tensorflow as tf
import tensorflow_transform as tft

from components import keys
from components.transform import pixels
from configs.schema import TransformSlice

NEEDS_STATISTICS = "per_channel"


@tf.autograph.experimental.do_not_convert
def preprocessing_fn(inputs, custom_config):
    """Raw features to transformed ones.

    Args:
        inputs: components.keys' raw schema, dense [N, 1] tensors; labels may be sparse where some are missing.
        custom_config: {"slice": TransformSlice as JSON}.

    Returns:
        `pixels` string [N] (serialized uint8 [height, width, channels]), `image/id` string [N], each target int64 [N] (-1
        where it is missing) or, for a map, like `pixels` with one channel, and with `normalize: per_channel` the float32
        [N, channels] mean and variance.
    """
    cfg = TransformSlice.model_validate_json(custom_config["slice"])
    images = pixels.from_bytes(_flat(inputs[keys.IMAGE_ENCODED]), cfg.transform)
    outputs = {
        keys.PIXELS: _serialized(images),
        keys.IMAGE_ID: _flat(inputs[keys.IMAGE_ID]),
    }
    for target in cfg.targets:
        flat = _flat(inputs[target])
        outputs[target] = _serialized(pixels.masks_from_bytes(flat, cfg.transform)) if target in keys.MAPS else flat
    if cfg.transform.normalize == NEEDS_STATISTICS:
        mean, variance = _channel_statistics(images)
        rows = tf.shape(images)[0]
        outputs[keys.PIXEL_MEAN] = tf.tile(mean[None], [rows, 1])
        outputs[keys.PIXEL_VARIANCE] = tf.tile(variance[None], [rows, 1])
    return outputs


def _serialized(images: tf.Tensor) -> tf.Tensor:
    return tf.map_fn(tf.io.serialize_tensor, images, fn_output_signature=tf.string)


def _channel_statistics(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of each channel over all pixels of the training split, by TFT's full pass; float32 [channels]."""
    values = tf.cast(images, tf.float64)
    mean = tft.mean(tf.reduce_mean(values, axis=[1, 2]), reduce_instance_dims=False)
    square = tft.mean(tf.reduce_mean(tf.square(values), axis=[1, 2]), reduce_instance_dims=False)
    return tf.cast(mean, tf.float32), tf.cast(tf.maximum(square - tf.square(mean), 0.0), tf.float32)


def _flat(feature: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """[N, 1] to [N]; a missing integer becomes -1."""
    if isinstance(feature, tf.SparseTensor):
        feature = tf.sparse.to_dense(feature, default_value=-1 if feature.dtype == tf.int64 else "")
        feature = tf.pad(feature, [[0, 0], [0, 1]], constant_values=-1 if feature.dtype == tf.int64 else "")[:, :1]
    return tf.reshape(feature, [-1])
