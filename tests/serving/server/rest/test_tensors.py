"""JSON to arrays by a signature's dtypes and back: json_tensor.cc's rules."""

import base64
import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.server.rest import tensors
from serving.server.rest.document import parse
from serving.server.status import ServingError

NUMBERS = {name: number for number, name in tensors.NAMES.items()}


def inputs(**dtypes):
    """Alias -> what of a TensorInfo is read."""
    return {alias: SimpleNamespace(dtype=NUMBERS[dtype]) for alias, dtype in dtypes.items()}


def refusal(document, **dtypes) -> ServingError:
    with pytest.raises(ServingError) as error:
        tensors.feeds(document, inputs(**dtypes))
    return error.value


def fed(document, **dtypes):
    form, arrays = tensors.feeds(document, inputs(**dtypes))
    assert form == (tensors.ROW if "instances" in document else tensors.COLUMNAR)
    return arrays


def b64(content: bytes) -> dict:
    return {"b64": base64.b64encode(content).decode()}


FED = [
    ("float", [1, 2.5, -3], np.float32([1, 2.5, -3])),
    ("float", [1435774380], np.float32([1435774380])),
    ("float", [1.7e308, -1.7e308, 2.2e-308, 2**64 - 1], np.float32([np.inf, -np.inf, 0, 2.0**64])),
    ("float", [0.1, 16777217], np.float32([0.1, 16777216])),
    ("double", [0.1, 2**53 + 1], np.float64([0.1, 2.0**53])),
    ("int32", [-(2**31), 2**31 - 1], np.int32([-(2**31), 2**31 - 1])),
    ("uint8", [0, 255, 256, -1], np.uint8([0, 255, 0, 255])),
    ("int8", [127, 128], np.int8([127, -128])),
    ("int16", [32767, 65536 + 5], np.int16([32767, 5])),
    ("int64", [-(2**63), 2**63 - 1], np.int64([-(2**63), 2**63 - 1])),
    ("uint32", [0, 2**32 - 1], np.uint32([0, 2**32 - 1])),
    ("uint64", [0, 2**64 - 1], np.uint64([0, 2**64 - 1])),
    ("bool", [True, False], np.array([True, False])),
    ("string", ["a", "é", "\udcff", ""], np.array([b"a", "é".encode(), b"\xff", b""], object)),
    ("string", [b64(b"\x89PNG"), "a", b64(b"")], np.array([b"\x89PNG", b"a", b""], object)),
]


@pytest.mark.parametrize("form", ["instances", "inputs"])
@pytest.mark.parametrize(("dtype", "values", "array"), FED)
def test_values_become_elements(form, dtype, values, array):
    got = fed({form: values}, x=dtype)["x"]
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)
    nested = fed({form: [[values], [values]]}, x=dtype)["x"]
    np.testing.assert_array_equal(nested, np.stack([[array], [array]]))


@pytest.mark.parametrize(
    ("dtype", "value", "type_name"),
    [
        ("float", True, "True"),
        ("float", "x", "String"),
        ("float", None, "Null"),
        ("float", {"b64": "YQ=="}, "Object"),
        ("int32", 1.0, "Number"),
        ("int32", 3_000_000_000, "Number"),
        ("int32", True, "True"),
        ("uint8", -(2**31) - 1, "Number"),
        ("int64", 2**63, "Number"),
        ("int64", 1.5, "Number"),
        ("uint32", -1, "Number"),
        ("uint64", -1, "Number"),
        ("uint64", 2.0**64, "Number"),
        ("bool", 1, "Number"),
        ("bool", "true", "String"),
        ("string", 1, "Number"),
        ("string", False, "False"),
    ],
)
def test_a_value_of_another_type_is_named(dtype, value, type_name):
    said = f"JSON Value: {json.dumps(value, indent=4)} Type: {type_name} is not of expected type: {dtype}"
    assert refusal({"inputs": value}, x=dtype).message == said
    right = {"string": "a", "bool": True}.get(dtype, 1)
    row = refusal({"instances": [right, value]}, x=dtype).message
    if not isinstance(value, dict):
        assert row == f"Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: {said}"
    named = refusal({"instances": [{"x": [right, value]}]}, x=dtype).message
    assert named == f"Failed to process element: 0 key: x of 'instances' list. Error: INVALID_ARGUMENT: {said}"


@pytest.mark.parametrize("dtype", ["half", "bfloat16", "complex64", "uint16", "variant"])
def test_a_dtype_that_json_cannot_feed_is_unimplemented(dtype):
    error = refusal({"inputs": [1.0]}, x=dtype)
    assert (error.code, error.message) == ("UNIMPLEMENTED", f"Conversion of JSON Value: 1.0 to type: {dtype}")
    row = refusal({"instances": [1.0]}, x=dtype)
    assert row.code == "INVALID_ARGUMENT"
    assert row.message.endswith(f"Error: UNIMPLEMENTED: {error.message}")


@pytest.mark.parametrize(
    ("document", "dtypes", "words"),
    [
        ({"instances": [1], "inputs": [1]}, {"x": "float"}, "Not formatted correctly expecting only one of"),
        ({}, {"x": "float"}, "Missing 'inputs' or 'instances' key"),
        ({"instances": 1}, {"x": "float"}, "Excepting 'instances' to be an list/array"),
        ({"instances": []}, {"x": "float"}, "No values in 'instances' array"),
        (
            {"instances": [[1, 2], [3]]},
            {"x": "float"},
            "element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 1",
        ),
        ({"instances": [[[1, 2]], [[1], [2]]]}, {"x": "float"}, "Expecting shape [1,2] but got: [2,1]"),
        ({"instances": [[1, [2]]]}, {"x": "float"}, "Encountered list at unexpected level: 1 expected < 1"),
        (
            {"instances": [[[1], 2]]},
            {"x": "float"},
            "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
        ),
        ({"inputs": [[1, 2], [3]]}, {"x": "float"}, "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
        ({"inputs": [[], [3]]}, {"x": "float"}, "Encountered list at unexpected size: 1 at level: 1 expected size: 0"),
        ({"instances": [1, 2]}, {"x": "float", "y": "float"}, "instances is a plain list, but expecting list of objects"),
        ({"inputs": [1, 2]}, {"x": "float", "y": "float"}, "inputs is a plain value/list, but expecting an object"),
        ({"instances": [{"x": 1}]}, {"x": "float", "y": "float"}, "keys must be equal to: x,y"),
        (
            {"instances": [{"x": 1, "z": 1}]},
            {"x": "float"},
            "key: z of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: z",
        ),
        ({"instances": [{"x": 1}, [1]]}, {"x": "float"}, "Expecting object but got list at item 1 of input list"),
        ({"instances": [1, {"x": 1}]}, {"x": "float"}, "Expecting value/list but got object at item 1 of input list"),
        ({"instances": [{}]}, {"x": "float"}, "keys must be equal to: x"),
        ({"inputs": {"y": 1}}, {"x": "float"}, "Missing named input: x in 'inputs' object."),
        ({"inputs": {"b64": "YQ==", "k": 1}}, {"x": "string"}, "Missing named input: x in 'inputs' object."),
        ({"inputs": {"b64": "%%"}}, {"x": "string"}, "Unable to base64 decode"),
        ({"instances": [{"b64": "YQ"}, {"b64": "Y"}]}, {"x": "string"}, "Unable to base64 decode"),
        ({"inputs": [{"b64": 1}]}, {"x": "string"}, "not formatted correctly for base64 data"),
        ({"inputs": [[{"b64": "YQ==", "c": ""}]]}, {"x": "string"}, "not formatted correctly for base64 data"),
    ],
)
def test_what_breaks_a_rule_is_told_as_tf_serving_does(document, dtypes, words):
    error = refusal(document, **dtypes)
    assert error.code == "INVALID_ARGUMENT"
    assert words in error.message


@pytest.mark.parametrize("levels", [65, 300, 900])
def test_more_levels_than_an_array_has_dimensions(levels):
    body = b'{"%b": ' + b"[" * levels + b"]" * levels + b"}"
    for form in (b"inputs", b"instances"):
        assert "levels" in refusal(parse(body % form), x="float").message


def test_several_inputs_by_rows_and_by_columns():
    rows = fed({"instances": [{"x": [1], "s": "a"}, {"s": b64(b"b"), "x": [2]}]}, x="float", s="string")
    columns = fed({"inputs": {"x": [[1], [2]], "s": ["a", b64(b"b")], "left out": None}}, x="float", s="string")
    assert rows["x"].tolist() == columns["x"].tolist() == [[1.0], [2.0]]
    assert rows["s"].tolist() == columns["s"].tolist() == [b"a", b"b"]


def test_shapes_are_the_jsons():
    assert fed({"inputs": 3.0}, x="float")["x"].shape == ()
    assert fed({"inputs": []}, x="float")["x"].shape == (0,)
    assert fed({"inputs": [[], []]}, x="string")["x"].shape == (2, 0)
    assert fed({"instances": [[], []]}, x="int32")["x"].shape == (2, 0)
    assert fed({"instances": [[[1, 2]]] * 3}, x="int64")["x"].shape == (3, 1, 2)
    assert fed({"inputs": {"b64": "YQ=="}}, x="string")["x"].shape == ()
    assert fed({"instances": [{"b64": {"b64": "YQ=="}}]}, b64="string")["b64"].tolist() == [b"a"]


@pytest.mark.parametrize("text", ["YWI=", "YWI", "Y W\nI=", "YWI."])
def test_base64_as_abseil_reads_it(text):
    assert tensors.unb64({"b64": text}) == b"ab"


@pytest.mark.parametrize("text", ["YWI==", "YW=I", "Y", "YW-_", "YWI=YWI=", "é"])
def test_base64_that_abseil_refuses(text):
    with pytest.raises(ServingError, match="Unable to base64 decode"):
        tensors.unb64({"b64": text})


@pytest.mark.parametrize("name", [100, None, ["a"]])
def test_the_signatures_name_is_a_string(name):
    with pytest.raises(ServingError, match="must be a string value"):
        tensors.signature_name({"signature_name": name})
    assert tensors.signature_name({}) == ""


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.integers(-3, 300),
    st.floats(),
    st.sampled_from(["a", "\udcff"]),
    st.sampled_from([{"b64": "YQ=="}, {"b64": "?"}, {"b64": 1}, {"x": 1}, {}]),
)
VALUES = st.recursive(LEAVES | st.lists(st.integers(0, 5)), lambda part: st.lists(part, max_size=3), max_leaves=8)
ROWS = st.lists(VALUES | st.fixed_dictionaries({"x": VALUES}, optional={"y": VALUES, "z": VALUES}), min_size=1, max_size=4)


@settings(max_examples=150)
@given(
    st.one_of(
        st.fixed_dictionaries({"instances": ROWS}),
        st.fixed_dictionaries({"inputs": VALUES | st.dictionaries(st.sampled_from(["x", "y", "b64"]), VALUES)}),
    ),
    st.sampled_from(sorted(NUMBERS)),
    st.sampled_from([None, "string", "float"]),
)
def test_the_whole_way_and_the_walk_give_the_same(document, dtype, other):
    dtypes = {"x": dtype} | ({"y": other} if other else {})

    def outcome():
        try:
            form, arrays = tensors.feeds(document, inputs(**dtypes))
        except ServingError as error:
            return error.code, error.message
        return form, {alias: (array.dtype, array.shape, repr(array.tolist())) for alias, array in arrays.items()}

    whole = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensors, "_whole", lambda value, info: None)
        assert outcome() == whole


# ------------------------------------------------------------------ responses


def told(form, **outputs):
    return json.loads(tensors.response(form, outputs))


def test_one_output_is_bare_and_several_are_named():
    y, s = np.float32([[0.2, 1], [3, 4e20]]), np.array([b"a", b"b"], object)
    assert told(tensors.ROW, y=y) == {"predictions": [[0.2, 1.0], [3.0, 4e20]]}
    assert told(tensors.COLUMNAR, y=y) == {"outputs": [[0.2, 1.0], [3.0, 4e20]]}
    assert told(tensors.ROW, y=y, s=s) == {"predictions": [{"s": "a", "y": [0.2, 1.0]}, {"s": "b", "y": [3.0, 4e20]}]}
    assert told(tensors.COLUMNAR, y=y, s=s) == {"outputs": {"s": ["a", "b"], "y": [[0.2, 1.0], [3.0, 4e20]]}}


def test_numbers_have_a_point_or_an_exponent_where_they_are_floats_and_none_where_not():
    assert tensors.response(tensors.ROW, {"y": np.float32([3, 1e20])}) == b'{"predictions":[3.0,1e+20]}'
    assert tensors.response(tensors.COLUMNAR, {"y": np.int64([-(2**63)])}) == b'{"outputs":[-9223372036854775808]}'
    assert tensors.response(tensors.COLUMNAR, {"y": np.uint64(2**64 - 1)}) == b'{"outputs":18446744073709551615}'
    assert tensors.response(tensors.COLUMNAR, {"y": np.array([True, False])}) == b'{"outputs":[true,false]}'


def test_bytes_are_base64_where_the_alias_says_so_and_else_as_they_are():
    content = np.array([[b"\x89PNG\xff", b"null"]], object)
    assert told(tensors.ROW, png_bytes=content) == {"predictions": [[b64(b"\x89PNG\xff"), b64(b"null")]]}
    body = tensors.response(tensors.ROW, {"png": np.array([b'\xff"\\\n', b"null", "é".encode()], object)})
    assert body == b'{"predictions":["\xff\\u0022\\u005C\\u000A","null","\xc3\xa9"]}'
    assert parse(body) == {"predictions": ['\udcff"\\\n', "null", "é"]}
    assert told(tensors.COLUMNAR, many_bytes=np.float32([1])) == {"outputs": [1.0]}


def test_what_is_no_number_is_bare():
    y = np.float32([[np.nan, 1.5], [np.inf, -np.inf]])
    assert tensors.response(tensors.ROW, {"y": y}) == b'{"predictions":[[NaN,1.5],[Infinity,-Infinity]]}'
    rows = tensors.response(tensors.ROW, {"y": y, "z": np.float64([np.nan, 2]), "s": np.array([b"null", b""], object)})
    assert rows == b'{"predictions":[{"s":"null","y":[NaN,1.5],"z":NaN},{"s":"","y":[Infinity,-Infinity],"z":2.0}]}'
    assert tensors.response(tensors.COLUMNAR, {"y": np.float32("inf")}) == b'{"outputs":Infinity}'


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({}, "Cannot convert empty tensor map to JSON"),
        ({"y": np.float32(1)}, "Tensor name: y has no shape information"),
        ({"y": np.zeros(2), "z": np.zeros(3)}, "Tensor name: z has inconsistent batch size: 3 expecting: 2"),
        ({"y": np.float16([1])}, "Failed to write JSON value for tensor type: half"),
        ({"y": np.complex64([1])}, "Failed to write JSON value for tensor type: complex64"),
        ({"y": np.uint16([1])}, "Failed to write JSON value for tensor type: uint16"),
    ],
)
def test_outputs_that_have_no_rows(outputs, words):
    with pytest.raises(ServingError, match=words) as error:
        tensors.response(tensors.ROW, outputs)
    assert error.value.code == "INVALID_ARGUMENT"


def test_empty_outputs():
    assert told(tensors.ROW, y=np.zeros((0, 3))) == {"predictions": []}
    assert told(tensors.ROW, y=np.zeros((2, 0), np.float32), z=np.zeros(2, bool)) == {"predictions": [{"y": [], "z": False}] * 2}
    assert told(tensors.COLUMNAR, y=np.zeros((2, 0))) == {"outputs": [[], []]}


@settings(max_examples=60)
@given(st.lists(st.floats(width=32), min_size=1), st.sampled_from([np.float32, np.float64]))
def test_a_float_comes_back_as_it_was(values, dtype):
    array = np.array(values, dtype)
    body = tensors.response(tensors.ROW, {"y": array})
    back = fed({"instances": parse(body)["predictions"]}, x="float" if dtype is np.float32 else "double")["x"]
    np.testing.assert_array_equal(back, array)


def test_an_array_that_is_no_block_of_memory():
    y = np.arange(6, dtype=np.float32).reshape(2, 3).T[::-1]
    assert told(tensors.ROW, y=y) == {"predictions": y.tolist()}
    assert told(tensors.ROW, y=y, z=y > 2) == {"predictions": [{"y": row.tolist(), "z": (row > 2).tolist()} for row in y]}
