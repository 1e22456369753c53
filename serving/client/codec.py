"""Arrays as TensorProto, as TensorFlow's tensor_util has it, and as JSON, as TF Serving's REST API has it; tf.Examples of calls
that take them. Without TensorFlow."""

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from google.protobuf.message import DecodeError

from serving import protos

STRING, HALF = 7, 19
DTYPES = {  # types_pb2.DataType -> of the elements; strings are bytes
    1: np.float32,
    2: np.float64,
    3: np.int32,
    4: np.uint8,
    5: np.int16,
    6: np.int8,
    STRING: object,
    9: np.int64,
    10: np.bool_,
    17: np.uint16,
    HALF: np.float16,
    22: np.uint32,
    23: np.uint64,
}
FIELDS = {  # the same -> the field of TensorProto that may hold the values
    1: "float_val",
    2: "double_val",
    3: "int_val",
    4: "int_val",
    5: "int_val",
    6: "int_val",
    STRING: "string_val",
    9: "int64_val",
    10: "bool_val",
    17: "int_val",
    HALF: "half_val",
    22: "uint32_val",
    23: "uint64_val",
}
MOST = 2**31  # elements of a tensor that is believed


def array(values: Any, dtype: int) -> np.ndarray:
    """Values as an array of a dtype of types_pb2; texts become bytes of UTF-8.

    Raises:
        ValueError: where they are none, such as lists of unequal lengths, or a fraction for an integer.
    """
    if dtype not in DTYPES:
        raise ValueError(f"values of dtype {dtype} cannot be sent")
    if dtype == STRING:
        return _strings(values)
    made = np.asarray(values)
    wanted = np.dtype(DTYPES[dtype])
    if made.dtype.kind in "OSU" or (made.dtype.kind == "b") != (wanted.kind == "b"):
        raise ValueError(f"{made.dtype} values where {wanted} is wanted")
    if wanted.kind in "iu" and made.size and not (made == made.astype(wanted)).all():
        raise ValueError(f"values that no {wanted} holds")
    return made.astype(wanted)


def _strings(values: Any) -> np.ndarray:
    if isinstance(values, (bytes, str)):
        made = np.empty((), object)
        made[()] = values
    elif isinstance(values, np.ndarray):
        made = values.astype(object)
    elif not isinstance(values, (list, tuple)):
        raise ValueError("what is neither bytes nor a text where strings are wanted")
    else:
        parts = [_strings(value) for value in values]
        if len({part.shape for part in parts}) > 1:
            raise ValueError("lists of unequal lengths")
        made = np.empty((len(parts), *(parts[0].shape if parts else ())), object)
        for place, part in enumerate(parts):
            made[place] = part if part.ndim else part[()]
    flat = [value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value for value in made.ravel()]
    if any(not isinstance(value, bytes) for value in flat):
        raise ValueError("what is neither bytes nor a text where strings are wanted")
    written = np.empty(len(flat), object)
    written[:] = flat
    return written.reshape(made.shape)


def to_proto(values: np.ndarray, dtype: int, message: Any) -> None:
    """Write an array of `array` into a TensorProto."""
    message.dtype = dtype
    message.tensor_shape.SetInParent()
    for size in values.shape:
        message.tensor_shape.dim.add().size = size
    if dtype == STRING:
        message.string_val.extend(values.ravel().tolist())
    else:
        message.tensor_content = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def from_proto(message: Any) -> np.ndarray:
    """The array of a TensorProto; strings as objects, of bytes. The last value stands for those that a message leaves out.

    Raises:
        ValueError: where it is none.
    """
    if message.dtype not in DTYPES:
        raise ValueError(f"values of dtype {message.dtype} cannot be read")
    dtype, shape = np.dtype(DTYPES[message.dtype]), [dim.size for dim in message.tensor_shape.dim]
    count = math.prod(shape)
    if min(shape, default=0) < 0 or count > MOST:
        raise ValueError(f"a tensor of shape {shape}")
    if message.tensor_content and message.dtype != STRING:
        return np.frombuffer(message.tensor_content, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape).copy()
    values = getattr(message, FIELDS[message.dtype])
    if len(values) > count:
        raise ValueError(f"{len(values)} values for a shape of {shape}")
    made = np.empty(count, np.uint16 if message.dtype == HALF else dtype)
    made[: len(values)] = values
    made[len(values) :] = values[-1] if len(values) else b"" if message.dtype == STRING else 0
    return (made.view(np.float16) if message.dtype == HALF else made).reshape(shape)


def to_json(values: np.ndarray, dtype: int) -> Any:
    """What orjson writes as an array of `array`: strings as {"b64": ...}, NaN and Infinity bare."""
    if dtype == STRING:
        return _b64(values.tolist())
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return orjson.Fragment(json.dumps(values.tolist()).encode())
    return np.ascontiguousarray(values) if values.ndim else values.item()


def _b64(value: Any) -> Any:
    return [_b64(part) for part in value] if isinstance(value, list) else {"b64": base64.b64encode(value).decode()}


def from_json(alias: str, value: Any, dtype: int) -> np.ndarray:
    """The array of an output in a response. Raises ValueError where it is none."""
    if dtype not in DTYPES:
        raise ValueError(f"values of dtype {dtype} cannot be read")
    if dtype == STRING:
        return _strings(_unb64(value) if alias.endswith("_bytes") else value)
    with np.errstate(over="ignore"):
        return np.array(value, np.float64).astype(np.float32) if dtype == 1 else np.array(value, DTYPES[dtype])


def _unb64(value: Any) -> Any:
    if isinstance(value, list):
        return [_unb64(part) for part in value]
    if not isinstance(value, dict) or not isinstance(value.get("b64"), str):
        raise ValueError("an output of bytes that is no base64")
    return base64.b64decode(value["b64"])


def examples(values: Iterable[bytes | Mapping[str, Any]]) -> list[bytes]:
    """Serialized tf.Examples of what is given.

    Args:
        values: serialized ones, or mappings of a feature to its value or values: bytes or texts (UTF-8), whole numbers or yes and
            no (int64), or fractions (float32).

    Raises:
        ValueError: where one is neither.
    """
    return [_example(value) for value in values]


def _example(value: bytes | Mapping[str, Any]) -> bytes:
    kind = protos.message("tensorflow.Example")
    if isinstance(value, bytes):
        try:
            kind.FromString(value)
        except DecodeError:
            raise ValueError("bytes that are no tf.Example") from None
        return value
    if not isinstance(value, Mapping):
        raise ValueError("an example that is neither bytes nor a mapping of features")
    example = kind()
    for name, given in value.items():
        array = np.atleast_1d(_strings(given) if _is_text(given) else np.asarray(given))
        if array.ndim != 1 or array.dtype.kind not in "Obiuf":
            raise ValueError(f"a feature {name} that is no list of bytes, texts or numbers")
        held = example.features.feature[name]
        if array.dtype.kind == "O":
            held.bytes_list.value.extend(array.tolist())
        else:
            (held.float_list if array.dtype.kind == "f" else held.int64_list).value.extend(array.tolist())
    return example.SerializeToString(deterministic=True)


def _is_text(given: Any) -> bool:
    first = given[0] if isinstance(given, (list, tuple)) and given else given
    return isinstance(first, (bytes, str)) or (isinstance(first, np.ndarray) and first.dtype.kind in "OSU")


def example_to_json(serialized: bytes) -> dict[str, list[Any]]:
    """What orjson writes of a serialized tf.Example, as Classify and Regress of the REST API take it: every feature as a list."""
    held = protos.message("tensorflow.Example").FromString(serialized).features.feature
    written = {}
    for name, feature in sorted(held.items()):
        kind = feature.WhichOneof("kind")
        values = list(getattr(feature, kind).value) if kind else []
        if kind == "float_list" and not np.isfinite(values).all():
            values = orjson.Fragment(json.dumps(values).encode())
        written[name] = _b64(values) if kind == "bytes_list" else values
    return written


def of_classes(rows: Sequence[Sequence[tuple[bytes | str, float]]]) -> tuple[np.ndarray, np.ndarray]:
    """Labels, bytes as objects [N, k], and scores, float32 [N, k], of k pairs of both for each of N examples.

    Raises:
        ValueError, TypeError: where they are none, or not equally many.
    """
    width = len(rows[0]) if rows else 0
    labels, scores = np.empty((len(rows), width), object), np.empty((len(rows), width), np.float32)
    for place, row in enumerate(rows):
        if len(row) != width:
            raise ValueError(f"{len(row)} classes of an example, and {width} of the first")
        for column, (label, score) in enumerate(row):
            labels[place, column] = label.encode("utf-8", "surrogateescape") if isinstance(label, str) else bytes(label)
            scores[place, column] = score
    return labels, scores
