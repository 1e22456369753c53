"""What is served of a model: every function by the name of its signature, with both ends of the way from bytes to answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from components import given, inputs, keys
from components.inputs.base import End
from components.tasks.base import Signature
from components.trainer.card import Card
from components.transform import placement

EXAMPLES = ""  # the end that takes serialized tf.Examples: no part of a name
PLAIN = {"code": ("z", tf.float32), "bytes": ("bytes", tf.string)}  # what reaches a function as it is sent -> its argument


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


def of(signatures: dict[str, Signature], card: Card, ends: Mapping[str, End] | None = None) -> dict[str, Endpoint]:
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
