"""Transform's preprocessing_fn: decode, resize, and the statistics of the training split. Nothing random belongs here."""

import tensorflow as tf

from components import keys, targets
from components.transform import moments, pixels
from components.transform.follow import Resize
from components.transform.stored import stored
from configs.schema.slices.transform import TransformSlice


@tf.autograph.experimental.do_not_convert
def preprocessing_fn(inputs, custom_config):
    """Raw features to transformed ones.

    Args:
        inputs: components.keys' raw schema, dense [N, 1] tensors; labels may be sparse where some are missing.
        custom_config: {"slice": TransformSlice as JSON}.

    Returns:
        `pixels` string [N] (serialized uint8 [height, width, channels]), `example/id` string [N], each target as its kind stores it
        (components.targets). Statistics of the training split are files beside the graph: see components.transform.moments.
    """
    cfg = TransformSlice.model_validate_json(custom_config["slice"])
    images = pixels.from_bytes(targets.first(inputs[keys.IMAGE_ENCODED]), cfg.transform, cfg.reading, stored=True)
    outputs = {
        keys.PIXELS: stored(images),
        keys.EXAMPLE_ID: targets.first(inputs[keys.EXAMPLE_ID]),
    }
    resize = Resize(cfg.transform, inputs, tf.shape(outputs[keys.EXAMPLE_ID])[0])
    for kind in map(targets.of, cfg.targets):
        outputs[kind.name] = kind.stored(kind.resized(inputs, resize))
    _keep_statistics(images, cfg)
    return outputs


def _keep_statistics(images: tf.Tensor, cfg: TransformSlice) -> None:
    """Those that the config needs, so that no other run pays for them."""
    if cfg.transform.normalize == "per_channel" or cfg.covariance:
        moments.save(images, cfg.transform.channels, keys.CHANNEL_MOMENTS)
    if cfg.transform.normalize == "zca":
        moments.save(images, cfg.transform.values, keys.IMAGE_MOMENTS)
