"""From encoded bytes to the pixels that a model sees. Transform's graph and every served signature call these functions.

All end in rounded values of 0..255, so that stored uint8 images, images decoded on the fly and served images are the same.
"""

import tensorflow as tf

from components.example_gen.pictures import MAX_PIXELS
from components.transform import placement
from components.transform.placement import whole
from configs.schema import TransformConfig

LUMA = (9797, 19234, 3737)  # of 2^15: 0.299, 0.587, 0.114


@tf.autograph.experimental.do_not_convert  # no Python branch here depends on a tensor, and converting takes seconds
def from_bytes(encoded: tf.Tensor, config: TransformConfig) -> tf.Tensor:
    """Decode and resize.

    Args:
        encoded: string [N], PNG or JPEG of at most MAX_PIXELS pixels each (BMP, GIF's first frame and WebP decode too).

    Returns:
        uint8 [N, height, width, channels].

    Raises:
        tf.errors.InvalidArgumentError: in the graph, for bytes that are no image, or too large an image.
    """
    shape = [config.height, config.width, config.channels]

    def one(image):
        return tf.cast(resize(_decode(image, config.channels), config), tf.uint8)

    return tf.map_fn(one, encoded, fn_output_signature=tf.TensorSpec(shape, tf.uint8))


@tf.autograph.experimental.do_not_convert
def placed_from_bytes(encoded: tf.Tensor, config: TransformConfig) -> tuple[tf.Tensor, tf.Tensor]:
    """As `from_bytes`, and int32 [N, 4]: where each image lies in its pixels, as components.transform.placement has it."""
    shape = [config.height, config.width, config.channels]

    def one(image):
        decoded = _decode(image, config.channels)
        return tf.cast(resize(decoded, config), tf.uint8), placement.of_size(tf.shape(decoded)[:2], config)

    return tf.map_fn(one, encoded, fn_output_signature=(tf.TensorSpec(shape, tf.uint8), tf.TensorSpec([4], tf.int32)))


@tf.autograph.experimental.do_not_convert
def masks_from_bytes(encoded: tf.Tensor, config: TransformConfig) -> tf.Tensor:
    """Decode and resize masks as their images are, by the nearest value: classes do not mix.

    Args:
        encoded: string [N], grey images of these formats.

    Returns:
        uint8 [N, height, width, 1].
    """

    def one(mask):
        return tf.cast(_to_size(_decode(mask, 1), config, "nearest"), tf.uint8)

    return tf.map_fn(one, encoded, fn_output_signature=tf.TensorSpec([config.height, config.width, 1], tf.uint8))


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
    target, size = tf.constant([config.height, config.width]), tf.shape(images)[-3:-1]
    ratios = tf.cast(target, tf.float64) / tf.cast(size, tf.float64)
    # Cut first: a long thin image would be enormous at the model's size.
    kept = tf.minimum(whole(tf.cast(target, tf.float64) / tf.reduce_max(ratios)), size)
    before = tf.cast(tf.cast(size - kept, tf.float64) * place, tf.int32)
    images = tf.image.crop_to_bounding_box(images, before[0], before[1], kept[0], kept[1])
    return tf.image.resize(images, target, method, antialias=method == "bilinear")


def _decode(encoded: tf.Tensor, channels: int) -> tf.Tensor:
    """uint8 [h, w, channels]. The size that the header declares is checked before any pixel is allocated."""
    is_png = tf.equal(tf.strings.substr(encoded, 0, 8), b"\x89PNG\r\n\x1a\n") & (tf.strings.length(encoded) >= 24)
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, 3), b"\xff\xd8\xff")
    height, width = _declared_size(encoded, is_png, is_jpeg)
    small = tf.debugging.Assert(
        tf.cast(height, tf.float64) * tf.cast(width, tf.float64) <= MAX_PIXELS,  # a product of int64 may overflow to below 0
        [tf.constant(f"an image may have at most {MAX_PIXELS} pixels; this one declares"), height, width],
    )
    with tf.control_dependencies([small]):
        encoded = tf.identity(encoded)
    if channels == 1:  # only decoders of PNG and JPEG make that of colours
        image = tf.cond(is_png | is_jpeg, lambda: _decoded(encoded, 1), lambda: _grey(_decoded(encoded, 3)))
    else:
        image = _decoded(encoded, channels)
    image.set_shape([None, None, channels])
    return image


def _decoded(encoded: tf.Tensor, channels: int) -> tf.Tensor:
    return tf.io.decode_image(encoded, channels=channels, expand_animations=False)


def _grey(image: tf.Tensor) -> tf.Tensor:
    """uint8 RGB [..., 3] -> [..., 1]: the luma that the decoder of PNG (libpng's png_set_rgb_to_gray) makes, to the bit."""
    return tf.cast(tf.reduce_sum(tf.cast(image, tf.int32) * LUMA, -1, keepdims=True) // 2**15, tf.uint8)


def _declared_size(encoded: tf.Tensor, is_png: tf.Tensor, is_jpeg: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Height and width from the header of a PNG or JPEG; 0, 0 for other formats, which TensorFlow bounds itself."""

    def png():
        header = tf.cast(tf.io.decode_raw(tf.strings.substr(encoded, 16, 8), tf.uint8), tf.int64)
        scale = tf.constant([1 << 24, 1 << 16, 1 << 8, 1], tf.int64)
        return tf.reduce_sum(header[4:8] * scale), tf.reduce_sum(header[:4] * scale)

    def jpeg():
        shape = tf.cast(tf.io.extract_jpeg_shape(encoded), tf.int64)
        return shape[0], shape[1]

    def other():
        return tf.constant(0, tf.int64), tf.constant(0, tf.int64)

    return tf.cond(is_png, png, lambda: tf.cond(is_jpeg, jpeg, other))
