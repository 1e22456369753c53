"""From encoded bytes to the pixels that a model sees. Transform's graph and every served signature call these functions.

All end in rounded values of 0..255, so that stored uint8 images, images decoded on the fly and served images are the same.
"""

import tensorflow as tf

from components.transform import decoding, placement
from configs.schema.reading import Reading
from configs.schema.transform import TransformConfig

READING = Reading()


@tf.autograph.experimental.do_not_convert  # no Python branch here depends on a tensor, and converting takes seconds
def from_bytes(encoded: tf.Tensor, config: TransformConfig, reading: Reading | None = READING, stored: bool = False) -> tf.Tensor:
    """Decode and resize.

    Args:
        encoded: string [N], each as components.transform.decoding.decode takes it.
        reading: None: as models were served that know of no ground and no turns.
        stored: whether they are of ExampleGen's records, which need less work.

    Returns:
        uint8 [N, height, width, channels].

    Raises:
        tf.errors.InvalidArgumentError: in the graph, for bytes that are no image, too large an image, or what only others decode.
    """
    shape = [config.height, config.width, config.channels]

    def pixels_of(image):
        return tf.cast(resize(decoding.decode(image, config.channels, reading, stored), config), tf.uint8)

    return tf.map_fn(pixels_of, encoded, fn_output_signature=tf.TensorSpec(shape, tf.uint8))


@tf.autograph.experimental.do_not_convert
def placed_from_bytes(
    encoded: tf.Tensor, config: TransformConfig, reading: Reading | None = READING
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `from_bytes`, and int32 [N, 4]: where each image lies in its pixels, as components.transform.placement has it."""
    resized, sizes = sized_from_bytes(encoded, config, reading)
    return resized, placement.of_size(sizes, config)


@tf.autograph.experimental.do_not_convert
def sized_from_bytes(encoded: tf.Tensor, config: TransformConfig, reading: Reading | None = READING) -> tuple[tf.Tensor, tf.Tensor]:
    """As `from_bytes`, and int32 [N, 2]: height and width of each image before it was resized, px."""
    shape = [config.height, config.width, config.channels]

    def pixels_of(image):
        decoded = decoding.decode(image, config.channels, reading)
        return tf.cast(resize(decoded, config), tf.uint8), tf.shape(decoded)[:2]

    return tf.map_fn(pixels_of, encoded, fn_output_signature=(tf.TensorSpec(shape, tf.uint8), tf.TensorSpec([2], tf.int32)))


@tf.autograph.experimental.do_not_convert
def masks_from_bytes(encoded: tf.Tensor, config: TransformConfig, bars: int = 0) -> tf.Tensor:
    """Decode and resize masks as their images are, by the nearest value: classes do not mix.

    Args:
        encoded: string [N], grey images of these formats.
        bars: value of what `resize: fit` puts around them, 0 to 255.

    Returns:
        uint8 [N, height, width, 1].
    """

    def values_of(mask):
        values = tf.cast(decoding.decode(mask, 1, None), tf.int32) - bars  # what is put around is 0
        return tf.cast(_to_size(values, config, "nearest") + bars, tf.uint8)

    return tf.map_fn(values_of, encoded, fn_output_signature=tf.TensorSpec([config.height, config.width, 1], tf.uint8))


@tf.autograph.experimental.do_not_convert
def resize(images: tf.Tensor, config: TransformConfig) -> tf.Tensor:
    """Bring images to the model's size by `config.resize` and `config.interpolation`, rounded.

    Args:
        images: uint8 or float32 [..., h, w, channels] of one size, 0..255; one image or a batch.

    Returns:
        float32 [..., height, width, channels], whole numbers of 0..255.
    """
    resized = tf.cast(_to_size(images, config, config.interpolation), tf.float32)
    rounded = tf.clip_by_value(tf.round(resized), 0.0, 255.0)
    return tf.ensure_shape(rounded, [*images.shape[:-3], config.height, config.width, config.channels])


def _to_size(images: tf.Tensor, config: TransformConfig, method: str) -> tf.Tensor:
    """Stretch, fit (padded with 0), crop, or set three crops side by side (components.transform.crops), to the config's sides."""
    if config.resize == "squares":
        third = config.model_copy(update={"width": config.width // 3})
        return tf.concat([_cropped(images, third, method, place) for place in (0.0, 0.5, 1.0)], -2)
    if config.resize == "crop":
        return _cropped(images, config, method, 0.5)
    target = tf.constant([config.height, config.width])
    antialias = method == "bilinear"  # the mean of an area needs no smoothing, and the nearest value must stay as it is
    if config.resize == "stretch":
        return tf.image.resize(images, target, method, antialias=antialias)
    before, scaled = placement.fitted(tf.shape(images)[-3:-1], config)
    resized = tf.image.resize(images, scaled, method, antialias=antialias)
    return tf.image.pad_to_bounding_box(resized, before[0], before[1], config.height, config.width)


def _cropped(images: tf.Tensor, config: TransformConfig, method: str, place: float) -> tf.Tensor:
    """The largest patch of the config's aspect, resized.

    Args:
        place: where along the side that is too long: 0 at its begin, 0.5 in the middle, 1 at its end.
    """
    # Cut first: a long thin image would be enormous at the model's size.
    before, kept = placement.cropped(tf.shape(images)[-3:-1], config, place)
    images = tf.image.crop_to_bounding_box(images, before[0], before[1], kept[0], kept[1])
    return tf.image.resize(images, [config.height, config.width], method, antialias=method == "bilinear")
