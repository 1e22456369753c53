"""Predict's JSON to arrays by a signature, and a signature's arrays to JSON, as TF Serving's json_tensor.cc does both.

What keeps its rules is converted whole, a level of lists at a time; what breaks a rule is walked value by value as json_tensor.cc
walks, so that the message is about the value that TF Serving's is about. Of a signature's TensorInfo the dtype is read.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson

from serving.server.rest.document import invalid, shown, type_name, utf8
from serving.server.status import ServingError

ROW, COLUMNAR = "row", "columnar"
INSTANCES, INPUTS, PREDICTIONS, OUTPUTS, B64 = "instances", "inputs", "predictions", "outputs", "b64"
BYTES_SUFFIX = "_bytes"  # of an output whose strings are bytes
RANKS = 63  # dimensions of an array of NumPy's, less one of the batch; TensorFlow's have 254

NAMES = {  # of types_pb2.DataType, in messages
    1: "float",
    2: "double",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "half",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
}
BY_NUMPY = {"float16": "half", "float32": "float", "float64": "double"}  # other names of dtypes are the same


@dataclass(frozen=True)
class Element:
    """What a JSON value must be to become an element of a tensor."""

    name: str
    dtype: type
    types: frozenset[type]  # of Python; bool is no int here
    between: tuple[int, int] | None = None  # of an integer, both included

    def takes(self, value: Any) -> bool:
        """Of a value that is neither a list nor an object."""
        return type(value) in self.types and (self.between is None or self.between[0] <= value <= self.between[1])

    def takes_all(self, values: Sequence[Any]) -> bool:
        """Of such values."""
        if not set(map(type, values)) <= self.types:
            return False
        return not values or self.between is None or (self.between[0] <= min(values) and max(values) <= self.between[1])

    def array(self, values: Sequence[Any], shape: Sequence[int]) -> np.ndarray:
        """Of values that it takes; of strings, bytes."""
        if self.dtype is np.float32:
            with np.errstate(over="ignore"):  # what is no float is infinite
                flat = np.array(values, np.float64).astype(np.float32)
        elif self.between == INT32:  # TensorProto.int_val, of which TensorFlow takes the low bits
            flat = np.array(values, np.int32).astype(self.dtype)
        else:
            flat = np.array(values, self.dtype)
        return flat.reshape(shape)


INT32 = (-(2**31), 2**31 - 1)
_NUMBER, _INTEGER = frozenset({int, float}), frozenset({int})
ELEMENTS = {  # TensorInfo.dtype -> what may be fed
    1: Element("float", np.float32, _NUMBER),
    2: Element("double", np.float64, _NUMBER),
    3: Element("int32", np.int32, _INTEGER, INT32),
    4: Element("uint8", np.uint8, _INTEGER, INT32),
    5: Element("int16", np.int16, _INTEGER, INT32),
    6: Element("int8", np.int8, _INTEGER, INT32),
    7: Element("string", np.object_, frozenset({str})),
    9: Element("int64", np.int64, _INTEGER, (-(2**63), 2**63 - 1)),
    10: Element("bool", np.bool_, frozenset({bool})),
    22: Element("uint32", np.uint32, _INTEGER, (0, 2**32 - 1)),
    23: Element("uint64", np.uint64, _INTEGER, (0, 2**64 - 1)),
}
STRING = ELEMENTS[7]


def signature_name(document: Mapping[str, Any]) -> str:
    """The signature that a request names, "" where it names none. Raises ServingError where that is no string."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be a string value.")
    return name


def feeds(document: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[str, dict[str, np.ndarray]]:
    """What a Predict request feeds.

    Args:
        document: the parsed request.
        inputs: alias -> TensorInfo, as a SignatureDef has them.

    Returns:
        ROW or COLUMNAR, and alias -> array of the input's dtype, of strings object arrays of bytes. Shapes are the JSON's: the
        signature's are not asked.

    Raises:
        ServingError: in TF Serving's words, INVALID_ARGUMENT, or UNIMPLEMENTED for a dtype that JSON cannot feed.
    """
    if INSTANCES in document and INPUTS in document:
        raise invalid(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of '{INPUTS}' or '{INSTANCES}' keys to exist"
        )
    if INSTANCES in document:
        instances = document[INSTANCES]
        if not isinstance(instances, list):
            raise invalid(f"JSON Value: {shown(document)} Excepting '{INSTANCES}' to be an list/array")
        if not instances:
            raise invalid(f"JSON Value: {shown(document)} No values in '{INSTANCES}' array")
        return ROW, _of_rows(instances, inputs)
    if INPUTS in document:
        return COLUMNAR, _of_columns(document[INPUTS], inputs)
    raise invalid(f"Missing '{INPUTS}' or '{INSTANCES}' key")


def response(form: str, outputs: Mapping[str, np.ndarray]) -> bytes:
    """A Predict response.

    Args:
        form: ROW or COLUMNAR, as the request was.
        outputs: alias -> array; strings as object arrays of bytes.

    Returns:
        JSON; NaN, Infinity and -Infinity bare, and a string's bytes as they are, UTF-8 or not. A float is the shortest decimal that
        gives it back; TF Serving has 6 digits or 9, which read back as the same.

    Raises:
        ServingError: INVALID_ARGUMENT, where ROW has no common batch, or for a dtype that TF Serving does not write.
    """
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    outputs = {alias: np.asarray(outputs[alias]) for alias in sorted(outputs)}
    for array in outputs.values():
        _check_written(array)
    if form == COLUMNAR:
        told = {alias: _json(alias, array) for alias, array in outputs.items()}
        return _dumped({OUTPUTS: told if len(told) > 1 else next(iter(told.values()))})
    batch = _batch(outputs)
    if len(outputs) == 1:
        ((alias, array),) = outputs.items()
        return _dumped({PREDICTIONS: _json(alias, array)})
    columns = {alias: _rows(alias, array) for alias, array in outputs.items()}
    return _dumped({PREDICTIONS: [{alias: column[row] for alias, column in columns.items()} for row in range(batch)]})


def is_b64(value: Any) -> bool:
    """Whether a JSON value is bytes: an object of that one key and a string."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(B64), str)


def unb64(value: Any) -> bytes:
    """The bytes of such an object, as absl::Base64Unescape reads them: with padding or without, whitespace ignored.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    if not is_b64(value):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    text = utf8(value[B64])
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        body = re.sub(rb"[ \t\n\v\f\r]", b"", text).replace(b".", b"=")
        digits = body.rstrip(b"=")
        padding, wanted = len(body) - len(digits), -len(digits) % 4
        if wanted != 3 and padding in (0, wanted) and re.fullmatch(rb"[A-Za-z0-9+/]*", digits):
            return base64.b64decode(digits + b"=" * wanted)
        raise invalid("Unable to base64 decode") from None


# ------------------------------------------------------------------ requests


def _of_rows(instances: list, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if not isinstance(instances[0], dict) and len(inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map"
        )
    names = sorted(inputs)
    columns = {names[0]: instances}
    if _is_named(instances[0]):
        keys = set(names)
        if any(type(row) is not dict or row.keys() != keys or is_b64(row) for row in instances):
            return _row_by_row(instances, inputs)
        columns = {name: [row[name] for row in instances] for name in names}
    arrays = {name: _whole(column, inputs[name]) for name, column in columns.items()}
    return _row_by_row(instances, inputs) if any(array is None for array in arrays.values()) else arrays


def _row_by_row(instances: list, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What _of_rows gives, slowly; says what is wrong with which row."""
    names, is_named = sorted(inputs), _is_named(instances[0])
    values: dict[str, list] = {}
    shapes: dict[str, list[int]] = {}
    for number, row in enumerate(instances):
        if is_named != _is_named(row):
            got = "Expecting object but got list" if is_named else "Expecting value/list but got object"
            raise invalid(f"{got} at item {number} of input list")
        for name, value in row.items() if is_named else ((names[0], row),):
            try:
                _add_row(value, name, inputs, values, shapes)
            except ServingError as error:
                key = f" key: {name}" if is_named else ""
                said = f"{error.code}: {error.message}"
                raise invalid(f"Failed to process element: {number}{key} of '{INSTANCES}' list. Error: {said}") from None
        if is_named and row.keys() != set(names):
            raise invalid(
                f"Failed to process element: {number} of '{INSTANCES}' list. JSON object: {shown(row)} keys must be equal to: "
                f"{','.join(names)}"
            )
    return {name: _element(inputs[name], 0).array(values[name], (len(instances), *shapes[name])) for name in values}


def _add_row(value: Any, name: str, inputs: Mapping[str, Any], values: dict[str, list], shapes: dict[str, list[int]]) -> None:
    if name not in inputs:
        raise invalid(f"JSON object: does not have named input: {name}")
    shape = _shape(value)
    leaves = _walked(value, shape, inputs[name])
    if name not in shapes:
        values[name], shapes[name] = leaves, shape
        return
    size = int(np.prod(shapes[name], dtype=object))
    if size != len(leaves):
        raise invalid(f"Expecting tensor size: {size} but got: {len(leaves)}")
    if shapes[name] != shape:
        raise invalid(f"Expecting shape [{_joined(shapes[name])}] but got: [{_joined(shape)}]")
    values[name] += leaves


def _of_columns(value: Any, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if isinstance(value, dict) and not is_b64(value):
        columns = {}
        for name in sorted(inputs):
            if name not in value:
                raise invalid(f"Missing named input: {name} in '{INPUTS}' object.")
            columns[name] = _column(value[name], inputs[name])
        return columns
    if len(inputs) > 1:
        raise invalid(
            "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map"
        )
    ((name, info),) = inputs.items()
    return {name: _column(value, info)}


def _column(value: Any, info: Any) -> np.ndarray:
    whole = _whole(value, info)
    if whole is not None:
        return whole
    shape = _shape(value)
    leaves = _walked(value, shape, info)
    return _element(info, value).array(leaves, shape)


def _whole(value: Any, info: Any) -> np.ndarray | None:
    """The tensor that a value is; None where it breaks a rule, or may."""
    element = ELEMENTS.get(info.dtype)
    if element is None:
        return None
    shape, level = [], [value]
    while level and type(level[0]) is list:
        size = len(level[0])
        if len(shape) > RANKS or set(map(type, level)) != {list} or set(map(len, level)) != {size}:
            return None
        shape.append(size)
        level = list(chain.from_iterable(level)) if len(level) > 1 else level[0]
    leaves = _bytes(level) if element is STRING else level if element.takes_all(level) else None
    return None if leaves is None else element.array(leaves, shape)


def _bytes(level: list) -> list[bytes] | None:
    types = set(map(type, level))
    if not types <= {str, dict}:
        return None
    try:
        return [utf8(leaf) if type(leaf) is str else unb64(leaf) for leaf in level]
    except ServingError:
        return None


def _shape(value: Any) -> list[int]:
    """The shape that a value says, of each level of lists the first."""
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) > RANKS:
            raise invalid(f"Encountered lists in more than {RANKS} levels")
        value = value[0] if value else None
    return shape


def _walked(value: Any, shape: list[int], info: Any) -> list:
    """The leaves of a value, row-major, of strings as bytes. Raises ServingError for the first that is wrong."""
    leaves: list = []
    _walk(value, 0, shape, info, leaves)
    return leaves


def _walk(value: Any, level: int, shape: list[int], info: Any, leaves: list) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {len(shape)}"
            )
        leaves.append(_leaf(value, info))
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}")
    for part in value:
        _walk(part, level + 1, shape, info, leaves)


def _leaf(value: Any, info: Any) -> Any:
    if isinstance(value, dict):
        if info.dtype == 7:
            return unb64(value)
        raise _type_error(value, info)
    element = _element(info, value)
    if not element.takes(value):
        raise _type_error(value, info)
    return utf8(value) if element is STRING else value


def _element(info: Any, value: Any) -> Element:
    if info.dtype not in ELEMENTS:
        raise ServingError("UNIMPLEMENTED", f"Conversion of JSON Value: {shown(value)} to type: {_dtype_name(info)}")
    return ELEMENTS[info.dtype]


def _type_error(value: Any, info: Any) -> ServingError:
    return invalid(f"JSON Value: {shown(value)} Type: {type_name(value)} is not of expected type: {_dtype_name(info)}")


def _dtype_name(info: Any) -> str:
    return NAMES.get(info.dtype, f"of number {info.dtype}")


def _is_named(row: Any) -> bool:
    return isinstance(row, dict) and not is_b64(row)


def _joined(shape: Iterable[int]) -> str:
    return ",".join(map(str, shape))


# ------------------------------------------------------------------ responses


def _check_written(array: np.ndarray) -> None:
    name = BY_NUMPY.get(array.dtype.name, array.dtype.name)
    if array.dtype.kind not in "OSU" and name not in {element.name for element in ELEMENTS.values()}:
        raise invalid(f"Failed to write JSON value for tensor type: {name}")


def _batch(outputs: Mapping[str, np.ndarray]) -> int:
    batch = None
    for alias, array in outputs.items():
        if not array.ndim:
            raise invalid(f"Tensor name: {alias} has no shape information ")
        if batch is not None and batch != len(array):
            raise invalid(f"Tensor name: {alias} has inconsistent batch size: {len(array)} expecting: {batch}")
        batch = len(array)
    return batch


def _json(alias: str, array: np.ndarray) -> Any:
    """What orjson writes as the array's JSON."""
    if array.dtype.kind in "OSU":
        return _strings(array.tolist(), alias.endswith(BYTES_SUFFIX))
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return orjson.Fragment(_with_constants(array))
    return np.ascontiguousarray(array) if array.ndim else array.item() if array.dtype.kind != "f" else array[()]


def _rows(alias: str, array: np.ndarray) -> Sequence:
    """The same of each row."""
    is_plain = array.dtype.kind not in "OSU" and (array.dtype.kind != "f" or bool(np.isfinite(array).all()))
    if is_plain:
        return np.ascontiguousarray(array) if array.ndim > 1 or array.dtype.kind == "f" else array.tolist()
    return [_json(alias, np.asarray(row, array.dtype)) for row in array]


def _strings(value: Any, as_bytes: bool) -> Any:
    if isinstance(value, list):
        return [_strings(part, as_bytes) for part in value]
    content = value.encode() if isinstance(value, str) else value
    return {B64: base64.b64encode(content).decode()} if as_bytes else string(content)


def string(content: bytes) -> str | orjson.Fragment:
    """Bytes as a JSON string, for orjson: as they are, whether UTF-8 or not."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        escaped = re.sub(rb'[\x00-\x1f"\\]', lambda match: b"\\u%04X" % ord(match[0]), content)
        return orjson.Fragment(b'"%b"' % escaped)


def _with_constants(array: np.ndarray) -> bytes:
    """JSON of floats some of which JSON has no numbers for; orjson has null for these."""
    names = iter([_constant(value) for value in array[~np.isfinite(array)]])
    written = _dumped(np.ascontiguousarray(array) if array.ndim else array[()])
    return re.sub(rb"null", lambda _: next(names), written)


def _constant(value: float) -> bytes:
    return b"NaN" if np.isnan(value) else b"Infinity" if value > 0 else b"-Infinity"


def _dumped(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
