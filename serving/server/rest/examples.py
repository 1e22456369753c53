"""Classify's and Regress's JSON to tf.Examples, and their results to JSON, as TF Serving's json_tensor.cc does both."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from serving.server.rest.document import invalid, shown, type_name, utf8
from serving.server.rest.tensors import is_b64, unb64

EXAMPLES, CONTEXT, RESULTS = "examples", "context", "results"
LARGEST = 2**63 - 1
KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}  # of Feature, in messages


def read(document: Mapping[str, Any], message: Any) -> None:
    """Write the examples of a Classify or Regress request into an Input, with their context where they have one.

    Raises:
        ServingError: INVALID_ARGUMENT, in TF Serving's words.
    """
    examples_of = message.example_list
    if CONTEXT in document:
        examples_of = message.example_list_with_context
        _fill(examples_of.context, document[CONTEXT])
    if EXAMPLES not in document:
        raise invalid(f"JSON Value: {shown(document)} When method is classify, key '{EXAMPLES}' is expected and was not found")
    examples = document[EXAMPLES]
    if not isinstance(examples, list):
        raise invalid(f"JSON Value: {shown(document)} Expecting '{EXAMPLES}' value to be an list/array")
    if not examples:
        raise invalid(f"JSON Value: {shown(document)} '{EXAMPLES}' value is an empty array")
    for example in examples:
        _fill(examples_of.examples.add(), example)


def classified(result: Any) -> bytes:
    """JSON of a ClassificationResult: the label and the score of each class of each example."""
    if not result.classifications:
        raise invalid("Cannot convert empty ClassificationResults to JSON")
    return _results([[[each.label, _float(each.score)] for each in of_example.classes] for of_example in result.classifications])


def regressed(result: Any) -> bytes:
    """JSON of a RegressionResult: the value of each example."""
    if not result.regressions:
        raise invalid("Cannot convert empty RegressionResults to JSON")
    return _results([_float(regression.value) for regression in result.regressions])


def _results(values: list) -> bytes:
    return orjson.dumps({RESULTS: values}, option=orjson.OPT_SERIALIZE_NUMPY)


def _float(value: float) -> np.float32 | orjson.Fragment:
    single = np.float32(value)
    if np.isfinite(single):
        return single
    return orjson.Fragment(b"NaN" if np.isnan(single) else b"Infinity" if single > 0 else b"-Infinity")


def _fill(example: Any, value: Any) -> None:
    """Write a JSON object's features into a tf.Example."""
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_name(value)}")
    example.features.SetInParent()
    for name, content in value.items():
        try:
            feature = example.features.feature[name]  # is there once it is asked for
        except UnicodeEncodeError:
            raise invalid("The name of a feature is not UTF-8") from None
        for part in content if isinstance(content, list) else [content]:
            _add(part, name, feature)


def _add(value: Any, name: str, feature: Any) -> None:
    if value is None or isinstance(value, list) or (isinstance(value, dict) and not is_b64(value)):
        raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")
    if isinstance(value, dict):
        _append(unb64(value), "bytes_list", name, feature)
    elif isinstance(value, str):
        _append(utf8(value), "bytes_list", name, feature)
    elif isinstance(value, float):
        with np.errstate(over="ignore"):
            _append(float(np.float32(value)), "float_list", name, feature)
    elif value > LARGEST:
        raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
    else:
        _append(int(value), "int64_list", name, feature)


def _append(value: Any, kind: str, name: str, feature: Any) -> None:
    has = feature.WhichOneof("kind")
    if has not in (None, kind):
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {KINDS[has]}")
    getattr(feature, kind).value.append(value)
