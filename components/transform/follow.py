"""How targets with places in an image follow it to the model's size; components.targets asks."""

from collections.abc import Mapping

import tensorflow as tf

from components import targets
from components.transform import pixels, placement
from configs.schema.transform import TransformConfig


class Resize:
    """Of a batch of images: see components.targets.Resize.

    Args:
        features: raw ones of the batch, which say how large its images are.
        rows: int32 scalar, how many images.
    """

    def __init__(self, config: TransformConfig, features: Mapping[str, tf.Tensor], rows: tf.Tensor):
        self._config, self._features, self.rows = config, features, rows

    def nearest(self, encoded: tf.Tensor) -> tf.Tensor:
        """See components.targets."""
        return pixels.masks_from_bytes(encoded, self._config, targets.VOID)

    def boxes(self, boxes: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        """See components.targets. Raises InvalidArgumentError, in the graph, for images that do not say how large they are."""
        sizes = tf.stack([tf.cast(targets.first(self._features[name]), tf.int32) for name in placement.SIZE], 1)
        with tf.control_dependencies([tf.debugging.assert_positive(sizes, "boxes need the sizes of their images")]):
            scale, shift = placement.scale_and_shift(sizes, self._config)
        scale, shift = (tf.gather(tf.tile(each, [1, 2]), images) for each in (scale, shift))
        sides = tf.constant([self._config.height, self._config.width] * 2, tf.float32)
        return tf.clip_by_value(boxes * scale + shift, 0.0, sides)
