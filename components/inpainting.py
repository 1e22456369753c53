"""Missing pixels of an image, filled in by the autoencoder that learned what such images look like.

g(f(x)) - x points to where images are denser (Alain & Bengio 2014, "What regularized auto-encoders learn from the data-generating
distribution", JMLR 15, section 3: for small noise it is the score's direction), so going from x to g(f(x)) again and again ends on
the manifold of the images. Putting the known pixels back after each step keeps the way among the images that have them; so do
Bengio, Thibodeau-Laufer, Alain & Yosinski 2014, "Deep generative stochastic networks trainable by backprop", ICML, with missing
inputs. Here it is done without their noise, because nothing that is served draws random numbers: the answer is one image.
"""

import keras
import tensorflow as tf

from components.tasks.base import Extra, Signature
from components.trainer.card import Card
from components.transform import pixels as pixel_graph

STEPS = 10  # docs/autoencoder_verbs.md has the error after more and fewer
MISSING_ABOVE = 127  # of 0..255: what is brighter in a mask is missing in its image


def signature(model: keras.Model, card: Card) -> Signature:
    """`inpaint`: images and a `mask` for each, an encoded PNG or JPEG -> `images`: known pixels as they were, missing ones filled.

    Args:
        model: float32 pixels [N, height, width, channels] in 0..255 -> images in [0, 1].
        card: says how images are resized; masks are too, by the nearest value.
    """

    @tf.autograph.experimental.do_not_convert
    def inpaint(pixels, mask):
        mask = tf.ensure_shape(mask, [None])
        as_many = tf.debugging.assert_equal(tf.shape(mask)[0], tf.shape(pixels)[0], "there must be one mask for each image")
        with tf.control_dependencies([as_many] if as_many is not None else []):  # eagerly it is checked at once
            mask = tf.identity(mask)
        return {"images": project(model, pixels, missing(mask, card))}

    def example(many):
        return tf.repeat(tf.io.encode_png(_square(*card.input_shape[:2]))[None], many, axis=0)

    return Signature(
        inpaint, gives={"images": "image"}, extra={"mask": Extra(tf.TensorSpec([None], tf.string), example)}, passes=STEPS
    )


def project(model: keras.Model, pixels: tf.Tensor, missing: tf.Tensor, steps: int = STEPS) -> tf.Tensor:
    """x <- known pixels and, where they are missing, those of g(f(x)); begun with the mean of the image's known pixels, by channel.

    Args:
        pixels: float32 [N, height, width, channels] in 0..255; what stands where `missing` is true has no influence.
        missing: bool [N, height, width, 1].
        steps: how often; 0 is the mean.

    Returns:
        float32 like `pixels`; an image whose pixels are all missing begins black.
    """
    known = tf.cast(~missing, tf.float32)
    total = tf.reduce_sum(pixels * known, axis=[1, 2], keepdims=True)
    mean = tf.math.divide_no_nan(total, tf.reduce_sum(known, axis=[1, 2], keepdims=True))

    def step(number, x):
        return number + 1, tf.where(missing, 255.0 * model(x, training=False), pixels)

    start = tf.where(missing, mean, pixels)
    return tf.while_loop(lambda number, x: number < steps, step, (0, tf.ensure_shape(start, pixels.shape)))[1]


def missing(masks: tf.Tensor, card: Card) -> tf.Tensor:
    """Encoded masks, string [N] -> bool [N, height, width, 1]: resized as their images are, by the nearest value."""
    return pixel_graph.masks_from_bytes(masks, card.seen) > MISSING_ABOVE


def _square(height: int, width: int) -> tf.Tensor:
    """A mask, uint8 [height, width, 1]: the middle is missing, half the sides."""
    inside = [(side // 4 <= tf.range(side)) & (tf.range(side) < side - side // 4) for side in (height, width)]
    return tf.cast(inside[0][:, None, None] & inside[1][None, :, None], tf.uint8) * 255
