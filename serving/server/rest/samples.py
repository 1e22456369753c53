"""Requests that a signature answers with 200, for its description: of models that hubel exports by their card, of others where they
take numbers of known rank."""

import base64
import functools
import math
from collections.abc import Mapping
from typing import Any

from serving import features, protos
from serving.server.rest import schemas, tensors
from serving.server.servable import DEFAULT_SIGNATURE

SIDE = 8  # px of an image whose size is free
NUMBERS = 4096  # of an input; one with more has no example
WORDS = "a text of a few words"


def request(form: str, name: str, signature: Any, card: Mapping[str, Any]) -> dict[str, Any] | None:
    """A request in a form of schemas.Forms; None where it is not known what the model answers.

    Args:
        form: "rows", "columns", "classify" or "regress". signature: a SignatureDef. card: as serving.saved_model.card has it.
    """
    named = {} if name == DEFAULT_SIGNATURE else {"signature_name": name}
    if form in ("classify", "regress"):
        feature = features.OF.get(card.get("reads", ""))
        return {**named, "examples": [{feature: _content(card)}]} if feature else None
    columns = {alias: _column(alias, info, card) for alias, info in sorted(signature.inputs.items())}
    if any(column is None for column in columns.values()):
        return None
    if form == "rows":
        row = {alias: column[0] for alias, column in columns.items()}
        return {**named, "instances": [row if len(row) > 1 else next(iter(row.values()))]}
    return {**named, "inputs": columns if len(columns) > 1 else next(iter(columns.values()))}


def _column(alias: str, info: Any, card: Mapping[str, Any]) -> Any:
    """The tensor of one example."""
    if info.tensor_shape.unknown_rank:
        return None
    sizes = [dim.size for dim in info.tensor_shape.dim]
    if info.dtype == schemas.STRING:
        leaf = _string(alias, card)
        return None if leaf is None or len(sizes) != 1 else [leaf] * max(sizes[0], 1)
    is_image = len(sizes) == 4
    shape = [size if size >= 0 else 1 if not (place and is_image) else SIDE for place, size in enumerate(sizes)]
    if not shape or math.prod(shape) > NUMBERS:
        return None
    known = tensors.ELEMENTS[info.dtype]
    values = iter([_leaf(known, place if is_image else 0) for place in range(math.prod(shape))])
    return _nested(shape, values)


def _leaf(known: tensors.Element, place: int) -> Any:
    if bool in known.types:
        return False
    return place % 128 if known.between else float(place % 256)


def _nested(shape, values) -> Any:
    return [_nested(shape[1:], values) for _ in range(shape[0])] if shape else next(values)


def _string(alias: str, card: Mapping[str, Any]) -> Any:
    reads = card.get("reads", "")
    if alias in schemas.FILES.get(reads, ()):
        return _b64(_image(tuple(card["input_shape"]), alias == "mask"))
    if alias == reads == "text":
        return WORDS
    if alias in ("examples", schemas.INPUTS) and reads in features.OF:
        example = protos.message("tensorflow.Example")()
        content = _image(tuple(card["input_shape"])) if reads in schemas.FILES else WORDS.encode()
        example.features.feature[features.OF[reads]].bytes_list.value.append(content)
        return _b64(example.SerializeToString(deterministic=True))
    return None


def _content(card: Mapping[str, Any]) -> Any:
    return _b64(_image(tuple(card["input_shape"]))) if card["reads"] in schemas.FILES else WORDS


@functools.cache
def _image(shape: tuple[int, ...], is_mask: bool = False) -> bytes:
    """A PNG of a ramp; of a mask, one whose left half is missing."""
    import numpy as np

    from serving import formats

    grey = np.add.outer(np.arange(SIDE), np.arange(SIDE)) * (255 // (2 * SIDE))
    if is_mask:
        return formats.png(np.where(np.arange(SIDE) < SIDE // 2, 255, 0)[None, :, None].repeat(SIDE, 0).astype(np.uint8))
    channels = shape[-1] if len(shape) == 3 and shape[-1] in (1, 3) else 1
    return formats.png(np.repeat(grey[..., None], channels, -1).astype(np.uint8))


def _b64(content: bytes) -> dict[str, str]:
    return {tensors.B64: base64.b64encode(content).decode()}
