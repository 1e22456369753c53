"""One ExportArchive with every signature: both ends of the way from bytes to answers are inside the graph."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from components import given, keys, saved_model
from components.tasks.base import Signature, Task
from components.trainer.card import Card
from components.trainer.data import Data
from components.transform import pixels as pixel_graph
from components.transform import placement
from serving import answers

WARMUP_FILE = "tf_serving_warmup_requests"
PLAIN = {"code": ("z", tf.float32), "bytes": ("bytes", tf.string)}  # what reaches a function as it is sent -> its argument


def write(folder: Path, model: keras.Model, task: Task, card: Card, data: Data) -> None:
    """Write a model and what belongs to it.

    Writes: `folder` (SavedModel with warm-up requests and the card in assets.extra), and beside it what `keep` writes.
    """
    archive = keras.export.ExportArchive()
    archive.track(model)
    signatures = task.signatures(model, card)
    for resource in {id(held): held for signature in signatures.values() for held in signature.resources}.values():
        archive.track(resource)
    for name, endpoint in endpoints(signatures, card).items():
        archive.add_endpoint(name, endpoint.function, endpoint.specs)
    archive.write_out(str(folder), verbose=False)
    card = card.model_copy(update={"gives": _gives(signatures, saved_model.texts_of(folder)), "predicts": task.predicts})
    extra = folder / "assets.extra"
    extra.mkdir(exist_ok=True)
    (folder / keys.CARD_IN_EXPORT).write_text(_json(card))
    _write_warmup(extra / WARMUP_FILE, card, data)
    keep(folder.parent, model, task, card)


def keep(folder: Path, model: keras.Model, task: Task, card: Card) -> None:
    """Write what later stages read and nobody is served: model.keras, card.json, and NAME.keras of each model of `Task.beside`."""
    for name, one in {keys.KERAS_NAME: model, **task.beside(model)}.items():
        plain = keras.Model(one.inputs, one.outputs, name=one.name)  # without loss and optimizer, which may be ours
        plain.save(folder / f"{name}{keys.KERAS_ENDING}")
    (folder / keys.CARD_FILE).write_text(_json(card))


def _gives(signatures: dict[str, Signature], written: dict[str, dict[str, bool]]) -> dict[str, dict[str, str]]:
    """Signature -> output -> its kind, as `Signature.gives` declares it or as its dtype says.

    Args:
        written: signature -> output -> whether it is of strings.

    Raises:
        ValueError: for an output that is declared, or to be compared, and is not there.
    """
    first = next(iter(signatures))
    kinds = {}
    for name, signature in {**signatures, keys.SERVING_DEFAULT: signatures[first]}.items():
        if absent := sorted({*signature.gives, *(signature.compared or ())} - written[name].keys()):
            raise ValueError(f"signature {name} has no output {', '.join(absent)}; it gives {', '.join(written[name])}")
        by_dtype = {output: answers.by_values(is_text) for output, is_text in written[name].items()}
        kinds[name] = {**by_dtype, **signature.gives}
    return kinds


def _json(card: Card) -> str:
    return card.model_dump_json(indent=1)


@dataclass(frozen=True)
class Endpoint:
    """A served function, the TensorSpec of what stands before its input end, and the Signature that answers behind it."""

    function: Callable[..., dict[str, tf.Tensor]]
    spec: tf.TensorSpec
    signature: Signature

    @property
    def specs(self) -> list[tf.TensorSpec]:
        """Of all its arguments, named."""
        extra = self.signature.extra.items()
        return [self.spec, *(tf.TensorSpec(one.spec.shape, one.spec.dtype, name) for name, one in extra)]


def endpoints(signatures: dict[str, Signature], card: Card) -> dict[str, Endpoint]:
    """Every function that is served, by name.

    A signature `x` of images answers tf.Examples as `x`, encoded images as `x_image_bytes` and float32 pixels 0..255 of any size
    as `x_pixels`; the first one also as `serving_default`, `image_bytes` and `pixels`. One that is given what an image is labelled
    with answers tf.Examples alone. `classify` takes `inputs`, as TF Serving wants. A signature of codes or of bytes answers under
    its own name. Extra arguments follow, by name.

    Raises:
        ValueError: where the first one cannot answer encoded images.
    """
    found = {}
    seen = tf.function(lambda encoded: _seen(encoded, card), autograph=False)  # one graph, in whatever signatures it stands
    for index, (name, signature) in enumerate(signatures.items()):
        if index == 0 and (signature.takes != "image" or signature.given):
            raise ValueError(f"{name} is the first signature, which must answer any image; it takes {_taken(signature)}")
        answer = tf.function(signature.function, autograph=False)
        if signature.takes in PLAIN:
            found[name] = _from_plain(answer, signature)
        elif signature.given:
            found[name] = _from_examples(seen, answer, signature, "examples", card)
        elif name == keys.CLASSIFY:
            found[name] = _from_examples(seen, answer, signature, "inputs", card)
        else:
            ends = {
                "": _from_examples(seen, answer, signature, "examples", card),
                keys.IMAGE_BYTES: _from_bytes(seen, answer, signature, card),
                keys.PIXELS: _from_pixels(answer, signature, card),
            }
            if index == 0:
                found.update({end or keys.SERVING_DEFAULT: made for end, made in ends.items()})
            if name != keys.SERVING_DEFAULT:
                found.update({f"{name}_{end}" if end else name: made for end, made in ends.items()})
    return found


def _taken(signature: Signature) -> str:
    return " and ".join([signature.takes, *signature.given])


def _from_examples(seen, answer, signature: Signature, argument: str, card: Card) -> Endpoint:
    def function(examples, *extra):
        examples = tf.ensure_shape(examples, [None])
        parsed = tf.io.parse_example(examples, {keys.IMAGE_ENCODED: tf.io.FixedLenFeature([], tf.string)})
        labels = given.of(examples, signature.given, card.seen)
        return answer(*arguments(signature, *seen(parsed[keys.IMAGE_ENCODED]), card), *labels, *extra)

    return Endpoint(function, tf.TensorSpec([None], tf.string, name=argument), signature)


def _from_bytes(seen, answer, signature: Signature, card: Card) -> Endpoint:
    def function(encoded, *extra):
        return answer(*arguments(signature, *seen(tf.ensure_shape(encoded, [None])), card), *extra)

    return Endpoint(function, tf.TensorSpec([None], tf.string, name=keys.IMAGE_BYTES), signature)


def _from_pixels(answer, signature: Signature, card: Card) -> Endpoint:
    shape = [None, None, None, card.seen.channels]

    def function(pixels, *extra):
        pixels = tf.ensure_shape(pixels, shape)
        sizes = tf.tile(tf.shape(pixels)[None, 1:3], [tf.shape(pixels)[0], 1])
        return answer(*arguments(signature, pixel_graph.resize(pixels, card.seen), sizes, card), *extra)

    return Endpoint(function, tf.TensorSpec(shape, tf.float32, name=keys.PIXELS), signature)


def _from_plain(answer, signature: Signature) -> Endpoint:
    """Of codes or of bytes, which reach the function as they are sent."""
    name, dtype = PLAIN[signature.takes]
    shape = [None, signature.code_size] if signature.takes == "code" else [None]

    def function(sent, *extra):
        return answer(tf.ensure_shape(sent, shape), *extra)

    return Endpoint(function, tf.TensorSpec(shape, dtype, name=name), signature)


def _seen(encoded: tf.Tensor, card: Card) -> tuple[tf.Tensor, tf.Tensor]:
    """Pixels as training saw them, or enlarged where the answer is averaged over crops, and the images' sizes before."""
    pixels, sizes = pixel_graph.sized_from_bytes(encoded, card.seen, card.reading)
    return tf.cast(pixels, tf.float32), sizes


def arguments(signature: Signature, pixels: tf.Tensor, sizes: tf.Tensor, card: Card) -> list[tf.Tensor]:
    """What a signature of images gets of them.

    Args:
        pixels: float32 [N, height, width, channels], as `card.seen` has them.
        sizes: int32 [N, 2], height and width of the images before, px.
    """
    placed = [placement.of_size(sizes, card.seen)] if signature.placement else []
    return [pixels, *placed, *([placement.frame(sizes, card.seen)] if signature.frame else [])]


def _write_warmup(path: Path, card: Card, data: Data) -> None:
    """Requests of real validation images, as TF Serving replays them before a version answers (at most 1,000)."""
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    images = itertools.islice((image for batch, _ in data.validation for image in batch), card.export.warmup)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image in images:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = card.name
            request.model_spec.signature_name = keys.IMAGE_BYTES
            encoded = tf.io.encode_png(tf.cast(image, tf.uint8))
            request.inputs[keys.IMAGE_BYTES].CopyFrom(tf.make_tensor_proto([encoded.numpy()]))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())
