"""Models whose answers can be told beforehand, of all kinds that the playground shows, with cards as hubel writes them."""

from pathlib import Path

from components import keys
from tests.components import digits

PICTURES, TEXTS = "pictures", "texts"
CODE = 4
THRESHOLD = 0.01
CLASSES = ["dark", "bright"]
WORD = "free"  # what speaks for TEXTS' second class


def write(base: Path) -> None:
    """Export both below a folder, as version 1."""
    _pictures(base / PICTURES / "1")
    _texts(base / TEXTS / "1")


def _save(place: Path, signatures: dict, **card) -> None:
    import tensorflow as tf

    tf.saved_model.save(tf.Module(), str(place), signatures=signatures)
    (place / keys.CARD_IN_EXPORT).parent.mkdir(exist_ok=True)
    (place / keys.CARD_IN_EXPORT).write_text(digits.card(**card).model_dump_json())


def _pictures(place: Path) -> None:
    """Images of any size, stretched to 8x8: half as bright they are the reconstruction, whose squared error is the map, its mean
    the score; a code of the means of quarters, and what is made of such; bright pixels as a mask; a box around the lower half."""
    import tensorflow as tf

    files = [tf.TensorSpec([None], tf.string, name="image_bytes")]

    def seen(image_bytes):
        def decoded(content):
            image = tf.io.decode_image(content, channels=1, expand_animations=False)
            resized = tf.ensure_shape(tf.image.resize(image, (8, 8), antialias=True), (8, 8, 1))
            return resized, tf.cast(tf.shape(image)[:2], tf.float32)

        return tf.map_fn(decoded, image_bytes, fn_output_signature=(tf.float32, tf.float32))

    @tf.function(input_signature=files)
    def anomalies(image_bytes):
        errors = tf.square(seen(image_bytes)[0] / 510)
        score = tf.reduce_mean(errors, [1, 2, 3])
        threshold = tf.fill(tf.shape(score), THRESHOLD)
        return {"anomaly_score": score, "is_anomaly": score > threshold, "threshold": threshold, "anomaly_map": errors}

    @tf.function(input_signature=files)
    def reconstruct(image_bytes):
        return {"images": seen(image_bytes)[0] / 2}

    @tf.function(input_signature=files)
    def encode(image_bytes):
        return {"codes": tf.reshape(tf.nn.avg_pool2d(seen(image_bytes)[0] / 255, 4, 4, "VALID"), (-1, CODE))}

    @tf.function(input_signature=[tf.TensorSpec([None, CODE], tf.float32, name="z")])
    def decode(z):
        quarters = tf.reshape(255 * tf.sigmoid(z), (-1, 2, 2, 1))
        return {"images": tf.repeat(tf.repeat(quarters, 4, 1), 4, 2)}

    @tf.function(input_signature=files)
    def segment(image_bytes):
        pixels, size = seen(image_bytes)
        frames = tf.concat([size, 8 / size, tf.zeros_like(size)], 1)
        return {"masks": tf.cast(pixels[..., 0] > 127, tf.int64), "frames": frames}

    @tf.function(input_signature=files)
    def locate(image_bytes):
        height, width = tf.unstack(seen(image_bytes)[1], axis=1)
        lower = tf.stack([height / 2, 0 * width, height, width], 1)
        boxes, rows = tf.stack([lower, lower / 2], 1), tf.shape(height)[0]
        named = tf.tile(tf.constant([CLASSES]), [rows, 1])
        return {"boxes": boxes, "classes": named, "scores": tf.tile([[0.9, 0.4]], [rows, 1])}

    ends = {"reconstruct": reconstruct, "encode": encode, "segment": segment, "locate": locate}
    signatures = {f"{name}_image_bytes": function for name, function in ends.items()}
    judged = {"anomaly_score": "anomaly_score", "is_anomaly": "is_anomaly", "threshold": "threshold", "anomaly_map": "heat"}
    gives = {
        "serving_default": judged,
        "reconstruct": {"images": "image"},
        "encode": {"codes": "code"},
        "decode": {"images": "image"},
        "segment": {"masks": "mask", "frames": "frame"},
        "locate": {"boxes": "boxes", "classes": "names", "scores": "scores"},
    }
    _save(
        place,
        signatures | {"image_bytes": anomalies, "decode": decode},
        name=PICTURES,
        task="whatever",
        class_names=CLASSES,
        gives=gives,
        predicts="serving_default",
    )


def _texts(place: Path) -> None:
    """A classifier of texts by whether WORD is in them."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def text(text):
        bright = tf.sigmoid(4 * tf.cast(tf.strings.regex_full_match(text, f"(?s).*{WORD}.*"), tf.float32) - 2)
        probabilities = tf.stack([1 - bright, bright], 1)
        scores, places = tf.math.top_k(probabilities, 2)
        return {"probabilities": probabilities, "classes": tf.gather(tf.constant(CLASSES), places), "scores": scores}

    gives = {"serving_default": {"probabilities": "probabilities", "classes": "names", "scores": "scores"}}
    _save(place, {"text": text}, name=TEXTS, reads="text", class_names=CLASSES, gives=gives, predicts="serving_default")
