"""One ExportArchive with every signature: both ends of the way from bytes to answers are inside the graph."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from components import given, inputs, keys, saved_model
from components.inputs.base import End
from components.tasks.base import Signature, Task
from components.trainer.card import Card
from components.trainer.data import Data
from components.transform import placement
from serving import answers

EXAMPLES = ""  # the end that takes serialized tf.Examples: no part of a name
WARMUP_FILE = "tf_serving_warmup_requests"
PLAIN = {"code": ("z", tf.float32), "bytes": ("bytes", tf.string)}  # what reaches a function as it is sent -> its argument


def write(folder: Path, model: keras.Model, task: Task, card: Card, data: Data) -> None:
    """Write a model and what belongs to it.

    Writes: `folder` (SavedModel with warm-up requests and the card in assets.extra), and beside it what `keep` writes.
    """
    archive = keras.export.ExportArchive()
    archive.track(model)
    signatures = task.signatures(model, card)
    ends = inputs.input_of(card.reads).ends(card)
    for resource in {id(held): held for asks in (*signatures.values(), *ends.values()) for held in asks.resources}.values():
        archive.track(resource)
    for name, endpoint in endpoints(signatures, card, ends).items():
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
    for name, network in {keys.KERAS_NAME: model, **task.beside(model)}.items():
        plain = keras.Model(network.inputs, network.outputs, name=network.name)  # without loss and optimizer, which may be ours
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
            raise ValueError(f"signature {name} has no output {', '.join(absent)}; it gives {', '.join(sorted(written[name]))}")
        by_dtype = {output: answers.by_values(is_text) for output, is_text in written[name].items()}
        kinds[name] = {
            **signature.gives,
            **{output: its for output, its in sorted(by_dtype.items()) if output not in signature.gives},
        }
    return kinds


def _json(card: Card) -> str:
    return card.model_dump_json(indent=1)


@dataclass(frozen=True)
class Endpoint:
    """A served function, the TensorSpec of what stands before its input end, the Signature that answers behind it, and the name of
    the end (components.inputs.base): EXAMPLES for that of tf.Examples, None for codes and bytes."""

    function: Callable[..., dict[str, tf.Tensor]]
    spec: tf.TensorSpec
    signature: Signature
    end: str | None = None

    @property
    def specs(self) -> list[tf.TensorSpec]:
        """Of all its arguments, named."""
        extra = self.signature.extra.items()
        return [self.spec, *(tf.TensorSpec(argument.spec.shape, argument.spec.dtype, name) for name, argument in extra)]


def endpoints(signatures: dict[str, Signature], card: Card, ends: Mapping[str, End] | None = None) -> dict[str, Endpoint]:
    """Every function that is served, by name.

    A signature `x` of what the model reads answers tf.Examples as `x` and the ends of that kind of input as `x_END`: of images
    `x_image_bytes`, encoded images, and `x_pixels`, float32 pixels 0..255 of any size; the first one also as `serving_default`,
    `image_bytes` and `pixels`. One that is given what an example is labelled with answers tf.Examples alone. `classify` takes
    `inputs`, as TF Serving wants. A signature of codes or of bytes answers under its own name. Extra arguments follow, by name.

    Args:
        ends: those of the model's kind of input.

    Raises:
        ValueError: where the first one cannot answer what the model reads.
    """
    kind = inputs.input_of(card.reads)
    ends = kind.ends(card) if ends is None else ends
    made = {}
    for index, (name, signature) in enumerate(signatures.items()):
        if index == 0 and (signature.takes in PLAIN or signature.given):
            raise ValueError(f"{name} is the first signature, which must answer any {card.reads}; it takes {_taken(signature)}")
        answer = tf.function(signature.function, autograph=False)
        if signature.takes in PLAIN:
            made[name] = _from_plain(answer, signature)
        elif signature.given:
            made[name] = _from_examples(kind.feature, ends, answer, signature, "examples", card)
        elif name == keys.CLASSIFY:
            made[name] = _from_examples(kind.feature, ends, answer, signature, "inputs", card)
        else:
            answered = {EXAMPLES: _from_examples(kind.feature, ends, answer, signature, "examples", card)}
            answered |= {end: _from_end(ends[end], end, answer, signature, card) for end in ends}
            if index == 0:
                made.update({end or keys.SERVING_DEFAULT: endpoint for end, endpoint in answered.items()})
            if name != keys.SERVING_DEFAULT:
                made.update({f"{name}_{end}" if end else name: endpoint for end, endpoint in answered.items()})
    return made


def _taken(signature: Signature) -> str:
    return " and ".join([signature.takes, *signature.given])


def _from_examples(feature: str, ends: Mapping[str, End], answer, signature: Signature, argument: str, card: Card) -> Endpoint:
    end = next(iter(ends.values()))  # of raw bytes

    def function(examples, *extra):
        examples = tf.ensure_shape(examples, [None])
        parsed = tf.io.parse_example(examples, {feature: tf.io.FixedLenFeature([], tf.string)})
        labels = given.of(examples, signature.given, card.seen)
        return answer(*arguments(signature, end.read(parsed[feature]), card), *labels, *extra)

    return Endpoint(function, tf.TensorSpec([None], tf.string, name=argument), signature, EXAMPLES)


def _from_end(end: End, name: str, answer, signature: Signature, card: Card) -> Endpoint:
    def function(sent, *extra):
        return answer(*arguments(signature, end.read(sent), card), *extra)

    return Endpoint(function, end.spec, signature, name)


def _from_plain(answer, signature: Signature) -> Endpoint:
    """Of codes or of bytes, which reach the function as they are sent."""
    name, dtype = PLAIN[signature.takes]
    shape = [None, signature.code_size] if signature.takes == "code" else [None]

    def function(sent, *extra):
        return answer(tf.ensure_shape(sent, shape), *extra)

    return Endpoint(function, tf.TensorSpec(shape, dtype, name=name), signature)


def arguments(signature: Signature, seen: Sequence[tf.Tensor], card: Card) -> list[tf.Tensor]:
    """What a signature gets of what an end reads.

    Args:
        seen: what the model gets, and, of images as `card.seen` has them, int32 [N, 2]: their heights and widths before, px.
    """
    placed = [placement.of_size(seen[1], card.seen)] if signature.placement else []
    return [seen[0], *placed, *([placement.frame(seen[1], card.seen)] if signature.frame else [])]


def _write_warmup(path: Path, card: Card, data: Data) -> None:
    """Requests of real validation examples, as TF Serving replays them before a version answers (at most 1,000)."""
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    kind = inputs.input_of(card.reads)
    examples = itertools.islice((example for batch, _ in data.validation for example in batch), card.export.warmup)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = card.name
            request.model_spec.signature_name, sent = kind.warmup(example, card)
            request.inputs[request.model_spec.signature_name].CopyFrom(tf.make_tensor_proto(sent.numpy()))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())
