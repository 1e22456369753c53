"""TF Serving's calls as messages: a request in, a response out, whoever carries it. What is asked is a Servable, or has its face.

Rules and words of errors are those of tensorflow_serving/servables/tensorflow (predict_util.cc, classifier.cc, regressor.cc,
multi_inference.cc, util.cc). Method names of signatures are not checked, as they are not by default there.
"""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    input_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.server.servable import DEFAULT_SIGNATURE
from serving.server.status import ServingError

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
INPUTS, CLASSES, SCORES, OUTPUTS = "inputs", "classes", "scores", "outputs"  # aliases of their signatures
MAX_FILLED = 2**25  # bytes of a tensor whose message holds fewer values than its shape has: the others repeat the last
STRING = 64  # bytes that an empty string takes, about
FIELDS = {  # dtype -> the field that TF Serving writes its values into
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT8: "int_val",
    types_pb2.DT_INT16: "int_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_UINT8: "int_val",
    types_pb2.DT_UINT16: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_UINT32: "uint32_val",
    types_pb2.DT_UINT64: "uint64_val",
    types_pb2.DT_BOOL: "bool_val",
}


def predict(servable, request: predict_pb2.PredictRequest, deadline: float | None = None) -> predict_pb2.PredictResponse:
    """Predict. `deadline` as of Servable.run."""
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    if name not in servable.signatures:  # before its tensors are looked at
        raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
    feeds = {alias: array_of(request.inputs[alias], alias) for alias in sorted(request.inputs)}
    answers = servable.run(name, feeds, list(request.output_filter), deadline)
    response = predict_pb2.PredictResponse()
    _spec(response.model_spec, request.model_spec.name, servable.version, name)
    for alias, array in answers.items():
        response.outputs[alias].CopyFrom(proto_of(array))
    return response


def classify(
    servable, request: classification_pb2.ClassificationRequest, deadline: float | None = None
) -> classification_pb2.ClassificationResponse:
    """Classify."""
    response = classification_pb2.ClassificationResponse()
    count, answers = _of_examples(servable, request, response, _classification, deadline)
    _classified(response.result, count, answers.get(CLASSES), answers.get(SCORES))
    return response


def regress(
    servable, request: regression_pb2.RegressionRequest, deadline: float | None = None
) -> regression_pb2.RegressionResponse:
    """Regress."""
    response = regression_pb2.RegressionResponse()
    count, answers = _of_examples(servable, request, response, _regression, deadline)
    _regressed(response.result, count, answers[OUTPUTS])
    return response


def _of_examples(servable, request, response, wanted_of, deadline: float | None):
    """Ask the signature that a request names for what `wanted_of` says of it; the response gets its spec. How many examples there
    are, and what is answered."""
    name, signature = _signature(servable, request.model_spec.signature_name, "No signature was found with the name: ")
    wanted = wanted_of(signature)
    examples = examples_of(request.input)
    answers = servable.run(name, {INPUTS: examples}, wanted, deadline)
    _spec(response.model_spec, request.model_spec.name, servable.version, name)
    return len(examples), answers


def multi_inference(
    servable, request: inference_pb2.MultiInferenceRequest, deadline: float | None = None
) -> inference_pb2.MultiInferenceResponse:
    """Several signatures of a model on the same examples, in one run of the graph."""
    tasks: list[tuple] = []
    for task in request.tasks:
        spec = task.model_spec
        if not spec.name:
            raise ServingError("INVALID_ARGUMENT", "Found ModelSpec with an empty model name.")
        if spec.name != request.tasks[0].model_spec.name:
            raise ServingError("INVALID_ARGUMENT", "All ModelSpecs in a MultiInferenceRequest must access the same model name.")
        name = spec.signature_name or DEFAULT_SIGNATURE
        if name in [known for known, *_ in tasks]:
            raise ServingError("INVALID_ARGUMENT", f"Duplicate evaluation of signature: {name}")
        _, signature = _signature(servable, name, "Requested signature not found in model graph: ")
        if task.method_name not in (CLASSIFY, REGRESS):
            raise ServingError("UNIMPLEMENTED", f"Unsupported signature method_name: {task.method_name}")
        wanted = _classification(signature) if task.method_name == CLASSIFY else _regression(signature)
        if tasks and signature.inputs[INPUTS].name != tasks[0][1].inputs[INPUTS].name:
            raise ServingError("INVALID_ARGUMENT", "Input tensor must be the same for all Signatures.")
        tasks.append((name, signature, task, wanted))
    examples = examples_of(request.input)
    response = inference_pb2.MultiInferenceResponse()
    if not tasks:
        return response
    answered = servable.run_several({name: wanted for name, _, _, wanted in tasks}, {INPUTS: examples}, deadline)
    for name, _, task, _ in tasks:
        answers = answered[name]
        result = response.results.add()
        _spec(result.model_spec, task.model_spec.name, servable.version, name)
        if task.method_name == CLASSIFY:
            _classified(result.classification_result, len(examples), answers.get(CLASSES), answers.get(SCORES))
        else:
            _regressed(result.regression_result, len(examples), answers[OUTPUTS])
    return response


def metadata(servable) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """What a model's signatures are; `check_fields` comes before the model is looked up."""
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in servable.signatures.items():
        signatures.signature_def[name].CopyFrom(signature)
    response.metadata["signature_def"].Pack(signatures)
    return response


def check_fields(request: get_model_metadata_pb2.GetModelMetadataRequest) -> None:
    """Raise where anything else than signatures is asked for."""
    if not request.metadata_field:
        raise ServingError("INVALID_ARGUMENT", "GetModelMetadataRequest must specify at least one metadata_field")
    for name in request.metadata_field:
        if name != "signature_def":
            raise ServingError("INVALID_ARGUMENT", f"Metadata field {name} is not supported")


def array_of(tensor: tensor_pb2.TensorProto, alias: str) -> np.ndarray:
    """The array of a message; bytes have dtype object.

    Raises:
        ServingError: where it is none: values that do not fill its shape, a dtype that has no values, more than memory should hold.
    """
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    try:
        dtype = tf.as_dtype(tensor.dtype)
        width = STRING if dtype == tf.string else dtype.size
        if min(sizes, default=0) < 0 or tensor.tensor_shape.unknown_rank:
            raise ValueError(f"it has the shape {sizes}")
        if math.prod(sizes) * width > MAX_FILLED and math.prod(sizes) > _values(tensor, width):
            raise ValueError(f"a shape of {sizes} is too large for what the message holds")
        if dtype == tf.string and 0 < math.prod(sizes) == len(tensor.string_val) and not tensor.tensor_content:
            array = np.empty(len(tensor.string_val), object)  # what is asked most, in a fraction of make_ndarray's time
            array[:] = tensor.string_val
            return array.reshape(sizes)
        array = tf.make_ndarray(tensor)
    except (TypeError, ValueError, KeyError, OverflowError, MemoryError) as error:
        raise ServingError("INVALID_ARGUMENT", f"tensor parsing error: {alias}: {error}") from None
    if array.dtype == object and array.size and not tensor.string_val:
        array.fill(b"")
    return array


def _values(tensor: tensor_pb2.TensorProto, width: int) -> int:
    """How many values a message holds."""
    if tensor.tensor_content:
        return len(tensor.tensor_content) // width
    return max((len(value) for field, value in tensor.ListFields() if field.name.endswith("_val")), default=0)


def proto_of(array: np.ndarray) -> tensor_pb2.TensorProto:
    """The message of an array, its values in the typed fields that TF Serving fills."""
    array = np.asarray(array)
    if array.dtype.kind in "OSU":
        tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING)
        tensor.string_val.extend(value.encode() if isinstance(value, str) else value for value in array.ravel())
    else:
        dtype = tf.as_dtype(array.dtype).as_datatype_enum
        if dtype not in FIELDS:
            return tf.make_tensor_proto(array)
        tensor = tensor_pb2.TensorProto(dtype=dtype)
        getattr(tensor, FIELDS[dtype]).extend(array.ravel().tolist())
    for size in array.shape:
        tensor.tensor_shape.dim.add().size = size
    return tensor


def examples_of(given: input_pb2.Input) -> np.ndarray:
    """Serialized tf.Examples [N] of an Input, object; a context stands before each of its examples, as bytes: a message may be
    written in parts."""
    kind = given.WhichOneof("kind")
    if kind == "example_list_with_context":
        context = given.example_list_with_context.context.SerializeToString()
        parts = [context + example.SerializeToString() for example in given.example_list_with_context.examples]
    else:
        parts = [example.SerializeToString() for example in given.example_list.examples]
    if not parts:
        raise ServingError("INVALID_ARGUMENT", "Input is empty.")
    examples = np.empty(len(parts), object)
    examples[:] = parts
    return examples


def count_examples(given: input_pb2.Input) -> int:
    """How many tf.Examples an Input has."""
    return len(given.example_list.examples) + len(given.example_list_with_context.examples)


def _signature(servable, name: str, unknown: str) -> tuple:
    name = name or DEFAULT_SIGNATURE
    if name not in servable.signatures:
        raise ServingError("INVALID_ARGUMENT", f"{unknown}{name}")
    return name, servable.signatures[name]


def _classification(signature) -> list[str]:
    """Outputs that Classify asks a signature for."""
    if len(signature.inputs) != 1:
        raise ServingError("INVALID_ARGUMENT", "Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise ServingError("INVALID_ARGUMENT", f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if INPUTS not in signature.inputs:
        raise ServingError("FAILED_PRECONDITION", f"No classification inputs found in SignatureDef: {_names(signature)}")
    wanted = [alias for alias in (CLASSES, SCORES) if alias in signature.outputs]
    if not wanted:
        raise ServingError(
            "FAILED_PRECONDITION",
            f'Expected classification signature outputs to contain at least one of "{CLASSES}" or "{SCORES}".'
            f" Signature was: {_names(signature)}",
        )
    return wanted


def _regression(signature) -> list[str]:
    """Outputs that Regress asks a signature for."""
    if len(signature.inputs) != 1:
        raise ServingError("INVALID_ARGUMENT", "Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise ServingError("INVALID_ARGUMENT", "Expected one output Tensor.")
    if INPUTS not in signature.inputs:
        raise ServingError("FAILED_PRECONDITION", f"No regression inputs found in SignatureDef: {_names(signature)}")
    if OUTPUTS not in signature.outputs:
        raise ServingError("FAILED_PRECONDITION", f"No regression outputs found in SignatureDef: {_names(signature)}")
    return [OUTPUTS]


def _names(signature) -> str:
    return f"inputs {sorted(signature.inputs)}, outputs {sorted(signature.outputs)}"


def _classified(
    result: classification_pb2.ClassificationResult, count: int, classes: np.ndarray | None, scores: np.ndarray | None
) -> None:
    """Write what a signature answered for `count` examples."""
    for name, array, dtype in ((CLASSES, classes, object), (SCORES, scores, np.float32)):
        if array is None:
            continue
        if array.ndim != 2:
            raise ServingError("INVALID_ARGUMENT", f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}")
        if array.dtype != dtype:
            raise ServingError("INVALID_ARGUMENT", f"Expected {name} Tensor of {_word(dtype)}. Got: {array.dtype}")
        if len(array) != count:
            raise ServingError("INVALID_ARGUMENT", f"Expected {name} output batch size of {count}. Got: {len(array)}")
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise ServingError(
            "INVALID_ARGUMENT",
            f"Tensors class and score should match in dim_size(1). Got {classes.shape[1]} vs. {scores.shape[1]}",
        )
    labels: Sequence = classes if classes is not None else [[b""] * scores.shape[1]] * count
    for row, label in enumerate(labels):
        written = result.classifications.add().classes
        for place, name in enumerate(label):
            entry = written.add(label=name.decode(errors="replace"))
            if scores is not None:
                entry.score = scores[row, place]


def _regressed(result: regression_pb2.RegressionResult, count: int, values: np.ndarray) -> None:
    if not (values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)):
        raise ServingError(
            "INVALID_ARGUMENT",
            f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {list(values.shape)}",
        )
    if len(values) != count:
        raise ServingError("INVALID_ARGUMENT", f"Input batch size did not match output batch size: {count} vs. {len(values)}")
    if values.dtype != np.float32:
        raise ServingError("INVALID_ARGUMENT", f"Expected output Tensor of {_word(np.float32)}.  Got: {values.dtype}")
    for value in values.ravel():
        result.regressions.add(value=value)


def _word(dtype) -> str:
    return "DT_STRING" if dtype is object else "DT_FLOAT"


def _spec(written, name: str, version: int, signature_name: str) -> None:
    written.name, written.signature_name = name, signature_name
    written.version.value = version
