"""TensorFlow's and TF Serving's messages, without TensorFlow.

The modules of tensorflow and tensorflow-serving-api that define them import all of TensorFlow, which takes seconds. What protoc
wrote into each is a literal, the serialized description of a .proto file: that is read from the installed files, into its own pool.
"""

import ast
import functools
import importlib
import importlib.util
from pathlib import Path
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

KNOWN = {module.DESCRIPTOR.name: module.DESCRIPTOR for module in (any_pb2, wrappers_pb2)}  # of protobuf's own
FILES = {  # package of messages -> the files that have those which are asked for here
    "tensorflow": (
        "tensorflow/core/protobuf/saved_model.proto",
        "tensorflow/core/example/example.proto",
        "tensorflow/core/framework/tensor.proto",
    ),
    "tensorflow.serving": (
        "tensorflow_serving/apis/predict.proto",
        "tensorflow_serving/apis/classification.proto",
        "tensorflow_serving/apis/regression.proto",
        "tensorflow_serving/apis/get_model_metadata.proto",
        "tensorflow_serving/config/model_server_config.proto",
    ),
}


@functools.cache
def message(name: str) -> type[Any]:
    """The class of a message, such as "tensorflow.SavedModel". Raises KeyError where none of FILES has it."""
    pool = _pool(name.rpartition(".")[0])
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


@functools.cache
def _pool(package: str) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()
    for file in FILES[package]:
        _add(file, pool, added)
    return pool


def _add(file: str, pool: descriptor_pool.DescriptorPool, added: set[str]) -> None:
    """A .proto file, after those that it imports."""
    if file in added:
        return
    added.add(file)
    described = descriptor_pb2.FileDescriptorProto.FromString(KNOWN[file].serialized_pb if file in KNOWN else _serialized(file))
    for needed in described.dependency:
        _add(needed, pool, added)
    pool.Add(described)


def _serialized(file: str) -> bytes:
    """The description of a .proto file, as protoc wrote it into the module made of it."""
    package, _, below = file.removesuffix(".proto").partition("/")
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        module = Path(folder, f"{below}_pb2.py")
        if module.is_file():
            for node in ast.walk(ast.parse(module.read_bytes())):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
                    return ast.literal_eval(node.args[0])
    name = f"{package}.{below.replace('/', '.')}_pb2"  # of another form than protoc's of today: the slow way
    return importlib.import_module(name).DESCRIPTOR.serialized_pb
