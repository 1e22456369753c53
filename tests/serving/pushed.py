"""Models as hubel pushes them, in a folder that a server can serve: a classifier, an autoencoder, and what reads texts."""

import shutil
from pathlib import Path

import numpy as np

from components import keys
from components.trainer import warmup
from tests.components import digits
from tests.once import made_once

CLASSES = ["short", "long"]


def folder(factory) -> Path:
    """classifier/1, autoencoder/1, texts/1, not to be changed; once whoever asks. The first two are trained, with their card."""
    of = {"classifier": (digits.MLP, False), "autoencoder": (digits.AUTOENCODER, True)}
    trained = {name: digits.trained(factory, name, tree, materialized) for name, (tree, materialized) in of.items()}

    def make(base: Path) -> None:
        for name, model in trained.items():
            saved = shutil.copytree(model / "Format-Serving", base / name / "1")
            (saved / warmup.IN_EXPORT).unlink()  # each signature is built when it is first asked, and most of them never are
        texts(base / "texts" / "1")

    return made_once(factory, "pushed", make)


def texts(place: Path) -> None:
    """A classifier of texts by their length, with the signatures of one that hubel trains and the card of such a one."""
    import tensorflow as tf

    module = tf.Module()

    def answered(of_texts):
        long = tf.sigmoid((tf.cast(tf.strings.length(of_texts), tf.float32) - 12) / 4)
        probabilities = tf.stack([1 - long, long], 1)
        scores, places = tf.math.top_k(probabilities, 2)
        return {"probabilities": probabilities, "classes": tf.gather(tf.constant(CLASSES), places), "scores": scores}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def text(text):
        tf.debugging.assert_equal(tf.strings.regex_full_match(text, r".*refused.*"), False, "a text that the graph refuses")
        return answered(text)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serving_default(examples):
        return answered(tf.io.parse_example(examples, {keys.TEXT: tf.io.FixedLenFeature([], tf.string)})[keys.TEXT])

    tf.saved_model.save(module, str(place), signatures={"text": text, "serving_default": serving_default})
    gives = {"serving_default": {"probabilities": "probabilities", "classes": "names", "scores": "scores"}}
    told = {"reads": "text", "class_names": CLASSES, "input_shape": (16,), "learned": {"vocabulary": ["a"]}}
    card = digits.card(name="texts", gives=gives, predicts="serving_default", **told)
    (place / keys.CARD_IN_EXPORT).parent.mkdir(exist_ok=True)
    (place / keys.CARD_IN_EXPORT).write_text(card.model_dump_json())


def images(place: Path, count: int = 5) -> list[Path]:
    """PNG files of real digits in a folder; the last is of another size."""
    from PIL import Image

    files = []
    for number in range(count):
        image = Image.fromarray(digits.images()[0][number][..., 0])
        if number == count - 1:
            image = image.resize((13, 17))
        files.append(place / f"{number}.png")
        image.save(files[-1])
    return files


def pixels(count: int) -> np.ndarray:
    """float32 [count, 8, 8, 1]."""
    return digits.images()[0][:count].astype(np.float32)
