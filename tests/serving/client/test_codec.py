"""Tensors and arrays: what TensorFlow's own functions make of them is the oracle."""

import json

import numpy as np
import orjson
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving import protos
from serving.client import codec
from serving.client.rest import _parsed
from serving.server import inference
from serving.server.rest import tensors

NUMBERS = sorted(set(codec.DTYPES) - {codec.STRING})


@st.composite
def filled(draw):
    """A dtype of types_pb2, and an array of it."""
    number = draw(st.sampled_from([*NUMBERS, codec.STRING]))
    shape = draw(arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    if number == codec.STRING:
        size = int(np.prod(shape, dtype=int))
        flat = np.empty(size, object)
        flat[:] = draw(st.lists(st.binary(max_size=5), min_size=size, max_size=size))
        return number, flat.reshape(shape)
    return number, draw(arrays.arrays(codec.DTYPES[number], shape))


def same(first, second):
    assert first.dtype == second.dtype
    np.testing.assert_array_equal(first, second)


@settings(max_examples=150, deadline=None)
@given(filled())
def test_a_tensor_is_read_as_tensorflow_reads_and_writes_it(pair):
    number, array = pair
    message = protos.message("tensorflow.TensorProto")()
    codec.to_proto(codec.array(array, number), number, message)

    theirs = type(tf.make_tensor_proto(array)).FromString(message.SerializeToString())
    if array.size or number != codec.STRING:
        same(tf.make_ndarray(theirs), array)
    for written in (tf.make_tensor_proto(array, number), inference.proto_of(array)):
        same(codec.from_proto(type(message).FromString(written.SerializeToString())), array)


@settings(max_examples=100, deadline=None)
@given(filled())
def test_json_says_the_same_to_the_server_and_back(pair):
    number, array = pair
    if number in (codec.HALF, 17):
        return  # no JSON of TF Serving's
    document = {"inputs": _loaded(codec.to_json(codec.array(array, number), number))}
    info = protos.message("tensorflow.TensorInfo")(dtype=number)
    _, fed = tensors.feeds(document, {"x": info})
    if array.size:
        same(fed["x"], array)
    answered = tensors.response(tensors.COLUMNAR, {"y_bytes": array})
    told = _parsed(answered)["outputs"]
    if array.size:
        same(codec.from_json("y_bytes", told, number), array)


def _loaded(value):
    return _parsed(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))


@pytest.mark.parametrize(
    ("alias", "value", "number", "array"),
    [
        ("y", [[1.5, float("nan")]], 1, np.array([[1.5, np.nan]], np.float32)),
        ("y", ["a", "\u00e9"], codec.STRING, np.array([b"a", "\u00e9".encode()], object)),
        ("y_bytes", [{"b64": "/w=="}], codec.STRING, np.array([b"\xff"], object)),
        ("y", [[]], codec.STRING, np.zeros((1, 0), object)),
        ("y", [True], 10, np.array([True])),
    ],
)
def test_what_json_says_is_an_array_again(alias, value, number, array):
    same(codec.from_json(alias, _parsed(json.dumps(value).encode()), number), array)


def test_the_last_value_stands_for_those_left_out():
    message = tf.make_tensor_proto(0.5, shape=[2, 3])
    read = codec.from_proto(protos.message("tensorflow.TensorProto").FromString(message.SerializeToString()))
    same(read, np.full((2, 3), 0.5, np.float32))
    empty = protos.message("tensorflow.TensorProto")(dtype=codec.STRING)
    empty.tensor_shape.dim.add().size = 2
    assert codec.from_proto(empty).tolist() == [b"", b""]


@pytest.mark.parametrize(
    ("values", "number", "said"),
    [
        ([[1], [1, 2]], 1, "inhomogeneous"),
        (["a"], 1, "float32 is wanted"),
        ([1.5], 9, "no int64 holds"),
        ([300], 4, "no uint8 holds"),
        ([True], 9, "int64 is wanted"),
        ([1], 10, "bool is wanted"),
        ([1], codec.STRING, "neither bytes nor a text"),
        ([["a"], "b"], codec.STRING, "unequal lengths"),
        ([1.0], 8, "cannot be sent"),
    ],
)
def test_values_that_are_none_are_refused(values, number, said):
    with pytest.raises(ValueError, match=said):
        codec.array(values, number)


def test_a_message_that_is_none_is_refused():
    message = protos.message("tensorflow.TensorProto")(dtype=1, float_val=[1, 2, 3])
    message.tensor_shape.dim.add().size = 2
    with pytest.raises(ValueError, match="3 values"):
        codec.from_proto(message)
    message.tensor_shape.dim[0].size = 2**40
    with pytest.raises(ValueError, match="a tensor of shape"):
        codec.from_proto(message)
    with pytest.raises(ValueError, match="cannot be read"):
        codec.from_proto(protos.message("tensorflow.TensorProto")(dtype=8))
