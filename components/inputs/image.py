"""Images: float32 pixels [N, height, width, channels] in 0..255, decoded and resized by components.transform.pixels at both
ends."""

import functools
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from components import examples, keys
from components.inputs import base
from components.transform import decoding, moments, pixels, placement
from components.transform.stored import parsed, stored
from components.transform.whitening import zca
from configs.errors import HubelError
from configs.schema.reading import Reading
from configs.schema.transform import TransformConfig


@functools.cache
def _decoded(transform: str, reading: str) -> tf.types.experimental.PolymorphicFunction:
    """pixels.from_bytes of stored records as one function: TFT traces preprocessing_fn nine times, and decoding is most of it."""
    config, how = TransformConfig.model_validate_json(transform), Reading.model_validate_json(reading)
    of_strings = [tf.TensorSpec([None], tf.string)]
    return tf.function(lambda raw: pixels.from_bytes(raw, config, how, stored=True), input_signature=of_strings, autograph=False)


@dataclass(frozen=True)
class Moments:
    """Of the training split's images over 0..255: mean, variance and covariance [channels, channels] of their channels, None where
    nothing in the config needs them; whitening: mean and matrix of components.transform.whitening, where it normalises by that."""

    mean: list[float] | None = None
    variance: list[float] | None = None
    covariance: list[list[float]] | None = None
    whitening: tuple[np.ndarray, np.ndarray] | None = field(default=None, compare=False, repr=False)


class Input(base.Input):
    """See components.inputs.base."""

    feature = keys.IMAGE_ENCODED
    transformed = keys.PIXELS
    layer = keys.PIXELS
    options = frozenset({"height", "width", "channels", "resize", "interpolation", "normalize", "zca_epsilon"})
    converts = True
    augments = True

    def shape(self, transform):
        """(height px, width px, channels)."""
        return transform.height, transform.width, transform.channels

    def stand_in(self, transform, many):
        shape = self.shape(transform)
        return base.StandIn({"input_shape": shape}, np.random.default_rng(0).random((many, *shape), dtype="float32"))

    def prepare(self, raw, config):
        """The feature is a serialized uint8 [height, width, channels]. Moments of channels, or of whole images, are files beside
        the graph: see components.transform.moments."""
        images = _decoded(config.transform.model_dump_json(), config.reading.model_dump_json())(raw)
        if config.transform.normalize == "per_channel" or config.covariance:
            moments.save(images, config.transform.channels, keys.CHANNEL_MOMENTS)
        if config.transform.normalize == "zca":
            moments.save(images, config.transform.values, keys.IMAGE_MOMENTS)
        return {self.transformed: stored(images)}

    def parsed(self, value, transform):
        return parsed(value, transform, transform.channels)

    def learned(self, graph, transform):
        channels, images = (moments.read(graph, name) for name in (keys.CHANNEL_MOMENTS, keys.IMAGE_MOMENTS))
        learned = Moments(
            mean=channels and channels.mean.tolist(),
            variance=channels and channels.covariance.diagonal().tolist(),
            covariance=channels and channels.covariance.tolist(),
            whitening=images and zca(images.mean, images.covariance, transform.zca_epsilon),
        )
        return {"of_input": learned}

    def first_layer(self, transform, info):
        learned = info.of_input or Moments()
        return {"kind": transform.normalize, "mean": learned.mean, "variance": learned.variance, "whitening": learned.whitening}

    def covariance(self, info):
        return (info.of_input or Moments()).covariance

    def seen(self, raw, card):
        return pixels.from_bytes(raw, card.seen, card.reading or Reading(), stored=True)

    def ends(self, card):
        """Pixels as training saw them, or enlarged where the answer is averaged over crops, and the images' sizes before."""

        @tf.function(autograph=False)  # one graph, in whatever signatures it stands
        def seen(encoded):
            decoded, sizes = pixels.sized_from_bytes(encoded, card.seen, card.reading)
            return tf.cast(decoded, tf.float32), sizes

        shape = [None, None, None, card.seen.channels]

        def resized(images):
            images = tf.ensure_shape(images, shape)
            sizes = tf.tile(tf.shape(images)[None, 1:3], [tf.shape(images)[0], 1])
            return pixels.resize(images, card.seen), sizes

        return {
            keys.IMAGE_BYTES: base.End(
                tf.TensorSpec([None], tf.string, name=keys.IMAGE_BYTES), lambda encoded: seen(tf.ensure_shape(encoded, [None]))
            ),
            keys.PIXELS: base.End(tf.TensorSpec(shape, tf.float32, name=keys.PIXELS), resized),
        }

    def samples(self, records, card):
        """Images of several sizes are sent one by one where pixels are."""
        parsed = list(examples.parsed(records))
        encoded = [examples.values(example, self.feature)[0] for example in parsed]
        if not encoded:
            raise HubelError("There is no test image to validate the model with.", "Give the test split at least one image.")
        decoded, sizes = pixels.sized_from_bytes(tf.constant(encoded), card.seen, card.reading)
        seen = tf.cast(decoded, tf.float32)
        told = [[value for name in placement.SIZE for value in examples.values(example, name)] for example in parsed]
        if all(len(sides) == len(placement.SIZE) for sides in told):  # by which the model was calibrated
            sizes = tf.constant(told, tf.int32)
        bare = [decoding.decode(tf.constant(image), card.transform.channels, card.reading) for image in encoded]
        if len({tuple(image.shape) for image in bare}) == 1:
            sent, given = [tf.cast(tf.stack(bare), tf.float32)], [(seen, sizes)]
        else:
            sent = [tf.cast(image[None], tf.float32) for image in bare]
            given = list(zip(tf.split(seen, len(bare)), tf.split(sizes, len(bare)), strict=True))
        return base.Samples(
            {keys.IMAGE_BYTES: [tf.constant(encoded)], keys.PIXELS: sent}, {keys.IMAGE_BYTES: [(seen, sizes)], keys.PIXELS: given}
        )

    def warmup(self, values, card):
        return {
            keys.IMAGE_BYTES: tf.io.encode_png(tf.cast(values, tf.uint8))[None],
            keys.PIXELS: tf.cast(values, tf.float32)[None],
        }
